/* say.c - see say.h.
 *
 * Easy to get wrong: a full disk shows at the flush at the earliest, and on a network only when the
 * file is closed; a stream that failed once may close without an error.
 */
#include "app/cli/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is to be written, so that a sentence goes out in one piece also where the stream has no
 * buffer. */
typedef struct Line {
    FILE *file;
    size_t used;
    char bytes[4096];
} Line;

static void flush_line(Line *line)
{
    fwrite(line->bytes, 1, line->used, line->file);
    line->used = 0;
}

static void add(Line *line, const char *text)
{
    size_t length = strlen(text);
    if (length > sizeof line->bytes - line->used)
        flush_line(line);
    memcpy(line->bytes + line->used, text, length);
    line->used += length;
}

static void add_shown(Line *line, const char *text, bool lines)
{
    char shown[5];
    for (size_t i = 0, length = strlen(text); i < length; add(line, shown))
        if (lines && text[i] == '\n')
            i += (size_t)snprintf(shown, sizeof shown, "\n");
        else
            i += sl_show_char(text + i, length - i, shown);
}

/* A sentence needs no memory: it may be that there is none. */
__attribute__((format(printf, 3, 0))) static void add_list(Line *line, bool lines,
                                                           const char *format, va_list args)
{
    char sentence[1100], *text = NULL;
    va_list again;
    va_copy(again, args);
    if (vsnprintf(sentence, sizeof sentence, format, args) >= (int)sizeof sentence &&
        vasprintf(&text, format, again) < 0)
        text = NULL;
    va_end(again);
    add_shown(line, text ? text : sentence, lines);
    free(text);
}

void sl_print(const char *format, ...)
{
    Line line = {.file = stdout};
    va_list args;
    va_start(args, format);
    add_list(&line, true, format, args);
    va_end(args);
    flush_line(&line);
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
    Line line = {.file = stderr};
    add(&line, "safelight: ");
    add_list(&line, lines, format, args);
    add(&line, "\n");
    flush_line(&line);
}

static bool failed;

void sl_print_failed(void)
{
    failed = true;
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
    if (!lost && failed && status == 0) {
        sl_say("memory ran out for what is printed");
        return 1;
    }
    if (!lost)
        return status;
    sl_say("standard output: what was printed was lost%s%s", error ? ": " : "",
           error ? strerror(error) : "");
    return status ? status : 1;
}
