/* parts.c - the parts of a model: made over their weights, loaded from files, dropped and loaded
 * again.
 *
 * Building a part binds every weight by its diffusers name, so a file that does not fit its config
 * is named here. Loading, measuring and benchmarks all build through build_part.
 */
#include "engine/pipelines/pipelines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What any stage works in at the least: a block of the arena. */
#define LEAST_WORK ((size_t)32 << 20)

/* ---- one part ---- */

static void free_part(SlPart *part)
{
    if (part->net)
        part->kind->free(part->net);
    sl_read_ahead_end(part->ahead);
    sl_binder_free(part->binder);
    sl_json_close(part->config);
    part->ahead = NULL;
    part->net = NULL;
    part->binder = NULL;
    part->config = NULL;
}

/* A constructor that found weights missing has no sentence of its own: the binder's names the
 * tensor. */
static bool finish(SlPart *part, SlError *err)
{
    SlError own = {0};
    bool bound = sl_binder_finish(part->binder, false, &own);
    if (part->net && bound)
        return true;
    if (err && (part->net || !bound))
        *err = own;
    return false;
}

/* The one way to make a part: over what the options name as weights (none: random ones, or sizes
 * only on the measure device). config becomes the part's, NULL is a failure that *err tells of
 * already. On failure the part is empty. */
static bool build_part(SlPart *part, SlJson *config, const SlBinderOptions *options, SlError *err)
{
    free_part(part);
    part->config = config;
    if (!config)
        return false;
    part->binder = sl_binder_new(options);
    if (!part->binder) {
        free_part(part);
        return sl_fail(err, SL_MEMORY, "%s: out of memory", part->kind->name);
    }
    part->net = part->kind->build(config, part->binder, err);
    if (finish(part, err)) {
        part->loads++;
        return true;
    }
    free_part(part);
    return false;
}

/* ---- of a model ---- */

/* Its index in model->part; -1: there is none. */
static int find_part(const SlModel *model, const char *name)
{
    for (int i = 0; i < model->parts; i++)
        if (!strcmp(model->part[i].kind->name, name))
            return i;
    return -1;
}

int sl_model_part_for(const SlModel *model, SlPartUse use)
{
    for (int i = 0; i < model->parts; i++)
        if (model->part[i].kind->use & use)
            return i;
    return -1;
}

void *sl_model_net(const SlModel *model, const char *name)
{
    int i = find_part(model, name);
    return i < 0 ? NULL : model->part[i].net;
}

static void *net_for(const SlModel *model, SlPartUse use)
{
    int i = sl_model_part_for(model, use);
    return i < 0 ? NULL : model->part[i].net;
}

SlDenoiser *sl_model_denoiser(const SlModel *model)
{
    return net_for(model, SL_USE_DENOISE);
}

SlVae *sl_model_vae(const SlModel *model)
{
    return net_for(model, SL_USE_DECODE);
}

/* Progress over all parts: a part's share is its bytes among all. */
typedef struct Loading {
    SlModel *model;
    const SlModelOptions *options;
    const char *what;
    uint64_t before, total;
    bool early; /* weights wait for the first evaluation */
} Loading;

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    Loading *l = arg;
    (void)total;
    if (l->options->cancel && __atomic_load_n(l->options->cancel, __ATOMIC_RELAXED))
        sl_device_cancel(l->model->dev);
    if (l->options->progress && l->total > 0)
        l->options->progress(l->options->progress_arg,
                             (double)(l->before + done) / (double)l->total, l->what);
}

/* What waits for the first evaluation's frame: no part of it is needed before. */
static bool may_wait(const SlPart *part)
{
    return part->kind->use == SL_USE_DECODE;
}

uint64_t sl_model_part_file_bytes(const SlModel *model, const SlPart *part)
{
    for (int i = 0; i < model->info.parts; i++)
        if (!strcmp(model->info.part[i].name, part->kind->name))
            return model->info.part[i].bytes;
    return 0;
}

static uint64_t bytes_to_load(const SlModel *model)
{
    uint64_t total = 0;
    for (int i = 0; i < model->parts; i++)
        total += may_wait(&model->part[i]) ? 0 : sl_model_part_file_bytes(model, &model->part[i]);
    return total;
}

static void add_warning(SlModel *model, const char *text)
{
    size_t used = strlen(model->warning);
    if (text)
        snprintf(model->warning + used, sizeof model->warning - used, "%s%s", used ? "\n" : "",
                 text);
}

/* Whether there is memory for all parts and as much again, so that none is missing for weights which
 * wait for theirs. */
static bool is_ample(SlModel *model)
{
    uint64_t need = 0;
    SlError ignored;
    if (!sl_weight_can_wait(model->dev, SL_WEIGHT_LINEAR))
        return false;
    for (int i = 0; i < model->parts; i++) {
        if (!sl_part_measure(model, &model->part[i], &ignored))
            return false;
        need += model->part[i].weight_bytes;
    }
    return need <= sl_host_memory_left("") / 2;
}

static bool load_part(Loading *l, SlPart *part, SlError *err)
{
    SlModel *model = l->model;
    l->what = part->kind->name;
    SlJson *config = sl_model_config(&model->info, part->kind->name, err);
    if (!config)
        return false;
    SlWeightSource *weights = sl_model_weights(&model->info, part->kind, err);
    if (!weights) {
        sl_json_close(config);
        return false;
    }
    SlMixState state;
    SlWeightChange change = sl_model_change(model, (int)(part - model->part), &state);
    SlReadAhead *ahead = sl_read_ahead_begin(weights);
    bool ok = build_part(part, config,
                         &(SlBinderOptions){.dev = model->dev,
                                            .weights = weights,
                                            .change = change,
                                            .component = part->kind->name,
                                            .own_dtype = true,
                                            .dtype = part->dtype,
                                            .q8 = part->q8,
                                            .later = l->early,
                                            .progress = on_progress,
                                            .progress_arg = l},
                         err);
    if (ok && sl_binder_waits(part->binder))
        part->ahead = ahead;
    else
        sl_read_ahead_end(ahead);
    if (ok) {
        part->mix = state.now;
        add_warning(model, sl_binder_warning(part->binder));
    }
    for (size_t i = 0; i < sl_weights_count(weights); i++)
        l->before += sl_weights_info(weights, i)->bytes;
    sl_weights_close(weights);
    return ok && sl_device_check(model->dev, err);
}

/* What most of its file is stored in, where the model's device keeps that. */
static SlDtype stored_dtype(const SlModel *model, const char *name)
{
    static const struct {
        const char *name;
        SlDtype dtype;
    } halves[] = {{"F16", SL_F16}, {"BF16", SL_BF16}};
    if (!model->dev->ops->keeps_half)
        return SL_F32;
    for (int i = 0; i < model->info.parts; i++)
        for (size_t k = 0; k < sizeof halves / sizeof *halves; k++)
            if (!strcmp(model->info.part[i].name, name) &&
                !strcmp(model->info.part[i].dtype, halves[k].name))
                return halves[k].dtype;
    return SL_F32;
}

void sl_model_list_parts(SlModel *model)
{
    for (const SlPartClass *const *kind = model->kind->parts; *kind; kind++)
        if (sl_model_has_part(&model->info, *kind)) {
            SlPart *part = &model->part[model->parts++];
            part->kind = *kind;
            part->dtype = sl_part_own_dtype(model, *kind);
            part->q8 = sl_part_own_q8(model, *kind);
            part->stored = stored_dtype(model, (*kind)->name);
        }
}

/* Without weights, on any device; or on the measure device with weights, of which no value is read. */
static bool build_sizes(SlPart *part, const SlModelInfo *info, SlDevice *dev,
                        SlWeightSource *weights, SlError *err)
{
    const char *name = part->kind->name;
    return build_part(part, sl_model_config(info, name, err),
                      &(SlBinderOptions){.dev = dev,
                                         .weights = weights,
                                         .unread = weights != NULL,
                                         .component = name,
                                         .own_dtype = true,
                                         .dtype = part->dtype,
                                         .q8 = part->q8,
                                         .stored = part->stored},
                      err);
}

bool sl_model_build_parts(SlModel *model, const SlModel *like, const SlModelOptions *options,
                          SlError *err)
{
    sl_model_list_parts(model);
    if (!like && !sl_model_find_dtypes(model, options, err))
        return false;
    for (int i = 0; i < model->parts; i++) {
        SlPart *part = &model->part[i];
        int same = like ? find_part(like, part->kind->name) : -1;
        if (same >= 0) {
            part->dtype = like->part[same].dtype;
            part->q8 = like->part[same].q8;
            part->stored = like->part[same].stored;
        }
        if (!build_sizes(part, &model->info, model->dev, NULL, err))
            return false;
    }
    return true;
}

/* Finds part->weight_bytes; in *sizes is what it was found with, to be freed before the device. */
static SlDevice *build_measured(const SlModel *model, SlPart *part, SlWeightSource *weights,
                                SlPart *sizes, SlError *err)
{
    *sizes =
        (SlPart){.kind = part->kind, .dtype = part->dtype, .q8 = part->q8, .stored = part->stored};
    SlDevice *dev =
        sl_device_open(&(SlDeviceOptions){.name = "measure", .dtype = part->dtype}, err);
    if (dev && !build_sizes(sizes, &model->info, dev, weights, err))
        sl_device_close(&dev);
    if (dev)
        part->weight_bytes = dev->work.weight_bytes;
    return dev;
}

bool sl_part_measure(const SlModel *model, SlPart *part, SlError *err)
{
    SlPart sizes;
    if (part->weight_bytes)
        return true;
    SlDevice *dev = build_measured(model, part, NULL, &sizes, err);
    if (!dev)
        return false;
    free_part(&sizes);
    sl_device_close(&dev);
    return true;
}

bool sl_model_look_at_part(SlModel *model, int part, SlError *err)
{
    SlPart *p = &model->part[part], sizes;
    SlWeightSource *weights = sl_model_weights(&model->info, p->kind, err);
    SlDevice *dev = weights ? build_measured(model, p, weights, &sizes, err) : NULL;
    sl_weights_close(weights);
    if (!dev)
        return false;
    add_warning(model, sl_binder_warning(sizes.binder));
    p->looked_at = true;
    free_part(&sizes);
    sl_device_close(&dev);
    return true;
}

/* ---- memory ---- */

bool sl_model_memory_is_limited(const SlModel *model)
{
    return sl_device_memory(model->dev) != SIZE_MAX;
}

size_t sl_model_free_memory(const SlModel *model)
{
    return sl_device_memory(model->dev) + sl_arena_capacity(model->dev);
}

/* Whether a part waits until a stage needs it, because it does not fit beside those that are there.
 * The first never waits. */
static bool leave_for_later(SlModel *model, int part, bool *later, SlError *err)
{
    bool limited = sl_model_memory_is_limited(model);
    *later = false;
    if (part == 0)
        return true;
    if (!sl_part_measure(model, &model->part[part], err))
        return false;
    size_t need = model->part[part].weight_bytes;
    *later = limited ? sl_model_free_memory(model) < need + SL_MEMORY_SLACK + LEAST_WORK
                     : sl_host_memory_left("") < need;
    return true;
}

static bool stage_weights(SlModel *model, SlPartUse stage, size_t *bytes, SlError *err)
{
    *bytes = 0;
    for (int i = 0; i < model->parts; i++) {
        if (!(model->part[i].kind->use & stage))
            continue;
        if (!sl_part_measure(model, &model->part[i], err))
            return false;
        *bytes += model->part[i].weight_bytes;
    }
    return true;
}

/* A device that computes on the host has a stage's weights there at once: known before the first is read. */
static bool check_host_memory(SlModel *model, SlError *err)
{
    static const SlPartUse stages[] = {SL_USE_ENCODE, SL_USE_DENOISE, SL_USE_DECODE};
    size_t need = 0, left = sl_host_memory_left(""), bytes;
    if (sl_model_memory_is_limited(model))
        return true;
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        if (!stage_weights(model, stages[i], &bytes, err))
            return false;
        need = bytes > need ? bytes : need;
    }
    return need <= left || sl_fail(err, SL_MEMORY,
                                   "%s: its weights need %s of memory in %s, and this process may "
                                   "use %s",
                                   sl_show_path(model->info.path).text, sl_bytes_text(need).text,
                                   sl_device_dtype_name(model->dev), sl_bytes_text(left).text);
}

static void note_waiting(SlModel *model)
{
    size_t bytes = 0;
    for (int i = 0; i < model->parts; i++)
        bytes += model->part[i].waits ? model->part[i].weight_bytes : 0;
    __atomic_store_n(&model->waiting_bytes, bytes, __ATOMIC_RELAXED);
}

size_t sl_model_waiting_bytes(const SlModel *model)
{
    return __atomic_load_n(&model->waiting_bytes, __ATOMIC_RELAXED) +
           (size_t)__atomic_load_n(&model->dev->waiting_bytes, __ATOMIC_RELAXED);
}

bool sl_model_load_parts(SlModel *model, const SlModelOptions *options, SlError *err)
{
    Loading l = {.model = model, .options = options};
    sl_model_list_parts(model);
    l.total = bytes_to_load(model);
    if (!sl_model_find_dtypes(model, options, err) || !check_host_memory(model, err))
        return false;
    l.early = options->early && is_ample(model);
    for (int i = 0; i < model->parts; i++) {
        SlPart *part = &model->part[i];
        bool later;
        if (!leave_for_later(model, i, &later, err))
            return false;
        part->waits = !later && may_wait(part);
        if (later || part->waits ? !sl_model_look_at_part(model, i, err)
                                 : !load_part(&l, part, err))
            return false;
    }
    note_waiting(model);
    return true;
}

static bool has_room(const SlModel *model, const SlPart *part)
{
    return sl_model_memory_is_limited(model)
               ? sl_device_memory(model->dev) >= part->weight_bytes + SL_MEMORY_SLACK
               : sl_host_memory_left("") >= part->weight_bytes;
}

static bool has_waiting_weights(const SlPart *part)
{
    return part->binder && sl_binder_waits(part->binder);
}

static bool settle(SlPart *part, size_t most, SlError *err)
{
    if (has_waiting_weights(part) && !sl_binder_settle(part->binder, most, err))
        return false;
    if (!has_waiting_weights(part)) {
        sl_read_ahead_end(part->ahead);
        part->ahead = NULL;
    }
    return true;
}

/* The weights of loaded parts, before other parts take the memory. */
static bool settle_all(SlModel *model, SlError *err)
{
    for (int i = 0; i < model->parts; i++)
        if (!settle(&model->part[i], SIZE_MAX, err))
            return false;
    return true;
}

bool sl_model_need_waiting(SlModel *model, SlError *err)
{
    SlError own = {0};
    if (!settle_all(model, &own)) {
        if (own.code != SL_MEMORY)
            return sl_fail(err, own.code, "%s", own.message);
        sl_device_clear(model->dev);
    }
    for (int i = 0; i < model->parts; i++) {
        SlPart *part = &model->part[i];
        bool waits = part->waits;
        part->waits = false;
        if (!waits || !has_room(model, part) || sl_model_need_part(model, i, &own))
            continue;
        if (own.code != SL_MEMORY)
            return sl_fail(err, own.code, "%s", own.message);
        sl_device_clear(model->dev);
    }
    note_waiting(model);
    return true;
}

/* The parts that wait; those of which one cannot be loaded now wait on, so that a run tells of it. */
static bool load_waiting(SlModel *model, SlError *err)
{
    bool waited[SL_MAX_PARTS];
    for (int i = 0; i < model->parts; i++)
        waited[i] = model->part[i].waits;
    if (sl_model_need_waiting(model, err))
        return true;
    for (int i = 0; i < model->parts; i++)
        model->part[i].waits = waited[i] && !model->part[i].net;
    note_waiting(model);
    return false;
}

bool sl_model_settle_some(SlModel *model, size_t most, bool *more, SlError *err)
{
    *more = true;
    for (int i = 0; i < model->parts; i++)
        if (has_waiting_weights(&model->part[i]))
            return settle(&model->part[i], most, err);
    *more = false;
    return load_waiting(model, err);
}

void sl_model_free_parts(SlModel *model)
{
    for (int i = 0; i < model->parts; i++)
        free_part(&model->part[i]);
}

void sl_model_drop_part(SlModel *model, int part)
{
    free_part(&model->part[part]);
    note_waiting(model);
}

bool sl_model_need_part(SlModel *model, int part, SlError *err)
{
    static const SlModelOptions silent;
    Loading l = {.model = model, .options = &silent};
    if (model->part[part].net)
        return true;
    size_t warned = strlen(model->warning);
    bool again = model->part[part].loads > 0 || model->part[part].looked_at;
    bool ok = load_part(&l, &model->part[part], err);
    if (again)
        model->warning[warned] = 0; /* it was said the first time */
    model->part[part].waits = false;
    if (!ok)
        sl_model_drop_part(model, part);
    note_waiting(model);
    return ok;
}
