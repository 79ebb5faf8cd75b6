/* config.c - the configuration of a model's part, from its folder or built in, and what it
 * computes in. */
#include "engine/pipelines/pipelines.h"

#include <stdio.h>
#include <string.h>

SlJson *sl_model_config(const SlModelInfo *info, const char *part, SlError *err)
{
    bool scheduler = !strcmp(part, "scheduler");
    char path[4400];
    if (info->single_file) {
        const SlPipelineClass *kind = sl_pipeline_class_of(info);
        const char *text = kind->builtin ? kind->builtin(info->arch, part) : NULL;
        if (!text) {
            sl_fail(err, SL_UNSUPPORTED, "%s: there is no built-in %s configuration for \"%s\"",
                    info->path, part, info->arch);
            return NULL;
        }
        snprintf(path, sizeof path, "%s configuration of %s", part, info->arch);
        return sl_json_parse(path, text, strlen(text), err);
    }
    snprintf(path, sizeof path, "%s/%s/%s", info->path, part,
             scheduler ? "scheduler_config.json" : "config.json");
    return sl_json_open(path, err);
}

bool sl_dtype_parse(const char *name, const char *device, SlDtype *dtype, SlError *err)
{
    static const struct {
        const char *name;
        SlDtype dtype;
    } dtypes[] = {{"f32", SL_F32}, {"f16", SL_F16}, {"bf16", SL_BF16}};
    if (!name || !strcmp(name, "auto")) {
        *dtype = device && !strcmp(device, "cuda") ? SL_F16 : SL_F32;
        return true;
    }
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (!strcmp(name, dtypes[i].name)) {
            *dtype = dtypes[i].dtype;
            return true;
        }
    return sl_fail(err, SL_ARGUMENT, "the data type is \"%s\"; expected auto, f32, bf16 or f16",
                   name);
}
