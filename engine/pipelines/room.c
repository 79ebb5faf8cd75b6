/* room.c - which parts of a model are in a device's memory when that is limited.
 *
 * A picture is made in stages: texts are encoded, steps are computed, the sample is decoded. Before
 * a stage its parts are loaded, and when memory is short, parts that it does not need go first: the
 * one that is read again in the least time (the smallest on the disk) before the others, and only
 * as many as must. On a device that computes in the host's memory the same holds for weights, and text
 * encoders go after their work where little would be left for other programs (sl_model_spare_host). What a stage needs is measured: the weights of parts that are to be loaded
 * (sl_part_measure), and model->stage_bytes beside all weights.
 *
 * Easy to get wrong: the arena's blocks are free memory for a stage that computes, but not for
 * weights; the device beside the model's computes with the same weights.
 */
#include "engine/pipelines/pipelines.h"

#include <string.h>

typedef struct Need {
    size_t weights, work;
} Need;

static size_t *stage_bytes(SlModel *model, SlPartUse stage)
{
    return &model->stage_bytes[stage == SL_USE_ENCODE ? 0 : stage == SL_USE_DENOISE ? 1 : 2];
}

static bool find_need(SlModel *model, SlPartUse stage, Need *need, SlError *err)
{
    *need = (Need){.work = *stage_bytes(model, stage) + SL_MEMORY_SLACK};
    for (int i = 0; i < model->parts; i++) {
        SlPart *part = &model->part[i];
        if (!(part->kind->use & stage) || part->net)
            continue;
        if (!sl_part_measure(model, part, err))
            return false;
        need->weights += part->weight_bytes;
    }
    return true;
}

static bool fits(SlModel *model, const Need *need)
{
    if (sl_device_memory(model->dev) < need->weights + SL_MEMORY_SLACK &&
        sl_arena_mark(model->dev) == 0)
        sl_arena_release(model->dev);
    return sl_device_memory(model->dev) >= need->weights &&
           sl_model_free_memory(model) >= need->weights + need->work;
}

/* The loaded part that the stage does not need and that is read again the soonest; -1: there is
 * none. */
static int cheapest(const SlModel *model, SlPartUse stage)
{
    int best = -1;
    for (int i = 0; i < model->parts; i++) {
        const SlPart *part = &model->part[i];
        if (part->net && !(part->kind->use & stage) &&
            (best < 0 || sl_model_part_file_bytes(model, part) <
                             sl_model_part_file_bytes(model, &model->part[best])))
            best = i;
    }
    return best;
}

static bool drop_cheapest(SlModel *model, SlPartUse stage)
{
    int part = cheapest(model, stage);
    if (part < 0)
        return false;
    if (model->beside)
        sl_device_finish(model->beside);
    sl_model_drop_part(model, part);
    return true;
}

/* The device beside the model's is for previews only. */
static bool close_beside(SlModel *model)
{
    if (!model->beside || model->pending)
        return false;
    sl_device_close(&model->beside);
    model->beside_tried = false;
    return true;
}

/* ---- a model and its refiner on one device ---- */

static SlModel *partner(const SlModel *model)
{
    return model->refiner ? model->refiner : model->base;
}

/* Copies of weights go first: they save time only. */
static bool forget(SlModel *model)
{
    bool any = sl_model_forget(model);
    return (partner(model) && sl_model_forget(partner(model))) || any;
}

/* All of it that encodes or denoises; where that is gone, what decodes, which previews want. */
static bool drop_partner(SlModel *model)
{
    SlModel *other = partner(model);
    bool any = false;
    for (int decodes = 0; other && !any && decodes < 2; decodes++)
        for (int i = 0; i < other->parts; i++) {
            bool of_kind = (other->part[i].kind->use & SL_USE_DECODE) != 0;
            if (!other->part[i].net || of_kind != (decodes == 1))
                continue;
            if (other->beside)
                sl_device_finish(other->beside);
            sl_model_drop_part(other, i);
            any = true;
        }
    return any;
}

/* SIZE_MAX and *err: it could not be found out. */
static size_t loaded_weights(SlModel *model, SlError *err)
{
    size_t bytes = 0;
    for (int i = 0; i < model->parts; i++) {
        SlPart *part = &model->part[i];
        if (!part->net)
            continue;
        if (!sl_part_measure(model, part, err))
            return SIZE_MAX;
        bytes += part->weight_bytes;
    }
    return bytes;
}

/* The same where the device's memory is the host's: what is loaded there must find room. */
static bool make_way_on_host(SlModel *model, SlPartUse stage, SlError *err)
{
    Need need;
    if (!find_need(model, stage, &need, err))
        return false;
    size_t loaded = loaded_weights(model, err);
    if (loaded == SIZE_MAX)
        return false;
    /* What a picture before has worked in would else stand beside weights that come back only for a moment. */
    if (sl_host_memory_left("") < loaded + 2 * need.weights && sl_arena_mark(model->dev) == 0)
        sl_arena_release(model->dev);
    if (need.weights > sl_host_memory_left(""))
        forget(model);
    while (need.weights > sl_host_memory_left("") &&
           (drop_partner(model) || drop_cheapest(model, stage)))
        ;
    return true;
}

bool sl_model_clear_for(SlModel *model, SlPartUse stage, size_t *bytes, SlError *err)
{
    Need need;
    if (!find_need(model, stage, &need, err))
        return false;
    *bytes = need.weights + need.work;
    bool enough = fits(model, &need) || (forget(model) && fits(model, &need)) ||
                  (close_beside(model) && fits(model, &need));
    while (!enough && (drop_cheapest(model, stage) || drop_partner(model)))
        enough = fits(model, &need);
    return enough;
}

/* Of the weights that a stage of `model` does not need. */
static bool add_droppable(SlModel *of, const SlModel *model, SlPartUse stage, size_t *bytes,
                          SlError *err)
{
    for (int i = 0; of && i < of->parts; i++) {
        SlPart *part = &of->part[i];
        if (!part->net || (of == model && (part->kind->use & stage)))
            continue;
        if (!sl_part_measure(of, part, err))
            return false;
        *bytes += part->weight_bytes;
    }
    return true;
}

bool sl_model_could_clear_for(SlModel *model, SlPartUse stage, size_t *need, size_t *most,
                              SlError *err)
{
    Need of;
    if (!find_need(model, stage, &of, err))
        return false;
    *need = of.weights + of.work;
    *most = sl_model_free_memory(model) + sl_model_kept(model) + sl_model_kept(partner(model));
    return add_droppable(model, model, stage, most, err) &&
           add_droppable(partner(model), model, stage, most, err);
}

bool sl_model_spare_host(SlModel *model, size_t left, SlError *err)
{
    size_t all = loaded_weights(model, err);
    if (all == SIZE_MAX)
        return false;
    for (int i = 0; i < model->parts && left < all; i++) {
        SlPart *part = &model->part[i];
        if (part->net && part->kind->use == SL_USE_ENCODE)
            sl_model_drop_part(model, i);
    }
    return true;
}

/* Loads a part; where the estimate was too low, others go after all. */
static bool load(SlModel *model, int part, SlPartUse stage, SlError *err)
{
    SlError own = {0};
    while (!sl_model_need_part(model, part, &own)) {
        sl_device_clear(model->dev);
        if (own.code != SL_MEMORY || !(drop_cheapest(model, stage) || drop_partner(model)))
            return sl_fail(err, own.code, "%s", own.message);
    }
    return true;
}

/* Loads what the stage needs and is not there. */
static bool load_missing(SlModel *model, SlPartUse stage, SlError *err)
{
    size_t bytes;
    if (!sl_model_memory_is_limited(model) && !make_way_on_host(model, stage, err))
        return false;
    /* Decoding gets by with less than it would like to have, and a stage that does not fit says
     * so where it computes. */
    SlError measuring = {0};
    if (sl_model_memory_is_limited(model) &&
        !sl_model_clear_for(model, stage, &bytes, &measuring) && measuring.code != SL_OK)
        return sl_fail(err, measuring.code, "%s", measuring.message);
    for (int i = 0; i < model->parts; i++)
        if ((model->part[i].kind->use & stage) && !load(model, i, stage, err))
            return false;
    return true;
}

/* How much of memory all copies may take: half of what no stage works in where the device has its own, so
 * that larger steps find some, too; a quarter of the host's. */
static size_t room_to_keep(const SlModel *model)
{
    size_t kept = sl_model_kept(model), work = 0, left;
    if (!sl_model_memory_is_limited(model)) {
        left = sl_host_memory_left("");
        return left / 4 + kept / 4;
    }
    for (int i = 0; i < 3; i++)
        work = model->stage_bytes[i] > work ? model->stage_bytes[i] : work;
    left = sl_model_free_memory(model) + kept;
    work += SL_MEMORY_SLACK;
    return left > work ? (left - work) / 2 : 0;
}

bool sl_model_need(SlModel *model, SlPartUse stage, SlError *err)
{
    bool missing = false;
    for (int i = 0; i < model->parts; i++)
        missing = missing || ((model->part[i].kind->use & stage) && !model->part[i].net);
    if (missing && !load_missing(model, stage, err))
        return false;
    for (int i = 0; i < model->parts; i++) {
        if (!(model->part[i].kind->use & stage))
            continue;
        size_t keep = sl_model_has_mix(model, i) ? 0 : room_to_keep(model);
        if (!sl_model_remix(model, i, keep, err)) {
            sl_model_drop_part(model, i);
            return false;
        }
    }
    return true;
}
