/* webui.c - the common `parameters` text of AUTOMATIC1111 and all who write it too: Forge, SD.Next,
 * stable-diffusion.cpp, Krita, Civitai, image savers of ComfyUI, Fooocus (see readers.h, and
 * infotext.h for the grammar).
 *
 * Easy to get wrong: who says nothing about where the noise was drawn. AUTOMATIC1111 and its kin
 * draw it on the GPU unless they say RNG, and its versions before 1.2 wrote no Version; those who
 * build on ComfyUI draw it on the CPU.
 */
#include "app/recipe/foreign/embeddings.h"
#include "app/recipe/foreign/lora_tags.h"
#include "app/recipe/foreign/readers.h"
#include "app/recipe/infotext.h"

#include <string.h>

/* Fields that are read below by their own rules, or that change nothing in the picture. */
static const char *const understood[] = {
    "Sampler",  "Schedule type", "Model hash", "Model",        "RNG",        "Version",
    "User",     "VAE",           "VAE hash",   "Eta",          "Eta DDIM",   "App",
    "Parser",   "Guidance",      "Hashes",     "Pipeline",     "Operations", "Clip skip",
    "Model ID", "Date",          "Time",       "Created Date", "Model name", "Index",
    "Batch-1",  "Batch-2",       "Batch pos",  "Batch size",   "Workflow",   "Resources",
};

/* From these on JSON stands without quotes, which falls into fields that mean nothing. */
static const char *const ends[] = {"SDCPP", "Civitai resources", "Civitai metadata"};

static bool is_one_of(const char *key, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

static bool is_understood(const char *key)
{
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (sl_setting(i)->infotext && strcmp(key, sl_setting(i)->infotext) == 0)
            return true;
    return is_one_of(key, understood, sizeof understood / sizeof understood[0]);
}

/* "TI" has their names alone. */
static bool is_embeddings(const char *key)
{
    return !strcmp(key, "TI hashes") || !strcmp(key, "TI");
}

static void note_rest(SlImporter *im, const SlInfotext *info)
{
    SlText rest = {0};
    for (int i = 0; i < info->count; i++) {
        const SlInfotextField *f = &info->field[i];
        if (is_one_of(f->key, ends, sizeof ends / sizeof ends[0])) {
            if (strstr(f->value, "\"lora\"")) /* only its first piece is in this field */
                sl_text_addf(&rest, "%s%s", rest.length ? ", " : "", f->key);
            break;
        }
        bool loras = im->text[SL_SETTING_LORA] && !strcmp(f->key, "Lora hashes");
        bool embeddings = im->text[SL_SETTING_EMBEDDING] && is_embeddings(f->key);
        if (!loras && !embeddings && !is_understood(f->key))
            sl_text_addf(&rest, "%s%s", rest.length ? ", " : "", f->key);
    }
    if (rest.length)
        sl_importer_note(im, SL_NOTE_NOT_TAKEN, rest.data);
    im->failed |= rest.failed;
    sl_text_free(&rest);
}

/* ---- where the noise was drawn ---- */

/* By the beginning of Version, or what else tells who wrote it; letters' case does not matter. */
static const struct {
    const char *begins;
    bool gpu;
} programs[] = {
    {"stable-diffusion.cpp", false}, /* RNG says otherwise */
    {"safelight", false},
    {"ComfyUI", false},
    {"Fooocus", false},
    {"SwarmUI", false},
    {"neo", true}, /* Forge Neo */
    {"classic", true},
    {"reforge", true},
    {"forge", true},
};

static bool begins(const char *text, const char *with)
{
    while (*with && sl_lower(*text) == sl_lower(*with)) {
        text++;
        with++;
    }
    return *with == '\0';
}

/* "v1.10.1", "f2.0.1v1.10.1", "1.6.0": AUTOMATIC1111 and Forge. */
static bool is_webui(const char *version)
{
    if (*version == 'v' || *version == 'f')
        version++;
    size_t digits = strspn(version, "0123456789");
    return digits > 0 && version[digits] == '.';
}

static void take_rng(SlImporter *im, const SlInfotext *info)
{
    const char *rng = sl_infotext_get(info, "RNG"), *version = sl_infotext_get(info, "Version");
    const char *app = sl_infotext_get(info, "App"), *hash = sl_infotext_get(info, "Model hash");
    bool krita = hash && strcmp(hash, "unknown") == 0;
    bool civitai = sl_infotext_get(info, "Civitai resources") != NULL;
    im->recipe.noise = SL_NOISE_CPU;
    if (rng) {
        if (!sl_same_letters(rng, "CPU"))
            im->recipe.noise = SL_NOISE_CUDA;
        return;
    }
    if (civitai || (version && app == NULL && !*version)) {
        sl_importer_note(im, SL_NOTE_NOISE, civitai ? "Civitai" : sl_words("the program"));
        return;
    }
    if (app && sl_same_letters(app, "SD.Next"))
        im->recipe.noise = SL_NOISE_CUDA;
    if (app || krita)
        return;
    if (!version || is_webui(version)) {
        im->recipe.noise = SL_NOISE_CUDA;
        return;
    }
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (begins(version, programs[i].begins)) {
            im->recipe.noise = programs[i].gpu ? SL_NOISE_CUDA : SL_NOISE_CPU;
            return;
        }
    sl_importer_note(im, SL_NOTE_NOISE, version);
}

/* ---- the rest ---- */

static void take_vae(SlImporter *im, const SlInfotext *info)
{
    static const char *const own[] = {"Automatic", "None", "Default", "auto", ""};
    const char *name = sl_infotext_get(info, "VAE");
    for (size_t i = 0; name && i < sizeof own / sizeof own[0]; i++)
        if (sl_same_letters(name, own[i]))
            name = NULL;
    if (name)
        sl_importer_note(im, SL_NOTE_VAE, name);
}

static bool is_ddim(const SlImporter *im)
{
    return im->recipe.scheduler && strcmp(im->recipe.scheduler, "ddim") == 0;
}

static void take_eta(SlImporter *im, const SlInfotext *info)
{
    const char *eta = sl_infotext_get(info, "Eta"), *ddim = sl_infotext_get(info, "Eta DDIM");
    const char *version = sl_infotext_get(info, "Version");
    double value;
    sl_setting_unset(sl_setting(SL_SETTING_ETA), &im->recipe);
    /* stable-diffusion.cpp writes it for every sampler, 0 where it was not asked for. */
    if (eta && version && begins(version, "stable-diffusion.cpp") &&
        (!sl_parse_double(eta, &value) || value == 0) && !is_ddim(im))
        eta = NULL;
    sl_importer_take_eta(im, ddim && (is_ddim(im) || !eta) ? ddim : eta);
}

/* A value in our own word for it, where the text has another. */
static const char *own_word(const SlSettingInfo *s, const char *value)
{
    for (int i = 0; value && s->infotext_choices && s->infotext_choices[i]; i++)
        if (sl_same_letters(value, s->infotext_choices[i]))
            return s->choices[i];
    return value;
}

static void take_fields(SlImporter *im, const SlInfotext *info)
{
    const char *version = sl_infotext_get(info, "Version");
    bool fooocus = version && begins(version, "Fooocus");
    sl_importer_take(im, SL_SETTING_PROMPT, info->prompt);
    sl_lora_tags_take(im, sl_infotext_get(info, "Lora hashes"));
    sl_embeddings_take(im, sl_infotext_get(info, "TI hashes"));
    sl_importer_take(im, SL_SETTING_NEGATIVE_PROMPT, info->negative_prompt);
    sl_setting_unset(sl_setting(SL_SETTING_CLIP_SKIP), &im->recipe); /* where nothing is said */
    sl_importer_take_sampler(im, sl_infotext_get(info, "Sampler"),
                             sl_infotext_get(info, "Schedule type"));
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (sl_setting(i)->infotext && i != SL_SETTING_ETA)
            sl_importer_take_from(
                im, i, own_word(sl_setting(i), sl_infotext_get(info, sl_setting(i)->infotext)),
                fooocus && i == SL_SETTING_CLIP_SKIP ? SL_FOOOCUS_SKIP
                                                     : sl_setting(i)->infotext_first);
    im->counts_layers = !fooocus && !(version && begins(version, "safelight")) &&
                        !sl_infotext_get(info, "App"); /* SD.Next runs diffusers */
    if (version && begins(version, "safelight") && !sl_infotext_get(info, "Prompt mode"))
        im->recipe.prompt_mode = SL_PROMPT_PLAIN; /* which is not named there */
    take_eta(im, info);
    sl_importer_take_model(im, sl_infotext_get(info, "Model"), sl_infotext_get(info, "Model hash"));
    take_rng(im, info);
    take_vae(im, info);
}

bool sl_foreign_webui(SlImporter *im, const SlPictureTexts *texts, const char *text, SlError *err)
{
    SlInfotext info;
    (void)texts;
    bool ok = sl_infotext_parse(text, &info, err);
    if (ok && info.count == 0)
        ok = sl_fail(err, SL_FORMAT, "the text \"parameters\" holds no settings");
    if (ok) {
        take_fields(im, &info);
        note_rest(im, &info);
    }
    sl_infotext_free(&info);
    return ok;
}
