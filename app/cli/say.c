/* say.c - see say.h.
 *
 * Easy to get wrong: a full disk shows at the flush at the earliest, and on a network only when the
 * file is closed; a stream that failed once may close without an error.
 */
#include "app/cli/say.h"
#include "app/files/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_shown(FILE *file, const char *text, bool lines)
{
    char shown[5];
    for (size_t i = 0, length = strlen(text); i < length;) {
        if (lines && text[i] == '\n') {
            fputc(text[i++], file);
            continue;
        }
        i += sl_show_char(text + i, length - i, shown);
        fputs(shown, file);
    }
}

__attribute__((format(printf, 3, 0))) static void print_list(FILE *file, bool lines,
                                                             const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) >= 0)
        print_shown(file, text, lines);
    else
        fputs("(memory ran out)", file);
    free(text);
}

void sl_print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_list(stdout, true, format, args);
    va_end(args);
}

void sl_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sl_say_list(false, format, args);
    va_end(args);
}

void sl_say_list(bool lines, const char *format, va_list args)
{
    fputs("safelight: ", stderr);
    print_list(stderr, lines, format, args);
    fputc('\n', stderr);
}

int sl_say_end(int status)
{
    errno = 0;
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    int error = lost ? errno : 0;
    if (fclose(stdout) != 0 && !lost) {
        lost = true;
        error = errno;
    }
    if (!lost)
        return status;
    sl_say("standard output: what was printed was lost%s%s", error ? ": " : "",
           error ? strerror(error) : "");
    return status ? status : 1;
}
