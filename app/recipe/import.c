/* import.c - who wrote it, and the checks that all sources share (see import.h). */
#include "app/recipe/import.h"
#include "app/recipe/foreign.h"
#include "app/recipe/metadata.h"
#include "app/recipe/recipe_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef bool Reader(SlImporter *im, const char *text, SlError *err);

/* What is left empty becomes NULL, so that "no notes" has one form. */
static char *take_lines(SlText *text)
{
    if (text->length)
        return sl_text_take(text);
    sl_text_free(text);
    return NULL;
}

/* Moves an importer's findings into *import after the checks. */
static bool finish(SlImporter *im, const SlModelInfo *info, SlImport *import, SlError *err)
{
    SlError problem;
    if (im->problems.failed || im->notes.failed)
        return sl_fail(err, SL_MEMORY, "memory ran out while reading a picture's settings");
    if (!im->problems.length && info && !sl_recipe_check(&im->recipe, info, &problem))
        sl_importer_problem(im, "%s", problem.message);
    import->source = im->source;
    if (!im->problems.length && !(import->recipe = sl_recipe_copy(&im->recipe)))
        return sl_fail(err, SL_MEMORY, "memory ran out while reading a picture's settings");
    import->model = im->model;
    import->model_hash = im->model_hash;
    im->model = im->model_hash = NULL;
    import->problems = take_lines(&im->problems);
    import->notes = take_lines(&im->notes);
    return true;
}

static bool read_foreign(const char *name, Reader *reader, const char *text, const SlRecipe *base,
                         const SlModelInfo *info, SlImport *import, SlError *err)
{
    SlImporter im;
    SlError problem;
    sl_importer_init(&im, base);
    bool ok = reader(&im, text, &problem);
    if (ok)
        ok = finish(&im, info, import, err);
    else
        sl_fail(err, problem.code, "%s: %s", name, problem.message);
    sl_importer_free(&im);
    return ok;
}

static bool read_ours(const char *name, const char *json, const SlModelInfo *info, SlImport *import,
                      SlError *err)
{
    SlMetadata *m = malloc(sizeof *m);
    SlImporter im = {.source = "Safelight"};
    if (!m)
        return sl_fail(err, SL_MEMORY, "%s: memory ran out", name);
    bool ok = sl_metadata_from_json(name, json, m, err);
    if (ok) {
        im.recipe = *m->recipe;
        sl_importer_take_model(&im, m->model, m->files > 0 ? m->file[0].sha256 : NULL);
        if (m->version > SL_METADATA_VERSION)
            sl_importer_note(&im, "it was written by a newer Safelight (%s)", m->program);
        if (m->unknown)
            sl_importer_note(&im, "unknown here and not taken over: %.900s", m->unknown);
        if (m->given_latents || m->given_step_noise)
            sl_importer_note(&im, "its noise came from a file, not from the seed");
        ok = finish(&im, info, import, err);
    }
    sl_importer_free(&im);
    sl_metadata_free(m);
    free(m);
    return ok;
}

static bool starts_with_brace(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return *text == '{';
}

bool sl_import_parameters(const char *name, const char *text, const SlRecipe *base,
                          const SlModelInfo *info, SlImport *import, SlError *err)
{
    memset(import, 0, sizeof *import);
    Reader *reader = starts_with_brace(text) ? sl_foreign_swarmui : sl_foreign_parameters;
    return read_foreign(name, reader, text, base, info, import, err);
}

bool sl_import_texts(const char *name, const SlPngTexts *texts, const SlRecipe *base,
                     const SlModelInfo *info, SlImport *import, SlError *err)
{
    const char *text;
    memset(import, 0, sizeof *import);
    if ((text = sl_png_texts_find(texts, SL_METADATA_KEYWORD)))
        return read_ours(name, text, info, import, err);
    if ((text = sl_png_texts_find(texts, "invokeai_metadata")))
        return read_foreign(name, sl_foreign_invokeai, text, base, info, import, err);
    if ((text = sl_png_texts_find(texts, "parameters")))
        return sl_import_parameters(name, text, base, info, import, err);
    if ((text = sl_png_texts_find(texts, "prompt")))
        return read_foreign(name, sl_foreign_comfyui, text, base, info, import, err);
    if (texts->skipped > 0)
        return sl_fail(err, SL_FORMAT, "%s: no settings could be read: %s", name, texts->problem);
    return sl_fail(err, SL_FORMAT, "%s: this PNG holds no settings", name);
}

bool sl_import_png(const char *path, const SlRecipe *base, const SlModelInfo *info,
                   SlImport *import, SlError *err)
{
    SlPngTexts texts;
    memset(import, 0, sizeof *import);
    bool ok = sl_png_texts_read(path, &texts, err) &&
              sl_import_texts(path, &texts, base, info, import, err);
    sl_png_texts_free(&texts);
    return ok;
}

void sl_import_free(SlImport *import)
{
    free(import->recipe);
    free(import->model);
    free(import->model_hash);
    free(import->problems);
    free(import->notes);
    memset(import, 0, sizeof *import);
}
