/* lora_tags.c - see lora_tags.h. Mirrors AUTOMATIC1111's modules/extra_networks.py and
 * extensions-builtin/Lora/extra_networks_lora.py.
 *
 * Easy to get wrong: the first number is the texts' strength, and the UNet's where there is no other;
 * "te=" and "unet=" say which is which; blanks beside a tag stay in the prompt.
 */
#include "app/recipe/foreign/lora_tags.h"
#include "app/recipe/foreign/loras.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TAG 1200 /* bytes that a tag may have */

/* The hash of a name in "a: 12ab, b: 34cd"; "" where it has none. */
static void find_hash(const char *hashes, const char *name, char hash[65])
{
    size_t n = strlen(name);
    hash[0] = 0;
    for (const char *p = hashes; p && *p; p++) {
        p += strspn(p, ", ");
        const char *end = p + strcspn(p, ",");
        if ((size_t)(end - p) > n + 1 && !strncmp(p, name, n) && p[n] == ':') {
            const char *digits = p + n + 1 + strspn(p + n + 1, " ");
            size_t length = strspn(digits, "0123456789abcdef");
            if (length <= 64 && digits + length == end)
                snprintf(hash, 65, "%.*s", (int)length, digits);
            return;
        }
        if (!*end)
            return;
        p = end;
    }
}

/* One of a tag's arguments, the i-th without a name. False: it is no strength. */
static bool take_argument(SlAdapterUse *use, const char *text, int i, bool *unet)
{
    bool named_text = !strncmp(text, "te=", 3), named_unet = !strncmp(text, "unet=", 5);
    double value;
    if (!sl_parse_double(text + (named_text ? 3 : named_unet ? 5 : 0), &value))
        return false;
    if (named_text || (!named_unet && i == 0))
        use->text = value;
    else if (named_unet || i == 1)
        use->unet = value;
    *unet = *unet || named_unet || (!named_text && i == 1);
    return true;
}

/* "NAME:0.8:1", which is changed. */
static bool read_tag(char *tag, const char *hashes, SlAdapterUse *use)
{
    *use = (SlAdapterUse){.unet = 1, .text = 1, .to = 1};
    char *rest = strchr(tag, ':');
    bool unet = false, ok = true;
    if (rest)
        *rest++ = 0;
    if (!*tag || strlen(tag) >= sizeof use->name || strpbrk(tag, SL_NOT_IN_LORA_NAMES))
        return false;
    memcpy(use->name, tag, strlen(tag) + 1);
    for (int i = 0; ok && rest && i < 2; i++) {
        char *next = strchr(rest, ':');
        if (next)
            *next++ = 0;
        ok = take_argument(use, rest, i, &unet);
        rest = next;
    }
    if (!unet)
        use->unet = use->text;
    find_hash(hashes, use->name, use->hash);
    return ok;
}

/* The tag at p, cut out where it is taken; the bytes that it has, 0: p begins none that is. */
static size_t take_tag(SlImporter *im, const char *p, const char *hashes, SlAdapterUses *uses)
{
    char tag[MOST_TAG];
    const char *end = !strncmp(p, "<lora:", 6) ? memchr(p, '>', strnlen(p, MOST_TAG)) : NULL;
    if (!end || uses->count == SL_ADAPTERS_MAX)
        return 0;
    snprintf(tag, sizeof tag, "%.*s", (int)(end - p - 6), p + 6);
    SlAdapterUse *use = &uses->use[uses->count];
    if (!read_tag(tag, hashes, use))
        return 0;
    if (!sl_lora_is_here(im, use)) {
        sl_importer_note(im, SL_NOTE_LORA_GONE, use->name);
        im->loras_gone++;
        return 0;
    }
    if (!sl_lora_fits(im, use)) {
        im->loras_gone++;
        return 0;
    }
    uses->count++;
    return (size_t)(end + 1 - p);
}

void sl_lora_tags_take(SlImporter *im, const char *hashes)
{
    const char *prompt = im->recipe.prompt ? im->recipe.prompt : "";
    SlLoraList list = sl_loras_begin(im);
    SlText rest = {0};
    for (const char *p = prompt; list.uses.use && *p;) {
        size_t n = take_tag(im, p, hashes, &list.uses);
        if (n == 0)
            sl_text_append(&rest, p, 1);
        p += n ? n : 1;
    }
    im->failed |= rest.failed;
    if (sl_loras_take(&list)) {
        while (rest.length > 0 && rest.data[rest.length - 1] == ' ') /* of a tag at the end */
            rest.data[--rest.length] = 0;
        sl_importer_take(im, SL_SETTING_PROMPT, rest.data ? rest.data : "");
    }
    sl_text_free(&rest);
}
