/* test_animation_memory.c - an animated WebP where each call of libwebp's for memory fails in turn: the whole
 * file, or a sentence and the file of before; never another one. libwebp's decoder, which reads the file back, is
 * left out: it follows a NULL, and what it needs is known to be there before it is called (sl_host_has_room).
 */
#include "app/files/read_file.h"
#include "app/image/animation.h"
#include "failing_memory.h"
#include "test.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>
#include <webp/demux.h>

#define W 37
#define H 20

int WebPAnimDecoderGetNext(WebPAnimDecoder *decoder, uint8_t **rgba, int *ms)
{
    counted = false;
    void *found = dlsym(RTLD_NEXT, "WebPAnimDecoderGetNext");
    int (*next)(WebPAnimDecoder *, uint8_t **, int *);
    memcpy(&next, &found, sizeof next);
    int ok = next(decoder, rgba, ms);
    counted = true;
    return ok;
}

static char path[] = "/tmp/safelight-animation-memory.XXXXXX";

/* count pictures; asked: how often memory was asked for on the way. */
static bool write_file(int count, const char *text, SlError *err)
{
    uint8_t rgb[W * H * 3];
    asked = 0;
    SlAnimation *a = sl_animation_new("a.webp", W, H, err);
    for (int i = 0; a && i < count; i++) {
        for (int k = 0; k < W * H * 3; k++)
            rgb[k] = (uint8_t)((k * 7919 + i * 31 * (k % 5)) >> 2);
        sl_animation_add(a, rgb, 100);
    }
    bool ok = a && sl_animation_save(a, path, text, err);
    sl_animation_free(a);
    return ok;
}

static void test_count(int count)
{
    SlError err = {0};
    size_t bytes = 0, now = 0;
    int other = 0, silent = 0, failed = 0;
    bool made = write_file(count, "{\"a\":1}", &err);
    long calls = asked;
    uint8_t *good = sl_read_file(path, 1 << 24, &bytes, &err);
    sl_test(made && good, "%d pictures: %ld calls %s", count, calls, err.message);
    for (long i = 0; i < calls; i++) {
        err = (SlError){0};
        fails_at = i;
        bool ok = write_file(count, "{\"a\":1}", &err);
        fails_at = -1;
        uint8_t *file = sl_read_file(path, 1 << 24, &now, NULL);
        other += !file || now != bytes || memcmp(file, good, bytes) != 0;
        silent += !ok && !err.message[0];
        failed += !ok;
        free(file);
    }
    sl_test(other == 0 && silent == 0 && failed > 0,
            "%d of them failed, %d with another file, %d without a sentence", failed, other,
            silent);
    free(good);
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0)
        return 1;
    counted = true;
    test_count(1);
    test_count(3);
    unlink(path);
    return sl_test_done();
}
