/* sampler_names.h - what other programs call our schedulers, both ways.
 *
 * diffusers' scheduler class is the identity; AUTOMATIC1111 and its kin write a label and a
 * "Schedule type", ComfyUI a sampler_name and a scheduler, InvokeAI one fused name (euler_k),
 * stable-diffusion.cpp a method and a schedule in lower case. Same names do not promise the same
 * pixels (their grids of timesteps differ), which is why readers say where a name is only near.
 */
#ifndef SL_APP_SAMPLER_NAMES_H
#define SL_APP_SAMPLER_NAMES_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The common label of a scheduler id ("dpmpp-2m": "DPM++ 2M"); the id itself for one that has none.
 */
const char *sl_sampler_label(const char *id);
/* The common schedule label, NULL when both are the model's own. Sigmas come before spacing: the
 * grammar has room for one. */
const char *sl_schedule_label(SlSigmas sigmas, SlSpacing spacing);

typedef struct SlSamplerChoice {
    const char *id; /* static; the engine may not have it */
    SlSigmas sigmas;
    SlSpacing spacing;
    bool schedule_known; /* false: the schedule's name is unknown or has no counterpart here */
    bool near;           /* the scheduler is a relative, not the same algorithm */
} SlSamplerChoice;

/* sampler in any of the dialects, with the schedule as trailing words ("DPM++ 2M Karras",
 * "euler_a karras", "dpmpp_2m_k") or in its own field (schedule, may be NULL). False when the
 * sampler is unknown. */
bool sl_sampler_parse(const char *sampler, const char *schedule, SlSamplerChoice *choice);

#ifdef __cplusplus
}
#endif

#endif
