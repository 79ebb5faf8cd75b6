/* workflow.c - ComfyUI's `workflow`, the drawing of a graph, as LiteGraph keeps it (see readers.h).
 *
 * It is turned into the graph that would be run, {id: {class_type, inputs}}, and read like that one.
 * A node has its values in a row ("widgets_values") whose names are not beside them: they are known
 * for ComfyUI's own nodes, and in newer files the node's inputs name them. Easy to get wrong: behind
 * a seed stands what happens to it after a run ("fixed", "randomize"), which is no input. A node that
 * is switched off (mode 2) is left out, one that is passed by (mode 4) hands on what it gets.
 */
#include "app/recipe/foreign/comfyui.h"
#include "app/recipe/foreign/readers.h"

#include <stdlib.h>
#include <string.h>

#define MAX_NODES 5000

/* The values of ComfyUI's own nodes in their order. */
static const struct {
    const char *type;
    const char *names[12];
} widgets[] = {
    {"KSampler", {"seed", "steps", "cfg", "sampler_name", "scheduler", "denoise"}},
    {"KSamplerAdvanced",
     {"add_noise", "noise_seed", "steps", "cfg", "sampler_name", "scheduler", "start_at_step",
      "end_at_step", "return_with_leftover_noise"}},
    {"SamplerCustom", {"add_noise", "noise_seed", "cfg"}},
    {"KSamplerSelect", {"sampler_name"}},
    {"BasicScheduler", {"scheduler", "steps", "denoise"}},
    {"KarrasScheduler", {"steps", "sigma_max", "sigma_min", "rho"}},
    {"ExponentialScheduler", {"steps", "sigma_max", "sigma_min"}},
    {"RandomNoise", {"noise_seed"}},
    {"CFGGuider", {"cfg"}},
    {"CLIPTextEncode", {"text"}},
    {"CLIPSetLastLayer", {"stop_at_clip_layer"}},
    {"CheckpointLoaderSimple", {"ckpt_name"}},
    {"CheckpointLoader", {"config_name", "ckpt_name"}},
    {"UNETLoader", {"unet_name", "weight_dtype"}},
    {"CLIPLoader", {"clip_name", "type"}},
    {"DualCLIPLoader", {"clip_name1", "clip_name2", "type"}},
    {"VAELoader", {"vae_name"}},
    {"LoraLoader", {"lora_name", "strength_model", "strength_clip"}},
    {"LoraLoaderModelOnly", {"lora_name", "strength_model"}},
    {"EmptyLatentImage", {"width", "height", "batch_size"}},
    {"EmptySD3LatentImage", {"width", "height", "batch_size"}},
    {"LatentUpscale", {"upscale_method", "width", "height", "crop"}},
    {"LatentUpscaleBy", {"upscale_method", "scale_by"}},
    {"RepeatLatentBatch", {"amount"}},
    {"LoadImage", {"image", "upload"}},
    {"SaveImage", {"filename_prefix"}},
    {"PrimitiveNode", {"value"}},
    {"PrimitiveString", {"value"}},
    {"PrimitiveStringMultiline", {"value"}},
    {"PrimitiveInt", {"value"}},
    {"PrimitiveFloat", {"value"}},
    {"StringConcatenate", {"string_a", "string_b", "delimiter"}},
};

/* A link by its number: which node and slot it comes from. */
typedef struct Link {
    double id;
    const cJSON *node, *slot;
} Link;

typedef struct Drawing {
    const cJSON *nodes; /* the array */
    Link *link;
    int links;
    SlJsonOut out;
    cJSON *graph;
    bool subgraphs;
} Drawing;

/* ---- links ---- */

static int compare(const void *a, const void *b)
{
    const Link *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* [id, node, slot, ...] or {"id", "origin_id", "origin_slot", ...}. */
static bool read_link(const cJSON *item, Link *link)
{
    const cJSON *id =
        cJSON_IsArray(item) ? item->child : cJSON_GetObjectItemCaseSensitive(item, "id");
    if (!cJSON_IsNumber(id))
        return false;
    link->id = id->valuedouble;
    link->node =
        cJSON_IsArray(item) ? id->next : cJSON_GetObjectItemCaseSensitive(item, "origin_id");
    link->slot = cJSON_IsArray(item) ? (link->node ? link->node->next : NULL)
                                     : cJSON_GetObjectItemCaseSensitive(item, "origin_slot");
    return link->node && link->slot;
}

static bool read_links(Drawing *d, const cJSON *list)
{
    const cJSON *item;
    int n = cJSON_GetArraySize(list);
    d->link = calloc((size_t)n + 1, sizeof *d->link);
    if (!d->link)
        return false;
    cJSON_ArrayForEach(item, list) d->links += read_link(item, &d->link[d->links]);
    qsort(d->link, (size_t)d->links, sizeof *d->link, compare);
    return true;
}

static const Link *find_link(const Drawing *d, const cJSON *number)
{
    const Link wanted = {.id = cJSON_IsNumber(number) ? number->valuedouble : -1};
    return cJSON_IsNumber(number)
               ? bsearch(&wanted, d->link, (size_t)d->links, sizeof *d->link, compare)
               : NULL;
}

/* ---- nodes ---- */

static void add_link(Drawing *d, cJSON *inputs, const char *name, const cJSON *node, double slot)
{
    SlScratch scratch;
    const char *id = sl_loose_text(node, &scratch);
    if (!id)
        return;
    cJSON *link = sl_out_array(&d->out, inputs, name);
    sl_out_text(&d->out, link, NULL, id);
    sl_out_number(&d->out, link, NULL, slot);
}

static void add_value(Drawing *d, cJSON *inputs, const char *name, const cJSON *value)
{
    if (!inputs || cJSON_GetObjectItemCaseSensitive(inputs, name))
        return; /* a link goes before */
    if (cJSON_IsString(value))
        sl_out_text(&d->out, inputs, name, value->valuestring);
    else if (cJSON_IsNumber(value))
        sl_out_number(&d->out, inputs, name, value->valuedouble);
    else if (cJSON_IsBool(value))
        sl_out_bool(&d->out, inputs, name, cJSON_IsTrue(value));
}

static void add_links(Drawing *d, const cJSON *node, cJSON *inputs)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(node, "inputs"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name"));
        const Link *link = find_link(d, cJSON_GetObjectItemCaseSensitive(item, "link"));
        if (link)
            add_link(d, inputs, name ? name : "", link->node,
                     cJSON_IsNumber(link->slot) ? link->slot->valuedouble : 0);
    }
}

/* What happens to a seed after a run, which stands behind it. */
static bool is_control(const cJSON *value)
{
    static const char *const controls[] = {"fixed", "increment", "decrement", "randomize",
                                           "increment-wrap"};
    const char *text = cJSON_GetStringValue(value);
    for (size_t i = 0; text && i < sizeof controls / sizeof controls[0]; i++)
        if (strcmp(text, controls[i]) == 0)
            return true;
    return false;
}

static const cJSON *behind(const cJSON *value)
{
    value = value ? value->next : NULL;
    return is_control(value) ? value->next : value;
}

static const char *const *names_of(const char *type)
{
    for (size_t i = 0; i < sizeof widgets / sizeof widgets[0]; i++)
        if (strcmp(widgets[i].type, type) == 0)
            return widgets[i].names;
    return NULL;
}

static void add_row(Drawing *d, const cJSON *node, const char *type, const cJSON *value,
                    cJSON *inputs)
{
    const char *const *names = names_of(type);
    const cJSON *item;
    for (; names && *names && value; names++, value = behind(value))
        add_value(d, inputs, *names, value);
    if (names)
        return;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(node, "inputs"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name"));
        if (!value || !cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(item, "widget")))
            continue;
        if (name)
            add_value(d, inputs, name, value);
        value = behind(value);
        names = names_of("KSampler"); /* some were named */
    }
    if (!names && cJSON_IsString(value))
        add_value(d, inputs, "text", value);
    else if (!names)
        add_value(d, inputs, "value", value);
}

static void add_values(Drawing *d, const cJSON *node, const char *type, cJSON *inputs)
{
    const cJSON *row = cJSON_GetObjectItemCaseSensitive(node, "widgets_values"), *item;
    if (cJSON_IsArray(row))
        add_row(d, node, type, row->child, inputs);
    else
        cJSON_ArrayForEach(item, row) if (item->string) add_value(d, inputs, item->string, item);
}

static const char *first_value(const cJSON *node)
{
    const cJSON *row = cJSON_GetObjectItemCaseSensitive(node, "widgets_values");
    return cJSON_IsArray(row) ? cJSON_GetStringValue(row->child) : NULL;
}

/* A GetNode has what the SetNode of the same name gets. */
static void add_set_node(Drawing *d, const cJSON *node, cJSON *inputs)
{
    const char *name = first_value(node);
    const cJSON *other;
    cJSON_ArrayForEach(other, d->nodes)
    {
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(other, "type"));
        const char *set = type && strcmp(type, "SetNode") == 0 ? first_value(other) : NULL;
        if (name && set && strcmp(name, set) == 0) {
            add_link(d, inputs, "value", cJSON_GetObjectItemCaseSensitive(other, "id"), 0);
            return;
        }
    }
}

/* Subgraphs are named by a UUID. */
static bool is_subgraph(const char *type)
{
    return strlen(type) == 36 && type[8] == '-' && type[13] == '-' && type[18] == '-';
}

static void add_node(Drawing *d, const cJSON *node)
{
    SlScratch scratch;
    const char *id = sl_loose_member(node, "id", &scratch);
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(node, "type"));
    const cJSON *mode = cJSON_GetObjectItemCaseSensitive(node, "mode");
    bool off = cJSON_IsNumber(mode) && mode->valuedouble == 2;
    bool bypassed = cJSON_IsNumber(mode) && mode->valuedouble == 4;
    if (!id || !type || off)
        return;
    cJSON *to = sl_out_object(&d->out, d->graph, id);
    sl_out_text(&d->out, to, "class_type", type);
    if (bypassed)
        sl_out_bool(&d->out, to, "bypassed", true);
    cJSON *inputs = sl_out_object(&d->out, to, "inputs");
    add_links(d, node, inputs);
    if (strcmp(type, "GetNode") == 0)
        add_set_node(d, node, inputs);
    else if (!bypassed)
        add_values(d, node, type, inputs);
    d->subgraphs |= is_subgraph(type);
}

/* The graph as it would be run; NULL when it is none, or (failed) without memory. */
static cJSON *draw(const cJSON *root, Drawing *d)
{
    const cJSON *node;
    int n = 0;
    d->nodes = cJSON_GetObjectItemCaseSensitive(root, "nodes");
    if (!cJSON_IsArray(d->nodes))
        return NULL;
    d->graph = sl_out_object(&d->out, NULL, NULL);
    d->out.failed |= !read_links(d, cJSON_GetObjectItemCaseSensitive(root, "links"));
    cJSON_ArrayForEach(node, d->nodes)
    {
        if (n++ < MAX_NODES)
            add_node(d, node);
    }
    free(d->link);
    return sl_out_end(&d->out, d->graph);
}

const char *sl_foreign_find_workflow(const SlPictureTexts *texts)
{
    const char *text = sl_picture_texts_find(texts, "workflow");
    for (int i = 0; !text && i < texts->count; i++) {
        const char *exif = texts->entry[i].text;
        if (strncmp(texts->entry[i].keyword, "EXIF ", 5) == 0 &&
            (strncmp(exif, "workflow:", 9) == 0 || strncmp(exif, "Workflow:", 9) == 0))
            text = exif + 9;
    }
    return text;
}

bool sl_foreign_workflow(SlImporter *im, const SlPictureTexts *texts, const char *text,
                         SlError *err)
{
    Drawing d = {0};
    SlGraph graph = {0};
    cJSON *root = sl_loose_parse(text, &im->failed), *drawn = root ? draw(root, &d) : NULL;
    bool no_memory = d.out.failed;
    (void)texts;
    if (cJSON_GetArraySize(d.nodes) > MAX_NODES)
        sl_importer_note(im, SL_NOTE_LARGE, NULL);
    cJSON_Delete(root);
    bool ok = drawn && sl_graph_init(&graph, drawn, &no_memory) && sl_comfyui_take(im, &graph);
    sl_graph_free(&graph);
    if (no_memory)
        return sl_fail(err, SL_MEMORY, "memory ran out while reading a picture's settings");
    if (ok)
        sl_importer_note(im, SL_NOTE_WORKFLOW, NULL);
    if (ok && d.subgraphs)
        sl_importer_note(im, SL_NOTE_SUBGRAPH, NULL);
    return ok || sl_fail(err, SL_FORMAT,
                         "the text \"workflow\" holds no ComfyUI graph with a known sampler");
}
