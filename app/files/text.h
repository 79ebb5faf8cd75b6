/* text.h - the small string tools of the command line and the metadata: a growing buffer, strict
 * numbers, other encodings (UTF-8 itself is checked by engine/utf8.h).
 *
 * Numbers are read and written as in the C locale whatever setlocale was told: the window calls it,
 * and a decimal comma in a PNG would make the file unreadable elsewhere.
 */
#ifndef SL_APP_TEXT_H
#define SL_APP_TEXT_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a growing text ---- */

/* Starts as {0}. data is NUL-terminated once anything was added and is the owner's to free. After
 * memory ran out `failed` is set and additions do nothing: look once, at the end. */
typedef struct SlText {
    char *data;
    size_t length, capacity;
    bool failed;
} SlText;

void sl_text_append(SlText *text, const char *bytes, size_t length);
void sl_text_add(SlText *text, const char *string);
void sl_text_addf(SlText *text, const char *format, ...) SL_PRINTF(2, 3);
/* A character as UTF-8; what is none (half a pair, beyond U+10FFFF) becomes U+FFFD. */
void sl_text_add_character(SlText *text, uint32_t code);
/* As text of HTML and in its attributes: & < > " ' are written out, and controls that no document may
 * have are U+FFFD. */
void sl_text_add_html(SlText *text, const char *string);
void sl_text_add_base64(SlText *text, const void *data, size_t bytes);
void sl_text_free(SlText *text);
/* Hands data over (never NULL unless memory ran out) and leaves the text empty. */
char *sl_text_take(SlText *text);

/* ---- numbers ---- */

/* The whole string must be the number: no blanks, no '+', no "0x", no "nan" or "inf". False when it
 * is not, or when it is out of range. */
bool sl_parse_int(const char *string, int64_t min, int64_t max, int64_t *value);
bool sl_parse_u64(const char *string, uint64_t *value);
bool sl_parse_double(const char *string, double *value);
/* The shortest decimal form that reads back as the same double: "7.5", "1e-05". */
void sl_format_double(double value, char text[32]);

/* ---- encodings ---- */

/* malloc'ed UTF-8 of a Latin-1 text; NULL when memory ran out. */
char *sl_latin1_to_utf8(const char *bytes, size_t length);
bool sl_is_ascii(const char *string);
/* Lower case of A to Z alone, in every language: in a Turkish window tolower('I') is no 'i', and
 * strcasecmp finds ".SAFELIGHT" another suffix than ".safelight". */
char sl_lower(char c);
bool sl_same_letters(const char *a, const char *b); /* but for case, as above */
/* strdup of length bytes; NULL when memory ran out. */
char *sl_copy_bytes(const char *bytes, size_t length);

#ifdef __cplusplus
}
#endif

#endif
