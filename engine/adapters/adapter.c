/* adapter.c - an adapter's file: its tensors put together to modules (see adapters.h).
 *
 * Easy to get wrong: each module has its own rank, and its scale is alpha over that; files of PEFT
 * say alpha in the file's metadata only; a file without alpha has the scale 1.
 */
#include "engine/adapters/adapter_private.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t sl_adapter_columns(const SlTensorInfo *info)
{
    uint64_t n = 1;
    for (int i = 1; i < info->rank; i++)
        n *= (uint64_t)info->size[i]; /* elements were checked when the header was read */
    return info->rank > 0 ? (int64_t)n : 0;
}

int64_t sl_adapter_rank(const SlAdapterModule *m)
{
    const SlTensorInfo *const *t = m->tensor;
    switch (m->kind) {
    case SL_MODULE_LORA:
        return t[SL_ROLE_DOWN]->size[0];
    case SL_MODULE_LOHA:
        return t[SL_ROLE_HADA_W1_B]->size[0];
    case SL_MODULE_LOKR:
        return t[SL_ROLE_LOKR_W2_B]   ? t[SL_ROLE_LOKR_W2_B]->size[0]
               : t[SL_ROLE_LOKR_W1_B] ? t[SL_ROLE_LOKR_W1_B]->size[0]
                                      : 0;
    case SL_MODULE_NONE:
    case SL_MODULE_DIFF:
    case SL_MODULE_SET:
        break;
    }
    return 0;
}

/* ---- the tensors of a module ---- */

static bool damaged(const SlAdapter *a, const char *key, SlError *err, const char *what)
{
    return sl_fail(err, SL_FORMAT, "%s: the module \"%s\" %s", sl_show_path(a->path).text,
                   sl_show_name(key).text, what);
}

static bool has_all(const SlAdapterModule *m, const SlAdapterRole *roles, int count)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        found += m->tensor[roles[i]] != NULL;
    return found == count;
}

static bool has_any(const SlAdapterModule *m, SlAdapterRole first, SlAdapterRole last)
{
    for (int i = (int)first; i <= (int)last; i++)
        if (m->tensor[i])
            return true;
    return false;
}

/* A factor as it is or of two parts. */
static bool has_factor(const SlAdapterModule *m, SlAdapterRole whole, SlAdapterRole a,
                       SlAdapterRole b)
{
    return m->tensor[whole] || (m->tensor[a] && m->tensor[b]);
}

static bool find_kind(const SlAdapter *a, SlAdapterModule *m, SlError *err)
{
    static const SlAdapterRole lora[] = {SL_ROLE_DOWN, SL_ROLE_UP};
    static const SlAdapterRole loha[] = {SL_ROLE_HADA_W1_A, SL_ROLE_HADA_W1_B, SL_ROLE_HADA_W2_A,
                                         SL_ROLE_HADA_W2_B};
    const bool is_lora = has_any(m, SL_ROLE_DOWN, SL_ROLE_UP_BIAS);
    const bool is_loha = has_any(m, SL_ROLE_HADA_W1_A, SL_ROLE_HADA_T2);
    const bool is_lokr = has_any(m, SL_ROLE_LOKR_W1, SL_ROLE_LOKR_T2);
    const bool is_diff = m->tensor[SL_ROLE_DIFF], is_set = m->tensor[SL_ROLE_SET];
    if (is_lora + is_loha + is_lokr + is_diff + is_set > 1)
        return damaged(a, m->key, err, sl_words("has tensors of several kinds of adapters"));
    if (is_lora && !has_all(m, lora, 2))
        return damaged(a, m->key, err,
                       sl_words("is not whole: it has one of lora_down and lora_up only"));
    if (is_loha &&
        (!has_all(m, loha, 4) || !m->tensor[SL_ROLE_HADA_T1] != !m->tensor[SL_ROLE_HADA_T2]))
        return damaged(a, m->key, err,
                       sl_words("is not whole: it lacks some of the tensors of a LoHa"));
    if (is_lokr && (!has_factor(m, SL_ROLE_LOKR_W1, SL_ROLE_LOKR_W1_A, SL_ROLE_LOKR_W1_B) ||
                    !has_factor(m, SL_ROLE_LOKR_W2, SL_ROLE_LOKR_W2_A, SL_ROLE_LOKR_W2_B)))
        return damaged(a, m->key, err,
                       sl_words("is not whole: it lacks some of the tensors of a LoKr"));
    m->kind = is_lora   ? SL_MODULE_LORA
              : is_loha ? SL_MODULE_LOHA
              : is_lokr ? SL_MODULE_LOKR
              : is_diff ? SL_MODULE_DIFF
              : is_set  ? SL_MODULE_SET
                        : SL_MODULE_NONE;
    if (m->kind == SL_MODULE_NONE && !m->tensor[SL_ROLE_DIFF_BIAS])
        return damaged(a, m->key, err,
                       sl_words("changes nothing: it has an alpha or a scale only"));
    return true;
}

/* One number; *value stays where there is no such tensor. */
static bool read_number(const SlAdapter *a, const SlAdapterModule *m, SlAdapterRole role,
                        float *value, SlError *err)
{
    const SlTensorInfo *info = m->tensor[role];
    if (!info)
        return true;
    if (info->rank > 0 && info->size[0] * sl_adapter_columns(info) != 1)
        return sl_fail(err, SL_FORMAT, "%s: tensor \"%s\" has %lld numbers; expected 1",
                       sl_show_path(a->path).text, sl_show_name(info->name).text,
                       (long long)(info->size[0] * sl_adapter_columns(info)));
    if (info->storage)
        return sl_weights_read_f32(a->file, info, value, err);
    if (strcmp(info->dtype_name, "I64") != 0) /* some tools keep alpha as a whole number */
        return sl_fail(err, SL_UNSUPPORTED, "%s: tensor \"%s\" has the dtype %s; expected %s",
                       sl_show_path(a->path).text, sl_show_name(info->name).text, info->dtype_name,
                       sl_storage_names());
    int64_t whole;
    if (!sl_weights_read(a->file, info, &whole, err))
        return false;
    *value = (float)whole;
    return true;
}

/* ---- PEFT's own description ---- */

/* Whether a pattern's key names the module: its whole name or its end. */
static bool names_module(const char *pattern, const char *key)
{
    size_t n = strlen(pattern), length = strlen(key);
    return n <= length && !strcmp(key + length - n, pattern) &&
           (n == length || key[length - n - 1] == '.');
}

/* What the metadata of diffusers say of one part ("unet.r"): the prefix of its members. */
typedef struct PeftPart {
    const cJSON *root;
    const char *prefix;
} PeftPart;

static const cJSON *peft_member(const PeftPart *part, const char *name)
{
    char key[80];
    snprintf(key, sizeof key, "%s%s", part->prefix, name);
    return cJSON_GetObjectItemCaseSensitive(part->root, key);
}

/* alpha / r of a module that PEFT made; NAN where nothing is said. */
static double peft_scale(const PeftPart *part, const SlAdapterModule *m)
{
    const cJSON *alpha = peft_member(part, "lora_alpha"), *item;
    const cJSON *rslora = peft_member(part, "use_rslora");
    cJSON_ArrayForEach(item, peft_member(part, "alpha_pattern"))
    {
        if (names_module(item->string, m->key))
            alpha = item;
    }
    double rank = (double)sl_adapter_rank(m);
    if (!cJSON_IsNumber(alpha) || rank < 1)
        return NAN;
    return alpha->valuedouble / (cJSON_IsTrue(rslora) ? sqrt(rank) : rank);
}

/* For the modules without alpha of a file with diffusers' metadata. */
static bool read_peft(SlAdapter *a, SlError *err)
{
    static const char *const prefixes[] = {"unet.", "text_encoder_2.", "text_encoder."};
    const char *text = sl_weights_metadata(a->file, "lora_adapter_metadata");
    SlError own = {0};
    if (!text)
        return true;
    SlJson *json = sl_json_parse_bounded(a->path, text, strlen(text), 1 << 16, &own);
    if (!json)
        return sl_fail(err, own.code, "%s (in its \"lora_adapter_metadata\")", own.message);
    for (size_t i = 0; i < a->count; i++)
        for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
            SlAdapterModule *m = &a->module[i];
            const PeftPart part = {sl_json_root(json), prefixes[p]};
            if (strncmp(m->key, prefixes[p], strlen(prefixes[p])) != 0)
                continue;
            double scale = peft_scale(&part, m);
            if (isfinite(scale) && isnan(m->alpha) && !m->tensor[SL_ROLE_SCALE])
                m->scale = (float)scale;
            break;
        }
    sl_json_close(json);
    return true;
}

/* ---- opening ---- */

static bool no_memory(const SlAdapter *a, SlError *err)
{
    return sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(a->path).text);
}

/* The module that the first bytes of a tensor's name say; made where it is new. */
static SlAdapterModule *module_of(SlAdapter *a, const char *name, size_t length, SlError *err)
{
    size_t i;
    char *key = strndup(name, length);
    if (!key) {
        no_memory(a, err);
        return NULL;
    }
    if (sl_name_table_find(a->keys, key, &i)) {
        free(key);
        return &a->module[i];
    }
    SlAdapterModule *m = &a->module[a->count];
    *m = (SlAdapterModule){.key = key, .alpha = NAN, .scale = 1};
    sl_name_table_add(a->keys, key, a->count++);
    return m;
}

static bool is_embedding(const char *name)
{
    return strncmp(name, "bundle_emb.", strlen("bundle_emb.")) == 0;
}

/* Embeddings in a file: each is counted once, by the tensor of its first encoder. */
static bool counts_embedding(const char *name)
{
    return is_embedding(name) && !strstr(name, ".clip_g");
}

static bool take_tensor(SlAdapter *a, const SlTensorInfo *info, SlError *err)
{
    SlAdapterRole role;
    size_t length;
    const char *refused = sl_adapter_refused_kind(info);
    if (refused)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: this is a %s (tensor \"%s\"), which is not supported; LoRA, LoCon, "
                       "LoHa, LoKr, DoRA and differences are",
                       sl_show_path(a->path).text, refused, sl_show_name(info->name).text);
    a->embeddings += counts_embedding(info->name);
    if (is_embedding(info->name) || !sl_adapter_role(info->name, &role, &length))
        return true;
    SlAdapterModule *m = module_of(a, info->name, length, err);
    if (!m)
        return false;
    if (m->tensor[role])
        return sl_fail(err, SL_FORMAT, "%s: the tensors \"%s\" and \"%s\" say the same",
                       sl_show_path(a->path).text, sl_show_name(m->tensor[role]->name).text,
                       sl_show_name(info->name).text);
    bool number = info->storage || role == SL_ROLE_ALPHA;
    m->tensor[role] = info;
    return number || sl_fail(err, SL_UNSUPPORTED, "%s: tensor \"%s\" has the dtype %s; expected %s",
                             sl_show_path(a->path).text, sl_show_name(info->name).text,
                             info->dtype_name, sl_storage_names());
}

static bool read_scale(const SlAdapter *a, SlAdapterModule *m, SlError *err)
{
    int64_t rank = sl_adapter_rank(m);
    float scale = NAN;
    if (!read_number(a, m, SL_ROLE_ALPHA, &m->alpha, err) ||
        !read_number(a, m, SL_ROLE_SCALE, &scale, err))
        return false;
    if (rank > 0 && !isnan(m->alpha))
        m->scale = m->alpha / (float)rank;
    if (!isnan(scale))
        m->scale = scale;
    return true;
}

static bool read_modules(SlAdapter *a, SlError *err)
{
    size_t n = sl_weights_count(a->file);
    a->module = calloc(n + 1, sizeof *a->module);
    a->keys = sl_name_table_new(n);
    if (!a->module || !a->keys)
        return no_memory(a, err);
    for (size_t i = 0; i < n; i++)
        if (!take_tensor(a, sl_weights_info(a->file, i), err))
            return false;
    if (a->count == 0 && !sl_weights_unless_known(a->file, SL_WANT_LORA, err))
        return false;
    if (a->count == 0)
        return sl_fail(err, SL_FORMAT,
                       "%s: this is no LoRA: none of its %zu tensors is named as one (the first is "
                       "\"%s\")",
                       sl_show_path(a->path).text, n,
                       n ? sl_show_name(sl_weights_info(a->file, 0)->name).text : "");
    for (size_t i = 0; i < a->count; i++)
        if (!find_kind(a, &a->module[i], err) || !read_scale(a, &a->module[i], err))
            return false;
    return read_peft(a, err);
}

SlAdapter *sl_adapter_open(const char *path, SlError *err)
{
    SlAdapter *a = calloc(1, sizeof *a);
    if (a)
        a->path = strdup(path);
    if (!a || !a->path) {
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(path).text);
        free(a);
        return NULL;
    }
    a->file = sl_file_check(path, SL_WANT_LORA, err) ? sl_weights_open_file(path, err) : NULL;
    if (a->file && read_modules(a, err))
        return a;
    sl_adapter_close(a);
    return NULL;
}

void sl_adapter_close(SlAdapter *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++)
        free(a->module[i].key);
    sl_name_table_free(a->keys);
    sl_weights_close(a->file);
    free(a->module);
    free(a->path);
    free(a);
}

const char *sl_adapter_path(const SlAdapter *a)
{
    return a->path;
}

int sl_adapter_modules(const SlAdapter *a)
{
    return (int)a->count;
}

bool sl_adapter_recognise(const SlWeightSource *file)
{
    size_t n = sl_weights_count(file), length, named = 0;
    SlAdapterRole role;
    for (size_t i = 0; i < n; i++) {
        const SlTensorInfo *info = sl_weights_info(file, i);
        named += sl_adapter_refused_kind(info) || is_embedding(info->name) ||
                 sl_adapter_role(info->name, &role, &length);
    }
    return named > 0 && named * 2 > n;
}
