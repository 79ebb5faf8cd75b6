/* program.h - $SAFELIGHT_PROGRAM run as a script runs it: what it writes, prints and returns. For
 * one test program each, which includes it once and calls program_begin first.
 */
#ifndef SL_TESTS_PROGRAM_H
#define SL_TESTS_PROGRAM_H

#include "app/files/atomic_file.h"
#include "app/files/read_file.h"
#include "app/image/png.h"
#include "test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNUSED __attribute__((unused)) static

static char folder[] = "/tmp/safelight cli.XXXXXX"; /* with a blank */

UNUSED const char *file(const char *name)
{
    static char paths[8][4096];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* ---- running it ---- */

typedef struct Run {
    int status;
    char *out, *err;
} Run;

UNUSED char *slurp(const char *path)
{
    size_t bytes;
    SlError err;
    char *text = (char *)sl_read_file(path, 1 << 24, &bytes, &err);
    return text ? text : strdup("");
}

UNUSED pid_t start(const char *const *words)
{
    const char *argv[40] = {getenv("SAFELIGHT_PROGRAM")};
    int argc = 1;
    while (*words && argc < 39)
        argv[argc++] = *words++;
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen(file("out"), "w", stdout) || !freopen(file("err"), "w", stderr))
            _exit(99);
        execv(argv[0], (char **)(uintptr_t)argv);
        _exit(98);
    }
    return pid;
}

UNUSED Run finish(pid_t pid)
{
    Run run = {.status = -1};
    int status;
    if (pid > 0 && waitpid(pid, &status, 0) == pid)
        run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    run.out = slurp(file("out"));
    run.err = slurp(file("err"));
    return run;
}

UNUSED void done(Run *run)
{
    free(run->out);
    free(run->err);
}

#define RUN(...) finish(start((const char *const[]){__VA_ARGS__, NULL}))

/* Checks the exit status and a word on standard error ("" for none at all). */
UNUSED void expect(Run run, int status, const char *word, const char *what)
{
    bool said = *word ? strstr(run.err, word) != NULL : run.err[0] == '\0';
    if (!sl_test(run.status == status && said, "%s", what))
        sl_test_note("status %d, expected %d: %.300s %.200s", run.status, status, run.err, run.out);
    done(&run);
}

UNUSED bool same_bytes(const char *a, const char *b)
{
    size_t n = 0, m = 0;
    SlError err;
    uint8_t *x = sl_read_file(a, 1 << 24, &n, &err), *y = sl_read_file(b, 1 << 24, &m, &err);
    bool same = x && y && n == m && memcmp(x, y, n) == 0;
    free(x);
    free(y);
    return same;
}

UNUSED bool program_begin(void)
{
    return getenv("SAFELIGHT_PROGRAM") && mkdtemp(folder);
}

UNUSED int program_end(void)
{
    char command[4200];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        sl_test_note("%s is left behind", folder);
    return sl_test_done();
}

#endif
