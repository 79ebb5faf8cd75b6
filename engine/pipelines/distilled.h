/* distilled.h - models that were distilled to need few steps: recognised, and how each is run. */
#ifndef SL_ENGINE_DISTILLED_H
#define SL_ENGINE_DISTILLED_H

#include "engine/pipelines/pipelines.h"

/* With the parts listed and the scheduler known: fills in info->distilled and why, and where the
 * denoiser's weights come from a file also the scheduler; config.c makes its configurations so. */
bool sl_find_distilled(SlModelInfo *info, SlError *err);

#endif
