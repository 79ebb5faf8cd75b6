/* embeddings.c - textual inversions that a model's texts may name.
 *
 * An embedding that some run named has ids behind the vocabulary of the text encoders, the same for both,
 * and keeps them as long as the model is open: so equal ids are equal vectors, and texts that were
 * encoded before stay what they are. Their vectors are one table for each encoder, looked up instead of
 * the vocabulary's (SlTextExtras). Easy to get wrong: a file for one family may be as wide as another
 * one's first encoder; it is refused nevertheless.
 */
#include "engine/pipelines/pipelines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- files ---- */

static bool no_memory(SlError *err)
{
    return sl_fail(err, SL_MEMORY, "out of memory for the embeddings");
}

const SlEmbeddingFile *sl_model_embedding_file(SlModel *model, const char *path, SlError *err)
{
    SlModelEmbeddings *all = &model->embeddings;
    for (int i = 0; i < all->files; i++)
        if (!strcmp(sl_embedding_path(all->file[i]), path))
            return all->file[i];
    SlEmbeddingFile **more = realloc(all->file, ((size_t)all->files + 1) * sizeof *more);
    if (!more) {
        no_memory(err);
        return NULL;
    }
    all->file = more;
    more[all->files] = sl_embedding_open(path, err);
    return more[all->files] ? more[all->files++] : NULL;
}

/* ---- do they fit? ---- */

/* The model's text encoders in the order of a file's tensors: how wide each is, 0: there is none. */
static bool find_encoders(SlModel *model, SlError *err)
{
    static const char *const names[] = {"text_encoder", "text_encoder_2"};
    SlModelEmbeddings *all = &model->embeddings;
    for (int k = 0; all->first == 0 && k < 2; k++)
        for (int i = 0; i < model->parts; i++) {
            SlTextEncoderConfig config;
            if (strcmp(model->part[i].kind->name, names[k]) != 0)
                continue;
            if (!sl_model_text_config(model, names[k], &config, err))
                return false;
            all->width[k] = config.hidden_size;
            all->vocabulary =
                config.vocab_size > all->vocabulary ? config.vocab_size : all->vocabulary;
        }
    all->first = all->vocabulary;
    return all->first > 0 ||
           sl_fail(err, SL_UNSUPPORTED, "%s has no text encoder for embeddings", model->info.name);
}

static void show_widths(const int width[2], char out[40])
{
    if (width[0] && width[1])
        snprintf(out, 40, "%d and %d", width[0], width[1]);
    else
        snprintf(out, 40, "%d", width[0] ? width[0] : width[1]);
}

/* Which of a file's tensors an encoder takes: a model with nothing but the second one takes a lone one. */
static int tensor_for(const SlModelEmbeddings *all, const SlEmbedding *e, int encoder)
{
    bool lone = encoder == 1 && !all->width[0] && !e->tensor[1];
    return lone ? 0 : encoder;
}

static bool check_widths(const SlModel *model, const SlEmbeddingFile *file, const SlEmbedding *e,
                         SlError *err)
{
    const SlModelEmbeddings *all = &model->embeddings;
    char found[40], expected[40];
    bool fits = true;
    for (int k = 0; k < 2; k++)
        if (all->width[k])
            fits = fits && e->width[tensor_for(all, e, k)] == all->width[k];
    fits = fits && (all->width[1] || !e->width[1]);
    if (fits)
        return true;
    show_widths(e->width, found);
    show_widths(all->width, expected);
    return sl_fail(err, SL_FORMAT,
                   "%s: this embedding's vectors have %s numbers; expected %s for the model %s",
                   sl_show_path(sl_embedding_path(file)).text, found, expected, model->info.name);
}

/* ---- their places ---- */

static bool add_rows(SlModel *model, const SlEmbeddingFile *file, const SlEmbedding *e, int encoder,
                     SlError *err)
{
    SlModelEmbeddings *all = &model->embeddings;
    size_t width = (size_t)all->width[encoder], rows = (size_t)all->vectors + (size_t)e->vectors;
    float *more = realloc(all->values[encoder], rows * width * sizeof *more);
    if (!more)
        return no_memory(err);
    all->values[encoder] = more;
    return sl_embedding_read(file, e, tensor_for(all, e, encoder),
                             more + (size_t)all->vectors * width, err);
}

static bool add_embedding(SlModel *model, const SlEmbeddingFile *file, const SlEmbedding *e,
                          SlError *err)
{
    SlModelEmbeddings *all = &model->embeddings;
    SlModelEmbedding *more = realloc(all->known, ((size_t)all->count + 1) * sizeof *more);
    if (!more)
        return no_memory(err);
    all->known = more;
    for (int k = 0; k < 2; k++)
        if (all->width[k] && !add_rows(model, file, e, k, err))
            return false;
    more[all->count++] = (SlModelEmbedding){e, all->first + all->vectors};
    all->vectors += e->vectors;
    return true;
}

int sl_model_embedding(SlModel *model, const SlEmbeddingFile *file, const SlEmbedding *embedding,
                       SlError *err)
{
    SlModelEmbeddings *all = &model->embeddings;
    for (int i = 0; i < all->count; i++)
        if (all->known[i].embedding == embedding)
            return all->known[i].first;
    if (!find_encoders(model, err) || !check_widths(model, file, embedding, err) ||
        !add_embedding(model, file, embedding, err))
        return -1;
    return all->known[all->count - 1].first;
}

/* ---- for a text encoder ---- */

bool sl_model_text_config(const SlModel *model, const char *part, SlTextEncoderConfig *config,
                          SlError *err)
{
    SlJson *json = sl_model_config(&model->info, part, err);
    bool ok = json && sl_text_encoder_config(config, json, err);
    sl_json_close(json);
    return ok;
}

static SlDtype dtype_of(const SlModel *model, const char *part)
{
    for (int i = 0; i < model->parts; i++)
        if (!strcmp(model->part[i].kind->name, part))
            return model->part[i].dtype;
    return SL_F32;
}

bool sl_model_text_extras(SlModel *model, const char *part, SlTextExtras *extras, SlError *err)
{
    SlModelEmbeddings *all = &model->embeddings;
    int k = !strcmp(part, "text_encoder_2");
    if (all->vectors == 0)
        return true;
    if (all->tabled[k] != all->vectors) {
        const int64_t size[] = {all->vectors, all->width[k]};
        SlTensor host = sl_tensor_view(all->values[k], SL_F32, 2, size);
        sl_weight_free(model->dev, all->table[k]);
        SlDtype before = sl_device_use_dtype(model->dev, dtype_of(model, part));
        all->table[k] = sl_weight_new(model->dev, SL_WEIGHT_TABLE, &host);
        sl_device_use_dtype(model->dev, before);
        all->tabled[k] = all->table[k] ? all->vectors : 0;
        if (!all->table[k])
            return sl_device_check(model->dev, err) && no_memory(err);
    }
    extras->vectors = all->table[k];
    extras->first = all->first;
    return true;
}

void sl_model_free_embeddings(SlModel *model)
{
    SlModelEmbeddings *all = &model->embeddings;
    for (int k = 0; k < 2; k++) {
        if (all->table[k])
            sl_weight_free(model->dev, all->table[k]);
        free(all->values[k]);
    }
    for (int i = 0; i < all->files; i++)
        sl_embedding_close(all->file[i]);
    free(all->file);
    free(all->known);
    *all = (SlModelEmbeddings){0};
}
