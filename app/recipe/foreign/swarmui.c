/* swarmui.c - SwarmUI's JSON: {"sui_image_params": {...}} (see readers.h). It computes with
 * ComfyUI, so its noise comes from the CPU. */
#include "app/recipe/foreign/flat.h"
#include "app/recipe/foreign/loras.h"
#include "app/recipe/foreign/readers.h"

static const SlFlatKey keys[] = {
    {"prompt", SL_SETTING_PROMPT, 0},     {"negativeprompt", SL_SETTING_NEGATIVE_PROMPT, 0},
    {"seed", SL_SETTING_SEED, 0},         {"steps", SL_SETTING_STEPS, 0},
    {"cfgscale", SL_SETTING_GUIDANCE, 0}, {"width", SL_SETTING_WIDTH, 0},
    {"height", SL_SETTING_HEIGHT, 0},     {NULL, 0, 0}};

static const char *const known[] = {"model",           "sampler",       "scheduler",
                                    "clipstopatlayer", "vae",           "automaticvae",
                                    "images",          "swarm_version", "aspectratio",
                                    "personalnote",    "donotsave",     "modelspecificenhancements",
                                    "sidelength",      "imageformat",   "batchsize=1",
                                    "loras",           "loraweights",   NULL};

bool sl_foreign_swarmui(SlImporter *im, const SlPictureTexts *texts, const char *text, SlError *err)
{
    SlScratch scratch;
    cJSON *root = sl_loose_parse(text, &im->failed);
    const cJSON *params = cJSON_GetObjectItemCaseSensitive(root, "sui_image_params");
    bool ok = cJSON_IsObject(params);
    (void)texts;
    if (ok) {
        const char *vae = sl_flat_text(params, "vae");
        sl_flat_take(im, params, keys);
        sl_importer_take_last_layer(im, sl_loose_member(params, "clipstopatlayer", &scratch));
        sl_importer_take_model(im, sl_flat_text(params, "model"), NULL);
        sl_importer_take_sampler(im, sl_flat_text(params, "sampler"),
                                 sl_flat_text(params, "scheduler"));
        im->recipe.noise = SL_NOISE_CPU;
        SlLoraList loras = sl_loras_begin(im);
        sl_loras_add_lists(&loras, cJSON_GetObjectItemCaseSensitive(params, "loras"),
                           cJSON_GetObjectItemCaseSensitive(params, "loraweights"));
        sl_loras_take(&loras);
        if (vae && !sl_same_letters(vae, "None") && !sl_same_letters(vae, "Automatic"))
            sl_importer_note(im, SL_NOTE_VAE, vae);
        sl_flat_note_rest(im, params, keys, known);
    } else {
        sl_fail(err, SL_FORMAT, "SwarmUI's settings are not good JSON");
    }
    cJSON_Delete(root);
    return ok;
}
