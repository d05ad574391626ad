/* SPDX-License-Identifier: MIT
 * closest.c -- edit distance with swaps of neighbours (optimal string alignment), and names by it
 */
#include "base/closest.h"

#include "base/letters.h"

#include <stdio.h>
#include <string.h>

enum { LETTERS = KI_CLOSEST_LETTERS };

static int letters_of(const char *text, size_t bytes, uint32_t *out)
{
    const char *at = text, *end = text + bytes;
    int n = 0;
    while (at < end && n < LETTERS) out[n++] = ki_letter_next(&at, end);
    return n;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* d[i][j] is the distance of the first i letters of a from the first j of b; the last three rows are
 * kept. */
static int distance_of(const uint32_t *a, int n_a, const uint32_t *b, int n_b)
{
    int rows[3][LETTERS + 1];
    for (int j = 0; j <= n_b; j++) rows[0][j] = j;
    for (int i = 1; i <= n_a; i++) {
        int *now = rows[i % 3];
        const int *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= n_b; j++) {
            now[j] =
                least(before[j - 1] + (a[i - 1] != b[j - 1]), least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[n_a % 3][n_b];
}

int ki_edit_distance(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    uint32_t x[LETTERS], y[LETTERS];
    const int n_x = letters_of(a, a_bytes, x), n_y = letters_of(b, b_bytes, y);
    return distance_of(x, n_x, y, n_y);
}

void ki_closest_try(ki_closest *c, const char *name)
{
    const size_t asked = strlen(c->asked), length = strlen(name);
    const int begins = asked >= 2 && asked < length && strncmp(name, c->asked, asked) == 0;
    const int distance = begins ? 1 : ki_edit_distance(c->asked, asked, name, length);
    if (distance * 3 > (int)length + 1) return;
    if (c->best != NULL && distance >= c->distance) return;
    c->best = name;
    c->distance = distance;
}

const char *ki_closest_hint(const ki_closest *c, char *out)
{
    out[0] = '\0';
    if (c->best != NULL) snprintf(out, KI_HINT_SIZE, "; did you mean \"%.64s\"?", c->best);
    return out;
}
