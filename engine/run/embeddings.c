/* embeddings.c - the textual inversions that a run's prompts may name, and those that they do.
 *
 * They come from three places: the recipe names files; a LoRA of the run may bring some; and in the modes
 * whose programs look into a folder, a prompt's words find files there. What the prompts name of the last
 * is put into the run's recipe with its hash, so that a picture says all that it was made with, and a
 * replay looks nowhere. Mirrors A1111's textual_inversion.py, ComfyUI's sd1_clip.py and diffusers'
 * textual_inversion.py. Easy to get wrong: which name counts is the mode's: the file's, or the one in it.
 */
#include "engine/run/embedding_names.h"
#include "engine/run/run_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WORDS 256 /* of a run; more are not looked for */

/* An embedding that prompts may name. */
typedef struct Word {
    const SlEmbeddingFile *file;
    const SlEmbedding *embedding;
    char *name[4]; /* that stand for it; NULL behind the last */
    int found;     /* of those that the prompts may name by themselves: which; -1: of others */
    bool used;
} Word;

struct SlRunEmbeddings {
    SlEmbeddingUses said, found; /* the recipe's; name: without folder, hash filled in at the end */
    char **path;                 /* of the found ones */
    Word *word;
    int words;
};

typedef struct Search {
    SlRun *run;
    SlRunEmbeddings *all;
    SlPromptMode mode;
    SlError *err;
    bool ok;
} Search;

static bool no_memory(SlError *err)
{
    return sl_fail(err, SL_MEMORY, "out of memory for the embeddings");
}

/* False and *err; the name is the list's then, too. */
static bool add_word(Search *s, const Word *word)
{
    SlRunEmbeddings *all = s->all;
    Word *more = realloc(all->word, ((size_t)all->words + 1) * sizeof *more);
    if (!more || !word->name[0]) {
        all->word = more ? more : all->word;
        for (int i = 0; i < 4; i++)
            free(word->name[i]);
        return no_memory(s->err);
    }
    all->word = more;
    more[all->words++] = *word;
    return true;
}

/* ---- said by the recipe ---- */

static char *find_file(const SlRun *run, const SlEmbeddingUse *use, SlError *err)
{
    SlFindAdapter find = run->model->find_embedding;
    char *path = find ? find(use->name, use->hash, err) : strdup(use->name);
    if (!path && !find)
        no_memory(err);
    return path;
}

/* The recipe's word picks one of several, or names the only one. */
static bool add_said(Search *s, const SlEmbeddingUse *use, const SlEmbeddingFile *file)
{
    int count = sl_embedding_count(file), added = 0;
    for (int i = 0; i < count; i++) {
        const SlEmbedding *e = sl_embedding_get(file, i);
        if (*use->word && count > 1 && (!e->word || strcmp(e->word, use->word) != 0))
            continue;
        const Word word = {.file = file,
                           .embedding = e,
                           .name = {*use->word
                                        ? strdup(use->word)
                                        : sl_embedding_own_name(s->mode, use->name, file, e)},
                           .found = -1};
        if (!add_word(s, &word))
            return false;
        added++;
    }
    return added > 0 || sl_fail(s->err, SL_ARGUMENT, "%s: there is no embedding \"%.200s\" in it",
                                sl_show_path(sl_embedding_path(file)).text, use->word);
}

/* Its hash, so that it is found again whatever it is called. */
static bool fill_hash(SlEmbeddingUse *use, const char *path, SlError *err)
{
    char hex[65];
    if (*use->hash)
        return true;
    if (!sl_sha256_file(path, hex, NULL, err))
        return false;
    snprintf(use->hash, sizeof use->hash, "%.10s", hex);
    return true;
}

static bool add_uses(Search *s)
{
    SlRunEmbeddings *all = s->all;
    for (int i = 0; i < all->said.count; i++) {
        SlEmbeddingUse *use = &all->said.use[i];
        char *path = find_file(s->run, use, s->err);
        const SlEmbeddingFile *file =
            path ? sl_model_embedding_file(s->run->model, path, s->err) : NULL;
        bool ok = file && fill_hash(use, path, s->err) && add_said(s, use, file);
        free(path);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- those that a LoRA brings ---- */

/* What is wrong with a file that the recipe does not name itself is a warning. */
static bool warn(Search *s, const char *name, const SlError *problem)
{
    char text[800];
    if (problem->code == SL_MEMORY)
        return sl_fail(s->err, problem->code, "%s", problem->message);
    snprintf(text, sizeof text, sl_words("the embedding %.100s is not used: %.600s"), name,
             problem->message);
    sl_run_warn(s->run, text);
    return true;
}

/* One that does not fit the model is left out: the LoRA's weights may fit nevertheless. */
static bool add_bundle(Search *s, const SlEmbeddingFile *file, const SlEmbedding *e)
{
    SlError problem = {0};
    if (sl_model_embedding(s->run->model, file, e, &problem) < 0)
        return warn(s, e->word, &problem);
    const Word word = {.file = file, .embedding = e, .name = {strdup(e->word)}, .found = -1};
    return add_word(s, &word);
}

static bool add_bundles(Search *s)
{
    SlModel *model = s->run->model;
    for (int i = 0; i < s->run->adapters.count; i++) {
        const SlAdapter *adapter = model->adapter[s->run->adapter[i]].file;
        SlAdapterFacts facts;
        sl_adapter_facts(adapter, &facts);
        if (facts.embeddings == 0)
            continue;
        const SlEmbeddingFile *file =
            sl_model_embedding_file(model, sl_adapter_path(adapter), s->err);
        for (int k = 0; file && k < sl_embedding_count(file); k++)
            if (!add_bundle(s, file, sl_embedding_get(file, k)))
                return false;
        if (!file)
            return false;
    }
    return true;
}

/* ---- those that the prompts find ---- */

static bool is_known(const SlRunEmbeddings *all, const char *name, size_t length)
{
    for (int i = 0; i < all->words; i++)
        if (strlen(all->word[i].name[0]) == length && !memcmp(all->word[i].name[0], name, length))
            return true;
    return false;
}

static bool keep_found(Search *s, const char *path, const char *stem, size_t length)
{
    SlRunEmbeddings *all = s->all;
    char **more = realloc(all->path, ((size_t)all->found.count + 1) * sizeof *more);
    if (!more)
        return no_memory(s->err);
    all->path = more;
    more[all->found.count] = strdup(path);
    if (!more[all->found.count])
        return no_memory(s->err);
    SlEmbeddingUse *use = &all->found.use[all->found.count++];
    *use = (SlEmbeddingUse){.name = ""};
    memcpy(use->name, stem, length);
    use->name[length] = 0;
    return true;
}

static bool take_found(Search *s, const char *name, const char *path)
{
    SlError problem = {0};
    size_t length;
    const char *stem = sl_embedding_stem(path, &length);
    const SlEmbeddingFile *file = sl_model_embedding_file(s->run->model, path, &problem);
    if (!file || sl_model_embedding(s->run->model, file, sl_embedding_get(file, 0), &problem) < 0)
        return warn(s, name, &problem);
    if (sl_embedding_count(file) > 1)
        return true;
    Word word = {.file = file,
                 .embedding = sl_embedding_get(file, 0),
                 .name = {strndup(stem, length)},
                 .found = s->all->found.count};
    if (s->mode == SL_PROMPT_COMFYUI)
        sl_embedding_comfyui_names(word.name + 1, name, path);
    return add_word(s, &word) && keep_found(s, path, stem, length);
}

static void look_at(void *arg, const char *name, const char *path)
{
    Search *s = arg;
    size_t length;
    const char *stem = sl_embedding_stem(path, &length);
    const SlRun *run = s->run;
    if (!s->ok || s->all->found.count == SL_EMBEDDINGS_MAX || is_known(s->all, stem, length) ||
        length >= sizeof s->all->found.use->name || memchr(stem, ';', length) ||
        (!sl_embedding_may_be_named(run->prompt, stem, length) &&
         !sl_embedding_may_be_named(run->negative_prompt, stem, length)))
        return;
    s->ok = take_found(s, name, path);
}

static bool look_for_files(Search *s)
{
    SlListEmbeddings list = s->run->model->list_embeddings;
    if (!list || s->run->settled || (s->mode != SL_PROMPT_A1111 && s->mode != SL_PROMPT_COMFYUI))
        return true;
    s->all->found.use = calloc(SL_EMBEDDINGS_MAX, sizeof *s->all->found.use);
    if (!s->all->found.use)
        return no_memory(s->err);
    return list(look_at, s, s->err) && s->ok;
}

/* ---- the whole ---- */

bool sl_run_find_embeddings(SlRun *run, SlPromptMode mode, SlError *err)
{
    Search s = {.run = run, .mode = mode, .err = err, .ok = true};
    s.all = run->embeddings = calloc(1, sizeof *run->embeddings);
    if (!s.all)
        return no_memory(err);
    const char *text = run->recipe.embedding ? run->recipe.embedding : "";
    return sl_embedding_uses_parse(text, &s.all->said, err) && add_uses(&s) && add_bundles(&s) &&
           look_for_files(&s);
}

void sl_run_free_embeddings(SlRun *run)
{
    SlRunEmbeddings *all = run->embeddings;
    if (!all)
        return;
    for (int i = 0; i < all->words; i++)
        for (int k = 0; k < 4; k++)
            free(all->word[i].name[k]);
    for (int i = 0; i < all->found.count; i++)
        free(all->path[i]);
    free(all->path);
    free(all->word);
    sl_embedding_uses_free(&all->said);
    sl_embedding_uses_free(&all->found);
    free(all);
    run->embeddings = NULL;
}

/* Diffusers refuses a name that is a token already: the text would not be what it was. */
static bool check_name(const SlModel *model, const Word *w, SlError *err)
{
    if (!sl_tokenizer_knows(model->tokenizer, w->name[0]))
        return true;
    return sl_fail(err, SL_ARGUMENT,
                   "%s: its word \"%.100s\" is a token of the model %s; give it another one: "
                   "FILE:WORD",
                   sl_show_path(sl_embedding_path(w->file)).text, w->name[0], model->info.name);
}

bool sl_run_name_vectors(SlRun *run, SlRunSide *side, SlPromptMode mode, SlError *err)
{
    const SlRunEmbeddings *all = run->embeddings;
    bool tokens = mode == SL_PROMPT_PLAIN || mode == SL_PROMPT_COMPEL;
    int words = all ? all->words : 0; /* none where the conditions were given */
    side->vectors = calloc((size_t)words * 4 + 1, sizeof *side->vectors);
    if (!side->vectors)
        return no_memory(err);
    side->vectors_count = 0;
    for (int i = 0; i < words; i++) {
        const Word *w = &all->word[i];
        int first = sl_model_embedding(side->model, w->file, w->embedding, err);
        if (first < 0 || (tokens && !check_name(side->model, w, err)))
            return false;
        for (int k = 0; k < 4 && w->name[k]; k++)
            side->vectors[side->vectors_count++] =
                (SlPromptVectors){w->name[k], first, w->embedding->vectors};
    }
    return true;
}

/* ---- what the prompts name ---- */

static void mark(SlRunEmbeddings *all, const SlRunSide *side, int id)
{
    int v = 0;
    for (int i = 0; i < all->words; i++)
        for (int k = 0; k < 4 && all->word[i].name[k]; k++, v++)
            all->word[i].used |= id == side->vectors[v].first;
}

void sl_run_mark_vectors(SlRun *run, const SlRunSide *side, const SlAsk *ask)
{
    const SlPromptTokens *tokens = ask->tokens[0];
    for (int t = 0; tokens && t < tokens->texts; t++)
        for (int s = 0; s < tokens->text[t].sections; s++) {
            const SlTokenSection *section = &tokens->text[t].section[s];
            for (int i = 0; i < section->terms; i++)
                for (int k = 0; k < section->chunks * tokens->length; k++)
                    mark(run->embeddings, side, section->term[i].row[k].id);
        }
}

/* "embedding:name" that nothing is found for: ComfyUI leaves it out with a warning. */
static void warn_of_missing(SlRun *run, const char *text)
{
    static const char sign[] = "embedding:";
    char line[600];
    for (const char *p = text; (p = strstr(p, sign)); p++) {
        const char *name = p + strlen(sign);
        int length = (int)strcspn(name, " \t\r\v\f\n,):");
        bool known = false;
        for (int i = 0; i < run->embeddings->words; i++)
            for (int k = 0; k < 4 && run->embeddings->word[i].name[k]; k++)
                known |= !strncmp(run->embeddings->word[i].name[k], name, (size_t)length);
        if (known || length == 0)
            continue;
        snprintf(line, sizeof line,
                 sl_words("the prompt names the embedding %.*s, which is not here"),
                 length < 200 ? length : 200, name);
        sl_run_warn(run, line);
    }
}

bool sl_run_settle_embeddings(SlRun *run, SlPromptMode mode, SlError *err)
{
    SlRunEmbeddings *all = run->embeddings;
    SlEmbeddingUses uses = {.use = calloc(2 * SL_EMBEDDINGS_MAX, sizeof *uses.use)};
    bool ok = uses.use || no_memory(err);
    for (int i = 0; ok && i < all->said.count; i++)
        uses.use[uses.count++] = all->said.use[i];
    for (int i = 0; ok && i < all->words; i++) {
        int k = all->word[i].found;
        if (k < 0 || !all->word[i].used)
            continue;
        if (uses.count == SL_EMBEDDINGS_MAX)
            ok = sl_fail(err, SL_ARGUMENT, "there are more than %d embeddings", SL_EMBEDDINGS_MAX);
        else
            uses.use[uses.count++] = all->found.use[k];
        ok = ok && fill_hash(&uses.use[uses.count - 1], all->path[k], err);
    }
    char *text = ok ? sl_embedding_uses_text(&uses) : NULL;
    if (ok && !text)
        ok = no_memory(err);
    sl_embedding_uses_free(&uses);
    if (!ok)
        return false;
    free(run->embedding);
    run->recipe.embedding = run->embedding = text;
    if (mode == SL_PROMPT_COMFYUI) {
        warn_of_missing(run, run->prompt);
        warn_of_missing(run, run->negative_prompt);
    }
    return true;
}
