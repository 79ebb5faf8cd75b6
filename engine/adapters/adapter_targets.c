/* adapter_targets.c - which weight a module means: all names that adapters have for a model's
 * weights, looked up.
 *
 * Names are made from the model's and not taken apart: "a_b" may stand for "a.b" or "a_b" (diffusers'
 * parser lost conv_in, conv_out and time_embedding that way until 2026). For each weight there is
 * its diffusers name with "_" for ".", the same without what old files leave out, and the name that
 * it has in the original layout, since kohya's trainer has that UNet for SDXL (reference: ComfyUI
 * comfy/utils.py unet_to_diffusers).
 */
#include "engine/adapters/adapter_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 500

typedef struct Target {
    char *weight; /* diffusers name; ".weight" at its end */
    int rank;
    int64_t size[8];
    bool has_bias;
} Target;

struct SlAdapterTargets {
    SlAdapterPart part;
    Target *target;
    size_t count;
    char **alias;
    size_t aliases;
    SlNameTable *names; /* aliases to targets */
};

/* ---- names ---- */

/* Replaces the first `from` in a name of LONGEST bytes; false: it is not there. */
static bool replace(char *name, const char *from, const char *to)
{
    char *at = strstr(name, from);
    char rest[LONGEST];
    if (!at)
        return false;
    snprintf(rest, sizeof rest, "%s", at + strlen(from));
    snprintf(at, LONGEST - (size_t)(at - name), "%s%s", to, rest);
    return true;
}

static void underscores(char *name)
{
    for (; *name; name++)
        if (*name == '.')
            *name = '_';
}

/* The layers of a resnet as the original layout calls them, in place. */
static void original_resnet(char *layer)
{
    static const char *const pairs[][2] = {
        {"norm1", "in_layers.0"},  {"conv1", "in_layers.2"},  {"time_emb_proj", "emb_layers.1"},
        {"norm2", "out_layers.0"}, {"conv2", "out_layers.3"}, {"conv_shortcut", "skip_connection"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (!strcmp(layer, pairs[i][0])) {
            snprintf(layer, LONGEST, "%s", pairs[i][1]);
            return;
        }
}

/* How the blocks of a UNet count: layers of a down block; which up blocks have attentions. */
typedef struct Blocks {
    int layers;
    bool up_attention[16];
} Blocks;

static Blocks find_blocks(const SlWeightSource *weights)
{
    Blocks b = {.layers = 0};
    for (size_t i = 0; i < sl_weights_count(weights); i++) {
        const char *name = sl_weights_info(weights, i)->name;
        int block, layer;
        if (sscanf(name, "down_blocks.0.resnets.%d.", &layer) == 1 && layer >= b.layers &&
            layer < 100)
            b.layers = layer + 1;
        if (sscanf(name, "up_blocks.%d.attentions.%d.", &block, &layer) == 2 && block >= 0 &&
            block < 16)
            b.up_attention[block] = true;
    }
    return b;
}

/* Layers of the blocks; false: the module is none of them. */
static bool original_block(const char *module, const Blocks *blocks, char out[LONGEST])
{
    char kind[32], layer[LONGEST];
    int block = 0, i = 0, each = blocks->layers + 1;
    if (sscanf(module, "down_blocks.%d.%31[a-z].%d.%499s", &block, kind, &i, layer) == 4) {
        bool resnet = !strcmp(kind, "resnets");
        if (resnet)
            original_resnet(layer);
        if (!strcmp(kind, "downsamplers"))
            snprintf(out, LONGEST, "input_blocks.%d.0.op", each * (block + 1));
        else
            snprintf(out, LONGEST, "input_blocks.%d.%d.%.450s", 1 + each * block + i, !resnet,
                     layer);
        return true;
    }
    if (sscanf(module, "up_blocks.%d.%31[a-z].%d.%499s", &block, kind, &i, layer) == 4) {
        bool resnet = !strcmp(kind, "resnets"), up = !strcmp(kind, "upsamplers");
        bool attention = block >= 0 && block < 16 && blocks->up_attention[block];
        if (resnet)
            original_resnet(layer);
        snprintf(out, LONGEST, "output_blocks.%d.%d.%.450s",
                 each * block + (up ? blocks->layers : i), up ? 1 + attention : !resnet, layer);
        return true;
    }
    if (sscanf(module, "mid_block.%31[a-z].%d.%499s", kind, &i, layer) == 3) {
        bool resnet = !strcmp(kind, "resnets");
        if (resnet)
            original_resnet(layer);
        snprintf(out, LONGEST, "middle_block.%d.%.450s", resnet ? 2 * i : 1, layer);
        return true;
    }
    return false;
}

/* The name of a UNet's module in the original layout; false: it has none. */
static bool original_name(const char *module, const Blocks *blocks, char out[LONGEST])
{
    static const char *const pairs[][2] = {{"conv_in", "input_blocks.0.0"},
                                           {"conv_norm_out", "out.0"},
                                           {"conv_out", "out.2"},
                                           {"time_embedding.linear_1", "time_embed.0"},
                                           {"time_embedding.linear_2", "time_embed.2"},
                                           {"add_embedding.linear_1", "label_emb.0.0"},
                                           {"add_embedding.linear_2", "label_emb.0.2"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (!strcmp(module, pairs[i][0])) {
            snprintf(out, LONGEST, "%s", pairs[i][1]);
            return true;
        }
    return original_block(module, blocks, out);
}

/* ---- the table ---- */

/* The first weight that has a name keeps it. */
static bool add_alias(SlAdapterTargets *t, const char *name, size_t target)
{
    char **grown = realloc(t->alias, (t->aliases + 1) * sizeof *grown);
    if (!grown)
        return false;
    t->alias = grown;
    char *copy = strdup(name);
    if (!copy)
        return false;
    underscores(copy);
    t->alias[t->aliases++] = copy;
    size_t other;
    if (!sl_name_table_find(t->names, copy, &other))
        sl_name_table_add(t->names, copy, target);
    return true;
}

/* The old attention processors had one layer to_out. */
static bool add_with_old(SlAdapterTargets *t, const char *module, size_t target)
{
    char old[LONGEST];
    snprintf(old, sizeof old, "%s", module);
    return add_alias(t, module, target) &&
           (!replace(old, ".to_out.0", ".to_out") || add_alias(t, old, target));
}

static bool add_unet_names(SlAdapterTargets *t, const char *module, const Blocks *blocks,
                           size_t target)
{
    char original[LONGEST];
    return add_with_old(t, module, target) &&
           (!original_name(module, blocks, original) || add_with_old(t, original, target));
}

/* With "text_model." and without, whatever the model has: transformers 5 leaves it out. Old text encoders of
 * diffusers' adapters had the names of a UNet's attention. */
static bool add_text_names(SlAdapterTargets *t, const char *module, size_t target)
{
    static const char *const pairs[][2] = {
        {".q_proj", ".to_q"}, {".k_proj", ".to_k"}, {".v_proj", ".to_v"}, {".out_proj", ".to_out"}};
    char whole[LONGEST], old[LONGEST];
    bool bare = strncmp(module, "encoder.", 8) == 0 || strncmp(module, "embeddings.", 11) == 0 ||
                strncmp(module, "final_layer_norm", 16) == 0;
    snprintf(whole, sizeof whole, "%s%.450s", bare ? "text_model." : "", module);
    bool ok = add_alias(t, whole, target) &&
              (strncmp(whole, "text_model.", 11) || add_alias(t, whole + 11, target));
    for (size_t i = 0; ok && i < sizeof pairs / sizeof pairs[0]; i++) {
        snprintf(old, sizeof old, "%s", whole);
        ok = !replace(old, pairs[i][0], pairs[i][1]) || add_alias(t, old, target);
    }
    return ok;
}

static bool add_target(SlAdapterTargets *t, const SlWeightSource *weights, const SlTensorInfo *info,
                       const Blocks *blocks)
{
    static const char ending[] = ".weight";
    char module[LONGEST], bias[LONGEST + 8];
    size_t length = strlen(info->name), n = sizeof ending - 1;
    if (length <= n || length >= LONGEST || strcmp(info->name + length - n, ending) != 0)
        return true;
    snprintf(module, sizeof module, "%.*s", (int)(length - n), info->name);
    snprintf(bias, sizeof bias, "%s.bias", module);
    Target *target = &t->target[t->count];
    target->weight = strdup(info->name);
    if (!target->weight)
        return false;
    target->rank = info->rank;
    memcpy(target->size, info->size, sizeof target->size);
    target->has_bias = sl_weights_find(weights, bias) != NULL;
    size_t i = t->count++;
    return t->part == SL_ADAPTER_UNET ? add_unet_names(t, module, blocks, i)
                                      : add_text_names(t, module, i);
}

SlAdapterTargets *sl_adapter_targets_new(SlAdapterPart part, const SlWeightSource *weights,
                                         SlError *err)
{
    SlAdapterTargets *t = calloc(1, sizeof *t);
    size_t n = sl_weights_count(weights);
    const Blocks blocks = find_blocks(weights);
    bool ok = t != NULL;
    if (ok) {
        t->part = part;
        t->target = calloc(n + 1, sizeof *t->target);
        t->names = sl_name_table_new(n * 6);
        ok = t->target && t->names;
    }
    for (size_t i = 0; ok && i < n; i++)
        ok = add_target(t, weights, sl_weights_info(weights, i), &blocks);
    if (ok)
        return t;
    sl_adapter_targets_free(t);
    sl_fail(err, SL_MEMORY, "out of memory for the names of a model's weights");
    return NULL;
}

void sl_adapter_targets_free(SlAdapterTargets *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        free(t->target[i].weight);
    for (size_t i = 0; i < t->aliases; i++)
        free(t->alias[i]);
    sl_name_table_free(t->names);
    free(t->target);
    free(t->alias);
    free(t);
}

/* ---- a file's modules ---- */

struct SlAdapterMatch {
    SlNameTable *names; /* of weights and biases to modules */
    char **name;        /* those names */
    size_t count;
    bool *matched; /* by module */
    int modules;
};

/* The target that a module means; false: none. */
static bool find_target(const SlAdapterTargets *t, const SlAdapterModule *m, size_t *target)
{
    char key[LONGEST];
    const char *rest;
    snprintf(key, sizeof key, "%s", m->key);
    replace(key, ".processor", "");
    underscores(key);
    unsigned parts = sl_adapter_part_of(key, &rest);
    return strlen(m->key) < LONGEST && (parts & (1u << t->part)) &&
           sl_name_table_find(t->names, rest, target);
}

static bool add_name(SlAdapterMatch *match, const char *name, size_t module)
{
    char *copy = strdup(name);
    if (!copy)
        return false;
    match->name[match->count++] = copy;
    return sl_name_table_add(match->names, copy, module);
}

/* Changes of a weight that another module changes already are left out: files may have a module
 * under two names. */
static bool is_taken(const SlAdapterMatch *match, const char *name)
{
    size_t other;
    return sl_name_table_find(match->names, name, &other);
}

static bool match_bias(const SlAdapter *a, SlAdapterMatch *match, const Target *target,
                       size_t module, SlError *err)
{
    const SlAdapterModule *m = &a->module[module];
    char bias[LONGEST + 8];
    if (!m->tensor[SL_ROLE_DIFF_BIAS] && !m->tensor[SL_ROLE_UP_BIAS])
        return true;
    snprintf(bias, sizeof bias, "%.*sbias", (int)(strlen(target->weight) - strlen("weight")),
             target->weight);
    if (!target->has_bias)
        return sl_fail(err, SL_FORMAT,
                       "%s: the module \"%s\" changes the tensor \"%s\", which this model does not "
                       "have",
                       sl_show_path(a->path).text, sl_show_name(m->key).text, bias);
    if (!sl_module_fits_bias(a, m, target->size[0], err))
        return false;
    return add_name(match, bias, module) ||
           sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(a->path).text);
}

static bool match_module(const SlAdapter *a, const SlAdapterTargets *t, SlAdapterMatch *match,
                         size_t module, SlError *err)
{
    const SlAdapterModule *m = &a->module[module];
    size_t i;
    if (!find_target(t, m, &i) || is_taken(match, t->target[i].weight))
        return true;
    const Target *target = &t->target[i];
    int64_t columns = 1, window = 1;
    for (int axis = 1; axis < target->rank; axis++) {
        columns *= target->size[axis];
        window *= axis > 1 ? target->size[axis] : 1;
    }
    if (!sl_module_fits(a, m, target->rank ? target->size[0] : 1, columns, window, err) ||
        !match_bias(a, match, target, module, err))
        return false;
    match->matched[module] = true;
    match->modules++;
    return add_name(match, target->weight, module) ||
           sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(a->path).text);
}

SlAdapterMatch *sl_adapter_match(const SlAdapter *a, const SlAdapterTargets *t, SlError *err)
{
    SlAdapterMatch *match = calloc(1, sizeof *match);
    if (match) {
        match->matched = calloc(a->count + 1, sizeof *match->matched);
        match->name = calloc(2 * a->count + 1, sizeof *match->name);
        match->names = sl_name_table_new(2 * a->count);
    }
    bool ok = match && match->matched && match->name && match->names;
    if (!ok)
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(a->path).text);
    for (size_t i = 0; ok && i < a->count; i++)
        ok = match_module(a, t, match, i, err);
    if (ok)
        return match;
    sl_adapter_match_free(match);
    return NULL;
}

void sl_adapter_match_free(SlAdapterMatch *match)
{
    if (!match)
        return;
    for (size_t i = 0; i < match->count; i++)
        free(match->name[i]);
    sl_name_table_free(match->names);
    free(match->name);
    free(match->matched);
    free(match);
}

int sl_adapter_matched(const SlAdapterMatch *match)
{
    return match->modules;
}

int sl_adapter_unmatched(const SlAdapter *a, const SlAdapterMatch *const *matches, int count,
                         const char **first)
{
    int unmatched = 0;
    *first = NULL;
    for (size_t i = 0; i < a->count; i++) {
        bool found = false;
        for (int k = 0; k < count; k++)
            found = found || matches[k]->matched[i];
        if (!found && unmatched++ == 0)
            *first = a->module[i].key;
    }
    return unmatched;
}

bool sl_adapter_touches(const SlAdapterMatch *match, const char *name)
{
    return is_taken(match, name);
}

bool sl_adapter_apply(const SlAdapter *a, const SlAdapterMatch *match, SlDevice *dev,
                      const SlAdapterChange *change, SlError *err)
{
    size_t module, length = strlen(change->name);
    if (change->strength == 0 || !sl_name_table_find(match->names, change->name, &module))
        return true;
    bool bias = length > 5 && !strcmp(change->name + length - 5, ".bias");
    return sl_module_apply(a, &a->module[module], bias, dev, change, err);
}
