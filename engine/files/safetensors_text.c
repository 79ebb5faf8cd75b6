/* safetensors_text.c - see safetensors_text.h.
 *
 * Easy to get wrong: a character above U+FFFF is two escapes, and half of one is none; NUL is
 * allowed in a text, as an escape.
 */
#include "engine/files/safetensors_text.h"

#include <string.h>

#define MAX_DEPTH 64

bool sl_header_syntax(SlHeaderText *s, const char *expected)
{
    uint64_t at = 8 + (uint64_t)(s->p - s->st->header);
    if (s->p >= s->end)
        return sl_fail(s->err, SL_FORMAT, "%s: the header ends where %s was expected",
                       s->st->shown.text, sl_words(expected));
    return sl_fail(s->err, SL_FORMAT,
                   "%s: byte %llu of the header is \"%s\", expected %s: the file is damaged",
                   s->st->shown.text, (unsigned long long)at, sl_show_name((char[]){*s->p, 0}).text,
                   sl_words(expected));
}

void sl_header_skip_space(SlHeaderText *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
        s->p++;
}

bool sl_header_take(SlHeaderText *s, char c)
{
    sl_header_skip_space(s);
    if (s->p >= s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

bool sl_header_expect(SlHeaderText *s, char c)
{
    return sl_header_take(s, c) || sl_header_syntax(s, (char[]){'\'', c, '\'', 0});
}

static int hex_digits(const char *p, const char *end)
{
    int value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *put_utf8(char *to, int c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* A name ends at its NUL here; one within it is shown by the character for what cannot be shown. */
#define NUL_SHOWN 0xfffd

/* s->p stands behind "\u"; gives the character, pairs of surrogates joined. -1: not one. */
static int take_unicode(SlHeaderText *s)
{
    int c = hex_digits(s->p, s->end);
    if (c < 0 || (c >= 0xdc00 && c <= 0xdfff))
        return -1;
    s->p += 4;
    if (c < 0xd800 || c > 0xdbff)
        return c;
    int low =
        s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u' ? hex_digits(s->p + 2, s->end) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return -1;
    s->p += 6;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* One escape; s->p stands behind the backslash. Gives the end of what was written, NULL on error.
 */
static char *take_escape(SlHeaderText *s, char *to)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *letter = s->p < s->end && *s->p ? strchr(letters, *s->p) : NULL;
    if (letter) {
        s->p++;
        *to++ = values[letter - letters];
        return to;
    }
    if (s->p < s->end && *s->p == 'u') {
        s->p++;
        int c = take_unicode(s);
        return c >= 0 ? put_utf8(to, c ? c : NUL_SHOWN) : NULL;
    }
    return NULL;
}

char *sl_header_string(SlHeaderText *s, const char *what)
{
    if (!sl_header_take(s, '"')) {
        sl_header_syntax(s, what);
        return NULL;
    }
    char *start = s->p, *to = s->p;
    while (s->p < s->end && *s->p != '"') {
        if ((unsigned char)*s->p < 0x20)
            break;
        if (*s->p != '\\') {
            *to++ = *s->p++;
            continue;
        }
        s->p++;
        to = take_escape(s, to);
        if (!to) {
            sl_header_syntax(s, SL_WORDS("a valid escape in a name (no lone surrogate)"));
            return NULL;
        }
    }
    if (s->p >= s->end || *s->p != '"') {
        sl_header_syntax(s, SL_WORDS("the end of a name"));
        return NULL;
    }
    s->p++;
    *to = 0;
    return start;
}

bool sl_header_take_word(SlHeaderText *s, const char *word)
{
    size_t length = strlen(word);
    sl_header_skip_space(s);
    if ((size_t)(s->end - s->p) < length || memcmp(s->p, word, length) != 0)
        return false;
    s->p += length;
    return true;
}

/* A number as JSON has it, or what is made of its characters: it is not used. */
static bool skip_number(SlHeaderText *s)
{
    const char *start = s->p;
    while (s->p < s->end && *s->p && strchr("0123456789.eE+-", *s->p))
        s->p++;
    return s->p > start || sl_header_syntax(s, SL_WORDS("a value"));
}

static bool skip_value(SlHeaderText *s, int depth);

/* The rest of a list, or of an object. */
static bool skip_rest(SlHeaderText *s, bool object, int depth)
{
    char close = object ? '}' : ']';
    if (sl_header_take(s, close))
        return true;
    do {
        if (object &&
            (!sl_header_string(s, SL_WORDS("a member's name")) || !sl_header_expect(s, ':')))
            return false;
        if (!skip_value(s, depth))
            return false;
    } while (sl_header_take(s, ','));
    return sl_header_expect(s, close);
}

static bool skip_value(SlHeaderText *s, int depth)
{
    sl_header_skip_space(s);
    if (s->p < s->end && *s->p == '"')
        return sl_header_string(s, SL_WORDS("a text")) != NULL;
    if (sl_header_take_word(s, "null") || sl_header_take_word(s, "true") ||
        sl_header_take_word(s, "false"))
        return true;
    bool object = sl_header_take(s, '{');
    if (!object && !sl_header_take(s, '['))
        return skip_number(s);
    return depth < MAX_DEPTH ? skip_rest(s, object, depth + 1)
                             : sl_header_syntax(s, SL_WORDS("no more than 64 levels"));
}

bool sl_header_skip_value(SlHeaderText *s)
{
    return skip_value(s, 0);
}

bool sl_header_u64(SlHeaderText *s, uint64_t *out)
{
    sl_header_skip_space(s);
    const char *start = s->p;
    uint64_t value = 0;
    bool fits = true;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        fits = fits && !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_add_overflow(value, (uint64_t)(*s->p - '0'), &value);
        s->p++;
    }
    bool plain = s->p > start && (*start != '0' || s->p - start == 1) &&
                 (s->p >= s->end || !strchr(".eE+-", *s->p) || !*s->p);
    *out = value;
    return plain && fits;
}
