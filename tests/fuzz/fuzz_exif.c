/* fuzz_exif.c - the input is EXIF as it stands in a picture: a TIFF of texts. */
#include "tests/fuzz/fuzz.h"

#include "app/image/exif.h"
#include "engine/files/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlPictureTexts texts = {.kind = "JPEG"};
    if (!sl_exif_texts(data, size, &texts))
        abort();
    for (int i = 0; i < texts.count; i++)
        if (strncmp(texts.entry[i].keyword, "EXIF ", 5) != 0 ||
            !sl_utf8_valid(texts.entry[i].text, strlen(texts.entry[i].text)))
            abort();
    if ((texts.skipped > 0) != (*texts.problem != '\0'))
        abort();
    sl_picture_texts_free(&texts);
    return 0;
}
