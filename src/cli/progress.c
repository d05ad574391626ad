/* SPDX-License-Identifier: MIT
 * progress.c -- one line on stderr for work that takes over a second: bar, share, rate, time left
 */
#include "cli/command.h"
#include "cli/console.h"

#include <string.h>
#include <time.h>

enum { WIDTH = 24 };

static struct {
    char what[64];
    double began, shown; /* seconds; shown 0: nothing is on the line */
} bar;

double cli_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void cli_progress_clear(void)
{
    if (bar.shown > 0) fputs("\r\033[K", stderr);
    bar.shown = 0;
}

static void format_seconds(double s, char *out, size_t size)
{
    if (s < 100)
        snprintf(out, size, "%.0f s", s);
    else if (s < 6000)
        snprintf(out, size, "%.0f min", s / 60);
    else
        snprintf(out, size, "%.1f h", s / 3600);
}

/* "3,400/s", "0.25/s". */
static const char *format_rate(double rate)
{
    return rate >= 100 ? cli_count((long long)rate) : cli_fixed(rate, rate < 1 ? 2 : 1);
}

/* The bar takes what the words leave of the line, which must not be longer than the terminal is wide: only one line
 * can be wiped. */
static void draw(int64_t done, int64_t total, double t)
{
    char cells[WIDTH * 3 + 1] = "", left[32] = "", head[128], tail[160];
    const double spent = t - bar.began, rate = (double)done / spent;
    const int width = cli_width(stderr, CLI_WIDTH_OF_FILES) - 1;
    if (total <= 0) {
        snprintf(tail, sizeof tail, "%s  %s  %s/s", bar.what, cli_count(done), format_rate(rate));
        fprintf(stderr, "\r\033[K%.*s", width, tail);
        return;
    }
    if (done > 0) format_seconds((double)(total - done) / rate, left, sizeof left);
    snprintf(head, sizeof head, "%s  ", bar.what);
    snprintf(tail, sizeof tail, " %3.0f%%  %s of %s  %s/s  %s left",
             100.0 * (double)done / (double)total, cli_count(done), cli_count(total),
             format_rate(rate), left);
    const int room = width - (int)(strlen(head) + strlen(tail)), n = room < WIDTH ? room : WIDTH;
    for (int c = 0; c < n; c++) strcat(cells, c * total < done * n ? "█" : "░");
    fprintf(stderr, "\r\033[K%.*s%s", width, head, cells);
    if (width > (int)strlen(head)) fprintf(stderr, "%.*s", width - (int)strlen(head), tail);
}

void cli_progress(void *udata, const char *what, int64_t done, int64_t total)
{
    const double t = cli_seconds();
    (void)udata;
    if (strncmp(bar.what, what, sizeof bar.what - 1) != 0) {
        cli_progress_clear();
        snprintf(bar.what, sizeof bar.what, "%s", what);
        bar.began = t;
    }
    if (total > 0 && done >= total) {
        cli_progress_clear();
        bar.what[0] = '\0';
        return;
    }
    if (t - bar.began < 1.0 || t - bar.shown < 0.1) return;
    bar.shown = t;
    draw(done, total, t);
}
