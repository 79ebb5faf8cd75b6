/* importer.h - private to the readers of foreign settings: values arrive as text, are checked one
 * by one and collected over a base recipe.
 */
#ifndef SL_APP_IMPORTER_H
#define SL_APP_IMPORTER_H

#include "app/files/files.h"
#include "engine/engine.h"

typedef enum SlSetting {
    SL_SETTING_PROMPT,
    SL_SETTING_NEGATIVE,
    SL_SETTING_STEPS,
    SL_SETTING_GUIDANCE,
    SL_SETTING_SEED,
    SL_SETTING_WIDTH,
    SL_SETTING_HEIGHT,
    SL_SETTING_CLIP_SKIP, /* 0: the last hidden state */
    SL_SETTING_ETA,
    SL_SETTING_VARIANCE,
    SL_SETTING_MODEL,
    SL_SETTING_MODEL_HASH,
} SlSetting;

typedef struct SlImporter {
    const char *source;
    SlRecipe recipe; /* strings borrowed from the base or owned below */
    char *prompt, *negative_prompt, *model, *model_hash;
    SlText problems, notes;
} SlImporter;

void sl_importer_init(SlImporter *im, const SlRecipe *base);
void sl_importer_free(SlImporter *im);
/* A NULL value is one that the file does not have. A bad one becomes a problem. */
void sl_importer_take(SlImporter *im, SlSetting setting, const char *value);
/* The sampler with its schedule (may be NULL), in any dialect. */
void sl_importer_take_sampler(SlImporter *im, const char *sampler, const char *schedule);
void sl_importer_note(SlImporter *im, const char *format, ...) SL_PRINTF(2, 3);
void sl_importer_problem(SlImporter *im, const char *format, ...) SL_PRINTF(2, 3);

#endif
