/* sl-recipe-panel.h - the settings of the next picture, as controls.
 *
 * The panel shows an SlSettings and changes it; what the chosen model does not use is hidden.
 */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_RECIPE_PANEL (sl_recipe_panel_get_type ())

G_DECLARE_FINAL_TYPE (SlRecipePanel, sl_recipe_panel, SL, RECIPE_PANEL, AdwBin)

/* Once, before the panel is shown. Signal "model-chosen" when a person takes another model. */
void sl_recipe_panel_connect (SlRecipePanel *self,
                              SlSettings *recipe,
                              SlLoraList *loras,
                              SlModelStore *store,
                              SlPromptReader *prompts,
                              GSettings *preferences);
SlModelItem *sl_recipe_panel_get_model (SlRecipePanel *self);
/* The chosen model with its own parts again. */
void sl_recipe_panel_drop_parts (SlRecipePanel *self);
/* The chosen model with these parts, a name and a path by turns, then NULL; of those that are not named its own. One that
 * does not fit is said, and stays as it was. */
void sl_recipe_panel_set_parts (SlRecipePanel *self, const char *const *parts);
void sl_recipe_panel_select_model (SlRecipePanel *self, guint position);
/* Opens the editor of the recipe's noise levels. */
void sl_recipe_panel_draw_sigmas (SlRecipePanel *self);
void sl_recipe_panel_focus_prompt (SlRecipePanel *self);

G_END_DECLS
