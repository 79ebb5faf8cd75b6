/* lanes_file_load.c - a comparison's file back into lanes; see lanes_file.h.
 *
 * Everything is checked before anything is allocated by it: the rows of JSON against each other,
 * the tensors' sizes against the rows, what is in them against its SHA-256, and what the file says
 * twice (the recipe is in three places) against itself.
 */
#include "app/record/lanes_file_private.h"
#include "app/record/lanes_file_words.h"
#include "app/record/timeline_private.h"
#include "engine/engine.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_MOMENTS  4000
#define MAX_SIDE     16384
#define MAX_HEADER   (32 << 20)
#define MAX_SETTINGS ((size_t)4096) /* values in the JSON of a lane's */
/* In its JSON: 64 lanes of 1000 steps that take two evaluations each, or 1024 lanes of 62. */
#define MAX_VALUES ((size_t)1 << 21)

const SlLaneTensorInfo sl_lane_tensors[SL_LANE_TENSORS] = {
    [SL_LANE_X_T] = {"x_t", SL_F32, false, false},
    [SL_LANE_NOISY_PREVIEW] = {"noisy_preview", SL_U8, true, false},
    [SL_LANE_X_0] = {"x_0", SL_F32, false, false},
    [SL_LANE_PREVIEW] = {"preview", SL_U8, true, false},
    [SL_LANE_OUTPUT] = {"output", SL_F16, false, true},
    [SL_LANE_GUIDANCE] = {"guidance", SL_F16, false, true},
};

const SlLaneHashInfo sl_lane_hashes[SL_LANE_HASHES] = {
    [SL_LANE_SAMPLES] = {"sha256", {SL_LANE_X_T, SL_LANE_X_0}, SL_WORDS("samples")},
    [SL_LANE_PREVIEWS] = {"previews_sha256",
                          {SL_LANE_NOISY_PREVIEW, SL_LANE_PREVIEW},
                          SL_WORDS("previews")},
    [SL_LANE_HALVES] = {"halves_sha256",
                        {SL_LANE_OUTPUT, SL_LANE_GUIDANCE},
                        SL_WORDS("outputs or guidance terms")},
};

SlLaneTensorName sl_lane_tensor_name(int lane, SlLaneTensor which)
{
    SlLaneTensorName name;
    snprintf(name.text, sizeof name.text, "lane.%d.%s", lane, sl_lane_tensors[which].name);
    return name;
}

typedef struct LaneIn {
    const SlSafetensors *file;
    const cJSON *json;
    int index;
    SlLaneNote *note;
    int parent, branch_point, first, interval;
    double *plan, *frames; /* rows of 4 and 9 */
    int plans, frame_count;
    bool *cached;                              /* [plans]; NULL: none was */
    const SlTensorInfo *info[SL_LANE_TENSORS]; /* NULL: not there */
    uint8_t *data[SL_LANE_TENSORS];
    SlLaneWordsIn words;
    SlError *err;
} LaneIn;

/* "its NAME is ..." */
static bool wrong(const LaneIn *in, const char *what)
{
    return sl_fail(in->err, SL_FORMAT, "%s: lane %d: its %s", sl_safetensors_path(in->file),
                   in->index + 1, what);
}

static bool no_memory(const LaneIn *in)
{
    return sl_fail(in->err, SL_MEMORY, "memory ran out for a comparison");
}

/* ---- numbers ---- */

static bool read_int(const LaneIn *in, const char *key, int low, int high, int *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in->json, key);
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= low && item->valuedouble <= high) ||
        item->valuedouble != floor(item->valuedouble)) {
        char what[400];
        snprintf(what, sizeof what, sl_words("\"%s\" is not a whole number from %d to %d"), key,
                 low, high);
        return wrong(in, what);
    }
    *value = (int)item->valuedouble;
    return true;
}

/* Where an earlier build wrote no such number, it is `otherwise`. */
static bool read_int_or(const LaneIn *in, const char *key, int low, int otherwise, int *value)
{
    *value = otherwise;
    return !cJSON_GetObjectItemCaseSensitive(in->json, key) ||
           read_int(in, key, low, MAX_MOMENTS, value);
}

/* A list of rows of n finite numbers, malloc'ed. */
static double *read_rows(const LaneIn *in, const char *key, int n, int *count)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(in->json, key), *row, *item;
    char what[400];
    snprintf(what, sizeof what,
             sl_words("\"%s\" is not a list of 1 to %d rows of %d usable numbers"), key,
             MAX_MOMENTS, n);
    *count = cJSON_GetArraySize(list);
    if (!cJSON_IsArray(list) || *count < 1 || *count > MAX_MOMENTS) {
        wrong(in, what);
        return NULL;
    }
    double *rows = calloc((size_t)*count * (size_t)n, sizeof *rows), *to = rows;
    bool ok = true;
    if (!rows) {
        no_memory(in);
        return NULL;
    }
    cJSON_ArrayForEach(row, list)
    {
        ok = ok && cJSON_IsArray(row) && cJSON_GetArraySize(row) == n;
        if (!ok)
            break;
        cJSON_ArrayForEach(item, row)
        {
            ok = ok && cJSON_IsNumber(item) && fabs(item->valuedouble) <= 1e9;
            *to++ = item->valuedouble;
        }
    }
    if (ok)
        return rows;
    free(rows);
    wrong(in, what);
    return NULL;
}

/* ---- settings ---- */

static const char *string_in(const LaneIn *in, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(in->json, key));
}

static bool read_metadata(LaneIn *in)
{
    const char *text = string_in(in, "metadata");
    return sl_metadata_from_json(sl_safetensors_path(in->file), text ? text : "",
                                 &in->note->metadata, in->err);
}

/* With those that go with them: a prompt of its own that was drawn from a template has that, too. */
static SlSettingSet with_templates(SlSettingSet settings)
{
    if (settings & SL_SETTING_BIT(SL_SETTING_PROMPT))
        settings |= SL_SETTING_BIT(SL_SETTING_PROMPT_TEMPLATE);
    if (settings & SL_SETTING_BIT(SL_SETTING_NEGATIVE_PROMPT))
        settings |= SL_SETTING_BIT(SL_SETTING_NEGATIVE_TEMPLATE);
    return settings;
}

/* The settings of a text must be those that the run had; what it leaves to the model is the
 * recipe's. */
static bool check_text(const LaneIn *in, const char *key, SlSettingSet settings)
{
    const SlRecipe *recipe = in->note->metadata.recipe;
    const char *text = string_in(in, key);
    SlError problem = {0};
    SlJson *json =
        text ? sl_json_parse_bounded("", text, strlen(text), MAX_SETTINGS, &problem) : NULL;
    SlRecipe read = *recipe, said = *recipe;
    char what[600];
    bool ok = json && sl_recipe_from_json(sl_json_root(json), &read, NULL, &problem);
    if (problem.code == SL_MEMORY) {
        sl_json_close(json);
        return no_memory(in);
    }
    if (!ok) {
        snprintf(what, sizeof what, sl_words("\"%s\" are no settings"), key);
        sl_json_close(json);
        return wrong(in, what);
    }
    read.width = read.width > 0 ? read.width : recipe->width;
    read.height = read.height > 0 ? read.height : recipe->height;
    read.scheduler = read.scheduler && *read.scheduler ? read.scheduler : recipe->scheduler;
    sl_recipe_change(&said, &read, with_templates(settings));
    char *difference = sl_recipe_diff(&said, recipe);
    ok = difference && !*difference;
    if (!difference)
        no_memory(in);
    else if (!ok) {
        snprintf(
            what, sizeof what,
            sl_words(
                "\"%s\" are not those of its recipe (%.*s): it was changed after it was saved"),
            key, (int)(strcspn(difference, "\n") < 150 ? strcspn(difference, "\n") : 150),
            difference);
        wrong(in, what);
    }
    free(difference);
    sl_json_close(json);
    return ok;
}

/* ---- tensors ---- */

static bool find_tensor(LaneIn *in, SlLaneTensor which, const int64_t size[4])
{
    SlLaneTensorName name = sl_lane_tensor_name(in->index, which);
    const SlTensorInfo *t = in->info[which] = sl_safetensors_find(in->file, name.text);
    if (!t && sl_lane_tensors[which].optional)
        return true;
    bool ok = t && t->known && t->dtype == sl_lane_tensors[which].dtype && t->rank == 4;
    for (int i = 0; ok && i < 4; i++)
        ok = t->size[i] == size[i];
    return ok || sl_fail(in->err, SL_FORMAT,
                         "%s: lane %d: its tensor %s is missing, or is not [%d, %d, %d, %d] in %s",
                         sl_safetensors_path(in->file), in->index + 1, name.text, (int)size[0],
                         (int)size[1], (int)size[2], (int)size[3],
                         sl_dtype_name(sl_lane_tensors[which].dtype));
}

/* Of the sizes that x_t has. */
static bool find_tensors(LaneIn *in)
{
    SlLaneTensorName name = sl_lane_tensor_name(in->index, SL_LANE_X_T);
    const SlTensorInfo *t = sl_safetensors_find(in->file, name.text);
    if (!t || t->rank != 4 || t->size[0] != in->frame_count || t->size[1] < 1 || t->size[1] > 64 ||
        t->size[2] < 1 || t->size[2] > MAX_SIDE || t->size[3] < 1 || t->size[3] > MAX_SIDE)
        return sl_fail(in->err, SL_FORMAT,
                       "%s: lane %d: its tensor %s is missing, or is not [%d, C, h, w]",
                       sl_safetensors_path(in->file), in->index + 1, name.text, in->frame_count);
    const int64_t pixels[4] = {t->size[0], t->size[2], t->size[3], 3};
    for (int k = 0; k < SL_LANE_TENSORS; k++)
        if (!find_tensor(in, k, sl_lane_tensors[k].pixels ? pixels : t->size))
            return false;
    return true;
}

static bool read_tensors(LaneIn *in)
{
    for (int k = 0; k < SL_LANE_TENSORS; k++) {
        const SlTensorInfo *info = in->info[k];
        if (!info)
            continue;
        in->data[k] = malloc(info->bytes);
        if (!in->data[k])
            return no_memory(in);
        if (!sl_safetensors_read(in->file, info, 0, info->bytes, in->data[k], in->err))
            return false;
    }
    return true;
}

/* The hash of two tensors' hashes, as the file has it; files of earlier windows have none. */
static bool check_hash(const LaneIn *in, const SlLaneHashInfo *hash)
{
    const char *expected = string_in(in, hash->key);
    char both[129], sha256[65];
    for (int k = 0; k < 2; k++)
        sl_sha256(in->data[hash->of[k]], in->info[hash->of[k]] ? in->info[hash->of[k]]->bytes : 0,
                  both + 64 * k);
    sl_sha256(both, 128, sha256);
    char said[400];
    snprintf(said, sizeof said, sl_words("%s were changed or damaged"), sl_words(hash->what));
    return !expected || strcmp(sha256, expected) == 0 || wrong(in, said);
}

/* Of a lane that was done, its picture's too. */
static bool check_tensors(const LaneIn *in)
{
    const SlMetadata *m = &in->note->metadata;
    size_t bytes = in->info[SL_LANE_X_T]->bytes, sample = bytes / (size_t)in->frame_count;
    char last[65];
    for (int i = 0; i < SL_LANE_HASHES; i++)
        if (in->info[sl_lane_hashes[i].of[0]] && !check_hash(in, &sl_lane_hashes[i]))
            return false;
    if (!m->latents_sha256[0] || m->partial)
        return true;
    sl_sha256(in->data[SL_LANE_X_T] + bytes - sample, sample, last);
    return strcmp(last, m->latents_sha256) == 0 ||
           wrong(in, sl_words("last sample is not the one that its metadata names"));
}

/* ---- what is said of the lane ---- */

/* The number of a frame's moment in the plan, -1 where that is none. */
static int number_of(const LaneIn *in, int frame)
{
    double number = in->frames[(size_t)frame * 9];
    return number >= 0 && number < in->plans && number == floor(number) ? (int)number : -1;
}

/* Steps are counted on, one after the other, also over a branch. The lane's own are its recipe's;
 * an early build's files do not say where these begin. */
static bool check_plan(const LaneIn *in)
{
    const SlLaneNote *note = in->note;
    bool said = cJSON_HasObjectItem(in->json, "step_offset");
    int steps = said ? note->metadata.recipe->steps : MAX_MOMENTS;
    for (int i = 0; i < in->plans; i++) {
        const double *row = in->plan + (size_t)i * 4;
        double own = row[2] - note->step_offset, next = row[2] + (row[3] != 0);
        bool whole = row[2] == floor(row[2]) && row[2] >= 0 && row[2] < MAX_MOMENTS;
        if (!whole || (i + 1 < in->plans && row[4 + 2] != next) ||
            (i >= note->inherited && !(own >= 0 && own < steps)))
            return wrong(in,
                         sl_words("plan's steps are not those of its recipe, one after the other"));
    }
    return true;
}

/* In order, ancestors' first, and with the plan's figures. */
static bool check_frames(const LaneIn *in)
{
    int before = -1;
    for (int i = 0; i < in->frame_count; i++) {
        int number = number_of(in, i);
        const double *row = in->frames + (size_t)i * 9;
        const double *plan = in->plan + (size_t)(number < 0 ? 0 : number) * 4;
        if (number <= before || (number < in->note->inherited) != (i < in->branch_point))
            return wrong(in, sl_words("frames are not in order, or are not in its plan"));
        if (row[6] != plan[0] || row[7] != plan[1] || row[2] != plan[2] ||
            (row[4] != 0) != (plan[3] != 0) || !(row[8] >= 0))
            return wrong(in, sl_words("frames have not the figures of its plan"));
        before = number;
    }
    return true;
}

/* The moments of the plan that took over a part of an earlier one, in order; earlier builds name none. */
static bool read_cached(LaneIn *in)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(in->json, "cached"), *item;
    int before = -1;
    if (!list)
        return true;
    in->cached = calloc((size_t)in->plans, sizeof *in->cached);
    if (!in->cached)
        return no_memory(in);
    bool ok = cJSON_IsArray(list);
    cJSON_ArrayForEach(item, list)
    {
        double number = cJSON_IsNumber(item) ? item->valuedouble : -1;
        ok = ok && number > before && number < in->plans && number == floor(number);
        if (!ok)
            break;
        before = (int)number;
        in->cached[before] = true;
    }
    return ok || wrong(in, sl_words("\"cached\" is not a rising list of moments of its plan"));
}

/* The settings that are its own. */
static bool read_own(const LaneIn *in, SlSettingSet *settings)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in->json, "own");
    double own = cJSON_IsNumber(item) ? item->valuedouble : -1;
    uint64_t all = sl_settings_own(SL_SETTINGS_ALL);
    if (!(own >= 0 && own <= (double)all && own == floor(own))) {
        char what[400];
        snprintf(what, sizeof what, sl_words("\"own\" is not a whole number from 0 to %llu"),
                 (unsigned long long)all);
        return wrong(in, what);
    }
    *settings = own == SL_LANES_OWN_ALL ? SL_SETTINGS_ALL : sl_settings_of_own((uint64_t)own);
    in->note->own = sl_settings_own(*settings);
    return true;
}

/* Its own frames'. */
static SlLaneWordsFrom words_from(const LaneIn *in)
{
    return (SlLaneWordsFrom){.file = in->file,
                             .json = in->json,
                             .lane = in->index,
                             .frames = in->frame_count - in->branch_point,
                             .prompt = in->note->metadata.recipe->prompt};
}

static bool read_header(LaneIn *in)
{
    SlLaneNote *note = in->note;
    SlSettingSet own = 0;
    note->done = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(in->json, "done"));
    if (!read_metadata(in) || !read_own(in, &own) || !check_text(in, "settings", SL_SETTINGS_ALL) ||
        !check_text(in, "values", own) || !read_int(in, "parent", -1, in->index - 1, &in->parent) ||
        !read_int(in, "branch_point", 0, MAX_MOMENTS, &in->branch_point) ||
        !read_int_or(in, "color", 0, -1, &note->color) ||
        !read_int_or(in, "inherited", 0, in->branch_point, &note->inherited) ||
        !read_int_or(in, "first", 0, in->branch_point, &in->first) ||
        !read_int_or(in, "step_offset", -MAX_MOMENTS, 0, &note->step_offset) ||
        !read_int_or(in, "interval", 1, 1, &in->interval))
        return false;
    in->plan = read_rows(in, "plan", 4, &in->plans);
    in->frames = in->plan ? read_rows(in, "frames", 9, &in->frame_count) : NULL;
    if (!in->frames)
        return false;
    if (note->inherited >= in->plans || in->branch_point >= in->frame_count ||
        in->frame_count > in->plans)
        return wrong(in, sl_words("frames are more than its plan, or none is its own"));
    note->moments = in->frame_count;
    note->kept_inherited = in->branch_point;
    const SlLaneWordsFrom words = words_from(in);
    return check_plan(in) && check_frames(in) && read_cached(in) && find_tensors(in) &&
           sl_lane_words_look(&in->words, &words, in->err);
}

/* ---- timelines of it ---- */

/* Of the plan from `from` on. */
static void plan_moments(const LaneIn *in, SlTimeline *t, int from, int step_offset)
{
    for (int i = 0; i < t->total; i++) {
        const double *row = in->plan + (size_t)(from + i) * 4;
        SlMoment *m = &t->moments[i];
        m->evaluation = t->only_shown ? i : in->first + i;
        m->timestep = row[0];
        m->sigma = row[1];
        m->step = (int)row[2] - step_offset;
        m->ends_step = row[3] != 0;
        m->last = from + i + 1 == in->plans;
        m->work = from + i + 1;
        m->cached = in->cached && in->cached[from + i];
    }
}

static const void *part_of(const LaneIn *in, int which, int frame)
{
    const SlTensorInfo *info = in->info[which];
    return info ? in->data[which] + info->bytes / (size_t)in->frame_count * (size_t)frame : NULL;
}

/* The frame becomes the timeline's next moment. */
static void record_frame(const LaneIn *in, SlTimeline *t, int frame, double *elapsed)
{
    int height, width;
    SlMoment moment = t->moments[t->count];
    moment.seconds = in->frames[(size_t)frame * 9 + 8];
    moment.elapsed = *elapsed += moment.seconds;
    moment.x_t = part_of(in, SL_LANE_X_T, frame);
    moment.x_0 = part_of(in, SL_LANE_X_0, frame);
    moment.output16 = part_of(in, SL_LANE_OUTPUT, frame);
    moment.guidance16 = part_of(in, SL_LANE_GUIDANCE, frame);
    for (int noisy = 0; noisy < 2; noisy++) {
        uint8_t *to = sl_timeline_preview_place(t, t->count, noisy, &height, &width);
        memcpy(to, part_of(in, noisy ? SL_LANE_NOISY_PREVIEW : SL_LANE_PREVIEW, frame),
               (size_t)height * (size_t)width * 3);
    }
    sl_timeline_record(t, &moment);
}

/* All moments up to the last frame; those that are not there have their figures only. */
static bool record_own(const LaneIn *in, SlTimeline *t)
{
    double elapsed = 0;
    for (int frame = in->branch_point; frame < in->frame_count;) {
        int i = t->count;
        bool here = number_of(in, frame) == in->note->inherited + i;
        if (i >= t->total || here != (sl_timeline_slot(t, i) >= 0))
            return wrong(in, sl_words("frames are not those of its interval"));
        if (here)
            record_frame(in, t, frame++, &elapsed);
        else {
            SlMoment moment = t->moments[i];
            moment.elapsed = elapsed;
            sl_timeline_record(t, &moment);
        }
    }
    return true;
}

static SlTimelineShape shape_of(const LaneIn *in, int total, int interval)
{
    const int64_t *size = in->info[SL_LANE_X_T]->size;
    return (SlTimelineShape){.channels = (int)size[1],
                             .height = (int)size[2],
                             .width = (int)size[3],
                             .total = total,
                             .interval = interval,
                             .views = true,
                             .guided = in->info[SL_LANE_GUIDANCE] != NULL,
                             .output16 = in->info[SL_LANE_OUTPUT] != NULL};
}

static bool read_words(const LaneIn *in, SlTimeline *t)
{
    const SlLaneWordsFrom from = words_from(in);
    if (in->words.shape.rows == 0)
        return true;
    int *moment = malloc((size_t)from.frames * sizeof *moment);
    if (!moment)
        return no_memory(in);
    for (int i = 0; i < from.frames; i++)
        moment[i] = number_of(in, in->branch_point + i) - in->note->inherited;
    t->words = sl_lane_words_read(&in->words, &from, t->total, moment, in->err);
    free(moment);
    return t->words != NULL;
}

static SlTimeline *make_own(LaneIn *in)
{
    const SlMetadata *m = &in->note->metadata;
    const SlTimelineShape shape = shape_of(in, in->plans - in->note->inherited, in->interval);
    SlTimeline *t = sl_timeline_shaped(m->recipe, m->origin, &shape, in->err);
    if (!t)
        return NULL;
    plan_moments(in, t, in->note->inherited, in->note->step_offset);
    t->given_latents = m->given_latents;
    t->given_step_noise = m->given_step_noise;
    t->fast = m->fast;
    sl_timeline_set_batches(t, &m->batches);
    memcpy(t->noise_sha256, m->noise_sha256, sizeof t->noise_sha256);
    bool ok = !m->warnings || (t->warning = strdup(m->warnings)) || no_memory(in);
    if (ok && record_own(in, t) && read_words(in, t))
        return t;
    sl_timeline_free(t);
    return NULL;
}

/* A moment between looks like the next one that is there. */
static void record_gap(const LaneIn *in, SlTimeline *t, int next)
{
    int height, width;
    SlMoment moment = t->moments[t->count];
    for (int noisy = 0; noisy < 2; noisy++) {
        uint8_t *to = sl_timeline_preview_place(t, t->count, noisy, &height, &width);
        memcpy(to, part_of(in, noisy ? SL_LANE_NOISY_PREVIEW : SL_LANE_PREVIEW, next),
               (size_t)height * (size_t)width * 3);
    }
    sl_timeline_record(t, &moment);
}

/* What the lane's ancestors made before it, to be shown: the recipes that made it are in its
 * origin. */
static SlTimeline *make_before(LaneIn *in)
{
    const SlMetadata *m = &in->note->metadata;
    const SlTimelineShape shape = shape_of(in, in->note->inherited, 1);
    SlTimeline *t =
        sl_timeline_shaped(m->origin ? m->origin->recipe : m->recipe, NULL, &shape, in->err);
    double elapsed = 0;
    if (!t)
        return NULL;
    t->only_shown = true;
    plan_moments(in, t, 0, 0);
    for (int frame = 0; t->count < t->total;) {
        if (frame < in->branch_point && number_of(in, frame) == t->count)
            record_frame(in, t, frame++, &elapsed);
        else /* the lane's own first frame is behind them */
            record_gap(in, t, frame);
    }
    return t;
}

/* ---- all lanes ---- */

/* The parent is here with all that the lane has of it. */
static bool has_parent(const LaneIn *in, const SlLanesIn *all)
{
    if (in->parent < 0)
        return false;
    int made = sl_timeline_count(sl_lanes_timeline(all->lanes, in->parent));
    return all->note[in->parent].inherited + made >= in->note->inherited;
}

static bool add_lane(LaneIn *in, SlLanesIn *all)
{
    SlTimeline *own = NULL, *before = NULL;
    bool ok = read_header(in);
    if (!ok || !all->lanes)
        return ok;
    if (!read_tensors(in) || !check_tensors(in) || !(own = make_own(in)))
        return false;
    if (in->note->inherited > 0 && !has_parent(in, all) && !(before = make_before(in))) {
        sl_timeline_free(own);
        return false;
    }
    int lane = sl_lanes_put(all->lanes, own, in->parent);
    const SlBefore part = {before, before ? before->total : 0};
    return !before || sl_lanes_add_before(all->lanes, lane, &part, in->err);
}

static bool read_lane(LaneIn *in, SlLanesIn *all)
{
    bool ok = add_lane(in, all);
    for (int k = 0; k < SL_LANE_TENSORS; k++)
        free(in->data[k]);
    free(in->plan);
    free(in->frames);
    free(in->cached);
    sl_lane_words_in_clear(&in->words);
    return ok;
}

/* Each lane's cell is one of the grid, no two are the same, and its settings are those of the cell. */
static bool read_cell(const SlGrid *grid, const cJSON *lane, const SlRecipe *recipe, bool *taken,
                      int *cell)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(lane, "cell");
    double number = cJSON_IsNumber(item) ? item->valuedouble : -1;
    *cell = -1;
    if (!item)
        return true;
    if (!(number >= 0 && number < sl_grid_cells(grid)) || number != floor(number) ||
        taken[(int)number] || !sl_grid_fits(grid, (int)number, recipe))
        return false;
    *cell = (int)number;
    taken[*cell] = true;
    return true;
}

static bool read_cells(const char *path, const cJSON *root, const SlGrid *grid, SlLanesIn *all,
                       SlError *err)
{
    bool *taken = calloc((size_t)sl_grid_cells(grid), sizeof *taken), ok = taken != NULL;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "lanes"), *json;
    int index = 0;
    if (!ok)
        sl_fail(err, SL_MEMORY, "memory ran out for a comparison");
    cJSON_ArrayForEach(json, list)
    {
        int cell;
        if (!ok)
            break;
        ok = read_cell(grid, json, all->note[index].metadata.recipe, taken, &cell) ||
             sl_fail(
                 err, SL_FORMAT,
                 "%s: lane %d: its \"cell\" is not one of the grid's %d cells with its settings, "
                 "each for one lane",
                 path, index + 1, sl_grid_cells(grid));
        all->note[index].cell = cell;
        if (ok && all->lanes)
            sl_lanes_set_cell(all->lanes, index, cell);
        index++;
    }
    free(taken);
    return ok;
}

/* Most files have none. */
static bool read_grid(const SlSafetensors *file, const cJSON *root, SlLanesIn *all, SlError *err)
{
    const cJSON *json = cJSON_GetObjectItemCaseSensitive(root, "grid");
    const char *path = sl_safetensors_path(file);
    SlError problem = {0};
    for (int i = 0; i < all->count; i++)
        all->note[i].cell = -1;
    if (!json)
        return true;
    if (!sl_grid_from_json(json, &all->grid, &problem))
        return sl_fail(err, problem.code, "%s: %s", path, problem.message);
    return read_cells(path, root, &all->grid, all, err) &&
           (!all->lanes || sl_lanes_set_grid(all->lanes, &all->grid) ||
            sl_fail(err, SL_MEMORY, "memory ran out for a comparison"));
}

static bool read_lanes(const SlSafetensors *file, const cJSON *root, SlLanesIn *all, SlError *err)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "version");
    const cJSON *reference = cJSON_GetObjectItemCaseSensitive(root, "reference");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "lanes"), *json;
    int count = cJSON_GetArraySize(list), index = 0;
    if (!cJSON_IsNumber(version) || version->valuedouble != SL_LANES_FILE_VERSION)
        return sl_fail(err, SL_FORMAT, "%s: the comparison is of another version; expected %d",
                       sl_safetensors_path(file), SL_LANES_FILE_VERSION);
    if (!cJSON_IsArray(list) || count < 1 || count > SL_LANES_MAX)
        return sl_fail(err, SL_FORMAT, "%s: the comparison has %d lanes; expected 1 to %d",
                       sl_safetensors_path(file), count, SL_LANES_MAX);
    if (!cJSON_IsNumber(reference) || !(reference->valuedouble >= 0) ||
        !(reference->valuedouble < SL_LANES_MAX))
        return sl_fail(err, SL_FORMAT, "%s: its \"reference\" is not a whole number from 0 to %d",
                       sl_safetensors_path(file), SL_LANES_MAX - 1);
    all->note = calloc((size_t)count, sizeof *all->note);
    if (!all->note)
        return sl_fail(err, SL_MEMORY, "memory ran out for a comparison");
    all->reference = reference->valuedouble < count ? (int)reference->valuedouble : 0;
    all->fast = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "fast"));
    if (all->lanes)
        sl_lanes_set_fast(all->lanes, all->fast);
    cJSON_ArrayForEach(json, list)
    {
        LaneIn in = {.file = file, .json = json, .index = index, .err = err};
        in.note = &all->note[index++];
        all->count = index;
        if (!read_lane(&in, all))
            return false;
    }
    return read_grid(file, root, all, err);
}

/* Of the header, before memory is taken for it. */
static bool check_length(const char *path, SlError *err)
{
    uint64_t bytes, header = 0;
    int fd = sl_file_open(path, &bytes, err);
    if (fd < 0)
        return false;
    bool ok = bytes < sizeof header || sl_file_read(fd, path, &header, sizeof header, 0, err);
    close(fd);
    if (ok && header <= bytes && header > MAX_HEADER)
        ok = sl_fail(err, SL_FORMAT, "%s: its header has %llu bytes; a comparison's has at most %d",
                     path, (unsigned long long)header, MAX_HEADER);
    return ok;
}

bool sl_lanes_unless_known(const char *path, SlError *err)
{
    SlError ignored = {0};
    if (!sl_file_check(path, SL_WANT_COMPARISON, err))
        return false;
    SlWeightSource *file = sl_weights_open_file(path, &ignored);
    bool unknown = !file || sl_weights_unless_known(file, SL_WANT_COMPARISON, err);
    sl_weights_close(file);
    return unknown;
}

/* With lanes in *in, or only what is said of them. */
static bool read_file(SlLanesIn *in, const char *path, SlError *err)
{
    SlError problem = {0};
    SlSafetensors *file = check_length(path, &problem) ? sl_safetensors_open(path, &problem) : NULL;
    if (!file)
        return sl_lanes_unless_known(path, err) &&
               sl_fail(err, problem.code, "%s", problem.message);
    const char *text = sl_safetensors_metadata(file, "safelight");
    SlJson *json = text ? sl_json_parse_bounded(path, text, strlen(text), MAX_VALUES, err) : NULL;
    if (!text && sl_lanes_unless_known(path, err))
        sl_fail(err, SL_FORMAT, "%s: no comparison of Safelight's: it has no \"safelight\" text",
                path);
    bool ok = json && read_lanes(file, sl_json_root(json), in, err);
    if (json)
        sl_json_close(json);
    sl_safetensors_close(file);
    return ok;
}

bool sl_lanes_look(SlLanesIn *in, const char *path, SlError *err)
{
    memset(in, 0, sizeof *in);
    return read_file(in, path, err);
}

bool sl_lanes_read(SlLanesIn *in, const char *path, SlError *err)
{
    memset(in, 0, sizeof *in);
    in->lanes = sl_lanes_new();
    return in->lanes ? read_file(in, path, err)
                     : sl_fail(err, SL_MEMORY, "memory ran out for a comparison");
}

uint8_t *sl_lanes_thumbnail(const char *path, int lane, int *width, int *height, SlError *err)
{
    SlSafetensors *file = check_length(path, err) ? sl_safetensors_open(path, err) : NULL;
    const SlTensorInfo *info =
        file ? sl_safetensors_find(file, sl_lane_tensor_name(lane, SL_LANE_PREVIEW).text) : NULL;
    bool ok = info && info->rank == 4 && info->known && info->dtype == SL_U8 &&
              info->size[0] >= 1 && info->size[1] >= 1 && info->size[1] <= MAX_SIDE &&
              info->size[2] >= 1 && info->size[2] <= MAX_SIDE && info->size[3] == 3;
    uint8_t *rgb = NULL;
    if (file && !ok)
        sl_fail(err, SL_FORMAT, "%s: has no preview of lane %d", path, lane + 1);
    if (ok) {
        uint64_t bytes = (uint64_t)(info->size[1] * info->size[2] * 3);
        *height = (int)info->size[1];
        *width = (int)info->size[2];
        rgb = malloc((size_t)bytes);
        if (!rgb)
            sl_fail(err, SL_MEMORY, "%s: memory ran out for a preview", path);
        else if (!sl_safetensors_read(file, info, (uint64_t)(info->size[0] - 1) * bytes, bytes, rgb,
                                      err)) {
            free(rgb);
            rgb = NULL;
        }
    }
    sl_safetensors_close(file);
    return rgb;
}

void sl_lanes_in_free(SlLanesIn *in)
{
    sl_lanes_free(in->lanes);
    for (int i = 0; i < in->count; i++)
        sl_metadata_free(&in->note[i].metadata);
    free(in->note);
    sl_grid_clear(&in->grid);
    memset(in, 0, sizeof *in);
}

SlLanes *sl_lanes_load(const char *path, SlMetadata *identity, SlError *err)
{
    SlLanesIn *in = malloc(sizeof *in);
    SlLanes *lanes = NULL;
    memset(identity, 0, sizeof *identity);
    if (!in) {
        sl_fail(err, SL_MEMORY, "memory ran out for a comparison");
        return NULL;
    }
    if (sl_lanes_read(in, path, err)) {
        lanes = in->lanes;
        in->lanes = NULL;
        *identity = in->note[0].metadata;
        in->note[0].metadata = (SlMetadata){0};
    }
    sl_lanes_in_free(in);
    free(in);
    return lanes;
}
