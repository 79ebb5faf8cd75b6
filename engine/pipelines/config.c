/* config.c - the configuration of a model's part, from its folder or built in. */
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
