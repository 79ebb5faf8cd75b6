/* sl-recipe-panel-private.h - what the panel's files share: sl-recipe-panel.c is the object and the model,
 * sl-recipe-panel-controls.c the settings.
 */
#pragma once

#include "ui/darkroom/sl-lora-group.h"
#include "ui/darkroom/sl-recipe-panel.h"
#include "ui/widgets/sl-part-row.h"
#include "ui/widgets/sl-prompt-box.h"
#include "ui/widgets/sl-setting-row.h"
#include "ui/widgets/sl-sigma-row.h"

G_BEGIN_DECLS

/* A setting of the table and what of the panel shows it; the members that it does not have are NULL. */
typedef struct
{
  SlRecipePanel *panel;
  const SlControl *control;
  GtkWidget *widget;         /* hidden where the model or the scheduler does not have the setting */
  GtkAdjustment *adjustment; /* of a number */
  GtkRange *scale;           /* a coarse one beside it */
} SlPanelRow;

struct _SlRecipePanel
{
  AdwBin parent_instance;
  AdwComboRow *model_row;
  AdwExpanderRow *parts_row; /* around the next four */
  SlPartRow *vae_row;
  SlPartRow *unet_row;
  SlPartRow *text_encoder_row;
  SlPartRow *text_encoder_2_row; /* of Stable Diffusion XL */
  SlPartRow *refiner_row;        /* a second model, which goes on with what the first began */
  GtkWidget *prompt_box;
  SlPromptBox *prompt;
  SlPromptBox *negative;
  SlLoraGroup *loras;
  GtkAdjustment *steps_adjustment;
  GtkAdjustment *guidance_adjustment;
  GtkAdjustment *width_adjustment;
  GtkAdjustment *height_adjustment;
  GtkAdjustment *count_adjustment;
  GtkRange *steps_scale;
  GtkRange *guidance_scale;
  AdwPreferencesRow *steps_row;
  AdwPreferencesRow *guidance_row;
  AdwPreferencesRow *seed_row;
  AdwComboRow *scheduler_row;
  SlSigmaRow *sigmas_row;
  GtkEntry *seed;
  GtkToggleButton *keep_seed;
  AdwComboRow *size_row;
  GtkWidget *custom_size_row;
  AdwExpanderRow *more_row;
  AdwComboRow *dynamic_row;
  AdwComboRow *previews_row;
  GtkWidget *reset_row;

  SlPanelRow *rows; /* as many as there are controls */

  SlModelItem *with_parts; /* the chosen model with parts from elsewhere; NULL: with its own */
  SlSettings *recipe;
  GListModel *schedulers;
  int preset[SL_MODEL_ITEM_MAX_SIZES][2]; /* sizes, then "Custom" */
  guint n_presets;
  gboolean updating; /* the controls are being set, not used */
};

/* Once; the recipe must be there. */
void sl_recipe_panel_connect_controls (SlRecipePanel *self);
/* At the end of the prompt, behind a comma, unless it is there already. */
void sl_recipe_panel_add_word (SlRecipePanel *self, const char *word);
/* Shows the settings that the model and the scheduler have, hides the others. */
void sl_recipe_panel_show_existing (SlRecipePanel *self);
/* Sets every control to the recipe's value; show_first does it when the panel is new, and sets what depends on the
 * controls, too. */
void sl_recipe_panel_show_recipe (SlRecipePanel *self);
void sl_recipe_panel_show_first (SlRecipePanel *self);
/* What the model predicts and what says so, under the setting that overrides it. */
void sl_recipe_panel_show_prediction (SlRecipePanel *self);
/* The sizes that suit the model, and the steps between them. */
void sl_recipe_panel_offer_sizes (SlRecipePanel *self, SlModelItem *model);
void sl_recipe_panel_offer_schedulers (SlRecipePanel *self, SlModelItem *model);

G_END_DECLS
