/* step.c - see step.h.
 *
 * Easy to get wrong: the timestep, the prompt and the guidance change from evaluation to
 * evaluation, and must change in memory only. An evaluation in part is other work, so each part has a
 * recording of its own; what one leaves for another lies at fixed places here, and is copied to and from
 * the runs outside of what is recorded, since runs take turns.
 */
#include "engine/run/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct SlStep {
    SlDevice *dev;
    SlDenoiser *denoiser;
    SlStepShape shape;
    SlTensor sample;                  /* f32 [runs, C, h, w] */
    SlTensor times;                   /* the row of this evaluation's timesteps, for one pass */
    SlTensor scale;                   /* f32 [runs]: guidance */
    float guidance[SL_RUNS_TOGETHER]; /* what scale holds */
    SlTensor results;      /* f32 [1 or 3 per run, C, h, w]: guided, unconditional, text */
    SlContext *context[2]; /* of each pass, at a fixed place, where that is needed */
    char told[SL_RUNS_TOGETHER][2][65]; /* the identities of what is there, */
    unsigned mix[SL_RUNS_TOGETHER];     /* and the adapters that it was made with */
    SlTensor maps[2][SL_MAP_LEVELS]; /* f32 [runs, positions, tokens]: of the negative prompt and of
                                        the prompt, where they are wanted */
    SlRepeat *repeat[SL_REUSE_PARTS]; /* NULL: not asked for yet */
    int branch;                       /* that `deep` and its recordings are of; -1: none */
    SlTensor deep[2];                 /* of each pass, [runs each, ...] */
    SlTensor block[2], rest[2];       /* block: the first one's input, then its output */
    /* of the evaluation in progress */
    const SlContext *using[2];
    SlReusePart part;
    bool ok;
    SlError err;
};

unsigned sl_step_loads(const SlModel *model)
{
    return model->part[sl_model_part_for(model, SL_USE_DENOISE)].loads;
}

SlStepShape sl_step_shape(const SlModel *model, SlGuidanceRule rule, const int64_t size[3],
                          const SlTold *told)
{
    SlStepShape shape = {.runs = 1,
                         .batch = rule == SL_GUIDANCE_CLASSIFIER_FREE ? 2 : 1,
                         .channels = (int)size[0],
                         .height = (int)size[1],
                         .width = (int)size[2],
                         .rule = rule,
                         .dtype = model->dev->dtype,
                         .loads = sl_step_loads(model)};
    for (int i = 0; told && i < told->conditions; i++)
        shape.told[i] = sl_condition_shape(told->condition[i]);
    return shape;
}

bool sl_step_same_shape(const SlStepShape *a, const SlStepShape *b)
{
    return a->batch == b->batch && a->channels == b->channels && a->height == b->height &&
           a->width == b->width && a->rule == b->rule && a->dtype == b->dtype &&
           a->loads == b->loads && sl_condition_same_shape(&a->told[0], &b->told[0]) &&
           sl_condition_same_shape(&a->told[1], &b->told[1]);
}

int sl_step_passes(const SlStepShape *shape)
{
    return shape->batch == 2 && !sl_condition_same_shape(&shape->told[0], &shape->told[1]) ? 2 : 1;
}

/* Samples of one run in one pass. */
static int each_of(const SlStepShape *shape)
{
    return shape->batch / sl_step_passes(shape);
}

/* Of results, per run. */
static int rows_of(const SlStepShape *shape)
{
    return shape->batch == 2 ? 3 : 1;
}

SlStep *sl_step_new(SlDevice *dev, SlDenoiser *denoiser, const SlStepShape *shape, SlError *err)
{
    SlStep *s = calloc(1, sizeof *s);
    if (!s) {
        sl_fail(err, SL_MEMORY, "out of memory for the run");
        return NULL;
    }
    int64_t n = shape->runs, rows = n * rows_of(shape);
    int64_t c = shape->channels, h = shape->height, w = shape->width;
    s->dev = dev;
    s->denoiser = denoiser;
    s->shape = *shape;
    s->branch = -1;
    for (int r = 0; r < SL_RUNS_TOGETHER; r++)
        s->guidance[r] = NAN;
    s->scale = sl_buffer_new(dev, SL_F32, 1, (const int64_t[]){n});
    s->sample = sl_buffer_new(dev, SL_F32, 4, (const int64_t[]){n, c, h, w});
    s->results = sl_buffer_new(dev, SL_F32, 4, (const int64_t[]){rows, c, h, w});
    if (!sl_device_check(dev, err)) {
        sl_step_free(s);
        return NULL;
    }
    return s;
}

/* What belongs to a branch. */
static void forget_branch(SlStep *s)
{
    const SlReusePart parts[] = {SL_REUSE_KEEP, SL_REUSE_DEEP};
    for (int i = 0; i < 2; i++) {
        sl_repeat_free(s->dev, s->repeat[parts[i]]);
        s->repeat[parts[i]] = NULL;
        sl_buffer_free(s->dev, &s->deep[i]);
    }
    s->branch = -1;
}

void sl_step_free(SlStep *s)
{
    if (!s)
        return;
    forget_branch(s);
    for (int i = 0; i < SL_REUSE_PARTS; i++)
        sl_repeat_free(s->dev, s->repeat[i]);
    for (int p = 0; p < 2; p++) {
        sl_context_free(s->dev, s->context[p]);
        sl_buffer_free(s->dev, &s->block[p]);
        sl_buffer_free(s->dev, &s->rest[p]);
    }
    sl_buffer_free(s->dev, &s->sample);
    sl_buffer_free(s->dev, &s->times);
    sl_buffer_free(s->dev, &s->scale);
    sl_buffer_free(s->dev, &s->results);
    for (int i = 0; i < SL_MAP_LEVELS; i++) {
        sl_buffer_free(s->dev, &s->maps[0][i]);
        sl_buffer_free(s->dev, &s->maps[1][i]);
    }
    free(s);
}

bool sl_step_fits(const SlStep *s, const SlStepShape *shape)
{
    return s && s->shape.runs == shape->runs && s->shape.maps == shape->maps &&
           sl_step_same_shape(&s->shape, shape);
}

/* ---- what is repeated ---- */

/* [runs, C, h, w] in f32 to [runs each, h, w, C] in the device's dtype */
static SlTensor spread(const SlStep *s)
{
    const SlStepShape *shape = &s->shape;
    int each = each_of(shape);
    SlTensor x =
        sl_tensor_new4(s->dev, shape->runs * each, shape->height, shape->width, shape->channels);
    for (int r = 0; r < shape->runs; r++) {
        SlTensor sample = sl_slice(&s->sample, 0, r, 1);
        SlTensor view = sl_permute(&sample, (const int[]){0, 2, 3, 1});
        SlTensor place = sl_slice(&x, 0, r * each, each);
        view.size[0] = each;
        view.stride[0] = 0; /* the same for all */
        sl_copy(s->dev, &view, &place);
    }
    return x;
}

/* What the model says of run r before guidance. */
static SlTensor rows_said(const SlStep *s, int r)
{
    int rows = rows_of(&s->shape);
    return sl_slice(&s->results, 0, r * rows + (rows > 1), s->shape.batch);
}

static bool wants_half(const SlStepShape *shape, int half)
{
    return half == 1 ? shape->maps != SL_MAPS_NONE
                     : shape->maps == SL_MAPS_BOTH && shape->batch == 2;
}

/* Which maps a pass is to leave; their number. */
static int maps_of(const SlStep *s, int pass, SlMaps maps[2])
{
    int count = 0, each = each_of(&s->shape);
    for (int half = 0; half < 2; half++) {
        if (!wants_half(&s->shape, half) || !s->maps[half][0].data)
            continue;
        if (each == 1 && s->shape.batch == 2 && half != pass)
            continue;
        maps[count] = (SlMaps){.first = each == 2 ? half : 0, .every = each};
        memcpy(maps[count++].level, s->maps[half], sizeof s->maps[half]);
    }
    return count;
}

/* The first block's input or output; nothing where no part of an evaluation asked for it. */
static SlTensor block_end(const SlStep *s, int pass, int end)
{
    int64_t half = s->block[pass].data ? s->block[pass].size[0] / 2 : 0;
    return half ? sl_slice(&s->block[pass], 0, end * half, half) : (SlTensor){0};
}

/* The denoiser's answer, [runs each, C, h, w] in the device's dtype, from the arena. */
static SlTensor ask_denoiser(SlStep *s, int pass)
{
    SlTensor x = spread(s);
    SlTensor out = sl_tensor_new(s->dev, s->dev->dtype, 4, x.size);
    SlMaps maps[2];
    bool whole = s->part <= SL_REUSE_KEEP, deep = s->part <= SL_REUSE_DEEP;
    const SlReuse reuse = {.part = s->part,
                           .branch = s->branch,
                           .kept = deep ? s->deep[pass] : s->rest[pass],
                           .entry = block_end(s, pass, 0),
                           .first = block_end(s, pass, 1)};
    const SlEvaluation e = {.x = &x,
                            .row = &s->times,
                            .context = s->using[pass],
                            .out = &out,
                            .maps = maps,
                            .maps_count = whole ? maps_of(s, pass, maps) : 0,
                            .reuse = &reuse};
    s->ok = sl_denoiser_evaluate(s->dev, s->denoiser, &e, &s->err);
    return sl_permute(&out, (const int[]){0, 3, 1, 2});
}

/* One pass says it all. */
static void evaluate_together(SlStep *s)
{
    int rows = rows_of(&s->shape), batch = s->shape.batch;
    SlTensor all = ask_denoiser(s, 0);
    for (int r = 0; r < s->shape.runs; r++) {
        SlTensor view = sl_slice(&all, 0, r * batch, batch), scale = sl_slice(&s->scale, 0, r, 1);
        SlTensor results = sl_slice(&s->results, 0, r * rows, rows);
        if (batch == 2)
            sl_guidance(s->dev, &view, &scale, &results);
        else
            sl_copy(s->dev, &view, &results);
    }
}

/* Conditions of different shapes: one pass each, then the guidance. */
static void evaluate_apart(SlStep *s)
{
    int rows = rows_of(&s->shape);
    for (int pass = 0; pass < 2 && s->ok; pass++) {
        size_t mark = sl_arena_mark(s->dev);
        SlTensor all = ask_denoiser(s, pass);
        for (int r = 0; r < s->shape.runs; r++) {
            SlTensor view = sl_slice(&all, 0, r, 1);
            SlTensor place = sl_slice(&s->results, 0, r * rows + 1 + pass, 1);
            sl_copy(s->dev, &view, &place);
        }
        sl_arena_reset(s->dev, mark);
    }
    for (int r = 0; r < s->shape.runs; r++) {
        SlTensor said = rows_said(s, r), scale = sl_slice(&s->scale, 0, r, 1);
        SlTensor results = sl_slice(&s->results, 0, r * rows, rows);
        sl_guidance(s->dev, &said, &scale, &results);
    }
}

/* It says nothing yet. */
static void evaluate_first_block(SlStep *s)
{
    for (int pass = 0; pass < sl_step_passes(&s->shape) && s->ok; pass++) {
        size_t mark = sl_arena_mark(s->dev);
        ask_denoiser(s, pass);
        sl_arena_reset(s->dev, mark);
    }
}

static void evaluate(void *arg)
{
    SlStep *s = arg;
    size_t mark = sl_arena_mark(s->dev);
    if (s->part == SL_REUSE_FIRST)
        evaluate_first_block(s);
    else if (sl_step_passes(&s->shape) == 1)
        evaluate_together(s);
    else
        evaluate_apart(s);
    sl_arena_reset(s->dev, mark);
}

/* ---- around it ---- */

/* Copies each run's prepared values of the timestep into the step's fixed buffer. */
static void set_times(SlStep *s, const SlStepRun *runs)
{
    SlTensor rows[SL_RUNS_TOGETHER];
    const SlTimesJoin join = {rows, s->shape.runs, each_of(&s->shape)};
    for (int r = 0; r < s->shape.runs; r++)
        rows[r] = sl_times_at(runs[r].times, runs[r].row);
    if (!s->times.data) {
        const int64_t size = rows[0].size[0] * s->shape.runs;
        s->times = sl_buffer_new(s->dev, rows[0].dtype, 1, &size);
    }
    sl_times_join(s->dev, s->denoiser, &join, &s->times);
}

static bool is_told(const SlStep *s, const SlStepRun *runs)
{
    for (int r = 0; r < s->shape.runs; r++)
        for (int i = 0; i < runs[r].told->conditions; i++)
            if (s->mix[r] != runs[r].told->mix ||
                strcmp(s->told[r][i], runs[r].told->condition[i]->identity))
                return false;
    return s->context[0] != NULL;
}

/* Copies the runs' contexts into the step's fixed buffers. */
static bool tell(SlStep *s, const SlStepRun *runs, SlError *err)
{
    const SlContext *contexts[SL_RUNS_TOGETHER];
    memset(s->told, 0, sizeof s->told);
    for (int pass = 0; pass < sl_step_passes(&s->shape); pass++) {
        for (int r = 0; r < s->shape.runs; r++)
            contexts[r] = runs[r].told->context[pass];
        if (!sl_context_join(s->dev, contexts, s->shape.runs, &s->context[pass], err))
            return false;
    }
    for (int r = 0; r < s->shape.runs; r++)
        s->mix[r] = runs[r].told->mix;
    for (int r = 0; r < s->shape.runs; r++)
        for (int i = 0; i < runs[r].told->conditions; i++)
            memcpy(s->told[r][i], runs[r].told->condition[i]->identity, sizeof s->told[r][i]);
    return true;
}

/* The contexts that the evaluation reads: the run's own, or where they are at a fixed place. */
static bool set_contexts(SlStep *s, const SlStepRun *runs, SlError *err)
{
    bool own = s->shape.runs == 1 && !sl_repeat_remembers(s->dev);
    if (!runs[0].told)
        return true;
    if (!own && !is_told(s, runs) && !tell(s, runs, err))
        return false;
    for (int pass = 0; pass < sl_step_passes(&s->shape); pass++)
        s->using[pass] = own ? runs[0].told->context[pass] : s->context[pass];
    return true;
}

int sl_step_map_levels(const SlStep *s, SlMapLevel levels[SL_MAP_LEVELS])
{
    return sl_denoiser_map_levels(s->denoiser, s->shape.height, s->shape.width, levels);
}

int sl_step_map_tokens(const SlStep *s, int half)
{
    return s->maps[half][0].data ? (int)s->maps[half][0].size[2] : 0;
}

/* The places of the maps, of as many tokens as the contexts that are read have. */
static bool set_maps(SlStep *s, SlError *err)
{
    SlMapLevel levels[SL_MAP_LEVELS];
    int count = s->shape.maps && s->using[0] ? sl_step_map_levels(s, levels) : 0;
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < count && wants_half(&s->shape, half); i++) {
            int pass = half == 1 ? sl_step_passes(&s->shape) - 1 : 0;
            const int64_t size[] = {s->shape.runs, (int64_t)levels[i].height * levels[i].width,
                                    s->using[pass] -> tensor[0].size[1]};
            if (!s->maps[half][i].data)
                s->maps[half][i] = sl_buffer_new(s->dev, SL_F32, 3, size);
        }
    return sl_device_check(s->dev, err);
}

bool sl_step_map(SlStep *s, int r, int half, int level, float *out, SlError *err)
{
    SlTensor map = sl_slice(&s->maps[half][level], 0, r, 1);
    sl_download(s->dev, &map, out);
    return sl_device_check(s->dev, err);
}

static void set_guidance(SlStep *s, int r, double guidance)
{
    float value = (float)guidance;
    SlTensor scale = sl_slice(&s->scale, 0, r, 1);
    if (s->guidance[r] == value)
        return;
    sl_upload(s->dev, &value, &scale);
    s->guidance[r] = sl_device_ok(s->dev) ? value : NAN;
}

static bool fetch_output(SlStep *s, int r, float *output, SlError *err)
{
    int rows = rows_of(&s->shape);
    SlTensor wanted = sl_slice(&s->results, 0, r * rows, rows);
    sl_download(s->dev, &wanted, output);
    return sl_device_check(s->dev, err);
}

/* ---- what is kept ---- */

void sl_step_kept_free(SlStepKept *kept)
{
    for (int pass = 0; pass < 2 && kept->dev; pass++) {
        sl_buffer_free(kept->dev, &kept->tensor[pass]);
        sl_buffer_free(kept->dev, &kept->block[pass]);
    }
    *kept = (SlStepKept){0};
}

/* A place of a pass, of so many tensors of all runs, one behind the other. */
static void make_place(SlStep *s, int branch, int tensors, SlTensor *place)
{
    const SlStepShape *shape = &s->shape;
    const int64_t x[] = {shape->runs * each_of(shape), shape->height, shape->width,
                         shape->channels};
    int64_t size[4];
    if (place->data)
        return;
    sl_denoiser_kept_size(s->denoiser, branch, x, size);
    size[0] *= tensors;
    *place = sl_buffer_new(s->dev, s->denoiser->dtype, 4, size);
}

static bool make_places(SlStep *s, SlReusePart part, int branch, SlError *err)
{
    bool deep = part == SL_REUSE_KEEP || part == SL_REUSE_DEEP;
    if (part != SL_REUSE_NOTHING && deep && s->branch != branch)
        forget_branch(s);
    if (!s->repeat[part] && !(s->repeat[part] = sl_repeat_new()))
        return sl_fail(err, SL_MEMORY, "out of memory for the run");
    if (part == SL_REUSE_NOTHING)
        return true;
    for (int pass = 0; pass < sl_step_passes(&s->shape); pass++) {
        if (deep) {
            make_place(s, branch, 1, &s->deep[pass]);
        } else {
            make_place(s, SL_REUSE_FIRST_BLOCK, 2, &s->block[pass]);
            make_place(s, SL_REUSE_FIRST_BLOCK, 1, &s->rest[pass]);
        }
    }
    if (deep)
        s->branch = branch;
    return sl_device_check(s->dev, err);
}

/* A run's part of the place where this part of an evaluation has what is kept. */
static SlTensor kept_place(SlStep *s, int pass, int r)
{
    int each = each_of(&s->shape);
    return sl_slice(s->part <= SL_REUSE_DEEP ? &s->deep[pass] : &s->rest[pass], 0, r * each, each);
}

static void take_kept(SlStep *s, const SlStepRun *runs)
{
    if (s->part != SL_REUSE_DEEP && s->part != SL_REUSE_SKIP)
        return;
    for (int r = 0; r < s->shape.runs; r++)
        for (int pass = 0; pass < sl_step_passes(&s->shape); pass++) {
            SlTensor place = kept_place(s, pass, r);
            sl_copy(s->dev, &runs[r].kept->tensor[pass], &place);
        }
}

static bool fits_place(const SlTensor *kept, const SlTensor *place)
{
    return kept->data && kept->dtype == place->dtype && kept->rank == place->rank &&
           !memcmp(kept->size, place->size, (size_t)place->rank * sizeof *place->size);
}

/* A copy of what lies in the step's place. */
static void keep(SlStep *s, const SlTensor *place, SlTensor *to, SlStepKept *kept)
{
    if (!fits_place(to, place)) {
        sl_buffer_free(s->dev, to);
        *to = sl_buffer_new(s->dev, place->dtype, place->rank, place->size);
        kept->dev = s->dev;
    }
    sl_copy(s->dev, place, to);
}

static void give_kept(SlStep *s, const SlStepRun *runs)
{
    if (s->part != SL_REUSE_KEEP && s->part != SL_REUSE_REST)
        return;
    for (int r = 0; r < s->shape.runs; r++)
        for (int pass = 0; runs[r].kept && pass < sl_step_passes(&s->shape); pass++) {
            SlTensor place = kept_place(s, pass, r);
            keep(s, &place, &runs[r].kept->tensor[pass], runs[r].kept);
        }
}

bool sl_step_keep_first(SlStep *s, SlStepKept *kept, SlError *err)
{
    for (int pass = 0; pass < sl_step_passes(&s->shape); pass++)
        keep(s, &s->block[pass], &kept->block[pass], kept);
    return sl_device_check(s->dev, err);
}

bool sl_step_first_change(SlStep *s, const SlStepKept *kept, double *share, SlError *err)
{
    int passes = sl_step_passes(&s->shape);
    float sums[2][2] = {{0}};
    size_t mark = sl_arena_mark(s->dev);
    SlTensor all = sl_tensor_new(s->dev, SL_F32, 2, (const int64_t[]){passes, 2});
    bool there = true;
    for (int pass = 0; pass < passes && there; pass++) {
        SlTensor row = sl_slice(&all, 0, pass, 1);
        SlTensor out = sl_tensor_view(row.data, SL_F32, 1, &row.size[1]);
        there = fits_place(&kept->block[pass], &s->block[pass]);
        if (there)
            sl_residual_change(s->dev, &s->block[pass], &kept->block[pass], &out);
    }
    if (there)
        sl_download(s->dev, &all, sums);
    sl_arena_reset(s->dev, mark);
    *share = ((double)sums[0][0] + sums[1][0]) / ((double)sums[0][1] + sums[1][1]);
    return sl_device_check(s->dev, err);
}

/* ---- an evaluation ---- */

bool sl_step_evaluate(SlStep *s, const SlStepRun *runs, SlError *err)
{
    return sl_step_evaluate_part(s, runs, SL_REUSE_NOTHING, 0, err);
}

bool sl_step_evaluate_part(SlStep *s, const SlStepRun *runs, SlReusePart part, int branch,
                           SlError *err)
{
    SlDevice *dev = s->dev;
    bool ok = true;
    s->part = part;
    if (!make_places(s, part, branch, err))
        return false;
    take_kept(s, runs);
    for (int r = 0; r < s->shape.runs; r++) {
        SlTensor sample = sl_slice(&s->sample, 0, r, 1);
        sl_upload(dev, runs[r].input, &sample);
        set_guidance(s, r, runs[r].guidance);
    }
    set_times(s, runs);
    if (!sl_device_check(dev, err) || !set_contexts(s, runs, err) || !set_maps(s, err))
        return false;
    s->ok = true; /* a replayed graph does not call evaluate() */
    sl_repeat_run(dev, s->repeat[part], evaluate, s);
    if (!s->ok) {
        if (err)
            *err = s->err;
        return false;
    }
    if (part == SL_REUSE_FIRST)
        return sl_device_check(dev, err);
    give_kept(s, runs);
    for (int r = 0; ok && r < s->shape.runs; r++)
        ok = !runs[r].output || fetch_output(s, r, runs[r].output, err);
    return ok;
}

bool sl_step_said(SlStep *s, float *said, SlError *err)
{
    SlTensor rows = rows_said(s, 0);
    sl_download(s->dev, &rows, said);
    return sl_device_check(s->dev, err);
}

bool sl_step_guide(SlStep *s, const float *said, double guidance, float *output, SlError *err)
{
    SlTensor rows = rows_said(s, 0);
    sl_upload(s->dev, said, &rows);
    set_guidance(s, 0, guidance);
    if (s->shape.batch == 2)
        sl_guidance(s->dev, &rows, &s->scale, &s->results);
    return fetch_output(s, 0, output, err);
}
