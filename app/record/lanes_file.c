/* lanes_file.c - writing a comparison; see lanes_file.h.
 *
 * Nothing is copied for it: samples go from the lanes to the file, and previews are made row by row.
 */
#include "app/record/lanes_file.h"
#include "app/files/files.h"
#include "app/recipe/recipe.h"
#include "app/record/lanes_story.h"
#include "app/record/timeline_private.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OWN_ALL 1023 /* in the window: the lane has all of its settings of its own */

bool sl_lanes_is_file(const char *path)
{
    size_t n = strlen(path), m = strlen(SL_LANES_SUFFIX);
    return n > m && strcasecmp(path + n - m, SL_LANES_SUFFIX) == 0;
}

/* One of the two samples of a lane's moments, and its previews. */
typedef struct Side {
    const SlStory *story;
    const SlModel *model;
    bool noisy;
} Side;

/* What is written of a lane. */
typedef struct Part {
    SlStory story;
    Side side[2];
    char samples[65], previews[65]; /* SHA-256 */
} Part;

typedef struct Saving {
    const SlLanes *lanes;
    const SlModel *model;
    const SlMetadata *identity;
    SlTensorWriter *writer;
    cJSON *list;
    Part *part;               /* [lanes] */
    int number[SL_LANES_MAX]; /* of each lane in the file; -1: it has nothing to keep */
} Saving;

/* ---- samples ---- */

static const void *sample_row(const void *arg, int64_t i, void *scratch)
{
    const Side *side = arg;
    const SlMoment *m = sl_story_kept(side->story, (int)i);
    return side->noisy ? m->x_t : m->x_0;
}

static const void *preview_row(const void *arg, int64_t i, void *scratch)
{
    const Side *side = arg;
    const SlTimeline *t = side->story->from[0];
    sl_preview(side->model, sample_row(arg, i, NULL), t->height, t->width, scratch);
    return scratch;
}

/* Of all rows of both sides. */
static bool hash_rows(const Part *part, const void *(*row)(const void *, int64_t, void *),
                      size_t bytes, char sha256[65])
{
    char both[129];
    uint8_t *all = malloc((size_t)part->story.kept * bytes), *scratch = malloc(bytes);
    for (int side = 0; all && scratch && side < 2; side++) {
        for (int i = 0; i < part->story.kept; i++)
            memcpy(all + (size_t)i * bytes, row(&part->side[side], i, scratch), bytes);
        sl_sha256(all, (size_t)part->story.kept * bytes, both + 64 * side);
    }
    bool ok = all && scratch;
    if (ok)
        sl_sha256(both, 128, sha256);
    free(all);
    free(scratch);
    return ok;
}

static bool hash_part(Part *part, SlError *err)
{
    const SlTimeline *t = part->story.from[0];
    size_t pixels = (size_t)t->height * (size_t)t->width;
    return (hash_rows(part, sample_row, (size_t)t->elements * sizeof(float), part->samples) &&
            hash_rows(part, preview_row, pixels * 3, part->previews)) ||
           sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
}

static void add_side(const Saving *saving, int lane, const Side *side)
{
    const SlTimeline *t = side->story->from[0];
    const int64_t size[4] = {side->story->kept, t->channels, t->height, t->width};
    const int64_t pixels[4] = {side->story->kept, t->height, t->width, 3};
    const SlTensorRows samples = {sample_row, side}, previews = {preview_row, side};
    char name[64];
    snprintf(name, sizeof name, "lane.%d.%s", lane, side->noisy ? "x_t" : "x_0");
    sl_tensor_writer_add_rows(saving->writer, name, "F32", size, &samples);
    snprintf(name, sizeof name, "lane.%d.%s", lane, side->noisy ? "noisy_preview" : "preview");
    sl_tensor_writer_add_rows(saving->writer, name, "U8", pixels, &previews);
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

static void add_plan(cJSON *json, const SlStory *s)
{
    cJSON *list = cJSON_AddArrayToObject(json, "plan");
    for (int i = 0; i < s->planned; i++) {
        SlMoment m = sl_timeline_planned(s->from[i], s->moment[i]);
        const double values[] = {m.timestep, m.sigma, s->step[i], m.ends_step};
        cJSON_AddItemToArray(list, row_of(values, 4));
    }
}

static void add_frames(cJSON *json, const SlStory *s)
{
    cJSON *list = cJSON_AddArrayToObject(json, "frames");
    for (int i = 0; i < s->kept; i++) {
        const SlMoment *m = sl_story_kept(s, i);
        int at = s->kept_at[i], before = i > 0 ? s->kept_at[i - 1] : -1;
        bool first = before < 0 || s->from[before] != s->from[at];
        /* with what those before it took that are not kept */
        double seconds = m->elapsed - (first ? 0 : sl_story_kept(s, i - 1)->elapsed);
        const double values[] = {at,
                                 s->planned,
                                 s->step[at],
                                 s->from[at]->recipe->steps + s->step[at] - m->step,
                                 m->ends_step,
                                 m->last,
                                 m->timestep,
                                 m->sigma,
                                 s->from[at]->interval > 1 ? seconds : m->seconds};
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
    m.given_latents = t->given_latents;
    m.given_step_noise = t->given_step_noise;
    m.fast = t->fast;
    m.latents_sha256[0] = m.pixels_sha256[0] = '\0';
    memcpy(m.noise_sha256, t->noise_sha256, sizeof m.noise_sha256);
    if (!m.partial && t->moments[last].x_t)
        hash_sample(t->moments[last].x_t, t, m.latents_sha256);
    char *text = sl_timeline_batches(t, last + 1, &m.batches) ? sl_metadata_to_json(&m) : NULL;
    sl_batches_free(&m.batches);
    return text;
}

static cJSON *describe(const Saving *saving, int lane, const Part *part)
{
    const SlStory *s = &part->story;
    const SlTimeline *t = sl_lanes_timeline(saving->lanes, lane);
    int parent = sl_lanes_parent(saving->lanes, lane);
    cJSON *json = cJSON_CreateObject(), *recipe = sl_recipe_to_json(t->recipe);
    char *settings = recipe ? cJSON_PrintUnformatted(recipe) : NULL;
    char *metadata = metadata_text(t, saving->identity);
    cJSON_AddNumberToObject(json, "own", OWN_ALL);
    cJSON_AddStringToObject(json, "values", settings ? settings : "");
    cJSON_AddStringToObject(json, "settings", settings ? settings : "");
    cJSON_AddStringToObject(json, "metadata", metadata ? metadata : "");
    cJSON_AddBoolToObject(json, "done", sl_timeline_done(t));
    cJSON_AddNumberToObject(json, "parent", parent >= 0 ? saving->number[parent] : -1);
    cJSON_AddNumberToObject(json, "branch_point", s->kept_inherited);
    cJSON_AddNumberToObject(json, "inherited", s->inherited);
    cJSON_AddNumberToObject(json, "step_offset", s->step_offset);
    cJSON_AddNumberToObject(json, "first", t->moments[0].evaluation);
    cJSON_AddNumberToObject(json, "interval", t->interval);
    cJSON_AddStringToObject(json, "sha256", part->samples);
    cJSON_AddStringToObject(json, "previews_sha256", part->previews);
    add_plan(json, s);
    add_frames(json, s);
    free(settings);
    free(metadata);
    cJSON_Delete(recipe);
    return json;
}

/* ---- all of it ---- */

static bool prepare(Saving *saving, int lane, int *count, SlError *err)
{
    Part *part = &saving->part[lane];
    if (!sl_story_tell(saving->lanes, lane, &part->story, err))
        return false;
    bool any = part->story.kept > part->story.kept_inherited;
    saving->number[lane] = any ? (*count)++ : -1;
    part->side[0] = (Side){&part->story, saving->model, true};
    part->side[1] = (Side){&part->story, saving->model, false};
    return !any || hash_part(part, err);
}

/* The text goes before the tensors. */
static bool add_all(Saving *saving, cJSON *json, SlError *err)
{
    int count = 0, lanes = sl_lanes_count(saving->lanes);
    for (int i = 0; i < lanes; i++)
        if (!prepare(saving, i, &count, err))
            return false;
    if (count == 0)
        return sl_fail(err, SL_ARGUMENT, "there is nothing to keep: no step was computed");
    for (int i = 0; i < lanes; i++)
        if (saving->number[i] >= 0)
            cJSON_AddItemToArray(saving->list, describe(saving, i, &saving->part[i]));
    char *text = cJSON_PrintUnformatted(json);
    if (!text)
        return sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    sl_tensor_writer_set_metadata(saving->writer, "safelight", text);
    cJSON_free(text);
    for (int i = 0; i < lanes; i++)
        for (int side = 0; saving->number[i] >= 0 && side < 2; side++)
            add_side(saving, saving->number[i], &saving->part[i].side[side]);
    return true;
}

bool sl_lanes_save(const SlLanes *lanes, const SlModel *model, const SlMetadata *identity,
                   const char *path, SlError *err)
{
    int count = sl_lanes_count(lanes);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "version", SL_LANES_FILE_VERSION);
    cJSON_AddNumberToObject(json, "reference", 0);
    if (sl_lanes_fast(lanes))
        cJSON_AddBoolToObject(json, "fast", true);
    Saving saving = {.lanes = lanes,
                     .model = model,
                     .identity = identity,
                     .writer = sl_tensor_writer_new(),
                     .list = cJSON_AddArrayToObject(json, "lanes"),
                     .part = calloc((size_t)count + 1, sizeof *saving.part)};
    bool ok = saving.writer && saving.list && saving.part
                  ? add_all(&saving, json, err)
                  : sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    ok = ok && sl_tensor_writer_save(saving.writer, path, err);
    for (int i = 0; saving.part && i < count; i++)
        sl_story_free(&saving.part[i].story);
    free(saving.part);
    cJSON_Delete(json);
    sl_tensor_writer_free(saving.writer);
    return ok;
}
