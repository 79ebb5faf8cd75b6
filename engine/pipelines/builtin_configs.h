/* builtin_configs.h - the configurations of the famous models, for files that carry none: single
 * checkpoints, and `bench` without a model. The texts are what diffusers' converter writes for
 * them. */
#ifndef SL_ENGINE_BUILTIN_CONFIGS_H
#define SL_ENGINE_BUILTIN_CONFIGS_H

/* arch: "sd15" (SD 1.x), "sd21-base" (SD 2.x, 512, epsilon), "sd21" (SD 2.x, 768, v-prediction).
 * part: "unet", "vae", "text_encoder", "scheduler", "tokenizer" (pad_token only). JSON text with static lifetime, NULL when
 * unknown. */
const char *sl_builtin_config(const char *arch, const char *part);
/* The same of Stable Diffusion XL: "sdxl", "ssd-1b", "vega", "koala-1b", "koala-700m"; also "text_encoder_2". */
const char *sl_builtin_config_xl(const char *arch, const char *part);
const char *sl_builtin_arch_xl(int i);
/* The same of its refiner: "sdxl-refiner"; no "text_encoder". */
const char *sl_builtin_config_refiner(const char *arch, const char *part);
const char *sl_builtin_arch_refiner(int i);
/* The i-th arch; NULL: there are no more. */
const char *sl_builtin_arch(int i);

#endif
