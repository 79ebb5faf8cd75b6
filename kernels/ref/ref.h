/* ref.h - the reference device: plain C, obviously right, slow. Private to kernels/. */
#ifndef SL_KERNELS_REF_H
#define SL_KERNELS_REF_H

#include "kernels/kernels.h"

/* Element i of an array of any float type. */
static inline float sl_ref_get(const void *p, SlDtype dtype, int64_t i)
{
    switch (dtype) {
    case SL_F32:
        return ((const float *)p)[i];
    case SL_F16:
        return sl_f16_to_f32(((const uint16_t *)p)[i]);
    case SL_BF16:
        return sl_bf16_to_f32(((const uint16_t *)p)[i]);
    case SL_I32:
        return (float)((const int32_t *)p)[i];
    default:
        return ((const uint8_t *)p)[i];
    }
}

/* Before part i of a long operation whose parts take `cost` multiplications or so: false once it is
 * to stop. Short operations never look, the front did. */
static inline bool sl_ref_goes_on(SlDevice *dev, int64_t i, int64_t cost)
{
    int64_t every = 1 + ((int64_t)1 << 21) / (cost + 1);
    return i == 0 || i % every != 0 || sl_device_go_on(dev);
}

static inline void sl_ref_put(void *p, SlDtype dtype, int64_t i, float v)
{
    switch (dtype) {
    case SL_F32:
        ((float *)p)[i] = v;
        break;
    case SL_F16:
        ((uint16_t *)p)[i] = sl_f32_to_f16(v);
        break;
    case SL_BF16:
        ((uint16_t *)p)[i] = sl_f32_to_bf16(v);
        break;
    case SL_I32:
        ((int32_t *)p)[i] = (int32_t)v;
        break;
    default:
        ((uint8_t *)p)[i] = (uint8_t)v;
        break;
    }
}

static inline float sl_ref_at(const SlTensor *t, int64_t i)
{
    return sl_ref_get(t->data, t->dtype, i);
}

static inline void sl_ref_set(const SlTensor *t, int64_t i, float v)
{
    sl_ref_put(t->data, t->dtype, i, v);
}

float sl_ref_act(float x, SlActivation act);

/* products.c */
void sl_ref_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                   SlTensor *out);
void sl_ref_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                   const SlConv *conv, SlTensor *out);
void sl_ref_attention_map(SlDevice *dev, const SlTensor *q, const SlTensor *k,
                          const SlAttention *attn, bool add, SlTensor *out);
void sl_ref_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                      const SlAttention *attn, SlTensor *out);
/* norms.c */
void sl_ref_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out);
void sl_ref_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, float eps, SlTensor *out);
/* elementwise.c */
void sl_ref_copy(SlDevice *dev, const SlTensor *x, SlTensor *out);
void sl_ref_activation(SlDevice *dev, const SlTensor *x, SlActivation act, SlTensor *out);
void sl_ref_geglu(SlDevice *dev, const SlTensor *x, SlTensor *out);
void sl_ref_add(SlDevice *dev, const SlTensor *a, const SlTensor *b, float scale, SlTensor *out);
void sl_ref_add_per_channel(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out);
void sl_ref_scale_shift(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out);
void sl_ref_concat(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out);
void sl_ref_upsample(SlDevice *dev, const SlTensor *x, SlTensor *out);
void sl_ref_avg_pool2(SlDevice *dev, const SlTensor *x, SlTensor *out);
void sl_ref_embedding(SlDevice *dev, const SlTensor *ids, const SlWeight *tokens,
                      const SlWeight *positions, SlTensor *out);
void sl_ref_timestep_embedding(SlDevice *dev, const SlTensor *t, const SlTimestepEmbedding *e,
                               SlTensor *out);
void sl_ref_guidance(SlDevice *dev, const SlTensor *said, const SlTensor *scale, SlTensor *out);
void sl_ref_residual_change(SlDevice *dev, const SlTensor *now, const SlTensor *was, SlTensor *out);
void sl_ref_to_rgb8(SlDevice *dev, const SlTensor *x, SlTensor *out);

#endif
