/* infotext.h - the `parameters` text that programs of this kind write into their pictures.
 *
 * The prompt, "Negative prompt: ...", and a last line of "Key: value" fields, in the grammar of
 * AUTOMATIC1111's infotext_utils.py, quirks included: the last line counts as fields only when it
 * holds at least three; a value with a comma, a line break or a colon is a JSON string; "512x768"
 * reads as two fields, Size-1 and Size-2. A prompt whose last line looks like fields, or with a
 * line that starts with "Negative prompt:", cannot survive it; the `safelight` chunk can (see
 * metadata.h).
 */
#ifndef SL_APP_INFOTEXT_H
#define SL_APP_INFOTEXT_H

#include "app/files/files.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlInfotextField {
    char *key, *value;
} SlInfotextField;

typedef struct SlInfotext {
    char *prompt, *negative_prompt; /* never NULL after a successful parse */
    int count;
    SlInfotextField *field; /* in the order of the text */
} SlInfotext;

/* Only running out of memory fails: any text is a prompt at least. Free in any case. */
bool sl_infotext_parse(const char *text, SlInfotext *info, SlError *err);
void sl_infotext_free(SlInfotext *info);
/* The last value under a key (a later field wins, as in Python), or NULL. */
const char *sl_infotext_get(const SlInfotext *info, const char *key);

/* Writing: start with prompts, add fields, finish. NULL values are left out. */
void sl_infotext_begin(SlText *out, const char *prompt, const char *negative_prompt);
void sl_infotext_add(SlText *out, const char *key, const char *value);
/* The text without blanks at its ends, malloc'ed; NULL without memory. */
char *sl_infotext_end(SlText *out);

#ifdef __cplusplus
}
#endif

#endif
