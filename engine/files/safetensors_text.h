/* safetensors_text.h - the words of a safetensors header: JSON, taken from left to right.
 *
 * It works in place: names are unescaped where they stand in the header's buffer.
 */
#ifndef SL_ENGINE_SAFETENSORS_TEXT_H
#define SL_ENGINE_SAFETENSORS_TEXT_H

#include "engine/files/safetensors_private.h"

typedef struct SlHeaderText {
    SlSafetensors *st;
    char *p, *end;
    SlError *err;
} SlHeaderText;

/* A mistake in the text itself, with its place: false and *s->err. */
bool sl_header_syntax(SlHeaderText *s, const char *expected);
void sl_header_skip_space(SlHeaderText *s);
/* Takes c after spaces; false without a complaint when something else stands there. */
bool sl_header_take(SlHeaderText *s, char c);
/* The same, with a complaint. */
bool sl_header_expect(SlHeaderText *s, char c);
/* A string, unescaped in place and ended with 0; NULL and *s->err on error. `what` is for
 * messages. */
char *sl_header_string(SlHeaderText *s, const char *what);
/* Takes a word (null, true) after spaces; false without a complaint when it is not there. */
bool sl_header_take_word(SlHeaderText *s, const char *word);
/* Any value, which is not used; false and *s->err where there is none. */
bool sl_header_skip_value(SlHeaderText *s);
/* A whole number without sign, fraction or exponent, at most 2^64 - 1; false, without a complaint,
 * when there is none. */
bool sl_header_u64(SlHeaderText *s, uint64_t *out);

#endif
