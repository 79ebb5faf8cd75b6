/* test_bench_against.c - shapes of two types side by side, from given profiles. */
#include "app/cli/bench_against.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <string.h>

static SlProfileRow row(const char *op, const char *shape, uint64_t calls, double seconds)
{
    SlProfileRow r = {.op = op, .calls = calls, .seconds = seconds};
    snprintf(r.shape, sizeof r.shape, "%s", shape);
    return r;
}

/* A step three times as fast but for one convolution, which is slower; a decode that is as fast. The
 * first counted ten steps, the other two. */
static void fill(SlBench *fast, SlBench *plain, SlProfileRow rows[8])
{
    rows[0] = row("linear", "64 rows, 32 > 32", 20, 1.0);
    rows[1] = row("conv2d", "3x3 to 2x8x8, 32 > 32", 10, 2.0);
    rows[2] = row("attention", "only here", 10, 1.0);
    rows[3] = row("conv2d", "3x3 to 2x8x8, 32 > 32", 2, 0.3);
    rows[4] = row("linear", "64 rows, 32 > 32", 4, 0.6);
    rows[5] = row("conv2d", "3x3 to 1x64x64, 32 > 3", 1, 0.51);
    rows[6] = row("conv2d", "3x3 to 1x64x64, 32 > 3", 1, 0.50);
    *fast = (SlBench){.dtypes = "bf16", .step_median = 0.4, .decode = 0.6, .text = 0.1};
    *plain = (SlBench){.dtypes = "f32", .step_median = 0.5, .decode = 0.5, .text = 0.2};
    fast->step_profile = (SlBenchProfile){10, 4.0, rows, 3};
    plain->step_profile = (SlBenchProfile){2, 1.0, rows + 3, 2};
    fast->decode_profile = (SlBenchProfile){1, 0.6, rows + 5, 1};
    plain->decode_profile = (SlBenchProfile){1, 0.5, rows + 6, 1};
}

static bool is(const SlBenchPair *p, const char *stage, const char *op, double ms, double against)
{
    return !strcmp(p->stage, stage) && !strcmp(p->op, op) && p->seconds * 1e3 > ms - 0.01 &&
           p->seconds * 1e3 < ms + 0.01 && p->against * 1e3 > against - 0.01 &&
           p->against * 1e3 < against + 0.01;
}

static void test_pairs(void)
{
    SlBench fast, plain;
    SlProfileRow rows[8];
    SlBenchPair *pairs = NULL;
    size_t count = 0;
    SlError err = {0};
    fill(&fast, &plain, rows);
    bool ok = sl_bench_pairs(&fast, &plain, &pairs, &count, &err);
    sl_test(ok && count == 3, "the shapes that both have, %zu", count);
    sl_test(ok && is(&pairs[0], "step", "conv2d", 200, 150) && sl_bench_pair_loses(&pairs[0]) &&
                pairs[0].share == 0.5 && pairs[0].calls == 1,
            "the one that loses most is first, per step");
    sl_test(ok && is(&pairs[1], "decode", "conv2d", 510, 500) && !sl_bench_pair_loses(&pairs[1]),
            "2 %% are noise");
    sl_test(ok && is(&pairs[2], "step", "linear", 100, 300) && !sl_bench_pair_loses(&pairs[2]),
            "the one that gains most is last");
    free(pairs);
}

static void test_json(void)
{
    SlBench fast, plain, none = {0};
    SlProfileRow rows[8];
    SlError err = {0};
    fill(&fast, &plain, rows);
    cJSON *root = cJSON_CreateObject();
    bool ok = sl_bench_add_against(root, &fast, &plain, &err);
    const cJSON *against = cJSON_GetObjectItem(root, "against");
    const cJSON *step = cJSON_GetObjectItem(against, "step");
    sl_test(ok && cJSON_GetNumberValue(cJSON_GetObjectItem(against, "slower_shapes")) == 1 &&
                cJSON_GetNumberValue(cJSON_GetObjectItem(step, "faster")) == 1.25 &&
                cJSON_GetArraySize(cJSON_GetObjectItem(against, "shapes")) == 3,
            "as JSON %s", err.message);
    cJSON_Delete(root);
    SlBenchPair *pairs = NULL;
    size_t count = 1;
    ok = sl_bench_pairs(&none, &none, &pairs, &count, &err);
    sl_test(ok && count == 0 && pairs, "without profiles there is nothing to compare");
    free(pairs);
}

int main(void)
{
    test_pairs();
    test_json();
    return sl_test_done();
}
