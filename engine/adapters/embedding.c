/* embedding.c - see embedding.h.
 *
 * Easy to get wrong: a vector of one row may be stored without the axis of rows; a LoRA's own tensors are
 * no embeddings; which of two tensors is for which encoder says the name, not the order.
 */
#include "engine/adapters/embedding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_IN_A_FILE 256
#define MOST_WIDTH     8192

static const char bundle_mark[] = "bundle_emb.";

struct SlEmbeddingFile {
    char *path;
    SlWeightSource *file;
    bool pickled;
    const char *layout;
    SlEmbedding embedding[MOST_IN_A_FILE];
    char *word[MOST_IN_A_FILE]; /* of those in LoRA files */
    int count;
};

static bool no_memory(const char *path, SlError *err)
{
    return sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(path).text);
}

/* ---- tensors by their names ---- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* What a tensor's name says within its embedding: for which encoder it is. False: nothing known. */
static bool known_member(const char *name, int *encoder)
{
    *encoder = !strcmp(name, "clip_g");
    return *encoder || !strcmp(name, "clip_l") || !strcmp(name, "emb_params") ||
           begins(name, "string_to_param.");
}

/* The embedding with that word, made where it is new; NULL and *err. */
static SlEmbedding *embedding_of(SlEmbeddingFile *f, const char *word, size_t length, bool bundled,
                                 SlError *err)
{
    for (int i = 0; i < f->count; i++)
        if (f->embedding[i].bundled == bundled && f->word[i] && strlen(f->word[i]) == length &&
            !memcmp(f->word[i], word, length))
            return &f->embedding[i];
    if (f->count == MOST_IN_A_FILE) {
        sl_fail(err, SL_FORMAT,
                "%s: there are more than %d embeddings in it; or it is something else",
                sl_show_path(f->path).text, MOST_IN_A_FILE);
        return NULL;
    }
    SlEmbedding *e = &f->embedding[f->count];
    f->word[f->count] = strndup(word, length);
    if (!f->word[f->count]) {
        no_memory(f->path, err);
        return NULL;
    }
    *e = (SlEmbedding){.word = f->word[f->count++], .bundled = bundled};
    return e;
}

static bool set_tensor(const SlEmbeddingFile *f, SlEmbedding *e, int encoder,
                       const SlTensorInfo *info, SlError *err)
{
    int64_t vectors = info->rank == 2 ? info->size[0] : 1;
    int64_t width = info->rank == 1 || info->rank == 2 ? info->size[info->rank - 1] : 0;
    SlShown name = sl_show_name(info->name);
    if (e->tensor[encoder])
        return sl_fail(err, SL_FORMAT, "%s: the tensors \"%s\" and \"%s\" say the same",
                       sl_show_path(f->path).text, sl_show_name(e->tensor[encoder]->name).text,
                       name.text);
    if (width < 1 || width > MOST_WIDTH || vectors < 1)
        return sl_fail(
            err, SL_FORMAT,
            "%s: this is no embedding: its tensor \"%s\" has %d axes and %lld numbers in "
            "the last; expected rows of at most %d numbers",
            sl_show_path(f->path).text, name.text, info->rank, (long long)width, MOST_WIDTH);
    if (vectors > SL_EMBEDDING_MAX_VECTORS)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: the embedding \"%s\" has %lld vectors; at most %d find room in a text",
                       sl_show_path(f->path).text, name.text, (long long)vectors,
                       SL_EMBEDDING_MAX_VECTORS);
    if (!info->storage)
        return sl_fail(err, SL_UNSUPPORTED, "%s: tensor \"%s\" has the dtype %s; expected %s",
                       sl_show_path(f->path).text, name.text, info->dtype_name, sl_storage_names());
    if (e->vectors && e->vectors != vectors)
        return sl_fail(
            err, SL_FORMAT,
            "%s: it has %d vectors for one text encoder and %lld for the other; expected "
            "equal numbers",
            sl_show_path(f->path).text, e->vectors, (long long)vectors);
    e->vectors = (int)vectors;
    e->width[encoder] = (int)width;
    e->tensor[encoder] = info;
    return true;
}

/* "bundle_emb.NAME.clip_l" */
static bool take_bundled(SlEmbeddingFile *f, const SlTensorInfo *info, SlError *err)
{
    const char *word = info->name + strlen(bundle_mark), *dot = strchr(word, '.');
    int encoder;
    if (!dot || dot == word || !known_member(dot + 1, &encoder))
        return sl_fail(err, SL_FORMAT, "%s: tensor \"%s\" is no part of an embedding that is known",
                       sl_show_path(f->path).text, sl_show_name(info->name).text);
    SlEmbedding *e = embedding_of(f, word, (size_t)(dot - word), true, err);
    return e && set_tensor(f, e, encoder, info, err);
}

static bool has_bundles(const SlWeightSource *file)
{
    for (size_t i = 0; i < sl_weights_count(file); i++)
        if (begins(sl_weights_info(file, i)->name, bundle_mark))
            return true;
    return false;
}

static bool read_bundles(SlEmbeddingFile *f, SlError *err)
{
    for (size_t i = 0; i < sl_weights_count(f->file); i++) {
        const SlTensorInfo *info = sl_weights_info(f->file, i);
        if (begins(info->name, bundle_mark) && !take_bundled(f, info, err))
            return false;
    }
    f->layout = sl_words("in a LoRA");
    return true;
}

/* One embedding under names that every file has. */
static bool read_known(SlEmbeddingFile *f, SlError *err)
{
    SlEmbedding *e = &f->embedding[0];
    for (size_t i = 0; i < sl_weights_count(f->file); i++) {
        const SlTensorInfo *info = sl_weights_info(f->file, i);
        int encoder;
        if (known_member(info->name, &encoder) && !set_tensor(f, e, encoder, info, err))
            return false;
    }
    f->count = e->vectors > 0;
    f->layout = e->tensor[1] ? "clip_l and clip_g" : "AUTOMATIC1111";
    if (f->count && e->tensor[0] && begins(e->tensor[0]->name, "string_to_param."))
        e->word = sl_weights_metadata(f->file, "name");
    return true;
}

/* Each tensor is one, its name the word. */
static bool read_named(SlEmbeddingFile *f, SlError *err)
{
    for (size_t i = 0; i < sl_weights_count(f->file); i++) {
        const SlTensorInfo *info = sl_weights_info(f->file, i);
        SlEmbedding *e = embedding_of(f, info->name, strlen(info->name), false, err);
        if (!e || !set_tensor(f, e, 0, info, err))
            return false;
        e->named = *info->name;
        e->word = *info->name ? e->word : NULL;
    }
    f->layout = f->embedding[0].word ? "diffusers" : sl_words("a tensor alone");
    return true;
}

static bool read_file(SlEmbeddingFile *f, SlError *err)
{
    if (has_bundles(f->file))
        return read_bundles(f, err);
    if (!sl_weights_unless_known(f->file, SL_WANT_EMBEDDING, err))
        return false;
    return read_known(f, err) && (f->count > 0 || read_named(f, err));
}

/* ---- opening ---- */

SlEmbeddingFile *sl_embedding_open(const char *path, SlError *err)
{
    SlEmbeddingFile *f = calloc(1, sizeof *f);
    if (f)
        f->path = strdup(path);
    if (!f || !f->path) {
        no_memory(path, err);
        free(f);
        return NULL;
    }
    f->pickled = sl_torch_file_is(path);
    if (!sl_file_check(path, SL_WANT_EMBEDDING, err)) {
        sl_embedding_close(f);
        return NULL;
    }
    f->file = f->pickled ? sl_torch_file_open(path, err) : sl_weights_open_file(path, err);
    if (f->file && read_file(f, err))
        return f;
    sl_embedding_close(f);
    return NULL;
}

void sl_embedding_close(SlEmbeddingFile *f)
{
    if (!f)
        return;
    for (int i = 0; i < MOST_IN_A_FILE; i++)
        free(f->word[i]);
    sl_weights_close(f->file);
    free(f->path);
    free(f);
}

const char *sl_embedding_path(const SlEmbeddingFile *f)
{
    return f->path;
}

int sl_embedding_count(const SlEmbeddingFile *f)
{
    return f->count;
}

const SlEmbedding *sl_embedding_get(const SlEmbeddingFile *f, int i)
{
    return &f->embedding[i];
}

bool sl_embedding_read(const SlEmbeddingFile *f, const SlEmbedding *of, int encoder, float *out,
                       SlError *err)
{
    return sl_weights_read_f32(f->file, of->tensor[encoder], out, err);
}

/* A file of torch.save may be anything; of others, what is named as an embedding is one, and so is a lone
 * row of numbers. */
bool sl_embedding_recognise(const char *path, SlError *err)
{
    SlError problem = {0};
    SlEmbeddingFile *f = sl_embedding_open(path, &problem);
    if (problem.code == SL_MEMORY)
        return sl_fail(err, SL_MEMORY, "%s", problem.message);
    bool yes = f && (f->pickled || (sl_weights_count(f->file) <= 2 && !f->embedding[0].bundled));
    sl_embedding_close(f);
    return yes;
}

/* ---- what it says ---- */

static const char *base_of(const SlEmbedding *e)
{
    if (e->width[0] && e->width[1])
        return "Stable Diffusion XL";
    return e->width[0] == 768    ? "Stable Diffusion 1.x"
           : e->width[0] == 1024 ? "Stable Diffusion 2.x"
           : e->width[0] == 1280 ? sl_words("the second text encoder of Stable Diffusion XL")
                                 : NULL;
}

void sl_embedding_facts(const SlEmbeddingFile *f, SlEmbeddingFacts *facts)
{
    const char *name = sl_weights_metadata(f->file, "sd_checkpoint_name");
    *facts = (SlEmbeddingFacts){
        .layout = f->layout,
        .base = base_of(&f->embedding[0]),
        .pickled = f->pickled,
        .name = sl_weights_metadata(f->file, "name"),
        .step = sl_weights_metadata(f->file, "step"),
        .checkpoint = name ? name : sl_weights_metadata(f->file, "sd_checkpoint"),
    };
}
