/* importer.h - private to the readers of foreign settings: values arrive as text, are checked one
 * by one and collected over a base recipe.
 */
#ifndef SL_APP_IMPORTER_H
#define SL_APP_IMPORTER_H

#include "app/files/files.h"
#include "engine/engine.h"

typedef struct SlImporter {
    const char *source;
    SlRecipe recipe;           /* strings borrowed from the base or owned below */
    char *text[SL_N_SETTINGS]; /* of the settings that are texts */
    char *model, *model_hash;
    SlText problems, notes;
} SlImporter;

void sl_importer_init(SlImporter *im, const SlRecipe *base);
void sl_importer_free(SlImporter *im);
/* A NULL value is one that the file does not have. A bad one becomes a problem. Of the scheduler
 * there is sl_importer_take_sampler. */
void sl_importer_take(SlImporter *im, SlSetting setting, const char *value);
/* The same for a whole number that the file counts from `first` on. */
void sl_importer_take_from(SlImporter *im, SlSetting setting, const char *value, int first);
/* The model as the file names it, and its hash. */
void sl_importer_take_model(SlImporter *im, const char *name, const char *hash);
/* The sampler with its schedule (may be NULL), in any dialect. */
void sl_importer_take_sampler(SlImporter *im, const char *sampler, const char *schedule);
void sl_importer_note(SlImporter *im, const char *format, ...) SL_PRINTF(2, 3);
void sl_importer_problem(SlImporter *im, const char *format, ...) SL_PRINTF(2, 3);

#endif
