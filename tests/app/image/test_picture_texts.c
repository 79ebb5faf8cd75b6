/* test_picture_texts.c - texts in JPEG, WebP and PNG: EXIF in every byte order and character set,
 * XMP, comments; and what is cut off, too long or lies about its lengths.
 */
#include "app/image/image.h"
#include "test.h"

#include <string.h>
#include <zlib.h>

/* ---- files out of pieces ---- */

typedef struct Bytes {
    uint8_t data[1 << 16];
    size_t n;
} Bytes;

static void put(Bytes *b, const void *data, size_t n)
{
    if (n > sizeof b->data - b->n)
        abort();
    memcpy(b->data + b->n, data, n);
    b->n += n;
}

static void put_number(Bytes *b, uint32_t value, int bytes, bool big)
{
    for (int i = 0; i < bytes; i++) {
        uint8_t one = (uint8_t)(value >> 8 * (big ? bytes - 1 - i : i));
        put(b, &one, 1);
    }
}

static void put_wide(Bytes *b, const char *text, bool big)
{
    for (; *text; text++)
        put_number(b, (uint8_t)*text, 2, big);
}

/* A TIFF with one text in the first directory, or (deep) in the EXIF directory. */
static void exif(Bytes *b, bool big, unsigned tag, unsigned type, const Bytes *value, bool deep)
{
    b->n = 0;
    put(b, big ? "MM" : "II", 2);
    put_number(b, 42, 2, big);
    put_number(b, 8, 4, big);
    if (deep) {
        put_number(b, 1, 2, big);
        put_number(b, 0x8769, 2, big);
        put_number(b, 4, 2, big);
        put_number(b, 1, 4, big);
        put_number(b, 26, 4, big);
        put_number(b, 0, 4, big);
    }
    put_number(b, 1, 2, big);
    put_number(b, tag, 2, big);
    put_number(b, type, 2, big);
    put_number(b, (uint32_t)value->n, 4, big);
    put_number(b, (uint32_t)b->n + 8, 4, big);
    put_number(b, 0, 4, big);
    put(b, value->data, value->n);
}

static void jpeg_start(Bytes *b)
{
    b->n = 0;
    put(b, "\xFF\xD8", 2);
}

static void jpeg_segment(Bytes *b, uint8_t code, const char *head, size_t head_bytes,
                         const void *data, size_t n)
{
    uint8_t marker[2] = {0xFF, code};
    put(b, marker, 2);
    put_number(b, (uint32_t)(2 + head_bytes + n), 2, true);
    put(b, head, head_bytes);
    put(b, data, n);
}

/* 48 wide, 32 high. */
static void jpeg_end(Bytes *b)
{
    jpeg_segment(b, 0xC0, "", 0, "\x08\0\x20\0\x30\x01\x01\x11\0", 9);
    put(b, "\xFF\xDA\0\x08\x01\x01\0\0\x3F\0", 10);
}

static void webp_chunk(Bytes *b, const char *type, const void *data, size_t n)
{
    put(b, type, 4);
    put_number(b, (uint32_t)n, 4, false);
    put(b, data, n);
    if (n % 2)
        put(b, "", 1);
}

static void webp(Bytes *b, const Bytes *exif_data, const char *xmp)
{
    static const uint8_t canvas[10] = {0x0C, 0, 0, 0, 47, 0, 0, 31, 0, 0};
    b->n = 0;
    put(b, "RIFF\0\0\0\0WEBP", 12);
    webp_chunk(b, "VP8X", canvas, 10);
    webp_chunk(b, "VP8L", "\x2F\x2F\xC0\x07\0", 5);
    if (exif_data)
        webp_chunk(b, "EXIF", exif_data->data, exif_data->n);
    if (xmp)
        webp_chunk(b, "XMP ", xmp, strlen(xmp));
    b->data[4] = (uint8_t)(b->n - 8);
    b->data[5] = (uint8_t)((b->n - 8) >> 8);
}

static void png_chunk(Bytes *b, const char *type, const void *data, size_t n)
{
    put_number(b, (uint32_t)n, 4, true);
    size_t start = b->n;
    put(b, type, 4);
    put(b, data, n);
    put_number(b, (uint32_t)crc32(0, b->data + start, (uInt)(n + 4)), 4, true);
}

static void png(Bytes *b, const Bytes *exif_data, const char *xmp)
{
    Bytes *text = calloc(1, sizeof *text);
    b->n = 0;
    put(b, "\x89PNG\r\n\x1a\n", 8);
    png_chunk(b, "IHDR", "\0\0\0\x30\0\0\0\x20\x08\x02\0\0\0", 13);
    if (exif_data)
        png_chunk(b, "eXIf", exif_data->data, exif_data->n);
    if (xmp) {
        put(text, "XML:com.adobe.xmp\0\0\0\0\0", 22);
        put(text, xmp, strlen(xmp));
        png_chunk(b, "iTXt", text->data, text->n);
    }
    png_chunk(b, "IDAT", "x", 1);
    png_chunk(b, "IEND", "", 0);
    free(text);
}

/* ---- what is read ---- */

/* expected NULL: no such text. */
static void check(const Bytes *b, const char *kind, const char *keyword, const char *expected,
                  const char *what)
{
    SlPictureTexts texts;
    SlError err = {0};
    uint8_t *exact = malloc(b->n ? b->n : 1); /* so that a byte too many is seen */
    memcpy(exact, b->data, b->n);
    bool ok = sl_picture_texts_parse("t", exact, b->n, &texts, &err);
    const char *found = ok ? sl_picture_texts_find(&texts, keyword) : NULL;
    bool good = ok && strcmp(texts.kind, kind) == 0 && texts.width == 48 && texts.height == 32 &&
                (expected ? found && strcmp(found, expected) == 0 : !found);
    if (!sl_test(good, "%s", what))
        sl_test_note("%s, [%s] %s", ok ? "read" : err.message, found ? found : "nothing",
                     texts.problem);
    sl_picture_texts_free(&texts);
    free(exact);
}

static Bytes value, tiff, file;

static void comment(const char *set, const char *text, int wide)
{
    value.n = 0;
    put(&value, set, 8);
    if (wide)
        put_wide(&value, text, wide == 2);
    else
        put(&value, text, strlen(text));
}

static void jpeg_of_tiff(void)
{
    jpeg_start(&file);
    jpeg_segment(&file, 0xE0, "JFIF\0", 5, "\1\1\0\0\1\0\1\0\0", 9);
    jpeg_segment(&file, 0xE1, "Exif\0\0", 6, tiff.data, tiff.n);
    jpeg_end(&file);
}

static void test_exif(void)
{
    static const struct {
        const char *set;
        int wide; /* 1: little, 2: big endian */
        const char *what;
    } sets[] = {
        {"UNICODE\0", 2, "UTF-16, big endian"},
        {"UNICODE\0", 1, "UTF-16, little endian"},
        {"ASCII\0\0\0", 0, "ASCII"},
        {"\0\0\0\0\0\0\0\0", 0, "no character set"},
        {"\0\0\0\0\0\0\0\0", 2, "no character set, and yet UTF-16"},
        {"\0\0\0\0\0\0\0\0", 1, "the same in little endian"},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        for (int big = 0; big < 2; big++) {
            comment(sets[i].set, "a barn\nSteps: 9", sets[i].wide);
            exif(&tiff, big, 0x9286, 7, &value, true);
            jpeg_of_tiff();
            check(&file, "JPEG", "EXIF UserComment", "a barn\nSteps: 9", sets[i].what);
        }
    value.n = 0;
    put(&value, "UNICODE\0\xFF\xFE\xAC\x20\x3D\xD8\x00\xDE\0\0", 18); /* mark, euro, an emoji */
    exif(&tiff, true, 0x9286, 7, &value, true);
    webp(&file, &tiff, NULL);
    check(&file, "WebP", "EXIF UserComment", "\xE2\x82\xAC\xF0\x9F\x98\x80",
          "a byte order mark, and a pair");
    value.n = 0;
    put(&value, "UNICODE\0\x20\xAC\xD8\x3D\0a", 14);
    exif(&tiff, true, 0x9286, 7, &value, true);
    png(&file, &tiff, NULL);
    check(&file, "PNG", "EXIF UserComment",
          "\xE2\x82\xAC\xEF\xBF\xBD"
          "a",
          "half a pair");
    value.n = 0;
    put_wide(&value, "a barn", false);
    exif(&tiff, true, 0x9C9C, 1, &value, false);
    jpeg_of_tiff();
    check(&file, "JPEG", "EXIF XPComment", "a barn", "Windows' comment");
    value.n = 0;
    put(&value, "Prompt:{}\0", 10);
    exif(&tiff, false, 0x0110, 2, &value, false);
    webp(&file, &tiff, NULL);
    check(&file, "WebP", "EXIF Model", "Prompt:{}", "the camera's model");
    value.n = 0;
    put(&value, "caf\xE9!", 5);
    exif(&tiff, false, 0x010E, 2, &value, false);
    webp(&file, &tiff, NULL);
    check(&file, "WebP", "EXIF ImageDescription", "caf\xC3\xA9!", "Latin-1");
}

static void test_xmp(void)
{
    static const char packet[] =
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF><rdf:Description>\n"
        "<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">one &amp; two</rdf:li></rdf:Alt>"
        "</dc:description><exif:UserComment>\n <rdf:Alt>\n  <rdf:li xml:lang=\"x-default\">"
        "{&quot;c&quot;:&#34;a &lt;b&gt; &#x20AC;&quot;}</rdf:li>\n </rdf:Alt>\n"
        "</exif:UserComment></rdf:Description></rdf:RDF></x:xmpmeta>";
    png(&file, NULL, packet);
    check(&file, "PNG", "XMP UserComment", "{\"c\":\"a <b> \xE2\x82\xAC\"}", "XMP in a PNG");
    check(&file, "PNG", "XMP description", "one & two", "its description");
    webp(&file, NULL, packet);
    check(&file, "WebP", "XMP UserComment", "{\"c\":\"a <b> \xE2\x82\xAC\"}", "XMP in a WebP");
    jpeg_start(&file);
    jpeg_segment(&file, 0xE1, "http://ns.adobe.com/xap/1.0/", 29, packet, strlen(packet));
    jpeg_end(&file);
    check(&file, "JPEG", "XMP description", "one & two", "XMP in a JPEG");
    png(&file, NULL, "<rdf:Description xmp:CreatorTool='x' exif:UserComment=\"{&apos;}\"/>");
    check(&file, "PNG", "XMP UserComment", "{'}", "as an attribute");
    png(&file, NULL, "<exif:UserComment><rdf:Alt>never closed &#xFFFFFFFFF; &");
    check(&file, "PNG", "XMP UserComment", NULL, "an element that is not closed");
    png(&file, NULL, "<exif:UserComment/><dc:description>d</dc:description>");
    check(&file, "PNG", "XMP UserComment", NULL, "an empty element");
    check(&file, "PNG", "XMP description", "d", "and what follows it");
    png(&file, NULL, "exif:UserComment");
    check(&file, "PNG", "XMP UserComment", NULL, "only the name");
}

static void test_jpeg(void)
{
    jpeg_start(&file);
    jpeg_segment(&file, 0xFE, "", 0, "a barn\nSteps: 9\0", 16);
    put(&file, "\xFF\xFF\xFF", 3); /* may stand before a marker */
    jpeg_end(&file);
    check(&file, "JPEG", "JPEG comment", "a barn\nSteps: 9", "a comment, and filling");
    jpeg_start(&file);
    jpeg_end(&file);
    check(&file, "JPEG", "EXIF UserComment", NULL, "nothing but a picture");
}

/* ---- hostile ones ---- */

static void refused(const char *what, const char *words)
{
    SlPictureTexts texts;
    SlError err = {0};
    bool ok = sl_picture_texts_parse("t", file.data, file.n, &texts, &err);
    sl_test(!ok && strstr(err.message, words), "%s: %s", what, ok ? "accepted" : err.message);
    sl_picture_texts_free(&texts);
}

static void skipped(const char *what, const char *words)
{
    SlPictureTexts texts;
    SlError err = {0};
    bool ok = sl_picture_texts_parse("t", file.data, file.n, &texts, &err);
    sl_test(ok && texts.skipped > 0 && strstr(texts.problem, words), "%s: %s", what,
            ok ? texts.problem : err.message);
    sl_picture_texts_free(&texts);
}

static void test_hostile(void)
{
    file.n = 0;
    put(&file,
        "\xFF\xD8\xFF\xE1\xFF\xFF"
        "Exif\0\0",
        12);
    refused("a segment that is longer than the file", "ends too early");
    jpeg_start(&file);
    put(&file, "\xFF\xE0\0\1", 4);
    refused("a length of 1", "length");
    jpeg_start(&file);
    put(&file, "\xFF\xC0\0\2", 4);
    refused("a header without a size", "too short");
    jpeg_start(&file);
    put(&file, "\xFF\xE0\0\2xx", 6);
    refused("bytes between segments", "should start here");
    jpeg_start(&file);
    put(&file, "\xFF\xE0\0\2\xFF\xD9", 6);
    refused("no picture", "no picture");
    file.n = 0;
    put(&file, "GIF89a", 6);
    refused("a GIF", "a GIF picture");
    file.n = 0;
    refused("nothing", "an empty file");

    comment("ASCII\0\0\0", "a barn", 0);
    exif(&tiff, true, 0x9286, 7, &value, true);
    tiff.data[35] = 0xFF; /* the count */
    tiff.data[34] = 0xFF;
    jpeg_of_tiff();
    skipped("a text that is longer than its file", "cut off");
    exif(&tiff, true, 0x9286, 7, &value, true);
    memset(tiff.data + 36, 0xFF, 4); /* its place */
    webp(&file, &tiff, NULL);
    skipped("a text beyond the end", "cut off");
    exif(&tiff, true, 0x9286, 7, &value, true);
    memset(tiff.data + 4, 0xFF, 4); /* the first directory */
    png(&file, &tiff, NULL);
    skipped("a directory beyond the end", "damaged");
    exif(&tiff, true, 0x9286, 7, &value, true);
    memset(tiff.data + 18, 0, 3);
    tiff.data[21] = 8; /* the second directory is the first */
    png(&file, &tiff, NULL);
    check(&file, "PNG", "EXIF UserComment", NULL, "a directory that names itself");
    exif(&tiff, true, 0x9286, 7, &value, true);
    tiff.data[8] = 0xFF; /* entries */
    png(&file, &tiff, NULL);
    skipped("more entries than there are bytes", "damaged");
    tiff.n = 3;
    webp(&file, &tiff, NULL);
    skipped("no TIFF", "TIFF");
}

/* Cut everywhere, and each byte changed: refused or not, but with a sentence. */
static void test_everywhere(void)
{
    int wrong = 0;
    for (int kind = 0; kind < 3; kind++) {
        comment("UNICODE\0", "a barn", 2);
        exif(&tiff, kind != 1, 0x9286, 7, &value, true);
        if (kind == 0)
            jpeg_of_tiff();
        else if (kind == 1)
            webp(&file, &tiff, "<dc:description>&#65;</dc:description>");
        else
            png(&file, &tiff, "<dc:description>&#65;</dc:description>");
        for (size_t i = 0; i < file.n; i++)
            for (int change = 0; change < 4; change++) {
                static const uint8_t bytes[] = {0, 1, 0xFF};
                uint8_t was = file.data[i];
                SlPictureTexts texts;
                SlError err = {0};
                size_t n = change == 3 ? i : file.n;
                uint8_t *exact = malloc(n + 1);
                if (change < 3)
                    file.data[i] = bytes[change];
                memcpy(exact, file.data, n);
                if (!sl_picture_texts_parse("t", exact, n, &texts, &err))
                    wrong += err.code == SL_OK || !*err.message;
                sl_picture_texts_free(&texts);
                free(exact);
                file.data[i] = was;
            }
    }
    sl_test(wrong == 0, "every file that is cut or changed is read or refused with a sentence");
}

int main(void)
{
    test_exif();
    test_xmp();
    test_jpeg();
    test_hostile();
    test_everywhere();
    return sl_test_done();
}
