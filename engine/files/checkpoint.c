/* checkpoint.c - one component of a single checkpoint, under diffusers' names.
 *
 * Mirrors diffusers loaders/single_file_utils.py (convert_ldm_unet_checkpoint,
 * convert_ldm_vae_checkpoint, convert_open_clip_checkpoint). No tensor is copied: each is shown by
 * a view (weights_views.h), renamed; OpenCLIP's fused in_proj as three ranges of its rows, and the
 * VAE's attention (1x1 convolutions) reshaped to matrices.
 *
 * Easy to get wrong: which input_blocks end a level is not in their numbers but in what they
 * contain; the decoder's levels count from the other end; in SD 2.x OpenCLIP's last layer is there
 * and never used (diffusers drops it, its config has one layer less), in SD XL it is used, and so is
 * its text_projection, which multiplies from the other side than a linear layer's weight does.
 * stable-diffusion.cpp's converter has names of its own for the text encoders of all three: its
 * "cond_stage_model.1." is SD XL's second one.
 */
#include "engine/files/checkpoint.h"
#include "engine/files/utf8.h"
#include "engine/files/weights_views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PLACES 64
#define NAME_ROOM  512

/* Where an input_blocks.i or output_blocks.i stands in diffusers' blocks. */
typedef struct Place {
    int block, layer;
    int resampler; /* which sub-module is the down- or upsampler; -1: none */
} Place;

typedef struct Layout {
    Place in[MAX_PLACES], out[MAX_PLACES];
    int in_count, out_count;
    int vae_levels;
} Layout;

/* ---- reading names ---- */

static bool take(const char **p, const char *prefix)
{
    size_t n = strlen(prefix);
    if (strncmp(*p, prefix, n))
        return false;
    *p += n;
    return true;
}

/* A number below 1000 and the dot behind it. */
static bool take_number(const char **p, int *out)
{
    const char *s = *p;
    int n = 0, digits = 0;
    while (*s >= '0' && *s <= '9' && digits < 3) {
        n = n * 10 + (*s++ - '0');
        digits++;
    }
    if (!digits || *s != '.')
        return false;
    *out = n;
    *p = s + 1;
    return true;
}

typedef struct Rename {
    const char *from, *to;
} Rename;

/* Writes prefix and the rest of a name, its beginning exchanged where the table has it. */
static bool put(char *out, const char *prefix, const Rename *table, const char *rest)
{
    for (const Rename *r = table; r && r->from; r++)
        if (take(&rest, r->from))
            return snprintf(out, NAME_ROOM, "%s%s%s", prefix, r->to, rest) < NAME_ROOM;
    return snprintf(out, NAME_ROOM, "%s%s", prefix, rest) < NAME_ROOM;
}

/* ---- UNet ---- */

static const Rename unet_ends[] = {
    {"time_embed.0.", "time_embedding.linear_1."},
    {"time_embed.2.", "time_embedding.linear_2."},
    {"time_embed.cond_proj.", "time_embedding.cond_proj."},
    {"label_emb.0.0.", "add_embedding.linear_1."},
    {"label_emb.0.2.", "add_embedding.linear_2."},
    {"input_blocks.0.0.", "conv_in."},
    {"middle_block.1.", "mid_block.attentions.0."},
    {"out.0.", "conv_norm_out."},
    {"out.2.", "conv_out."},
    {NULL, NULL},
};

static const Rename unet_resnet[] = {
    {"in_layers.0.", "norm1."},
    {"in_layers.2.", "conv1."},
    {"emb_layers.1.", "time_emb_proj."},
    {"out_layers.0.", "norm2."},
    {"out_layers.3.", "conv2."},
    {"skip_connection.", "conv_shortcut."},
    {NULL, NULL},
};

static bool has(const SlWeightSource *file, const char *before, int i, const char *after)
{
    char name[NAME_ROOM];
    snprintf(name, sizeof name, "%s.%d.%s", before, i, after);
    return sl_weights_find(file, name) != NULL;
}

#define UNET "model.diffusion_model."

/* Numbers the blocks by what they contain. */
static void find_places(const SlWeightSource *file, Layout *layout)
{
    int block = 0, layer = 0;
    for (int i = 1; i < MAX_PLACES; i++) {
        bool down = has(file, UNET "input_blocks", i, "0.op.weight");
        if (!down && !has(file, UNET "input_blocks", i, "0.in_layers.0.weight"))
            break;
        layout->in[i] = (Place){block, layer++, down ? 0 : -1};
        layout->in_count = i + 1;
        if (down) {
            block++;
            layer = 0;
        }
    }
    block = layer = 0;
    for (int i = 0; i < MAX_PLACES; i++) {
        if (!has(file, UNET "output_blocks", i, "0.in_layers.0.weight"))
            break;
        int up = has(file, UNET "output_blocks", i, "1.conv.weight")   ? 1
                 : has(file, UNET "output_blocks", i, "2.conv.weight") ? 2
                                                                       : -1;
        layout->out[i] = (Place){block, layer++, up};
        layout->out_count = i + 1;
        if (up >= 0) {
            block++;
            layer = 0;
        }
    }
}

/* What stands behind "input_blocks." or "output_blocks.". */
static bool translate_block(const Layout *layout, bool down, const char *rest, char *out)
{
    int i, part;
    char prefix[100];
    const char *side = down ? "down" : "up";
    if (!take_number(&rest, &i) || !take_number(&rest, &part) ||
        i >= (down ? layout->in_count : layout->out_count))
        return false;
    const Place *place = down ? &layout->in[i] : &layout->out[i];
    if (part == place->resampler && take(&rest, down ? "op." : "conv.")) {
        snprintf(prefix, sizeof prefix, "%s_blocks.%d.%ssamplers.0.conv.", side, place->block,
                 side);
        return put(out, prefix, NULL, rest);
    }
    if (part > 1)
        return false;
    snprintf(prefix, sizeof prefix, "%s_blocks.%d.%s.%d.", side, place->block,
             part == 0 ? "resnets" : "attentions", place->layer);
    return put(out, prefix, part == 0 ? unet_resnet : NULL, rest);
}

static bool translate_unet(const Layout *layout, const char *name, char *out)
{
    if (take(&name, "middle_block.0."))
        return put(out, "mid_block.resnets.0.", unet_resnet, name);
    if (take(&name, "middle_block.2."))
        return put(out, "mid_block.resnets.1.", unet_resnet, name);
    if (strncmp(name, "input_blocks.0.", 15) && take(&name, "input_blocks."))
        return translate_block(layout, true, name, out);
    if (take(&name, "output_blocks."))
        return translate_block(layout, false, name, out);
    return put(out, "", unet_ends, name);
}

/* ---- VAE ---- */

static const Rename vae_resnet[] = {{"nin_shortcut.", "conv_shortcut."}, {NULL, NULL}};

static const Rename vae_middle[] = {
    {"mid.block_1.", "mid_block.resnets.0."},
    {"mid.block_2.", "mid_block.resnets.1."},
    {"mid.attn_1.norm.", "mid_block.attentions.0.group_norm."},
    {"mid.attn_1.q.", "mid_block.attentions.0.to_q."},
    {"mid.attn_1.k.", "mid_block.attentions.0.to_k."},
    {"mid.attn_1.v.", "mid_block.attentions.0.to_v."},
    {"mid.attn_1.proj_out.", "mid_block.attentions.0.to_out.0."},
    {"mid.attn_1.to_q.", "mid_block.attentions.0.to_q."}, /* some converters' mixture */
    {"mid.attn_1.to_k.", "mid_block.attentions.0.to_k."},
    {"mid.attn_1.to_v.", "mid_block.attentions.0.to_v."},
    {"mid.attn_1.to_out.0.", "mid_block.attentions.0.to_out.0."},
    {"norm_out.", "conv_norm_out."},
    {NULL, NULL},
};

static void count_vae_levels(const SlWeightSource *file, Layout *layout)
{
    while (layout->vae_levels < MAX_PLACES &&
           has(file, "first_stage_model.decoder.up", layout->vae_levels, "block.0.conv1.weight"))
        layout->vae_levels++;
}

/* name stands behind "encoder." or "decoder.". */
static bool translate_vae_half(const Layout *layout, bool encoder, const char *name, char *out)
{
    const char *half = encoder ? "encoder" : "decoder", *side = encoder ? "down" : "up";
    char prefix[100];
    int level, layer;
    snprintf(prefix, sizeof prefix, "%s.", half);
    if (!take(&name, encoder ? "down." : "up."))
        return put(out, prefix, vae_middle, name);
    if (!take_number(&name, &level))
        return false;
    int block = encoder ? level : layout->vae_levels - 1 - level;
    if (take(&name, encoder ? "downsample.conv." : "upsample.conv.")) {
        snprintf(prefix, sizeof prefix, "%s.%s_blocks.%d.%ssamplers.0.conv.", half, side, block,
                 side);
        return put(out, prefix, NULL, name);
    }
    if (block < 0 || !take(&name, "block.") || !take_number(&name, &layer))
        return false;
    snprintf(prefix, sizeof prefix, "%s.%s_blocks.%d.resnets.%d.", half, side, block, layer);
    return put(out, prefix, vae_resnet, name);
}

static bool translate_vae(const Layout *layout, const char *name, char *out)
{
    if (take(&name, "encoder."))
        return translate_vae_half(layout, true, name, out);
    if (take(&name, "decoder."))
        return translate_vae_half(layout, false, name, out);
    return put(out, "", NULL, name);
}

/* ---- text encoder ---- */

static const Rename open_clip_ends[] = {
    {"token_embedding.weight", "embeddings.token_embedding.weight"},
    {"positional_embedding", "embeddings.position_embedding.weight"},
    {"ln_final.", "final_layer_norm."},
    {NULL, NULL},
};

static const Rename open_clip_layer[] = {
    {"ln_1.", "layer_norm1."},
    {"ln_2.", "layer_norm2."},
    {"mlp.c_fc.", "mlp.fc1."},
    {"mlp.c_proj.", "mlp.fc2."},
    {"attn.out_proj.", "self_attn.out_proj."},
    {NULL, NULL},
};

/* ---- a component ---- */

/* Where tensors are collected. */
typedef struct Collect {
    SlWeightSource *file;
    SlWeightSet *set;
    Layout layout;
    bool refiner, second_text; /* the file's UNet is a refiner's; text_encoder_2 is collected */
    SlError *err;
} Collect;

static bool add(Collect *c, SlWeightView *v, const char *name)
{
    return sl_weight_set_add(c->set, sl_view_renamed(v, name, c->err), c->err);
}

static SlWeightView *as_it_is(Collect *c, const SlTensorInfo *stored)
{
    return sl_view_of(c->file, stored, c->err);
}

static bool add_unet(Collect *c, const SlTensorInfo *stored, const char *name)
{
    char out[NAME_ROOM];
    if (!take(&name, UNET))
        return true;
    return add(c, as_it_is(c, stored), translate_unet(&c->layout, name, out) ? out : stored->name);
}

static bool add_vae(Collect *c, const SlTensorInfo *stored, const char *name)
{
    char out[NAME_ROOM];
    if (!take(&name, "first_stage_model.") || !strncmp(name, "loss.", 5) ||
        !strncmp(name, "model_ema.", 10))
        return true;
    const char *shown = translate_vae(&c->layout, name, out) ? out : stored->name;
    SlWeightView *v = as_it_is(c, stored);
    if (strstr(shown, ".attentions.") && stored->rank == 4 && stored->size[2] == 1 &&
        stored->size[3] == 1)
        v = sl_view_reshaped(v, 2, stored->size, c->err);
    return add(c, v, shown);
}

/* One third of in_proj_weight [3 D, D] or in_proj_bias [3 D]: rows of q, k, v follow each other. */
static bool add_projections(Collect *c, const SlTensorInfo *stored, int layer, const char *ending)
{
    static const char *const projections[] = {"q_proj", "k_proj", "v_proj"};
    char name[NAME_ROOM];
    if (stored->rank < 1 || stored->size[0] % 3 || stored->bytes % 3)
        return sl_fail(c->err, SL_FORMAT,
                       "%s: tensor \"%s\" has %lld rows; expected a multiple of 3 (queries, keys "
                       "and values)",
                       sl_show_path(sl_weights_file(c->file, 0)).text,
                       sl_show_name(stored->name).text,
                       stored->rank ? (long long)stored->size[0] : 0);
    int64_t rows = stored->size[0] / 3;
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "text_model.encoder.layers.%d.self_attn.%s.%s", layer,
                 projections[i], ending);
        if (!add(c, sl_view_rows(as_it_is(c, stored), i * rows, rows, c->err), name))
            return false;
    }
    return true;
}

/* OpenCLIP's last of 24: SD 2.x takes the states before it. By its number, as diffusers does: files
 * that were written from diffusers' layout end before it. */
#define UNUSED_TEXT_LAYER 23

/* Of pictures beside texts, or of the program that saved it: nothing that a text needs. */
static bool is_leftover(const char *name)
{
    size_t n = strlen(name), end = strlen("position_ids");
    return !strcmp(name, "logit_scale") || !strcmp(name, "attn_mask") ||
           (n >= end && !strcmp(name + n - end, "position_ids"));
}

/* text_projection [in, out], as a linear layer has it; some programs save it as such a layer. */
static bool add_text_projection(Collect *c, const SlTensorInfo *stored, const char *name)
{
    SlWeightView *v = as_it_is(c, stored);
    if (!strcmp(name, "text_projection"))
        v = sl_view_transposed(v, c->err);
    return add(c, v, "text_projection.weight");
}

/* name stands behind "cond_stage_model.model." or "conditioner.embedders.1.model.". */
static bool add_open_clip(Collect *c, const SlTensorInfo *stored, const char *name, bool xl)
{
    char out[NAME_ROOM], prefix[100];
    int layer;
    const char *shown = stored->name; /* what is not known is left over, and said */
    bool projection = !strncmp(name, "text_projection", 15);
    if (is_leftover(name) || (projection && !xl))
        return true; /* SD 2.x: for comparing with pictures */
    if (projection)
        return add_text_projection(c, stored, name);
    if (!take(&name, "transformer.resblocks.")) {
        if (put(out, "text_model.", open_clip_ends, name))
            shown = out;
    } else if (take_number(&name, &layer)) {
        if (!xl && layer == UNUSED_TEXT_LAYER)
            return true;
        if (!strcmp(name, "attn.in_proj_weight"))
            return add_projections(c, stored, layer, "weight");
        if (!strcmp(name, "attn.in_proj_bias"))
            return add_projections(c, stored, layer, "bias");
        snprintf(prefix, sizeof prefix, "text_model.encoder.layers.%d.", layer);
        if (put(out, prefix, open_clip_layer, name))
            shown = out;
    }
    return add(c, as_it_is(c, stored), shown);
}

/* name stands behind "cond_stage_model.transformer." or the like: a text encoder under transformers' names,
 * as stable-diffusion.cpp's converter writes OpenCLIP's, too, with its projection as it was. */
static bool add_clip(Collect *c, const SlTensorInfo *stored, const char *name)
{
    char out[NAME_ROOM];
    take(&name, "text_model."); /* some old files lack it */
    const char *layer = name;
    int number;
    if (is_leftover(name) || (take(&layer, "encoder.layers.") && take_number(&layer, &number) &&
                              number == UNUSED_TEXT_LAYER && !c->second_text))
        return true;
    if (!strcmp(name, "text_projection") && !c->second_text)
        return true; /* for comparing with pictures */
    if (!strncmp(name, "text_projection", 15))
        return add_text_projection(c, stored, name);
    return add(c, as_it_is(c, stored), put(out, "text_model.", NULL, name) ? out : stored->name);
}

static bool add_text_encoder(Collect *c, const SlTensorInfo *stored, const char *name)
{
    if (take(&name, "cond_stage_model.model."))
        return add_open_clip(c, stored, name, false);
    return (!take(&name, "cond_stage_model.transformer.") &&
            !take(&name, "conditioner.embedders.0.transformer.")) ||
           add_clip(c, stored, name);
}

static bool add_text_encoder_2(Collect *c, const SlTensorInfo *stored, const char *name)
{
    c->second_text = true;
    if (take(&name, "conditioner.embedders.1.model.") ||
        take(&name, "conditioner.embedders.0.model.")) /* of a refiner, its only one */
        return add_open_clip(c, stored, name, true);
    return (!take(&name, "cond_stage_model.1.transformer.") &&
            !take(&name, "conditioner.embedders.1.transformer.") &&
            !(c->refiner && take(&name, "cond_stage_model.transformer."))) ||
           add_clip(c, stored, name);
}

/* The parts that the layout has, and what takes each one's tensors out of it. */
static const struct {
    const char *part;
    bool (*add)(Collect *c, const SlTensorInfo *stored, const char *name);
} part_tensors[] = {{"unet", add_unet},
                    {"vae", add_vae},
                    {"text_encoder", add_text_encoder},
                    {"text_encoder_2", add_text_encoder_2}};

static bool collect(Collect *c, const char *part)
{
    size_t p = 0, parts = sizeof part_tensors / sizeof part_tensors[0];
    while (p < parts && strcmp(part_tensors[p].part, part))
        p++;
    if (p == parts)
        return sl_fail(c->err, SL_UNSUPPORTED, "a Stable Diffusion checkpoint has no part \"%s\"",
                       part);
    find_places(c->file, &c->layout);
    count_vae_levels(c->file, &c->layout);
    c->refiner = sl_checkpoint_is_refiner(c->file);
    for (size_t i = 0; i < sl_weights_count(c->file); i++) {
        const SlTensorInfo *info = sl_weights_info(c->file, i);
        if (!part_tensors[p].add(c, info, info->name))
            return false;
    }
    return true;
}

SlWeightSource *sl_checkpoint_part(SlWeightSource *file, const char *part, SlError *err)
{
    Collect c = {.file = file, .set = sl_weight_set_new(file, err), .err = err};
    if (c.set && collect(&c, part))
        return sl_weight_set_finish(c.set, err);
    sl_weight_set_free(c.set);
    return NULL;
}

SlWeightSource *sl_weights_open_checkpoint(const char *path, const char *part, SlError *err)
{
    SlWeightSource *file = sl_weights_open_file(path, err), *shown = NULL;
    bool known = file && sl_checkpoint_recognise(file, err);
    const char *lacks = known ? sl_checkpoint_lacks(file, part) : NULL;
    if (lacks)
        sl_fail(err, SL_UNSUPPORTED, "%s: the file has no %s (no tensor's name begins with \"%s\")",
                sl_show_path(path).text, part, lacks);
    else if (known)
        shown = sl_checkpoint_part(file, part, err);
    sl_weights_close(file);
    return shown;
}
