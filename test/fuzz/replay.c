/* SPDX-License-Identifier: MIT
 * replay.c -- every file of a corpus through its fuzz target, once: `replay FOLDER`
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdlib.h>

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* 1 when the file was read and the target came back. */
static int replay(const char *folder, const char *name)
{
    char path[KI_PATH_MAX];
    char *bytes = NULL;
    size_t n = 0, room = (size_t)1 << 20;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (f != NULL && (bytes = malloc(room)) != NULL) n = fread(bytes, 1, room, f);
    const int ok = bytes != NULL && !ferror(f);
    if (f != NULL) fclose(f);
    /* A copy of exact size, so that a sanitizer sees a step past its end. */
    uint8_t *exact = malloc(n > 0 ? n : 1);
    if (ok && exact != NULL) {
        memcpy(exact, bytes, n);
        printf("%s\n", name);
        fflush(stdout); /* the name stands last if the target dies */
        LLVMFuzzerTestOneInput(exact, n);
    }
    free(exact);
    free(bytes);
    return ok;
}

int main(int argc, char **argv)
{
    struct dirent **list = NULL;
    int passed = 0, failed = 0;
    if (argc != 2) return fprintf(stderr, "usage: replay FOLDER\n"), 2;
    const int n = scandir(argv[1], &list, NULL, by_name);
    for (int j = 0; j < n; j++) {
        if (list[j]->d_name[0] != '.') {
            if (replay(argv[1], list[j]->d_name))
                passed++;
            else
                failed++;
        }
        free(list[j]);
    }
    free(list);
    if (passed + failed == 0) failed++; /* an empty corpus is a mistake */
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
