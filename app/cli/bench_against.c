/* bench_against.c - see bench_against.h. Easy to get wrong: a stage's profile counts several runs of a
 * step and one of the others, and not as many in both benches. */
#include "app/cli/bench_against.h"

#include "app/files/files.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLEARLY 1.05 /* times as long */

typedef struct Stage {
    const char *name;
    const SlBenchProfile *first, *second;
    double seconds, against; /* of a run */
} Stage;

enum { STAGES = 3 };

static void list_stages(const SlBench *a, const SlBench *b, Stage stages[STAGES])
{
    stages[0] = (Stage){"step", &a->step_profile, &b->step_profile, a->step_median, b->step_median};
    stages[1] = (Stage){"decode", &a->decode_profile, &b->decode_profile, a->decode, b->decode};
    stages[2] = (Stage){"text", &a->text_profile, &b->text_profile, a->text, b->text};
}

bool sl_bench_pair_loses(const SlBenchPair *pair)
{
    return pair->seconds > CLEARLY * pair->against;
}

static const SlProfileRow *find_row(const SlBenchProfile *p, const SlProfileRow *like)
{
    for (size_t i = 0; i < p->count; i++)
        if (!strcmp(p->rows[i].op, like->op) && !strcmp(p->rows[i].shape, like->shape))
            return &p->rows[i];
    return NULL;
}

static int by_loss(const void *a, const void *b)
{
    const SlBenchPair *x = a, *y = b;
    double loss = x->seconds - x->against, other = y->seconds - y->against;
    return (loss < other) - (loss > other);
}

static size_t pair_stage(const Stage *stage, SlBenchPair *pairs)
{
    size_t count = 0;
    double all = 0;
    for (size_t i = 0; i < stage->first->count; i++)
        all += stage->first->rows[i].seconds;
    for (size_t i = 0; i < stage->first->count; i++) {
        const SlProfileRow *row = &stage->first->rows[i], *other = find_row(stage->second, row);
        double runs = stage->first->runs;
        if (other)
            pairs[count++] = (SlBenchPair){.stage = stage->name,
                                           .op = row->op,
                                           .shape = row->shape,
                                           .calls = (double)row->calls / runs,
                                           .seconds = row->seconds / runs,
                                           .against = other->seconds / stage->second->runs,
                                           .share = row->seconds / all};
    }
    return count;
}

bool sl_bench_pairs(const SlBench *bench, const SlBench *against, SlBenchPair **pairs,
                    size_t *count, SlError *err)
{
    Stage stages[STAGES];
    size_t room = 1;
    list_stages(bench, against, stages);
    for (int i = 0; i < STAGES; i++)
        room += stages[i].first->count;
    *count = 0;
    *pairs = calloc(room, sizeof **pairs);
    if (!*pairs)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    for (int i = 0; i < STAGES; i++)
        *count += pair_stage(&stages[i], *pairs + *count);
    qsort(*pairs, *count, sizeof **pairs, by_loss);
    return true;
}

/* ---- what is said ---- */

static size_t losing(const SlBenchPair *pairs, size_t count)
{
    size_t lose = 0;
    for (size_t i = 0; i < count; i++)
        lose += sl_bench_pair_loses(&pairs[i]);
    return lose;
}

static void print_pair(const SlBenchPair *p)
{
    printf("  %-7s %-18s %-32s %6.0f %10.3f %10.3f %7.2f %6.1f\n", p->stage, p->op, p->shape,
           p->calls, p->seconds * 1e3, p->against * 1e3, p->against / p->seconds, p->share * 100);
}

static void print_stages(const SlBench *bench, const SlBench *against)
{
    Stage stages[STAGES];
    list_stages(bench, against, stages);
    printf("\n%s against %s\n", bench->dtypes, against->dtypes);
    for (int i = 0; i < STAGES; i++)
        printf("  %-10s %10.2f ms  %10.2f ms  %7.2f times as fast\n", stages[i].name,
               stages[i].seconds * 1e3, stages[i].against * 1e3,
               stages[i].against / stages[i].seconds);
}

bool sl_bench_print_against(const SlBench *bench, const SlBench *against, SlError *err)
{
    SlBenchPair *pairs;
    size_t count;
    if (!sl_bench_pairs(bench, against, &pairs, &count, err))
        return false;
    size_t lose = losing(pairs, count);
    print_stages(bench, against);
    printf("%zu of %zu shapes are slower in %s than in %s%s\n", lose, count, bench->dtypes,
           against->dtypes, count ? ":" : "");
    if (count)
        printf("  %-7s %-18s %-32s %6s %10s %10s %7s %6s\n", "stage", "operation", "shape", "calls",
               "ms", "against", "faster", "%");
    for (size_t i = 0; i < count; i++)
        if (sl_bench_pair_loses(&pairs[i]))
            print_pair(&pairs[i]);
    if (lose < count)
        printf("  the others\n");
    for (size_t i = 0; i < count; i++)
        if (!sl_bench_pair_loses(&pairs[i]))
            print_pair(&pairs[i]);
    free(pairs);
    return true;
}

bool sl_bench_add_against(cJSON *root, const SlBench *bench, const SlBench *against, SlError *err)
{
    SlBenchPair *pairs;
    size_t count;
    SlJsonOut out = {0};
    Stage stages[STAGES];
    if (!sl_bench_pairs(bench, against, &pairs, &count, err))
        return false;
    list_stages(bench, against, stages);
    cJSON *object = sl_out_object(&out, NULL, NULL);
    sl_out_text(&out, object, "dtype", against->dtypes);
    sl_out_text(&out, object, "device", against->device);
    for (int i = 0; i < STAGES; i++) {
        cJSON *stage = sl_out_object(&out, object, stages[i].name);
        sl_out_number(&out, stage, "ms", stages[i].against * 1e3);
        sl_out_number(&out, stage, "faster", stages[i].against / stages[i].seconds);
    }
    sl_out_number(&out, object, "slower_shapes", (double)losing(pairs, count));
    cJSON *list = sl_out_array(&out, object, "shapes");
    for (size_t i = 0; i < count; i++) {
        cJSON *item = sl_out_object(&out, list, NULL);
        sl_out_text(&out, item, "stage", pairs[i].stage);
        sl_out_text(&out, item, "operation", pairs[i].op);
        sl_out_text(&out, item, "shape", pairs[i].shape);
        sl_out_number(&out, item, "calls", pairs[i].calls);
        sl_out_number(&out, item, "ms", pairs[i].seconds * 1e3);
        sl_out_number(&out, item, "against_ms", pairs[i].against * 1e3);
        sl_out_bool(&out, item, "slower", sl_bench_pair_loses(&pairs[i]));
    }
    free(pairs);
    object = sl_out_end(&out, object);
    if (object && cJSON_AddItemToObject(root, "against", object))
        return true;
    cJSON_Delete(object);
    return sl_fail(err, SL_MEMORY, "memory ran out");
}
