/* sl-ab-view.h - two lanes, A and B, at full size in one place, to see how they differ: divided by a line that is moved
 * (wipe), in turn (blink), as a heat map of their difference with a gain, or one of them alone.
 *
 * There is one canvas, so zoom and place are the same in every mode, and what is shown is always what the lanes have at
 * the comparison's position. A and B are lanes, not places in the list: they stay when others are removed.
 */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"
#include "ui/widgets/sl-canvas.h"

G_BEGIN_DECLS

typedef enum
{
  SL_AB_WIPE,
  SL_AB_BLINK,
  SL_AB_DIFFERENCE,
  SL_AB_ONE, /* A; Space shows B */
  SL_AB_N_MODES
} SlAbMode;

#define SL_TYPE_AB_VIEW (sl_ab_view_get_type ())

G_DECLARE_FINAL_TYPE (SlAbView, sl_ab_view, SL, AB_VIEW, AdwBin)

/* Once. recipe names lanes that have not run yet. Signals: "left": a person wants the lanes back; "picked": A or B is
 * another lane. */
void sl_ab_view_connect (SlAbView *self, SlComparison *comparison, SlSettings *recipe);
/* Indices into the comparison, which may be the same where there is only one lane. Says to a screen reader what is
 * shown. */
void sl_ab_view_open (SlAbView *self, guint a, guint b);
/* It is not shown any more: nothing blinks. */
void sl_ab_view_close (SlAbView *self);
/* Lanes, their frames or the position changed. FALSE when there is no lane any more. */
gboolean sl_ab_view_update (SlAbView *self, SlView view);
void sl_ab_view_get_lanes (SlAbView *self, guint *a, guint *b);
void sl_ab_view_set_mode (SlAbView *self, SlAbMode mode);
SlAbMode sl_ab_view_get_mode (SlAbView *self);
/* Of a wipe where the line is, 0 to 1 of the picture; of blinking changes a second; of a difference the gain. */
void sl_ab_view_set_amount (SlAbView *self, double amount);
double sl_ab_view_get_amount (SlAbView *self);
/* B is seen now, in the modes that show one at a time. */
gboolean sl_ab_view_shows_b (SlAbView *self);
SlCanvas *sl_ab_view_get_canvas (SlAbView *self);

G_END_DECLS
