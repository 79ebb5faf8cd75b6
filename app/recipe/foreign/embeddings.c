/* embeddings.c - see embeddings.h. Mirrors AUTOMATIC1111's modules/sd_hijack.py (extra_generation_params) and
 * InvokeAI's app/util/ti_utils.py (extract_ti_triggers_from_prompt).
 *
 * Easy to get wrong: the field may stand in quotes, and a file may be called otherwise here.
 */
#include "app/recipe/foreign/embeddings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "name: 0123456789ab" at p, `length` bytes. */
static bool read_entry(const char *p, size_t length, SlEmbeddingUse *use)
{
    const char *colon = memrchr(p, ':', length);
    *use = (SlEmbeddingUse){.name = ""};
    if (!colon || colon == p || (size_t)(colon - p) >= sizeof use->word)
        return false;
    const char *hash = colon + 1, *end = p + length;
    while (hash < end && *hash == ' ')
        hash++;
    if (end - hash < 8 || end - hash > 64)
        return false;
    memcpy(use->word, p, (size_t)(colon - p));
    memcpy(use->hash, hash, (size_t)(end - hash));
    return strspn(use->hash, "0123456789abcdef") == strlen(use->hash);
}

/* Its file, called as it is here; the word stays where that is another one. */
static bool find_file(SlEmbeddingUse *use)
{
    SlError ignored = {0};
    char *path = sl_embedding_find(use->word, use->hash, &ignored);
    const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : path;
    const char *dot = name ? strrchr(name, '.') : NULL;
    size_t length = dot ? (size_t)(dot - name) : name ? strlen(name) : 0;
    bool ok = name && length < sizeof use->name && !strchr(name, ';');
    if (ok) {
        memcpy(use->name, name, length);
        use->name[length] = 0;
        if (!strcmp(use->name, use->word))
            use->word[0] = 0;
    }
    free(path);
    return ok;
}

/* False without memory. What is to be taken is the importer's then. */
static bool take(SlImporter *im, SlEmbeddingUses *uses)
{
    char *text = uses->count > 0 ? sl_embedding_uses_text(uses) : NULL;
    bool ok = text || uses->count == 0;
    if (text && sl_embedding_uses_check(text, NULL))
        sl_importer_take(im, SL_SETTING_EMBEDDING, text);
    free(text);
    return ok;
}

void sl_embeddings_take(SlImporter *im, const char *hashes)
{
    SlEmbeddingUses uses = {.use = hashes ? calloc(SL_EMBEDDINGS_MAX, sizeof *uses.use) : NULL};
    bool ok = uses.use != NULL;
    im->failed |= hashes && !uses.use;
    for (const char *p = hashes; ok && *p;) {
        p += strspn(p, ", ");
        size_t length = strcspn(p, ",");
        if (length == 0)
            break;
        ok = uses.count < SL_EMBEDDINGS_MAX && read_entry(p, length, &uses.use[uses.count]) &&
             find_file(&uses.use[uses.count]);
        uses.count += ok;
        p += length;
    }
    im->failed |= ok && !take(im, &uses);
    sl_embedding_uses_free(&uses);
}

/* ---- words ---- */

/* "<NAME>" at p: its length, 0 where it is none. */
static size_t trigger_at(const char *p)
{
    size_t length = *p == '<' ? strcspn(p + 1, "<>:;#\n") : 0;
    return length && p[1 + length] == '>' ? length + 2 : 0;
}

static bool is_taken(const SlEmbeddingUses *uses, const char *word)
{
    for (int i = 0; i < uses->count; i++)
        if (!strcmp(uses->use[i].word, word))
            return true;
    return false;
}

/* The file of that name, which the word goes on standing for. */
static void take_trigger(SlEmbeddingUses *uses, const char *trigger, size_t length)
{
    SlEmbeddingUse use = {.name = ""};
    char word[sizeof use.word];
    if (uses->count == SL_EMBEDDINGS_MAX || length >= sizeof word)
        return;
    memcpy(word, trigger, length);
    word[length] = 0;
    memcpy(use.word, trigger + 1, length - 2);
    if (is_taken(uses, word) || !find_file(&use))
        return;
    memcpy(use.word, word, length + 1);
    uses->use[uses->count++] = use;
}

void sl_embeddings_take_triggers(SlImporter *im)
{
    static const SlSetting prompts[] = {SL_SETTING_PROMPT, SL_SETTING_NEGATIVE_PROMPT};
    SlEmbeddingUses uses = {.use = calloc(SL_EMBEDDINGS_MAX, sizeof *uses.use)};
    for (int i = 0; uses.use && i < 2; i++)
        for (const char *p = im->text[prompts[i]] ? im->text[prompts[i]] : ""; *p; p++) {
            size_t length = trigger_at(p);
            if (length)
                take_trigger(&uses, p, length);
        }
    im->failed |= !uses.use || !take(im, &uses);
    sl_embedding_uses_free(&uses);
}
