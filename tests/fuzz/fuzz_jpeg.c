/* fuzz_jpeg.c - the input is a JPEG behind its first two bytes, up to the pixels. */
#include "tests/fuzz/fuzz.h"

#include "app/image/picture_texts_private.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlPictureTexts texts = {.kind = "JPEG"};
    SlError err = {0};
    uint8_t *copy = malloc(size + 2);
    if (!copy)
        return 0;
    memcpy(copy, "\xFF\xD8", 2);
    memcpy(copy + 2, data, size);
    const SlPictureFile file = sl_picture_file_of("fuzz.jpg", copy, size + 2);
    bool ok = sl_jpeg_texts_walk(&file, &texts, &err);
    if (ok ? texts.width < 1 : err.code == SL_OK || !*err.message)
        abort();
    sl_picture_texts_free(&texts);
    free(copy);
    return 0;
}
