/* transformer.h - Transformer2DModel over a feature map, with cross attention to the text. Private
 * to engine/.
 *
 * Mirrors diffusers models/transformers/transformer_2d.py (continuous input) and
 * BasicTransformerBlock, GEGLU of models/attention.py.
 */
#ifndef SL_ENGINE_TRANSFORMER_H
#define SL_ENGINE_TRANSFORMER_H

#include "engine/nets/denoiser.h"
#include "engine/nets/layers.h"

/* to_k and to_v of one cross attention, stacked [2 channels, text_channels]: what makes keys and
 * values from the text once per prompt. */
typedef struct SlTextProjection {
    SlPath path;
    SlWeight *to_kv;
    int channels, text_channels;
} SlTextProjection;

/* All of a model in the order in which they are bound; a cross attention knows its own by index. */
typedef struct SlTextProjections {
    SlTextProjection *list;
    int count, capacity;
} SlTextProjections;

typedef struct SlTransformerAttention {
    SlWeight *to_qkv; /* self attention: [3 C, C]; NULL for cross attention */
    SlLayer to_q;     /* cross attention */
    int text_index;   /* cross attention: which keys and values */
    SlLayer to_out;
} SlTransformerAttention;

typedef struct SlTransformerBlock {
    SlPath path;
    SlLayer norm1, norm2, norm3;
    SlTransformerAttention attn1, attn2;
    SlLayer ff_in, ff_out;
} SlTransformerBlock;

typedef struct SlTransformerOptions {
    int channels, heads, layers;
    int cross_attention_dim;
    int norm_groups;
    bool only_cross_attention; /* attn1 looks at the text, too */
} SlTransformerOptions;

typedef struct SlTransformer {
    SlPath path;
    SlTransformerOptions options;
    SlLayer norm, proj_in, proj_out;
    SlTransformerBlock *blocks;
} SlTransformer;

/* Which maps of the cross attentions (attn2) are wanted, and where they go. */
typedef struct SlTransformerMaps {
    SlMaps *maps; /* [count] */
    int count;
    int level;                 /* of the maps that the next layers belong to */
    bool begun[SL_MAP_LEVELS]; /* which hold something in this evaluation */
} SlTransformerMaps;

/* False when memory ran out or texts is full. */
bool sl_transformer_bind(SlTransformer *t, SlBinder *b, SlPath path,
                         const SlTransformerOptions *options, SlTextProjections *texts);
void sl_transformer_clear(SlTransformer *t);
/* x and out [N, H, W, channels], different memory; text_kv[i] [N, L, 2 C] as the projection of that
 * index made them. */
void sl_transformer_forward(SlDevice *dev, const SlTransformer *t, const SlTensor *x,
                            const SlTensor *text_kv, SlTransformerMaps *maps, SlTensor *out);

#endif
