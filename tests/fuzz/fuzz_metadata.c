/* fuzz_metadata.c - the input is the JSON that a picture (`safelight` text), a sheet or an
 * animation says of itself. What is accepted must survive being written and read again.
 */
#include "tests/fuzz/fuzz.h"

#include "app/files/files.h"
#include "app/recipe/recipe.h"
#include "app/record/record.h"

#include <stdlib.h>
#include <string.h>

static void check_picture(const char *text)
{
    SlError err = {0};
    SlMetadata metadata, back;
    bool ok = sl_metadata_from_json("fuzz.png", text, &metadata, &err);
    if (ok) {
        char *again = sl_metadata_to_json(&metadata);
        char *parameters = sl_metadata_to_parameters(&metadata);
        if (!again || !parameters || !sl_metadata_from_json("fuzz.png", again, &back, &err) ||
            !sl_recipe_equal(metadata.recipe, back.recipe))
            abort();
        sl_metadata_free(&back);
        free(again);
        free(parameters);
    } else if (err.code == SL_OK || !*err.message) {
        abort();
    }
    sl_metadata_free(&metadata);
}

static void check_sheet(const char *text)
{
    static SlCompareText sheet; /* too large for a stack */
    SlError err = {0};
    bool ok = sl_compare_text_read("fuzz.png", text, &sheet, &err);
    if (ok ? sheet.count < 1 || sheet.count > SL_LANES_MAX : err.code == SL_OK || !*err.message)
        abort();
    for (int i = 0; ok && i < sheet.count; i++)
        if (!sheet.lane[i].recipe || sheet.parent[i] >= i)
            abort();
    sl_compare_text_free(&sheet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = sl_copy_bytes((const char *)data, size);
    if (!text)
        abort();
    if (sl_compare_is_text(text))
        check_sheet(text);
    else
        check_picture(text);
    free(text);
    return 0;
}
