/* import.c - who wrote it, and the checks that all sources share (see import.h). */
#include "app/recipe/import.h"
#include "app/recipe/foreign/prompt_words.h"
#include "app/recipe/foreign/readers.h"
#include "app/recipe/metadata.h"
#include "app/recipe/recipe_text.h"

#include <stdlib.h>
#include <string.h>

/* Moves an importer's findings into *import after the checks. */
static bool finish(SlImporter *im, SlImport *import, SlError *err)
{
    SlError problem;
    bool good = !im->info || sl_recipe_check(&im->recipe, im->info, &problem);
    import->notes = sl_notes_text(&im->notes, NULL);
    import->source = im->source;
    if (good)
        import->recipe = sl_recipe_copy(&im->recipe);
    else
        import->problems = strdup(problem.message);
    if (im->failed || im->notes.failed || (!import->recipe && !import->problems))
        return sl_fail(err, SL_MEMORY, "memory ran out while reading a picture's settings");
    import->model = im->model;
    import->model_hash = im->model_hash;
    import->all_notes = im->notes;
    im->model = im->model_hash = NULL;
    im->notes = (SlNotes){0};
    return true;
}

/* What the files of others say, given to the settings that exist here. */
typedef struct From {
    const char *name;
    const SlPictureTexts *texts;
    const SlRecipe *base;
    const SlModelInfo *info;
} From;

static bool read_foreign(const From *from, const SlForeign *reader, const char *text,
                         SlImport *import, SlError *err)
{
    SlImporter *im = malloc(sizeof *im);
    SlError problem;
    if (!im)
        return sl_fail(err, SL_MEMORY, "%s: memory ran out", from->name);
    sl_importer_init(im, from->base, from->info);
    im->source = reader->source;
    im->recipe.prompt_mode = (int)reader->mode;
    im->recipe.emphasis = SL_EMPHASIS_ORIGINAL; /* which is not named */
    bool ok = reader->read(im, from->texts, text, &problem);
    if (ok) {
        sl_importer_note_layers(im);
        sl_prompt_words_note(im, reader->words);
        ok = finish(im, import, err);
    } else if (im->failed) {
        sl_fail(err, SL_MEMORY, "%s: memory ran out", from->name);
    } else {
        sl_fail(err, problem.code, "%s: %s", from->name, problem.message);
    }
    sl_importer_free(im);
    free(im);
    return ok;
}

static bool read_ours(const char *name, const char *json, const SlModelInfo *info, SlImport *import,
                      SlError *err)
{
    SlMetadata *m = malloc(sizeof *m);
    SlImporter *im = calloc(1, sizeof *im);
    bool ok = (m && im) || sl_fail(err, SL_MEMORY, "%s: memory ran out", name);
    if (m)
        memset(m, 0, sizeof *m);
    ok = ok && sl_metadata_from_json(name, json, m, err);
    if (ok) {
        im->source = "Safelight";
        im->info = info;
        im->recipe = *m->recipe;
        sl_importer_take_model(im, m->model, m->files > 0 ? m->file[0].sha256 : NULL);
        if (m->version > SL_METADATA_VERSION)
            sl_importer_note(im, SL_NOTE_NEWER, m->program);
        if (m->unknown)
            sl_importer_note(im, SL_NOTE_UNKNOWN, m->unknown);
        if (m->given_latents || m->given_step_noise)
            sl_importer_note(im, SL_NOTE_GIVEN_NOISE, NULL);
        ok = finish(im, import, err);
    }
    if (im)
        sl_importer_free(im);
    if (m)
        sl_metadata_free(m);
    free(im);
    free(m);
    return ok;
}

/* A picture without settings: says so, or what of it could not be read, or what texts it has. */
static bool nothing_found(const From *from, SlError *err)
{
    const SlPictureTexts *texts = from->texts;
    const char *kind = texts->kind ? texts->kind : sl_words("picture");
    SlText names = {0};
    if (texts->skipped > 0)
        return sl_fail(err, SL_FORMAT, "%s: no settings could be read: %s", from->name,
                       texts->problem);
    const char *json = sl_picture_texts_find(texts, "parameters");
    if (json && sl_foreign_is_json(json))
        return sl_fail(err, SL_FORMAT, "%s: the text \"parameters\" is JSON of an unknown program",
                       from->name);
    for (int i = 0; i < texts->count && i < 8; i++)
        sl_text_addf(&names, "%s\"%s\"", i ? ", " : "", texts->entry[i].keyword);
    if (names.length && !names.failed)
        sl_fail(err, SL_FORMAT, "%s: this %s holds no settings that are known here, only %s %s%s",
                from->name, kind, texts->count == 1 ? sl_words("the text") : sl_words("the texts"),
                names.data, texts->count > 8 ? ", ..." : "");
    else
        sl_fail(err, SL_FORMAT, "%s: this %s holds no settings", from->name, kind);
    sl_text_free(&names);
    return false;
}

/* The first reader that understands its text; when none does, the first one's complaint. */
static bool read_any(const From *from, SlImport *import, SlError *err)
{
    bool tried = false;
    for (int i = 0; i < sl_foreign_count; i++) {
        SlError problem = {0};
        const char *text = sl_foreign_readers[i].find(from->texts);
        if (!text)
            continue;
        if (read_foreign(from, &sl_foreign_readers[i], text, import, &problem))
            return true;
        if (!tried || problem.code == SL_MEMORY)
            sl_fail(err, problem.code, "%s", problem.message);
        if (problem.code == SL_MEMORY)
            return false;
        sl_import_free(import);
        tried = true;
    }
    return tried ? false : nothing_found(from, err);
}

bool sl_import_parameters(const char *name, const char *text, const SlRecipe *base,
                          const SlModelInfo *info, SlImport *import, SlError *err)
{
    SlPictureTexts texts = {.kind = "text", .count = 1};
    char *copy = strdup(text);
    memset(import, 0, sizeof *import);
    if (!copy)
        return sl_fail(err, SL_MEMORY, "%s: memory ran out", name);
    strcpy(texts.entry[0].keyword, "parameters");
    texts.entry[0].text = copy;
    const From from = {name, &texts, base, info};
    bool ok = read_any(&from, import, err);
    free(copy);
    return ok;
}

bool sl_import_texts(const char *name, const SlPictureTexts *texts, const SlRecipe *base,
                     const SlModelInfo *info, SlImport *import, SlError *err)
{
    const char *ours = sl_picture_texts_find(texts, SL_METADATA_KEYWORD);
    const From from = {name, texts, base, info};
    memset(import, 0, sizeof *import);
    return ours ? read_ours(name, ours, info, import, err) : read_any(&from, import, err);
}

bool sl_import_picture(const char *path, const SlRecipe *base, const SlModelInfo *info,
                       SlImport *import, SlError *err)
{
    SlPictureTexts texts;
    memset(import, 0, sizeof *import);
    bool ok = sl_picture_texts_read(path, &texts, err) &&
              sl_import_texts(path, &texts, base, info, import, err);
    sl_picture_texts_free(&texts);
    return ok;
}

void sl_import_free(SlImport *import)
{
    free(import->recipe);
    free(import->model);
    free(import->model_hash);
    free(import->problems);
    free(import->notes);
    sl_notes_free(&import->all_notes);
    memset(import, 0, sizeof *import);
}
