/* lanes_file_load.c - a comparison's file back into lanes; see lanes_file.h.
 *
 * Everything is checked before anything is allocated by it: the rows of JSON against each other, the
 * tensors' sizes against the rows, samples against their SHA-256.
 */
#include "app/record/lanes_file.h"
#include "app/record/timeline_private.h"
#include "engine/engine.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MOMENTS 4000
#define MAX_SIDE    16384

typedef struct LaneIn {
    const SlSafetensors *file;
    const cJSON *json;
    int index;
    SlMetadata metadata;
    int parent, branch_point, inherited, first, interval, step_offset;
    double *plan, *frames; /* rows of 4 and 9 */
    int plans, frame_count;
    const SlTensorInfo *x_t, *x_0;
    SlError *err;
} LaneIn;

static bool wrong(const LaneIn *in, const char *what)
{
    return sl_fail(in->err, SL_FORMAT, "%s: lane %d of the comparison has no good %s",
                   sl_safetensors_path(in->file), in->index + 1, what);
}

static bool read_int(const LaneIn *in, const char *key, int low, int high, int *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in->json, key);
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= low && item->valuedouble <= high) ||
        item->valuedouble != floor(item->valuedouble)) {
        char what[100];
        snprintf(what, sizeof what, "\"%s\"; expected a whole number from %d to %d", key, low,
                 high);
        return wrong(in, what);
    }
    *value = (int)item->valuedouble;
    return true;
}

/* Where the window writes no such number, it is `otherwise`. */
static bool read_int_or(const LaneIn *in, const char *key, int high, int otherwise, int *value)
{
    *value = otherwise;
    return !cJSON_GetObjectItemCaseSensitive(in->json, key) || read_int(in, key, 0, high, value);
}

/* Steps before the lane's own; a branch may enter its grid late, so it can be negative. */
static bool read_offset(LaneIn *in)
{
    in->step_offset = 0;
    return !cJSON_GetObjectItemCaseSensitive(in->json, "step_offset") ||
           read_int(in, "step_offset", -MAX_MOMENTS, MAX_MOMENTS, &in->step_offset);
}

/* A list of rows of n finite numbers, malloc'ed. */
static double *read_rows(const LaneIn *in, const char *key, int n, int *count)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(in->json, key), *row, *item;
    *count = cJSON_GetArraySize(list);
    if (!cJSON_IsArray(list) || *count < 1 || *count > MAX_MOMENTS) {
        wrong(in, key);
        return NULL;
    }
    double *rows = calloc((size_t)*count * (size_t)n, sizeof *rows), *to = rows;
    bool ok = rows != NULL;
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
    wrong(in, key);
    return NULL;
}

static bool read_metadata(LaneIn *in)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(in->json, "metadata"));
    return text ? sl_metadata_from_json(sl_safetensors_path(in->file), text, &in->metadata, in->err)
                : wrong(in, "\"metadata\"");
}

static bool find_tensor(LaneIn *in, const char *what, const SlTensorInfo **info)
{
    char name[64];
    snprintf(name, sizeof name, "lane.%d.%s", in->index, what);
    const SlTensorInfo *t = *info = sl_safetensors_find(in->file, name);
    return (t && t->known && t->dtype == SL_F32 && t->rank == 4 && t->size[0] == in->frame_count &&
            t->size[1] >= 1 && t->size[1] <= 64 && t->size[2] >= 1 && t->size[2] <= MAX_SIDE &&
            t->size[3] >= 1 && t->size[3] <= MAX_SIDE) ||
           sl_fail(in->err, SL_FORMAT,
                   "%s: the tensor \"%s\" is missing, or is not [%d, C, h, w] in F32",
                   sl_safetensors_path(in->file), name, in->frame_count);
}

static bool read_header(LaneIn *in)
{
    if (!read_metadata(in) || !read_int(in, "parent", -1, in->index - 1, &in->parent) ||
        !read_int(in, "branch_point", 0, MAX_MOMENTS, &in->branch_point) ||
        !read_int_or(in, "inherited", MAX_MOMENTS, in->branch_point, &in->inherited) ||
        !read_int_or(in, "first", MAX_MOMENTS, in->branch_point, &in->first) || !read_offset(in) ||
        !read_int_or(in, "interval", MAX_MOMENTS, 1, &in->interval))
        return false;
    in->plan = read_rows(in, "plan", 4, &in->plans);
    in->frames = in->plan ? read_rows(in, "frames", 9, &in->frame_count) : NULL;
    if (!in->frames || !find_tensor(in, "x_t", &in->x_t) || !find_tensor(in, "x_0", &in->x_0))
        return false;
    if (memcmp(in->x_t->size, in->x_0->size, sizeof in->x_t->size) != 0)
        return wrong(in, "samples: x_t and x_0 differ in size");
    if (in->interval < 1 || in->inherited >= in->plans || in->branch_point >= in->frame_count ||
        in->frame_count > in->plans)
        return wrong(in, "number of moments");
    return true;
}

/* ---- a timeline of it ---- */

static void plan_moments(const LaneIn *in, SlTimeline *t)
{
    for (int i = 0; i < t->total; i++) {
        const double *row = in->plan + (size_t)(in->inherited + i) * 4;
        SlMoment *m = &t->moments[i];
        m->evaluation = in->first + i;
        m->timestep = row[0];
        m->sigma = row[1];
        m->step = (int)row[2] - in->step_offset;
        m->ends_step = row[3] != 0;
        m->last = i + 1 == t->total;
        m->level = m->last ? 0 : row[4 + 1];
        m->work = in->inherited + i + 1;
    }
}

/* The frame's place in the timeline: its number in the lane's story, less the ancestors'. */
static int place_of(const LaneIn *in, int frame)
{
    double number = in->frames[(size_t)frame * 9];
    return number >= 0 && number < MAX_MOMENTS ? (int)number - in->inherited : -1;
}

/* All moments up to the last frame, with the samples of those that are there. */
static bool record_frames(const LaneIn *in, SlTimeline *t, const float *x_t, const float *x_0)
{
    int frame = in->branch_point;
    double elapsed = 0;
    for (int i = 0; frame < in->frame_count; i++) {
        bool here = place_of(in, frame) == i;
        if (i >= t->total || here != (sl_timeline_slot(t, i) >= 0))
            return wrong(in, "order of its moments");
        SlMoment moment = t->moments[i];
        if (here) {
            moment.seconds = in->frames[(size_t)frame * 9 + 8];
            moment.x_t = x_t + (size_t)frame * (size_t)t->elements;
            moment.x_0 = x_0 + (size_t)frame * (size_t)t->elements;
            frame++;
        }
        moment.elapsed = elapsed += moment.seconds;
        sl_timeline_record(t, &moment);
    }
    return true;
}

static const char *hash_in(const LaneIn *in, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(in->json, key));
}

/* The hash of two hashes, as the file has it; files of the window have none. */
static bool check_hash(const LaneIn *in, const char *key, const char both[129])
{
    const char *expected = hash_in(in, key);
    char sha256[65];
    sl_sha256(both, 128, sha256);
    return !expected || strcmp(sha256, expected) == 0 ||
           wrong(in, "samples or previews: they were changed or damaged");
}

/* Of a lane that was done, its picture's too. */
static bool check_samples(const LaneIn *in, const float *x_t, const float *x_0)
{
    char both[129], last[65];
    size_t sample = in->x_t->bytes / (size_t)in->frame_count;
    sl_sha256(x_t, in->x_t->bytes, both);
    sl_sha256(x_0, in->x_0->bytes, both + 64);
    if (!check_hash(in, "sha256", both))
        return false;
    if (!in->metadata.latents_sha256[0] || in->metadata.partial)
        return true;
    sl_sha256((const char *)x_t + in->x_t->bytes - sample, sample, last);
    return strcmp(last, in->metadata.latents_sha256) == 0 ||
           wrong(in, "last sample: it is not the one that its metadata names");
}

static bool hash_tensor(const LaneIn *in, const char *what, char sha256[65])
{
    char name[64];
    snprintf(name, sizeof name, "lane.%d.%s", in->index, what);
    const SlTensorInfo *info = sl_safetensors_find(in->file, name);
    void *data = info && info->bytes > 0 ? malloc(info->bytes) : NULL;
    bool ok = data && sl_safetensors_read(in->file, info, 0, info->bytes, data, in->err);
    if (ok)
        sl_sha256(data, info->bytes, sha256);
    else if (!data)
        sl_fail(in->err, SL_FORMAT, "%s: the tensor \"%s\" is missing",
                sl_safetensors_path(in->file), name);
    free(data);
    return ok;
}

static bool check_previews(const LaneIn *in)
{
    char both[129];
    return !hash_in(in, "previews_sha256") ||
           (hash_tensor(in, "noisy_preview", both) && hash_tensor(in, "preview", both + 64) &&
            check_hash(in, "previews_sha256", both));
}

static SlTimeline *read_timeline(LaneIn *in)
{
    const int64_t *size = in->x_t->size;
    const SlTimelineShape shape = {.channels = (int)size[1],
                                   .height = (int)size[2],
                                   .width = (int)size[3],
                                   .total = in->plans - in->inherited,
                                   .interval = in->interval};
    float *x_t = malloc(in->x_t->bytes), *x_0 = malloc(in->x_0->bytes);
    SlTimeline *t = NULL;
    bool ok = (x_t && x_0) || sl_fail(in->err, SL_MEMORY, "memory ran out for a comparison");
    ok = ok && sl_safetensors_read(in->file, in->x_t, 0, in->x_t->bytes, x_t, in->err) &&
         sl_safetensors_read(in->file, in->x_0, 0, in->x_0->bytes, x_0, in->err) &&
         check_samples(in, x_t, x_0) && check_previews(in) &&
         (t = sl_timeline_shaped(in->metadata.recipe, in->metadata.origin, &shape, in->err));
    if (ok) {
        plan_moments(in, t);
        t->given_latents = in->metadata.given_latents;
        t->given_step_noise = in->metadata.given_step_noise;
        t->fast = in->metadata.fast;
        sl_timeline_set_batches(t, &in->metadata.batches);
        memcpy(t->noise_sha256, in->metadata.noise_sha256, sizeof t->noise_sha256);
        ok = record_frames(in, t, x_t, x_0);
    }
    free(x_t);
    free(x_0);
    if (ok)
        return t;
    sl_timeline_free(t);
    return NULL;
}

/* ---- all lanes ---- */

static bool read_lane(LaneIn *in, SlLanes *lanes, SlMetadata *identity)
{
    SlTimeline *t = read_header(in) ? read_timeline(in) : NULL;
    if (t) {
        sl_lanes_put(lanes, t, in->parent);
        if (in->index == 0) {
            *identity = in->metadata;
            in->metadata = (SlMetadata){0};
        }
    }
    sl_metadata_free(&in->metadata);
    free(in->plan);
    free(in->frames);
    return t != NULL;
}

static bool read_lanes(const SlSafetensors *file, const cJSON *root, SlLanes *lanes,
                       SlMetadata *identity, SlError *err)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "version");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "lanes"), *json;
    int count = cJSON_GetArraySize(list), index = 0;
    if (!cJSON_IsNumber(version) || version->valuedouble != SL_LANES_FILE_VERSION)
        return sl_fail(err, SL_FORMAT, "%s: the comparison is of another version; expected %d",
                       sl_safetensors_path(file), SL_LANES_FILE_VERSION);
    if (!cJSON_IsArray(list) || count < 1 || count > SL_LANES_MAX)
        return sl_fail(err, SL_FORMAT, "%s: the comparison has %d lanes; expected 1 to %d",
                       sl_safetensors_path(file), count, SL_LANES_MAX);
    sl_lanes_set_fast(lanes, cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "fast")));
    cJSON_ArrayForEach(json, list)
    {
        LaneIn in = {.file = file, .json = json, .index = index++, .err = err};
        if (!read_lane(&in, lanes, identity))
            return false;
    }
    return true;
}

SlLanes *sl_lanes_load(const char *path, SlMetadata *identity, SlError *err)
{
    memset(identity, 0, sizeof *identity);
    SlSafetensors *file = sl_safetensors_open(path, err);
    if (!file)
        return NULL;
    const char *text = sl_safetensors_metadata(file, "safelight");
    SlJson *json = NULL;
    if (text)
        json = sl_json_parse(path, text, strlen(text), err);
    else
        sl_fail(err, SL_FORMAT, "%s: no comparison of Safelight's: it has no \"safelight\" text",
                path);
    SlLanes *lanes = json ? sl_lanes_new() : NULL;
    if (json && !lanes)
        sl_fail(err, SL_MEMORY, "memory ran out for a comparison");
    if (lanes && !read_lanes(file, sl_json_root(json), lanes, identity, err)) {
        sl_lanes_free(lanes);
        sl_metadata_free(identity);
        lanes = NULL;
    }
    if (json)
        sl_json_close(json);
    sl_safetensors_close(file);
    return lanes;
}
