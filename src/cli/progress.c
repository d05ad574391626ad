/* SPDX-License-Identifier: MIT
 * progress.c -- one line on stderr for work that takes over a second: bar, share, rate, time left
 */
#include "cli/command.h"

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

static void draw(int64_t done, int64_t total, double t)
{
    char cells[WIDTH * 3 + 1] = "", left[32] = "";
    const double spent = t - bar.began, rate = (double)done / spent;
    if (total <= 0) {
        fprintf(stderr, "\r\033[K%s  %lld  %.3g/s", bar.what, (long long)done, rate);
        return;
    }
    for (int c = 0; c < WIDTH; c++) strcat(cells, c * total < done * WIDTH ? "█" : "░");
    if (done > 0) format_seconds((double)(total - done) / rate, left, sizeof left);
    fprintf(stderr, "\r\033[K%s  %s %3.0f%%  %lld of %lld  %.3g/s  %s left", bar.what, cells,
            100.0 * (double)done / (double)total, (long long)done, (long long)total, rate, left);
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
