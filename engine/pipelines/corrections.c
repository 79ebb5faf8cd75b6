/* corrections.c - see corrections.h. Mirrors StableDiffusionPipeline.__init__ (diffusers
 * pipelines/stable_diffusion/pipeline_stable_diffusion.py).
 *
 * Easy to get wrong: a key that is not in the file is corrected in the folder's own scheduler only.
 * from_config leaves out what was at its default, so a scheduler of another class gets that class's
 * default again; a wrong value that is in the file is corrected for every class.
 */
#include "engine/pipelines/corrections.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

static const cJSON *item_of(const SlJson *config, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(sl_json_root(config), key);
}

static bool wrong_offset(const cJSON *item)
{
    return item && !(cJSON_IsNumber(item) && item->valuedouble == 1);
}

bool sl_correct_scheduler(SlJson *config, bool own, SlError *err)
{
    const cJSON *offset = item_of(config, "steps_offset"), *clip = item_of(config, "clip_sample");
    if ((wrong_offset(offset) || (own && !offset)) &&
        !sl_json_set_number(config, "steps_offset", 1, err))
        return false;
    return !(cJSON_IsTrue(clip) || (own && !clip)) ||
           sl_json_set_bool(config, "clip_sample", false, err);
}

#define COMPARED 10 /* steps: enough for an offset to show */

/* Whether two configurations lay out the timesteps alike; *clips: whether the first limits x_0. */
static bool same_timesteps(const char *id, const SlJson *a, const SlJson *b, bool *clips)
{
    const SlSchedulerChoice choice = {.eta = -1};
    const SlSchedulerRun run = {.steps = COMPARED, .size = 1, .height = 1, .width = 1};
    SlScheduler *s[2] = {sl_scheduler_new(id, a, &choice, NULL),
                         sl_scheduler_new(id, b, &choice, NULL)};
    bool same = true;
    *clips = s[0] && sl_scheduler_clips(s[0]);
    if (s[0] && s[1] && sl_scheduler_set_timesteps(s[0], &run, NULL) &&
        sl_scheduler_set_timesteps(s[1], &run, NULL))
        for (int i = 0; i < sl_scheduler_evaluations(s[0]); i++)
            same = same && sl_scheduler_timestep(s[0], i) == sl_scheduler_timestep(s[1], i);
    sl_scheduler_free(s[0]);
    sl_scheduler_free(s[1]);
    return same;
}

static void note(SlModelInfo *info, const SlJson *read, const SlJson *corrected)
{
    bool clips, same = same_timesteps(info->scheduler, read, corrected, &clips);
    const cJSON *offset = item_of(read, "steps_offset"), *clip = item_of(read, "clip_sample");
    const char *name = "scheduler_config.json";
    if (wrong_offset(offset) && cJSON_IsNumber(offset))
        sl_model_note(info, sl_words("%s: steps_offset is %g; the pipeline takes 1"), name,
                      offset->valuedouble);
    else if (!offset && !same)
        sl_model_note(info, sl_words("%s: steps_offset is missing; the pipeline takes 1"), name);
    if (cJSON_IsTrue(clip))
        sl_model_note(info, sl_words("%s: clip_sample is true; the pipeline takes false"), name);
    else if (!clip && clips)
        sl_model_note(info, sl_words("%s: clip_sample is missing; the pipeline takes false"), name);
}

bool sl_note_scheduler(SlModelInfo *info, SlError *err)
{
    if (*info->unknown_scheduler)
        return true;
    SlJson *read = sl_model_config(info, "scheduler", err);
    SlJson *corrected = read ? sl_model_scheduler_config(info, true, err) : NULL;
    if (corrected)
        note(info, read, corrected);
    bool ok = corrected != NULL;
    sl_json_close(read);
    sl_json_close(corrected);
    return ok;
}

/* Whether the UNet was saved by a diffusers before 0.9.0. */
static bool is_old(const SlJson *config)
{
    const cJSON *version = item_of(config, "_diffusers_version");
    int major, minor;
    return cJSON_IsString(version) && sscanf(version->valuestring, "%d.%d", &major, &minor) == 2 &&
           major == 0 && minor < 9;
}

void sl_correct_sample_size(SlUnetConfig *net, const SlJson *config, SlModelInfo *info)
{
    const cJSON *size = item_of(config, "sample_size");
    if (!cJSON_IsNumber(size) || net->sample_width >= 64 || !is_old(config))
        return;
    sl_model_note(info,
                  sl_words("unet/config.json: sample_size is %d, said by a diffusers before 0.9.0 "
                           "(_diffusers_version); the pipeline takes 64"),
                  net->sample_width);
    net->sample_width = net->sample_height = 64;
}
