/* sl-recipe-panel-private.h - what the panel's files share: sl-recipe-panel.c is the object and the model,
 * sl-recipe-panel-controls.c the settings.
 */
#pragma once

#include "ui/darkroom/sl-recipe-panel.h"

G_BEGIN_DECLS

#define SL_RECIPE_PANEL_PRESETS 3 /* then "Custom" */

struct _SlRecipePanel
{
  AdwBin parent_instance;
  AdwComboRow *model_row;
  GtkWidget *prompt_box;
  GtkTextView *prompt;
  GtkWidget *prompt_hint;
  GtkTextView *negative;
  GtkWidget *negative_hint;
  GtkAdjustment *steps_adjustment;
  GtkAdjustment *guidance_adjustment;
  GtkAdjustment *width_adjustment;
  GtkAdjustment *height_adjustment;
  GtkAdjustment *count_adjustment;
  GtkAdjustment *clip_skip_adjustment;
  GtkAdjustment *eta_adjustment;
  GtkRange *steps_scale;
  GtkRange *guidance_scale;
  GtkWidget *guidance_row;
  AdwComboRow *scheduler_row;
  AdwComboRow *sigmas_row;
  GtkEntry *seed;
  GtkToggleButton *keep_seed;
  AdwComboRow *size_row;
  GtkWidget *custom_size_row;
  AdwExpanderRow *more_row;
  AdwComboRow *previews_row;
  AdwComboRow *spacing_row;
  AdwComboRow *variance_row;
  AdwComboRow *noise_row;
  GtkWidget *clip_skip_row;
  GtkWidget *eta_row;

  SlSettings *recipe;
  GListModel *schedulers;
  int preset[SL_RECIPE_PANEL_PRESETS][2];
  gboolean updating; /* the controls are being set, not used */
};

/* Once; the recipe must be there. */
void sl_recipe_panel_connect_controls (SlRecipePanel *self);
/* Sets every control to the recipe's value; show_first does it when the panel is new, and sets what depends on the
 * controls, too. */
void sl_recipe_panel_show_recipe (SlRecipePanel *self);
void sl_recipe_panel_show_first (SlRecipePanel *self);
/* The sizes that suit the model, and the steps between them. */
void sl_recipe_panel_offer_sizes (SlRecipePanel *self, SlModelItem *model);

G_END_DECLS
