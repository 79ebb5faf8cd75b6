/* fuzz_png.c - the input is a PNG whose checksums are put right first, so that the fuzzer gets past
 * them. What the text walker accepts must be texts that are fit to show; the pixel reader must not
 * give a picture without a size.
 */
#include "tests/fuzz/fuzz.h"

#include "app/image/png.h"
#include "app/image/png_text.h"
#include "engine/files/utf8.h"

#include <stdlib.h>
#include <string.h>

static void check_texts(const uint8_t *data, size_t size)
{
    SlPictureTexts texts;
    SlError err = {0};
    bool ok = sl_png_texts_parse("fuzz.png", data, size, &texts, &err);
    if (ok ? texts.width < 1 || texts.height < 1 : err.code == SL_OK || !*err.message)
        abort();
    for (int i = 0; i < texts.count; i++) {
        size_t length = strlen(texts.entry[i].text);
        if (!*texts.entry[i].keyword || length > SL_PICTURE_TEXT_MAX_BYTES * 2 ||
            !sl_utf8_valid(texts.entry[i].text, length))
            abort();
    }
    sl_picture_texts_free(&texts);
}

static void check_pixels(const uint8_t *data, size_t size)
{
    int width = 0, height = 0;
    SlError err = {0};
    uint8_t *rgb = sl_png_decode("fuzz.png", data, size, &width, &height, &err);
    if (rgb ? width < 1 || height < 1 : err.code == SL_OK)
        abort();
    free(rgb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    fuzz_repair_png(copy, size);
    check_texts(copy, size);
    check_pixels(copy, size);
    free(copy);
    return 0;
}
