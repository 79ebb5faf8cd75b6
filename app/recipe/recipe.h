/* recipe.h - everything that the other rooms see of app/recipe: settings as text, in files, and out
 * of other programs' files. */
#ifndef SL_APP_RECIPE_H
#define SL_APP_RECIPE_H

#include "app/recipe/batches.h"
#include "app/recipe/foreign/notes.h"
#include "app/recipe/import.h"
#include "app/recipe/infotext.h"
#include "app/recipe/metadata.h"
#include "app/recipe/origin.h"
#include "app/recipe/recipe_text.h"
#include "app/recipe/sampler_names.h"
#include "app/recipe/template.h"

#endif
