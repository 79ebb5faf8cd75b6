/* test_webp.c - what is read of a WebP file without its pixels, of good ones and of hostile ones
 * made from them.
 */
#include "app/files/files.h"
#include "app/image/image.h"
#include "test.h"

#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/safelight-webp.XXXXXX";

typedef struct File {
    uint8_t *data;
    size_t bytes;
} File;

static File read_fixture(const char *name)
{
    char relative[128];
    File f = {0};
    SlError err = {0};
    snprintf(relative, sizeof relative, "fixtures/first-edition/%s", name);
    char *full = sl_test_path(relative);
    f.data = sl_read_file(full, 1 << 24, &f.bytes, &err);
    sl_test(f.data != NULL, "%s %s", name, err.message);
    free(full);
    return f;
}

static bool look(const void *data, size_t bytes, SlWebp *webp, SlError *err)
{
    FILE *f = fopen(path, "wb");
    bool written = f && fwrite(data, 1, bytes, f) == bytes;
    *err = (SlError){0};
    return f && fclose(f) == 0 && written && sl_webp_read(path, webp, err);
}

static void test_good(const char *name, int width, int height, int pictures, int ms)
{
    File f = read_fixture(name);
    SlError err;
    SlWebp w;
    bool ok = f.data && look(f.data, f.bytes, &w, &err);
    sl_test(ok && w.width == width && w.height == height && w.pictures == pictures && w.ms == ms &&
                w.text && w.text[0] == '{',
            "%s: %d x %d, %d pictures, %d ms", name, ok ? w.width : 0, ok ? w.height : 0,
            ok ? w.pictures : 0, ok ? (int)w.ms : 0);
    if (ok)
        sl_webp_free(&w);
    free(f.data);
}

/* Without VP8X: a lossless picture of 17 x 9, and a lossy one of 33 x 21. */
static void test_plain(void)
{
    static const uint8_t lossless[] = "RIFF\x12\0\0\0WEBPVP8L\5\0\0\0\x2f\x10\0\2\0";
    static const uint8_t lossy[] = "RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\1\x2a\x21\0\x15\0";
    SlError err;
    SlWebp w;
    bool ok = look(lossless, 26, &w, &err);
    sl_test(ok && w.width == 17 && w.height == 9 && w.pictures == 1 && !w.text,
            "lossless: %d x %d %s", w.width, w.height, err.message);
    sl_webp_free(&w);
    ok = look(lossy, 30, &w, &err);
    sl_test(ok && w.width == 33 && w.height == 21 && w.ms == 0, "lossy: %d x %d %s", w.width,
            w.height, err.message);
    sl_webp_free(&w);
}

static void test_damage(void)
{
    File f = read_fixture("film.webp");
    SlError err;
    SlWebp w;
    int refused = 0, tried = 0, named = 0;
    for (size_t cut = 0; f.data && cut < f.bytes; cut += f.bytes / 97 + 1, tried++) {
        bool ok = look(f.data, cut, &w, &err);
        refused += !ok;
        named += !ok && strstr(err.message, path);
        sl_webp_free(&w);
    }
    sl_test(tried > 50 && refused == tried && named == tried, "%d of %d cut ones are refused",
            refused, tried);
    /* any byte of the heads may be anything: a sentence or facts */
    for (size_t at = 0; f.data && at < f.bytes && at < 200; at++) {
        f.data[at] ^= 0xFF;
        look(f.data, f.bytes, &w, &err);
        sl_webp_free(&w);
        f.data[at] ^= 0xFF;
    }
    free(f.data);
}

/* A canvas of 16384 x 16384: its pictures would take gigabytes. */
static void test_bomb(void)
{
    File f = read_fixture("film.webp");
    SlError err = {0};
    SlWebp w;
    uint8_t *canvas = f.data ? memmem(f.data, f.bytes, "VP8X", 4) : NULL;
    if (!sl_test(canvas != NULL, "it has a canvas"))
        return;
    sl_test(look(f.data, f.bytes, &w, &err) && sl_webp_check_size(path, w.width, w.height, &err),
            "the good one has its size %s", err.message);
    sl_webp_free(&w);
    memcpy(canvas + 12, "\xFF\x3F\0\xFF\x3F\0", 6);
    bool facts = look(f.data, f.bytes, &w, &err);
    sl_test(facts && w.width == 16384 && w.height == 16384, "facts of a bomb: %d x %d", w.width,
            w.height);
    sl_webp_free(&w);
    bool fits = sl_webp_check_size(path, 32, 32, &err);
    sl_test(!fits && strstr(err.message, "16384 x 16384; expected 32 x 32"),
            "refused before it is decoded: %s", err.message);
    free(f.data);
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0)
        return 1;
    test_good("film.webp", 32, 32, 3, 2740);
    test_good("lanes.webp", 496, 594, 2, 2860);
    test_plain();
    test_damage();
    test_bomb();
    unlink(path);
    return sl_test_done();
}
