/* sl-sigma-graph.h - the noise levels of a curve as points that are dragged, over the curve as it began.
 *
 * Arrows to the sides, Home and End choose a point, arrows up and down (finer with Shift) and the Page keys move it,
 * Insert and Delete add and remove a step.
 */
#pragma once

#include <gtk/gtk.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_SIGMA_GRAPH (sl_sigma_graph_get_type ())

/* Signal "selected": another point is. */
G_DECLARE_FINAL_TYPE (SlSigmaGraph, sl_sigma_graph, SL, SIGMA_GRAPH, GtkWidget)

/* Once. */
void sl_sigma_graph_set_curve (SlSigmaGraph *self, SlSigmaCurve *curve);
guint sl_sigma_graph_get_selected (SlSigmaGraph *self);
void sl_sigma_graph_select (SlSigmaGraph *self, guint step);
/* At the selected point; what was added is selected. */
void sl_sigma_graph_add (SlSigmaGraph *self);
void sl_sigma_graph_remove (SlSigmaGraph *self);
/* Where a point is drawn, in the widget's pixels. */
void sl_sigma_graph_get_place (SlSigmaGraph *self, guint step, double *x, double *y);
/* "Step 3 of 8, noise level 3.86, timestep 761"; to be freed. */
char *sl_sigma_graph_dup_words (SlSigmaGraph *self);

G_END_DECLS
