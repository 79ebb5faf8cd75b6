/* corrections.h - what StableDiffusionPipeline's constructor changes in the configurations of old
 * folders before anything is computed. */
#ifndef SL_ENGINE_CORRECTIONS_H
#define SL_ENGINE_CORRECTIONS_H

#include "engine/pipelines/pipelines.h"

/* SlPipelineClass.correct_scheduler of that pipeline. */
bool sl_correct_scheduler(SlJson *config, bool own, SlError *err);
/* Adds to info->notes what that changes of the folder's own scheduler. */
bool sl_note_scheduler(SlModelInfo *info, SlError *err);
/* The UNet's sample_size as the pipeline takes it: both sides of *net. */
void sl_correct_sample_size(SlUnetConfig *net, const SlJson *config, SlModelInfo *info);

#endif
