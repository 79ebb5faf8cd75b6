/* embeddings.c - see embeddings.h. Mirrors AUTOMATIC1111's modules/sd_hijack.py (extra_generation_params).
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
    char *text = ok && uses.count > 0 ? sl_embedding_uses_text(&uses) : NULL;
    im->failed |= ok && uses.count > 0 && !text;
    if (text && sl_embedding_uses_check(text, NULL))
        sl_importer_take(im, SL_SETTING_EMBEDDING, text);
    free(text);
    sl_embedding_uses_free(&uses);
}
