/* SPDX-License-Identifier: MIT
 * program.c -- kith: finds the command, makes the context, runs it
 */
#include "base/closest.h"
#include "cli/command.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static kith *volatile interruptible; /* what ctrl-C cancels */

static void interrupt(int sig)
{
    static volatile sig_atomic_t asked;
    kith *k = interruptible;
    if (asked || k == NULL) _exit(128 + sig);
    asked = 1;
    kith_cancel(k);
}

/* How many words of argv make up the command's name ("data stats" is two); 0: it is not this one.
 */
static int names(const cli_command *command, int argc, char **argv)
{
    char name[64];
    int n = 0;
    snprintf(name, sizeof name, "%s", command->name);
    for (char *save = NULL, *word = strtok_r(name, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        if (n + 1 >= argc || strcmp(argv[n + 1], word) != 0) return 0;
        n++;
    }
    return n;
}

static cli_exit run(const cli_command *command, const cli_args *a)
{
    const int bar = !a->quiet && isatty(STDERR_FILENO);
    kith *k = NULL;
    const kith_err err = kith_new(&(kith_options){ .threads = (int)a->threads,
                                                   .seed = (uint64_t)a->seed,
                                                   .memory_bytes = (size_t)a->memory,
                                                   .progress = bar ? cli_progress : NULL,
                                                   .cancel_for_good = 1 },
                                  &k);
    if (err != KITH_OK) return cli_fail(err);
    interruptible = k;
    const cli_exit code = command->run(a, k);
    interruptible = NULL;
    cli_progress_clear();
    kith_free(k);
    if (fflush(stdout) != 0 || ferror(stdout))
        return cli_complain(CLI_FAILED, "standard output could not be written");
    return code;
}

static int is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* The help of every command whose name begins with this word and another; how many there are. */
static int help_of_group(const char *word)
{
    const size_t length = strlen(word);
    int n = 0;
    for (int c = 0; c < cli_n_commands; c++) {
        const char *name = cli_commands[c].name;
        if (strncmp(name, word, length) != 0 || name[length] != ' ') continue;
        if (n++ > 0) fputs("\n\n", stdout);
        cli_help_command(&cli_commands[c], stdout);
    }
    return n;
}

/* The second words of a command of two ("data" has stats, ...), into out; 0 when it is none. */
static int list_group(const char *word, char *out, size_t size)
{
    const size_t length = strlen(word);
    size_t used = 0;
    out[0] = '\0';
    for (int c = 0; c < cli_n_commands && used < size; c++) {
        const char *name = cli_commands[c].name;
        if (strncmp(name, word, length) != 0 || name[length] != ' ') continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "",
                                 name + length + 1);
    }
    return used > 0;
}

/* The command that words[0] and words[1] were meant to be. */
static cli_exit unknown(int n_words, char **words)
{
    char asked[128], group[128], hint[KI_HINT_SIZE];
    ki_closest closest = { .asked = asked };
    snprintf(asked, sizeof asked, "%s%s%s", words[0], n_words > 1 ? " " : "",
             n_words > 1 ? words[1] : "");
    if (n_words == 1 && list_group(words[0], group, sizeof group))
        return cli_complain(CLI_USAGE, "%s wants one of: %s", words[0], group);
    for (int c = 0; c < cli_n_commands; c++) ki_closest_try(&closest, cli_commands[c].name);
    closest.asked = words[0]; /* the second word may be anything */
    for (int c = 0; c < cli_n_commands; c++)
        if (strcmp(cli_commands[c].name, words[0]) != 0)
            ki_closest_try(&closest, cli_commands[c].name);
    return cli_complain(CLI_USAGE, "there is no command \"%s\"; `kith --help` lists them%s", asked,
                        ki_closest_hint(&closest, hint));
}

/* `kith help COMMAND`, where argv[0] is "help". */
static cli_exit help(int argc, char **argv)
{
    if (argc == 1) return cli_help_all(stdout), CLI_DONE;
    for (int c = 0; c < cli_n_commands; c++) {
        if (names(&cli_commands[c], argc, argv) != argc - 1) continue;
        return cli_help_command(&cli_commands[c], stdout), CLI_DONE;
    }
    if (argc == 2 && help_of_group(argv[1]) > 0) return CLI_DONE;
    return unknown(argc - 1, argv + 1);
}

static cli_exit no_such_command(int argc, char **argv)
{
    const char *first = argv[1];
    if (strcmp(first, "--version") == 0) return printf("kith %s\n", kith_version()), CLI_DONE;
    if (is_help(first)) return help(argc - 1, argv + 1);
    if (argc == 3 && is_help(argv[2]) && help_of_group(first) > 0) return CLI_DONE;
    return unknown(argc - 1, argv + 1);
}

/* OpenBLAS has them; with another BLAS they are NULL. */
extern void openblas_set_num_threads(int n) __attribute__((weak));
extern int blas_thread_shutdown_(void) __attribute__((weak));

/* When it is loaded OpenBLAS starts a thread for each processor, and they look for work for some 25 ms.  kith has threads
 * of its own, which would have to share the processors with them: most of a short training.  A library may not end
 * what its host may use; a program may. */
static void end_threads_of_blas(void)
{
    if (openblas_set_num_threads == NULL || blas_thread_shutdown_ == NULL) return;
    openblas_set_num_threads(1);
    blas_thread_shutdown_();
}

int main(int argc, char **argv)
{
    end_threads_of_blas();
    setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of titles; numbers keep the C locale */
    signal(SIGPIPE, SIG_DFL);
    sigaction(SIGINT, &(struct sigaction){ .sa_handler = interrupt }, NULL);
    sigaction(SIGTERM, &(struct sigaction){ .sa_handler = interrupt }, NULL);
    if (argc < 2) return cli_help_all(stderr), CLI_USAGE;
    for (int c = 0; c < cli_n_commands; c++) {
        const int n = names(&cli_commands[c], argc, argv);
        cli_args a;
        if (n == 0) continue;
        const cli_exit code = cli_parse(&cli_commands[c], argc - n, argv + n, &a);
        if (code != CLI_DONE) return code;
        if (a.help) return cli_help_command(&cli_commands[c], stdout), CLI_DONE;
        return run(&cli_commands[c], &a);
    }
    return no_such_command(argc, argv);
}
