/* fuzz_config.c - the first byte chooses a part, the rest is its configuration file. */
#include "tests/fuzz/fuzz.h"

#include "engine/files/json.h"
#include "engine/nets/unet.h"
#include "engine/nets/vae.h"
#include "engine/schedulers/schedulers.h"
#include "engine/text/text_encoder.h"

#include <stdlib.h>

static bool parse_scheduler(const SlJson *json, unsigned which, SlError *err)
{
    SlSchedulerChoice choice = {.sigmas = (SlSigmas)(which % 4), .eta = -1};
    const SlSchedulerInfo *info = sl_scheduler_info((int)which % sl_scheduler_count());
    SlScheduler *s = sl_scheduler_new(info->id, json, &choice, err);
    const SlSchedulerRun run = {
        .steps = 1 + (int)which % 7, .size = 4, .height = 1 + (int)which % 3, .width = 4};
    bool ok = s && sl_scheduler_set_timesteps(s, &run, err);
    sl_scheduler_free(s);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlError err = {0};
    SlUnetConfig unet;
    SlVaeConfig vae;
    SlTextEncoderConfig text;
    if (size == 0)
        return 0;
    SlJson *json = sl_json_parse("config.json", (const char *)data + 1, size - 1, &err);
    unsigned which = data[0];
    bool ok = json && (which % 4 == 0   ? sl_unet_config(&unet, json, &err)
                       : which % 4 == 1 ? sl_vae_config(&vae, json, &err)
                       : which % 4 == 2 ? sl_text_encoder_config(&text, json, &err)
                                        : parse_scheduler(json, which / 4, &err));
    if (!ok && (err.code == SL_OK || !*err.message))
        abort(); /* refused without a sentence */
    sl_json_close(json);
    return 0;
}
