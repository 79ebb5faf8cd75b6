/* stages.h - the stages of a run on zeros, for cost.c; see SlStages in engine.h. Private to engine/. */
#ifndef SL_ENGINE_STAGES_H
#define SL_ENGINE_STAGES_H

#include "engine/run/run.h"

/* Of a model without its weights, on a device that is the stages' from now on. Of the recipe, size and guidance count. */
SlStages *sl_stages_new(const SlModelInfo *info, const SlRecipe *recipe, SlDevice *dev,
                        SlError *err);

#endif
