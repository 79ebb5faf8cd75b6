/* flow_model.h - a model that predicts flow, for tests: sd1 with the scheduler of a FlowMatch
 * model. What its UNet says is no flow, but a scheduler takes it as such.
 */
#ifndef SL_TESTS_FLOW_MODEL_H
#define SL_TESTS_FLOW_MODEL_H

#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const flow_model_parts[] = {"text_encoder", "tokenizer", "unet", "vae"};

static bool flow_model_write(const char *place, const char *name, const char *text)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", place, name);
    FILE *f = fopen(path, "w");
    bool ok = f && fputs(text, f) >= 0;
    return f && fclose(f) == 0 && ok;
}

static bool flow_model_link(const char *place, const char *part)
{
    char relative[100], path[4200];
    snprintf(relative, sizeof relative, "goldens/model/sd1/%s", part);
    snprintf(path, sizeof path, "%s/%s", place, part);
    char *from = sl_test_path(relative);
    bool ok = from && symlink(from, path) == 0;
    free(from);
    return ok;
}

/* Fills a place that is there. */
static inline bool flow_model(const char *place)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/scheduler", place);
    bool ok = mkdir(path, 0700) == 0;
    for (int i = 0; i < 4; i++)
        ok = ok && flow_model_link(place, flow_model_parts[i]);
    return ok &&
           flow_model_write(place, "model_index.json",
                            "{\"_class_name\": \"StableDiffusionPipeline\",\n"
                            "\"scheduler\": [\"diffusers\", \"FlowMatchEulerDiscreteScheduler\"],\n"
                            "\"text_encoder\": [\"transformers\", \"CLIPTextModel\"],\n"
                            "\"tokenizer\": [\"transformers\", \"CLIPTokenizer\"],\n"
                            "\"unet\": [\"diffusers\", \"UNet2DConditionModel\"],\n"
                            "\"vae\": [\"diffusers\", \"AutoencoderKL\"]}\n") &&
           flow_model_write(place, "scheduler/scheduler_config.json",
                            "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\",\n"
                            "\"use_dynamic_shifting\": true, \"base_image_seq_len\": 16, "
                            "\"shift\": 3.0}\n");
}

static inline void flow_model_remove(const char *place)
{
    static const char *const names[] = {"model_index.json", "scheduler/scheduler_config.json",
                                        "scheduler"};
    char path[4200];
    for (int i = 0; i < 7; i++) {
        snprintf(path, sizeof path, "%s/%s", place, i < 3 ? names[i] : flow_model_parts[i - 3]);
        remove(path);
    }
    rmdir(place);
}

#endif
