/* vae_private.h - what a VAE is made of, for the two ways of decoding (vae.c, vae_strips.c). */
#ifndef SL_ENGINE_VAE_PRIVATE_H
#define SL_ENGINE_VAE_PRIVATE_H

#include "engine/nets/layers.h"
#include "engine/nets/resnet.h"
#include "engine/nets/vae.h"

typedef struct SlVaeLevel {
    SlPath resampler_path;
    SlResnet resnets[SL_VAE_MAX_LAYERS + 1];
    SlLayer resampler;
} SlVaeLevel;

typedef struct SlVaeMiddle {
    SlResnet resnets[2];
    SlAttentionBlock attention;
} SlVaeMiddle;

/* The encoder or the decoder: the same parts in another order. */
typedef struct SlVaeHalf {
    SlLayer conv_in, conv_norm_out, conv_out;
    SlVaeLevel levels[SL_VAE_MAX_BLOCKS]; /* in the order in which they run */
    SlVaeMiddle middle;
    int layers; /* of every level */
} SlVaeHalf;

typedef struct SlVaeTinyBlock {
    SlPath path;
    SlLayer conv[3];
} SlVaeTinyBlock;

/* AutoencoderTiny's decoder, by levels in the order in which they run. */
typedef struct SlVaeTiny {
    SlLayer conv_in;
    SlVaeTinyBlock block[SL_VAE_MAX_BLOCKS][SL_VAE_MAX_LAYERS];
    SlLayer conv[SL_VAE_MAX_BLOCKS]; /* behind a level; after the upsampling, where there is one */
} SlVaeTiny;

struct SlVae {
    SlVaeConfig config;
    SlDtype dtype; /* computed in */
    SlVaeHalf encoder, decoder;
    SlVaeTiny *tiny; /* NULL: the halves */
    SlLayer quant_conv, post_quant_conv;
};

/* The decoder up to its first `levels` levels: their output, in the arena. */
SlTensor sl_vae_decoder_start(SlDevice *dev, const SlVae *vae, const SlTensor *z, int levels);
/* False and *err unless z and image fit the VAE and each other. */
bool sl_vae_check_decode(const SlVae *vae, const SlTensor *z, const SlTensor *image, SlError *err);

/* vae_tiny.c: vae->config and an empty vae->tiny are there. */
void sl_vae_tiny_bind(SlVae *vae, SlBinder *b);
SlTensor sl_vae_tiny_decode(SlDevice *dev, const SlVae *vae, const SlTensor *z);

#endif
