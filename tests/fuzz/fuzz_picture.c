/* fuzz_picture.c - the input is a PNG, a JPEG or a WebP as somebody gives it to the program: `info`,
 * `replay` and the window read what it says of itself, the settings in it, and its pixels. Checksums
 * of a PNG are put right first.
 */
#include "tests/fuzz/fuzz.h"

#include "app/image/image.h"
#include "app/recipe/recipe.h"

#include <stdlib.h>
#include <string.h>

static const SlRecipe base = {.prompt = "",
                              .negative_prompt = "",
                              .scheduler = "pndm",
                              .steps = 25,
                              .guidance = 7.5,
                              .guidance_to = 1,
                              .eta = -1,
                              .width = 64,
                              .height = 64,
                              .caching_interval = 3,
                              .caching_threshold = 0.05,
                              .caching_to = 1};

/* Refused with a sentence, or not at all. */
static void check(bool ok, const SlError *err)
{
    if (!ok && (err->code == SL_OK || !*err->message))
        abort();
}

/* Whatever it is. */
static void read_settings(const char *path)
{
    SlError err = {0};
    SlImport import;
    check(sl_import_picture(path, &base, NULL, &import, &err), &err);
    sl_import_free(&import);
}

static void read_png(const char *path)
{
    SlError err = {0};
    SlMetadata metadata;
    char hex[65];
    bool ok = sl_metadata_read(path, &metadata, &err);
    check(ok, &err);
    if (ok && !metadata.recipe)
        abort();
    sl_metadata_free(&metadata);
    err = (SlError){0};
    check(sl_png_hash(path, hex, &err), &err);
}

static void read_webp(const char *path)
{
    SlError err = {0};
    SlMetadata metadata;
    SlWebp webp;
    char pixels[65];
    char *text = sl_webp_text(path, &err);
    check(text != NULL, &err);
    if (text) {
        err = (SlError){0};
        check(sl_metadata_from_json("fuzz.webp", text, &metadata, &err), &err);
        sl_metadata_free(&metadata);
    }
    free(text);
    err = (SlError){0};
    /* a canvas of gigabytes is what sl_webp_check_size is for */
    if (sl_webp_read(path, &webp, &err) && webp.width < 1024 && webp.height < 1024)
        check(sl_animation_hash(path, pixels, &err), &err);
    sl_webp_free(&webp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    if (size > 4 && !memcmp(data, "RIFF", 4)) {
        read_settings(fuzz_file(copy, size));
        read_webp(fuzz_file(copy, size));
    } else if (size > 2 && !memcmp(data, "\xFF\xD8\xFF", 3)) {
        read_settings(fuzz_file(copy, size));
    } else {
        fuzz_repair_png(copy, size);
        read_settings(fuzz_file(copy, size));
        read_png(fuzz_file(copy, size));
    }
    free(copy);
    return 0;
}
