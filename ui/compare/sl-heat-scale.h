/* sl-heat-scale.h - what the colours of a heat map mean: a bar with all of them, and numbers under it. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define SL_TYPE_HEAT_SCALE (sl_heat_scale_get_type ())

G_DECLARE_FINAL_TYPE (SlHeatScale, sl_heat_scale, SL, HEAT_SCALE, GtkWidget)

/* The difference, of 255, that is white: 1 to 255. */
void sl_heat_scale_set_full (SlHeatScale *self, int full);

G_END_DECLS
