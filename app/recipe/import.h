/* import.h - the settings inside a PNG, whoever wrote it, as a recipe.
 *
 * Order of detection: our own `safelight` chunk, InvokeAI, SwarmUI, the common `parameters` text
 * (AUTOMATIC1111, Forge, Krita, stable-diffusion.cpp, ...), ComfyUI's graph. Every value passes the
 * validators that the controls use, or no recipe comes back and `problems` says which did not.
 * What the file asks for and this program does not have is no problem but a note.
 */
#ifndef SL_APP_IMPORT_H
#define SL_APP_IMPORT_H

#include "app/image/image.h"
#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlImport {
    const char *source; /* "Safelight", "ComfyUI", ... static */
    SlRecipe *recipe;   /* base with the file's values over it; NULL when there are problems */
    char *model;        /* as the file names it, or NULL */
    char *model_hash;   /* hexadecimal digits as they stand there, or NULL */
    char *problems;     /* a sentence a line, or NULL */
    char *notes;        /* what was not taken over or only nearly, a sentence a line, or NULL */
} SlImport;

/* base gives what the file does not say. With info the recipe is checked against that model,
 * without only by itself. False and *err when the file is unreadable or holds no settings. Free in
 * any case. */
bool sl_import_png(const char *path, const SlRecipe *base, const SlModelInfo *info,
                   SlImport *import, SlError *err);
/* The same for chunks that were read already; name is for messages. */
bool sl_import_texts(const char *name, const SlPngTexts *texts, const SlRecipe *base,
                     const SlModelInfo *info, SlImport *import, SlError *err);
/* The same for a `parameters` text from elsewhere (the clipboard). */
bool sl_import_parameters(const char *name, const char *text, const SlRecipe *base,
                          const SlModelInfo *info, SlImport *import, SlError *err);
void sl_import_free(SlImport *import);

#ifdef __cplusplus
}
#endif

#endif
