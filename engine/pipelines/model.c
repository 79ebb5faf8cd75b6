/* model.c - a model, loaded: a diffusers folder or a single checkpoint onto a device.
 *
 * Mirrors diffusers pipelines/pipeline_utils.py (from_pretrained) as far as the families need it.
 */
#include "engine/pipelines/pipelines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The folder of a single file's tokenizer: the option, one of the part's name beside the file, or
 * in a folder named as the file without its ending. False: there is none. */
static bool find_beside(const SlModelInfo *info, const char *part, const char *folder, char *out,
                        size_t size)
{
    if (folder) {
        snprintf(out, size, "%s", folder);
        return true;
    }
    const char *slash = strrchr(info->path, '/');
    int length = slash ? (int)(slash - info->path) : 1;
    snprintf(out, size, "%.*s/%s", length, slash ? info->path : ".", part);
    if (is_folder(out))
        return true;
    const char *dot = strrchr(info->path, '.');
    if (!dot || (slash && dot < slash))
        return false;
    snprintf(out, size, "%.*s/%s", (int)(dot - info->path), info->path, part);
    return is_folder(out);
}

/* The vocabulary that comes with the program; with what the part pads its built-in configuration
 * says. */
static SlTokenizer *open_clip(const SlModelInfo *info, const char *part, SlError *err)
{
    static const char *const pads[] = {"<|endoftext|>", "!", NULL};
    SlJson *json = sl_model_config(info, part, err);
    SlError own = {0};
    int pad = json ? sl_json_choice(json, "pad_token", pads, SL_CLIP_PAD_END, &own) : -1;
    sl_json_close(json);
    if (own.code != SL_OK)
        sl_fail(err, own.code, "%s", own.message);
    return pad < 0 ? NULL : sl_tokenizer_open_clip((SlClipPad)pad, err);
}

SlTokenizer *sl_model_open_tokenizer(const SlModelInfo *info, const char *part, const char *folder,
                                     SlError *err)
{
    char path[4400];
    if (!info->single_file)
        snprintf(path, sizeof path, "%s/%s", info->path, part);
    else if (!find_beside(info, part, folder, path, sizeof path))
        return open_clip(info, part, err);
    return sl_tokenizer_open(path, err);
}

static bool open_tokenizer(SlModel *model, const SlModelOptions *options, SlError *err)
{
    if (!model->kind->tokenizers)
        return true;
    const char *name = model->kind->tokenizer ? model->kind->tokenizer : "tokenizer";
    model->tokenizer = sl_model_open_tokenizer(&model->info, name, options->tokenizer, err);
    if (!model->tokenizer || !model->kind->two_texts)
        return model->tokenizer != NULL;
    /* The option's folder pads as the first does. */
    model->tokenizer_2 = sl_model_open_tokenizer(&model->info, "tokenizer_2", NULL, err);
    return model->tokenizer_2 != NULL;
}

static bool open_device(SlModel *model, const SlModelOptions *options, SlError *err)
{
    SlDtypes types;
    model->dev = sl_dtypes_open_device(options, &types, err);
    return model->dev != NULL;
}

static bool open_schedulers(SlModel *model, SlError *err)
{
    model->scheduler_config = sl_model_scheduler_config(&model->info, false, err);
    model->own_scheduler_config =
        model->scheduler_config ? sl_model_scheduler_config(&model->info, true, err) : NULL;
    return model->own_scheduler_config != NULL;
}

static bool open_all(SlModel *model, const SlModelOptions *options, SlError *err)
{
    if (!open_tokenizer(model, options, err) || !open_device(model, options, err) ||
        !open_schedulers(model, err))
        return false;
    snprintf(model->warning, sizeof model->warning, "%s", model->info.notes);
    return sl_model_load_parts(model, options, err) &&
           (!model->kind->check || model->kind->check(model, err));
}

/* The refiner on the model's device. Its parts are loaded when it goes on: they need not be there
 * beside those of the model. */
static bool open_refiner(SlModel *model, SlError *err)
{
    const SlOtherPart *other = sl_model_other(&model->info, SL_REFINER);
    static const SlModelOptions none;
    if (!other)
        return true;
    SlModel *refiner = model->refiner = calloc(1, sizeof *refiner);
    if (!refiner)
        return sl_fail(err, SL_MEMORY, "%s: out of memory", other->path);
    refiner->base = model;
    refiner->dev = model->dev;
    if (!sl_model_inspect(other->path, &refiner->info, err))
        return false;
    refiner->kind = sl_pipeline_class_of(&refiner->info);
    if (!open_tokenizer(refiner, &none, err) || !open_schedulers(refiner, err))
        return false;
    sl_model_list_parts(refiner);
    if (!sl_model_find_dtypes(refiner, &none, err))
        return false;
    for (int i = 0; i < refiner->parts; i++)
        if (!sl_model_look_at_part(refiner, i, err))
            return false;
    return refiner->kind->check(refiner, err);
}

SlModel *sl_model_load(const char *path, const SlModelOptions *options, SlError *err)
{
    static const SlModelOptions none;
    SlModel *model = calloc(1, sizeof *model);
    if (!model) {
        sl_fail(err, SL_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    if (sl_model_inspect_with(path, options ? options->from : NULL, &model->info, err)) {
        model->kind = sl_pipeline_class_of(&model->info);
        model->find_adapter = options ? options->find_adapter : NULL;
        model->find_embedding = options ? options->find_embedding : NULL;
        model->list_embeddings = options ? options->list_embeddings : NULL;
        if (open_all(model, options ? options : &none, err) && open_refiner(model, err))
            return model;
    }
    sl_model_unload(model);
    return NULL;
}

void sl_model_unload(SlModel *model)
{
    if (!model)
        return;
    sl_model_unload(model->refiner);
    sl_model_free_embeddings(model);
    sl_model_free_parts(model);
    sl_model_free_adapters(model);
    sl_json_close(model->scheduler_config);
    sl_json_close(model->own_scheduler_config);
    sl_tokenizer_close(model->tokenizer);
    sl_tokenizer_close(model->tokenizer_2);
    if (!model->base)
        sl_device_close(&model->dev);
    free(model);
}

/* ---- texts ---- */

/* What is told as it stands; new: there is no place for it yet. */
static bool tell_numbers(const SlPipelineClass *kind, const SlAsk *ask, bool new,
                         SlCondition *condition, SlError *err)
{
    const int64_t size = kind->told_count;
    if (kind->told && new && !sl_condition_add(condition, kind->told, 1, &size, err))
        return false;
    if (kind->told) /* the last one */
        memcpy(condition->tensor[condition->count - 1].values, ask->told,
               (size_t)size * sizeof *ask->told);
    sl_condition_finish(condition);
    return true;
}

bool sl_model_encode(SlModel *model, const SlAsk *ask, const SlCondition *encoded,
                     SlCondition *conditions, SlError *err)
{
    const SlPipelineClass *kind = model->kind;
    int count = sl_ask_texts(ask);
    bool ok = encoded || kind->encode(model, ask, conditions, err);
    for (int i = 0; ok && i < count; i++)
        ok = (!encoded || sl_condition_copy(&conditions[i], &encoded[i], err)) &&
             tell_numbers(kind, ask, !encoded, &conditions[i], err);
    return ok;
}

void sl_ask_clear(SlAsk *ask)
{
    free(ask->ids);
    for (int i = 0; i < 2; i++)
        sl_prompt_tokens_free(ask->tokens[i]);
    *ask = (SlAsk){0};
}

/* ---- without weights ---- */

SlModel *sl_model_shape(const SlModelInfo *info, SlDevice *dev, const SlModel *like,
                        const SlModelOptions *options, SlError *err)
{
    SlModel *model = calloc(1, sizeof *model);
    if (!model) {
        sl_device_close(&dev);
        sl_fail(err, SL_MEMORY, "%s: out of memory", info->name);
        return NULL;
    }
    model->info = *info;
    model->kind = sl_pipeline_class_of(info);
    model->dev = dev;
    if (sl_model_build_parts(model, like, options, err))
        return model;
    sl_model_unload(model);
    return NULL;
}

/* One and a half times the longer side, as the model can have it. */
static int longer_side(const SlModelInfo *info)
{
    int side = info->width > info->height ? info->width : info->height;
    int multiple = info->size_multiple > 0 ? info->size_multiple : 1;
    return (side * 3 / 2 + multiple / 2) / multiple * multiple;
}

int sl_model_sizes(const SlModelInfo *info, int sizes[SL_MODEL_MAX_SIZES][2])
{
    const int(*known)[2] = info->pipeline->sizes;
    int longer = longer_side(info), count = 0;
    if (known && known[0][0] == info->width && known[0][1] == info->height) {
        for (; count < SL_MODEL_MAX_SIZES && known[count][0]; count++)
            memcpy(sizes[count], known[count], sizeof known[count]);
        return count;
    }
    const int usual[3][2] = {
        {info->width, info->height}, {info->width, longer}, {longer, info->height}};
    memcpy(sizes, usual, sizeof usual);
    return 3;
}

const char *sl_shape_name(int i)
{
    const SlPipelineClass *kind;
    for (int k = 0; (kind = sl_pipeline_class_at(k)); k++)
        for (int n = 0; kind->arch && kind->arch(n); n++)
            if (i-- == 0)
                return kind->arch(n);
    return NULL;
}

bool sl_model_shape_info(const char *arch, SlModelInfo *info, SlError *err)
{
    const SlPipelineClass *kind;
    *info = (SlModelInfo){.single_file = true};
    snprintf(info->arch, sizeof info->arch, "%s", arch);
    snprintf(info->name, sizeof info->name, "%s", arch);
    for (int i = 0; !info->pipeline && (kind = sl_pipeline_class_at(i)); i++)
        if (kind->builtin && kind->builtin(arch, kind->parts[0]->name))
            info->pipeline = &kind->info;
    if (!info->pipeline)
        return sl_fail(err, SL_UNSUPPORTED,
                       "the shape %s is not supported: no family of models has it built in", arch);
    return sl_pipeline_class_of(info)->inspect(info, err);
}

/* ---- looking at it ---- */

const SlModelInfo *sl_model_info(const SlModel *model)
{
    return &model->info;
}

SlDevice *sl_model_device(SlModel *model)
{
    return model->dev;
}

const char *sl_model_warning(const SlModel *model)
{
    return model->warning[0] ? model->warning : NULL;
}

void sl_model_cancel(SlModel *model)
{
    sl_device_cancel(model->dev);
}

void sl_model_clear_cancel(SlModel *model)
{
    sl_device_clear(model->dev);
}

double sl_model_step_fraction(const SlModel *model)
{
    uint64_t total = __atomic_load_n(&model->step_operations, __ATOMIC_RELAXED);
    uint64_t start = __atomic_load_n(&model->step_start, __ATOMIC_RELAXED);
    uint64_t done = sl_device_ops_done(model->dev) - start;
    if (total == 0)
        return 0;
    return done >= total ? 1 : (double)done / (double)total;
}
