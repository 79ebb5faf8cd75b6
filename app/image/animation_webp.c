/* animation_webp.c - animated WebP, lossless; see animation.h. The frames are encoded one by one as they come; what is kept is
 * compressed.
 *
 * Easy to get wrong: the encoder's last frame needs a time behind it, or it is shown for none; and
 * WebPAnimEncoder takes timestamps, not durations.
 */
#include "app/files/files.h"
#include "app/image/animation_private.h"
#include "app/image/film.h"
#include "app/image/webp.h"

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
    int at; /* ms */
} Webp;

/* libwebpmux does not check all that it allocates, so what it may want is known to be there first:
 * three canvases, and for a picture the encoder's tables. */
static bool has_room(const Webp *a, size_t bytes_per_pixel)
{
    size_t pixels = (size_t)a->width * (size_t)a->height;
    return sl_host_has_room(pixels * bytes_per_pixel + ((size_t)2 << 20));
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
        if (has_room(a, 3 * 4))
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
    picture.use_argb = 1;
    picture.width = a->width;
    picture.height = a->height;
    if (!has_room(a, 40) || !WebPPictureImportRGB(&picture, rgb, a->width * 3))
        strcpy(problem, "memory ran out");
    else if (!WebPAnimEncoderAdd(a->encoder, &picture, a->at, &a->config))
        snprintf(problem, 100, "%s", WebPAnimEncoderGetError(a->encoder));
    WebPPictureFree(&picture);
    a->at += ms;
}

/* The file with the text inside. */
static bool add_text(WebPData *file, const char *text, SlError *err)
{
    const WebPData chunk = {(const uint8_t *)text, strlen(text)};
    WebPMux *mux = WebPMuxCreate(file, 1);
    WebPData with = {0};
    bool ok = mux && WebPMuxSetChunk(mux, SL_WEBP_TEXT_CHUNK, &chunk, 1) == WEBP_MUX_OK &&
              WebPMuxAssemble(mux, &with) == WEBP_MUX_OK;
    WebPMuxDelete(mux);
    if (!ok)
        return sl_fail(err, SL_MEMORY, "memory ran out for an animation");
    WebPDataClear(file);
    *file = with;
    return true;
}

/* The text is found again. */
static bool read_back(void *arg, const char *written, SlError *err)
{
    const char *text = arg;
    SlWebp webp;
    bool ok = sl_webp_read(written, &webp, err);
    if (ok && text && !(webp.text && strcmp(webp.text, text) == 0))
        ok = sl_fail(err, SL_FORMAT, "its text is not there");
    sl_webp_free(&webp);
    return ok;
}

static bool write_checked(const char *path, const WebPData *data, const char *text, SlError *err)
{
    SlAtomicFile *file = sl_atomic_open(path, err);
    if (!file)
        return false;
    sl_atomic_write(file, data->bytes, data->size);
    return sl_atomic_commit_checked(file, read_back, (void *)(uintptr_t)text, err);
}

static bool save(void *maker, const char *path, const char *text, SlError *err)
{
    Webp *a = maker;
    WebPData file = {0};
    if (!has_room(a, 40))
        return sl_fail(err, SL_MEMORY, "%s: memory ran out for the animation", path);
    bool ok = WebPAnimEncoderAdd(a->encoder, NULL, a->at, NULL) &&
              WebPAnimEncoderAssemble(a->encoder, &file);
    if (!ok)
        sl_fail(err, SL_MEMORY, "%s: the animation could not be made: %s", path,
                WebPAnimEncoderGetError(a->encoder));
    ok = ok && (!text || add_text(&file, text, err)) && write_checked(path, &file, text, err);
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
    uint8_t *rgb = malloc(pixels * 3);
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
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&file, NULL);
    SlFilm film = {0};
    bool ok = decoder && hash_pictures(decoder, &film);
    WebPAnimDecoderDelete(decoder);
    free(data);
    memcpy(pixels, film.pixels, sizeof film.pixels);
    return ok || sl_fail(err, SL_FORMAT, "%s: its pictures cannot be decoded", path);
}
