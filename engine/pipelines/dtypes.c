/* dtypes.c - in which types a model and its parts compute: what a text like "bf16,vae=f32" says, what
 * each part's class does by itself, and what "auto" is.
 *
 * Easy to get wrong: a part that has another type keeps it where the model's own rule would change it,
 * and the text that is recorded names only what differs from the rule, so that it stays "f32" or "bf16"
 * for most models and gives the same types again.
 */
#include "engine/pipelines/pipelines.h"

#include <stdio.h>
#include <string.h>

/* ---- texts ---- */

static bool fail_type(const char *name, size_t length, bool part, SlError *err)
{
    return sl_fail(err, SL_ARGUMENT, "the data type is \"%.*s\"; expected auto, f32, bf16%s",
                   length < 100 ? (int)length : 100, name,
                   part ? sl_words(" or f16") : sl_words(", f16, q8, q8/f32, q8/bf16 or q8/f16"));
}

/* One of length bytes. "auto" and "q8" set `automatic` and no dtype. */
static bool read_type(const char *name, size_t length, bool part, SlDtypes *types, SlError *err)
{
    static const struct {
        const char *name;
        SlDtype dtype;
        bool automatic, q8;
    } known[] = {{"f32", SL_F32, false, false},     {"f16", SL_F16, false, false},
                 {"bf16", SL_BF16, false, false},   {"auto", SL_F32, true, false},
                 {"q8", SL_F32, true, true},        {"q8/f32", SL_F32, false, true},
                 {"q8/bf16", SL_BF16, false, true}, {"q8/f16", SL_F16, false, true}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == length && !memcmp(known[i].name, name, length) &&
            !(part && known[i].q8)) {
            *types = (SlDtypes){known[i].dtype, known[i].automatic, known[i].q8, ""};
            return true;
        }
    return fail_type(name, length, part, err);
}

/* "vae=f32", of length bytes: where the type begins, 0 where there is none. */
static size_t type_at(const char *entry, size_t length)
{
    const char *equals = memchr(entry, '=', length);
    return equals && equals > entry ? (size_t)(equals - entry) + 1 : 0;
}

static bool fail_part(const char *entry, size_t length, const char *part, SlError *err)
{
    return sl_fail(err, SL_ARGUMENT,
                   "\"%.*s\" is not a part of this model with the type that it computes in; "
                   "expected something like %s=f32",
                   length < 100 ? (int)length : 100, entry, part);
}

/* The next of `at`, which goes behind it; its length. */
static const char *next_entry(const char **at, size_t *length)
{
    const char *entry = *at;
    *length = strcspn(entry, ",");
    *at = entry + *length + (entry[*length] == ',');
    return entry;
}

bool sl_dtypes_read(const char *text, SlDtypes *types, SlError *err)
{
    const char *at = text ? text : "auto";
    size_t length;
    const char *entry = next_entry(&at, &length);
    if (!read_type(entry, length, false, types, err))
        return false;
    types->parts = at;
    while (entry[length]) { /* a comma: another one follows */
        SlDtypes part;
        entry = next_entry(&at, &length);
        size_t type = type_at(entry, length);
        if (!type)
            return fail_part(entry, length, "vae", err);
        if (!read_type(entry + type, length - type, true, &part, err))
            return false;
    }
    return true;
}

bool sl_dtype_check(const char *text, SlError *err)
{
    SlDtypes types;
    return sl_dtypes_read(text, &types, err);
}

/* ---- the device ---- */

SlDevice *sl_dtypes_open_device(const SlModelOptions *options, SlDtypes *types, SlError *err)
{
    SlDtypes usual;
    if (!sl_dtypes_read(options->dtype, types, err) ||
        !sl_dtypes_read(options->auto_dtype ? options->auto_dtype : "f32", &usual, err))
        return NULL;
    const SlDeviceOptions device = {
        .name = options->device ? options->device : "auto",
        .threads = options->threads,
        .dtype = types->dtype,
        .any_dtype = types->automatic,
        .cpu_dtype = types->automatic ? usual.dtype : SL_F32,
        .q8 = types->q8,
    };
    return sl_device_open(&device, err);
}

/* ---- parts ---- */

/* What its configuration says of "force_upcast". One that cannot be read is refused where the part
 * is built. */
static bool forces_upcast(const SlModelInfo *info, const SlPartClass *part)
{
    SlError ignored = {0};
    SlJson *config = sl_model_config(info, part->name, &ignored);
    bool upcast = config && sl_json_bool(config, "force_upcast", true, &ignored);
    sl_json_close(config);
    return upcast;
}

SlDtype sl_part_own_dtype(const SlModel *model, const SlPartClass *part)
{
    bool f32 = part->compute == SL_COMPUTE_F32 ||
               (part->compute == SL_COMPUTE_UPCAST && model->dev->dtype == SL_F16 &&
                forces_upcast(&model->info, part));
    return f32 ? SL_F32 : model->dev->dtype;
}

/* What decodes stays as it is: it is small, and its rounding would be seen. */
bool sl_part_own_q8(const SlModel *model, const SlPartClass *part)
{
    return model->dev->q8 && !(part->use & SL_USE_DECODE);
}

static void set_dtype(SlModel *model, SlPart *part, const SlDtypes *types)
{
    part->q8 = types->automatic && sl_part_own_q8(model, part->kind);
    part->dtype = types->automatic ? sl_part_own_dtype(model, part->kind) : types->dtype;
}

/* What a stage's parts are called together; 0: no stage. */
static unsigned stage_of(const char *name, size_t length)
{
    static const struct {
        const char *name;
        SlPartUse use;
    } stages[] = {{"text", SL_USE_ENCODE}, {"step", SL_USE_DENOISE}, {"decode", SL_USE_DECODE}};
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (strlen(stages[i].name) == length && !memcmp(stages[i].name, name, length))
            return stages[i].use;
    return 0;
}

/* A stage that the model has no part for says nothing; a part that it has not is refused. */
static bool set_entry(SlModel *model, const char *entry, size_t length, SlError *err)
{
    size_t type = type_at(entry, length), name = type ? type - 1 : 0;
    unsigned stage = stage_of(entry, name);
    SlDtypes types;
    bool found = stage != 0;
    if (!read_type(entry + type, length - type, true, &types, err))
        return false;
    for (int i = 0; i < model->parts; i++) {
        SlPart *part = &model->part[i];
        bool named = strlen(part->kind->name) == name && !memcmp(part->kind->name, entry, name);
        if (named || (part->kind->use & stage))
            set_dtype(model, part, &types);
        found = found || named;
    }
    return found || fail_part(entry, length, model->part[model->parts - 1].kind->name, err);
}

bool sl_model_set_dtypes(SlModel *model, const char *parts, SlError *err)
{
    size_t length;
    while (*parts) {
        const char *entry = next_entry(&parts, &length);
        if (!set_entry(model, entry, length, err))
            return false;
    }
    return true;
}

static bool is_own(const SlModel *model, const SlPart *part)
{
    return part->dtype == sl_part_own_dtype(model, part->kind) &&
           part->q8 == sl_part_own_q8(model, part->kind);
}

/* A refiner's part goes with its base's of the same name. */
static void follow_base(SlPart *part, const SlModel *base)
{
    for (int i = 0; i < base->parts; i++)
        if (!strcmp(base->part[i].kind->name, part->kind->name) && !is_own(base, &base->part[i])) {
            part->dtype = base->part[i].dtype;
            part->q8 = base->part[i].q8;
        }
}

/* What is recorded. */
static void write_dtypes(SlModel *model)
{
    size_t size = sizeof model->dtypes;
    int n = snprintf(model->dtypes, size, "%s", sl_device_dtype_name(model->dev));
    for (int i = 0; i < model->parts; i++)
        if (!is_own(model, &model->part[i]) && (size_t)n < size)
            n += snprintf(model->dtypes + n, size - (size_t)n, ",%s=%s", model->part[i].kind->name,
                          sl_dtype_name(model->part[i].dtype));
}

bool sl_model_find_dtypes(SlModel *model, const SlModelOptions *options, SlError *err)
{
    SlDtypes said, usual;
    const char *device = model->dev->name;
    if (!sl_dtypes_read(options->dtype, &said, err) ||
        !sl_dtypes_read(options->auto_dtype, &usual, err))
        return false;
    bool on_cpu = !strcmp(device, "cpu") || !strcmp(device, "check");
    if (said.automatic && !said.q8 && on_cpu && !sl_model_set_dtypes(model, usual.parts, err))
        return false;
    if (!sl_model_set_dtypes(model, said.parts, err))
        return false;
    for (int i = 0; model->base && i < model->parts; i++)
        follow_base(&model->part[i], model->base);
    write_dtypes(model);
    return true;
}

const char *sl_model_dtypes(const SlModel *model)
{
    return model->dtypes;
}
