/* checkpoint.h - what a single file with weights is; private to engine/. */
#ifndef SL_ENGINE_CHECKPOINT_H
#define SL_ENGINE_CHECKPOINT_H

#include "engine/files/weights.h"

/* Is this a Stable Diffusion 1.x, 2.x or XL checkpoint in the original latent-diffusion layout, with
 * its UNet at least? Otherwise *err says what it is (inpainting, LoRA, only a VAE, ...) and what to
 * do. */
bool sl_checkpoint_recognise(const SlWeightSource *file, SlError *err);
/* Whether a recognised one has nothing of a part ("vae"): how the names of its tensors would begin;
 * NULL: it has it. */
const char *sl_checkpoint_lacks(const SlWeightSource *file, const char *part);
/* The built-in configuration that fits a recognised checkpoint: "sd15", "sd21-base", "sd21", or of
 * SD XL "sdxl", "ssd-1b", "vega", "koala-1b", "koala-700m" or "sdxl-refiner". */
bool sl_checkpoint_arch(const SlWeightSource *file, char arch[16], SlError *err);
/* Its only text encoder is OpenCLIP's, which is the second one of SD XL's base model. */
bool sl_checkpoint_is_refiner(const SlWeightSource *file);
/* What of a file tells that it is of this architecture; lives as long as the program. */
const char *sl_checkpoint_reason(const char *arch);
/* One part of a file that is in the original layout, as far as this part goes, under diffusers'
 * names. NULL and *err. */
SlWeightSource *sl_checkpoint_part(SlWeightSource *file, const char *part, SlError *err);

/* What a file says of its noise beside its weights. */
typedef struct SlCheckpointMarks {
    const char *prediction; /* "epsilon" or "v_prediction"; NULL: nothing is said */
    const char *from;       /* where that is said */
    bool zero_snr;          /* trained to start from nothing but noise */
} SlCheckpointMarks;
/* False and *err for a marker that names what cannot be run. */
bool sl_checkpoint_marks(const SlWeightSource *file, SlCheckpointMarks *marks, SlError *err);

/* What a file of a model that was trained as EDM is (Karras et al. 2022) says of it. */
typedef struct SlEdmMarks {
    const char
        *kind; /* "cosxl": edm_vpred.*; "playground": edm_mean and edm_std; NULL: it was not */
    double sigma_min, sigma_max;
    double latents_mean[4], latents_std[4]; /* of "playground": of each channel */
} SlEdmMarks;
/* xl_base: the file's UNet is of a base model of SD XL. False and *err for marks that are damaged, or of
 * another model, where they cannot be run. */
bool sl_checkpoint_edm(const SlWeightSource *file, bool xl_base, SlEdmMarks *marks, SlError *err);

#endif
