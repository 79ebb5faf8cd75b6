/* metadata.c - the `safelight` chunk out and in (see metadata.h). */
#include "app/recipe/metadata.h"
#include "app/image/image.h"
#include "app/recipe/infotext.h"
#include "app/recipe/recipe_text.h"
#include "app/recipe/sampler_names.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sl_metadata_set_model(SlMetadata *m, const SlModelInfo *info)
{
    snprintf(m->model, sizeof m->model, "%s", info->name);
    m->pipeline = info->pipeline;
    m->prediction = info->prediction;
    m->files = info->files;
    memcpy(m->file, info->file, sizeof m->file);
}

static bool has_adapter(const SlMetadata *m, const char *name)
{
    for (int i = 0; i < m->adapters; i++)
        if (!strcmp(m->adapter[i].name, name))
            return true;
    return false;
}

/* What came first, but memory that ran out before all. */
static void keep_first(SlError *first, const SlError *problem)
{
    if (problem->code == SL_MEMORY || first->code == SL_OK)
        *first = *problem;
}

/* A file that is gone is no problem. */
static void note_file(SlError *first, const SlError *looking, const SlError *reading)
{
    if (looking->code == SL_MEMORY)
        keep_first(first, looking);
    if (reading->code != SL_OK)
        keep_first(first, reading);
}

/* Lists that are not in order have no files. */
static void note_list(SlError *first, const SlError *problem)
{
    if (problem->code == SL_MEMORY)
        keep_first(first, problem);
}

static void find_embeddings(SlMetadata *m, SlError *first)
{
    SlEmbeddingUses uses;
    SlError list = {0};
    m->embeddings = 0;
    const char *text = m->recipe->embedding ? m->recipe->embedding : "";
    bool ok = sl_embedding_uses_parse(text, &uses, &list);
    note_list(first, &list);
    for (int i = 0; ok && first->code != SL_MEMORY && i < uses.count; i++) {
        const SlEmbeddingUse *use = &uses.use[i];
        SlMetadataEmbedding *e = &m->embedding[m->embeddings];
        const char *name = *use->word ? use->word : use->name;
        SlError looking = {0}, reading = {0};
        char *path = sl_embedding_find(use->name, use->hash, &looking);
        if (path && strlen(name) < sizeof e->name &&
            sl_hash_file(path, e->sha256, NULL, &reading)) {
            snprintf(e->name, sizeof e->name, "%.255s", name);
            m->embeddings++;
        }
        note_file(first, &looking, &reading);
        free(path);
    }
    sl_embedding_uses_free(&uses);
}

static void find_adapters(SlMetadata *m, SlError *first)
{
    SlAdapterUses uses;
    SlAdapterHashes hashes;
    SlError list = {0};
    m->adapters = 0;
    int said;
    bool ok = sl_recipe_adapters(m->recipe, &uses, &said, &list);
    note_list(first, &list);
    for (int i = 0; ok && first->code != SL_MEMORY && i < uses.count; i++) {
        const SlAdapterUse *use = &uses.use[i];
        SlMetadataAdapter *a = &m->adapter[m->adapters];
        SlError looking = {0}, reading = {0};
        char *path = sl_lora_find(use->name, use->hash, &looking);
        if (path && strlen(use->name) < sizeof a->name && !has_adapter(m, use->name) &&
            sl_lora_hashes(path, &hashes, &reading)) {
            snprintf(a->name, sizeof a->name, "%.255s", use->name);
            memcpy(a->sha256, hashes.sha256, sizeof a->sha256);
            memcpy(a->tensors_sha256, *hashes.stated ? hashes.stated : hashes.tensors,
                   sizeof a->tensors_sha256);
            m->adapters++;
        }
        note_file(first, &looking, &reading);
        free(path);
    }
    sl_adapter_uses_free(&uses);
}

bool sl_metadata_find_adapters(SlMetadata *m, SlError *err)
{
    SlError first = {0};
    find_adapters(m, &first);
    if (first.code != SL_MEMORY)
        find_embeddings(m, &first);
    return first.code == SL_OK || sl_fail(err, first.code, "%s", first.message);
}

bool sl_recipe_hash_adapters(const SlRecipe *recipe, SlError *err)
{
    SlMetadata *m = calloc(1, sizeof *m);
    if (!m)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    m->recipe = (SlRecipe *)(uintptr_t)recipe; /* only read */
    bool ok = sl_metadata_find_adapters(m, err);
    free(m);
    return ok;
}

void sl_metadata_free(SlMetadata *m)
{
    free(m->recipe);
    sl_origin_free(m->origin);
    sl_batches_free(&m->batches);
    m->origin = NULL;
    free(m->warnings);
    free(m->unknown);
    m->recipe = NULL;
    m->warnings = m->unknown = NULL;
}

/* ---- out ---- */

cJSON *sl_files_to_json(const SlModelFile *files, int count)
{
    SlJsonOut out = {0};
    cJSON *list = sl_out_array(&out, NULL, NULL);
    for (int i = 0; i < count; i++) {
        cJSON *file = sl_out_object(&out, list, NULL);
        sl_out_text(&out, file, "name", files[i].name);
        sl_out_u64(&out, file, "bytes", files[i].bytes);
        sl_out_text(&out, file, "sha256", files[i].sha256);
    }
    return sl_out_end(&out, list);
}

static void add_model(SlJsonOut *out, cJSON *root, const SlMetadata *m)
{
    cJSON *model = sl_out_object(out, root, "model");
    sl_out_text(out, model, "name", m->model);
    if (m->pipeline)
        sl_out_text(out, model, "pipeline", m->pipeline->id);
    sl_out_text(out, model, "prediction", sl_prediction_names[m->prediction]);
    sl_out_item(out, model, "files", sl_files_to_json(m->file, m->files));
}

static void add_adapters(SlJsonOut *out, cJSON *root, const SlMetadata *m)
{
    cJSON *list = sl_out_array(out, root, "adapters");
    for (int i = 0; i < m->adapters; i++) {
        cJSON *item = sl_out_object(out, list, NULL);
        sl_out_text(out, item, "name", m->adapter[i].name);
        sl_out_text(out, item, "sha256", m->adapter[i].sha256);
        sl_out_text(out, item, "tensors_sha256", m->adapter[i].tensors_sha256);
    }
}

static void add_embeddings(SlJsonOut *out, cJSON *root, const SlMetadata *m)
{
    cJSON *list = sl_out_array(out, root, "embeddings");
    for (int i = 0; i < m->embeddings; i++) {
        cJSON *item = sl_out_object(out, list, NULL);
        sl_out_text(out, item, "name", m->embedding[i].name);
        sl_out_text(out, item, "sha256", m->embedding[i].sha256);
    }
}

/* The model's, and apart from it the parts in another: those who know only the one take no more than a
 * word. */
static void add_dtype(SlJsonOut *out, cJSON *root, const SlMetadata *m)
{
    char dtype[sizeof m->dtype];
    size_t length = strcspn(m->dtype, ",");
    snprintf(dtype, sizeof dtype, "%.*s", (int)length, m->dtype);
    sl_out_text(out, root, "dtype", dtype);
    if (m->dtype[length])
        sl_out_text(out, root, "part_dtypes", m->dtype + length + 1);
}

cJSON *sl_metadata_to_object(const SlMetadata *m)
{
    char id[65];
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    sl_out_number(&out, root, "version", SL_METADATA_VERSION);
    sl_out_text(&out, root, "program", m->program);
    sl_out_item(&out, root, "recipe", sl_recipe_to_json(m->recipe));
    sl_out_text(&out, root, "id", sl_run_id(m->recipe, m->origin, id) ? id : NULL);
    if (m->origin)
        sl_out_item(&out, root, "branch", sl_origin_to_json(m->origin, m->recipe));
    add_model(&out, root, m);
    if (m->adapters)
        add_adapters(&out, root, m);
    if (m->embeddings)
        add_embeddings(&out, root, m);
    sl_out_text(&out, root, "device", m->device);
    sl_out_text(&out, root, "device_description", m->device_description);
    add_dtype(&out, root, m);
    sl_out_number(&out, root, "step", m->step);
    sl_out_number(&out, root, "steps", m->steps);
    sl_out_bool(&out, root, "partial", m->partial);
    sl_out_bool(&out, root, "given_latents", m->given_latents);
    sl_out_bool(&out, root, "given_step_noise", m->given_step_noise);
    if (m->fast)
        sl_out_bool(&out, root, "fast", true);
    if (sl_batches_any(&m->batches))
        sl_out_item(&out, root, "batches", sl_batches_to_json(&m->batches));
    cJSON *hashes = sl_out_object(&out, root, "sha256");
    sl_out_text(&out, hashes, "noise", m->noise_sha256);
    sl_out_text(&out, hashes, "latents", m->latents_sha256);
    sl_out_text(&out, hashes, "pixels", m->pixels_sha256);
    sl_out_lines(&out, root, "warnings", m->warnings);
    return sl_out_end(&out, root);
}

char *sl_metadata_to_json(const SlMetadata *m)
{
    cJSON *root = sl_metadata_to_object(m);
    char *json = root ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    return json;
}

/* The hash of the file that stands for the model: its unet's, or the only one's. */
static const char *model_hash(const SlMetadata *m)
{
    for (int i = 0; i < m->files; i++)
        if (strncmp(m->file[i].name, "unet/", 5) == 0 || strncmp(m->file[i].name, "unet=", 5) == 0)
            return m->file[i].sha256;
    return m->files > 0 ? m->file[0].sha256 : "";
}

/* "Steps: 20": nothing for what other programs have no name for, or where it is unset. */
static void add_setting(SlText *out, const SlSettingInfo *s, const SlRecipe *r)
{
    SlText value = {0};
    if (!s->infotext || (sl_setting_is_unset(s, r) && !s->of_model && s->kind != SL_KIND_SEED))
        return;
    if (s->infotext_first)
        sl_text_addf(&value, "%.0f", sl_setting_number(s, r) + s->infotext_first);
    else if (s->kind == SL_KIND_TEXT)
        sl_text_add(&value, sl_setting_text(s, r));
    else if (s->infotext_choices)
        sl_text_add(&value, s->infotext_choices[(int)sl_setting_number(s, r)]);
    else
        sl_setting_add_value(&value, s, r);
    sl_infotext_add(out, s->infotext, value.data);
    out->failed = out->failed || value.failed;
    sl_text_free(&value);
}

/* "<lora:NAME:TEXT:UNET>" behind the prompt, as AUTOMATIC1111 has it: one number for both. */
static void add_tags(SlText *prompt, const SlAdapterUses *uses)
{
    for (int i = 0; i < uses->count; i++) {
        const SlAdapterUse *u = &uses->use[i];
        sl_text_addf(prompt, "%s<lora:%s:%s", prompt->length ? " " : "", u->name,
                     sl_strength_text(u->text).text);
        if (u->unet != u->text)
            sl_text_addf(prompt, ":%s", sl_strength_text(u->unet).text);
        sl_text_add(prompt, ">");
    }
}

static void add_lora_hashes(SlText *out, const SlMetadata *m)
{
    SlText hashes = {0};
    for (int i = 0; i < m->adapters; i++)
        sl_text_addf(&hashes, "%s%s: %.12s", i ? ", " : "", m->adapter[i].name,
                     m->adapter[i].tensors_sha256);
    sl_infotext_add(out, "Lora hashes", hashes.data);
    out->failed = out->failed || hashes.failed;
    sl_text_free(&hashes);
}

/* AUTOMATIC1111 takes what would end a field or an entry out of the name. */
static void add_embedding_hashes(SlText *out, const SlMetadata *m)
{
    SlText hashes = {0};
    for (int i = 0; i < m->embeddings; i++) {
        sl_text_add(&hashes, i ? ", " : "");
        for (const char *p = m->embedding[i].name; *p; p++)
            if (*p != ':' && *p != ',')
                sl_text_append(&hashes, p, 1);
        sl_text_addf(&hashes, ": %.12s", m->embedding[i].sha256);
    }
    sl_infotext_add(out, "TI hashes", hashes.data);
    out->failed = out->failed || hashes.failed;
    sl_text_free(&hashes);
}

/* The fields in the order of the common grammar: those that it has a form of its own for are
 * written out, and whatever else the table has a name for follows. */
char *sl_metadata_to_parameters(const SlMetadata *m)
{
    const SlSettingSet written =
        SL_SETTING_BIT(SL_SETTING_STEPS) | SL_SETTING_BIT(SL_SETTING_GUIDANCE) |
        SL_SETTING_BIT(SL_SETTING_SEED) | SL_SETTING_BIT(SL_SETTING_WIDTH) |
        SL_SETTING_BIT(SL_SETTING_HEIGHT) | SL_SETTING_BIT(SL_SETTING_CLIP_SKIP);
    const SlRecipe *r = m->recipe;
    char size[32], hash[11];
    SlText out = {0}, prompt = {0};
    SlAdapterUses uses;
    SlError err = {0};
    sl_text_add(&prompt, r->prompt ? r->prompt : "");
    if (sl_adapter_uses_parse(r->lora ? r->lora : "", &uses, &err))
        add_tags(&prompt, &uses);
    prompt.failed = prompt.failed || err.code == SL_MEMORY;
    sl_adapter_uses_free(&uses);
    sl_infotext_begin(&out, prompt.data ? prompt.data : "",
                      r->negative_prompt ? r->negative_prompt : "");
    out.failed = out.failed || prompt.failed;
    sl_text_free(&prompt);
    add_setting(&out, sl_setting(SL_SETTING_STEPS), r);
    sl_infotext_add(&out, "Sampler", sl_sampler_label(r->scheduler ? r->scheduler : "model"));
    sl_infotext_add(&out, "Schedule type", sl_schedule_label(r->sigmas, r->spacing));
    add_setting(&out, sl_setting(SL_SETTING_GUIDANCE), r);
    add_setting(&out, sl_setting(SL_SETTING_SEED), r);
    snprintf(size, sizeof size, "%dx%d", r->width, r->height);
    sl_infotext_add(&out, "Size", size);
    snprintf(hash, sizeof hash, "%.10s", model_hash(m));
    sl_infotext_add(&out, "Model hash", *hash ? hash : NULL);
    sl_infotext_add(&out, "Model", m->model);
    add_setting(&out, sl_setting(SL_SETTING_CLIP_SKIP), r);
    sl_infotext_add(&out, "RNG", r->noise == SL_NOISE_CPU ? "CPU" : "NV");
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (!(written & SL_SETTING_BIT(i)))
            add_setting(&out, sl_setting(i), r);
    add_lora_hashes(&out, m);
    add_embedding_hashes(&out, m);
    sl_infotext_add(&out, "Version", m->program);
    return sl_infotext_end(&out);
}

/* What is written can be read. */
static bool check_json(const char *path, const char *json, SlError *err)
{
    SlMetadata *again = malloc(sizeof *again);
    SlError problem = {0};
    if (!again)
        return sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    bool ok = sl_metadata_from_json(path, json, again, &problem) ||
              sl_fail(err, problem.code, "%s", problem.message);
    sl_metadata_free(again);
    free(again);
    return ok;
}

typedef bool (*WritePicture)(const char *path, const uint8_t *rgb, int width, int height,
                             const SlPngText *texts, int count, SlError *err);

static bool write_to(const char *path, WritePicture write, const uint8_t *rgb, int width,
                     int height, const SlMetadata *m, SlError *err)
{
    char *parameters = sl_metadata_to_parameters(m), *json = sl_metadata_to_json(m);
    SlPngText texts[] = {
        {"parameters", parameters, false},
        {SL_METADATA_KEYWORD, json, true},
    };
    bool ok = (parameters && json) || sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    ok = ok && check_json(path, json, err) && write(path, rgb, width, height, texts, 2, err);
    free(parameters);
    free(json);
    return ok;
}

bool sl_metadata_write(const char *path, const uint8_t *rgb, int width, int height,
                       const SlMetadata *m, SlError *err)
{
    return write_to(path, sl_png_write, rgb, width, height, m, err);
}

bool sl_metadata_write_new(const char *path, const uint8_t *rgb, int width, int height,
                           const SlMetadata *m, SlError *err)
{
    return write_to(path, sl_png_write_new, rgb, width, height, m, err);
}

/* ---- in ---- */

typedef struct In {
    const char *name; /* of the file */
    const cJSON *root;
    SlError *err;
    bool ok;
} In;

static void wrong(In *in, const char *key, const char *expected)
{
    if (in->ok)
        sl_fail(in->err, SL_FORMAT, "%s: the text \"%s\" has no good \"%s\"; expected %s", in->name,
                SL_METADATA_KEYWORD, key, expected);
    in->ok = false;
}

static void read_string(In *in, const cJSON *object, const char *key, char *out, size_t size)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    if (!text || strlen(text) >= size)
        wrong(in, key, sl_words("a short text"));
    else
        memcpy(out, text, strlen(text) + 1);
}

static int read_number(In *in, const char *key, int min, int max)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in->root, key);
    if (cJSON_IsNumber(item) && item->valuedouble >= min && item->valuedouble <= max &&
        item->valuedouble == (int)item->valuedouble)
        return (int)item->valuedouble;
    wrong(in, key, sl_words("a whole number"));
    return min;
}

static bool read_flag(In *in, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in->root, key);
    if (!cJSON_IsBool(item))
        wrong(in, key, sl_words("true or false"));
    return cJSON_IsTrue(item);
}

static int read_name(In *in, const cJSON *object, const char *key, const char *const *names)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    for (int i = 0; text && names[i]; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    wrong(in, key, sl_words("a known name"));
    return 0;
}

static const SlPipelineInfo *read_pipeline(In *in, const cJSON *model)
{
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(model, "pipeline"));
    const SlPipelineInfo *pipeline = id ? sl_pipeline_find(id) : NULL;
    if (!pipeline)
        wrong(in, "pipeline", sl_words("a known name"));
    return pipeline;
}

/* 64 lower-case hexadecimal digits, or "" where a hash was not taken. */
static void read_hash(In *in, const cJSON *object, const char *key, char out[65])
{
    read_string(in, object, key, out, 65);
    size_t n = strspn(out, "0123456789abcdef");
    if (in->ok && (out[n] || (n != 64 && n != 0)))
        wrong(in, key, sl_words("64 hexadecimal digits"));
}

static void read_model(In *in, SlMetadata *m)
{
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(in->root, "model"), *item;
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(model, "files");
    read_string(in, model, "name", m->model, sizeof m->model);
    m->pipeline = read_pipeline(in, model);
    m->prediction = (SlPrediction)read_name(in, model, "prediction", sl_prediction_names);
    if (!cJSON_IsArray(files) || cJSON_GetArraySize(files) > SL_MODEL_MAX_FILES) {
        wrong(in, "files", sl_words("a list of at most 64 files"));
        return;
    }
    cJSON_ArrayForEach(item, files)
    {
        SlModelFile *file = &m->file[m->files++];
        read_string(in, item, "name", file->name, sizeof file->name);
        read_hash(in, item, "sha256", file->sha256);
        if (!sl_json_to_u64(cJSON_GetObjectItemCaseSensitive(item, "bytes"), &file->bytes))
            wrong(in, "bytes", sl_words("a whole number"));
    }
}

static void read_adapters(In *in, SlMetadata *m)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(in->root, "adapters"), *item;
    if (list && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > SL_ADAPTERS_MAX)) {
        wrong(in, "adapters", sl_words("a list of at most 16 adapters"));
        return;
    }
    cJSON_ArrayForEach(item, list)
    {
        SlMetadataAdapter *a = &m->adapter[m->adapters++];
        read_string(in, item, "name", a->name, sizeof a->name);
        read_hash(in, item, "sha256", a->sha256);
        read_hash(in, item, "tensors_sha256", a->tensors_sha256);
    }
}

static void read_embeddings(In *in, SlMetadata *m)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(in->root, "embeddings"), *item;
    if (list && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > SL_EMBEDDINGS_MAX)) {
        wrong(in, "embeddings", sl_words("a list of at most 32 embeddings"));
        return;
    }
    cJSON_ArrayForEach(item, list)
    {
        SlMetadataEmbedding *e = &m->embedding[m->embeddings++];
        read_string(in, item, "name", e->name, sizeof e->name);
        read_hash(in, item, "sha256", e->sha256);
    }
}

static void read_recipe(In *in, SlMetadata *m, SlText *unknown)
{
    SlRecipe recipe;
    SlError problem = {0};
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(in->root, "recipe");
    if (sl_recipe_from_file(object, &recipe, unknown, &problem) &&
        !(m->recipe = sl_recipe_copy(&recipe)))
        sl_fail(&problem, SL_MEMORY, "memory ran out while its recipe was read");
    if (!m->recipe && in->ok)
        sl_fail(in->err, problem.code == SL_MEMORY ? SL_MEMORY : SL_FORMAT, "%s: %s", in->name,
                problem.message);
    in->ok = in->ok && m->recipe;
}

static void read_origin(In *in, SlMetadata *m)
{
    const cJSON *branch = cJSON_GetObjectItemCaseSensitive(in->root, "branch");
    SlError problem = {0};
    if (!branch || (m->origin = sl_origin_from_json(branch, &problem)))
        return;
    if (in->ok)
        sl_fail(in->err, SL_FORMAT, "%s: %s", in->name, problem.message);
    in->ok = false;
}

static void read_batches(In *in, SlMetadata *m)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(in->root, "batches");
    SlError problem = {0};
    if (!list || sl_batches_from_json(list, &m->batches, &problem))
        return;
    if (in->ok)
        sl_fail(in->err, problem.code, "%s: the text \"%s\" has %s", in->name, SL_METADATA_KEYWORD,
                problem.message);
    in->ok = false;
}

/* NULL where there is none; half of one is none of it. */
static void take_text(In *in, SlText *text, char **to)
{
    if (text->failed && in->ok)
        in->ok = sl_fail(in->err, SL_MEMORY, "%s: memory ran out", in->name);
    *to = text->length ? sl_text_take(text) : NULL;
    sl_text_free(text);
}

static void read_warnings(In *in, SlMetadata *m)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(in->root, "warnings"), *item;
    SlText text = {0};
    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_IsString(item))
            sl_text_addf(&text, "%s%s", text.length ? "\n" : "", item->valuestring);
        else
            wrong(in, "warnings", sl_words("a list of texts"));
    }
    take_text(in, &text, &m->warnings);
}

static void list_unknown(const cJSON *root, SlText *unknown)
{
    static const char *const known[] = {
        "version",       "program",
        "recipe",        "id",
        "branch",        "model",
        "adapters",      "embeddings",
        "device",        "device_description",
        "dtype",         "part_dtypes",
        "step",          "steps",
        "partial",       "sha256",
        "given_latents", "given_step_noise",
        "fast",          "batches",
        "warnings",
    };
    const cJSON *item;
    cJSON_ArrayForEach(item, root)
    {
        size_t i = 0;
        while (i < sizeof known / sizeof known[0] && strcmp(item->string, known[i]) != 0)
            i++;
        if (i == sizeof known / sizeof known[0])
            sl_text_addf(unknown, "%s%s", unknown->length ? ", " : "", item->string);
    }
}

#define DTYPE_ROOM 8 /* of the model's own */

/* Earlier builds said no more than "q8", and computed in f16 beside 8 bits on cuda, else in f32, but for
 * builds of one day that had bf16 where the processor has a matrix unit: the device's description says so.
 * As input of a person "q8" is what this machine usually computes in, which a file does not mean. */
static void spell_q8(SlMetadata *m)
{
    SlDtype beside = SL_F32;
    if (!strcmp(m->device, "cuda"))
        beside = SL_F16;
    else if (strstr(m->device_description, "bf16, weights in 8 bits"))
        beside = SL_BF16;
    if (!strcmp(m->dtype, "q8"))
        snprintf(m->dtype, DTYPE_ROOM, "%s", sl_q8_name(beside));
}

/* The device and its description were read before. */
static void read_dtype(In *in, SlMetadata *m)
{
    char parts[sizeof m->dtype - DTYPE_ROOM];
    read_string(in, in->root, "dtype", m->dtype, DTYPE_ROOM);
    spell_q8(m);
    if (!in->ok || !cJSON_HasObjectItem(in->root, "part_dtypes"))
        return;
    read_string(in, in->root, "part_dtypes", parts, sizeof parts);
    size_t length = strlen(m->dtype);
    snprintf(m->dtype + length, sizeof m->dtype - length, ",%s", parts);
    SlError problem = {0};
    if (in->ok && !sl_dtype_check(m->dtype, &problem))
        wrong(in, "part_dtypes", sl_words("parts and the types that they compute in, as vae=f32"));
}

static void read_all(In *in, SlMetadata *m)
{
    SlText unknown = {0};
    const cJSON *hashes = cJSON_GetObjectItemCaseSensitive(in->root, "sha256");
    m->version = read_number(in, "version", 1, 1000000);
    read_string(in, in->root, "program", m->program, sizeof m->program);
    read_recipe(in, m, &unknown);
    read_origin(in, m);
    read_model(in, m);
    read_adapters(in, m);
    read_embeddings(in, m);
    read_string(in, in->root, "device", m->device, sizeof m->device);
    read_string(in, in->root, "device_description", m->device_description,
                sizeof m->device_description);
    read_dtype(in, m);
    m->steps = read_number(in, "steps", 1, 1000);
    m->step = read_number(in, "step", 0, m->steps);
    m->partial = read_flag(in, "partial");
    m->given_latents = read_flag(in, "given_latents");
    m->given_step_noise = read_flag(in, "given_step_noise");
    m->fast = cJSON_HasObjectItem(in->root, "fast") && read_flag(in, "fast");
    read_batches(in, m);
    read_hash(in, hashes, "noise", m->noise_sha256);
    read_hash(in, hashes, "latents", m->latents_sha256);
    read_hash(in, hashes, "pixels", m->pixels_sha256);
    read_warnings(in, m);
    list_unknown(in->root, &unknown);
    take_text(in, &unknown, &m->unknown);
}

bool sl_metadata_from_json(const char *name, const char *json, SlMetadata *m, SlError *err)
{
    memset(m, 0, sizeof *m);
    SlJson *parsed = sl_json_parse_bounded(name, json, strlen(json), SL_METADATA_MAX_VALUES, err);
    if (!parsed)
        return false;
    if (cJSON_HasObjectItem(sl_json_root(parsed), "lanes")) {
        sl_json_close(parsed);
        return sl_fail(err, SL_FORMAT, "%s: it shows several lanes, not one picture", name);
    }
    In in = {.name = name, .root = sl_json_root(parsed), .err = err, .ok = true};
    read_all(&in, m);
    sl_json_close(parsed);
    return in.ok;
}

bool sl_metadata_repeatable(const SlMetadata *metadata, const char *name, SlError *err)
{
    if (!metadata->given_latents && !metadata->given_step_noise)
        return true;
    return sl_fail(err, SL_UNSUPPORTED,
                   "%s: its noise came from a file (--latents, --step-noise), not from its seed, "
                   "so it cannot be computed again from what it says",
                   name);
}

bool sl_metadata_read(const char *path, SlMetadata *m, SlError *err)
{
    SlPictureTexts texts;
    memset(m, 0, sizeof *m);
    bool ok = sl_png_texts_read(path, &texts, err);
    const char *json = ok ? sl_picture_texts_find(&texts, SL_METADATA_KEYWORD) : NULL;
    if (json)
        ok = sl_metadata_from_json(path, json, m, err);
    else if (ok)
        ok =
            sl_fail(err, SL_FORMAT, "%s: this PNG was not made by Safelight: it has no \"%s\" text",
                    path, SL_METADATA_KEYWORD);
    sl_picture_texts_free(&texts);
    return ok;
}
