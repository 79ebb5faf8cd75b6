/* cmd_info.c - `safelight info`: what a model, a picture, a sheet, an animation or a comparison is.
 *
 * Facts only: no pixel is decoded and no sample read, so that a file which claims a canvas of
 * gigabytes costs nothing (docs/formats.md).
 */
#include "app/cli/cli.h"
#include "app/cli/info_adapter.h"
#include "app/cli/info_embedding.h"
#include "app/cli/session.h"
#include "app/files/files.h"
#include "app/recipe/recipe.h"
#include "app/record/record.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Prints a text of several lines, each indented, the first under its title. */
static void print_under(const char *title, int width, const char *text)
{
    for (const char *p = text; p && *p; p += *p == '\n') {
        size_t length = strcspn(p, "\n");
        sl_print("  %-*s%.*s\n", width, title, (int)length, p);
        p += length;
        title = "";
    }
}

static void print_lines(const char *title, const char *text)
{
    print_under(title, 18, text);
}

/* ---- models ---- */

static void print_distilled(const SlModelInfo *info)
{
    const SlDistilled *kind = info->distilled;
    if (kind)
        sl_print("  few steps     %s: %d step%s, guidance %g (%s)\n", kind->name, kind->steps,
                 kind->steps == 1 ? "" : "s", kind->guidance, info->distilled_from);
}

/* What decided that it is what it is. */
static const char *reason_of(const SlModelInfo *info)
{
    return info->single_file ? sl_checkpoint_reason(info->arch) : "_class_name in model_index.json";
}

static void print_model(const SlModelInfo *info)
{
    sl_print("%s\n", info->path);
    sl_print("  kind          %s, %s\n", info->pipeline->class_name,
             info->single_file ? "a single checkpoint" : "a diffusers folder");
    sl_print("  known by      %s\n", reason_of(info));
    sl_print("  size          %d x %d, sides in multiples of %d\n", info->width, info->height,
             info->size_multiple);
    sl_print("  sample        %d channels, 1/%d of the size\n", info->channels, info->factor);
    if (info->prompt_tokens)
        sl_print("  prompt        up to %d tokens\n", info->prompt_tokens - 2);
    else
        sl_print("  prompt        none: an unconditional model\n");
    sl_print("  scheduler     %s, predicts %s (%s)%s\n",
             *info->unknown_scheduler ? info->unknown_scheduler : info->scheduler,
             sl_prediction_names[info->prediction], info->prediction_from,
             info->zero_snr_marked ? ", from nothing but noise (zero terminal SNR)" : "");
    print_distilled(info);
    for (int i = 0; i < info->parts; i++) {
        const SlModelPart *part = &info->part[i];
        if (part->parameters)
            sl_print("  %-13s %s, %.2f million parameters in %" PRIu64 " tensors, %s, %.1f MB\n",
                     part->name, part->class_name, (double)part->parameters / 1e6, part->tensors,
                     part->dtype, (double)part->bytes / 1e6);
        else
            sl_print("  %-13s %s\n", part->name, part->class_name);
    }
    for (int i = 0; i < info->others; i++)
        sl_print("  %-14sfrom %s\n", info->other[i].part, info->other[i].path);
    for (int i = 0; i < info->files; i++)
        sl_print("  file          %s, %.1f MB\n", info->file[i].name,
                 (double)info->file[i].bytes / 1e6);
    print_under("note", 14, info->notes);
}

static cJSON *parts_to_json(const SlModelInfo *info)
{
    SlJsonOut out = {0};
    cJSON *parts = sl_out_array(&out, NULL, NULL);
    for (int i = 0; i < info->parts; i++) {
        const SlModelPart *part = &info->part[i];
        cJSON *item = sl_out_object(&out, parts, NULL);
        sl_out_text(&out, item, "name", part->name);
        sl_out_text(&out, item, "class", part->class_name);
        sl_out_number(&out, item, "tensors", (double)part->tensors);
        sl_out_number(&out, item, "parameters", (double)part->parameters);
        sl_out_number(&out, item, "bytes", (double)part->bytes);
        sl_out_text(&out, item, "dtype", part->dtype);
        for (int k = 0; k < info->others; k++)
            if (!strcmp(info->other[k].part, part->name))
                sl_out_text(&out, item, "from", info->other[k].path);
    }
    return sl_out_end(&out, parts);
}

static void add_types(SlJsonOut *out, cJSON *root, const SlAutoDtype *automatic)
{
    sl_out_text(out, root, "auto_dtype", automatic->dtype);
    sl_out_text(out, root, "auto_dtype_why", automatic->line);
}

static cJSON *model_to_json(const SlModelInfo *info, const char *device,
                            const SlAutoDtype *automatic)
{
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    sl_out_text(&out, root, "kind", "model");
    sl_out_text(&out, root, "path", info->path);
    sl_out_text(&out, root, "name", info->name);
    sl_out_text(&out, root, "pipeline", info->pipeline->class_name);
    sl_out_bool(&out, root, "single_file", info->single_file);
    if (info->single_file)
        sl_out_text(&out, root, "architecture", info->arch);
    sl_out_text(&out, root, "known_by", reason_of(info));
    sl_out_number(&out, root, "width", info->width);
    sl_out_number(&out, root, "height", info->height);
    sl_out_number(&out, root, "size_multiple", info->size_multiple);
    sl_out_number(&out, root, "channels", info->channels);
    sl_out_number(&out, root, "factor", info->factor);
    sl_out_number(&out, root, "prompt_tokens", info->prompt_tokens);
    sl_out_text(&out, root, "scheduler",
                *info->unknown_scheduler ? info->unknown_scheduler : info->scheduler);
    sl_out_text(&out, root, "prediction", sl_prediction_names[info->prediction]);
    sl_out_text(&out, root, "prediction_from", info->prediction_from);
    if (info->distilled) {
        sl_out_text(&out, root, "distilled", info->distilled->name);
        sl_out_text(&out, root, "distilled_from", info->distilled_from);
        sl_out_number(&out, root, "steps", info->distilled->steps);
        sl_out_number(&out, root, "guidance", info->distilled->guidance);
    }
    sl_out_item(&out, root, "parts", parts_to_json(info));
    sl_out_item(&out, root, "files", sl_files_to_json(info->file, info->files));
    sl_out_lines(&out, root, "notes", info->notes);
    sl_out_text(&out, root, "device", device);
    if (automatic->applies)
        add_types(&out, root, automatic);
    return sl_out_end(&out, root);
}

/* The device that "auto" would be, and in which types it would compute. */
static bool foresee(const SlOptions *o, SlAutoDtype *automatic, char *line, size_t size,
                    SlError *err)
{
    if (!sl_options_auto_dtype(o, automatic, err))
        return false;
    const SlDeviceOptions options = {.name = o->device,
                                     .any_dtype = true,
                                     .cpu_dtype =
                                         strncmp(automatic->dtype, "bf16", 4) ? SL_F32 : SL_BF16};
    return sl_device_foresee(&options, line, size, err);
}

static int print_inspected(const SlOptions *o, const char *path, SlModelInfo *info, SlError *err)
{
    char line[1000];
    SlAutoDtype automatic;
    SlGivenParts given;
    bool ok = sl_given_parts_find(&given, o, err) &&
              sl_model_inspect_with(path, given.from, info, err) &&
              (!o->json || sl_hash_model(info, NULL, err));
    sl_given_parts_free(&given);
    if (!ok)
        return sl_fail_exit(err);
    if (!foresee(o, &automatic, line, sizeof line, err))
        return sl_fail_exit(err);
    if (o->json)
        return sl_print_json(model_to_json(info, line, &automatic));
    print_model(info);
    sl_print("  device        %s\n", line);
    if (automatic.applies)
        sl_print("  types         %s\n", automatic.line);
    return SL_EXIT_OK;
}

static int info_model(const SlOptions *o, const char *path)
{
    SlError err = {0};
    SlModelInfo *info = malloc(sizeof *info);
    if (!info)
        sl_fail(&err, SL_MEMORY, "memory ran out");
    int status = info ? print_inspected(o, path, info, &err) : sl_fail_exit(&err);
    free(info);
    return status;
}

/* ---- pictures ---- */

static bool print_recipe(const SlRecipe *recipe, SlError *err)
{
    cJSON *json = sl_recipe_to_json(recipe), *item;
    bool ok = json != NULL;
    cJSON_ArrayForEach(item, json)
    {
        char *value = cJSON_PrintUnformatted(item);
        print_lines(item->string, cJSON_IsString(item) ? item->valuestring : value);
        ok = ok && value;
        free(value);
    }
    cJSON_Delete(json);
    return ok || sl_fail(err, SL_MEMORY, "memory ran out for the settings");
}

static void print_metadata(const SlMetadata *m)
{
    char line[300];
    snprintf(line, sizeof line, "%d of %d%s", m->step, m->steps,
             m->partial ? ", stopped there: the predicted picture" : "");
    print_lines("step", line);
    snprintf(line, sizeof line, "%s", m->device_description);
    print_lines("computed on", line);
    if (m->fast)
        print_lines("fast", "as one batch with other lanes: alone, its last bits may differ");
    print_lines("program", m->program);
    print_lines("noise", m->noise_sha256);
    print_lines("latents", m->latents_sha256);
    print_lines("pixels", m->pixels_sha256);
    print_lines("warning", m->warnings);
}

static bool print_picture(const char *path, const SlPictureTexts *texts, const SlImport *import,
                          const SlMetadata *m, SlError *err)
{
    sl_print("%s\n  %-18s%d x %d\n", path, "picture", texts->width, texts->height);
    print_lines("settings by", import->source);
    if (import->recipe && !print_recipe(import->recipe, err))
        return false;
    print_lines("model", import->model);
    print_lines("model hash", import->model_hash);
    print_lines("wrong", import->problems);
    print_lines("note", import->notes);
    if (m)
        print_metadata(m);
    return true;
}

static int print_picture_json(const char *path, const SlPictureTexts *texts, const SlImport *import,
                              const SlMetadata *m)
{
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    sl_out_text(&out, root, "kind", "picture");
    sl_out_text(&out, root, "path", path);
    sl_out_number(&out, root, "width", texts->width);
    sl_out_number(&out, root, "height", texts->height);
    sl_out_text(&out, root, "source", import->source);
    if (import->recipe)
        sl_out_item(&out, root, "recipe", sl_recipe_to_json(import->recipe));
    if (import->model)
        sl_out_text(&out, root, "model", import->model);
    if (import->model_hash)
        sl_out_text(&out, root, "model_hash", import->model_hash);
    sl_out_lines(&out, root, "problems", import->problems);
    sl_out_lines(&out, root, "notes", import->notes);
    if (m)
        sl_out_item(&out, root, SL_METADATA_KEYWORD, sl_metadata_to_object(m));
    return sl_print_json(sl_out_end(&out, root));
}

/* ---- lanes: sheets, animations, comparisons ---- */

/* What a file with lanes is; what does not exist for its kind is 0 or NULL. */
typedef struct Lanes {
    const char *kind; /* "sheet", "animation", "comparison" */
    int width, height, pictures;
    int64_t ms;
    const char *line_up;
    bool fast;
    int count, reference;       /* reference -1: none */
    const SlGrid *grid;         /* NULL: none */
    const SlMetadata *metadata; /* [count]; NULL: in the notes */
    const SlLaneNote *note;     /* [count] */
} Lanes;

static const SlMetadata *metadata_of(const Lanes *l, int i)
{
    return l->note ? &l->note[i].metadata : &l->metadata[i];
}

static void print_axis(const SlGrid *grid, SlGridAxisName which)
{
    const SlGridAxis *axis = &grid->axis[which];
    SlText line = {0};
    sl_text_add(&line, sl_setting(axis->setting)->name);
    for (int i = 0; i < axis->count; i++)
        sl_text_addf(&line, "%s%s", i ? ", " : " ", axis->value[i]);
    if (line.failed)
        sl_print_failed();
    else
        print_lines(which == SL_GRID_X ? "across" : "down", line.data);
    sl_text_free(&line);
}

static bool print_lane(const Lanes *l, int i, SlError *err)
{
    const SlMetadata *m = metadata_of(l, i);
    char line[100];
    if (l->count > 1 || l->note) {
        snprintf(line, sizeof line, "%d of %d%s", i + 1, l->count,
                 i == l->reference ? ", the one that others are measured against" : "");
        print_lines("lane", line);
    }
    if (l->note) {
        int inherited = l->note[i].kept_inherited;
        int n = snprintf(line, sizeof line, "%d", l->note[i].moments);
        if (inherited)
            snprintf(line + n, sizeof line - (size_t)n, ", %d of them before it branched",
                     inherited);
        print_lines("moments", line);
    }
    if (!print_recipe(m->recipe, err))
        return false;
    print_lines("model", m->model);
    print_metadata(m);
    return true;
}

static bool print_lanes(const char *path, const Lanes *l, SlError *err)
{
    char line[100];
    sl_print("%s\n", path);
    if (l->pictures)
        snprintf(line, sizeof line, "%d x %d, %d picture%s, %.1f s", l->width, l->height,
                 l->pictures, l->pictures == 1 ? "" : "s", (double)l->ms / 1e3);
    else if (l->width)
        snprintf(line, sizeof line, "%d x %d", l->width, l->height);
    else
        snprintf(line, sizeof line, "%d lane%s", l->count, l->count == 1 ? "" : "s");
    print_lines(l->kind, line);
    if (l->count == 0)
        print_lines("note", "not made by Safelight: it says nothing about settings");
    print_lines("lined up by", l->line_up);
    if (l->fast)
        print_lines("fast", "lanes were computed as one batch");
    for (int i = 0; l->grid && i < SL_GRID_AXES; i++)
        print_axis(l->grid, (SlGridAxisName)i);
    for (int i = 0; i < l->count; i++)
        if (!print_lane(l, i, err))
            return false;
    return true;
}

static void add_lane(SlJsonOut *out, cJSON *list, const Lanes *l, int i)
{
    cJSON *lane = sl_out_object(out, list, NULL);
    if (l->note) {
        sl_out_bool(out, lane, "done", l->note[i].done);
        sl_out_number(out, lane, "moments", l->note[i].moments);
        sl_out_number(out, lane, "inherited", l->note[i].kept_inherited);
        if (l->grid)
            sl_out_number(out, lane, "cell", l->note[i].cell);
    }
    sl_out_item(out, lane, SL_METADATA_KEYWORD, sl_metadata_to_object(metadata_of(l, i)));
}

static int print_lanes_json(const char *path, const Lanes *l)
{
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    sl_out_text(&out, root, "kind", l->kind);
    sl_out_text(&out, root, "path", path);
    if (l->width) {
        sl_out_number(&out, root, "width", l->width);
        sl_out_number(&out, root, "height", l->height);
    }
    if (l->pictures) {
        sl_out_number(&out, root, "pictures", l->pictures);
        sl_out_number(&out, root, "seconds", (double)l->ms / 1e3);
    }
    if (l->line_up)
        sl_out_text(&out, root, "align", l->line_up);
    sl_out_bool(&out, root, "fast", l->fast);
    if (l->reference >= 0)
        sl_out_number(&out, root, "reference", l->reference);
    if (l->grid)
        sl_out_item(&out, root, "grid", sl_grid_to_json(l->grid));
    cJSON *list = sl_out_array(&out, root, "lanes");
    for (int i = 0; i < l->count; i++)
        add_lane(&out, list, l, i);
    return sl_print_json(sl_out_end(&out, root));
}

static int say_lanes(const SlOptions *o, const Lanes *l)
{
    SlError err = {0};
    if (o->json)
        return print_lanes_json(o->argument, l);
    return print_lanes(o->argument, l, &err) ? SL_EXIT_OK : sl_fail_exit(&err);
}

/* Of a sheet or an animation; *l has what the file itself says. */
static int info_lanes_text(const SlOptions *o, const char *json, Lanes *l)
{
    SlCompareText text;
    SlError err = {0};
    int status;
    if (sl_compare_text_read(o->argument, json, &text, &err)) {
        l->count = text.count;
        l->fast = text.fast;
        l->line_up = text.animation && !text.film ? sl_line_up_names[text.line_up] : NULL;
        l->metadata = text.lane;
        l->grid = sl_grid_cells(&text.grid) ? &text.grid : NULL;
        status = say_lanes(o, l);
    } else {
        status = sl_fail_exit(&err);
    }
    sl_compare_text_free(&text);
    return status;
}

static int info_picture(const SlOptions *o);

/* Whether a picture says anything, which may be settings. */
static bool has_texts(const char *path)
{
    SlPictureTexts texts;
    bool any = sl_picture_texts_read(path, &texts, NULL) && (texts.count || texts.skipped);
    sl_picture_texts_free(&texts);
    return any;
}

static int info_webp(const SlOptions *o)
{
    SlWebp webp;
    SlError err = {0};
    int status;
    if (sl_webp_read(o->argument, &webp, &err)) {
        Lanes l = {.kind = webp.ms ? "animation" : "picture",
                   .width = webp.width,
                   .height = webp.height,
                   .pictures = webp.pictures,
                   .ms = webp.ms,
                   .reference = -1};
        status = webp.text                ? info_lanes_text(o, webp.text, &l)
                 : has_texts(o->argument) ? info_picture(o)
                                          : say_lanes(o, &l);
    } else {
        status = sl_fail_exit(&err);
    }
    sl_webp_free(&webp);
    return status;
}

static int info_comparison(const SlOptions *o)
{
    SlLanesIn *in = malloc(sizeof *in);
    SlError err = {0};
    int status;
    if (!in)
        sl_fail(&err, SL_MEMORY, "memory ran out");
    if (in && sl_lanes_look(in, o->argument, &err)) {
        Lanes l = {.kind = "comparison",
                   .fast = in->fast,
                   .count = in->count,
                   .reference = in->reference,
                   .grid = sl_grid_cells(&in->grid) ? &in->grid : NULL,
                   .note = in->note};
        status = say_lanes(o, &l);
    } else {
        status = sl_fail_exit(&err);
    }
    if (in)
        sl_lanes_in_free(in);
    free(in);
    return status;
}

/* ---- a picture of any kind; a PNG can be a sheet ---- */

static int info_picture(const SlOptions *o)
{
    SlRecipe nothing; /* of another program's picture: what it does not say is unset */
    const char *path = o->argument;
    SlPictureTexts texts;
    SlImport import = {0};
    SlMetadata *metadata = calloc(1, sizeof *metadata);
    SlError err = {0};
    int status = SL_EXIT_OK;
    if (!metadata) {
        sl_fail(&err, SL_MEMORY, "memory ran out");
        return sl_fail_exit(&err);
    }
    sl_recipe_clear(&nothing);
    bool read = sl_picture_texts_read(path, &texts, &err);
    const char *ours = read ? sl_picture_texts_find(&texts, SL_METADATA_KEYWORD) : NULL;
    if (ours && sl_compare_is_text(ours)) {
        Lanes l = {.kind = "sheet", .width = texts.width, .height = texts.height, .reference = -1};
        status = info_lanes_text(o, ours, &l);
    } else if (read && sl_import_texts(path, &texts, &nothing, NULL, &import, &err)) {
        bool known = ours && sl_metadata_from_json(path, ours, metadata, &err);
        if (!known && err.code == SL_MEMORY)
            status = sl_fail_exit(&err);
        else if (o->json)
            status = print_picture_json(path, &texts, &import, known ? metadata : NULL);
        else if (!print_picture(path, &texts, &import, known ? metadata : NULL, &err))
            status = sl_fail_exit(&err);
    } else {
        status = sl_fail_exit(&err);
    }
    sl_metadata_free(metadata);
    free(metadata);
    sl_import_free(&import);
    sl_picture_texts_free(&texts);
    return status;
}

/* ---- this machine ---- */

/* Which type is automatic, measured now. */
static int info_machine(const SlOptions *o)
{
    SlOptions on_cpu = *o;
    SlAutoDtype automatic;
    SlError err = {0};
    on_cpu.device = "cpu";
    if (!sl_options_auto_dtype(&on_cpu, &automatic, &err))
        return sl_fail_exit(&err);
    if (!o->json) {
        sl_print("%s\n", automatic.line);
        return SL_EXIT_OK;
    }
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    sl_out_text(&out, root, "kind", "machine");
    add_types(&out, root, &automatic);
    return sl_print_json(sl_out_end(&out, root));
}

/* ---- which it is ---- */

/* A regular file that begins so; at: of the second half. */
static bool begins(const char *path, const char *start, const char *half, size_t at)
{
    char head[12] = {0};
    uint64_t size;
    int fd = sl_file_open(path, &size, NULL);
    bool yes =
        fd >= 0 && size >= sizeof head && sl_file_read(fd, path, head, sizeof head, 0, NULL) &&
        memcmp(head, start, strlen(start)) == 0 && memcmp(head + at, half, strlen(half)) == 0;
    if (fd >= 0)
        close(fd);
    return yes;
}

int sl_cmd_info(const SlOptions *options)
{
    const char *what = options->argument;
    SlError err = {0};
    if (options->measure_types)
        return info_machine(options);
    if (begins(what, "\x89PNG", "\r\n\x1a\n", 4))
        return info_picture(options);
    if (begins(what, "\xFF\xD8\xFF", "\xFF", 2))
        return info_picture(options);
    if (begins(what, "RIFF", "WEBP", 8))
        return info_webp(options);
    if (sl_lanes_is_file(what))
        return info_comparison(options);
    char *path = sl_model_find(what, &err);
    bool adapter = path && sl_info_is_adapter(path, &err);
    bool embedding = !adapter && err.code == SL_OK && sl_info_is_embedding(path, &err);
    int status = err.code != SL_OK ? sl_fail_exit(&err)
                 : adapter         ? sl_info_adapter(options, path)
                 : embedding       ? sl_info_embedding(options, path)
                                   : info_model(options, path);
    free(path);
    return status;
}
