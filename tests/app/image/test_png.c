/* test_png.c - PNG out and in, and damaged and hostile ones: the text walker and the pixel reader
 * must say what is wrong, use little memory, and never crash.
 */
#include "app/files/files.h"
#include "app/image/png.h"
#include "app/image/png_text.h"
#include "engine/engine.h"
#include "test.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

/* ---- making PNGs by hand ---- */

typedef struct Bytes {
    SlText text; /* used as a byte buffer */
} Bytes;

static void add_u32(Bytes *b, uint32_t value)
{
    char bytes[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};
    sl_text_append(&b->text, bytes, 4);
}

static void add_chunk(Bytes *b, const char *type, const void *data, size_t length)
{
    add_u32(b, (uint32_t)length);
    size_t start = b->text.length;
    sl_text_append(&b->text, type, 4);
    if (length)
        sl_text_append(&b->text, data, length);
    add_u32(b, (uint32_t)crc32(0, (const Bytef *)b->text.data + start, (uInt)(length + 4)));
}

static void add_signature(Bytes *b)
{
    sl_text_append(&b->text, "\x89PNG\r\n\x1a\n", 8);
}

static void add_header(Bytes *b, uint32_t width, uint32_t height, const char *tail)
{
    Bytes h = {0};
    add_u32(&h, width);
    add_u32(&h, height);
    sl_text_append(&h.text, tail, 5);
    add_chunk(b, "IHDR", h.text.data, 13);
    sl_text_free(&h.text);
}

/* Rows of zeros, deflated. */
static void add_pixels(Bytes *b, size_t raw_bytes)
{
    uLongf size = compressBound((uLong)raw_bytes);
    Bytef *raw = calloc(1, raw_bytes), *packed = malloc(size);
    compress(packed, &size, raw, (uLong)raw_bytes);
    add_chunk(b, "IDAT", packed, size);
    free(raw);
    free(packed);
}

#define RGB8 "\x08\x02\0\0"

/* A 2 x 2 picture with one more chunk before its pixels; type NULL for none. */
static Bytes small_with(const char *type, const void *data, size_t length)
{
    Bytes b = {0};
    add_signature(&b);
    add_header(&b, 2, 2, RGB8);
    if (type)
        add_chunk(&b, type, data, length);
    add_pixels(&b, 14);
    add_chunk(&b, "IEND", NULL, 0);
    return b;
}

/* ---- the checks ---- */

static void check_walker(Bytes *b, bool good, int texts, int skipped, const char *what)
{
    SlPictureTexts t;
    SlError err = {0};
    /* an exact-size block, so that the sanitizer sees an over-read */
    uint8_t *data = malloc(b->text.length ? b->text.length : 1);
    if (b->text.length)
        memcpy(data, b->text.data, b->text.length);
    bool ok = sl_png_texts_parse("t.png", data, b->text.length, &t, &err);
    bool as_expected = ok == good && (!good || (t.count == texts && t.skipped == skipped)) &&
                       (good || strncmp(err.message, "t.png: ", 7) == 0);
    if (!sl_test(as_expected, "texts: %s", what) || !ok || skipped)
        sl_test_note("%s%s", ok ? "" : err.message, ok && t.skipped ? t.problem : "");
    sl_picture_texts_free(&t);
    free(data);
}

static void check_pixels(Bytes *b, bool good, const char *what)
{
    SlError err = {0};
    int width, height;
    uint8_t *data = malloc(b->text.length ? b->text.length : 1);
    if (b->text.length)
        memcpy(data, b->text.data, b->text.length);
    uint8_t *rgb = sl_png_decode("t.png", data, b->text.length, &width, &height, &err);
    if (!sl_test((rgb != NULL) == good, "pixels: %s", what) || !good)
        sl_test_note("%s", err.message);
    free(rgb);
    free(data);
}

static void both_refuse(Bytes b, const char *what)
{
    check_walker(&b, false, 0, 0, what);
    check_pixels(&b, false, what);
    sl_text_free(&b.text);
}

static void text_case(const char *type, const char *data, size_t length, int texts, int skipped,
                      const char *what)
{
    Bytes b = small_with(type, data, length);
    check_walker(&b, true, texts, skipped, what);
    sl_text_free(&b.text);
}

/* ---- cases ---- */

static void test_texts(void)
{
    char long_key[90];
    memset(long_key, 'k', sizeof long_key);
    long_key[79] = '\0';
    text_case("tEXt", "key\0value", 9, 1, 0, "tEXt");
    text_case("tEXt", "key\0", 4, 1, 0, "an empty text");
    text_case("tEXt", "key\0caf\xE9", 8, 1, 0, "Latin-1");
    text_case("tEXt", "key\0caf\xC3\xA9", 9, 1, 0, "UTF-8 where Latin-1 belongs");
    text_case("tEXt", "key", 3, 0, 1, "no NUL after the keyword");
    text_case("tEXt", "", 0, 0, 1, "nothing at all");
    text_case("tEXt", "\0value", 6, 0, 1, "an empty keyword");
    text_case("tEXt", " key\0value", 10, 0, 1, "a keyword that starts with a blank");
    text_case("tEXt", "k\ny\0value", 9, 0, 1, "a control character in the keyword");
    text_case("tEXt", long_key, 85, 1, 0, "a keyword of 79");
    long_key[79] = 'k';
    long_key[80] = '\0';
    text_case("tEXt", long_key, 85, 0, 1, "a keyword of 80");
    text_case("tEXt", "key\0a\0b", 7, 0, 1, "NUL in the text");
    text_case("iTXt", "key\0\0\0\0\0value", 13, 1, 0, "iTXt");
    text_case("iTXt", "key\0\0\0en\0Schl\xC3\xBCssel\0value", 25, 1, 0, "iTXt with language");
    text_case("iTXt", "key\0\2\0\0\0value", 13, 0, 1, "iTXt with compression flag 2");
    text_case("iTXt", "key\0\1\1\0\0value", 13, 0, 1, "iTXt with compression method 1");
    text_case("iTXt", "key\0\0\0en", 8, 0, 1, "iTXt cut in the language");
    text_case("iTXt", "key\0\0", 5, 0, 1, "iTXt cut before the language");
    text_case("iTXt", "key\0\0\0\0\0\xFF\xFE", 10, 0, 1, "iTXt that is not UTF-8");
    text_case("zTXt", "key\0\1abc", 8, 0, 1, "zTXt with an unknown method");
    text_case("zTXt", "key\0", 4, 0, 1, "zTXt without a method");
    text_case("zTXt", "key\0\0garbage", 12, 0, 1, "zTXt that does not inflate");
    text_case("eXIf", "MM\0*", 4, 0, 1, "an eXIf chunk that is cut off");
    text_case("acTL", "\0\0\0\1\0\0\0\0", 8, 0, 0, "an animation is passed over");
}

static void compressed_case(const char *prefix, size_t prefix_length, size_t raw_bytes, bool good,
                            const char *what)
{
    uLongf size = compressBound((uLong)raw_bytes);
    Bytef *raw = malloc(raw_bytes), *packed = malloc(size + prefix_length);
    memset(raw, 'x', raw_bytes);
    memcpy(packed, prefix, prefix_length);
    compress(packed + prefix_length, &size, raw, (uLong)raw_bytes);
    const char *type = prefix_length > 6 ? "iTXt" : "zTXt";
    text_case(type, (char *)packed, size + prefix_length, good, !good, what);
    free(raw);
    free(packed);
}

static void test_compressed(void)
{
    compressed_case("key\0", 5, 5000, true, "zTXt");
    compressed_case("key\0\1\0\0", 8, 5000, true, "compressed iTXt");
    compressed_case("key\0", 5, SL_PICTURE_TEXT_MAX_BYTES, true, "zTXt at the limit");
    compressed_case("key\0", 5, SL_PICTURE_TEXT_MAX_BYTES + 1, false, "zTXt above the limit");
    compressed_case("key\0\1\0\0", 8, (size_t)1 << 25, false, "an iTXt bomb");
}

static void test_order(void)
{
    Bytes b = {0};
    both_refuse(b, "an empty file");
    add_signature(&b);
    both_refuse(b, "only the signature");
    b = (Bytes){0};
    sl_text_add(&b.text, "GIF89a......");
    both_refuse(b, "a GIF");
    b = small_with(NULL, NULL, 0);
    b.text.data[1] = 'Q';
    both_refuse(b, "a bad signature");
    b = (Bytes){0};
    add_signature(&b);
    add_pixels(&b, 14);
    add_chunk(&b, "IEND", NULL, 0);
    both_refuse(b, "no header");
    b = (Bytes){0};
    add_signature(&b);
    add_header(&b, 2, 2, RGB8);
    add_chunk(&b, "IEND", NULL, 0);
    both_refuse(b, "no pixels");
    b = (Bytes){0};
    add_signature(&b);
    add_header(&b, 2, 2, RGB8);
    add_header(&b, 2, 2, RGB8);
    add_pixels(&b, 14);
    add_chunk(&b, "IEND", NULL, 0);
    both_refuse(b, "two headers");
    b = small_with("tEXt", "a\0b", 3);
    sl_text_add(&b.text, "trailing bytes");
    check_walker(&b, true, 1, 0, "bytes after the end");
    sl_text_free(&b.text);
}

static void test_headers(void)
{
    static const struct {
        uint32_t width, height;
        const char *tail;
        const char *what;
    } cases[] = {
        {0, 2, RGB8, "width 0"},
        {2, 0, RGB8, "height 0"},
        {0x80000000u, 2, RGB8, "width 2^31"},
        {2, 0xFFFFFFFFu, RGB8, "height 2^32 - 1"},
        {2, 2, "\x03\x02\0\0", "depth 3"},
        {2, 2, "\x04\x02\0\0", "depth 4 in colour"},
        {2, 2, "\x08\x05\0\0", "colour type 5"},
        {2, 2, "\x08\x02\1\0", "compression method 1"},
        {2, 2, "\x08\x02\0\1", "filter method 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Bytes b = {0};
        add_signature(&b);
        add_header(&b, cases[i].width, cases[i].height, cases[i].tail);
        add_pixels(&b, 14);
        add_chunk(&b, "IEND", NULL, 0);
        both_refuse(b, cases[i].what);
    }
    Bytes b = {0};
    add_signature(&b);
    add_header(&b, 2, 2, "\x08\x02\0\0");
    b.text.data[8 + 8 + 12] = 2; /* interlace method 2, with a checksum to match */
    uint32_t crc = (uint32_t)crc32(0, (Bytef *)b.text.data + 12, 17);
    b.text.length -= 4;
    add_u32(&b, crc);
    add_pixels(&b, 14);
    add_chunk(&b, "IEND", NULL, 0);
    both_refuse(b, "interlace method 2");
}

/* Every prefix, and every byte flipped: nothing may crash; a flip in a chunk breaks its
 * checksum. */
static void test_damage(void)
{
    Bytes good = small_with("iTXt", "key\0\0\0\0\0value", 13);
    int accepted = 0;
    for (size_t n = 0; n < good.text.length; n++) {
        SlPictureTexts t;
        uint8_t *data = malloc(n ? n : 1);
        memcpy(data, good.text.data, n);
        accepted += sl_png_texts_parse("t.png", data, n, &t, NULL);
        sl_picture_texts_free(&t);
        free(data);
    }
    sl_test(accepted == 0, "every one of the %zu prefixes is refused", good.text.length);
    accepted = 0;
    for (size_t i = 0; i < good.text.length; i++) {
        SlPictureTexts t;
        int width, height;
        good.text.data[i] ^= 0x20;
        accepted +=
            sl_png_texts_parse("t.png", (uint8_t *)good.text.data, good.text.length, &t, NULL);
        sl_picture_texts_free(&t);
        free(sl_png_decode("t.png", (uint8_t *)good.text.data, good.text.length, &width, &height,
                           NULL));
        good.text.data[i] ^= 0x20;
    }
    sl_test(accepted == 0, "every flipped byte is noticed");
    static const uint32_t lengths[] = {0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1000};
    for (size_t i = 0; i < 4; i++) {
        Bytes b = small_with("tEXt", "a\0b", 3);
        for (int k = 0; k < 4; k++)
            b.text.data[8 + 25 + k] = (char)(lengths[i] >> (24 - 8 * k));
        both_refuse(b, "a chunk that claims too much");
    }
    sl_text_free(&good.text);
}

static void test_bombs(void)
{
    Bytes b = {0};
    add_signature(&b);
    add_header(&b, 30000, 30000, RGB8);
    add_chunk(&b, "tEXt", "a\0b", 3);
    add_pixels(&b, 1000);
    add_chunk(&b, "IEND", NULL, 0);
    check_walker(&b, true, 1, 0, "30,000 x 30,000: its text is readable");
    check_pixels(&b, false, "30,000 x 30,000");
    sl_text_free(&b.text);
    add_signature(&b);
    add_header(&b, 16384, 16384, RGB8);
    add_pixels(&b, 1000);
    add_chunk(&b, "IEND", NULL, 0);
    check_pixels(&b, false, "16,384 x 16,384 out of 40 bytes");
    sl_text_free(&b.text);
    add_signature(&b);
    add_header(&b, 2, 2, RGB8);
    for (int i = 0; i < 200000; i++)
        add_chunk(&b, "tEXt", "a\0b", 3);
    add_pixels(&b, 14);
    add_chunk(&b, "IEND", NULL, 0);
    check_walker(&b, true, SL_PICTURE_TEXT_MAX_COUNT, 200000 - SL_PICTURE_TEXT_MAX_COUNT,
                 "200,000 texts: the first 64 are kept");
    sl_text_free(&b.text);
}

/* ---- large ones ---- */

/* Zeros that are deflated without having been anywhere. */
static void add_zeros(Bytes *b, size_t raw_bytes)
{
    static Bytef zeros[1 << 16], packed[1 << 16];
    z_stream z = {0};
    SlText out = {0};
    deflateInit(&z, 1);
    for (size_t left = raw_bytes; left > 0;) {
        size_t n = left < sizeof zeros ? left : sizeof zeros;
        z.next_in = zeros;
        z.avail_in = (uInt)n;
        left -= n;
        do {
            z.next_out = packed;
            z.avail_out = sizeof packed;
            deflate(&z, left ? Z_NO_FLUSH : Z_FINISH);
            sl_text_append(&out, (char *)packed, sizeof packed - z.avail_out);
        } while (z.avail_out == 0);
    }
    deflateEnd(&z);
    add_chunk(b, "IDAT", out.data, out.length);
    sl_text_free(&out);
}

/* 192 MiB of pixels, or 64 MiB and interlaced, in a file of less than 1 MB. */
static void write_bomb(const char *path, bool interlaced)
{
    Bytes b = {0};
    SlError err = {0};
    uint32_t side = interlaced ? 4730 : 8192;
    add_signature(&b);
    add_header(&b, side, side, interlaced ? "\x08\x02\0\0\1" : "\x08\x02\0\0\0");
    add_chunk(&b, "tEXt", "a\0b", 3);
    add_zeros(&b, ((size_t)side * 3 + 3) * side);
    add_chunk(&b, "IEND", NULL, 0);
    sl_test(sl_write_file(path, b.text.data, b.text.length, &err) && b.text.length < 1000000,
            "%zu bytes of file %s", b.text.length, err.message);
    sl_text_free(&b.text);
}

static long data_of_process(void)
{
    long kilobytes = 0;
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmData: %ld", &kilobytes) == 1)
            break;
    if (f)
        fclose(f);
    return kilobytes * 1024;
}

/* What docs/formats.md says of reading facts: 64 MiB. */
static void test_memory(const char *folder)
{
    enum { ROOM = 64 << 20 };
    char path[2][4096], hex[65] = "", whole[65] = "", small[100];
    SlError err = {0};
    struct rlimit was, tight;
    int width = 0, height = 0;
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "%s/bomb%d.png", folder, i);
        write_bomb(path[i], i == 1);
    }
    getrlimit(RLIMIT_DATA, &was);
    tight = was;
    tight.rlim_cur = (rlim_t)data_of_process() + ROOM;
    setrlimit(RLIMIT_DATA, &tight);
    SlPictureTexts t;
    bool texts = sl_png_texts_read(path[0], &t, &err) && t.count == 1;
    sl_picture_texts_free(&t);
    bool hashed = texts && sl_png_hash(path[0], hex, &err);
    uint8_t *rgb = hashed ? sl_png_read_small(path[0], 64, &width, &height, &err) : NULL;
    SlError refused = {0};
    bool interlaced = sl_png_hash(path[1], small, &refused);
    setrlimit(RLIMIT_DATA, &was);
    uint8_t *zeros = calloc(3, (size_t)8192 * 8192);
    if (zeros)
        sl_sha256(zeros, (size_t)3 * 8192 * 8192, whole);
    free(zeros);
    sl_test(texts && hashed && strcmp(hex, whole) == 0,
            "192 MiB of pixels are hashed within 64 MiB %s", err.message);
    sl_test(rgb && width == 64 && height == 64 && rgb[0] == 0, "and made small");
    sl_test(!interlaced && refused.code == SL_UNSUPPORTED && strstr(refused.message, path[1]) &&
                strstr(refused.message, "interlaced"),
            "a large interlaced one is refused: %s", refused.message);
    free(rgb);
    unlink(path[0]);
    unlink(path[1]);
}

static void test_small(const char *folder)
{
    enum { W = 10, H = 7, S = 5 };
    uint8_t rgb[W * H * 3];
    char path[4096];
    SlError err = {0};
    int width = 0, height = 0, wrong = 0;
    for (int i = 0; i < W * H * 3; i++)
        rgb[i] = (uint8_t)(i * 37 + i / 5);
    snprintf(path, sizeof path, "%s/small.png", folder);
    bool ok = sl_png_write(path, rgb, W, H, NULL, 0, &err);
    uint8_t *small = ok ? sl_png_read_small(path, S, &width, &height, &err) : NULL;
    for (int i = 0; small && i < S * 3 * 3; i++) {
        int y = i / (S * 3), x = i / 3 % S, c = i % 3, sum = 0, n = 0;
        for (int v = y * H / 3; v < (y + 1) * H / 3; v++)
            for (int u = x * W / S; u < (x + 1) * W / S; u++, n++)
                sum += rgb[(v * W + u) * 3 + c];
        wrong += small[i] != (sum + n / 2) / n;
    }
    sl_test(small && width == S && height == 3 && wrong == 0,
            "small: the means of what each pixel covers (%d wrong) %s", wrong, err.message);
    free(small);
    small = sl_png_read_small(path, 100, &width, &height, &err);
    sl_test(small && width == W && height == H && memcmp(small, rgb, sizeof rgb) == 0,
            "and never larger");
    free(small);
    unlink(path);
}

static void test_long_texts(void)
{
    enum { LONG = (1 << 20) + 100000 };
    char *text = malloc(LONG);
    memset(text, 'a', LONG);
    memcpy(text, "key", 4);
    text_case("tEXt", text, LONG, 0, 1, "a text of more than 1 MiB and what is read of a chunk");
    memset(text + 4, 0, 2);
    text_case("iTXt", text, LONG, 0, 1, "the same whose fields before the text take all of that");
    free(text);
    Bytes b = {0};
    add_signature(&b);
    add_header(&b, 2, 2, RGB8);
    text = malloc(1 << 20);
    memset(text, 'a', 1 << 20);
    text[3] = 0;
    for (int i = 0; i < 20; i++)
        add_chunk(&b, "tEXt", text, 1 << 20);
    add_pixels(&b, 14);
    add_chunk(&b, "IEND", NULL, 0);
    check_walker(&b, true, 16, 4, "20 MiB of texts: 16 are kept");
    sl_text_free(&b.text);
    free(text);
}

/* ---- out and in again ---- */

static void test_round_trip(const char *folder)
{
    enum { W = 37, H = 23 };
    static uint8_t rgb[W * H * 3];
    char path[2][4096];
    SlError err = {0};
    for (int i = 0; i < W * H * 3; i++)
        rgb[i] = (uint8_t)(i * 7 + i / 11);
    const SlPngText texts[] = {{"parameters", "a cat\nSteps: 20", false},
                               {"other", "caf\xC3\xA9", false},
                               {"safelight", "{}", true}};
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "%s/%d.png", folder, i);
        sl_test(sl_png_write(path[i], rgb, W, H, texts, 3, &err), "written %s", err.message);
    }
    size_t size[2] = {0};
    uint8_t *file[2];
    for (int i = 0; i < 2; i++)
        file[i] = sl_read_file(path[i], 1 << 20, &size[i], &err);
    sl_test(file[0] && file[1] && size[0] == size[1] && memcmp(file[0], file[1], size[0]) == 0,
            "twice the same bytes");
    sl_test(memmem(file[0], size[0], "tEXtparameters", 14) &&
                memmem(file[0], size[0], "iTXtother", 9) &&
                memmem(file[0], size[0], "iTXtsafelight", 13) &&
                !memmem(file[0], size[0], "tIME", 4),
            "tEXt for ASCII, iTXt for the rest, no time");
    int width, height;
    uint8_t *back = sl_png_read(path[0], &width, &height, &err);
    sl_test(back && width == W && height == H && memcmp(back, rgb, sizeof rgb) == 0,
            "the pixels come back");
    SlPictureTexts t;
    sl_test(sl_png_texts_read(path[0], &t, &err) && t.count == 3 && t.width == W && t.height == H &&
                strcmp(sl_picture_texts_find(&t, "other"), "caf\xC3\xA9") == 0 &&
                !sl_picture_texts_find(&t, "nothing"),
            "the texts come back");
    sl_picture_texts_free(&t);
    sl_test(!sl_png_write(path[0], rgb, 0, 4, NULL, 0, &err), "no picture: %s", err.message);
    free(back);
    for (int i = 0; i < 2; i++) {
        free(file[i]);
        unlink(path[i]);
    }
}

/* Kinds that we do not write: palette, gray, alpha, 16 bit, interlaced. */
static void test_in_memory(void)
{
    uint8_t rgb[5 * 4 * 3];
    SlError err = {0};
    SlText png = {0};
    int width = 0, height = 0;
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(7 * i);
    bool ok = sl_png_encode(&png, rgb, 5, 4, &err);
    uint8_t *back =
        ok ? sl_png_decode("x", (const uint8_t *)png.data, png.length, &width, &height, &err)
           : NULL;
    sl_test(back && width == 5 && height == 4 && memcmp(back, rgb, sizeof rgb) == 0,
            "a picture as bytes comes back %s", err.message);
    sl_test(!sl_png_encode(&png, rgb, 0, 4, &err), "one without pixels is refused: %s",
            err.message);
    free(back);
    sl_text_free(&png);
}

static void test_kinds(void)
{
    static const struct {
        const char *tail;
        size_t raw;
        const char *what;
    } kinds[] = {
        {"\x01\x00\0\0", 4, "black and white"},  {"\x10\x00\0\0", 10, "gray, 16 bit"},
        {"\x08\x04\0\0", 10, "gray with alpha"}, {"\x08\x06\0\0", 18, "RGB with alpha"},
        {"\x10\x02\0\0", 26, "RGB, 16 bit"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        Bytes b = {0};
        add_signature(&b);
        add_header(&b, 2, 2, kinds[i].tail);
        add_pixels(&b, kinds[i].raw);
        add_chunk(&b, "IEND", NULL, 0);
        check_pixels(&b, true, kinds[i].what);
        sl_text_free(&b.text);
    }
    Bytes b = {0};
    add_signature(&b);
    add_header(&b, 2, 2, "\x08\x03\0\0");
    add_chunk(&b, "PLTE", "\x10\x20\x30", 3);
    add_chunk(&b, "tRNS", "\x80", 1);
    add_pixels(&b, 6);
    add_chunk(&b, "IEND", NULL, 0);
    check_pixels(&b, true, "a palette with transparency");
    sl_text_free(&b.text);
}

static void test_files(const char *folder)
{
    SlPictureTexts t;
    SlError err = {0};
    char fifo[4096];
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    sl_test(!sl_png_texts_read(folder, &t, &err) && strstr(err.message, "folder"), "%s",
            err.message);
    sl_test(!sl_png_texts_read("/dev/zero", &t, &err), "%s", err.message);
    sl_test(!sl_png_texts_read("/nowhere.png", &t, &err), "%s", err.message);
    char command[4200];
    snprintf(command, sizeof command, "mkfifo '%s'", fifo);
    if (system(command) == 0)
        sl_test(!sl_png_texts_read(fifo, &t, &err), "a pipe without a writer: %s", err.message);
    unlink(fifo);
}

int main(void)
{
    char folder[] = "/tmp/safelight-png.XXXXXX";
    if (!mkdtemp(folder))
        return 1;
    test_round_trip(folder);
    test_in_memory();
    test_kinds();
    test_texts();
    test_compressed();
    test_order();
    test_headers();
    test_damage();
    test_bombs();
    test_files(folder);
    test_long_texts();
    test_small(folder);
    test_memory(folder);
    rmdir(folder);
    return sl_test_done();
}
