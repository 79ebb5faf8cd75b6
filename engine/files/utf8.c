/* utf8.c - see utf8.h. */
#include "engine/files/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool continues(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

size_t sl_utf8_char(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    if (length == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2)
        return 0;
    if (s[0] < 0xe0)
        return length >= 2 && continues(s[1]) ? 2 : 0;
    if (length < 3 || !continues(s[1]) || !continues(s[2]))
        return 0;
    if (s[0] < 0xf0) {
        bool too_long = s[0] == 0xe0 && s[1] < 0xa0;
        bool surrogate = s[0] == 0xed && s[1] > 0x9f;
        return too_long || surrogate ? 0 : 3;
    }
    bool too_long = s[0] == 0xf0 && s[1] < 0x90;
    bool too_large = s[0] > 0xf4 || (s[0] == 0xf4 && s[1] > 0x8f);
    return length >= 4 && continues(s[3]) && !too_long && !too_large ? 4 : 0;
}

bool sl_utf8_valid(const char *s, size_t length)
{
    size_t i = 0;
    while (i < length) {
        uint64_t eight;
        if (length - i >= 8) { /* headers are nearly always ASCII */
            memcpy(&eight, s + i, 8);
            if (!(eight & 0x8080808080808080u)) {
                i += 8;
                continue;
            }
        }
        size_t n = sl_utf8_char(s + i, length - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

/* U+200E, U+200F, U+2028 .. U+202E, U+2066 .. U+2069, and the C1 controls. */
static bool changes_layout(const unsigned char *s, size_t n)
{
    if (n == 2)
        return s[0] == 0xc2 && s[1] < 0xa0;
    if (n != 3 || s[0] != 0xe2)
        return false;
    return (s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae))) ||
           (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

size_t sl_show_char(const char *s, size_t length, char out[5])
{
    const unsigned char *c = (const unsigned char *)s;
    size_t n = sl_utf8_char(s, length);
    if (n == 0 || c[0] < 0x20 || c[0] == 0x7f || changes_layout(c, n)) {
        snprintf(out, 5, "\\x%02X", c[0]);
        return 1;
    }
    memcpy(out, c, n);
    out[n] = 0;
    return n;
}

/* Appends s[0 .. length) to out, which has room for four times as much. */
static void escape(char *out, const char *s, size_t length)
{
    for (size_t i = 0; i < length; out += strlen(out))
        i += sl_show_char(s + i, length - i, out);
    *out = 0;
}

static SlShown show(const char *text, bool keep_end)
{
    enum { KEEP = 240 };
    char escaped[4 * 1024 + 1];
    SlShown shown;
    size_t length = strlen(text);
    size_t part = length < 1024 ? length : 1024;
    escape(escaped, keep_end ? text + length - part : text, part);
    size_t n = strlen(escaped);
    if (n <= KEEP && part == length) {
        memcpy(shown.text, escaped, n + 1);
    } else if (keep_end) {
        const char *start = escaped + (n > KEEP ? n - KEEP : 0);
        while (continues((unsigned char)*start))
            start++;
        snprintf(shown.text, sizeof shown.text, "...%.*s", KEEP, start);
    } else {
        n = n > KEEP ? KEEP : n;
        while (n > 0 && continues((unsigned char)escaped[n]))
            n--;
        snprintf(shown.text, sizeof shown.text, "%.*s...", (int)n, escaped);
    }
    return shown;
}

SlShown sl_show_name(const char *name)
{
    return show(name, false);
}

SlShown sl_show_path(const char *path)
{
    return show(path, true);
}
