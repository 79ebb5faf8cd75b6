/* test_animation.c - what an animated WebP of ours holds, read back by libwebp's own decoder. */
#include "app/files/read_file.h"
#include "app/image/animation.h"
#include "app/image/png.h"
#include "app/image/webp.h"
#include "test.h"

#include <string.h>
#include <unistd.h>
#include <webp/demux.h>

#define W 37
#define H 20

static char path[] = "/tmp/safelight-animation.XXXXXX";

static void draw(uint8_t *rgb, int frame)
{
    for (int i = 0; i < W * H * 3; i++)
        rgb[i] = (uint8_t)((i * 7919 + frame * 31 * (i % 5)) >> 2);
}

static bool write_frames(const char *text, SlError *err)
{
    uint8_t rgb[W * H * 3];
    SlAnimation *a = sl_animation_new("a.webp", W, H, err);
    for (int i = 0; a && i < 4; i++) {
        draw(rgb, i);
        sl_animation_add(a, rgb, i == 3 ? 1500 : 100);
    }
    bool ok = a && sl_animation_save(a, path, text, err);
    sl_animation_free(a);
    return ok;
}

static void test_pixels(const uint8_t *file, size_t bytes)
{
    WebPData data = {file, bytes};
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, NULL);
    WebPAnimInfo info = {0};
    uint8_t rgb[W * H * 3], *rgba;
    int count = 0, wrong = 0, time = 0;
    if (decoder)
        WebPAnimDecoderGetInfo(decoder, &info);
    while (decoder && info.canvas_width == W && info.canvas_height == H &&
           WebPAnimDecoderGetNext(decoder, &rgba, &time)) {
        draw(rgb, count++);
        for (int i = 0; i < W * H; i++)
            wrong += memcmp(rgb + 3 * i, rgba + 4 * i, 3) != 0;
    }
    sl_test(count == 4 && wrong == 0, "four pictures, every pixel as it was given (%d, %d wrong)",
            count, wrong);
    sl_test(time == 1800, "shown as long as said (%d ms)", time);
    WebPAnimDecoderDelete(decoder);
}

static void test_file(void)
{
    SlError err = {0};
    size_t bytes = 0, again = 0;
    sl_test(write_frames("{\"a\":\"\xC3\xA9\"}", &err), "written %s", err.message);
    uint8_t *file = sl_read_file(path, 1 << 24, &bytes, &err);
    if (!sl_test(file != NULL, "read"))
        return;
    test_pixels(file, bytes);
    char *text = sl_webp_text(path, &err);
    sl_test(text && strcmp(text, "{\"a\":\"\xC3\xA9\"}") == 0, "its text comes back");
    free(text);
    write_frames("{\"a\":\"\xC3\xA9\"}", &err);
    uint8_t *other = sl_read_file(path, 1 << 24, &again, &err);
    sl_test(other && again == bytes && memcmp(file, other, bytes) == 0, "the same bytes again");
    free(other);
    for (size_t cut = 0; cut < bytes; cut += bytes / 23 + 1) {
        FILE *f = fopen(path, "wb");
        bool cut_down = f && fwrite(file, 1, cut, f) == cut && fclose(f) == 0;
        text = sl_webp_text(path, &err);
        sl_test(cut_down && !text && strstr(err.message, path), "cut to %zu bytes: %s", cut,
                err.message);
        free(text);
    }
    free(file);
}

static void test_refusals(void)
{
    SlError err = {0};
    SlAnimation *none = sl_animation_new("a.webp", 20000, 10, &err);
    sl_test(!none && strstr(err.message, "20000"), "too wide: %s", err.message);
    SlAnimation *empty = sl_animation_new("a.webp", 10, 10, &err);
    sl_test(empty && !sl_animation_save(empty, path, NULL, &err) && err.message[0],
            "without a picture: %s", err.message);
    sl_animation_free(empty);
    bool made = write_frames(NULL, &err);
    char *text = sl_webp_text(path, &err);
    sl_test(made && !text && strstr(err.message, "not made by Safelight"), "without a text: %s",
            err.message);
    free(text);
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0)
        return 1;
    test_file();
    test_refusals();
    unlink(path);
    return sl_test_done();
}
