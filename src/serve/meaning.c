/* SPDX-License-Identifier: MIT
 * meaning.c -- from an event to a value of its pair
 */
#include "serve/meaning.h"

#include "base/closest.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
    MOST = 1000000000, /* of any number of an event: times, counts, ends of a scale */
    DAY_MS = 86400000
};

/* What the service adds to the contract's table. */
static json_t *own_weights(void)
{
    return json_pack("{s:i, s:{s:i}}", "views", 0, "impression", "weight", 0);
}

static kith_err read_signals(const json_t *wanted, ki_meanings *out)
{
    const ki_place at = { .key = "signals" };
    ki_findings f = { 0 };
    json_t *config = own_weights();
    if (config == NULL) return ki_fail_memory(64);
    if (wanted != NULL) json_object_update(config, (json_t *)wanted);
    ki_signals_begin(&out->signals, config, &at, &f);
    const kith_err err = ki_findings_judge(&f);
    ki_findings_clear(&f);
    json_decref(config);
    return err;
}

static kith_err read_scale(const json_t *document, ki_meanings *out)
{
    const json_t *low = json_object_get(document, "low"), *high = json_object_get(document, "high");
    const char *word = json_string_value(json_object_get(document, "preference"));
    const json_t *most = json_object_get(document, "most");
    if (low != NULL) out->low = json_number_value(low);
    if (high != NULL) out->high = json_number_value(high);
    if (most != NULL)
        out->most = json_number_value(most);
    else if (word != NULL) /* a store from before there was a bound: what it holds stays as it is */
        out->most = MOST;
    if (!(out->low < out->high) || fabs(out->low) > MOST || fabs(out->high) > MOST)
        return ki_fail(KITH_EINVAL,
                       "events: the scale goes from %g to %g, want low below high and both within "
                       "a thousand million",
                       out->low, out->high);
    if (!(out->most > 0 && out->most <= MOST))
        return ki_fail(KITH_EINVAL, "events: most is %g, want more than 0 and at most 1e9",
                       out->most);
    if (word == NULL) return KITH_OK;
    out->decided = 1;
    out->ratings = strcmp(word, "ratings") == 0;
    if (out->ratings || strcmp(word, "strengths") == 0) return KITH_OK;
    return ki_fail(KITH_EINVAL, "events: preference is \"%.40s\", want ratings or strengths", word);
}

kith_err ki_meanings_read(const json_t *document, ki_meanings *out)
{
    ki_meanings made = { .low = 1, .high = 5, .most = 1000 };
    kith_err err = read_signals(json_object_get(document, "signals"), &made);
    if (err == KITH_OK) err = read_scale(document, &made);
    if (err == KITH_OK) *out = made;
    return err;
}

static kith_err unknown(const ki_meanings *m, const char *kind)
{
    char hint[KI_HINT_SIZE];
    ki_closest closest = { .asked = kind };
    for (int j = 0; j < m->signals.n; j++) ki_closest_try(&closest, m->signals.list[j].name);
    return ki_fail(KITH_EINVAL,
                   "\"%.60s\" is no kind of event that is known here%s; a kind of your own wants a "
                   "weight in the setting \"events\"",
                   kind, ki_closest_hint(&closest, hint));
}

/* ---- bounds ---- */

int ki_usual_scale(double *low, double *high)
{
    static const struct scale {
        double low, high;
    } scales[] = { { 1, 5 },  { .5, 5 },   { 0, 5 },   { 1, 10 },  { 0, 10 },
                   { -5, 5 }, { -10, 10 }, { 1, 100 }, { 0, 100 }, { -100, 100 } };
    for (size_t j = 0; j < KI_COUNT(scales); j++) {
        if (*low < scales[j].low || *high > scales[j].high) continue;
        *low = scales[j].low;
        *high = scales[j].high;
        return 1;
    }
    return 0;
}

struct bounds {
    double low, high;
};

static struct bounds bounds_of(const ki_meanings *m, const ki_signal_event *e)
{
    if (e->scale == KI_SCALE_VALUE && m->ratings)
        return (struct bounds){ KI_MIN(0, m->low), m->high };
    const int counts_as_it_is = e->scale == KI_SCALE_VALUE || e->scale == KI_SCALE_LINEAR;
    return (struct bounds){ 0, counts_as_it_is ? m->most : MOST };
}

/* Values are kept as floats, and so is a scale that was learnt from a file. */
static int is_within(struct bounds b, double value)
{
    return (float)value >= (float)b.low && (float)value <= (float)b.high;
}

kith_err ki_meanings_check(const ki_meanings *m, const char *kind, double value, int64_t time_ms,
                           int64_t now_ms)
{
    ki_signal_event e;
    if (!ki_signals_event(&m->signals, kind, value, &e)) return unknown(m, kind);
    const struct bounds b = bounds_of(m, &e);
    if (e.scale == KI_SCALE_VALUE && isnan(value))
        return ki_fail(KITH_EINVAL, "a rating wants a value");
    if (!isnan(value) && !is_within(b, value))
        return ki_fail(KITH_EINVAL, "a %.60s of %g: want a number from %g to %g%s", kind, value,
                       b.low, b.high,
                       b.high >= MOST ? ""
                       : e.scale == KI_SCALE_VALUE && m->ratings
                           ? "; low and high of the setting \"events\" say the scale"
                           : "; most of the setting \"events\" is the bound");
    if (time_ms > now_ms + DAY_MS)
        return ki_fail(KITH_EINVAL, "the event is of a time that is more than a day ahead");
    return KITH_OK;
}

/* The strongest that one event of the usual size can be. */
static double strongest(const ki_meanings *m)
{
    double most = 1e-9;
    for (int j = 0; j < m->signals.n; j++) {
        const ki_signal *g = &m->signals.list[j];
        if (g->scale == KI_SCALE_LOG || g->scale == KI_SCALE_LINEAR) most = KI_MAX(most, g->weight);
    }
    return most;
}

static ki_meant on_scale(const ki_meanings *m, const ki_signal_event *e)
{
    const double middle = (m->low + m->high) / 2, share = KI_MIN(1.0, e->strength / strongest(m));
    if (e->scale == KI_SCALE_FLAG)
        return (ki_meant){ 1, (float)(e->against ? m->low : m->high), KI_LIVE_SET };
    return (ki_meant){ 1, (float)(middle + (m->high - middle) * share), KI_LIVE_IF_NEW };
}

kith_err ki_meanings_event(const ki_meanings *m, const char *kind, double value, ki_meant *out)
{
    ki_signal_event e;
    *out = (ki_meant){ 0 };
    if (!ki_signals_event(&m->signals, kind, value, &e)) return unknown(m, kind);
    if (e.scale == KI_SCALE_VALUE && isnan(value))
        return ki_fail(KITH_EINVAL, "a rating wants a value");
    if (!isnan(value)) { /* an older store may hold anything */
        const struct bounds b = bounds_of(m, &e);
        value = fmax(b.low, fmin(b.high, value));
        (void)ki_signals_event(&m->signals, kind, value, &e);
    }
    if (e.weight == 0) return KITH_OK;
    if (e.scale == KI_SCALE_VALUE)
        *out = (ki_meant){ 1, (float)value, KI_LIVE_SET };
    else if (m->ratings)
        *out = on_scale(m, &e);
    else if (e.against)
        *out = (ki_meant){ 1, 0, KI_LIVE_SET };
    else
        *out = (ki_meant){ e.strength > 0, (float)e.strength, KI_LIVE_ADD };
    return KITH_OK;
}

int ki_meanings_is_rating(const ki_meanings *m, const char *kind)
{
    ki_signal_event e;
    return ki_signals_event(&m->signals, kind, NAN, &e) && e.scale == KI_SCALE_VALUE;
}
