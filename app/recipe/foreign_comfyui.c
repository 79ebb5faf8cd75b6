/* foreign_comfyui.c - settings out of ComfyUI's graph (see foreign.h).
 *
 * The graph is {node id: {class_type, inputs}}; an input is a value or a link [node id, slot]. We
 * start at the sampler and follow its links. Easy to get wrong: links may form a cycle in a
 * damaged file (the number of hops is limited), and nodes that nobody knows may stand between the
 * sampler and the text.
 */
#include "app/recipe/foreign.h"
#include "app/recipe/foreign_json.h"

#include <stdio.h>
#include <string.h>

#define MAX_HOPS 32

static const char *class_of(const cJSON *node)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(node, "class_type"));
    return name ? name : "";
}

static const cJSON *input(const cJSON *node, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(node, "inputs"), name);
}

/* The node behind a link, NULL when the input is a plain value or leads nowhere. */
static const cJSON *follow(const cJSON *graph, const cJSON *node, const char *name)
{
    const cJSON *link = input(node, name), *id = cJSON_GetArrayItem(link, 0);
    SlScratch scratch;
    const char *key = cJSON_IsArray(link) ? sl_foreign_text(id, &scratch) : NULL;
    return key ? cJSON_GetObjectItemCaseSensitive(graph, key) : NULL;
}

/* The value of an input, through a node that only holds a value if need be. */
static const char *value_of(const cJSON *graph, const cJSON *node, const char *name,
                            SlScratch *scratch)
{
    static const char *const places[] = {"value", "text", "string", "seed", "int", "float", NULL};
    const char *value = sl_foreign_text(input(node, name), scratch);
    const cJSON *source = value ? NULL : follow(graph, node, name);
    for (int i = 0; source && !value && places[i]; i++)
        value = sl_foreign_text(input(source, places[i]), scratch);
    return value;
}

static bool is_sampler(const cJSON *node)
{
    static const char *const names[] = {"KSampler", "KSamplerAdvanced", "SamplerCustom",
                                        "SamplerCustomAdvanced"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(class_of(node), names[i]) == 0)
            return true;
    return false;
}

/* ---- along the links ---- */

static void take_prompt(SlImporter *im, const cJSON *graph, const cJSON *node, const char *link,
                        SlSetting setting)
{
    static const char *const onward[] = {"conditioning", "conditioning_1", "positive", NULL};
    const cJSON *at = follow(graph, node, link);
    for (int hop = 0; at && hop < MAX_HOPS; hop++) {
        SlScratch scratch;
        const char *text = value_of(graph, at, "text", &scratch);
        if (!text)
            text = value_of(graph, at, "text_g", &scratch);
        if (text) {
            sl_importer_take(im, setting, text);
            return;
        }
        if (strcmp(class_of(at), "ConditioningZeroOut") == 0)
            break;
        sl_importer_note(im, "the node %.60s has no counterpart here", class_of(at));
        const cJSON *next = NULL;
        for (int i = 0; !next && onward[i]; i++)
            next = follow(graph, at, onward[i]);
        at = next;
    }
    if (setting == SL_SETTING_PROMPT)
        sl_importer_note(im, "the prompt was not found in the graph");
}

static void take_model(SlImporter *im, const cJSON *graph, const cJSON *node)
{
    const cJSON *at = follow(graph, node, "model");
    for (int hop = 0; at && hop < MAX_HOPS; hop++) {
        SlScratch scratch;
        const char *name = sl_foreign_member(cJSON_GetObjectItemCaseSensitive(at, "inputs"),
                                             "ckpt_name", &scratch);
        if (name) {
            sl_importer_take_model(im, name, NULL);
            return;
        }
        if (!strstr(class_of(at), "Loader") || follow(graph, at, "model"))
            sl_importer_note(im, "the node %.60s has no counterpart here", class_of(at));
        at = follow(graph, at, "model");
    }
}

static void take_size(SlImporter *im, const cJSON *graph, const cJSON *node)
{
    SlScratch width, height;
    const cJSON *latent = follow(graph, node, "latent_image");
    const char *w = latent ? value_of(graph, latent, "width", &width) : NULL;
    const char *h = latent ? value_of(graph, latent, "height", &height) : NULL;
    if (w && h) {
        sl_importer_take(im, SL_SETTING_WIDTH, w);
        sl_importer_take(im, SL_SETTING_HEIGHT, h);
    } else {
        sl_importer_note(im, "the picture did not start from noise alone; this cannot be repeated");
    }
}

/* ---- the sampler and, for the custom ones, the nodes around it ---- */

static const cJSON *or_else(const cJSON *a, const cJSON *b)
{
    return a ? a : b;
}

static void take_sampler(SlImporter *im, const cJSON *graph, const cJSON *node)
{
    SlScratch a, b;
    const cJSON *solver = or_else(follow(graph, node, "sampler"), node);
    const cJSON *schedule = or_else(follow(graph, node, "sigmas"), node);
    const cJSON *noise = or_else(follow(graph, node, "noise"), node);
    const cJSON *guider = or_else(follow(graph, node, "guider"), node);
    const char *seed = value_of(graph, noise, "seed", &a);

    sl_importer_take(im, SL_SETTING_SEED, seed ? seed : value_of(graph, noise, "noise_seed", &a));
    sl_importer_take(im, SL_SETTING_STEPS, value_of(graph, schedule, "steps", &a));
    sl_importer_take(im, SL_SETTING_GUIDANCE, value_of(graph, guider, "cfg", &a));
    sl_importer_take_sampler(im, value_of(graph, solver, "sampler_name", &a),
                             value_of(graph, schedule, "scheduler", &b));
    take_prompt(im, graph, guider, input(guider, "positive") ? "positive" : "conditioning",
                SL_SETTING_PROMPT);
    take_prompt(im, graph, guider, "negative", SL_SETTING_NEGATIVE_PROMPT);
    take_model(im, graph, or_else(input(guider, "model") ? guider : NULL, node));
    take_size(im, graph, node);

    const char *denoise = value_of(graph, schedule, "denoise", &a);
    double share;
    if (denoise && sl_parse_double(denoise, &share) && share != 1)
        sl_importer_note(im, "denoise %s was not taken over", denoise);
}

bool sl_foreign_comfyui(SlImporter *im, const char *json, SlError *err)
{
    cJSON *graph = sl_foreign_parse(json);
    const cJSON *node, *sampler = NULL;
    int samplers = 0;
    if (cJSON_IsObject(graph)) {
        cJSON_ArrayForEach(node, graph)
        {
            if (is_sampler(node) && samplers++ == 0)
                sampler = node;
        }
    }
    if (sampler) {
        im->source = "ComfyUI";
        im->recipe.noise = SL_NOISE_CPU; /* always, for the start */
        take_sampler(im, graph, sampler);
        if (samplers > 1)
            sl_importer_note(im, "the graph has %d samplers; the first was taken", samplers);
    } else {
        sl_fail(err, SL_FORMAT, "the text \"prompt\" holds no ComfyUI graph with a known sampler");
    }
    cJSON_Delete(graph);
    return sampler != NULL;
}
