/* test.h - the few lines that every C test program needs: TAP for Meson, and where the goldens are.
 *
 *     int main(void) { sl_test(1 + 1 == 2, "arithmetic"); return sl_test_done(); }
 *
 * Register with test(..., protocol: 'tap', env: test_env).
 */
#ifndef SL_TEST_H
#define SL_TEST_H

#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Tests run on large stacks. */
#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wframe-larger-than="
#endif

static int sl_test_count_, sl_test_failed_;

/* The locale of whoever runs the tests, as the window has it: numbers and texts must not follow it.
 * Meson's test setups "de" (decimal commas) and "tr" (i is no lower case of I) are there for this.
 */
__attribute__((constructor)) static void sl_test_set_locale_(void)
{
    setlocale(LC_ALL, "");
}

/* A text of several lines with `instead` for each line break: a line of another form is a fault to
 * who reads TAP. */
__attribute__((format(printf, 2, 0), unused)) static void sl_test_print_(const char *instead,
                                                                         const char *format,
                                                                         va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        abort();
    for (const char *c = text; *c; c++)
        if (*c == '\n')
            fputs(instead, stdout);
        else
            putchar(*c);
    putchar('\n');
    free(text);
}

/* One line of TAP; gives ok back, so that a caller can print more about a failure. */
__attribute__((format(printf, 2, 3), unused)) static bool sl_test(bool ok, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%sok %d - ", ok ? "" : "not ", ++sl_test_count_);
    sl_test_print_(" ", format, args);
    va_end(args);
    if (!ok)
        sl_test_failed_++;
    fflush(stdout);
    return ok;
}

/* A remark under a test. */
__attribute__((format(printf, 1, 2), unused)) static void sl_test_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("# ");
    sl_test_print_("\n# ", format, args);
    va_end(args);
}

__attribute__((unused)) static int sl_test_done(void)
{
    printf("1..%d\n", sl_test_count_);
    return sl_test_failed_ ? 1 : 0;
}

/* tests/<path> in the source tree; malloc'ed. */
__attribute__((unused)) static char *sl_test_path(const char *path)
{
    const char *root = getenv("SAFELIGHT_TESTS");
    char *full = NULL;
    if (asprintf(&full, "%s/%s", root ? root : "tests", path) < 0)
        abort();
    return full;
}

#endif
