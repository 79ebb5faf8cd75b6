/* fuzz_graph.c - the input is ComfyUI's graph: behind an even first byte the one that was run, behind
 * an odd one its drawing. A walk ends, and what it finds is a recipe.
 */
#include "tests/fuzz/fuzz.h"

#include "app/files/text.h"
#include "app/recipe/import.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlPictureTexts texts = {.kind = "PNG", .count = 1};
    SlImport import;
    SlError err = {0};
    if (size < 1)
        return 0;
    strcpy(texts.entry[0].keyword, data[0] % 2 ? "workflow" : "prompt");
    texts.entry[0].text = sl_copy_bytes((const char *)data + 1, size - 1);
    if (!texts.entry[0].text)
        return 0;
    bool ok = sl_import_texts("fuzz.png", &texts, &base, NULL, &import, &err);
    if (ok ? !import.recipe || !sl_recipe_check(import.recipe, NULL, &err)
           : err.code == SL_OK || !*err.message)
        abort();
    sl_import_free(&import);
    sl_picture_texts_free(&texts);
    return 0;
}
