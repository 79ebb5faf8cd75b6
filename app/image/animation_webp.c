/* animation_webp.c - animated WebP, lossless; see animation.h. The frames are encoded one by one as they come; what is kept is
 * compressed.
 *
 * Easy to get wrong: the encoder's last frame needs a time behind it, or it is shown for none; and
 * WebPAnimEncoder takes timestamps, not durations. libwebp does not say all that fails in it: where memory
 * runs out within WebPAnimEncoderAdd a picture can be nothing but its size, and WebPMuxCreate follows a NULL.
 * So a file is decoded before it takes its place, and the text is put into it here. The decoder follows a
 * NULL, too: before every call that may want much, what it may want is known to be there.
 */
#include "app/files/files.h"
#include "app/image/animation_private.h"
#include "app/image/film.h"
#include "app/image/webp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webp/demux.h>
#include <webp/encode.h>
#include <webp/mux.h>

/* Of 0 to 9. 6 takes twice the time of 1 for a file of 5 sixths. */
#define EFFORT   1
#define MAX_FILE ((size_t)1 << 30)

typedef struct Webp {
    int width, height;
    WebPAnimEncoder *encoder;
    WebPConfig config;
    int at;      /* ms */
    SlFilm film; /* of what was added */
} Webp;

/* Of the encoder three canvases, and for a picture its tables; of the decoder canvases and its tables. */
static bool has_room(size_t width, size_t height, size_t bytes_per_pixel)
{
    return sl_host_has_room(width * height * bytes_per_pixel + ((size_t)2 << 20));
}

static bool encoder_has_room(const Webp *a, size_t bytes_per_pixel)
{
    return has_room((size_t)a->width, (size_t)a->height, bytes_per_pixel);
}

static void *begin(SlAnimationFormat format, int width, int height, SlError *err)
{
    Webp *a = calloc(1, sizeof *a);
    WebPAnimEncoderOptions options;
    bool ok = a && WebPAnimEncoderOptionsInit(&options) && WebPConfigInit(&a->config) &&
              WebPConfigLosslessPreset(&a->config, EFFORT);
    if (ok) {
        a->width = width;
        a->height = height;
        if (encoder_has_room(a, 3 * 4))
            a->encoder = WebPAnimEncoderNew(width, height, &options);
    }
    if (!ok || !a->encoder) {
        free(a);
        sl_fail(err, SL_MEMORY, "memory ran out for an animation of %d x %d", width, height);
        return NULL;
    }
    return a;
}

static void add(void *maker, const uint8_t *rgb, int ms, char *problem)
{
    Webp *a = maker;
    WebPPicture picture;
    if (!WebPPictureInit(&picture)) {
        strcpy(problem, "another version of libwebp");
        return;
    }
    errno = 0; /* libwebp has other words for memory that ran out, and at some places none */
    picture.use_argb = 1;
    picture.width = a->width;
    picture.height = a->height;
    if (!encoder_has_room(a, 40) || !WebPPictureImportRGB(&picture, rgb, a->width * 3))
        strcpy(problem, "memory ran out");
    else if (!WebPAnimEncoderAdd(a->encoder, &picture, a->at, &a->config) || errno == ENOMEM)
        snprintf(problem, 100, "%s",
                 errno == ENOMEM ? "memory ran out" : WebPAnimEncoderGetError(a->encoder));
    WebPPictureFree(&picture);
    sl_film_add(&a->film, rgb, (size_t)a->width * (size_t)a->height * 3);
    a->at += ms;
}

/* ---- the file with its text ---- */

#define HEAD_BYTES 12 /* "RIFF", bytes, "WEBP" */
#define VP8X_BYTES 18 /* chunk: "VP8X", 10, flags, width - 1, height - 1 */

static uint8_t *put_number(uint8_t *to, uint32_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *to++ = (uint8_t)(number >> 8 * i);
    return to;
}

/* What begins a file with chunks of any kind; a single picture comes without. */
static uint8_t *put_vp8x(uint8_t *to, const Webp *a)
{
    memcpy(to, "VP8X", 4);
    to = put_number(put_number(to + 4, 10, 4), 0, 4);
    return put_number(put_number(to, (uint32_t)a->width - 1, 3), (uint32_t)a->height - 1, 3);
}

/* Its text a chunk behind the others, as WebPMux leaves it; malloc'ed, NULL without memory. */
static uint8_t *with_text(const Webp *a, const WebPData *file, const char *text, size_t *bytes)
{
    size_t length = strlen(text), rest = file->size - HEAD_BYTES;
    bool plain = memcmp(file->bytes + HEAD_BYTES, "VP8X", 4) != 0;
    *bytes = file->size + (plain ? VP8X_BYTES : 0) + 8 + length + length % 2;
    uint8_t *whole = *bytes <= UINT32_MAX ? malloc(*bytes) : NULL, *to = whole;
    if (!whole)
        return NULL;
    memcpy(to, "RIFF", 4);
    to = put_number(to + 4, (uint32_t)(*bytes - 8), 4);
    memcpy(to, "WEBP", 4);
    to = plain ? put_vp8x(to + 4, a) : to + 4;
    memcpy(to, file->bytes + HEAD_BYTES, rest);
    memcpy(to + rest, SL_WEBP_TEXT_CHUNK, 4);
    to = put_number(to + rest + 4, (uint32_t)length, 4);
    memcpy(to, text, length);
    if (length % 2)
        to[length] = 0;
    return whole;
}

typedef struct Expected {
    const char *text; /* may be NULL */
    const SlFilm *film;
} Expected;

/* The text and the pictures are found again. */
static bool read_back(void *arg, const char *written, SlError *err)
{
    const Expected *e = arg;
    char pixels[65];
    SlWebp webp;
    bool ok = sl_webp_read(written, &webp, err);
    if (ok && e->text && !(webp.text && strcmp(webp.text, e->text) == 0))
        ok = sl_fail(err, SL_FORMAT, "its text is not there");
    sl_webp_free(&webp);
    if (!ok || !sl_animation_hash(written, pixels, err))
        return false;
    return strcmp(pixels, e->film->pixels) == 0 ||
           sl_fail(err, SL_FORMAT, "its pictures are not those that were put in");
}

static bool write_checked(const char *path, const uint8_t *bytes, size_t size, Expected e,
                          SlError *err)
{
    SlAtomicFile *file = sl_atomic_open(path, err);
    if (!file)
        return false;
    sl_atomic_write(file, bytes, size);
    return sl_atomic_commit_checked(file, read_back, &e, err);
}

static bool save(void *maker, const char *path, const char *text, SlError *err)
{
    Webp *a = maker;
    WebPData file = {0};
    uint8_t *whole = NULL;
    size_t bytes = 0;
    if (!encoder_has_room(a, 40))
        return sl_fail(err, SL_MEMORY, "%s: memory ran out for the animation", path);
    errno = 0;
    bool ok = WebPAnimEncoderAdd(a->encoder, NULL, a->at, NULL) &&
              WebPAnimEncoderAssemble(a->encoder, &file);
    if (errno == ENOMEM)
        ok = sl_fail(err, SL_MEMORY, "%s: memory ran out for the animation", path);
    else if (!ok)
        sl_fail(err, SL_MEMORY, "%s: the animation could not be made: %s", path,
                WebPAnimEncoderGetError(a->encoder));
    if (ok && text && !(whole = with_text(a, &file, text, &bytes)))
        ok = sl_fail(err, SL_MEMORY, "memory ran out for an animation");
    ok = ok && write_checked(path, whole ? whole : file.bytes, whole ? bytes : file.size,
                             (Expected){text, &a->film}, err);
    free(whole);
    WebPDataClear(&file);
    return ok;
}

static void end(void *maker)
{
    Webp *a = maker;
    WebPAnimEncoderDelete(a->encoder);
    free(a);
}

static const char *lacks(SlAnimationFormat format)
{
    return NULL;
}

const SlAnimationMaker sl_animation_webp = {begin, add, save, end, lacks};

/* ---- its pictures ---- */

static bool hash_pictures(WebPAnimDecoder *decoder, SlFilm *film)
{
    WebPAnimInfo info;
    uint8_t *rgba = NULL;
    int ms;
    if (!WebPAnimDecoderGetInfo(decoder, &info))
        return false;
    size_t pixels = (size_t)info.canvas_width * info.canvas_height;
    uint8_t *rgb = has_room(info.canvas_width, info.canvas_height, 40) ? malloc(pixels * 3) : NULL;
    bool ok = rgb != NULL;
    while (ok && WebPAnimDecoderHasMoreFrames(decoder)) {
        ok = WebPAnimDecoderGetNext(decoder, &rgba, &ms);
        for (size_t i = 0; ok && i < pixels; i++)
            memcpy(rgb + 3 * i, rgba + 4 * i, 3);
        if (ok)
            sl_film_add(film, rgb, pixels * 3);
    }
    free(rgb);
    return ok;
}

bool sl_animation_hash(const char *path, char pixels[65], SlError *err)
{
    size_t bytes = 0;
    uint8_t *data = sl_read_file(path, MAX_FILE, &bytes, err);
    if (!data)
        return false;
    const WebPData file = {data, bytes};
    errno = 0; /* libwebp does not say whether the file or memory was not good enough */
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&file, NULL);
    SlFilm film = {0};
    bool ok = decoder && hash_pictures(decoder, &film), memory = !ok && errno == ENOMEM;
    WebPAnimDecoderDelete(decoder);
    free(data);
    memcpy(pixels, film.pixels, sizeof film.pixels);
    if (memory)
        return sl_fail(err, SL_MEMORY, "%s: memory ran out for its pictures", path);
    return ok || sl_fail(err, SL_FORMAT, "%s: its pictures cannot be decoded", path);
}
