/* fuzz_settings.c - the input's first byte chooses a keyword, the rest is the text under it: our
 * own chunk, the common text, and what each of the other programs writes. Either there is an error,
 * or problems, or a recipe that passes the model's validators and survives being written and read
 * again.
 */
#include "tests/fuzz/fuzz.h"

#include "app/recipe/import.h"
#include "app/recipe/metadata.h"
#include "app/recipe/recipe_text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* By a byte below 128, and by one above. */
static const char *const keywords[] = {SL_METADATA_KEYWORD, "parameters", "invokeai_metadata",
                                       "prompt"};
static const char *const more_keywords[] = {
    "workflow",        "Dream",   "sd-metadata",         "EXIF UserComment",
    "XMP UserComment", "Comment", "num_inference_steps", "EXIF Model"};

/* What a program's settings are before a picture's come: unset, but for what a model has. */
static SlRecipe base(void)
{
    SlRecipe recipe;
    sl_recipe_clear(&recipe);
    recipe.scheduler = "pndm";
    recipe.steps = 25;
    recipe.guidance = 7.5;
    recipe.width = recipe.height = 64;
    return recipe;
}

static const SlModelInfo model = {.name = "fuzz",
                                  .scheduler = "pndm",
                                  .width = 64,
                                  .height = 64,
                                  .size_multiple = 8,
                                  .channels = 4,
                                  .factor = 8,
                                  .prompt_tokens = 77};

static void check_recipe(const SlRecipe *recipe)
{
    SlError err = {0};
    SlRecipe back = base();
    cJSON *json = sl_recipe_to_json(recipe);
    if (!sl_recipe_check(recipe, &model, &err) || !sl_recipe_from_json(json, &back, NULL, &err) ||
        !sl_recipe_equal(recipe, &back))
        abort();
    cJSON_Delete(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlPictureTexts texts = {.kind = "PNG", .count = 1};
    SlImport import;
    SlRecipe before = base();
    SlError err = {0};
    if (size < 1)
        return 0;
    strcpy(texts.entry[0].keyword,
           data[0] < 128 ? keywords[data[0] % 4] : more_keywords[data[0] % 8]);
    texts.entry[0].text = sl_copy_bytes((const char *)data + 1, size - 1);
    if (strcmp(texts.entry[0].keyword, "Comment") == 0) { /* NovelAI's, if it says so */
        strcpy(texts.entry[texts.count].keyword, "Software");
        texts.entry[texts.count++].text = sl_copy_bytes("NovelAI", 7);
    }
    bool ok = sl_import_texts("fuzz.png", &texts, &before, &model, &import, &err);
    if (ok ? (import.recipe != NULL) == (import.problems != NULL) || !import.source
           : err.code == SL_OK || !*err.message)
        abort();
    if (ok && import.recipe)
        check_recipe(import.recipe);
    sl_import_free(&import);
    sl_picture_texts_free(&texts);
    return 0;
}
