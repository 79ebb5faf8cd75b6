/* sl-sigma-curve.h - the noise levels of a recipe's steps while a person changes them: falling, with undo.
 *
 * It begins as the recipe has them and changes no settings before sl_sigma_curve_apply. The 0 after the last
 * step is not among its points. Numbers are those that the engine computes with, rounded to f32.
 */
#pragma once

#include "app/objects/sl-model-item.h"

G_BEGIN_DECLS

#define SL_SIGMA_CURVE_MAX 1000

#define SL_TYPE_SIGMA_CURVE (sl_sigma_curve_get_type ())

G_DECLARE_FINAL_TYPE (SlSigmaCurve, sl_sigma_curve, SL, SIGMA_CURVE, GObject)

/* NULL and a sentence where the settings are none that the model can have. The settings are copied. Signal:
 * "changed". */
SlSigmaCurve *sl_sigma_curve_new (SlModelItem *model, SlSettings *settings, GError **error);
/* NULL: the scheduler takes other noise levels than its own. Else its name; and the names of some that do. */
const char *sl_sigma_curve_get_refusing (SlSigmaCurve *self);
char *sl_sigma_curve_dup_takers (SlSigmaCurve *self);
/* The name of the first of those, or NULL; and the curve begun anew with that scheduler, which sl_sigma_curve_apply then
 * sets as well. FALSE and a sentence where that cannot be. */
const char *sl_sigma_curve_get_taker (SlSigmaCurve *self);
gboolean sl_sigma_curve_use_taker (SlSigmaCurve *self, GError **error);
/* The id of the scheduler that was taken so; NULL: it is the settings'. */
const char *sl_sigma_curve_get_taken (SlSigmaCurve *self);

guint sl_sigma_curve_get_steps (SlSigmaCurve *self);
double sl_sigma_curve_get_sigma (SlSigmaCurve *self, guint step);
double sl_sigma_curve_get_timestep (SlSigmaCurve *self, guint step);
/* As it began. */
guint sl_sigma_curve_get_first_steps (SlSigmaCurve *self);
double sl_sigma_curve_get_first_sigma (SlSigmaCurve *self, guint step);
/* Where a point may lie: training's range, and what is beyond it now. */
void sl_sigma_curve_get_range (SlSigmaCurve *self, double *low, double *high);

/* A point to another level, or as near as its neighbours let it. goes_on: with the last change, so that one
 * undo takes both back. */
void sl_sigma_curve_move (SlSigmaCurve *self, guint step, double sigma, gboolean goes_on);
/* A step more in the middle (of the logarithms) between this one and the next; after the last one, before it. FALSE:
 * there is no room. */
gboolean sl_sigma_curve_add (SlSigmaCurve *self, guint step);
/* FALSE: it is the only one. */
gboolean sl_sigma_curve_remove (SlSigmaCurve *self, guint step);
/* As many steps along the same curve; a named one is laid out anew. */
void sl_sigma_curve_set_steps (SlSigmaCurve *self, guint steps);
/* A choice of the setting "sigmas", with as many steps as there are. FALSE: the scheduler cannot lay it out. */
gboolean sl_sigma_curve_set_named (SlSigmaCurve *self, guint choice);
/* The choice that it is, point by point; -1: a curve of one's own. */
int sl_sigma_curve_get_named (SlSigmaCurve *self);
/* "14.6,3.9,0.7,0": the shortest text that is read as these numbers. And such a text: FALSE and a sentence. */
char *sl_sigma_curve_dup_text (SlSigmaCurve *self);
gboolean sl_sigma_curve_take_text (SlSigmaCurve *self, const char *text, GError **error);

gboolean sl_sigma_curve_can_undo (SlSigmaCurve *self);
gboolean sl_sigma_curve_can_redo (SlSigmaCurve *self);
void sl_sigma_curve_undo (SlSigmaCurve *self);
void sl_sigma_curve_redo (SlSigmaCurve *self);
/* As it began; undo takes that back, too. */
void sl_sigma_curve_reset (SlSigmaCurve *self);

/* Sets "sigmas", "sigma-list" and "steps", and the scheduler that was taken: a named curve by its name, another one as its list. */
void sl_sigma_curve_apply (SlSigmaCurve *self, SlSettings *settings);

G_END_DECLS
