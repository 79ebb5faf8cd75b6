/* loras.c - see loras.h.
 *
 * Easy to get wrong: programs name files by their path on a machine that may have been another system's,
 * and some put into each text of a list what Python prints of it: "['a', 'b']".
 */
#include "app/recipe/foreign/loras.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NAMES 64 /* of a list; more are not looked at */

SlLoraList sl_loras_begin(SlImporter *im)
{
    SlLoraList list = {im, {.use = calloc(SL_ADAPTERS_MAX, sizeof(SlAdapterUse))}};
    im->failed |= !list.uses.use;
    return list;
}

bool sl_lora_is_here(SlImporter *im, const SlAdapterUse *use)
{
    SlError problem = {0};
    char *path = sl_lora_find(use->name, use->hash, &problem);
    im->failed |= problem.code == SL_MEMORY;
    free(path);
    return path != NULL;
}

bool sl_lora_fits(SlImporter *im, const SlAdapterUse *use)
{
    double most = fabs(use->unet) > fabs(use->text) ? use->unet : use->text;
    char text[32];
    if (fabs(most) <= SL_ADAPTER_STRENGTH_MAX)
        return true;
    sl_format_double(most, text);
    sl_importer_note_two(im, SL_NOTE_LORA_STRENGTH, use->name,
                         fabs(most) < 1e9 ? sl_strength_text(most).text : text);
    return false;
}

/* What stands behind the last slash of either kind, without the ending of a file of weights. False: it is too long. */
static bool name_of(const char *path, char name[1024])
{
    static const char *const endings[] = {".safetensors", ".ckpt", ".pt"};
    const char *base = path;
    for (; *path; path++)
        if (*path == '/' || *path == '\\')
            base = path + 1;
    size_t n = strlen(base);
    for (int i = 0; i < 3; i++) {
        size_t m = strlen(endings[i]);
        if (n > m && !strcmp(base + n - m, endings[i])) {
            n -= m;
            break;
        }
    }
    snprintf(name, 1024, "%.*s", n < 1024 ? (int)n : 1023, base);
    return n < 1024;
}

/* In small letters, as hashes are here; some programs write large ones. "" where it is none. */
static void take_hash(const char *text, char hash[65])
{
    size_t n = strspn(text, "0123456789abcdefABCDEF");
    bool good = !text[n] && (n == 8 || n == 10 || n == 12 || n == 64);
    for (size_t i = 0; good && i < n; i++)
        hash[i] = sl_lower(text[i]);
    hash[good ? n : 0] = 0;
}

void sl_loras_add(SlLoraList *list, const char *name, const char *hash, double unet, double text)
{
    SlAdapterUse use = {.unet = unet, .text = text, .to = 1};
    if (!name) {
        sl_importer_note(list->im, SL_NOTE_NOT_TAKEN, "loras");
        return;
    }
    bool fits = name_of(name, use.name);
    if (!list->uses.use || !*use.name || sl_same_letters(use.name, "None") ||
        (unet == 0 && text == 0))
        return;
    if (hash)
        take_hash(hash, use.hash);
    if (!fits || strpbrk(use.name, SL_NOT_IN_LORA_NAMES) || !sl_lora_is_here(list->im, &use))
        sl_importer_note(list->im, SL_NOTE_LORA_NOT_HERE, use.name);
    else if (!sl_lora_fits(list->im, &use))
        return;
    else if (list->uses.count == SL_ADAPTERS_MAX)
        sl_importer_note(list->im, SL_NOTE_NOT_TAKEN, use.name);
    else
        list->uses.use[list->uses.count++] = use;
}

/* ---- lists ---- */

/* "['a', 'b']" */
static bool is_in_brackets(const char *text)
{
    size_t n = strlen(text);
    return n > 1 && text[0] == '[' && text[n - 1] == ']';
}

/* The i-th text of a list; false: it has none. */
static bool item_at(const cJSON *list, int i, char text[1024])
{
    SlScratch scratch;
    const cJSON *item = cJSON_IsArray(list) ? cJSON_GetArrayItem(list, i) : NULL;
    const char *one = sl_loose_text(item ? item : list, &scratch);
    if (!one || (cJSON_IsArray(list) && !item))
        return false;
    const char *around = is_in_brackets(one) ? "[] '\"" : " ";
    size_t n = strlen(one);
    for (int skipped = 0; !item && skipped < i; skipped++) {
        const char *comma = strchr(one, ',');
        if (!comma)
            return false;
        one = comma + 1;
    }
    if (!item) {
        one += strspn(one, around);
        n = strcspn(one, ",");
        while (n > 0 && strchr(around, one[n - 1]))
            n--;
    }
    if (n >= 1024)
        return false;
    memcpy(text, one, n);
    text[n] = 0;
    return true;
}

void sl_loras_add_lists(SlLoraList *list, const cJSON *names, const cJSON *strengths)
{
    char name[1024], strength[1024];
    for (int i = 0; i < MOST_NAMES && item_at(names, i, name); i++) {
        double value = 1;
        if (item_at(strengths, i, strength) && !sl_parse_double(strength, &value))
            value = 1;
        sl_loras_add(list, name, NULL, value, value);
    }
}

bool sl_loras_take(SlLoraList *list)
{
    SlImporter *im = list->im;
    char *text = list->uses.count > 0 ? sl_adapter_uses_text(&list->uses) : NULL;
    SlError problem = {0};
    bool fine = text && sl_adapter_uses_check(text, &problem);
    im->failed |= problem.code == SL_MEMORY || (list->uses.count > 0 && !text);
    if (fine)
        sl_importer_take(im, SL_SETTING_LORA, text);
    free(text);
    sl_adapter_uses_free(&list->uses);
    return fine;
}
