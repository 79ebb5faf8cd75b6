/* png_text.h - the text chunks of a PNG, read by a bounded walker of our own.
 *
 * It walks from chunk to chunk, checks order, lengths and CRCs, and returns tEXt, zTXt and iTXt
 * (compressed or not) as UTF-8. It never looks into pixels, so a picture that is a decompression
 * bomb costs nothing, and it takes a file chunk by chunk, so a large one costs no memory. Easy to get wrong: iTXt has a compression flag, a method, a language and a
 * translated keyword before its text; tEXt and zTXt are Latin-1, though many programs put UTF-8
 * there.
 */
#ifndef SL_APP_PNG_TEXT_H
#define SL_APP_PNG_TEXT_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_PNG_TEXT_MAX_BYTES  ((size_t)1 << 20)  /* of one text, inflated */
#define SL_PNG_TEXT_MAX_TOTAL  ((size_t)16 << 20) /* of all of them */
#define SL_PNG_TEXT_MAX_COUNT  64
#define SL_PNG_TEXT_MAX_CHUNKS 1000000

typedef struct SlPngTextEntry {
    char keyword[80];
    char *text; /* UTF-8 */
} SlPngTextEntry;

typedef struct SlPngTexts {
    int width, height;
    int count;
    SlPngTextEntry entry[SL_PNG_TEXT_MAX_COUNT];
    int skipped;       /* text chunks that were damaged, too long or too many */
    char problem[200]; /* of the first skipped one, a sentence */
} SlPngTexts;

/* False and *err when the file is no PNG or its chunks are damaged. A text chunk that is bad in
 * itself is skipped and counted: the others are still good. Free in any case. */
bool sl_png_texts_read(const char *path, SlPngTexts *texts, SlError *err);
bool sl_png_texts_parse(const char *name, const uint8_t *data, size_t bytes, SlPngTexts *texts,
                        SlError *err);
void sl_png_texts_free(SlPngTexts *texts);
/* The first text under a keyword, or NULL. */
const char *sl_png_texts_find(const SlPngTexts *texts, const char *keyword);

#ifdef __cplusplus
}
#endif

#endif
