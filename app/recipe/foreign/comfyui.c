/* comfyui.c - settings out of ComfyUI's graph (see readers.h and graph.h).
 *
 * From the node that saves the picture back to the sampler before it, from there along its latents
 * to the sampler that began with noise, and from that one along each of its links: prompts, text
 * encoder, model, size, and for the custom ones solver, sigmas, noise and guider. Nodes are known by
 * what their inputs are called, since most of them are not ComfyUI's own; what stands between and
 * changes something is named. Easy to get wrong: the order in the file means nothing.
 */
#include "app/recipe/foreign/comfyui.h"
#include "app/recipe/foreign/loras.h"
#include "app/recipe/foreign/readers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HOPS       64
#define MAX_TEXT_BYTES ((size_t)1 << 20)

/* A node of LoRAs that the model or the prompt's text encoder goes through. */
typedef struct LoraNode {
    const SlGraphNode *node;
    bool model, clip;
} LoraNode;

typedef struct Walk {
    SlImporter *im;
    SlGraph *g;
    SlText layer; /* of the text encoder that the prompt stops at */
    int loras;    /* the last that is applied first */
    LoraNode lora[SL_ADAPTERS_MAX];
} Walk;

static bool has(const SlGraphNode *node, const char *name)
{
    return sl_graph_input(node, name) != NULL;
}

static SlGraphNode *follow(Walk *w, const SlGraphNode *node, const char *name)
{
    return sl_graph_follow(w->g, sl_graph_input(node, name), NULL);
}

/* The first of the names that a node has as an input, NULL: none. The list ends with NULL. */
static const char *first_input(const SlGraphNode *node, const char *const *names)
{
    for (; *names; names++)
        if (has(node, *names))
            return *names;
    return NULL;
}

/* The same among links. */
static const cJSON *first_link(const SlGraphNode *node, const char *const *names)
{
    for (; *names; names++)
        if (sl_graph_is_link(sl_graph_input(node, *names)))
            return sl_graph_input(node, *names);
    return sl_graph_only_link(node);
}

/* Hands on what it gets. */
static bool passes(const SlGraphNode *node)
{
    return node->bypassed || strstr(node->type, "Reroute") ||
           strstr(node->type, "Get") == node->type || strstr(node->type, "SetNode") == node->type;
}

static void note_node(Walk *w, const SlGraphNode *node)
{
    if (!passes(node))
        sl_importer_note(w->im, SL_NOTE_NODE, node->type);
}

/* ---- values ---- */

static const char *const seeds[] = {"seed", "noise_seed", "value",  "int",
                                    "INT",  "number",     "Number", NULL};
static const char *const numbers[] = {"value",  "Value",  "int", "INT", "float", "FLOAT",
                                      "number", "Number", "val", "a",   NULL};
static const char *const words[] = {"value", "text", "string", "combo", "choice", NULL};
static const char *const texts[] = {"text",   "value",         "string", "prompt", "populated_text",
                                    "STRING", "wildcard_text", "Text",   "text_0", "String",
                                    NULL};

/* What an input of a node says, through any number of nodes that hand it on or hold it; NULL when
 * it is not there, or (noted) not understood. names: what others call it. */
static const char *value_of(Walk *w, const SlGraphNode *node, const char *name,
                            const char *const *names, SlScratch *scratch)
{
    const cJSON *input = sl_graph_input(node, name);
    const SlGraphNode *at = node;
    for (int hop = 0; hop < MAX_HOPS; hop++) {
        const cJSON *content =
            cJSON_GetObjectItemCaseSensitive(input, "content"); /* and a picture */
        const char *value = sl_loose_text(content ? content : input, scratch);
        if (value || !sl_graph_is_link(input))
            return value;
        const SlGraphNode *next = sl_graph_follow(w->g, input, NULL);
        if (!next)
            break;
        at = next;
        const char *place = has(at, name) ? name : first_input(at, names);
        input = place ? sl_graph_input(at, place) : sl_graph_only_link(at);
        if (!input || strstr(at->type, "Math") || strstr(at->type, "Expression"))
            break;
    }
    sl_importer_note_two(w->im, SL_NOTE_LINKED, name, at->type);
    return NULL;
}

static bool is_text_node(const SlGraphNode *node)
{
    static const char *const parts[] = {"String", "Text",   "Primitive", "Show",
                                        "Prompt", "Concat", "string",    "text"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(node->type, parts[i]))
            return true;
    return passes(node);
}

static bool add_text(Walk *w, const SlGraphNode *node, const char *name, SlText *out, int depth);

/* Nodes that put texts one behind the other. */
static bool add_joined(Walk *w, const SlGraphNode *node, SlText *out, int depth, bool *joined)
{
    static const char *const rows[][8] = {
        {"string_a", "string_b", "string_c", "string_d"},
        {"text_a", "text_b", "text_c", "text_d", "text_e", "text_f", "text_g"},
        {"string1", "string2"},
        {"string_1", "string_2", "string_3", "string_4"},
        {"text1", "text2", "text3", "text4"},
        {"text_1", "text_2", "text_3", "text_4"},
    };
    static const char *const between[] = {"delimiter", "separator", "delimiter_text", NULL};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SlScratch scratch;
        const char *place = first_input(node, between);
        const char *delimiter = place ? sl_loose_text(sl_graph_input(node, place), &scratch) : NULL;
        if (!has(node, rows[i][0]) || !has(node, rows[i][1]))
            continue;
        *joined = true;
        bool any = false;
        for (int k = 0; k < 8 && rows[i][k]; k++) {
            SlText part = {0};
            if (has(node, rows[i][k]) && add_text(w, node, rows[i][k], &part, depth + 1) &&
                part.length) {
                if (any && delimiter)
                    sl_text_add(out, delimiter);
                sl_text_add(out, part.data);
                any = true;
            }
            out->failed |= part.failed;
            sl_text_free(&part);
        }
        return true;
    }
    return false;
}

/* A text through any number of nodes; false when it was not found. */
static bool add_text(Walk *w, const SlGraphNode *node, const char *name, SlText *out, int depth)
{
    const cJSON *input = sl_graph_input(node, name);
    bool joined = false;
    SlScratch scratch;
    for (int hop = depth; hop < MAX_HOPS && out->length < MAX_TEXT_BYTES; hop++) {
        int slot = 0;
        const char *value = sl_loose_text(input, &scratch);
        if (value) {
            sl_text_add(out, value);
            return true;
        }
        const SlGraphNode *at = sl_graph_follow(w->g, input, &slot);
        if (!at)
            return false;
        if (!is_text_node(at))
            note_node(w, at);
        if (add_joined(w, at, out, hop, &joined))
            return true;
        const char *place = first_input(at, texts);
        if (has(at, "text_positive") && has(at, "text_negative")) {
            note_node(w, at); /* a style is put around them */
            place = slot == 1 ? "text_negative" : "text_positive";
        } else if (has(at, "positive") && has(at, "negative") && !place) {
            place = slot == 1 ? "negative" : "positive";
        }
        input = place ? sl_graph_input(at, place) : sl_graph_only_link(at);
    }
    return false;
}

/* ---- LoRAs ---- */

/* One that is given as an object among the inputs: {"on": true, "lora": "a.safetensors", "strength": 1}. */
static bool is_lora_entry(const cJSON *input)
{
    return cJSON_GetObjectItemCaseSensitive(input, "lora") &&
           cJSON_GetObjectItemCaseSensitive(input, "strength");
}

static bool has_loras(const SlGraphNode *node)
{
    const cJSON *input;
    if (node->bypassed)
        return false;
    cJSON_ArrayForEach(input, node->inputs)
    {
        if (is_lora_entry(input))
            return true;
    }
    return has(node, "lora_name") &&
           (has(node, "strength_model") || has(node, "strength_clip") || has(node, "strength"));
}

static LoraNode *find_lora(Walk *w, const SlGraphNode *node)
{
    for (int i = 0; i < w->loras; i++)
        if (w->lora[i].node == node)
            return &w->lora[i];
    return NULL;
}

/* The model's or the prompt's way goes through the node. False: it has no LoRAs, or there are too many. */
static bool goes_through(Walk *w, const SlGraphNode *node, bool clip)
{
    LoraNode *lora = has_loras(node) ? find_lora(w, node) : NULL;
    if (!lora && has_loras(node) && w->loras < SL_ADAPTERS_MAX) {
        lora = &w->lora[w->loras++];
        *lora = (LoraNode){.node = node};
    }
    if (lora)
        *(clip ? &lora->clip : &lora->model) = true;
    return lora != NULL;
}

/* ---- prompts and the text encoder ---- */

/* From the first node behind the text, on. */
static void take_clip(Walk *w, const SlGraphNode *at, SlSetting setting)
{
    static const char *const links[] = {"clip", "CLIP", NULL};
    static const char *const files[] = {"clip_name", "clip_name1", NULL};
    SlText layer = {0};
    SlScratch scratch;
    for (int hop = 0; at && hop < MAX_HOPS; hop++) {
        const char *stop = has(at, "stop_at_clip_layer")                  ? "stop_at_clip_layer"
                           : has(at, "ckpt_name") && has(at, "clip_skip") ? "clip_skip"
                                                                          : NULL;
        const char *value = stop && !at->bypassed ? value_of(w, at, stop, numbers, &scratch) : NULL;
        const char *file = first_input(at, files);
        if (value && !layer.length)
            sl_text_add(&layer, value); /* the nearest counts */
        if (file) {
            value = value_of(w, at, file, words, &scratch);
            sl_importer_note(w->im, SL_NOTE_TEXT_ENCODER, value ? value : at->type);
            break;
        }
        if (has(at, "ckpt_name"))
            break;
        bool through = setting == SL_SETTING_PROMPT ? goes_through(w, at, true)
                                                    : find_lora(w, at) && find_lora(w, at)->clip;
        if (!stop && !through)
            note_node(w, at);
        at = sl_graph_follow(w->g, first_link(at, links), NULL);
    }
    w->im->failed |= layer.failed;
    if (setting == SL_SETTING_PROMPT) {
        sl_importer_take_last_layer(w->im, layer.length ? layer.data : "-1");
        w->layer = layer;
        return;
    }
    if (strcmp(layer.length ? layer.data : "-1", w->layer.length ? w->layer.data : "-1") != 0)
        sl_importer_note(w->im, SL_NOTE_CLIP_SKIPS, NULL);
    sl_text_free(&layer);
}

/* The text of a node that encodes one, and what is set along its clip. False when it is none. */
static bool take_encoded(Walk *w, const SlGraphNode *node, SlSetting setting)
{
    static const char *const places[] = {"text",  "text_g", "text_l", "clip_l",
                                         "t5xxl", "prompt", NULL};
    const char *side = setting == SL_SETTING_PROMPT ? "positive" : "negative";
    const char *place = first_input(node, places);
    SlText text = {0};
    if (!place && has(node, side) && !sl_graph_is_link(sl_graph_input(node, side)))
        place = side; /* a loader that encodes as well */
    if (!place)
        return false;
    if (add_text(w, node, place, &text, 0))
        sl_importer_take(w->im, setting, text.data ? text.data : "");
    else
        sl_importer_note_two(w->im, SL_NOTE_LINKED, sl_setting(setting)->name, node->type);
    w->im->failed |= text.failed;
    sl_text_free(&text);
    take_clip(w, place == side ? node : follow(w, node, "clip"), setting);
    return true;
}

static void take_prompt(Walk *w, const SlGraphNode *from, const char *link, SlSetting setting)
{
    static const char *const onward[] = {"conditioning",      "conditioning_1", "conditioning_to",
                                         "conditioning1",     "cond",           "CONDITIONING",
                                         "base_conditioning", "cond1",          NULL};
    static const char *const several[] = {"conditioning_2", "conditioning_from", "conditioning2",
                                          "cond2", NULL};
    const char *side = setting == SL_SETTING_PROMPT ? "positive" : "negative";
    const SlGraphNode *at = follow(w, from, link);
    for (int hop = 0; at && hop < MAX_HOPS; hop++) {
        if (take_encoded(w, at, setting))
            return;
        note_node(w, at);
        if (strstr(at->type, "ZeroOut")) {
            sl_importer_take(w->im, setting, "");
            return;
        }
        if (first_input(at, several))
            sl_importer_note(w->im, SL_NOTE_TWO_PROMPTS, NULL);
        at = sl_graph_follow(
            w->g, has(at, side) ? sl_graph_input(at, side) : first_link(at, onward), NULL);
    }
    if (setting == SL_SETTING_PROMPT)
        sl_importer_note(w->im, SL_NOTE_NO_PROMPT, NULL);
    else if (!has(from, link))
        sl_importer_take(w->im, setting, "");
    else
        sl_importer_note_two(w->im, SL_NOTE_LINKED, sl_setting(setting)->name, from->type);
}

/* ---- model, VAE ---- */

static const char *const model_files[] = {"ckpt_name",  "unet_name",      "model_name",
                                          "model_path", "base_ckpt_name", NULL};

/* LoRAs that a loader of models loads as well, or gets from other nodes. */
static void note_loras_of(Walk *w, const SlGraphNode *loader)
{
    const cJSON *input;
    cJSON_ArrayForEach(input, loader->inputs)
    {
        const char *name = cJSON_GetStringValue(input);
        bool names = strstr(input->string, "lora") && strstr(input->string, "name");
        if (names && name && *name && !sl_same_letters(name, "None"))
            sl_importer_note(w->im, SL_NOTE_NOT_TAKEN, name);
        const SlGraphNode *from =
            strstr(input->string, "lora") ? sl_graph_follow(w->g, input, NULL) : NULL;
        if (from)
            note_node(w, from);
    }
}

static void take_model(Walk *w, const SlGraphNode *node)
{
    static const char *const links[] = {"model", "model1", "MODEL", NULL};
    const SlGraphNode *at = follow(w, node, "model");
    for (int hop = 0; at && hop < MAX_HOPS; hop++) {
        const char *file = follow(w, at, "model") ? NULL : first_input(at, model_files);
        if (file) {
            SlScratch scratch;
            sl_importer_take_model(w->im, value_of(w, at, file, words, &scratch), NULL);
            note_loras_of(w, at);
            return;
        }
        if (!goes_through(w, at, false))
            note_node(w, at);
        at = sl_graph_follow(w->g, first_link(at, links), NULL);
    }
}

/* Of a node that decodes. */
static void take_vae(Walk *w, const SlGraphNode *node)
{
    static const char *const links[] = {"vae", "VAE", NULL};
    const SlGraphNode *at = follow(w, node, "vae");
    for (int hop = 0; at && hop < MAX_HOPS; hop++) {
        SlScratch scratch;
        const char *file = has(at, "vae_name") ? "vae_name" : first_input(at, model_files);
        if (file) {
            const char *name = value_of(w, at, file, words, &scratch);
            bool own = strcmp(file, "vae_name") != 0 || (name && !strcmp(name, "Baked VAE"));
            if (!own || (name && w->im->model && strcmp(file, "ckpt_name") == 0 &&
                         strcmp(name, w->im->model) != 0))
                sl_importer_note(w->im, SL_NOTE_VAE, name ? name : at->type);
            return;
        }
        note_node(w, at);
        at = sl_graph_follow(w->g, first_link(at, links), NULL);
    }
}

/* ---- what it started from ---- */

static const char *const latents[] = {"latent_image", "samples", "latent",   "latents",
                                      "samples_to",   "latent1", "samples1", "LATENT",
                                      "image",        "pixels",  "images",   NULL};
static const char *const pictures[] = {"pixels", "image", "images", "upload", NULL};

static void take_side(Walk *w, const SlGraphNode *node, const char *const *names, SlSetting setting)
{
    SlScratch scratch;
    const char *name = first_input(node, names);
    if (name)
        sl_importer_take(w->im, setting, value_of(w, node, name, numbers, &scratch));
}

static void note_batch(Walk *w, const SlGraphNode *node, const char *name)
{
    SlScratch scratch;
    const char *batch = has(node, name) ? value_of(w, node, name, numbers, &scratch) : NULL;
    if (batch && strcmp(batch, "1") != 0)
        sl_importer_note(w->im, SL_NOTE_BATCH, batch);
}

static void take_size(Walk *w, const SlGraphNode *sampler)
{
    static const char *const widths[] = {"width", "empty_latent_width", "Width", NULL};
    static const char *const heights[] = {"height", "empty_latent_height", "Height", NULL};
    const SlGraphNode *at = sl_graph_follow(w->g, first_link(sampler, latents), NULL);
    if (!follow(w, sampler, "latent_image") && !follow(w, sampler, "latent") &&
        !follow(w, sampler, "samples") && !follow(w, sampler, "image"))
        at = NULL;
    for (int hop = 0; at && hop < MAX_HOPS; hop++) {
        const cJSON *link = first_link(at, latents);
        bool from_others = sl_graph_is_link(sl_graph_input(at, "samples")) ||
                           first_input(at, pictures) || has(at, "latent_image");
        if (!from_others && first_input(at, widths) && first_input(at, heights)) {
            take_side(w, at, widths, SL_SETTING_WIDTH);
            take_side(w, at, heights, SL_SETTING_HEIGHT);
            note_batch(w, at, "batch_size");
            return;
        }
        if (first_input(at, pictures) || strstr(at->type, "LoadLatent")) {
            sl_importer_note(w->im, SL_NOTE_PICTURE, NULL);
            return;
        }
        if (has(at, "amount"))
            note_batch(w, at, "amount");
        else
            note_node(w, at);
        at = sl_graph_follow(w->g, link, NULL);
    }
    sl_importer_note(w->im, SL_NOTE_NO_SIZE, NULL);
}

/* ---- the sampler and, for the custom ones, the nodes around it ---- */

static const SlGraphNode *or_else(const SlGraphNode *a, const SlGraphNode *b)
{
    return a ? a : b;
}

/* The node of sigmas that has the steps; what cuts or changes sigmas behind it is named. */
static const SlGraphNode *find_schedule(Walk *w, const SlGraphNode *sampler)
{
    static const char *const links[] = {"sigmas", "sigmas_1", NULL};
    const SlGraphNode *at = follow(w, sampler, "sigmas");
    for (int hop = 0; at && !has(at, "steps") && hop < MAX_HOPS; hop++) {
        note_node(w, at);
        at = sl_graph_follow(w->g, first_link(at, links), NULL);
    }
    return or_else(at, sampler);
}

/* Nodes that are one solver or one schedule, and say so by their class alone. */
static const char *name_of_class(const SlGraphNode *node)
{
    static const struct {
        const char *type, *name;
    } classes[] = {
        {"SamplerEulerAncestral", "euler_ancestral"},
        {"SamplerDPMPP_2M_SDE", "dpmpp_2m_sde"},
        {"SamplerDPMPP_3M_SDE", "dpmpp_3m_sde"},
        {"SamplerDPMPP_SDE", "dpmpp_sde"},
        {"SamplerDPMPP_2S_Ancestral", "dpmpp_2s_ancestral"},
        {"SamplerDPMAdaptative", "dpm_adaptive"},
        {"SamplerLMS", "lms"},
        {"SamplerER_SDE", "er_sde"},
        {"KarrasScheduler", "karras"},
        {"ExponentialScheduler", "exponential"},
        {"PolyexponentialScheduler", "polyexponential"},
        {"BetaSamplingScheduler", "beta"},
    };
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(node->type, classes[i].type) == 0)
            return classes[i].name;
    return NULL;
}

static void take_solver(Walk *w, const SlGraphNode *sampler, const SlGraphNode *schedule)
{
    static const char *const names[] = {"sampler_name", "value", "text", "string", "sampler", NULL};
    static const char *const schedules[] = {"scheduler", "scheduler_name", "value",
                                            "text",      "string",         NULL};
    const SlGraphNode *solver = or_else(follow(w, sampler, "sampler"), sampler);
    SlScratch a, b;
    const char *name = name_of_class(solver), *levels = name_of_class(schedule);
    if (levels)
        sl_importer_note(w->im, SL_NOTE_SIGMA_RANGE, schedule->type);
    if (!name && has(solver, "sampler_name"))
        name = value_of(w, solver, "sampler_name", names, &a);
    else if (!name && solver != sampler)
        name = solver->type;
    if (!levels && has(schedule, "scheduler"))
        levels = value_of(w, schedule, "scheduler", schedules, &b);
    else if (!levels && schedule != sampler)
        levels = schedule->type;
    sl_importer_take_sampler(w->im, name, levels);
    if (solver != sampler && has(solver, "eta"))
        sl_importer_take_eta(w->im, value_of(w, solver, "eta", numbers, &a));
}

static double number_of(Walk *w, const SlGraphNode *node, const char *name, double otherwise)
{
    SlScratch scratch;
    double number;
    const char *text = has(node, name) ? value_of(w, node, name, numbers, &scratch) : NULL;
    return text && sl_parse_double(text, &number) ? number : otherwise;
}

/* Runs that do not make all of their steps. */
static void note_parts(Walk *w, const SlGraphNode *sampler, const SlGraphNode *schedule)
{
    SlScratch a, b;
    const char *add =
        has(sampler, "add_noise") ? value_of(w, sampler, "add_noise", words, &a) : NULL;
    const cJSON *flag = sl_graph_input(sampler, "add_noise");
    double denoise = number_of(w, schedule, "denoise", 1);
    double steps = number_of(w, schedule, "steps", 0);
    if (denoise != 1)
        sl_importer_note(w->im, SL_NOTE_DENOISE, value_of(w, schedule, "denoise", numbers, &a));
    if (number_of(w, sampler, "start_at_step", 0) > 0)
        sl_importer_note(w->im, SL_NOTE_START_STEP,
                         value_of(w, sampler, "start_at_step", numbers, &a));
    if (number_of(w, sampler, "end_at_step", steps) < steps)
        sl_importer_note_two(w->im, SL_NOTE_END_STEP,
                             value_of(w, sampler, "end_at_step", numbers, &a),
                             value_of(w, schedule, "steps", numbers, &b));
    if ((add && strcmp(add, "disable") == 0) || cJSON_IsFalse(flag))
        sl_importer_note(w->im, SL_NOTE_NO_NOISE, NULL);
}

static double strength_of(const cJSON *entry, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(entry, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static void add_node(Walk *w, SlLoraList *list, const LoraNode *lora)
{
    const cJSON *input;
    SlScratch scratch;
    cJSON_ArrayForEach(input, lora->node->inputs)
    {
        if (!is_lora_entry(input) || cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(input, "on")))
            continue;
        double strength = strength_of(input, "strength", 1);
        sl_loras_add(list, sl_loose_member(input, "lora", &scratch), NULL,
                     lora->model ? strength : 0,
                     lora->clip ? strength_of(input, "strengthTwo", strength) : 0);
    }
    if (!has(lora->node, "lora_name"))
        return;
    double both = number_of(w, lora->node, "strength", 1);
    const char *name = value_of(w, lora->node, "lora_name", words, &scratch);
    if (name) /* else that is said */
        sl_loras_add(list, name, NULL,
                     lora->model ? number_of(w, lora->node, "strength_model", both) : 0,
                     lora->clip ? number_of(w, lora->node, "strength_clip", both) : 0);
}

static void take_loras(Walk *w)
{
    SlLoraList list = sl_loras_begin(w->im);
    for (int i = w->loras - 1; i >= 0; i--)
        add_node(w, &list, &w->lora[i]);
    sl_loras_take(&list);
}

static void take_seed(Walk *w, const SlGraphNode *sampler)
{
    const SlGraphNode *noise = or_else(follow(w, sampler, "noise"), sampler);
    const char *name = first_input(noise, seeds);
    SlScratch scratch;
    if (name)
        sl_importer_take(w->im, SL_SETTING_SEED, value_of(w, noise, name, seeds, &scratch));
    else if (noise != sampler)
        sl_importer_note(w->im, SL_NOTE_NO_NOISE, NULL);
}

static void take_guidance(Walk *w, const SlGraphNode *guider)
{
    static const char *const names[] = {"cfg", "cfg_scale", "guidance", NULL};
    const char *name = first_input(guider, names);
    SlScratch scratch;
    if (name)
        sl_importer_take(w->im, SL_SETTING_GUIDANCE, value_of(w, guider, name, numbers, &scratch));
    else if (strcmp(guider->type, "BasicGuider") == 0)
        sl_importer_take(w->im, SL_SETTING_GUIDANCE, "1");
    else
        note_node(w, guider);
}

static bool is_known_sampler(const SlGraphNode *node)
{
    return strncmp(node->type, "KSampler", 8) == 0 || strcmp(node->type, "SamplerCustom") == 0 ||
           strcmp(node->type, "SamplerCustomAdvanced") == 0;
}

static void take_sampler(Walk *w, const SlGraphNode *sampler)
{
    const SlGraphNode *schedule = find_schedule(w, sampler);
    const SlGraphNode *guider = or_else(follow(w, sampler, "guider"), sampler);
    SlScratch scratch;
    if (!is_known_sampler(sampler))
        sl_importer_note(w->im, SL_NOTE_SAMPLER_NODE, sampler->type);
    take_seed(w, sampler);
    sl_importer_take(w->im, SL_SETTING_STEPS, value_of(w, schedule, "steps", numbers, &scratch));
    take_guidance(w, guider);
    take_solver(w, sampler, schedule);
    static const char *const prompts[] = {"positive", "conditioning", "cond1", NULL};
    const char *prompt = first_input(guider, prompts);
    take_prompt(w, guider, prompt ? prompt : prompts[0], SL_SETTING_PROMPT);
    take_prompt(w, guider, "negative", SL_SETTING_NEGATIVE_PROMPT);
    take_model(w, has(guider, "model") ? guider : sampler);
    take_loras(w);
    take_size(w, sampler);
    note_parts(w, sampler, schedule);
}

/* ---- which sampler ---- */

static bool is_sampler(const SlGraphNode *node)
{
    bool noise = has(node, "seed") || has(node, "noise_seed") || has(node, "noise");
    bool prompt = has(node, "positive") || has(node, "guider") || has(node, "conditioning");
    bool steps = has(node, "steps") || has(node, "sigmas");
    return noise && steps && !node->bypassed && (prompt || strncmp(node->type, "KSampler", 8) == 0);
}

/* 2: saves a picture, 1: shows one, 0: neither. */
static int rank_of(const SlGraphNode *node)
{
    if (!first_input(node, pictures) && !has(node, "samples"))
        return 0;
    if (strstr(node->type, "Save") || strstr(node->type, "save"))
        return 2;
    return strstr(node->type, "Preview") != NULL;
}

static SlGraphNode *nearest_of(SlGraph *g, const SlGraphNode *node)
{
    const cJSON *item;
    SlGraphNode *found = NULL;
    cJSON_ArrayForEach(item, node->inputs)
    {
        if (!found)
            found = sl_graph_nearest(g, item, is_sampler);
    }
    return found;
}

/* The sampler before the picture: *output is the node that the picture left by, or NULL. */
static SlGraphNode *find_last(SlGraph *g, const SlGraphNode **output)
{
    SlGraphNode *found = NULL;
    *output = NULL;
    for (int rank = 2; rank > 0 && !found; rank--)
        for (int i = 0; i < g->count && !found; i++)
            if (rank_of(&g->node[i]) == rank && (found = nearest_of(g, &g->node[i])))
                *output = &g->node[i];
    /* Without one: the sampler that no other one continues. */
    for (int i = 0; i < g->count && !found; i++)
        if (is_sampler(&g->node[i]))
            found = &g->node[i];
    return found;
}

/* From a sampler to the one that made what it began with, as far as that goes. */
static SlGraphNode *find_first(SlGraph *g, SlGraphNode *last, int *passes_made)
{
    SlGraphNode *at = last, *seen[MAX_HOPS];
    for (*passes_made = 0; *passes_made < MAX_HOPS;) {
        SlGraphNode *before = NULL;
        seen[(*passes_made)++] = at;
        for (int i = 0; latents[i] && !before; i++)
            before = sl_graph_nearest(g, sl_graph_input(at, latents[i]), is_sampler);
        for (int i = 0; i < *passes_made && before; i++)
            if (seen[i] == before)
                before = NULL;
        if (!before)
            break;
        at = before;
    }
    return at;
}

/* What the picture went through behind the last sampler. */
static void note_way_out(Walk *w, const SlGraphNode *output, const SlGraphNode *last)
{
    static const char *const links[] = {"images", "image", "pixels", "samples", "latent", NULL};
    const SlGraphNode *at = output ? sl_graph_follow(w->g, first_link(output, links), NULL) : NULL;
    for (int hop = 0; at && at != last && hop < MAX_HOPS; hop++) {
        if (has(at, "vae"))
            take_vae(w, at);
        if (!strstr(at->type, "VAEDecode"))
            note_node(w, at);
        at = sl_graph_follow(w->g, first_link(at, links), NULL);
    }
}

static void note_count(SlImporter *im, SlNote note, int count)
{
    char text[16];
    snprintf(text, sizeof text, "%d", count);
    sl_importer_note(im, note, text);
}

bool sl_comfyui_take(SlImporter *im, SlGraph *graph)
{
    Walk w = {.im = im, .g = graph};
    const SlGraphNode *output;
    int passes_made = 0, samplers = 0;
    SlGraphNode *last = find_last(graph, &output);
    if (!last)
        return false;
    SlGraphNode *first = find_first(graph, last, &passes_made);
    for (int i = 0; i < graph->count; i++)
        samplers += is_sampler(&graph->node[i]);
    im->recipe.noise = SL_NOISE_CPU; /* always, for the start */
    sl_setting_unset(sl_setting(SL_SETTING_ETA), &im->recipe);
    take_sampler(&w, first);
    note_way_out(&w, output, last);
    if (passes_made > 1)
        note_count(im, SL_NOTE_PASSES, passes_made);
    if (samplers > passes_made)
        note_count(im, SL_NOTE_SAMPLERS, samplers);
    if (graph->budget <= 0)
        sl_importer_note(im, SL_NOTE_LARGE, NULL);
    sl_text_free(&w.layer);
    return true;
}

/* ---- where the graph is ---- */

/* "prompt" in PNG; in EXIF, "prompt:" and the graph in any text of the camera. */
static const char *find_graph(const SlPictureTexts *texts_of, const char *name)
{
    const char *text = sl_picture_texts_find(texts_of, name);
    size_t n = strlen(name);
    if (text && sl_foreign_is_json(text))
        return text;
    for (int i = 0; i < texts_of->count; i++) {
        const char *exif = texts_of->entry[i].text;
        size_t k = 0;
        if (strncmp(texts_of->entry[i].keyword, "EXIF ", 5) != 0)
            continue;
        while (k < n && sl_lower(exif[k]) == name[k])
            k++;
        if (k == n && exif[n] == ':' && sl_foreign_is_json(exif + n + 1))
            return exif + n + 1;
    }
    return text;
}

const char *sl_foreign_find_comfyui(const SlPictureTexts *texts_of)
{
    return find_graph(texts_of, "prompt");
}

bool sl_foreign_comfyui(SlImporter *im, const SlPictureTexts *texts_of, const char *text,
                        SlError *err)
{
    SlGraph graph;
    bool no_memory = false;
    (void)texts_of;
    bool ok = sl_graph_init(&graph, sl_loose_parse(text, &im->failed), &no_memory) &&
              sl_comfyui_take(im, &graph);
    sl_graph_free(&graph);
    if (no_memory)
        return sl_fail(err, SL_MEMORY, "memory ran out while reading a picture's settings");
    return ok || sl_fail(err, SL_FORMAT,
                         "the text \"prompt\" holds no ComfyUI graph with a known sampler");
}
