/* lanes_file_save.c - writing a comparison; see lanes_file.h.
 *
 * Samples go from the lanes to the file row by row, and before that to their hashes. Easy to get
 * wrong: the lanes must not grow meanwhile (sl_timeline_head).
 */
#include "app/files/files.h"
#include "app/record/lanes_file_private.h"
#include "app/record/lanes_file_words.h"
#include "app/record/timeline_private.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sl_lanes_is_file(const char *path)
{
    size_t n = strlen(path), m = strlen(SL_LANES_SUFFIX);
    return n > m && sl_same_letters(path + n - m, SL_LANES_SUFFIX);
}

/* ---- what a lane shows from noise to end ---- */

/* Its ancestors' moments and then its own. */
typedef struct Story {
    const SlTimeline **from; /* [planned] */
    int *moment;             /* [planned] */
    int *step;               /* [planned], counted on over a branch as the window counts */
    int step_offset;         /* of the lane's own moments */
    int planned, inherited;  /* moments; of ancestors */
    int *kept_at;            /* [kept]: which of the planned have their samples */
    int kept, kept_inherited;
} Story;

static void free_story(Story *s)
{
    free(s->from);
    free(s->moment);
    free(s->step);
    free(s->kept_at);
    memset(s, 0, sizeof *s);
}

/* The i-th kept moment. */
static const SlMoment *kept_moment(const Story *s, int i)
{
    int at = s->kept_at[i];
    return &s->from[at]->moments[s->moment[at]];
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

static void add_moment(Story *s, const SlTimeline *t, int i)
{
    s->from[s->planned] = t;
    s->moment[s->planned] = i;
    s->step[s->planned] = t->moments[i].step + s->step_offset;
    if (i < sl_timeline_count(t) && t->moments[i].x_t)
        s->kept_at[s->kept++] = s->planned;
    s->planned++;
}

static void add_timeline(Story *s, const SlTimeline *t, int count)
{
    int before = s->planned - 1;
    s->step_offset = before < 0
                         ? 0
                         : s->step[before] + s->from[before]->moments[s->moment[before]].ends_step -
                               t->moments[0].step;
    for (int i = 0; i < count; i++)
        add_moment(s, t, i);
}

static void add_moments(const SlLanes *lanes, int lane, int count, Story *s)
{
    const SlBefore *before;
    int befores = sl_lanes_before(lanes, lane, &before);
    for (int i = 0; i < befores; i++)
        add_timeline(s, before[i].timeline, before[i].count);
    if (befores == 0 && sl_lanes_parent(lanes, lane) >= 0)
        add_moments(lanes, sl_lanes_parent(lanes, lane), moments_before(lanes, lane), s);
    add_timeline(s, sl_lanes_timeline(lanes, lane), count);
}

static int room_for(const SlLanes *lanes)
{
    int room = 0;
    for (int i = 0; i < sl_lanes_count(lanes); i++) {
        const SlBefore *before;
        int befores = sl_lanes_before(lanes, i, &before);
        room += sl_timeline_total(sl_lanes_timeline(lanes, i));
        for (int k = 0; k < befores; k++)
            room += before[k].count;
    }
    return room;
}

/* False and *err without memory. Free in any case. */
static bool tell_story(const SlLanes *lanes, int lane, Story *s, SlError *err)
{
    int room = room_for(lanes), own = sl_timeline_total(sl_lanes_timeline(lanes, lane));
    *s = (Story){.from = calloc((size_t)room, sizeof *s->from),
                 .moment = calloc((size_t)room, sizeof *s->moment),
                 .step = calloc((size_t)room, sizeof *s->step),
                 .kept_at = calloc((size_t)room, sizeof *s->kept_at)};
    if (!s->from || !s->moment || !s->step || !s->kept_at)
        return sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    add_moments(lanes, lane, own, s);
    s->inherited = s->planned - own;
    while (s->kept_inherited < s->kept && s->kept_at[s->kept_inherited] < s->inherited)
        s->kept_inherited++;
    return true;
}

/* ---- tensors ---- */

/* A tensor's rows: an array of each of one lane's kept moments. */
typedef struct Rows {
    const Story *story;
    const SlModel *model;
    SlLaneTensor which;
} Rows;

typedef const void *(*RowOf)(const void *rows, int64_t i, void *scratch);

/* What is written of a lane. */
typedef struct Part {
    Story story;
    Rows rows[SL_LANE_TENSORS];
    bool there[SL_LANE_TENSORS]; /* output, guidance: where they are known of all its moments */
    char sha256[SL_LANE_HASHES][65];
    SlLaneWordsOut words;
} Part;

typedef struct Saving {
    const SlLanesOut *asked;
    SlTensorWriter *writer;
    Part *part;               /* [lanes] */
    int number[SL_LANES_MAX]; /* of each lane in the file; -1: it has nothing to keep */
} Saving;

static const void *sample_row(const void *arg, int64_t i, void *scratch)
{
    const Rows *rows = arg;
    const SlMoment *m = kept_moment(rows->story, (int)i);
    return rows->which == SL_LANE_X_T ? m->x_t : m->x_0;
}

/* Of the picture, which is x_t at the end. */
static const void *preview_row(const void *arg, int64_t i, void *scratch)
{
    const Rows *rows = arg;
    const Story *s = rows->story;
    const SlTimeline *t = s->from[s->kept_at[i]];
    const SlMoment *m = kept_moment(s, (int)i);
    int height, width;
    bool noisy = rows->which == SL_LANE_NOISY_PREVIEW;
    const uint8_t *kept = sl_timeline_preview(t, s->moment[s->kept_at[i]], noisy, &height, &width);
    if (kept)
        return kept;
    sl_preview(rows->model, noisy || m->last ? m->x_t : m->x_0, t->height, t->width, scratch);
    return scratch;
}

static const void *half_row(const void *arg, int64_t i, void *scratch)
{
    const Rows *rows = arg;
    const SlTimeline *t = rows->story->from[0];
    const SlMoment *m = kept_moment(rows->story, (int)i);
    const uint16_t *half = rows->which == SL_LANE_OUTPUT ? m->output16 : m->guidance16;
    for (int64_t k = 0; !half && k < t->elements; k++)
        ((uint16_t *)scratch)[k] = sl_f32_to_f16(m->output[k]);
    return half ? half : scratch;
}

static const RowOf row_of[SL_LANE_TENSORS] = {
    [SL_LANE_X_T] = sample_row,
    [SL_LANE_X_0] = sample_row,
    [SL_LANE_NOISY_PREVIEW] = preview_row,
    [SL_LANE_PREVIEW] = preview_row,
    [SL_LANE_OUTPUT] = half_row,
    [SL_LANE_GUIDANCE] = half_row,
};

/* Output and guidance term where they are known of all moments; only timelines with views have them
 * for looking at. A guidance term without the output is not written. */
static void find_tensors(Part *part)
{
    bool output = part->story.kept > 0, guidance = output;
    for (int i = 0; i < part->story.kept; i++) {
        const SlMoment *m = kept_moment(&part->story, i);
        const SlTimeline *t = part->story.from[part->story.kept_at[i]];
        output = output && t->views && (m->output16 || m->output);
        guidance = guidance && m->guidance16;
    }
    for (int k = 0; k < SL_LANE_TENSORS; k++)
        part->there[k] = !sl_lane_tensors[k].optional;
    part->there[SL_LANE_OUTPUT] = output;
    part->there[SL_LANE_GUIDANCE] = output && guidance;
}

static size_t row_bytes(const SlTimeline *t, const SlLaneTensorInfo *tensor)
{
    size_t elements =
        tensor->pixels ? (size_t)t->height * (size_t)t->width * 3 : (size_t)t->elements;
    return elements * sl_dtype_size(tensor->dtype);
}

/* Of all rows of both tensors; one that is not there has none. */
static bool hash_rows(const Part *part, const SlLaneHashInfo *hash, char sha256[65], SlError *err)
{
    char both[129];
    size_t bytes = row_bytes(part->story.from[0], &sl_lane_tensors[hash->of[0]]);
    void *scratch = malloc(bytes);
    if (!scratch)
        return sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    for (int k = 0; k < 2; k++) {
        SlLaneTensor which = hash->of[k];
        SlSha256 sha;
        sl_sha256_begin(&sha);
        for (int i = 0; part->there[which] && i < part->story.kept; i++)
            sl_sha256_add(&sha, row_of[which](&part->rows[which], i, scratch), bytes);
        sl_sha256_end(&sha, both + 64 * k);
    }
    sl_sha256(both, 128, sha256);
    free(scratch);
    return true;
}

static bool hash_part(Part *part, SlError *err)
{
    bool ok = true;
    for (int i = 0; ok && i < SL_LANE_HASHES; i++)
        if (part->there[sl_lane_hashes[i].of[0]])
            ok = hash_rows(part, &sl_lane_hashes[i], part->sha256[i], err);
    return ok;
}

/* Of its own moments, where maps of any are kept. */
static bool find_words(Part *part, const SlTimeline *own, SlError *err)
{
    const Story *s = &part->story;
    int count = s->kept - s->kept_inherited;
    bool any = false;
    int *moment = own->words ? malloc((size_t)count * sizeof *moment + 1) : NULL;
    if (own->words && !moment)
        return sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    for (int i = 0; moment && i < count; i++) {
        moment[i] = s->moment[s->kept_at[s->kept_inherited + i]];
        any = any || sl_word_record_has(own->words, moment[i]);
    }
    return sl_lane_words_out(&part->words, any ? own->words : NULL, moment, count, err);
}

static void add_tensors(const Saving *saving, int number, const Part *part)
{
    const SlTimeline *t = part->story.from[0];
    const int64_t size[4] = {part->story.kept, t->channels, t->height, t->width};
    const int64_t pixels[4] = {part->story.kept, t->height, t->width, 3};
    for (int k = 0; k < SL_LANE_TENSORS; k++) {
        const SlTensorRows rows = {row_of[k], &part->rows[k]};
        if (part->there[k])
            sl_tensor_writer_add_rows(saving->writer, sl_lane_tensor_name(number, k).text,
                                      sl_lane_tensors[k].dtype,
                                      sl_lane_tensors[k].pixels ? pixels : size, &rows);
    }
    sl_lane_words_add(&part->words, saving->writer, number);
}

/* ---- JSON ---- */

static void add_plan(SlJsonOut *out, cJSON *json, const Story *s)
{
    cJSON *list = sl_out_array(out, json, "plan");
    for (int i = 0; i < s->planned; i++) {
        SlMoment m = sl_timeline_planned(s->from[i], s->moment[i]);
        const double values[] = {m.timestep, m.sigma, s->step[i], m.ends_step};
        sl_out_row(out, list, NULL, values, 4);
    }
}

static void add_frames(SlJsonOut *out, cJSON *json, const Story *s)
{
    cJSON *list = sl_out_array(out, json, "frames");
    for (int i = 0; i < s->kept; i++) {
        const SlMoment *m = kept_moment(s, i);
        int at = s->kept_at[i], before = i > 0 ? s->kept_at[i - 1] : -1;
        bool first = before < 0 || s->from[before] != s->from[at];
        /* with what those before it took that are not kept */
        double seconds = m->elapsed - (first ? 0 : kept_moment(s, i - 1)->elapsed);
        const double values[] = {at,
                                 s->planned,
                                 s->step[at],
                                 s->from[at]->recipe->steps + s->step[at] - m->step,
                                 m->ends_step,
                                 m->last,
                                 m->timestep,
                                 m->sigma,
                                 s->from[at]->interval > 1 ? seconds : m->seconds};
        sl_out_row(out, list, NULL, values, 9);
    }
}

/* The numbers in the plan of those that took over a part of an earlier one, where there are any. */
static void add_cached(SlJsonOut *out, cJSON *json, const Story *s)
{
    cJSON *list = NULL;
    for (int i = 0; i < s->planned; i++) {
        const SlTimeline *t = s->from[i];
        if (s->moment[i] >= sl_timeline_count(t) || !t->moments[s->moment[i]].cached)
            continue;
        if (!list)
            list = sl_out_array(out, json, "cached");
        sl_out_number(out, list, NULL, i);
    }
}

static void hash_sample(const float *sample, const SlTimeline *t, char hex[65])
{
    sl_sha256(sample, (size_t)t->elements * sizeof(float), hex);
}

/* What the lane's picture would say about itself. */
static char *metadata_text(const SlTimeline *t, const SlMetadata *identity)
{
    int last = sl_timeline_count(t) - 1;
    SlMetadata *m = malloc(sizeof *m);
    if (!m)
        return NULL;
    *m = *identity;
    m->version = SL_METADATA_VERSION;
    m->recipe = t->recipe;
    m->origin = t->origin;
    m->warnings = t->warning;
    m->unknown = NULL;
    m->step = sl_timeline_steps_done(t);
    m->steps = t->recipe->steps;
    m->partial = !sl_timeline_done(t);
    m->given_latents = t->given_latents;
    m->given_step_noise = t->given_step_noise;
    m->fast = t->fast;
    m->latents_sha256[0] = m->pixels_sha256[0] = '\0';
    memcpy(m->noise_sha256, t->noise_sha256, sizeof m->noise_sha256);
    if (!m->partial && t->moments[last].x_t)
        hash_sample(t->moments[last].x_t, t, m->latents_sha256);
    char *text = sl_timeline_batches(t, last + 1, &m->batches) ? sl_metadata_to_json(m) : NULL;
    sl_batches_free(&m->batches);
    free(m);
    return text;
}

static const SlMetadata *identity_of(const SlLanesOut *asked, int lane)
{
    return asked->identities ? asked->identities[lane] : asked->identity;
}

static cJSON *describe(const Saving *saving, int lane, const Part *part)
{
    const Story *s = &part->story;
    const SlLanesOut *asked = saving->asked;
    const SlTimeline *t = sl_lanes_timeline(asked->lanes, lane);
    int parent = sl_lanes_parent(asked->lanes, lane);
    SlJsonOut out = {0}, no_recipe = {0};
    cJSON *json = sl_out_object(&out, NULL, NULL), *recipe = sl_recipe_to_json(t->recipe);
    no_recipe.failed = recipe == NULL;
    char *settings = sl_out_end_text(&no_recipe, recipe);
    char *metadata = metadata_text(t, identity_of(asked, lane));
    uint64_t all = sl_settings_own(SL_SETTINGS_ALL), own = asked->own ? asked->own[lane] : all;
    sl_out_number(&out, json, "own", own == all ? SL_LANES_OWN_ALL : (double)own);
    if (asked->color)
        sl_out_number(&out, json, "color", asked->color[lane]);
    sl_out_text(&out, json, "values", settings);
    sl_out_text(&out, json, "settings", settings);
    sl_out_text(&out, json, "metadata", metadata);
    sl_out_bool(&out, json, "done", sl_timeline_done(t));
    sl_out_number(&out, json, "parent", parent >= 0 ? saving->number[parent] : -1);
    sl_out_number(&out, json, "branch_point", s->kept_inherited);
    sl_out_number(&out, json, "inherited", s->inherited);
    sl_out_number(&out, json, "step_offset", s->step_offset);
    sl_out_number(&out, json, "first", t->moments[0].evaluation);
    sl_out_number(&out, json, "interval", t->interval);
    if (sl_lanes_grid(asked->lanes) && sl_lanes_cell(asked->lanes, lane) >= 0)
        sl_out_number(&out, json, "cell", sl_lanes_cell(asked->lanes, lane));
    for (int i = 0; i < SL_LANE_HASHES; i++)
        if (part->there[sl_lane_hashes[i].of[0]])
            sl_out_text(&out, json, sl_lane_hashes[i].key, part->sha256[i]);
    sl_lane_words_describe(&part->words, &out, json);
    add_plan(&out, json, s);
    add_frames(&out, json, s);
    add_cached(&out, json, s);
    free(settings);
    free(metadata);
    return sl_out_end(&out, json);
}

/* ---- all of it ---- */

static bool prepare(Saving *saving, int lane, int *count, SlError *err)
{
    Part *part = &saving->part[lane];
    if (!tell_story(saving->asked->lanes, lane, &part->story, err))
        return false;
    bool any = part->story.kept > part->story.kept_inherited;
    saving->number[lane] = any ? (*count)++ : -1;
    for (int k = 0; k < SL_LANE_TENSORS; k++)
        part->rows[k] = (Rows){&part->story, saving->asked->model, k};
    find_tensors(part);
    return !any || (hash_part(part, err) &&
                    find_words(part, sl_lanes_timeline(saving->asked->lanes, lane), err));
}

/* The whole text; NULL without memory. */
static char *text_of(const Saving *saving)
{
    const SlLanesOut *asked = saving->asked;
    int lanes = sl_lanes_count(asked->lanes);
    int reference = lanes > asked->reference ? saving->number[asked->reference] : 0;
    SlJsonOut out = {0};
    cJSON *json = sl_out_object(&out, NULL, NULL);
    sl_out_number(&out, json, "version", SL_LANES_FILE_VERSION);
    if (sl_lanes_fast(asked->lanes))
        sl_out_bool(&out, json, "fast", true);
    if (sl_lanes_grid(asked->lanes))
        sl_out_item(&out, json, "grid", sl_grid_to_json(sl_lanes_grid(asked->lanes)));
    cJSON *list = sl_out_array(&out, json, "lanes");
    for (int i = 0; i < lanes; i++)
        if (saving->number[i] >= 0)
            sl_out_item(&out, list, NULL, describe(saving, i, &saving->part[i]));
    sl_out_number(&out, json, "reference", reference > 0 ? reference : 0);
    return sl_out_end_text(&out, json);
}

/* The text goes before the tensors. */
static bool add_all(Saving *saving, SlError *err)
{
    int count = 0, lanes = sl_lanes_count(saving->asked->lanes);
    for (int i = 0; i < lanes; i++)
        if (!prepare(saving, i, &count, err))
            return false;
    if (count == 0)
        return sl_fail(err, SL_ARGUMENT, "there is nothing to keep: no step was computed");
    char *text = text_of(saving);
    if (!text)
        return sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    sl_tensor_writer_set_metadata(saving->writer, "safelight", text);
    free(text);
    for (int i = 0; i < lanes; i++)
        if (saving->number[i] >= 0)
            add_tensors(saving, saving->number[i], &saving->part[i]);
    return true;
}

/* It opens again. */
static bool look_again(void *arg, const char *written, SlError *err)
{
    SlLanesIn *in = arg;
    bool ok = sl_lanes_look(in, written, err);
    sl_lanes_in_free(in);
    return ok;
}

bool sl_lanes_write(const SlLanesOut *asked, const char *path, SlError *err)
{
    int count = sl_lanes_count(asked->lanes);
    Saving saving = {.asked = asked,
                     .writer = sl_tensor_writer_new(),
                     .part = calloc((size_t)count + 1, sizeof *saving.part)};
    SlLanesIn *again = malloc(sizeof *again);
    bool ok = saving.writer && saving.part && again
                  ? add_all(&saving, err)
                  : sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    if (ok)
        sl_tensor_writer_check(saving.writer, look_again, again);
    ok = ok && sl_tensor_writer_save(saving.writer, path, err);
    for (int i = 0; saving.part && i < count; i++) {
        free_story(&saving.part[i].story);
        sl_lane_words_out_clear(&saving.part[i].words);
    }
    free(again);
    free(saving.part);
    sl_tensor_writer_free(saving.writer);
    return ok;
}

bool sl_lanes_save(const SlLanes *lanes, const SlModel *model, const SlMetadata *identity,
                   const char *path, SlError *err)
{
    const SlLanesOut out = {.lanes = lanes, .model = model, .identity = identity};
    return sl_lanes_write(&out, path, err);
}
