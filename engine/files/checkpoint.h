/* checkpoint.h - what a single .safetensors file is; private to engine/. */
#ifndef SL_ENGINE_CHECKPOINT_H
#define SL_ENGINE_CHECKPOINT_H

#include "engine/files/safetensors.h"

/* Is this a whole Stable Diffusion 1.x or 2.x checkpoint in the original latent-diffusion layout?
 * Otherwise *err says what it is (SDXL, inpainting, LoRA, only a VAE, ...) and what to do. */
bool sl_checkpoint_recognise(const SlSafetensors *st, SlError *err);
/* The built-in configuration that fits a recognised checkpoint: "sd15", "sd21-base" or "sd21". */
bool sl_checkpoint_arch(const SlSafetensors *st, char arch[16], SlError *err);

#endif
