/* test_fast.c - lanes that advance as one batch: what they make is what each makes alone but for
 * rounding, and the same bytes again. Takes the device, and a model or none for sd1. */
#include "app/record/difference.h"
#include "app/record/lanes_file.h"
#include "tests/test.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define LANES 6

static const char *device = "cpu";

/* Two without guidance, one of another size, and one that ends long before the others. */
static const struct {
    const char *scheduler, *prompt;
    double guidance;
    int steps, side;
} wanted[LANES] = {
    {"euler", "a red house", 7.5, 6, 32}, {"heun", "a blue lake", 5, 4, 32},
    {"ddim", "a red house", 1, 8, 32},    {"dpmpp-2m-sde", "", 3, 2, 32},
    {"unipc", "a lake", 7.5, 6, 24},      {"ddpm", "a tree", 1, 5, 32},
};

static SlModel *open_model(const char *name)
{
    char relative[128];
    SlError err = {0};
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *folder = sl_test_path(relative);
    SlModel *model = sl_model_open(folder, &(SlModelOptions){.device = device}, &err);
    if (!model)
        sl_test_note("%s", err.message);
    free(folder);
    return model;
}

static SlRecipe recipe_of(SlModel *model, int i)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    bool prompt = sl_model_info(model)->pipeline->has & SL_HAS_PROMPT;
    recipe.prompt = prompt ? wanted[i].prompt : "";
    recipe.guidance = prompt ? wanted[i].guidance : 1;
    recipe.scheduler = wanted[i].scheduler;
    recipe.steps = wanted[i].steps;
    recipe.seed = 7;
    if (prompt)
        recipe.width = recipe.height = wanted[i].side;
    return recipe;
}

/* Every lane to its end; turns (may be NULL) are the lanes in the order in which they were told. */
static SlLanes *compute(SlModel *model, bool fast, int *turns)
{
    SlError err = {0};
    SlLanes *lanes = sl_lanes_new();
    int lane = 0;
    bool ok = true;
    sl_lanes_set_fast(lanes, fast);
    for (int i = 0; ok && i < LANES; i++) {
        SlRecipe recipe = recipe_of(model, i);
        ok = sl_lanes_add(lanes, model, &recipe, NULL, LANES, &err) == i;
    }
    while (ok && sl_lanes_next(lanes, model, &lane, &err) && lane >= 0)
        if (turns && *turns >= 0)
            *turns++ = lane;
    for (int i = 0; ok && i < LANES; i++)
        ok = sl_timeline_done(sl_lanes_timeline(lanes, i));
    if (!ok)
        sl_test_note("%s", err.message);
    return lanes;
}

static size_t bytes_of(const SlTimeline *t)
{
    return (size_t)sl_timeline_elements(t) * sizeof(float);
}

static const float *end_of(const SlLanes *lanes, int i)
{
    const SlTimeline *t = sl_lanes_timeline(lanes, i);
    return sl_timeline_moment(t, sl_timeline_count(t) - 1)->x_t;
}

static double deviation_of(const float *x, int64_t n)
{
    double mean, deviation;
    sl_channel_figures(x, 1, n, &mean, &deviation);
    return deviation;
}

static void test_same(SlModel *model, const SlLanes *fast, double limit)
{
    SlLanes *alone = compute(model, false, NULL), *again = compute(model, true, NULL);
    for (int i = 0; i < LANES; i++) {
        const SlTimeline *t = sl_lanes_timeline(fast, i), *u = sl_lanes_timeline(again, i);
        int64_t n = sl_timeline_elements(t);
        double off =
            sl_rms(end_of(fast, i), end_of(alone, i), n) / deviation_of(end_of(alone, i), n);
        bool same = sl_timeline_count(t) == sl_timeline_count(u);
        for (int k = 0; same && k < sl_timeline_count(t); k++)
            same =
                !memcmp(sl_timeline_moment(t, k)->x_t, sl_timeline_moment(u, k)->x_t, bytes_of(t));
        sl_test(off <= limit && sl_timeline_done(t), "lane %d: %.2g of its deviation from alone", i,
                off);
        sl_test(same, "and the same bytes again");
        sl_test(sl_timeline_fast(t) == (wanted[i].side == sl_model_info(model)->width || i != 4) &&
                    !sl_timeline_fast(sl_lanes_timeline(alone, i)),
                "it says that it is fast");
    }
    sl_lanes_free(alone);
    sl_lanes_free(again);
}

/* Lane i by itself, with nothing but the batches that it was made in. */
static bool is_repeated(SlModel *model, const SlTimeline *was, const SlBatches *batches)
{
    SlError err = {0};
    const SlTimelineOptions options = {.batches = batches};
    SlTimeline *t = sl_timeline_new(model, sl_timeline_recipe(was), &options, &err);
    bool same = t != NULL;
    for (int k = 0; same && k < sl_timeline_count(was); k++)
        same =
            sl_timeline_next(t, model, &err) &&
            !memcmp(sl_timeline_moment(t, k)->x_t, sl_timeline_moment(was, k)->x_t, bytes_of(was));
    sl_timeline_free(t);
    return same;
}

static void test_repeated(SlModel *model, const SlLanes *fast)
{
    static const SlBatches none;
    int alone = 0;
    for (int i = 0; i < LANES; i++) {
        const SlTimeline *t = sl_lanes_timeline(fast, i);
        SlBatches batches, again = {0};
        SlError err = {0};
        bool ok = sl_timeline_batches(t, sl_timeline_count(t), &batches);
        cJSON *written = sl_batches_to_json(&batches);
        char *text = cJSON_PrintUnformatted(written);
        cJSON *json = text ? cJSON_Parse(text) : NULL;
        ok = ok && sl_batches_from_json(json, &again, &err) && again.count == batches.count;
        sl_test(ok && is_repeated(model, t, &again), "lane %d alone, as it was made with others",
                i);
        alone += is_repeated(model, t, &none);
        cJSON_Delete(json);
        cJSON_Delete(written);
        cJSON_free(text);
        sl_batches_free(&batches);
        sl_batches_free(&again);
    }
    sl_test_note("%d of %d lanes are the same alone", alone, LANES);
}

/* The first evaluation alone, then each at its place among those with its guidance, fewer once
 * one is over. */
static void test_batches(const SlLanes *fast)
{
    static const int expected[LANES][4][3] = {
        {{1, 0, 1}, {1, 0, 3}, {4, 0, 2}},
        {{1, 0, 1}, {1, 1, 3}, {4, 1, 2}, {1, 0, 1}},
        {{1, 0, 1}, {4, 0, 2}, {3, 0, 1}},
        {{1, 0, 1}, {1, 2, 3}},
        {{6, 0, 1}},
        {{1, 0, 1}, {4, 1, 2}},
    };
    for (int i = 0; i < LANES; i++) {
        const SlTimeline *t = sl_lanes_timeline(fast, i);
        SlBatches b = {0};
        bool ok = sl_timeline_batches(t, sl_timeline_count(t), &b);
        for (int k = 0; ok && k < b.count; k++) {
            const int *row = expected[i][k];
            ok = k < 4 && b.batch[k].evaluations == row[0] && b.batch[k].place == row[1] &&
                 b.batch[k].together == row[2];
            if (!ok)
                sl_test_note("%d: %d %d %d", k, b.batch[k].evaluations, b.batch[k].place,
                             b.batch[k].together);
        }
        sl_test(ok && b.count > 0, "lane %d knows the batches it was made in", i);
        sl_batches_free(&b);
    }
}

static void test_broken_batches(void)
{
    static const char *const broken[] = {"{}",        "[1]",        "[[1,0]]",     "[[0,0,1]]",
                                         "[[1,2,2]]", "[[1,0,10]]", "[[1.5,0,1]]", "[[1,-1,2]]"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        SlBatches batches;
        SlError err = {0};
        cJSON *json = cJSON_Parse(broken[i]);
        bool ok = sl_batches_from_json(json, &batches, &err);
        sl_test(!ok && strstr(err.message, "batches"), "%s is refused: %s", broken[i], err.message);
        sl_batches_free(&batches);
        cJSON_Delete(json);
    }
}

/* First evaluations one by one, then those with guidance together, and those without; the others
 * alone. */
static void test_turns(const int *turns)
{
    static const int expected[] = {0, 1, 2, 3, 4, 5, 0, 1, 3, 2, 5, 4, 0, 1, 2, 5, 4};
    sl_test(!memcmp(turns, expected, sizeof expected),
            "lanes of one size and guidance go together");
    for (int i = 0; i < 17; i++)
        if (turns[i] != expected[i])
            sl_test_note("turn %d is lane %d's", i, turns[i]);
}

/* ---- lanes that go on beside others ---- */

/* Lanes that were a batch become lanes of others, which are none. */
static void test_no_longer_fast(SlModel *model)
{
    SlError err = {0};
    SlLanes *fast = sl_lanes_new(), *alone = sl_lanes_new();
    SlRecipe recipe = recipe_of(model, 0);
    int lane = 0;
    sl_lanes_set_fast(fast, true);
    for (int i = 0; i < 2; i++)
        sl_lanes_add(fast, model, &recipe, NULL, 2, &err);
    for (int i = 0; i < 4; i++)
        sl_lanes_next(fast, model, &lane, &err);
    SlTimeline *was = sl_lanes_timeline(fast, 0);
    sl_lanes_put(alone, sl_timeline_ref(was), -1);
    for (int i = 0; i < 2; i++)
        sl_lanes_add(alone, model, &recipe, NULL, 2, &err);
    while (sl_lanes_next(alone, model, &lane, &err) && lane >= 0)
        ;
    sl_test(sl_timeline_done(was) && sl_timeline_fast(was) && sl_lanes_fast(alone),
            "a lane of a batch goes on, and the file will say that it was one %s", err.message);
    sl_test(!sl_timeline_fast(sl_lanes_timeline(alone, 1)) &&
                !sl_timeline_fast(sl_lanes_timeline(alone, 2)),
            "those beside it stay alone");
    sl_lanes_free(fast);
    sl_lanes_free(alone);
}

/* ---- without memory for a sentence ---- */

static bool no_copies;

/* In place of the C library's. */
char *strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = no_copies ? NULL : malloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

/* The first lane's second evaluation, in a batch with the other's, ends with values that are not
 * finite. */
static void test_no_memory_for_sentence(SlModel *model)
{
    SlError err = {0};
    SlLanes *lanes = sl_lanes_new();
    SlRecipe recipe = recipe_of(model, 5);
    const SlModelInfo *info = sl_model_info(model);
    size_t side = (size_t)(recipe.width / info->factor);
    size_t each = (size_t)info->channels * side * side, values = each * (size_t)recipe.steps;
    float *noise = calloc(values, sizeof *noise);
    const SlRunInputs inputs = {.step_noise = noise, .step_noise_count = recipe.steps};
    const SlTimelineOptions options = {.inputs = &inputs};
    int lane = 0;
    sl_lanes_set_fast(lanes, true);
    bool ok = noise && sl_lanes_add(lanes, model, &recipe, &options, 2, &err) == 0 &&
              sl_lanes_add(lanes, model, &recipe, NULL, 2, &err) == 1;
    for (size_t i = each; ok && i < values; i++)
        noise[i] = INFINITY;
    for (int i = 0; ok && i < 2; i++)
        ok = sl_lanes_next(lanes, model, &lane, &err);
    no_copies = true;
    ok = ok && !sl_lanes_next(lanes, model, &lane, &err);
    no_copies = false;
    sl_test(ok && err.code == SL_MEMORY, "no memory for a lane's sentence is said: %s",
            err.message);
    sl_test(sl_timeline_count(sl_lanes_timeline(lanes, 0)) == 1 &&
                sl_timeline_count(sl_lanes_timeline(lanes, 1)) == 2,
            "and the batch is not made a second time");
    sl_lanes_free(lanes);
    free(noise);
}

/* ---- a device whose memory is short ---- */

static SlOps limited;
static const SlOps *real;
static size_t used, most, limit = SIZE_MAX;

static void *limited_alloc(SlDevice *dev, size_t bytes)
{
    void *p = used + bytes <= limit ? real->alloc(dev, bytes) : NULL;
    used += p ? bytes : 0;
    most = used > most ? used : most;
    return p;
}

static void limited_free(SlDevice *dev, void *p, size_t bytes)
{
    used -= p ? bytes : 0;
    real->free(dev, p, bytes);
}

/* The most memory that the lanes take; 0 when one of them does not come to its end. */
static size_t memory_of(bool fast)
{
    SlModel *model = open_model("sd1");
    SlDevice *dev = sl_model_device(model);
    real = dev->ops;
    limited = *dev->ops;
    limited.alloc = limited_alloc;
    limited.free = limited_free;
    used = most = 0;
    dev->ops = &limited;
    SlLanes *lanes = compute(model, fast, NULL);
    bool done = true;
    for (int i = 0; i < LANES; i++)
        done = done && sl_timeline_done(sl_lanes_timeline(lanes, i)) && !sl_lanes_problem(lanes, i);
    sl_lanes_free(lanes);
    dev->ops = real;
    sl_model_close(&model);
    return done ? most : 0;
}

/* Where there is no room for all of them, fewer go together. */
static void test_short_memory(void)
{
    size_t alone = memory_of(false), all = memory_of(true);
    limit = alone + (all - alone) / 2;
    size_t some = memory_of(true);
    sl_test(alone > 0 && all > alone && some > 0 && some <= limit,
            "with less memory (%zu KB; alone %zu, all %zu) fewer go together", some >> 10,
            alone >> 10, all >> 10);
    limit = SIZE_MAX;
}

/* ---- the file ---- */

static void test_file(SlModel *model, SlLanes *lanes)
{
    char path[] = "/tmp/safelight-fast-XXXXXX.safelight";
    int fd = mkstemps(path, 10);
    SlError err = {0};
    SlMetadata identity = {.program = "test", .dtype = "f32"}, read = {0};
    snprintf(identity.device, sizeof identity.device, "%s", device);
    sl_metadata_set_model(&identity, sl_model_info(model));
    SlLanes *again = NULL;
    if (sl_lanes_save(lanes, model, &identity, path, &err))
        again = sl_lanes_load(path, &read, &err);
    SlLaneCheck checks[LANES] = {{0}};
    bool ok =
        again && sl_lanes_fast(again) && read.fast && sl_lanes_verify(again, model, checks, &err);
    for (int i = 0; ok && i < LANES; i++)
        ok = checks[i].noise && checks[i].kept > 0 && checks[i].same == checks[i].kept;
    sl_test(ok, "its file says so, and all of it is computed again to the same bytes %s",
            err.message);
    unlink(path);
    if (fd >= 0)
        close(fd);
    sl_metadata_free(&read);
    sl_lanes_free(again);
}

/* Lanes that cache, beside exact ones: which take over is said, batched where all do, and kept. */
#define CACHING 5
static void test_caching(SlModel *model)
{
    static const SlCaching ways[CACHING] = {SL_CACHING_OFF, SL_CACHING_DEEP, SL_CACHING_DEEP,
                                            SL_CACHING_FIRST_BLOCK, SL_CACHING_OFF};
    char path[] = "/tmp/safelight-caching-XXXXXX.safelight";
    int fd = mkstemps(path, 10), lane = 0, cached[CACHING] = {0}, together = 0;
    SlError err = {0};
    SlMetadata identity = {.program = "test", .dtype = "f32"}, read = {0};
    snprintf(identity.device, sizeof identity.device, "%s", device);
    sl_metadata_set_model(&identity, sl_model_info(model));
    SlLanes *lanes = sl_lanes_new(), *again = NULL;
    bool ok = true;
    sl_lanes_set_fast(lanes, true);
    for (int i = 0; ok && i < CACHING; i++) {
        SlRecipe recipe = recipe_of(model, 0);
        recipe.caching = ways[i];
        recipe.caching_threshold = 1;
        recipe.seed += (unsigned)i;
        ok = sl_lanes_add(lanes, model, &recipe, NULL, CACHING, &err) == i;
    }
    while (ok && sl_lanes_next(lanes, model, &lane, &err) && lane >= 0)
        ;
    if (ok && sl_lanes_save(lanes, model, &identity, path, &err))
        again = sl_lanes_load(path, &read, &err);
    ok = again != NULL;
    for (int i = 0; ok && i < CACHING; i++) {
        const SlTimeline *t = sl_lanes_timeline(lanes, i), *u = sl_lanes_timeline(again, i);
        for (int k = 0; ok && k < sl_timeline_count(t); k++) {
            const SlMoment *m = sl_timeline_moment(t, k);
            cached[i] += m->cached;
            together += m->cached && m->together == 2;
            ok = m->cached == sl_timeline_moment(u, k)->cached &&
                 (ways[i] != SL_CACHING_FIRST_BLOCK || m->together == 1);
        }
    }
    sl_test(ok && cached[0] + cached[4] == 0 && cached[1] == 4 && cached[2] == 4 && cached[3] > 0 &&
                together == 8,
            "lanes with caching: %d, %d and %d of 6 take over, %d of them in a batch %s", cached[1],
            cached[2], cached[3], together, err.message);
    SlLaneCheck checks[CACHING] = {{0}};
    ok = ok && sl_lanes_verify(again, model, checks, &err);
    for (int i = 0; ok && i < CACHING; i++)
        ok = checks[i].noise && checks[i].kept > 0 && checks[i].same == checks[i].kept;
    for (int i = 0; !ok && i < CACHING; i++)
        sl_test_note("lane %d: %d of %d", i, checks[i].same, checks[i].kept);
    sl_test(ok, "and their file is computed again to the same bytes %s", err.message);
    unlink(path);
    if (fd >= 0)
        close(fd);
    sl_metadata_free(&read);
    sl_lanes_free(lanes);
    sl_lanes_free(again);
}

int main(int argc, char **argv)
{
    device = argc > 1 ? argv[1] : device;
    double tolerance = argc > 2 ? atof(argv[2]) : 1e-4;
    SlModel *model = open_model("sd1");
    if (!sl_test(model != NULL, "the model on %s", device))
        return sl_test_done();
    int turns[100] = {0};
    turns[99] = -1;
    SlLanes *fast = compute(model, true, turns);
    test_turns(turns);
    test_same(model, fast, tolerance);
    test_batches(fast);
    test_repeated(model, fast);
    test_file(model, fast);
    sl_lanes_free(fast);
    test_broken_batches();
    test_no_longer_fast(model);
    test_no_memory_for_sentence(model);
    test_caching(model);
    if (strcmp(device, "cuda") != 0)
        test_short_memory();
    sl_model_close(&model);
    return sl_test_done();
}
