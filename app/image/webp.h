/* webp.h - what a WebP file says besides its pixels (RIFF, WebP container specification): size,
 * pictures, time, our text in the chunk "SLMD", and where EXIF and XMP are.
 *
 * It walks from chunk to chunk and never looks into pixels, so a picture that is a decompression
 * bomb costs nothing, a large file no memory, and a build without libwebp can do it. It does not
 * prove that the pixels can be decoded.
 */
#ifndef SL_APP_WEBP_H
#define SL_APP_WEBP_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_WEBP_TEXT_CHUNK     "SLMD"
#define SL_WEBP_TEXT_MAX_BYTES ((size_t)4 << 20)

typedef struct SlWebp {
    int width, height; /* of the canvas */
    int pictures;      /* 1 when it is no animation */
    int64_t ms;        /* of all of them; 0 when it is no animation */
    char *text;        /* owned; NULL: not one of ours */
    /* The chunks EXIF and XMP, the first of each: where their data are; length 0: there is none. */
    uint64_t exif_at, xmp_at;
    uint32_t exif_length, xmp_length;
} SlWebp;

/* False and *err for what is no whole WebP file. Free in any case. */
bool sl_webp_read(const char *path, SlWebp *webp, SlError *err);
void sl_webp_free(SlWebp *webp);
/* Only its text, malloc'ed; NULL and *err, also where it is not one of ours. */
char *sl_webp_text(const char *path, SlError *err);
/* False and *err when its pictures have another size: to be asked before they are decoded, since a
 * small file can claim a canvas of gigabytes. */
bool sl_webp_check_size(const char *path, int width, int height, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
