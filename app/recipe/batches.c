/* batches.c - see batches.h. */
#include "app/recipe/batches.h"
#include "app/files/files.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BATCHES     4000
#define MAX_EVALUATIONS 4000

void sl_batches_free(SlBatches *b)
{
    free(b->batch);
    *b = (SlBatches){0};
}

static bool append(SlBatches *b, const SlBatch *next)
{
    SlBatch *grown = realloc(b->batch, ((size_t)b->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    grown[b->count] = *next;
    b->batch = grown;
    b->count++;
    return true;
}

bool sl_batches_add(SlBatches *b, int place, int together)
{
    SlBatch *last = b->count ? &b->batch[b->count - 1] : NULL;
    if (!last || last->place != place || last->together != together)
        return append(b, &(SlBatch){1, place, together});
    last->evaluations++;
    return true;
}

bool sl_batches_copy(const SlBatches *from, SlBatches *to)
{
    bool ok = true;
    *to = (SlBatches){0};
    for (int i = 0; ok && i < from->count; i++)
        ok = append(to, &from->batch[i]);
    return ok;
}

SlBatch sl_batches_at(const SlBatches *b, int i)
{
    for (int k = 0; k < b->count; i -= b->batch[k++].evaluations)
        if (i < b->batch[k].evaluations)
            return (SlBatch){1, b->batch[k].place, b->batch[k].together};
    return (SlBatch){1, 0, 1};
}

bool sl_batches_any(const SlBatches *b)
{
    for (int i = 0; i < b->count; i++)
        if (b->batch[i].together > 1)
            return true;
    return false;
}

bool sl_batches_next(const SlBatches *b, int i, SlRun *run, SlFrame *frame, SlError *err)
{
    SlBatch batch = sl_batches_at(b, i);
    return sl_run_next_among(run, batch.place, batch.together, frame, err);
}

/* ---- JSON ---- */

cJSON *sl_batches_to_json(const SlBatches *b)
{
    SlJsonOut out = {0};
    cJSON *list = sl_out_array(&out, NULL, NULL);
    for (int i = 0; i < b->count; i++) {
        const SlBatch *batch = &b->batch[i];
        const double row[] = {batch->evaluations, batch->place, batch->together};
        sl_out_row(&out, list, NULL, row, 3);
    }
    return sl_out_end(&out, list);
}

/* A whole number, or -1. */
static int number_of(const cJSON *row, int i, int most)
{
    const cJSON *item = cJSON_GetArrayItem(row, i);
    double value = cJSON_IsNumber(item) ? item->valuedouble : -1;
    return value >= 0 && value <= most && value == (int)value ? (int)value : -1;
}

bool sl_batches_from_json(const cJSON *list, SlBatches *b, SlError *err)
{
    const cJSON *row;
    bool ok = cJSON_IsArray(list) && cJSON_GetArraySize(list) <= MAX_BATCHES;
    *b = (SlBatches){0};
    if (ok)
        cJSON_ArrayForEach(row, list)
        {
            SlBatch batch = {number_of(row, 0, MAX_EVALUATIONS),
                             number_of(row, 1, SL_RUNS_TOGETHER - 1),
                             number_of(row, 2, SL_RUNS_TOGETHER)};
            ok = cJSON_IsArray(row) && cJSON_GetArraySize(row) == 3 && batch.evaluations > 0 &&
                 batch.place >= 0 && batch.place < batch.together;
            if (!ok)
                break;
            if (!append(b, &batch))
                return sl_fail(err, SL_MEMORY, "memory ran out");
        }
    return ok || sl_fail(err, SL_FORMAT,
                         "no good \"batches\"; expected rows of evaluations, place and number of "
                         "runs, at most %d",
                         SL_RUNS_TOGETHER);
}
