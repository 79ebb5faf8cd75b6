/* checkpoint.h - what a single file with weights is; private to engine/. */
#ifndef SL_ENGINE_CHECKPOINT_H
#define SL_ENGINE_CHECKPOINT_H

#include "engine/files/weights.h"

/* Is this a whole Stable Diffusion 1.x or 2.x checkpoint in the original latent-diffusion layout?
 * Otherwise *err says what it is (SDXL, inpainting, LoRA, only a VAE, ...) and what to do. */
bool sl_checkpoint_recognise(const SlWeightSource *file, SlError *err);
/* The built-in configuration that fits a recognised checkpoint: "sd15", "sd21-base" or "sd21". */
bool sl_checkpoint_arch(const SlWeightSource *file, char arch[16], SlError *err);
/* One part of a file that is in the original layout, as far as this part goes, under diffusers'
 * names. NULL and *err. */
SlWeightSource *sl_checkpoint_part(SlWeightSource *file, const char *part, SlError *err);

#endif
