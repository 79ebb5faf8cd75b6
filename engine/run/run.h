/* run.h - what the files of engine/run share about a model; the rest of the program sees
 * engine.h. Private to engine/. */
#ifndef SL_ENGINE_RUN_H
#define SL_ENGINE_RUN_H

#include "engine/pipelines/pipelines.h"

/* Arrays of a run, each of a sample's size. */
#define SL_RUN_ARRAYS 10

/* Before the first step of a run, with the prompt encoded: makes room on a device whose memory is
 * limited. False and *err, with both sizes, when there is none to be made. */
bool sl_model_make_room(SlModel *model, const SlRecipe *recipe, SlError *err);
/* Before the run, for its refiner: whether each of its steps fits a memory out of which all else has
 * gone. */
bool sl_model_check_refiner(SlModel *refiner, const SlRecipe *recipe, SlError *err);

/* Finds the preview matrix: preview.json, the known one of the SD 1.x / 2.x VAE, or a fit against
 * the model's own VAE. */
bool sl_model_find_preview(SlModel *model, SlError *err);

/* *cheap: is a decode no dearer than a step? Found on the measure device; false and *err when that
 * fails. */
bool sl_model_decode_is_cheap(const SlModelInfo *info, bool *cheap, SlError *err);

#endif
