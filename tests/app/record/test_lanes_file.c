/* test_lanes_file.c - hostile .safelight files, each made from a good one: what does not fit the
 * model, the recipe or itself is one sentence before anything with the model reads it.
 */
#include "app/files/files.h"
#include "app/record/record.h"
#include "tests/app/record/lanes.h"

#include <cjson/cJSON.h>

static char folder[] = "/tmp/safelight-lanes-file.XXXXXX";

/* ---- a file in parts ---- */

typedef struct Parts {
    uint8_t *file; /* as it was read */
    cJSON *header; /* of the safetensors file */
    cJSON *text;   /* what its "safelight" says */
    size_t start;  /* of the data in the file */
} Parts;

static cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool take_apart(const char *name, Parts *p)
{
    char relative[128];
    size_t bytes = 0;
    uint64_t length = 0;
    SlError err = {0};
    snprintf(relative, sizeof relative, "fixtures/first-edition/%s", name);
    char *path = sl_test_path(relative);
    p->file = sl_read_file(path, 1 << 24, &bytes, &err);
    free(path);
    if (!p->file || bytes < 8)
        return sl_test(false, "%s is read %s", name, err.message);
    memcpy(&length, p->file, 8);
    p->start = 8 + length;
    p->header = cJSON_ParseWithLength((char *)p->file + 8, length);
    const char *text = cJSON_GetStringValue(member(member(p->header, "__metadata__"), "safelight"));
    p->text = cJSON_Parse(text ? text : "");
    return sl_test(p->text != NULL, "%s is taken apart", name);
}

static void drop(Parts *p)
{
    free(p->file);
    cJSON_Delete(p->header);
    cJSON_Delete(p->text);
}

static size_t bytes_said(const cJSON *tensor)
{
    const char *dtype = cJSON_GetStringValue(member(tensor, "dtype"));
    size_t bytes = !strcmp(dtype, "F16") ? 2 : !strcmp(dtype, "U8") ? 1 : 4;
    const cJSON *n;
    cJSON_ArrayForEach(n, member(tensor, "shape")) bytes *= (size_t)n->valuedouble;
    return bytes;
}

/* Tensors have the bytes that their shapes say now: as many as there were, then zeros. */
static bool put_together(Parts *p, const char *path)
{
    SlText data = {0}, file = {0};
    SlError err = {0};
    cJSON *tensor, *words = member(p->header, "__metadata__");
    char *text = cJSON_PrintUnformatted(p->text);
    cJSON_ReplaceItemInObject(words, "safelight", cJSON_CreateString(text));
    cJSON_ArrayForEach(tensor, p->header)
    {
        if (tensor == words)
            continue;
        cJSON *offsets = member(tensor, "data_offsets");
        size_t from = (size_t)cJSON_GetArrayItem(offsets, 0)->valuedouble;
        size_t had = (size_t)cJSON_GetArrayItem(offsets, 1)->valuedouble - from;
        size_t wanted = bytes_said(tensor), at = data.length;
        sl_text_append(&data, (char *)p->file + p->start + from, had < wanted ? had : wanted);
        while (data.length < at + wanted)
            sl_text_append(&data, "\0\0\0", at + wanted - data.length < 3 ? 1 : 3);
        cJSON_SetNumberValue(cJSON_GetArrayItem(offsets, 0), (double)at);
        cJSON_SetNumberValue(cJSON_GetArrayItem(offsets, 1), (double)data.length);
    }
    char *header = cJSON_PrintUnformatted(p->header);
    uint64_t length = strlen(header);
    sl_text_append(&file, (char *)&length, 8);
    sl_text_add(&file, header);
    sl_text_append(&file, data.data, data.length);
    bool ok = sl_write_file(path, file.data, file.length, &err);
    sl_text_free(&file);
    sl_text_free(&data);
    free(header);
    free(text);
    return ok || sl_test(false, "%s is written: %s", path, err.message);
}

/* ---- changing it ---- */

static cJSON *lane_of(const Parts *p, int lane)
{
    return cJSON_GetArrayItem(member(p->text, "lanes"), lane);
}

/* In one of a lane's texts. */
static void replace_in(cJSON *lane, const char *key, const char *from, const char *to)
{
    SlText out = {0};
    const char *text = cJSON_GetStringValue(member(lane, key)), *at;
    for (; (at = strstr(text, from)); text = at + strlen(from)) {
        sl_text_append(&out, text, (size_t)(at - text));
        sl_text_add(&out, to);
    }
    sl_text_add(&out, text);
    cJSON_SetValuestring(member(lane, key), ""); /* a longer one is allocated anew */
    cJSON_ReplaceItemInObject(lane, key, cJSON_CreateString(out.data));
    sl_text_free(&out);
}

static void replace(cJSON *lane, const char *from, const char *to)
{
    static const char *const keys[] = {"metadata", "values", "settings"};
    for (int i = 0; i < 3; i++)
        replace_in(lane, keys[i], from, to);
}

static cJSON *tensor_of(const Parts *p, int lane, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "lane.%d.%s", lane, what);
    return member(p->header, name);
}

/* Another shape of a lane's samples, and of its previews with it; no hash speaks against it. */
static void reshape(Parts *p, int lane, int channels, int height, int width)
{
    static const char *const samples[] = {"x_t", "x_0", "output", "guidance"};
    static const char *const previews[] = {"preview", "noisy_preview"};
    static const char *const hashes[] = {"sha256", "previews_sha256", "halves_sha256"};
    for (int i = 0; i < 4; i++) {
        cJSON *shape = member(tensor_of(p, lane, samples[i]), "shape");
        cJSON_SetNumberValue(cJSON_GetArrayItem(shape, 1), channels);
        cJSON_SetNumberValue(cJSON_GetArrayItem(shape, 2), height);
        cJSON_SetNumberValue(cJSON_GetArrayItem(shape, 3), width);
    }
    for (int i = 0; i < 2; i++) {
        cJSON *shape = member(tensor_of(p, lane, previews[i]), "shape");
        cJSON_SetNumberValue(cJSON_GetArrayItem(shape, 1), height);
        cJSON_SetNumberValue(cJSON_GetArrayItem(shape, 2), width);
    }
    for (int i = 0; i < 3; i++)
        cJSON_DeleteItemFromObject(lane_of(p, lane), hashes[i]);
    replace_in(lane_of(p, lane), "metadata", "\"latents\":\"", "\"latents\":\"\",\"was\":\"");
}

/* ---- the cases ---- */

static void more_channels(Parts *p)
{
    for (int i = 0; i < 7; i++)
        reshape(p, i, 16, 4, 4);
}

static void one_channel(Parts *p)
{
    for (int i = 0; i < 7; i++)
        reshape(p, i, 1, 16, 16);
}

static void larger_recipe(Parts *p)
{
    for (int i = 0; i < 7; i++)
        replace(lane_of(p, i), "\"width\":32", "\"width\":64");
}

static void no_such_scheduler(Parts *p)
{
    replace(lane_of(p, 4), "\"scheduler\":\"heun\"", "\"scheduler\":\"nope\"");
}

static void no_such_scheduler_before(Parts *p)
{
    replace_in(lane_of(p, 6), "metadata", "\"scheduler\":\"ddim\"", "\"scheduler\":\"nope\"");
}

/* Only the branch and its ancestors in its own words; the parent stays. */
static void larger_branch(Parts *p)
{
    reshape(p, 5, 4, 16, 8);
    replace(lane_of(p, 5), "\"height\":32", "\"height\":64");
}

static void give_last_step(Parts *p, double step)
{
    cJSON *plan = member(lane_of(p, 0), "plan"), *frames = member(lane_of(p, 0), "frames");
    cJSON_SetNumberValue(cJSON_GetArrayItem(cJSON_GetArrayItem(plan, 10), 2), step);
    cJSON_SetNumberValue(cJSON_GetArrayItem(cJSON_GetArrayItem(frames, 10), 2), step);
}

static void far_step(Parts *p)
{
    give_last_step(p, 1e9);
}

static void broken_step(Parts *p)
{
    give_last_step(p, 9.5);
}

static void fewer_steps(Parts *p)
{
    replace(lane_of(p, 0), "\"steps\":10", "\"steps\":8");
}

static void whole_numbers(Parts *p)
{
    cJSON_SetValuestring(member(tensor_of(p, 0, "x_0"), "dtype"), "I32");
}

static void bytes_for_halves(Parts *p)
{
    cJSON *tensor = tensor_of(p, 0, "guidance");
    cJSON_SetValuestring(member(tensor, "dtype"), "U8");
}

static void short_guidance(Parts *p)
{
    cJSON_SetNumberValue(cJSON_GetArrayItem(member(tensor_of(p, 2, "guidance"), "shape"), 0), 9);
}

static void name_cached(Parts *p, double number)
{
    cJSON *list = cJSON_AddArrayToObject(lane_of(p, 1), "cached");
    cJSON_AddItemToArray(list, cJSON_CreateNumber(3));
    cJSON_AddItemToArray(list, cJSON_CreateNumber(number));
}

static void cached_nowhere(Parts *p)
{
    name_cached(p, 99);
}

static void cached_twice(Parts *p)
{
    name_cached(p, 3);
}

typedef struct Case {
    void (*change)(Parts *p);
    bool opens; /* it agrees with itself */
    const char *word;
} Case;

static const Case cases[] = {
    {more_channels, true, "its samples are [16, 4, 4]; expected [4, 8, 8]"},
    {one_channel, true, "its samples are [1, 16, 16]; expected [4, 8, 8]"},
    {larger_recipe, true, "expected [4, 8, 16] of a picture of 64 x 32"},
    {no_such_scheduler, true, "lane 5: its recipe: scheduler is \"nope\""},
    {no_such_scheduler_before, true, "lane 7: its recipe: scheduler is \"nope\""},
    {larger_branch, true, "lane 6: its samples are [4, 16, 8]; expected [4, 8, 8] of lane 2"},
    {far_step, false, "steps are not those of its recipe"},
    {broken_step, false, "steps are not those of its recipe"},
    {fewer_steps, false, "steps are not those of its recipe"},
    {whole_numbers, false, "lane.0.x_0"},
    {bytes_for_halves, false, "lane.0.guidance"},
    {short_guidance, false, "lane.2.guidance"},
    {cached_nowhere, false, "lane 2: its \"cached\" is not a rising list of moments of its plan"},
    {cached_twice, false, "lane 2: its \"cached\" is not a rising list of moments of its plan"},
};

/* Neither showing nor computing again comes so far as to read it. */
static void refused(SlLanes *lanes, SlModel *model, const char *word)
{
    SlCompare *taken = calloc(1, sizeof *taken);
    SlLaneCheck checks[SL_LANES_MAX];
    SlError err = {0};
    bool computed = sl_lanes_verify(lanes, model, checks, &err);
    sl_test(!computed && strstr(err.message, word), "not computed again: %s", err.message);
    err = (SlError){0};
    bool shown = sl_compare_take(taken, model, lanes, &err);
    sl_test(!shown && strstr(err.message, word), "not shown: %s", err.message);
    sl_compare_free(taken); /* and the lanes */
    free(taken);
}

static void try_case(SlModel *model, const Case *c)
{
    char path[128];
    Parts p = {0};
    SlError err = {0};
    SlMetadata identity = {0};
    snprintf(path, sizeof path, "%s/case.safelight", folder);
    if (!take_apart("window-lanes.safelight", &p))
        return;
    if (c)
        c->change(&p);
    if (put_together(&p, path)) {
        SlLanes *lanes = sl_lanes_load(path, &identity, &err);
        if (lanes && c && c->opens)
            refused(lanes, model, c->word);
        else if (c)
            sl_test(!lanes && !c->opens && strstr(err.message, c->word) &&
                        strstr(err.message, path),
                    "not opened: %s", err.message);
        else
            sl_test(lanes && sl_lanes_check(lanes, sl_model_info(model), &err),
                    "the good one is %s", err.message);
        if (!c || !c->opens)
            sl_lanes_free(lanes);
        sl_metadata_free(&identity);
        unlink(path);
    }
    drop(&p);
}

/* ---- without memory ---- */

static int left; /* allocations of cJSON's that are given; below 0: all */

static void *give(size_t bytes)
{
    return left == 0 ? NULL : (left -= left > 0, malloc(bytes));
}

/* Saved whole or not at all, and then what was there stays. */
static void test_saving(void)
{
    char path[128], *good = sl_test_path("fixtures/first-edition/lanes.safelight");
    SlError err = {0};
    SlMetadata identity = {0}, again = {0};
    cJSON_Hooks hooks = {.malloc_fn = give, .free_fn = free};
    int saved = 0, refused = 0, opened = 0;
    snprintf(path, sizeof path, "%s/saved.safelight", folder);
    SlLanes *lanes = sl_lanes_load(good, &identity, &err);
    left = -1;
    cJSON_InitHooks(&hooks);
    bool there = lanes && sl_lanes_save(lanes, NULL, &identity, path, &err);
    for (int n = 0; there && saved == 0 && n < 100000; n += 17) {
        left = n;
        bool ok = sl_lanes_save(lanes, NULL, &identity, path, &err);
        left = -1;
        SlLanes *back = sl_lanes_load(path, &again, &err);
        opened += back != NULL;
        saved += ok;
        refused += !ok;
        sl_lanes_free(back);
        sl_metadata_free(&again);
    }
    cJSON_InitHooks(NULL);
    sl_test(there && saved == 1 && refused > 20 && opened == saved + refused,
            "of %d times without memory no file is half a comparison (%d open) %s", refused, opened,
            err.message);
    sl_lanes_free(lanes);
    sl_metadata_free(&identity);
    unlink(path);
    free(good);
}

int main(void)
{
    SlModel *model = open_model("sd1");
    if (!model || !mkdtemp(folder))
        return 1;
    try_case(model, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        try_case(model, &cases[i]);
    test_saving();
    rmdir(folder);
    sl_model_close(&model);
    return sl_test_done();
}
