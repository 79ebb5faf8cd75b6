/* unet_config.c - unet/config.json of UNet2DConditionModel and UNet2DModel, checked completely.
 *
 * Easy to get wrong: UNet2DConditionModel's "attention_head_dim" is the number of heads (a misnomer
 * that diffusers keeps for the sake of old files), UNet2DModel's is what it says; null and absent
 * differ for "attention_head_dim" (one head against 8) and "mid_block_type" (none against the
 * usual); the depths of transformers are a number, one for each block, or a list for each block, and
 * the way up mirrors the way down block by block unless it has a list of its own.
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "engine/nets/config.h"
#include "engine/nets/unet_blocks.h"

#define MAX_CHANNELS 16384

/* Keys that change the model and that no model of the supported families uses. */
static const char *const refused[] = {
    "class_embeddings_concat", "cross_attention_norm",
    "dual_cross_attention",    "encoder_hid_dim",
    "encoder_hid_dim_type",    "num_attention_heads",
    "resnet_skip_time_act",    "time_embedding_act_fn",
    "timestep_post_act",       NULL,
};

/* Keys that are read by their default only. */
static const struct {
    const char *key, *value;
} only_strings[] = {
    {"time_embedding_type", "positional"},
    {"attention_type", "default"},
};

static const struct {
    const char *key;
    double value;
} only_numbers[] = {
    {"conv_in_kernel", 3},
    {"conv_out_kernel", 3},
    {"resnet_out_scale_factor", 1},
};

static bool refuse_unsupported(const SlJson *json, SlError *err)
{
    if (!sl_config_refuse(json, refused, err))
        return false;
    for (size_t i = 0; i < sizeof only_strings / sizeof *only_strings; i++) {
        const char *value = sl_json_string(json, only_strings[i].key, only_strings[i].value, err);
        if (value && strcmp(value, only_strings[i].value) != 0)
            return sl_fail(err, SL_UNSUPPORTED,
                           "%s: \"%s\" is \"%s\", and this program supports \"%s\" only",
                           sl_json_name(json), only_strings[i].key, value, only_strings[i].value);
    }
    for (size_t i = 0; i < sizeof only_numbers / sizeof *only_numbers; i++) {
        double expected = only_numbers[i].value;
        double value = sl_json_double(json, only_numbers[i].key, expected, -1e9, 1e9, err);
        if (value != expected)
            return sl_fail(err, SL_UNSUPPORTED,
                           "%s: \"%s\" is %g, and this program supports %g only",
                           sl_json_name(json), only_numbers[i].key, value, expected);
    }
    return true;
}

/* One value per level from a number or a list of exactly that many. */
static void per_level(const SlJson *json, const char *key, int *out, int blocks, int fallback,
                      int max, SlError *err)
{
    int64_t values[SL_UNET_MAX_BLOCKS];
    int count = sl_json_ints(json, key, values, SL_UNET_MAX_BLOCKS, blocks, 1, max, err);
    for (int i = 0; i < blocks; i++)
        out[i] = i < count ? (int)values[i] : fallback;
    if (err->code == SL_OK && sl_json_has(json, key))
        sl_config_per_block(json, key, count, blocks, err);
}

static void read_sample_size(SlUnetConfig *c, const SlJson *json, SlError *err)
{
    int64_t sides[2];
    if (sl_json_ints(json, "sample_size", sides, 2, 2, 1, 16384, err) == 2) {
        c->sample_height = (int)sides[0];
        c->sample_width = (int)sides[1];
    }
}

static void read_channels(SlUnetConfig *c, const SlJson *json, SlError *err)
{
    static const int conditional[] = {320, 640, 1280, 1280}, plain[] = {224, 448, 672, 896};
    int64_t channels[SL_UNET_MAX_BLOCKS];
    c->blocks = sl_json_ints(json, "block_out_channels", channels, SL_UNET_MAX_BLOCKS, 0, 1,
                             MAX_CHANNELS, err);
    for (int i = 0; i < c->blocks; i++)
        c->channels[i] = (int)channels[i];
    if (c->blocks > 0)
        return;
    if (sl_json_has(json, "block_out_channels")) {
        if (err->code == SL_OK)
            sl_fail(err, SL_FORMAT, "%s: \"block_out_channels\" is empty", sl_json_name(json));
        return;
    }
    c->blocks = 4;
    memcpy(c->channels, c->conditional ? conditional : plain, sizeof conditional);
}

/* ---- block types ---- */

typedef struct BlockName {
    const char *down, *up;
    SlUnetBlock type;
} BlockName;

static const BlockName conditional_blocks[] = {
    {"DownBlock2D", "UpBlock2D", SL_UNET_BLOCK_PLAIN},
    {"CrossAttnDownBlock2D", "CrossAttnUpBlock2D", SL_UNET_BLOCK_CROSS_ATTN},
    {NULL, NULL, 0},
};
static const BlockName plain_blocks[] = {
    {"DownBlock2D", "UpBlock2D", SL_UNET_BLOCK_PLAIN},
    {"AttnDownBlock2D", "AttnUpBlock2D", SL_UNET_BLOCK_ATTN},
    {"ResnetDownsampleBlock2D", "ResnetUpsampleBlock2D", SL_UNET_BLOCK_RESNET},
    {NULL, NULL, 0},
};

static bool block_type(const SlUnetConfig *c, bool down, const char *name, SlUnetBlock *type)
{
    for (const BlockName *b = c->conditional ? conditional_blocks : plain_blocks; b->down; b++)
        if (strcmp(name, down ? b->down : b->up) == 0) {
            *type = b->type;
            return true;
        }
    return false;
}

/* diffusers' defaults: attention everywhere but at the lowest resolution (conditional) or at the
 * highest one. */
static SlUnetBlock default_block(const SlUnetConfig *c, bool down, int i)
{
    int level = down ? i : c->blocks - 1 - i;
    if (c->conditional)
        return level == c->blocks - 1 ? SL_UNET_BLOCK_PLAIN : SL_UNET_BLOCK_CROSS_ATTN;
    return level == 0 ? SL_UNET_BLOCK_PLAIN : SL_UNET_BLOCK_ATTN;
}

static void read_block_types(SlUnetConfig *c, const SlJson *json, bool down, SlError *err)
{
    const char *key = down ? "down_block_types" : "up_block_types";
    const char *names[SL_UNET_MAX_BLOCKS];
    SlUnetBlock *types = down ? c->down : c->up;
    int count = sl_json_strings(json, key, names, SL_UNET_MAX_BLOCKS, err);
    if (err->code != SL_OK)
        return;
    /* The defaults are four; for another number of blocks, a list must be there. */
    if (!sl_config_per_block(json, key, sl_json_has(json, key) ? count : 4, c->blocks, err))
        return;
    for (int i = 0; i < c->blocks; i++) {
        types[i] = default_block(c, down, i);
        if (count > 0 && !block_type(c, down, names[i], &types[i])) {
            sl_fail(err, SL_UNSUPPORTED,
                    "%s: \"%s\" contains \"%s\", a block that this program does not have",
                    sl_json_name(json), key, names[i]);
            return;
        }
    }
}

static void read_mid_block(SlUnetConfig *c, const SlJson *json, SlError *err)
{
    const char *usual = c->conditional ? "UNetMidBlock2DCrossAttn" : "UNetMidBlock2D";
    c->mid_block = !sl_config_is_null(json, "mid_block_type");
    const char *name = sl_json_string(json, "mid_block_type", usual, err);
    bool is_usual = strcmp(name, usual) == 0;
    if (c->mid_block && !is_usual && strcmp(name, "UNetMidBlock2D") != 0 && err->code == SL_OK)
        sl_fail(err, SL_UNSUPPORTED,
                "%s: \"mid_block_type\" is \"%s\", a block that this program does not have",
                sl_json_name(json), name);
    c->mid_attention = c->mid_block && is_usual &&
                       (c->conditional || sl_json_bool(json, "add_attention", true, err));
    c->mid_block_scale = (float)sl_json_double(json, "mid_block_scale_factor", 1, 1e-3, 1e3, err);
}

/* ---- depths of transformers ---- */

#define MAX_DEPTH 64

/* The depths of a block with `layers` layers, from a number or a list of at least as many; entry
 * NULL: 1. */
static void read_block_depths(const SlJson *json, const char *key, const cJSON *entry, int layers,
                              int *out, SlError *err)
{
    bool list = cJSON_IsArray(entry);
    if (list && cJSON_GetArraySize(entry) < layers) {
        sl_fail(err, SL_FORMAT, "%s: \"%s\" has a list of %d depths for a block of %d layers",
                sl_json_name(json), key, cJSON_GetArraySize(entry), layers);
        return;
    }
    for (int i = 0; i < layers && err->code == SL_OK; i++) {
        const cJSON *v = list ? cJSON_GetArrayItem(entry, i) : entry;
        double depth = !entry ? 1 : cJSON_IsNumber(v) ? v->valuedouble : -1;
        if (depth >= 0 && depth <= MAX_DEPTH && depth == (int)depth)
            out[i] = (int)depth;
        else
            sl_fail(err, SL_FORMAT,
                    "%s: \"%s\" must hold whole numbers from 0 to %d, or lists of them",
                    sl_json_name(json), key, MAX_DEPTH);
    }
}

/* The entry of a block, from a list or one number for all; NULL where there is none. */
static const cJSON *depths_of(const cJSON *item, int block)
{
    return cJSON_IsArray(item) ? cJSON_GetArrayItem(item, block) : item;
}

static const cJSON *read_depth_list(const SlUnetConfig *c, const SlJson *json, const char *key,
                                    SlError *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(sl_json_root(json), key);
    if (!sl_json_has(json, key))
        return NULL;
    if (cJSON_IsArray(item))
        sl_config_per_block(json, key, cJSON_GetArraySize(item), c->blocks, err);
    return item;
}

static void read_depths(SlUnetConfig *c, const SlJson *json, SlError *err)
{
    static const char *const keys[] = {"transformer_layers_per_block",
                                       "reverse_transformer_layers_per_block"};
    const cJSON *down = read_depth_list(c, json, keys[0], err);
    const cJSON *up = read_depth_list(c, json, keys[1], err);
    for (int i = 0; i < c->blocks && err->code == SL_OK; i++) {
        int mirrored = c->blocks - 1 - i;
        const cJSON *entry = depths_of(down, i);
        const cJSON *back = up ? depths_of(up, mirrored) : entry;
        if (!up && cJSON_IsArray(entry))
            sl_fail(err, SL_FORMAT,
                    "%s: \"%s\" has lists for blocks, so the way up needs its own in \"%s\"",
                    sl_json_name(json), keys[0], keys[1]);
        if (err->code != SL_OK)
            break;
        read_block_depths(json, keys[0], entry, c->layers_per_block[i], c->transformer_down[i],
                          err);
        read_block_depths(json, keys[up != NULL], back, c->layers_per_block[i] + 1,
                          c->transformer_up[mirrored], err);
    }
    if (c->mid_attention)
        c->transformer_mid = c->transformer_down[c->blocks - 1][0];
}

/* ---- what is added to the time ---- */

static void read_addition(SlUnetConfig *c, const SlJson *json, SlError *err)
{
    const char *type = sl_json_string(json, "addition_embed_type", NULL, err);
    if (!type)
        return;
    if (strcmp(type, "text_time") != 0) {
        sl_fail(err, SL_UNSUPPORTED,
                "%s: \"addition_embed_type\" is \"%s\", and this program supports \"text_time\"",
                sl_json_name(json), type);
        return;
    }
    c->text_time = true;
    c->addition_time_embed_dim =
        (int)sl_json_int(json, "addition_time_embed_dim", 0, 0, MAX_CHANNELS, err);
    c->addition_dim =
        (int)sl_json_int(json, "projection_class_embeddings_input_dim", 0, 0, 1 << 20, err);
    if (err->code == SL_OK && (c->addition_time_embed_dim < 2 || c->addition_dim < 1))
        sl_fail(err, SL_FORMAT,
                "%s: \"addition_embed_type\" is \"text_time\", so \"addition_time_embed_dim\" and "
                "\"projection_class_embeddings_input_dim\" must be there",
                sl_json_name(json));
}

/* ---- the two classes ---- */

static void read_conditional(SlUnetConfig *c, const SlJson *json, SlError *err)
{
    bool only_cross[SL_UNET_MAX_BLOCKS];
    int count =
        sl_json_bools(json, "only_cross_attention", only_cross, SL_UNET_MAX_BLOCKS, c->blocks, err);
    if (err->code == SL_OK && sl_json_has(json, "only_cross_attention"))
        sl_config_per_block(json, "only_cross_attention", count, c->blocks, err);
    for (int i = 0; i < c->blocks; i++)
        c->only_cross_attention[i] = i < count && only_cross[i];
    per_level(json, "layers_per_block", c->layers_per_block, c->blocks, 2, SL_UNET_MAX_LAYERS, err);
    per_level(json, "attention_head_dim", c->heads, c->blocks, 8, MAX_CHANNELS, err);
    if (err->code == SL_OK)
        read_depths(c, json, err);
    read_addition(c, json, err);
    per_level(json, "cross_attention_dim", c->cross_attention_dim, c->blocks, 1280, 65536, err);
    c->use_linear_projection = sl_json_bool(json, "use_linear_projection", false, err);
}

/* UNet2DModel: channels of a head at a level. */
static int head_size(const SlJson *json, int channels, SlError *err)
{
    if (sl_config_is_null(json, "attention_head_dim"))
        return channels;
    return (int)sl_json_int(json, "attention_head_dim", 8, 1, MAX_CHANNELS, err);
}

/* What classes a model has. UNet2DConditionModel's are none that a pipeline here passes on. */
static void read_classes(SlUnetConfig *c, const SlJson *json, SlError *err)
{
    static const char *const types[] = {"timestep", NULL};
    static const char *const keys[] = {"class_embed_type", "num_class_embeds", NULL};
    if (c->conditional) {
        if (err->code == SL_OK)
            sl_config_refuse(json, keys, err);
        return;
    }
    c->class_timestep = sl_json_choice(json, "class_embed_type", types, 1, err) == 0;
    if (!c->class_timestep)
        c->classes = (int)sl_json_int(json, "num_class_embeds", 0, 1, 1 << 20, err);
}

static void read_plain(SlUnetConfig *c, const SlJson *json, SlError *err)
{
    static const char *const resample[] = {"conv", "resnet", NULL};
    int layers = (int)sl_json_int(json, "layers_per_block", 2, 1, SL_UNET_MAX_LAYERS, err);
    for (int i = 0; i < c->blocks; i++) {
        c->layers_per_block[i] = layers;
        c->heads[i] = c->channels[i] / head_size(json, c->channels[i], err);
    }
    c->resnet_downsample = sl_json_choice(json, "downsample_type", resample, 0, err) == 1;
    c->resnet_upsample = sl_json_choice(json, "upsample_type", resample, 0, err) == 1;
}

static bool attends_at(const SlUnetConfig *c, int level)
{
    SlUnetBlock down = c->down[level], up = c->up[c->blocks - 1 - level];
    return down == SL_UNET_BLOCK_ATTN || down == SL_UNET_BLOCK_CROSS_ATTN ||
           up == SL_UNET_BLOCK_ATTN || up == SL_UNET_BLOCK_CROSS_ATTN ||
           (level == c->blocks - 1 && c->mid_attention);
}

static bool check_heads(const SlUnetConfig *c, const SlJson *json, int level, SlError *err)
{
    int parts = c->conditional ? c->heads[level] : head_size(json, c->channels[level], err);
    return sl_config_divides(json, "attention_head_dim", parts, "block_out_channels",
                             c->channels[level], err);
}

static bool check(const SlUnetConfig *c, const SlJson *json, SlError *err)
{
    int text = 0; /* the one width of text that all cross attentions must agree on */
    if (c->freq_shift == (float)(c->channels[0] / 2))
        return sl_fail(err, SL_FORMAT,
                       "%s: \"freq_shift\" is %g, half of the first of \"block_out_channels\", "
                       "which divides by zero",
                       sl_json_name(json), c->freq_shift);
    if (sl_config_is_null(json, "norm_num_groups"))
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: \"norm_num_groups\" is null, and this program needs a number",
                       sl_json_name(json));
    for (int i = 0; i < c->blocks; i++) {
        if (!sl_config_divides(json, "norm_num_groups", c->norm_groups, "block_out_channels",
                               c->channels[i], err))
            return false;
        if (!attends_at(c, i))
            continue;
        if (!check_heads(c, json, i, err))
            return false;
        if (c->conditional && text != 0 && c->cross_attention_dim[i] != text)
            return sl_fail(err, SL_FORMAT,
                           "%s: \"cross_attention_dim\" has both %d and %d, and the text is the "
                           "same for all blocks",
                           sl_json_name(json), text, c->cross_attention_dim[i]);
        text = c->cross_attention_dim[i];
    }
    return !c->mid_attention || c->conditional || c->attn_norm_groups == 0 ||
           sl_config_divides(json, "attn_norm_num_groups", c->attn_norm_groups,
                             "block_out_channels", c->channels[c->blocks - 1], err);
}

static bool read_scale_shift(const SlJson *json, SlError *err)
{
    static const char *const names[] = {"default", "scale_shift", NULL};
    return sl_json_choice(json, "resnet_time_scale_shift", names, 0, err) == 1;
}

static void read_common(SlUnetConfig *c, const SlJson *json, SlError *err)
{
    int channels = c->conditional ? 4 : 3;
    c->in_channels =
        (int)sl_json_int(json, "in_channels", channels, 1, SL_UNET_MAX_SAMPLE_CHANNELS, err);
    c->out_channels =
        (int)sl_json_int(json, "out_channels", channels, 1, SL_UNET_MAX_SAMPLE_CHANNELS, err);
    read_sample_size(c, json, err);
    read_channels(c, json, err);
    if (err->code != SL_OK)
        return;
    c->act = sl_config_activation(json, "act_fn", SL_ACT_SILU, err);
    c->scale_shift = read_scale_shift(json, err);
    c->norm_groups = (int)sl_json_int(json, "norm_num_groups", 32, 1, MAX_CHANNELS, err);
    /* With scale_shift the middle block's attention has no norm of its own where none is asked for. */
    c->attn_norm_groups = (int)sl_json_int(
        json, "attn_norm_num_groups", c->scale_shift ? 0 : c->norm_groups, 1, MAX_CHANNELS, err);
    c->norm_eps = (float)sl_json_double(json, "norm_eps", 1e-5, 0, 1, err);
    c->downsample_conv_padding_zero = sl_json_int(json, "downsample_padding", 1, 0, 1, err) == 0;
    c->center_input = sl_json_bool(json, "center_input_sample", false, err);
    c->flip_sin_to_cos = sl_json_bool(json, "flip_sin_to_cos", true, err);
    c->freq_shift = (float)sl_json_double(json, "freq_shift", 0, -1e3, 1e3, err);
    c->time_embed_dim =
        (int)sl_json_int(json, "time_embedding_dim", 4 * c->channels[0], 1, 4 * MAX_CHANNELS, err);
    c->time_cond_proj_dim =
        c->conditional ? (int)sl_json_int(json, "time_cond_proj_dim", 0, 1, MAX_CHANNELS, err) : 0;
    read_classes(c, json, err);
    read_block_types(c, json, true, err);
    read_block_types(c, json, false, err);
    read_mid_block(c, json, err);
}

static bool read_class(SlUnetConfig *c, const SlJson *json, SlError *err)
{
    const char *name = sl_json_string(json, "_class_name", "missing", err);
    c->conditional = strcmp(name, "UNet2DConditionModel") == 0;
    if (c->conditional || strcmp(name, "UNet2DModel") == 0)
        return true;
    return err->code == SL_OK ? sl_fail(err, SL_UNSUPPORTED,
                                        "%s: \"_class_name\" is \"%s\", and this program runs "
                                        "UNet2DConditionModel and UNet2DModel",
                                        sl_json_name(json), name)
                              : false;
}

bool sl_unet_config(SlUnetConfig *config, const SlJson *json, SlError *err)
{
    SlError first = {0};
    memset(config, 0, sizeof *config);
    if (read_class(config, json, &first) && refuse_unsupported(json, &first)) {
        read_common(config, json, &first);
        if (first.code == SL_OK)
            (config->conditional ? read_conditional : read_plain)(config, json, &first);
        if (first.code == SL_OK)
            check(config, json, &first);
    }
    if (first.code != SL_OK && err)
        *err = first;
    return first.code == SL_OK;
}

bool sl_unet_of_kind(const SlUnetConfig *config, const SlJson *json, bool conditional, SlError *err)
{
    static const char *const names[] = {"UNet2DModel", "UNet2DConditionModel"};
    if (config->conditional != conditional)
        return sl_fail(err, SL_FORMAT, "%s: \"_class_name\" is %s; the pipeline needs %s",
                       sl_json_name(json), names[config->conditional], names[conditional]);
    return config->in_channels == config->out_channels ||
           sl_fail(err, SL_UNSUPPORTED,
                   "%s: the UNet takes %d channels and gives %d; inpainting, editing and "
                   "learned variances are not supported: expected equal numbers",
                   sl_json_name(json), config->in_channels, config->out_channels);
}
