/* animation_read.c - see animation_read.h. */
#include "app/image/animation_read.h"
#include "app/files/files.h"
#include "app/image/webp.h"

#include <stdio.h>
#include <stdlib.h>
#include <webp/demux.h>

#define MAX_FILE ((size_t)1 << 30)

struct SlAnimationReader {
    uint8_t *data;
    WebPAnimDecoder *decoder;
    WebPAnimInfo info;
    int at; /* ms: the end of the picture before */
    char path[1024];
};

SlAnimationReader *sl_animation_open(const char *path, SlError *err)
{
    SlWebp webp;
    bool ok = sl_webp_read(path, &webp, err);
    size_t pixels = ok ? (size_t)webp.width * (size_t)webp.height : 0, bytes = 0;
    sl_webp_free(&webp);
    if (!ok)
        return NULL;
    SlAnimationReader *r = calloc(1, sizeof *r);
    if (!r || !sl_host_has_room(pixels * 12 + ((size_t)2 << 20))) {
        free(r);
        sl_fail(err, SL_MEMORY, "%s: memory ran out for its pictures", path);
        return NULL;
    }
    snprintf(r->path, sizeof r->path, "%s", path);
    r->data = sl_read_file(path, MAX_FILE, &bytes, err);
    if (r->data) {
        const WebPData file = {r->data, bytes};
        r->decoder = WebPAnimDecoderNew(&file, NULL);
        if (!r->decoder || !WebPAnimDecoderGetInfo(r->decoder, &r->info)) {
            sl_fail(err, SL_FORMAT, "%s: its pictures cannot be decoded", path);
        } else {
            return r;
        }
    }
    sl_animation_close(r);
    return NULL;
}

void sl_animation_size(const SlAnimationReader *r, int *width, int *height, int *pictures)
{
    *width = (int)r->info.canvas_width;
    *height = (int)r->info.canvas_height;
    *pictures = (int)r->info.frame_count;
}

bool sl_animation_next(SlAnimationReader *r, uint8_t *rgb, int *ms, SlError *err)
{
    size_t pixels = (size_t)r->info.canvas_width * r->info.canvas_height;
    uint8_t *rgba = NULL;
    int end;
    if (!WebPAnimDecoderHasMoreFrames(r->decoder)) {
        WebPAnimDecoderReset(r->decoder);
        r->at = 0;
    }
    if (!WebPAnimDecoderGetNext(r->decoder, &rgba, &end))
        return sl_fail(err, SL_FORMAT, "%s: its pictures cannot be decoded", r->path);
    for (size_t i = 0; i < pixels; i++) {
        /* on white, as a PNG's */
        unsigned a = rgba[4 * i + 3];
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = (uint8_t)((rgba[4 * i + c] * a + 255 * (255 - a) + 127) / 255);
    }
    if (ms)
        *ms = end > r->at ? end - r->at : 0;
    r->at = end;
    return true;
}

void sl_animation_close(SlAnimationReader *r)
{
    if (!r)
        return;
    WebPAnimDecoderDelete(r->decoder);
    free(r->data);
    free(r);
}
