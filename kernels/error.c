/* error.c - sentences: translated, filled in, put into an SlError.
 *
 * Easy to get wrong: the format is looked up before the thread's locale is changed, since the
 * lookup asks the locale for the language.
 */
#include "kernels/kernels.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static SlTranslate translator;

void sl_set_translate(SlTranslate translate)
{
    translator = translate;
}

SlTranslate sl_get_translate(void)
{
    return translator;
}

const char *sl_words(const char *english)
{
    /* an empty text is none: gettext gives its file's header for it */
    return translator && english && *english ? translator(english) : english;
}

/* Where a text of `room` bytes was cut, the last character may be a part of one. */
static void end_with_a_character(char *text, size_t room)
{
    size_t n = strlen(text), begin = n;
    if (n + 1 < room)
        return;
    while (begin > 0 && begin + 3 > n && ((unsigned char)text[begin - 1] & 0xc0) == 0x80)
        begin--;
    if (begin == 0)
        return;
    unsigned char lead = (unsigned char)text[begin - 1];
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (length > n - begin + 1)
        text[begin - 1] = 0;
}

void sl_sentence_v(char *to, size_t room, const char *format, va_list args)
{
    const char *shown = sl_words(format);
    if (room == 0)
        return;
    if (shown != format) {
        vsnprintf(to, room, shown, args);
    } else {
        /* sentences are English, and so are their numbers, whatever the window's language is */
        locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(c);
        vsnprintf(to, room, format, args);
        uselocale(before);
        freelocale(c);
    }
    end_with_a_character(to, room);
}

void sl_sentence(char *to, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sl_sentence_v(to, room, format, args);
    va_end(args);
}

bool sl_fail(SlError *err, SlCode code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        sl_sentence_v(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return false;
}

SlBytesText sl_bytes_text(uint64_t bytes)
{
    SlBytesText t;
    double mib = (double)bytes / (1 << 20);
    if (mib >= 1024)
        snprintf(t.text, sizeof t.text, "%.1f GiB", mib / 1024);
    else
        snprintf(t.text, sizeof t.text, "%.1f MiB", mib);
    return t;
}
