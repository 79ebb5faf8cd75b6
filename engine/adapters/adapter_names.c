/* adapter_names.c - what the name of an adapter's tensor says: which part of a formula it is, and
 * which part of a model its module belongs to.
 *
 * Every layout of the last years ends its names in one of these ways (reference: ComfyUI
 * comfy/weight_adapter, lycoris/modules, diffusers loaders/lora_conversion_utils.py). Easy to get
 * wrong: the longest ending counts, ".lora.down.weight" before ".weight"; PEFT puts the adapter's
 * own name in the middle (".lora_A.default.weight").
 */
#include "engine/adapters/adapter_private.h"

#include <string.h>

typedef struct Ending {
    const char *text;
    SlAdapterRole role;
} Ending;

static const Ending endings[] = {
    {".lora_down.weight", SL_ROLE_DOWN},
    {".lora_up.weight", SL_ROLE_UP},
    {".lora_mid.weight", SL_ROLE_MID},
    {".lora.down.weight", SL_ROLE_DOWN},
    {".lora.up.weight", SL_ROLE_UP},
    {"_lora.down.weight", SL_ROLE_DOWN},
    {"_lora.up.weight", SL_ROLE_UP},
    {".lora_linear_layer.down.weight", SL_ROLE_DOWN},
    {".lora_linear_layer.up.weight", SL_ROLE_UP},
    {".lora_A", SL_ROLE_DOWN},
    {".lora_B", SL_ROLE_UP},
    {".lora.alpha", SL_ROLE_ALPHA},
    {"_lora.alpha", SL_ROLE_ALPHA},
    {".lora_linear_layer.alpha", SL_ROLE_ALPHA},
    {".alpha", SL_ROLE_ALPHA},
    {".scale", SL_ROLE_SCALE},
    {".dora_scale", SL_ROLE_DORA},
    {".lora_magnitude_vector", SL_ROLE_MAGNITUDE},
    {".hada_w1_a", SL_ROLE_HADA_W1_A},
    {".hada_w1_b", SL_ROLE_HADA_W1_B},
    {".hada_w2_a", SL_ROLE_HADA_W2_A},
    {".hada_w2_b", SL_ROLE_HADA_W2_B},
    {".hada_t1", SL_ROLE_HADA_T1},
    {".hada_t2", SL_ROLE_HADA_T2},
    {".lokr_w1", SL_ROLE_LOKR_W1},
    {".lokr_w1_a", SL_ROLE_LOKR_W1_A},
    {".lokr_w1_b", SL_ROLE_LOKR_W1_B},
    {".lokr_w2", SL_ROLE_LOKR_W2},
    {".lokr_w2_a", SL_ROLE_LOKR_W2_A},
    {".lokr_w2_b", SL_ROLE_LOKR_W2_B},
    {".lokr_t2", SL_ROLE_LOKR_T2},
    {".diff", SL_ROLE_DIFF},
    {".diff_b", SL_ROLE_DIFF_BIAS},
    {".w_norm", SL_ROLE_DIFF},
    {".b_norm", SL_ROLE_DIFF_BIAS},
    {".set_weight", SL_ROLE_SET},
};

/* The last piece of name[0 .. *length - 1] is cut off where it is `piece`. */
static bool cut(const char *name, size_t *length, const char *piece)
{
    size_t n = strlen(piece);
    if (*length <= n || memcmp(name + *length - n, piece, n) != 0)
        return false;
    *length -= n;
    return true;
}

/* What PEFT's names have behind ".lora_A": ".weight", an adapter's name, both, or nothing. */
static bool is_peft(const char *rest, const char *last)
{
    const char *dot = *rest == '.' ? strchr(rest + 1, '.') : NULL;
    return !*rest || !strcmp(rest, last) || (dot && !strcmp(dot, last));
}

/* ".lora_A.default.weight", ".lora_B.bias", ".lora_magnitude_vector.default.weight" */
static bool peft_role(const char *name, SlAdapterRole *role, size_t *length)
{
    static const struct {
        const char *text;
        SlAdapterRole role, bias;
    } marks[] = {{".lora_A", SL_ROLE_DOWN, SL_ROLES},
                 {".lora_B", SL_ROLE_UP, SL_ROLE_UP_BIAS},
                 {".lora_magnitude_vector", SL_ROLE_MAGNITUDE, SL_ROLES}};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const char *at = strstr(name, marks[i].text);
        const char *rest = at ? at + strlen(marks[i].text) : NULL;
        if (!at || at == name)
            continue;
        bool weight = is_peft(rest, ".weight"), bias = is_peft(rest, ".bias") && *rest;
        *role = weight ? marks[i].role : marks[i].bias;
        *length = (size_t)(at - name);
        return weight || (bias && *role != SL_ROLES);
    }
    return false;
}

bool sl_adapter_role(const char *name, SlAdapterRole *role, size_t *length)
{
    size_t best = 0, all = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t rest = all;
        if (strlen(endings[i].text) > best && cut(name, &rest, endings[i].text)) {
            best = strlen(endings[i].text);
            *role = endings[i].role;
            *length = rest;
        }
    }
    return best > 0 || peft_role(name, role, length);
}

const char *sl_adapter_refused_kind(const SlTensorInfo *info)
{
    static const struct {
        const char *mark, *kind;
    } kinds[] = {{".oft_diag", "OFT"},
                 {".oft_R", "OFT (PEFT)"},
                 {".a1.weight", "GLoRA"},
                 {".a2.weight", "GLoRA"},
                 {".b1.weight", "GLoRA"},
                 {".b2.weight", "GLoRA"},
                 {".on_input", "IA3"},
                 {".ia3_l", "IA3"},
                 {".vera_lambda", "VeRA"},
                 {".hada_w3", "LoHa of three factors"},
                 {".wd_for_diff", "weight decay of differences"},
                 {"lora_controlnet", "ControlNet-LoRA"},
                 {"lllite_", "ControlNet-LLLite"}};
    if (strstr(info->name, ".oft_blocks"))
        return info->rank == 4 ? "BOFT" : "OFT";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strstr(info->name, kinds[i].mark))
            return kinds[i].kind;
    return NULL;
}

unsigned sl_adapter_part_of(const char *key, const char **rest)
{
    enum {
        UNET = 1 << SL_ADAPTER_UNET,
        TEXT = 1 << SL_ADAPTER_TEXT,
        TEXT_2 = 1 << SL_ADAPTER_TEXT_2
    };
    static const struct {
        const char *text;
        unsigned parts;
    } prefixes[] = {{"base_model_model_", 0},
                    {"lora_unet_", UNET},
                    {"lycoris_unet_", UNET},
                    {"unet_", UNET},
                    {"model_diffusion_model_", UNET},
                    {"diffusion_model_", UNET},
                    {"lora_te1_", TEXT},
                    {"lora_te2_", TEXT_2},
                    {"lora_te_", TEXT},
                    {"te1_", TEXT},
                    {"te2_", TEXT_2},
                    {"text_encoder_2_", TEXT_2},
                    {"text_encoder_", TEXT},
                    {"lycoris_", 0}};
    unsigned parts = 0;
    for (size_t i = 0; !parts && i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t n = strlen(prefixes[i].text);
        if (strncmp(key, prefixes[i].text, n) != 0)
            continue;
        key += n;
        parts = prefixes[i].parts;
    }
    *rest = key;
    return parts ? parts : UNET | TEXT | TEXT_2;
}
