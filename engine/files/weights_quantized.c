/* weights_quantized.c - files whose weights were made smaller by a tool: recognised by what the tool
 * left beside the weights, and shown as the numbers that they stand for.
 *
 * Read are 8-bit floats with a scale (ComfyUI's comfy/ops.py and quant_ops.py): a weight
 * "L.weight" stands for L.weight * scale, with the scale in "L.scale_weight" (where the file has the
 * tensor "scaled_fp8") or in "L.weight_scale" (where "L.comfy_quant" or the file's metadata names
 * the format). Scales of the layer's input ("L.scale_input", "L.input_scale") are for products in 8
 * bits, which nobody computes here. 8-bit floats without a scale are plain values.
 *
 * Easy to get wrong: a method that is not known would still open, and make noise of a good model;
 * so every mark of one is looked for, and the method named.
 */
#include "engine/files/json.h"
#include "engine/files/utf8.h"
#include "engine/files/weights_views.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_ROOM 512

/* Bytes of a "comfy_quant" tensor, {"format": "float8_e4m3fn"}: the longest known has 80. */
#define MARK_ROOM 4096

static bool ends_with(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n >= m && !strcmp(name + n - m, ending);
}

/* Endings of names that belong to methods which are not read here. */
static const struct {
    const char *ending, *method;
} others[] = {
    {".quant_state.bitsandbytes__nf4", "bitsandbytes NF4"},
    {".quant_state.bitsandbytes__fp4", "bitsandbytes FP4"},
    {".absmax", "bitsandbytes"},
    {".quant_map", "bitsandbytes"},
    {".SCB", "bitsandbytes int8"},
    {".weight_scale_2", "nvfp4"},
    {".weight._data", "quanto"},
    {".weight_qdata", "torchao"},
    {".qweight", "GPTQ, AWQ or Nunchaku"},
    {".qzeros", "GPTQ or AWQ"},
    {".wscales", "Nunchaku (SVDQuant)"},
};

static bool refuse(const SlWeightSource *w, const SlTensorInfo *info, const char *method,
                   SlError *err)
{
    return sl_fail(err, SL_UNSUPPORTED,
                   "%s: its weights were quantised by the method %s (tensor \"%s\"), which is not "
                   "supported; look for the same model in F16, in 8-bit floats or as GGUF",
                   sl_show_path(sl_weights_file_of(w, info)).text, method,
                   sl_show_name(info->name).text);
}

/* ---- formats by name ---- */

static bool is_float8(const char *format)
{
    return !strcmp(format, "float8_e4m3fn") || !strcmp(format, "float8_e5m2");
}

/* {"format": "..."} in a tensor of bytes. */
static bool check_mark(const SlWeightSource *w, const SlTensorInfo *info, SlError *err)
{
    char text[MARK_ROOM];
    if (strcmp(info->dtype_name, "U8") || info->bytes > sizeof text)
        return sl_fail(err, SL_FORMAT,
                       "%s: tensor \"%s\" should name how its layer is quantised; expected at most "
                       "%d bytes of JSON, found %llu bytes of %s",
                       sl_show_path(sl_weights_file_of(w, info)).text,
                       sl_show_name(info->name).text, MARK_ROOM, (unsigned long long)info->bytes,
                       info->dtype_name);
    if (!w->ops->read(w, info->index, 0, info->bytes, text, err))
        return false;
    SlJson *json = sl_json_parse(info->name, text, (size_t)info->bytes, err);
    if (!json)
        return false;
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(sl_json_root(json), "format");
    const char *name = cJSON_IsString(format) ? format->valuestring : "(not named)";
    bool ok = is_float8(name) || refuse(w, info, sl_show_name(name).text, err);
    sl_json_close(json);
    return ok;
}

/* {"layers": {"L": {"format": "..."}}} in the file's metadata. */
static bool check_metadata(const SlWeightSource *w, SlError *err)
{
    const char *text = sl_weights_metadata(w, "_quantization_metadata");
    SlJson *json = text ? sl_json_parse("_quantization_metadata", text, strlen(text), err) : NULL;
    if (!json)
        return !text;
    const cJSON *layers = cJSON_GetObjectItemCaseSensitive(sl_json_root(json), "layers");
    bool ok = true;
    for (const cJSON *c = layers ? layers->child : NULL; c && ok; c = c->next) {
        const cJSON *format = cJSON_GetObjectItemCaseSensitive(c, "format");
        const char *name = cJSON_IsString(format) ? format->valuestring : "(not named)";
        if (!is_float8(name))
            ok = sl_fail(err, SL_UNSUPPORTED,
                         "%s: the weights of \"%s\" were quantised by the method %s, which is not "
                         "supported; look for the same model in F16, in 8-bit floats or as GGUF",
                         sl_show_path(sl_weights_file(w, 0)).text,
                         sl_show_name(c->string ? c->string : "").text, sl_show_name(name).text);
    }
    sl_json_close(json);
    return ok;
}

/* ---- tensors ---- */

/* What stands beside the weights and is no weight. */
static bool is_beside(const char *name)
{
    static const char *const endings[] = {".scale_weight", ".weight_scale", ".scale_input",
                                          ".input_scale", ".comfy_quant"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ends_with(name, endings[i]))
            return true;
    return !strcmp(name, "scaled_fp8") || ends_with(name, ".scaled_fp8");
}

/* The scale of "L.weight"; NULL: it has none. */
static const SlTensorInfo *scale_of(const SlWeightSource *w, const char *name)
{
    static const char *const endings[] = {"scale_weight", "weight_scale"};
    char scale[NAME_ROOM];
    const SlTensorInfo *found = NULL;
    if (!ends_with(name, ".weight"))
        return NULL;
    for (size_t i = 0; i < 2 && !found; i++)
        if (snprintf(scale, sizeof scale, "%.*s%s", (int)(strlen(name) - strlen("weight")), name,
                     endings[i]) < (int)sizeof scale)
            found = sl_weights_find(w, scale);
    return found;
}

/* Every mark of a method is looked at. *any: there is something beside the weights. */
static bool check_marks(const SlWeightSource *w, bool *any, SlError *err)
{
    for (size_t i = 0; i < sl_weights_count(w); i++) {
        const SlTensorInfo *info = sl_weights_info(w, i);
        for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
            if (ends_with(info->name, others[k].ending))
                return refuse(w, info, others[k].method, err);
        if (ends_with(info->name, ".comfy_quant") && !check_mark(w, info, err))
            return false;
        *any = *any || is_beside(info->name);
    }
    return check_metadata(w, err);
}

static SlWeightView *shown(SlWeightSource *w, const SlTensorInfo *info, SlError *err)
{
    const SlTensorInfo *scale = scale_of(w, info->name);
    if (scale && !info->storage) {
        refuse(w, info, !strcmp(info->dtype_name, "I8") ? "int8_tensorwise" : info->dtype_name,
               err);
        return NULL;
    }
    SlWeightView *v = sl_view_of(w, info, err);
    return scale ? sl_view_scaled(v, sl_view_of(w, scale, err), err) : v;
}

SlWeightSource *sl_source_dequantized(SlWeightSource *source, SlError *err)
{
    bool any = false;
    SlWeightSource *result = NULL;
    if (!source)
        return NULL;
    bool ok = check_marks(source, &any, err);
    if (ok && !any)
        return source;
    SlWeightSet *set = ok ? sl_weight_set_new(source, err) : NULL;
    ok = set != NULL;
    for (size_t i = 0; ok && i < sl_weights_count(source); i++) {
        const SlTensorInfo *info = sl_weights_info(source, i);
        ok = is_beside(info->name) || sl_weight_set_add(set, shown(source, info, err), err);
    }
    if (ok)
        result = sl_weight_set_finish(set, err);
    else
        sl_weight_set_free(set);
    sl_weights_close(source);
    return result;
}
