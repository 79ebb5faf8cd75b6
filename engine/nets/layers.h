/* layers.h - linear layers, convolutions and norms as the model parts bind and call them. Private
 * to engine/.
 *
 * A path is a diffusers module name ("down_blocks.0.resnets.1"). Binding a layer asks the binder
 * for path.weight and path.bias with their sizes; a weight that is missing or misshapen is NULL and
 * noted by the binder, whose finish says so, and no forward pass is run then.
 */
#ifndef SL_ENGINE_LAYERS_H
#define SL_ENGINE_LAYERS_H

#include "engine/files/files.h"

/* Longest: "down_blocks.7.attentions.15.transformer_blocks.63.attn2.to_out.0.weight", 72 bytes. */
typedef struct SlPath {
    char text[112];
} SlPath;

SlPath sl_path(const char *format, ...) SL_PRINTF(1, 2);
/* parent.child, the child printed by format. */
SlPath sl_child(SlPath parent, const char *format, ...) SL_PRINTF(2, 3);

typedef struct SlLayer {
    SlWeight *weight;
    SlWeight *bias; /* NULL: none */
} SlLayer;

/* weight [out, in], bias [out]; also for convolutions of size 1, which the binder reads as linear.
 */
SlLayer sl_bind_linear(SlBinder *b, SlPath path, int64_t in, int64_t out);
SlLayer sl_bind_linear_without_bias(SlBinder *b, SlPath path, int64_t in, int64_t out);
/* weight [out, in, 3, 3] */
SlLayer sl_bind_conv3(SlBinder *b, SlPath path, int64_t in, int64_t out);
SlLayer sl_bind_conv3_without_bias(SlBinder *b, SlPath path, int64_t in, int64_t out);
/* weight (gamma) and bias (beta), both [channels] */
SlLayer sl_bind_norm(SlBinder *b, SlPath path, int64_t channels);

/* out = layer(x), then whatever e asks for (may be NULL; its bias is replaced by the layer's). */
void sl_layer_linear(SlDevice *dev, const SlLayer *layer, const SlTensor *x, const SlEpilogue *e,
                     SlTensor *out);
/* 3x3, stride 1, padding 1 */
void sl_layer_conv3(SlDevice *dev, const SlLayer *layer, const SlTensor *x, const SlEpilogue *e,
                    SlTensor *out);
/* 3x3, stride 2, padding 1 all round, or, with only_after, on the right and at the bottom alone. */
void sl_layer_downsample(SlDevice *dev, const SlLayer *layer, bool only_after, const SlTensor *x,
                         SlTensor *out);
/* act(group_norm(x)); any activation, SiLU fused */
void sl_layer_group_norm(SlDevice *dev, const SlLayer *layer, const SlGroupNorm *norm,
                         const SlTensor *x, SlTensor *out);

/* Like the one given, in the device's dtype, from the arena. */
SlTensor sl_tensor_like(SlDevice *dev, const SlTensor *t);
/* The same values in the device's dtype: itself, or a copy in the arena. */
SlTensor sl_in_dtype(SlDevice *dev, const SlTensor *t);
/* [N, H, W, C] as [N, H W, C] */
SlTensor sl_as_tokens(const SlTensor *t);

#endif
