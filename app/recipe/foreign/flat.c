/* flat.c - see flat.h. */
#include "app/recipe/foreign/flat.h"

#include <string.h>

#define MAX_NAMES 20 /* that are listed */

void sl_flat_take(SlImporter *im, const cJSON *object, const SlFlatKey *keys)
{
    for (; keys->key; keys++) {
        SlScratch scratch;
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, keys->key);
        const char *value = sl_loose_text(item, &scratch);
        if (value)
            sl_importer_take_from(im, keys->setting, value, keys->first);
        else if (item && !cJSON_IsNull(item))
            sl_notes_add(&im->notes, SL_NOTE_VALUE, keys->key, "...",
                         sl_words("a number or a text"));
    }
}

const char *sl_flat_text(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static bool is_empty(const cJSON *item)
{
    return cJSON_IsNull(item) || cJSON_IsFalse(item) ||
           (cJSON_IsString(item) && (!*item->valuestring || !strcmp(item->valuestring, "None") ||
                                     !strcmp(item->valuestring, "[]"))) ||
           ((cJSON_IsArray(item) || cJSON_IsObject(item)) && !item->child);
}

/* Whether an entry of a list ("name", "name=value", "beginning*") covers a member. */
static bool covers(const char *entry, const cJSON *item)
{
    size_t n = strcspn(entry, "=*");
    SlScratch scratch;
    const char *value;
    if (strncmp(entry, item->string, n) != 0 || (item->string[n] && entry[n] != '*'))
        return false;
    return entry[n] != '=' ||
           ((value = sl_loose_text(item, &scratch)) && !strcmp(value, entry + n + 1));
}

static bool is_known(const cJSON *item, const SlFlatKey *keys, const char *const *known)
{
    for (; keys && keys->key; keys++)
        if (strcmp(keys->key, item->string) == 0)
            return true;
    for (; *known; known++)
        if (covers(*known, item))
            return true;
    return false;
}

void sl_flat_note_rest(SlImporter *im, const cJSON *object, const SlFlatKey *keys,
                       const char *const *known)
{
    SlText found = {0};
    const cJSON *item;
    int count = 0;
    cJSON_ArrayForEach(item, object)
    {
        if (!item->string || is_empty(item) || is_known(item, keys, known))
            continue;
        if (count < MAX_NAMES)
            sl_text_addf(&found, "%s%.60s", count ? ", " : "", item->string);
        else if (count == MAX_NAMES)
            sl_text_add(&found, ", ...");
        count++;
    }
    if (found.length)
        sl_importer_note(im, SL_NOTE_NOT_TAKEN, found.data);
    im->failed |= found.failed;
    sl_text_free(&found);
}
