/* part_file.c - one part of a model from a file of its own: a fine-tuned VAE, a UNet, a text encoder.
 *
 * Such files have the part's tensors under diffusers' names or under those of the original layout,
 * with the prefix that they have in a whole checkpoint or without; a whole checkpoint is one as
 * well, of which the other parts are not read. Which it is is told by a tensor that every such part
 * has. The prefix is taken off, or put there, by views; what is left is checkpoint.c's. Tiny VAEs
 * are tiny_file.c's.
 *
 * Easy to get wrong: the prefixes are tried longest first, since the empty one fits everything.
 */
#include "engine/files/checkpoint.h"
#include "engine/files/tiny_file.h"
#include "engine/files/utf8.h"
#include "engine/files/weights_kind.h"
#include "engine/files/weights_views.h"

#include <stdio.h>
#include <string.h>

#define NAME_ROOM 512

/* A layout of a part: the prefix before its names, a tensor that tells it, and the prefix that
 * checkpoint.c knows it under (NULL: the names are diffusers'). */
typedef struct Layout {
    const char *part, *prefix, *tells, *original;
} Layout;

static const Layout layouts[] = {
    {"unet", "model.diffusion_model.", "input_blocks.0.0.weight", "model.diffusion_model."},
    {"unet", "diffusion_model.", "input_blocks.0.0.weight", "model.diffusion_model."},
    {"unet", "unet.", "conv_in.weight", NULL},
    {"unet", "", "input_blocks.0.0.weight", "model.diffusion_model."},
    {"unet", "", "down_blocks.0.resnets.0.conv1.weight", NULL},
    {"vae", "first_stage_model.", "decoder.mid.block_1.norm1.weight", "first_stage_model."},
    {"vae", "vae.", "decoder.mid.block_1.norm1.weight", "first_stage_model."},
    {"vae", "vae.", "decoder.mid_block.resnets.0.norm1.weight", NULL},
    {"vae", "", "decoder.mid.block_1.norm1.weight", "first_stage_model."},
    {"vae", "", "decoder.mid_block.resnets.0.norm1.weight", NULL},
    {"text_encoder", "cond_stage_model.transformer.",
     "text_model.embeddings.token_embedding.weight", "cond_stage_model.transformer."},
    {"text_encoder", "cond_stage_model.transformer.", "embeddings.token_embedding.weight",
     "cond_stage_model.transformer."},
    {"text_encoder", "cond_stage_model.model.", "token_embedding.weight",
     "cond_stage_model.model."},
    {"text_encoder", "conditioner.embedders.0.transformer.",
     "text_model.embeddings.token_embedding.weight", NULL},
    {"text_encoder", "text_encoders.clip_l.transformer.",
     "text_model.embeddings.token_embedding.weight", NULL},
    {"text_encoder", "text_encoder.", "text_model.embeddings.token_embedding.weight", NULL},
    {"text_encoder", "", "text_model.embeddings.token_embedding.weight", NULL},
    {"text_encoder", "", "embeddings.token_embedding.weight", "cond_stage_model.transformer."},
    {"text_encoder", "", "transformer.resblocks.0.ln_1.weight", "cond_stage_model.model."},
    {"text_encoder_2", "conditioner.embedders.1.model.", "token_embedding.weight",
     "conditioner.embedders.1.model."},
    {"text_encoder_2", "conditioner.embedders.0.model.", "token_embedding.weight",
     "conditioner.embedders.1.model."},
    {"text_encoder_2", "cond_stage_model.1.transformer.",
     "text_model.embeddings.token_embedding.weight", "cond_stage_model.1.transformer."},
    {"text_encoder_2", "text_encoders.clip_g.transformer.",
     "text_model.embeddings.token_embedding.weight", NULL},
    {"text_encoder_2", "text_encoder_2.", "text_model.embeddings.token_embedding.weight", NULL},
    {"text_encoder_2", "", "text_model.embeddings.token_embedding.weight", NULL},
    {"text_encoder_2", "", "transformer.resblocks.0.ln_1.weight", "conditioner.embedders.1.model."},
};

static const Layout *layout_of(const SlWeightSource *file, const char *part)
{
    char name[NAME_ROOM];
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        snprintf(name, sizeof name, "%s%s", layouts[i].prefix, layouts[i].tells);
        if (!strcmp(layouts[i].part, part) && sl_weights_find(file, name))
            return &layouts[i];
    }
    return NULL;
}

/* The tensors behind the layout's prefix with another prefix before them. */
static SlWeightSource *renamed(SlWeightSource *file, const Layout *layout, SlError *err)
{
    const char *to = layout->original ? layout->original : "";
    size_t prefix = strlen(layout->prefix);
    char name[NAME_ROOM];
    SlWeightSet *set = sl_weight_set_new(file, err);
    bool ok = set != NULL;
    for (size_t i = 0; ok && i < sl_weights_count(file); i++) {
        const SlTensorInfo *info = sl_weights_info(file, i);
        if (strncmp(info->name, layout->prefix, prefix) || strstr(info->name, "position_ids"))
            continue;
        ok = snprintf(name, sizeof name, "%s%s", to, info->name + prefix) < (int)sizeof name ||
             sl_fail(err, SL_FORMAT, "%s: the name of the tensor \"%s\" is too long",
                     sl_show_path(sl_weights_file(file, 0)).text, sl_show_name(info->name).text);
        ok = ok &&
             sl_weight_set_add(set, sl_view_renamed(sl_view_of(file, info, err), name, err), err);
    }
    if (ok)
        return sl_weight_set_finish(set, err);
    sl_weight_set_free(set);
    return NULL;
}

static SlWeightSource *show(SlWeightSource *file, const char *part, SlError *err)
{
    const Layout *layout = layout_of(file, part);
    if (!layout && !strcmp(part, "vae") && sl_tiny_has_decoder(file))
        return sl_tiny_weights(file, err);
    if (!layout) {
        if (!sl_weights_unless_known(file, sl_wanted_part(part), err))
            return NULL;
        sl_fail(err, SL_UNSUPPORTED,
                "%s: there is no %s in this file that can be read: its tensors are called \"%s\" "
                "and the like",
                sl_show_path(sl_weights_file(file, 0)).text, part,
                sl_show_name(sl_weights_info(file, 0)->name).text);
        return NULL;
    }
    SlWeightSource *named = renamed(file, layout, err);
    if (!named || !layout->original)
        return named;
    SlWeightSource *shown = sl_checkpoint_part(named, part, err);
    sl_weights_close(named);
    return shown;
}

SlWeightSource *sl_weights_open_part(const char *path, const char *part, SlError *err)
{
    SlWeightSource *file =
        sl_file_check(path, sl_wanted_part(part), err) ? sl_weights_open_file(path, err) : NULL;
    SlWeightSource *shown = file ? show(file, part, err) : NULL;
    sl_weights_close(file);
    return shown;
}
