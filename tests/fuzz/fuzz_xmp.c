/* fuzz_xmp.c - the input is an XMP packet. */
#include "tests/fuzz/fuzz.h"

#include "app/image/xmp.h"
#include "engine/files/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlPictureTexts texts = {.kind = "PNG"};
    if (!sl_xmp_texts((const char *)data, size, &texts))
        abort();
    for (int i = 0; i < texts.count; i++)
        if (strncmp(texts.entry[i].keyword, "XMP ", 4) != 0 || !*texts.entry[i].text ||
            !sl_utf8_valid(texts.entry[i].text, strlen(texts.entry[i].text)))
            abort();
    sl_picture_texts_free(&texts);
    return 0;
}
