/* sl-dynamic.h - the settings of the pictures that the prompts of a recipe stand for, where they are templates
 * (app/recipe/template.h): {a|b}, __file__.
 */
#pragma once

#include "app/objects/sl-settings.h"

G_BEGIN_DECLS

/* In the order of the preference "dynamic". */
typedef enum
{
  SL_DYNAMIC_OFF,  /* the prompts are no templates */
  SL_DYNAMIC_DRAW, /* each picture has a choice of its own, by its seed */
  SL_DYNAMIC_ALL,  /* every combination, each with the same seeds */
} SlDynamic;

/* SlSettings of `count` pictures, with seeds that follow one another, or of so many for each combination. Wildcards are
 * looked for in the folders "wildcards" in and beside those of models, preferred (or "") first. NULL and a sentence
 * where a template is wrong or stands for too much. */
GPtrArray *
sl_dynamic_expand (SlSettings *settings, SlDynamic how, int count, const char *preferred, GError **error);

/* The same in place for texts of one lane: what its seed draws of the prompt, of the negative prompt, or of both, which
 * are templates of its own. FALSE and a sentence where one is wrong. */
gboolean sl_dynamic_draw (
    SlSettings *settings, gboolean prompt, gboolean negative, const char *preferred, GError **error);

G_END_DECLS
