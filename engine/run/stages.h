/* stages.h - the stages of a run on zeros, for cost.c; see SlStages in engine.h. Private to
 * engine/. */
#ifndef SL_ENGINE_STAGES_H
#define SL_ENGINE_STAGES_H

#include "engine/run/run.h"

/* Of the recipe, size and guidance count. like: a model whose parts' types are meant; NULL: those that
 * the options say. */
typedef struct SlStagesOf {
    const SlModelInfo *info;
    const SlRecipe *recipe;
    const SlModel *like;
    const SlModelOptions *options;
} SlStagesOf;

/* Of a model without its weights, on a device that is the stages' from now on. */
SlStages *sl_stages_new(const SlStagesOf *of, SlDevice *dev, SlError *err);

/* What the recipe's texts are for the model: chunks of the longest, parts that are evaluated for a step, and chunks
 * that are encoded in all. Of embeddings that a prompt names the name counts, not the vectors. */
typedef struct SlStagesTexts {
    int chunks, parts, encoded;
} SlStagesTexts;
SlStagesTexts sl_stages_texts(const SlStages *stages);

/* sl_model_cost of a loaded model, each part in the type that it computes in. */
bool sl_model_measure(const SlModel *model, const SlRecipe *recipe, SlCost *cost, SlError *err);

/* A step around the deep feature of a branch. */
bool sl_stages_step_branch(SlStages *stages, int branch, SlError *err);
/* What the recipe's caching keeps of an evaluation, bytes. */
size_t sl_stages_kept_bytes(const SlStages *stages, const SlRecipe *recipe);

#endif
