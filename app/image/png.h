/* png.h - PNG pictures through libpng: 8-bit RGB out with text chunks, pixels in.
 *
 * The bytes depend on the pixels and texts only (fixed filter and zlib level, no time chunk). The
 * reader accepts what any PNG holds and gives 8-bit RGB; it never looks at text: that is
 * png_text.h's bounded walker, which in turn never inflates pixels. libpng's simplified interface
 * and its quantiser are not used: that is where its recent holes were.
 */
#ifndef SL_APP_PNG_H
#define SL_APP_PNG_H

#include "app/files/files.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_PNG_MAX_SIDE 16384

/* A text chunk to write: tEXt when the text is ASCII and international is false, else iTXt. */
typedef struct SlPngText {
    const char *keyword;
    const char *text; /* UTF-8 */
    bool international;
} SlPngText;

/* rgb is height rows of 3 width bytes. Atomic (see atomic_file.h); the texts are read back before
 * the file replaces anything. */
bool sl_png_write(const char *path, const uint8_t *rgb, int width, int height,
                  const SlPngText *texts, int count, SlError *err);

/* The same where nothing is at path; see sl_atomic_open_new. */
bool sl_png_write_new(const char *path, const uint8_t *rgb, int width, int height,
                      const SlPngText *texts, int count, SlError *err);

/* The same bytes without texts, appended to a buffer. */
bool sl_png_encode(SlText *out, const uint8_t *rgb, int width, int height, SlError *err);

/* malloc'ed RGB rows, or NULL and *err. Palettes are expanded, 16 bits cut to 8, gray spread,
 * alpha put on white. At most SL_PNG_MAX_SIDE pixels a side. */
uint8_t *sl_png_read(const char *path, int *width, int *height, SlError *err);
uint8_t *sl_png_decode(const char *name, const uint8_t *data, size_t bytes, int *width, int *height,
                       SlError *err);

/* The same row by row, from the top: what a large picture takes is a row. An interlaced one is read
 * whole first, and refused when it has more than SL_PNG_MAX_INTERLACED bytes of pixels. begin may
 * refuse with *err. */
#define SL_PNG_MAX_INTERLACED ((size_t)48 << 20)
typedef struct SlPngRows {
    bool (*begin)(void *arg, int width, int height, SlError *err);
    void (*row)(void *arg, const uint8_t *rgb);
    void *arg;
} SlPngRows;
bool sl_png_read_rows(const char *path, const SlPngRows *rows, SlError *err);
/* Made smaller on the way, to at most max_side a side; never larger. */
uint8_t *sl_png_read_small(const char *path, int max_side, int *width, int *height, SlError *err);

/* SHA-256 of the file's pixels as sl_png_read gives them. */
bool sl_png_hash(const char *path, char hex[65], SlError *err);

#ifdef __cplusplus
}
#endif

#endif
