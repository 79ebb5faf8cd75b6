/* condition.h - what a denoiser is told besides the sample and the time: named tensors.
 *
 * One condition is one row of a batch: what a prompt says, or what a negative prompt says. Which
 * names there are is the family's choice: "hidden_states" of a text, a pooled text, sizes, a
 * guidance number, channels to put behind the sample's, a control picture. Values are f32 on the
 * host, which holds every dtype exactly.
 */
#ifndef SL_ENGINE_CONDITION_H
#define SL_ENGINE_CONDITION_H

#include "engine/files/files.h"

#define SL_CONDITION_TENSORS 8

typedef struct SlConditionTensor {
    const char *name; /* lives as long as the program */
    int rank;
    int64_t size[4];
    float *values;
    bool *
        mask; /* [size[0]]: which rows count; NULL: all. malloc'ed, set by the caller of sl_condition_add */
} SlConditionTensor;

typedef struct SlCondition {
    int count;
    SlConditionTensor tensor[SL_CONDITION_TENSORS];
    char identity[65]; /* of names, sizes, masks and values: equal ones say the same */
} SlCondition;

/* A tensor of zeros behind the others; NULL and *err without memory or room. */
SlConditionTensor *sl_condition_add(SlCondition *c, const char *name, int rank, const int64_t *size,
                                    SlError *err);
/* With everything filled in: gives the condition its identity. */
void sl_condition_finish(SlCondition *c);
bool sl_condition_copy(SlCondition *to, const SlCondition *from, SlError *err);
void sl_condition_clear(SlCondition *c);
const SlConditionTensor *sl_condition_find(const SlCondition *c, const char *name); /* NULL: none */

/* Rows that count, and those rows' values one behind another. */
int64_t sl_condition_rows(const SlConditionTensor *t);
void sl_condition_take(const SlConditionTensor *t, float *out);

/* What of a condition fixes the work of an evaluation: the sizes, in rows that count. */
typedef struct SlConditionShape {
    int count;
    int64_t size[SL_CONDITION_TENSORS][4]; /* 0 behind the rank */
} SlConditionShape;
SlConditionShape sl_condition_shape(const SlCondition *c); /* NULL: of no condition */
bool sl_condition_same_shape(const SlConditionShape *a, const SlConditionShape *b);

#endif
