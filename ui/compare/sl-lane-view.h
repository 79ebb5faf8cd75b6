/* sl-lane-view.h - one lane of a comparison: its number and name, its picture, its figures. */
#pragma once

#include <adwaita.h>

#include "ui/widgets/sl-canvas.h"

G_BEGIN_DECLS

/* As many lanes are shown at a time. */
#define SL_LANES_SHOWN 9
#define SL_TYPE_LANE_VIEW (sl_lane_view_get_type ())

G_DECLARE_FINAL_TYPE (SlLaneView, sl_lane_view, SL, LANE_VIEW, AdwBin)

/* number: from 1, as a person counts; color: as of sl_lane_color. Signals: "chosen" when it is clicked or focused; "asked" (const char *): one of
 * "edit", "reference", "branch", "inspect", "keep", "save", "duplicate", "remove", "use" from its menu. */
SlLaneView *sl_lane_view_new (int number, guint color);
int sl_lane_view_get_number (SlLaneView *self);
void sl_lane_view_set_title (SlLaneView *self, const char *title, const char *detail);
/* texture NULL: message (waiting, what went wrong) is shown instead. */
void sl_lane_view_show (SlLaneView *self, GdkTexture *texture, const char *message, gboolean failed);
void sl_lane_view_set_figures (SlLaneView *self, const char *figures, const char *detail);
void sl_lane_view_set_chosen (SlLaneView *self, gboolean chosen);
/* Made with other settings than those that are chosen now. */
void sl_lane_view_set_stale (SlLaneView *self, gboolean stale);
void sl_lane_view_set_reference (SlLaneView *self, gboolean reference);
/* Why the quick preview is shown and not the decoded picture; NULL hides it. */
void sl_lane_view_set_problem (SlLaneView *self, const char *problem);
/* The text that is shown about this, or NULL. */
const char *sl_lane_view_get_problem (SlLaneView *self);
/* 0 to 1; < 0 hides it. */
void sl_lane_view_set_progress (SlLaneView *self, double fraction);
/* There is something to save. */
void sl_lane_view_set_has_picture (SlLaneView *self, gboolean has_picture);
SlCanvas *sl_lane_view_get_canvas (SlLaneView *self);
/* A colour of lanes (sl_compare_lane_get_color); the style sheet's class "lane-1" is colour 0. */
GdkRGBA sl_lane_color (guint color);

G_END_DECLS
