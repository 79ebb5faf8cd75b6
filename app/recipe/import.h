/* import.h - the settings inside a picture, whoever wrote it, as a recipe: PNG, JPEG or WebP.
 *
 * Our own `safelight` chunk comes first, then the programs of foreign/readers.c in their order. Each
 * value passes the validators that the controls use. One that is not understood, and what the file
 * asks for and this program does not have, is noted and discards nothing else.
 */
#ifndef SL_APP_IMPORT_H
#define SL_APP_IMPORT_H

#include "app/image/image.h"
#include "app/recipe/foreign/notes.h"
#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlImport {
    const char *source; /* "Safelight", "ComfyUI", ... static */
    SlRecipe *recipe;   /* base with the file's values over it; NULL when there are problems */
    char *model;        /* as the file names it, or NULL */
    char *model_hash;   /* hexadecimal digits as they stand there, or NULL */
    char *problems;     /* why the settings together do not fit the model, or NULL */
    char *notes;        /* what was not taken over or only nearly, a sentence a line, or NULL */
    SlNotes all_notes;  /* the same, for another language */
} SlImport;

/* base gives what the file does not say. With info the recipe is checked against that model,
 * without only by itself. False and *err when the file is unreadable or holds no settings. Free in
 * any case. */
bool sl_import_picture(const char *path, const SlRecipe *base, const SlModelInfo *info,
                       SlImport *import, SlError *err);
/* The same for texts that were read already; name is for messages. */
bool sl_import_texts(const char *name, const SlPictureTexts *texts, const SlRecipe *base,
                     const SlModelInfo *info, SlImport *import, SlError *err);
/* The same for a `parameters` text from elsewhere (the clipboard). */
bool sl_import_parameters(const char *name, const char *text, const SlRecipe *base,
                          const SlModelInfo *info, SlImport *import, SlError *err);
void sl_import_free(SlImport *import);

#ifdef __cplusplus
}
#endif

#endif
