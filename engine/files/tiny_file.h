/* tiny_file.h - tiny VAEs (TAESD) that are a file alone; private to engine/. */
#ifndef SL_ENGINE_TINY_FILE_H
#define SL_ENGINE_TINY_FILE_H

#include "engine/files/json.h"
#include "engine/files/weights.h"

/* Whether the file has a tiny VAE's decoder, or its encoder alone. */
bool sl_tiny_is(const SlWeightSource *file);
/* Whether it has the decoder. */
bool sl_tiny_has_decoder(const SlWeightSource *file);
/* The decoder under the names of diffusers' AutoencoderTiny, "decoder.layers.0.weight". NULL and
 * *err where there is none. */
SlWeightSource *sl_tiny_weights(SlWeightSource *file, SlError *err);
/* The config.json that AutoencoderTiny would have for these weights, told from their sizes. NULL and
 * *err where they are no such decoder. */
SlJson *sl_tiny_config(const SlWeightSource *weights, SlError *err);
/* What the file says that latents are to be divided by for a VAE of full size: the tensor
 * "vae_scale" that ComfyUI saves. 0: nothing. */
double sl_tiny_scale(const SlWeightSource *file);

#endif
