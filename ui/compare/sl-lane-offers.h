/* sl-lane-offers.h - the comparisons and lanes that are offered ready-made, as buttons and as a menu. */
#pragma once

#include "app/objects/objects.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A button for each ready-made comparison; its action is "win.compare-preset". */
void sl_lane_offers_fill_presets (GtkFlowBox *presets);
/* Of these buttons only those that suit a model (NULL: any), and a recipe with or without LoRAs, are shown. */
void sl_lane_offers_suit (GtkFlowBox *presets, SlModelItem *model, gboolean loras);
/* An entry for each scheduler that suits the model (NULL: one that does not predict flow), instead of
 * those that were there; its action is "win.compare-add". */
void sl_lane_offers_fill_schedulers (GMenu *menu, SlModelItem *model);

G_END_DECLS
