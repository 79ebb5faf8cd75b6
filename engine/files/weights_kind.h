/* weights_kind.h - what a file of weights is, told by the names in it, and the one sentence that refuses
 * it where another kind of file is expected.
 */
#ifndef SL_ENGINE_WEIGHTS_KIND_H
#define SL_ENGINE_WEIGHTS_KIND_H

#include "engine/files/file_kind.h"
#include "engine/files/weights.h"

typedef enum SlWeightsKind {
    SL_WEIGHTS_UNKNOWN,
    SL_WEIGHTS_MODEL,     /* whole, or at least a UNet with something else */
    SL_WEIGHTS_BARE_UNET, /* under the names that it has in a whole model */
    SL_WEIGHTS_UNET,
    SL_WEIGHTS_FOLDER_UNET, /* under the names that it has in a diffusers folder */
    SL_WEIGHTS_PARTS,       /* under such names with the parts' before them */
    SL_WEIGHTS_VAE,
    SL_WEIGHTS_TINY_VAE,
    SL_WEIGHTS_TINY_ENCODER,
    SL_WEIGHTS_TEXT_ENCODER,
    SL_WEIGHTS_LORA,
    SL_WEIGHTS_EMBEDDING,
    SL_WEIGHTS_CONTROLNET,
    SL_WEIGHTS_SD3,
    SL_WEIGHTS_FLUX,
    SL_WEIGHTS_EMA,
    SL_WEIGHTS_LATENTS,
    SL_WEIGHTS_COMPARISON, /* a .safelight file */
} SlWeightsKind;

/* tensor (may be NULL): the name that tells it; NULL where nothing does. */
SlWeightsKind sl_weights_kind(const SlWeightSource *file, const char **tensor);
/* False, with "FILE: this is a LoRA, which --lora takes; expected ...", where it is known to have nothing
 * of what is wanted; else true, and nothing is said. */
bool sl_weights_unless_known(const SlWeightSource *file, SlWanted wanted, SlError *err);

#endif
