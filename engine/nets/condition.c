/* condition.c - see condition.h.
 *
 * Easy to get wrong: a mask takes rows away, so two texts of one padded length may differ in shape.
 */
#include "engine/nets/condition.h"

#include <stdlib.h>
#include <string.h>

static int64_t elements_of(const SlConditionTensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= t->size[i];
    return n;
}

SlConditionTensor *sl_condition_add(SlCondition *c, const char *name, int rank, const int64_t *size,
                                    SlError *err)
{
    if (c->count == SL_CONDITION_TENSORS || rank < 1 || rank > 4) {
        sl_fail(err, SL_ARGUMENT, "a condition has at most %d tensors of rank 1 to 4",
                SL_CONDITION_TENSORS);
        return NULL;
    }
    SlConditionTensor *t = &c->tensor[c->count];
    *t = (SlConditionTensor){.name = name, .rank = rank};
    memcpy(t->size, size, (size_t)rank * sizeof *size);
    t->values = calloc((size_t)elements_of(t) + 1, sizeof *t->values);
    if (!t->values) {
        sl_fail(err, SL_MEMORY, "out of memory for what the model is told");
        return NULL;
    }
    c->count++;
    return t;
}

/* The identity is the hash of the parts' hashes: each part is hashed where it lies. */
void sl_condition_finish(SlCondition *c)
{
    char parts[SL_CONDITION_TENSORS * 4][65] = {{0}};
    for (int i = 0; i < c->count; i++) {
        const SlConditionTensor *t = &c->tensor[i];
        sl_sha256(t->name, strlen(t->name), parts[i * 4]);
        sl_sha256(t->size, sizeof t->size, parts[i * 4 + 1]);
        sl_sha256(t->values, (size_t)elements_of(t) * sizeof *t->values, parts[i * 4 + 2]);
        if (t->mask)
            sl_sha256(t->mask, (size_t)t->size[0] * sizeof *t->mask, parts[i * 4 + 3]);
    }
    sl_sha256(parts, sizeof parts, c->identity);
}

bool sl_condition_copy(SlCondition *to, const SlCondition *from, SlError *err)
{
    *to = (SlCondition){0};
    for (int i = 0; i < from->count; i++) {
        const SlConditionTensor *t = &from->tensor[i];
        SlConditionTensor *copy = sl_condition_add(to, t->name, t->rank, t->size, err);
        if (copy && t->mask)
            copy->mask = malloc((size_t)t->size[0] * sizeof *t->mask);
        if (!copy || (t->mask && !copy->mask)) {
            sl_condition_clear(to);
            return sl_fail(err, SL_MEMORY, "out of memory for what the model is told");
        }
        memcpy(copy->values, t->values, (size_t)elements_of(t) * sizeof *t->values);
        if (t->mask)
            memcpy(copy->mask, t->mask, (size_t)t->size[0] * sizeof *t->mask);
    }
    sl_condition_finish(to);
    return true;
}

void sl_condition_clear(SlCondition *c)
{
    for (int i = 0; i < c->count; i++) {
        free(c->tensor[i].values);
        free(c->tensor[i].mask);
    }
    *c = (SlCondition){0};
}

const SlConditionTensor *sl_condition_find(const SlCondition *c, const char *name)
{
    for (int i = 0; i < c->count; i++)
        if (!strcmp(c->tensor[i].name, name))
            return &c->tensor[i];
    return NULL;
}

int64_t sl_condition_rows(const SlConditionTensor *t)
{
    int64_t rows = 0;
    for (int64_t i = 0; i < t->size[0]; i++)
        rows += !t->mask || t->mask[i];
    return rows;
}

void sl_condition_take(const SlConditionTensor *t, float *out)
{
    int64_t each = t->size[0] > 0 ? elements_of(t) / t->size[0] : 0;
    for (int64_t i = 0; i < t->size[0]; i++)
        if (!t->mask || t->mask[i]) {
            memcpy(out, t->values + i * each, (size_t)each * sizeof *out);
            out += each;
        }
}

SlConditionShape sl_condition_shape(const SlCondition *c)
{
    SlConditionShape shape = {0};
    for (int i = 0; c && i < c->count; i++) {
        memcpy(shape.size[i], c->tensor[i].size, sizeof shape.size[i]);
        shape.size[i][0] = sl_condition_rows(&c->tensor[i]);
        shape.count++;
    }
    return shape;
}

bool sl_condition_same_shape(const SlConditionShape *a, const SlConditionShape *b)
{
    return a->count == b->count && !memcmp(a->size, b->size, sizeof a->size);
}
