/* lanes_file.c - writing a comparison; see lanes_file.h. */
#include "app/core/lanes_file.h"
#include "app/core/recipe_text.h"
#include "app/core/safetensors_writer.h"
#include "app/core/timeline_private.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OWN_ALL 511 /* in the window: the lane has all of its settings of its own */

bool sl_lanes_is_file(const char *path)
{
    size_t n = strlen(path), m = strlen(SL_LANES_SUFFIX);
    return n > m && strcasecmp(path + n - m, SL_LANES_SUFFIX) == 0;
}

/* What a lane shows, its ancestors' moments first. */
typedef struct Story {
    const SlTimeline **from; /* [planned] */
    int *moment;             /* [planned] */
    int *step;               /* [planned], counted on over a branch as the window counts */
    int step_offset;         /* of the lane's own moments */
    int planned, inherited;  /* moments; of ancestors */
    int kept, kept_inherited;
    bool *written; /* [planned] */
} Story;

static void story_free(Story *s)
{
    free(s->from);
    free(s->moment);
    free(s->step);
    free(s->written);
}

/* The parent's moments that a lane goes on from. */
static int moments_before(const SlLanes *lanes, int lane)
{
    const SlOrigin *origin = sl_timeline_origin(sl_lanes_timeline(lanes, lane));
    int parent = sl_lanes_parent(lanes, lane);
    if (parent < 0 || !origin || origin->step == 0)
        return 0;
    return sl_timeline_step_end(sl_lanes_timeline(lanes, parent), origin->step) + 1;
}

static void add_moments(const SlLanes *lanes, int lane, int count, Story *s)
{
    const SlTimeline *t = sl_lanes_timeline(lanes, lane);
    if (sl_lanes_parent(lanes, lane) >= 0)
        add_moments(lanes, sl_lanes_parent(lanes, lane), moments_before(lanes, lane), s);
    int before = s->planned - 1;
    s->step_offset = before < 0
                         ? 0
                         : s->step[before] + s->from[before]->moments[s->moment[before]].ends_step -
                               t->moments[0].step;
    for (int i = 0; i < count; i++) {
        s->from[s->planned] = t;
        s->moment[s->planned] = i;
        s->step[s->planned] = t->moments[i].step + s->step_offset;
        s->written[s->planned] = i < sl_timeline_count(t) && t->moments[i].x_t;
        s->kept += s->written[s->planned++];
    }
}

static bool tell(const SlLanes *lanes, int lane, Story *s, SlError *err)
{
    int room = 0;
    for (int i = 0; i < sl_lanes_count(lanes); i++)
        room += sl_timeline_total(sl_lanes_timeline(lanes, i));
    *s = (Story){.from = calloc((size_t)room, sizeof *s->from),
                 .moment = calloc((size_t)room, sizeof *s->moment),
                 .step = calloc((size_t)room, sizeof *s->step),
                 .written = calloc((size_t)room, sizeof *s->written)};
    if (!s->from || !s->moment || !s->step || !s->written)
        return sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    add_moments(lanes, lane, sl_timeline_total(sl_lanes_timeline(lanes, lane)), s);
    s->inherited = s->planned - sl_timeline_total(sl_lanes_timeline(lanes, lane));
    for (int i = 0; i < s->inherited; i++)
        s->kept_inherited += s->written[i];
    return s->kept > s->kept_inherited ||
           sl_fail(err, SL_ARGUMENT, "lane %d has nothing to keep: no step of it was computed",
                   lane + 1);
}

/* ---- JSON ---- */

/* With all digits: cJSON's own way to write a number loses some. */
static cJSON *row_of(const double *values, int n)
{
    SlText text = {0};
    for (int i = 0; i < n; i++) {
        char number[32];
        sl_format_double(values[i], number);
        sl_text_addf(&text, "%s%s", i ? "," : "[", number);
    }
    sl_text_add(&text, "]");
    cJSON *row = cJSON_CreateRaw(text.data ? text.data : "[]");
    sl_text_free(&text);
    return row;
}

static void add_plan(cJSON *json, const Story *s)
{
    cJSON *list = cJSON_AddArrayToObject(json, "plan");
    for (int i = 0; i < s->planned; i++) {
        SlMoment m = sl_timeline_planned(s->from[i], s->moment[i]);
        const double values[] = {m.timestep, m.sigma, s->step[i], m.ends_step};
        cJSON_AddItemToArray(list, row_of(values, 4));
    }
}

static void add_frames(cJSON *json, const Story *s)
{
    cJSON *list = cJSON_AddArrayToObject(json, "frames");
    for (int i = 0; i < s->planned; i++) {
        const SlMoment *m = &s->from[i]->moments[s->moment[i]];
        const double values[] = {i,
                                 s->planned,
                                 s->step[i],
                                 s->from[i]->recipe->steps + s->step[i] - m->step,
                                 m->ends_step,
                                 m->last,
                                 m->timestep,
                                 m->sigma,
                                 m->seconds};
        if (s->written[i])
            cJSON_AddItemToArray(list, row_of(values, 9));
    }
}

static void hash_sample(const float *sample, const SlTimeline *t, char hex[65])
{
    sl_sha256(sample, (size_t)t->elements * sizeof(float), hex);
}

/* What the lane's picture would say about itself. */
static char *metadata_text(const SlTimeline *t, const SlMetadata *identity)
{
    SlMetadata m = *identity;
    int last = sl_timeline_count(t) - 1;
    m.version = SL_METADATA_VERSION;
    m.recipe = t->recipe;
    m.origin = t->origin;
    m.warnings = t->warning;
    m.unknown = NULL;
    m.step = sl_timeline_steps_done(t);
    m.steps = t->recipe->steps;
    m.partial = !sl_timeline_done(t);
    m.given_latents = t->inputs.latents != NULL;
    m.given_step_noise = t->inputs.step_noise != NULL;
    m.latents_sha256[0] = m.pixels_sha256[0] = '\0';
    memcpy(m.noise_sha256, t->noise_sha256, sizeof m.noise_sha256);
    if (!m.partial && t->moments[last].x_t)
        hash_sample(t->moments[last].x_t, t, m.latents_sha256);
    return sl_metadata_to_json(&m);
}

static cJSON *describe(const SlLanes *lanes, int lane, const SlMetadata *identity, const Story *s,
                       const char *sha256)
{
    const SlTimeline *t = sl_lanes_timeline(lanes, lane);
    cJSON *json = cJSON_CreateObject(), *recipe = sl_recipe_to_json(t->recipe);
    char *settings = recipe ? cJSON_PrintUnformatted(recipe) : NULL;
    char *metadata = metadata_text(t, identity);
    cJSON_AddNumberToObject(json, "own", OWN_ALL);
    cJSON_AddStringToObject(json, "values", settings ? settings : "");
    cJSON_AddStringToObject(json, "settings", settings ? settings : "");
    cJSON_AddStringToObject(json, "metadata", metadata ? metadata : "");
    cJSON_AddBoolToObject(json, "done", sl_timeline_done(t));
    cJSON_AddNumberToObject(json, "parent", sl_lanes_parent(lanes, lane));
    cJSON_AddNumberToObject(json, "branch_point", s->kept_inherited);
    cJSON_AddNumberToObject(json, "inherited", s->inherited);
    cJSON_AddNumberToObject(json, "step_offset", s->step_offset);
    cJSON_AddNumberToObject(json, "first", t->moments[0].evaluation);
    cJSON_AddNumberToObject(json, "interval", t->interval);
    cJSON_AddStringToObject(json, "sha256", sha256);
    add_plan(json, s);
    add_frames(json, s);
    free(settings);
    free(metadata);
    cJSON_Delete(recipe);
    return json;
}

/* ---- tensors ---- */

static const float *sample_of(const Story *s, int i, bool noisy)
{
    const SlMoment *m = &s->from[i]->moments[s->moment[i]];
    return noisy ? m->x_t : m->x_0;
}

/* [kept, C, h, w], malloc'ed */
static float *join_samples(const Story *s, bool noisy, int64_t elements)
{
    float *all = malloc((size_t)s->kept * (size_t)elements * sizeof *all), *to = all;
    for (int i = 0; all && i < s->planned; i++)
        if (s->written[i]) {
            memcpy(to, sample_of(s, i, noisy), (size_t)elements * sizeof *all);
            to += elements;
        }
    return all;
}

static uint8_t *join_previews(const Story *s, const SlModel *model, bool noisy, int height,
                              int width)
{
    size_t bytes = (size_t)height * (size_t)width * 3;
    uint8_t *all = malloc((size_t)s->kept * bytes), *to = all;
    for (int i = 0; all && i < s->planned; i++)
        if (s->written[i]) {
            sl_preview(model, sample_of(s, i, noisy), height, width, to);
            to += bytes;
        }
    return all;
}

static bool add_side(SlTensorWriter *w, int lane, const Story *s, const SlModel *model, bool noisy)
{
    const SlTimeline *t = s->from[s->planned - 1];
    const int64_t size[4] = {s->kept, t->channels, t->height, t->width};
    const int64_t pixels[4] = {s->kept, t->height, t->width, 3};
    float *samples = join_samples(s, noisy, t->elements);
    uint8_t *previews = join_previews(s, model, noisy, t->height, t->width);
    char name[64];
    bool ok = samples && previews;
    if (ok) {
        snprintf(name, sizeof name, "lane.%d.%s", lane, noisy ? "x_t" : "x_0");
        sl_tensor_writer_add(w, name, 4, size, samples);
        snprintf(name, sizeof name, "lane.%d.%s", lane, noisy ? "noisy_preview" : "preview");
        sl_tensor_writer_add_typed(w, name, "U8", 4, pixels, previews);
    }
    free(samples);
    free(previews);
    return ok;
}

static bool hash_side(const Story *s, bool noisy, char sha256[65])
{
    int64_t elements = s->from[s->planned - 1]->elements;
    float *samples = join_samples(s, noisy, elements);
    if (samples)
        sl_sha256(samples, (size_t)s->kept * (size_t)elements * sizeof(float), sha256);
    free(samples);
    return samples != NULL;
}

typedef struct Saving {
    const SlLanes *lanes;
    const SlModel *model;
    const SlMetadata *identity;
    SlTensorWriter *writer;
    cJSON *list;
} Saving;

static bool describe_lane(const Saving *saving, int lane, SlError *err)
{
    Story s = {0};
    char both[129], sha256[65];
    bool ok = tell(saving->lanes, lane, &s, err);
    if (ok && !(hash_side(&s, true, both) && hash_side(&s, false, both + 64)))
        ok = sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    if (ok) {
        sl_sha256(both, 128, sha256);
        cJSON_AddItemToArray(saving->list,
                             describe(saving->lanes, lane, saving->identity, &s, sha256));
    }
    story_free(&s);
    return ok;
}

static bool add_lane(const Saving *saving, int lane, SlError *err)
{
    Story s = {0};
    bool ok = tell(saving->lanes, lane, &s, err);
    if (ok && !(add_side(saving->writer, lane, &s, saving->model, true) &&
                add_side(saving->writer, lane, &s, saving->model, false)))
        ok = sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    story_free(&s);
    return ok;
}

/* The text goes before the tensors. */
static bool add_all(const Saving *saving, cJSON *json, SlError *err)
{
    bool ok = true;
    for (int i = 0; ok && i < sl_lanes_count(saving->lanes); i++)
        ok = describe_lane(saving, i, err);
    char *text = ok ? cJSON_PrintUnformatted(json) : NULL;
    if (ok && !text)
        ok = sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    if (ok)
        sl_tensor_writer_set_metadata(saving->writer, "safelight", text);
    cJSON_free(text);
    for (int i = 0; ok && i < sl_lanes_count(saving->lanes); i++)
        ok = add_lane(saving, i, err);
    return ok;
}

bool sl_lanes_save(const SlLanes *lanes, const SlModel *model, const SlMetadata *identity,
                   const char *path, SlError *err)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "version", SL_LANES_FILE_VERSION);
    cJSON_AddNumberToObject(json, "reference", 0);
    const Saving saving = {.lanes = lanes,
                           .model = model,
                           .identity = identity,
                           .writer = sl_tensor_writer_new(),
                           .list = cJSON_AddArrayToObject(json, "lanes")};
    bool ok = saving.writer && saving.list ? add_all(&saving, json, err)
                                           : sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    ok = ok && sl_tensor_writer_save(saving.writer, path, err);
    cJSON_Delete(json);
    sl_tensor_writer_free(saving.writer);
    return ok;
}

/* ---- verifying ---- */

static bool equal_here(const SlTimeline *t, int i, const SlFrame *frame)
{
    size_t bytes = (size_t)t->elements * sizeof(float);
    return !memcmp(t->moments[i].x_t, frame->x_t, bytes) &&
           !memcmp(t->moments[i].x_0, frame->x_0, bytes);
}

bool sl_lanes_verify(const SlLanes *lanes, SlModel *model, int lane, int *same, int *kept,
                     SlError *err)
{
    const SlTimeline *t = sl_lanes_timeline(lanes, lane);
    SlRun *run = sl_origin_run(model, t->recipe, t->origin, NULL, err);
    bool ok = run != NULL, all = true;
    *same = *kept = 0;
    for (int i = 0; ok && i < t->count; i++) {
        SlFrame frame;
        ok = sl_run_done(run)
                 ? sl_fail(err, SL_FORMAT, "lane %d has more steps than its recipe", lane + 1)
                 : sl_run_next(run, &frame, err);
        if (!ok || !t->moments[i].x_t)
            continue;
        all = all && equal_here(t, i, &frame);
        *same += all;
        ++*kept;
    }
    sl_run_free(run);
    return ok;
}
