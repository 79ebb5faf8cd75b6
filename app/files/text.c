/* text.c - growing text, strict numbers, encodings (see text.h). */
#include "app/files/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers as in the C locale ---- */

/* newlocale cannot be undone at exit without a destructor; one object lives as long as the program.
 */
static locale_t c_locale(void)
{
    static locale_t locale;
    locale_t current = __atomic_load_n(&locale, __ATOMIC_ACQUIRE);
    if (current)
        return current;
    locale_t fresh = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!__atomic_compare_exchange_n(&locale, &current, fresh, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        freelocale(fresh);
        return current;
    }
    return fresh;
}

/* ---- a growing text ---- */

static bool reserve(SlText *text, size_t more)
{
    if (text->failed || more >= SIZE_MAX / 2 - text->length) {
        text->failed = true;
        return false;
    }
    size_t needed = text->length + more + 1;
    if (needed <= text->capacity)
        return true;
    size_t capacity = text->capacity * 2 > needed ? text->capacity * 2 : needed + 64;
    char *data = realloc(text->data, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void sl_text_append(SlText *text, const char *bytes, size_t length)
{
    if (!reserve(text, length))
        return;
    memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void sl_text_add(SlText *text, const char *string)
{
    sl_text_append(text, string, strlen(string));
}

void sl_text_addf(SlText *text, const char *format, ...)
{
    locale_t before = uselocale(c_locale());
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text->failed |= length < 0;
    if (!text->failed && reserve(text, (size_t)length)) {
        va_start(args, format);
        vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
        va_end(args);
        text->length += (size_t)length;
    }
    uselocale(before);
}

void sl_text_add_character(SlText *text, uint32_t c)
{
    static const uint8_t starts[] = {0, 0, 0xC0, 0xE0, 0xF0};
    char bytes[4];
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        c = 0xFFFD;
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3F));
    bytes[0] = (char)(starts[n] | c);
    sl_text_append(text, bytes, n);
}

void sl_text_add_html(SlText *text, const char *string)
{
    for (const char *c = string; *c; c++) {
        const char *written = *c == '&'    ? "&amp;"
                              : *c == '<'  ? "&lt;"
                              : *c == '>'  ? "&gt;"
                              : *c == '"'  ? "&quot;"
                              : *c == '\'' ? "&#39;"
                                           : NULL;
        if (written)
            sl_text_add(text, written);
        else if (((unsigned char)*c < 0x20 && !strchr("\t\n\r", *c)) || *c == 0x7F)
            sl_text_add_character(text, 0xFFFD);
        else
            sl_text_append(text, c, 1);
    }
}

void sl_text_add_base64(SlText *text, const void *data, size_t bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *in = data;
    sl_text_add(text, "");
    if (!reserve(text, (bytes + 2) / 3 * 4))
        return;
    for (size_t i = 0; i < bytes; i += 3) {
        size_t n = bytes - i < 3 ? bytes - i : 3;
        uint32_t bits = (uint32_t)in[i] << 16 | (n > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                        (n > 2 ? in[i + 2] : 0);
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        n > 1 ? digits[bits >> 6 & 63] : '=', n > 2 ? digits[bits & 63] : '='};
        sl_text_append(text, four, 4);
    }
}

void sl_text_free(SlText *text)
{
    free(text->data);
    *text = (SlText){0};
}

char *sl_text_take(SlText *text)
{
    sl_text_append(text, "", 0);
    if (text->failed) {
        sl_text_free(text);
        return NULL;
    }
    char *data = text->data;
    *text = (SlText){0};
    return data;
}

/* ---- numbers ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool sl_parse_u64(const char *string, uint64_t *value)
{
    uint64_t result = 0;
    if (!*string)
        return false;
    for (const char *p = string; *p; p++) {
        if (!is_digit(*p) || __builtin_mul_overflow(result, (uint64_t)10, &result) ||
            __builtin_add_overflow(result, (uint64_t)(*p - '0'), &result))
            return false;
    }
    *value = result;
    return true;
}

bool sl_parse_int(const char *string, int64_t min, int64_t max, int64_t *value)
{
    bool negative = *string == '-';
    uint64_t magnitude;
    if (!sl_parse_u64(string + negative, &magnitude) || magnitude > (uint64_t)INT64_MAX)
        return false;
    int64_t result = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    if (result < min || result > max)
        return false;
    *value = result;
    return true;
}

bool sl_parse_double(const char *string, double *value)
{
    /* strtod also knows blanks, hexadecimal, infinity and nan. */
    if (!*string || strspn(string, "0123456789.eE+-") != strlen(string) || *string == '+')
        return false;
    char *end;
    double result = strtod_l(string, &end, c_locale());
    if (*end || !isfinite(result))
        return false;
    *value = result;
    return true;
}

void sl_format_double(double value, char text[32])
{
    locale_t before = uselocale(c_locale());
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, 32, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    uselocale(before);
}

/* ---- encodings ---- */

char *sl_latin1_to_utf8(const char *bytes, size_t length)
{
    if (length > SIZE_MAX / 2 - 1)
        return NULL;
    char *text = malloc(length * 2 + 1);
    if (!text)
        return NULL;
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x80) {
            text[n++] = (char)(0xC0 | c >> 6);
            c = 0x80 | (c & 0x3F);
        }
        text[n++] = (char)c;
    }
    text[n] = '\0';
    return text;
}

bool sl_is_ascii(const char *string)
{
    for (; *string; string++)
        if ((unsigned char)*string >= 0x80)
            return false;
    return true;
}

char sl_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool sl_same_letters(const char *a, const char *b)
{
    while (*a && sl_lower(*a) == sl_lower(*b))
        a++, b++;
    return sl_lower(*a) == sl_lower(*b);
}

char *sl_copy_bytes(const char *bytes, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}
