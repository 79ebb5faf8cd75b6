/* foreign.c - the flat ones: `parameters` text, SwarmUI, InvokeAI (see foreign.h). */
#include "app/recipe/foreign.h"
#include "app/files/files.h"
#include "app/recipe/foreign_json.h"
#include "app/recipe/infotext.h"

#include <string.h>

/* ---- the common text ---- */

/* Fields that are read below by their own rules, or that change nothing in the picture. */
static const char *const understood[] = {
    "Sampler", "Schedule type", "Model hash", "Model",    "RNG",       "Version",  "User",
    "VAE",     "VAE hash",      "Eta DDIM",   "App",      "Parser",    "Guidance", "SDCPP",
    "Hashes",  "Module 1",      "Module 2",   "Module 3", "TI hashes",
};

static bool is_understood(const char *key)
{
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (sl_setting(i)->infotext && strcmp(key, sl_setting(i)->infotext) == 0)
            return true;
    for (size_t i = 0; i < sizeof understood / sizeof understood[0]; i++)
        if (strcmp(key, understood[i]) == 0)
            return true;
    return false;
}

static void note_rest(SlImporter *im, const SlInfotext *info)
{
    SlText rest = {0};
    for (int i = 0; i < info->count; i++) {
        /* stable-diffusion.cpp's JSON at the end falls into fields that mean nothing. */
        if (strcmp(info->field[i].key, "SDCPP") == 0)
            break;
        if (!is_understood(info->field[i].key))
            sl_text_addf(&rest, "%s%s", rest.length ? ", " : "", info->field[i].key);
    }
    if (rest.length)
        sl_importer_note(im, "not taken over: %.900s", rest.data);
    sl_text_free(&rest);
}

/* AUTOMATIC1111 and Forge draw on the GPU unless they say otherwise; others draw on the CPU. */
static void take_rng(SlImporter *im, const SlInfotext *info)
{
    const char *rng = sl_infotext_get(info, "RNG"), *version = sl_infotext_get(info, "Version");
    bool webui = version && (*version == 'v' || *version == 'f') && strpbrk(version, "0123456789");
    if (rng ? sl_same_letters(rng, "CPU") : !webui)
        im->recipe.noise = SL_NOISE_CPU;
    else
        im->recipe.noise = SL_NOISE_CUDA;
}

bool sl_foreign_parameters(SlImporter *im, const char *text, SlError *err)
{
    SlInfotext info;
    bool ok = sl_infotext_parse(text, &info, err);
    if (ok && info.count == 0)
        ok = sl_fail(err, SL_FORMAT, "the text \"parameters\" holds no settings");
    if (ok) {
        im->source = "parameters";
        sl_importer_take(im, SL_SETTING_PROMPT, info.prompt);
        sl_importer_take(im, SL_SETTING_NEGATIVE_PROMPT, info.negative_prompt);
        for (int i = 0; i < SL_N_SETTINGS; i++)
            if (sl_setting(i)->infotext)
                sl_importer_take_from(im, i, sl_infotext_get(&info, sl_setting(i)->infotext),
                                      sl_setting(i)->infotext_first);
        sl_importer_take(im, SL_SETTING_ETA, sl_infotext_get(&info, "Eta DDIM"));
        sl_importer_take_model(im, sl_infotext_get(&info, "Model"),
                               sl_infotext_get(&info, "Model hash"));
        sl_importer_take_sampler(im, sl_infotext_get(&info, "Sampler"),
                                 sl_infotext_get(&info, "Schedule type"));
        take_rng(im, &info);
        if (strstr(info.prompt, "<lora:"))
            sl_importer_note(im, "the prompt names a LoRA, which has no effect here");
        note_rest(im, &info);
    }
    sl_infotext_free(&info);
    return ok;
}

/* ---- flat JSON objects ---- */

/* key: what the program calls a setting, NULL for none. */
static void take_key(SlImporter *im, const cJSON *object, SlSetting setting, const char *key)
{
    SlScratch scratch;
    const cJSON *item = key ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
    const char *value = sl_foreign_text(item, &scratch);
    if (value)
        sl_importer_take(im, setting, value);
    else if (item && !cJSON_IsNull(item))
        sl_importer_note(im, "%s was not understood", key);
}

/* Names the members that are set and change the picture, but have no counterpart. */
static void note_keys(SlImporter *im, const cJSON *object, const char *const *names)
{
    SlText found = {0};
    for (; *names; names++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, *names);
        bool empty = !item || cJSON_IsNull(item) || cJSON_IsFalse(item) ||
                     (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 0);
        if (!empty)
            sl_text_addf(&found, "%s%s", found.length ? ", " : "", *names);
    }
    if (found.length)
        sl_importer_note(im, "not taken over: %.900s", found.data);
    sl_text_free(&found);
}

static const char *find_text(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

bool sl_foreign_swarmui(SlImporter *im, const char *json, SlError *err)
{
    static const char *const ignored[] = {"loras",           "initimage",     "initimagecreativity",
                                          "controlnets",     "variationseed", "refinermethod",
                                          "clipstopatlayer", "vae",           NULL};
    cJSON *root = sl_foreign_parse(json);
    const cJSON *params = cJSON_GetObjectItemCaseSensitive(root, "sui_image_params");
    bool ok = cJSON_IsObject(params);
    if (ok) {
        im->source = "SwarmUI";
        for (int i = 0; i < SL_N_SETTINGS; i++)
            take_key(im, params, i, sl_setting(i)->swarmui);
        sl_importer_take_model(im, find_text(params, "model"), NULL);
        sl_importer_take_sampler(im, find_text(params, "sampler"), find_text(params, "scheduler"));
        note_keys(im, params, ignored);
    } else {
        sl_fail(err, SL_FORMAT, "the text \"parameters\" is JSON of an unknown program");
    }
    cJSON_Delete(root);
    return ok;
}

bool sl_foreign_invokeai(SlImporter *im, const char *json, SlError *err)
{
    static const char *const ignored[] = {"cfg_rescale_multiplier",
                                          "seamless_x",
                                          "seamless_y",
                                          "loras",
                                          "controlnets",
                                          "ipAdapters",
                                          "strength",
                                          "init_image",
                                          "hrf_enabled",
                                          "refiner_model",
                                          NULL};
    cJSON *root = sl_foreign_parse(json);
    bool ok = cJSON_IsObject(root);
    if (ok) {
        const cJSON *model = cJSON_GetObjectItemCaseSensitive(root, "model");
        const char *device = find_text(root, "rand_device");
        im->source = "InvokeAI";
        for (int i = 0; i < SL_N_SETTINGS; i++)
            take_key(im, root, i, sl_setting(i)->invokeai);
        sl_importer_take_model(im, find_text(model, "name"), find_text(model, "hash"));
        sl_importer_take_sampler(im, find_text(root, "scheduler"), NULL);
        if (device)
            im->recipe.noise = strcmp(device, "cuda") == 0 ? SL_NOISE_CUDA : SL_NOISE_CPU;
        note_keys(im, root, ignored);
    } else {
        sl_fail(err, SL_FORMAT, "the text \"invokeai_metadata\" is not a JSON object");
    }
    cJSON_Delete(root);
    return ok;
}
