/* stages.h - the stages of a run on zeros, for cost.c; see SlStages in engine.h. Private to
 * engine/. */
#ifndef SL_ENGINE_STAGES_H
#define SL_ENGINE_STAGES_H

#include "engine/run/run.h"

/* Of the recipe, size and guidance count. like: a model whose parts' types are meant; NULL: the
 * classes'. */
typedef struct SlStagesOf {
    const SlModelInfo *info;
    const SlRecipe *recipe;
    const SlModel *like;
} SlStagesOf;

/* Of a model without its weights, on a device that is the stages' from now on. */
SlStages *sl_stages_new(const SlStagesOf *of, SlDevice *dev, SlError *err);

/* sl_model_cost of a loaded model, each part in the type that it computes in. */
bool sl_model_measure(const SlModel *model, const SlRecipe *recipe, SlCost *cost, SlError *err);

#endif
