/* vae.h - AutoencoderKL, both halves (diffusers models/autoencoders/autoencoder_kl.py, vae.py), and
 * the decoders of AsymmetricAutoencoderKL (autoencoder_asym_kl.py) and AutoencoderTiny
 * (autoencoder_tiny.py). */
#ifndef SL_ENGINE_VAE_H
#define SL_ENGINE_VAE_H

#include "engine/files/files.h"

#define SL_VAE_MAX_BLOCKS  8
#define SL_VAE_MAX_LAYERS  16 /* of an encoder's block; a decoder's has one more */
#define SL_VAE_MAX_LATENTS 64

typedef enum SlVaeKind { SL_VAE_KL, SL_VAE_ASYMMETRIC, SL_VAE_TINY } SlVaeKind;

/* Of one that is not AutoencoderKL: of its decoder. */
typedef struct SlVaeConfig {
    SlVaeKind kind;
    bool encodes; /* the encoder is built, too; AutoencoderKL's only. True unless the caller says
                     otherwise before the VAE is made */
    int in_channels, out_channels, latent_channels;
    int blocks;
    int channels[SL_VAE_MAX_BLOCKS];
    int layers_per_block;
    int tiny_blocks[SL_VAE_MAX_BLOCKS]; /* of AutoencoderTiny: at each level */
    int norm_groups;
    SlActivation act;
    bool mid_attention;
    bool quant_conv, post_quant_conv;
    float scaling_factor;
    /* What a sample is decoded from: sample / scaling_factor * std + mean of each channel; mean is
     * 0 and std 1 where the configuration has no latents_mean and latents_std. */
    double latents_mean[SL_VAE_MAX_LATENTS], latents_std[SL_VAE_MAX_LATENTS];
    bool force_upcast; /* in half precision it overflows: AutoencoderKL's default */
    int factor;        /* 2^(blocks - 1) pixels per latent */
} SlVaeConfig;

typedef struct SlVae SlVae;

bool sl_vae_config(SlVaeConfig *config, const SlJson *json, SlError *err);
SlVae *sl_vae_new(const SlVaeConfig *config, SlBinder *b, SlError *err);
void sl_vae_free(SlVae *vae);
const SlVaeConfig *sl_vae_get_config(const SlVae *vae);
/* In which type it computes: its binder's, whatever the device's is. */
SlDtype sl_vae_dtype(const SlVae *vae);

/* z [N, h, w, latent_channels] (best in the VAE's dtype: another is converted), already divided by
 * scaling_factor and shifted; image [N, h f, w f, out_channels] f32 in -1..1, allocated by the caller. */
bool sl_vae_decode(SlDevice *dev, const SlVae *vae, const SlTensor *z, SlTensor *image,
                   SlError *err);
/* The same for one picture (N = 1) with little device memory: the levels of the largest sizes are
 * computed a few rows at a time, and what lies between the layers stays in the host's memory. The
 * result is the same but for rounding, without seams; it takes longer. */
bool sl_vae_decode_strips(SlDevice *dev, const SlVae *vae, const SlTensor *z, int64_t rows,
                          SlTensor *image, SlError *err);
/* The most of the host's memory that lies between two layers of that; height and width of z. */
size_t sl_vae_strips_bytes(const SlVaeConfig *config, SlDtype dtype, int64_t height, int64_t width);
/* Of a VAE with an encoder: image [N, H, W, 3] in -1..1; moments [N, H / f, W / f, 2 latent_channels] f32: mean then log
 * variance, not scaled. */
bool sl_vae_encode(SlDevice *dev, const SlVae *vae, const SlTensor *image, SlTensor *moments,
                   SlError *err);

#endif
