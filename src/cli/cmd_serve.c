/* SPDX-License-Identifier: MIT
 * cmd_serve.c -- kith serve: settings from file, environment and flags; a service until it is told to stop
 *
 * What the library calls a setting is looked up in its own table (kith_serve_settings), so that none is named here:
 * {"limits": {"threads": 4}} in the file is KITH_LIMITS_THREADS=4 in the environment.  What makes the service, such as
 * db and port, stands at the top of the file and is an option too.
 */
#include "cli/command.h"
#include "cli/console.h"

#include <ctype.h>
#include <errno.h>
#include <malloc.h> /* mallopt */
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- settings: file, then environment ---- */

/* "limits", "threads" -> "KITH_LIMITS_THREADS". */
static const char *environment(const char *section, const char *name)
{
    char variable[128];
    snprintf(variable, sizeof variable, "KITH_%s%s%s", section, section[0] != '\0' ? "_" : "",
             name);
    for (char *c = variable; *c != '\0'; c++) *c = (char)toupper((unsigned char)*c);
    return getenv(variable);
}

/* A number, a boolean or a list where the setting is one; else text. */
static json_t *value_of(const char *type, const char *text)
{
    json_t *v = NULL;
    if (type != NULL && strcmp(type, "string") != 0 && strcmp(type, "text") != 0 &&
        strcmp(type, "choice") != 0)
        v = json_loads(text, JSON_DECODE_ANY, NULL);
    return v != NULL ? v : json_string(text);
}

static void overlay(json_t *config, const json_t *setting)
{
    const char *section = json_string_value(json_object_get(setting, "section")),
               *name = json_string_value(json_object_get(setting, "name")),
               *type = json_string_value(json_object_get(setting, "type")),
               *text = environment(section, name);
    json_t *inside = config;
    if (text == NULL) return;
    if (section[0] != '\0' && !json_is_object(inside = json_object_get(config, section))) {
        inside = json_object();
        json_object_set_new(config, section, inside);
    }
    json_object_set_new(inside, name, value_of(type, text));
}

static json_t *all_settings(void)
{
    char *text = NULL;
    if (kith_serve_settings(&text) != KITH_OK) return NULL;
    json_t *list = json_loads(text, 0, NULL);
    kith_string_free(text);
    return list;
}

static cli_exit read_config(const char *path, json_t **out)
{
    json_error_t where;
    size_t j;
    json_t *one, *list = all_settings();
    *out = path == NULL ? json_object() : json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (*out == NULL && where.line < 0)
        return json_decref(list), cli_complain(CLI_USAGE, "%s: %s", path, strerror(errno));
    if (!json_is_object(*out)) {
        json_decref(list);
        return cli_complain(CLI_USAGE, "%s:%d:%d: %s", path, where.line, where.column,
                            *out == NULL ? where.text : "want one JSON object");
    }
    json_array_foreach (list, j, one) overlay(*out, one);
    json_decref(list);
    return CLI_DONE;
}

/* What makes the service: from the option, else the environment, else the file. */
static const char *choose(const char *option, const json_t *config, const char *name)
{
    if (option != NULL) return option;
    const char *text = environment("", name);
    return text != NULL ? text : json_string_value(json_object_get(config, name));
}

/* What is no option: from the environment, read as other settings are, else from the file; a new reference, NULL:
 * neither says it.  *where names it to people. */
static json_t *find_setting(const json_t *config, const char *name, const char *type, char *where,
                            size_t size)
{
    const char *text = environment("", name);
    if (text == NULL) {
        snprintf(where, size, "the config's \"%s\"", name);
        return json_incref(json_object_get(config, name));
    }
    int n = snprintf(where, size, "KITH_");
    for (; *name != '\0' && n + 1 < (int)size; name++)
        where[n++] = (char)toupper((unsigned char)*name);
    where[n] = '\0';
    return value_of(type, text);
}

static cli_exit choose_port(const cli_args *a, const json_t *config, int *out)
{
    char where[64];
    *out = (int)a->port;
    if (a->port != 0) return CLI_DONE;
    json_t *v = find_setting(config, "port", "integer", where, sizeof where);
    const json_int_t port = json_integer_value(v);
    const int wrong = v != NULL && (!json_is_integer(v) || port < -1 || port == 0 || port > 65535);
    *out = (int)port;
    json_decref(v);
    return wrong
               ? cli_complain(CLI_USAGE,
                              "%s: want a port from 1 to 65535, or -1 for one that is free", where)
               : CLI_DONE;
}

static cli_exit choose_insecure(const cli_args *a, const json_t *config, int *out)
{
    char where[64];
    *out = 1;
    if (a->insecure_local) return CLI_DONE;
    json_t *v = find_setting(config, "insecure_local", "boolean", where, sizeof where);
    const json_int_t number = json_integer_value(v);
    const int wrong =
        v != NULL && !json_is_boolean(v) && (!json_is_integer(v) || (number != 0 && number != 1));
    *out = json_is_true(v) || number == 1;
    json_decref(v);
    return wrong ? cli_complain(CLI_USAGE, "%s: want true or false", where) : CLI_DONE;
}

/* ---- what is said ---- */

/* On a terminal; elsewhere standard error is a log of JSON lines, and nothing else may be in it. */
static int in_words(const cli_args *a)
{
    return isatty(STDERR_FILENO) && !a->quiet;
}

static atomic_int stopping; /* 1: nobody looks after what has gathered */

/* Lines about requests gather until there are many or a fifth of a second is over (wait_for_signal): a write to the
 * system for each costs more than the line.  All others are out at once, and those before them. */
static void log_line(void *udata, const char *event)
{
    static const char request[] = "{\"event\":\"request\"";
    const int gathers = strncmp(event, request, sizeof request - 1) == 0 && !atomic_load(&stopping);
    (void)udata;
    flockfile(stderr);
    fputs(event, stderr);
    fputc('\n', stderr);
    if (!gathers) fflush(stderr);
    funlockfile(stderr);
}

static void row(cli_table *t, const char *what, const char *value)
{
    cli_table_cell(t, "%s", what);
    cli_table_cell(t, "%s", value);
}

static double number(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    return json_is_number(v) ? json_number_value(v) : 0;
}

static const char *text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s != NULL ? s : "";
}

static void say_model(cli_table *t, const json_t *status)
{
    const json_t *figures = json_object_get(status, "figures");
    char line[256];
    if (text(status, "model")[0] == '\0') {
        row(t, "model", "none yet: it is trained when there are events");
        return;
    }
    snprintf(line, sizeof line, "%s (%s)", text(status, "algorithm"), text(status, "model"));
    row(t, "model", line);
    if (json_is_number(json_object_get(figures, "value"))) {
        snprintf(line, sizeof line, "%s, popularity %s (%s)",
                 cli_fixed(number(figures, "value"), 4),
                 cli_fixed(number(figures, "popularity"), 4), text(figures, "protocol"));
        row(t, text(figures, "metric"), line);
    } else if (text(figures, "reason")[0] != '\0') {
        row(t, "figures", text(figures, "reason"));
    }
}

static void say_ready(const cli_args *a, const kith_server *server, const json_t *status)
{
    const char *key = kith_serve_first_key(server);
    cli_table *t = cli_table_new("lL");
    row(t, "users", cli_count((long long)number(status, "users")));
    row(t, "items", cli_count((long long)number(status, "items")));
    row(t, "events", cli_count((long long)number(status, "events")));
    say_model(t, status);
    row(t, "URL", kith_serve_url(server));
    if (key[0] != '\0') row(t, "key", key);
    cli_table_print_plain(t);
    cli_table_free(t);
    if (a->quiet) return;
    if (key[0] != '\0')
        printf("The key is shown this once: send it as  Authorization: Bearer KEY\n");
    printf("Open the URL in a browser for a dashboard; %s/v1/docs has every call.  Ctrl-C stops.\n",
           kith_serve_url(server));
}

static cli_exit say(const cli_args *a, const kith_server *server)
{
    char *told = NULL;
    const kith_err err = kith_serve_json(server, &told);
    if (err != KITH_OK) return cli_fail(err);
    json_t *status = json_loads(told, 0, NULL);
    kith_string_free(told);
    cli_progress_clear();
    if (a->data != NULL && !json_is_true(json_object_get(status, "imported")) && in_words(a))
        fprintf(stderr, "%s was not read again: the store has its own users, items and events\n",
                a->data);
    if (a->json) {
        json_object_set_new(status, "url", json_string(kith_serve_url(server)));
        json_object_set_new(status, "port", json_integer(kith_serve_port(server)));
        json_object_set_new(status, "key", json_string(kith_serve_first_key(server)));
        char *line = json_dumps(status, JSON_COMPACT);
        printf("%s\n", line != NULL ? line : "{}");
        free(line);
    } else {
        say_ready(a, server, status);
    }
    fflush(stdout);
    json_decref(status);
    return CLI_DONE;
}

/* ---- until told ---- */

static sem_t stop;
static kith *volatile opening; /* what a signal cancels while the service is not there yet */

static void on_signal(int sig)
{
    (void)sig;
    if (opening != NULL) kith_cancel(opening);
    sem_post(&stop);
}

static void listen_to_signals(kith *k)
{
    const struct sigaction action = { .sa_handler = on_signal };
    sem_init(&stop, 0, 0);
    opening = k;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void wait_for_signal(void)
{
    struct timespec until;
    opening = NULL;
    do {
        fflush(stderr);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 200000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
    } while (sem_timedwait(&stop, &until) != 0 && (errno == EINTR || errno == ETIMEDOUT));
}

/* malloc gives its threads up to eight arenas per processor, and each in time holds the most that any of them ever
 * had, though never more threads than processors are at work: a service of days would have its memory several
 * times.  Who says MALLOC_ARENA_MAX is heard. */
static void share_arenas(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    if (getenv("MALLOC_ARENA_MAX") == NULL) mallopt(M_ARENA_MAX, n > 0 ? (int)n : 1);
}

static cli_exit serve(const cli_args *a, kith *k, const kith_serve_options *o)
{
    kith_server *server = NULL;
    share_arenas();
    listen_to_signals(k);
    const kith_err err = kith_serve_start(k, o, &server);
    cli_progress_clear();
    if (err == KITH_ECANCELED) return cli_complain(CLI_FAILED, "stopped before it was ready");
    if (err != KITH_OK) return cli_fail(err);
    const cli_exit code = say(a, server);
    if (code == CLI_DONE) wait_for_signal();
    atomic_store(&stopping, 1);
    fflush(stderr);
    kith_serve_stop(server, 10);
    if (!a->quiet && isatty(STDOUT_FILENO)) printf("\nstopped; what was acknowledged is kept\n");
    return code;
}

/* What is left of the config once the program has taken what makes the service. */
static char *without_own(const json_t *config)
{
    static const char *const own[] = { "db", "data", "model", "host", "port", "insecure_local" };
    json_t *rest = json_copy((json_t *)config);
    for (size_t j = 0; j < sizeof own / sizeof own[0]; j++) json_object_del(rest, own[j]);
    char *document = rest == NULL ? NULL : json_dumps(rest, JSON_COMPACT);
    json_decref(rest);
    return document;
}

static cli_exit start(const cli_args *a, kith *k, const json_t *config)
{
    kith_param params[CLI_MAX_LIST];
    char *names = NULL, *document = without_own(config);
    const kith_read_options read = cli_read_options(a);
    const char *model = a->models.n > 0 ? a->models.at[0] : NULL;
    int port = 0, insecure = 0;
    cli_exit code = choose_port(a, config, &port);
    if (code == CLI_DONE) code = choose_insecure(a, config, &insecure);
    const int n = cli_params(a, params, &names);
    if (code == CLI_DONE && (n < 0 || document == NULL)) code = CLI_USAGE;
    if (code == CLI_DONE && a->models.n > 1)
        code = cli_complain(CLI_USAGE, "a service trains one model; --model names %d", a->models.n);
    if (code == CLI_DONE && a->models.n == 1) code = cli_check_models(a, params, n);
    const kith_serve_options o = {
        .db = choose(a->db, config, "db"),
        .data = choose(a->data, config, "data"),
        .read = &read,
        .model = choose(model, config, "model"),
        .params = params,
        .n_params = n > 0 ? n : 0,
        .config = document,
        .host = choose(a->host, config, "host"),
        .port = port,
        .insecure_local = insecure,
        .event = isatty(STDERR_FILENO) || a->quiet ? NULL : log_line,
    };
    if (o.event != NULL) setvbuf(stderr, NULL, _IOFBF, 1 << 16);
    if (code == CLI_DONE) code = serve(a, k, &o);
    free(names);
    free(document);
    return code;
}

/* ---- the table of settings ---- */

static const char *shown(const json_t *v, char *out, size_t size)
{
    char *dumped = v == NULL ? NULL : json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    snprintf(out, size, "%s", dumped == NULL ? "" : dumped);
    free(dumped);
    return out;
}

static cli_exit print_settings(const cli_args *a)
{
    size_t j;
    json_t *one, *list = all_settings();
    char normal[256];
    if (list == NULL) return cli_complain(CLI_FAILED, "%s", kith_last_error());
    if (a->json) return cli_print_object(json_pack("{s:o}", "settings", list));
    cli_table *t = cli_table_new("llrL");
    const char *const heads[] = { "section", "setting", "default", "meaning" };
    for (int h = 0; h < 4; h++) cli_table_cell(t, "%s", heads[h]);
    json_array_foreach (list, j, one) {
        cli_table_cell(t, "%s", text(one, "section"));
        cli_table_cell(t, "%s", text(one, "name"));
        cli_table_cell(t, "%s", shown(json_object_get(one, "default"), normal, sizeof normal));
        cli_table_cell(t, "%s", text(one, "meaning"));
    }
    cli_table_print(t);
    cli_table_free(t);
    json_decref(list);
    return CLI_DONE;
}

cli_exit cmd_serve(const cli_args *a, kith *k)
{
    json_t *config = NULL;
    if (a->settings) return print_settings(a);
    cli_exit code = read_config(a->config, &config);
    if (code == CLI_DONE) code = cli_check_layout(a);
    if (code == CLI_DONE) code = start(a, k, config);
    json_decref(config);
    return code;
}
