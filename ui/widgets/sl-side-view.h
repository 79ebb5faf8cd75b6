/* sl-side-view.h - the window's two sides: a panel, and the page beside it; in a narrow window the panel lies over the page ("folded").
 *
 * What shows them is an AdwFlap (gtk-4.8/), and since libadwaita 1.4 an AdwOverlaySplitView (gtk-4.14/). Properties: "panel", "page"
 * (GtkWidget), "panel-shown" (gboolean; folding hides the panel, unfolding shows it), "folded" (gboolean, follows the width).
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_SIDE_VIEW (sl_side_view_get_type ())

G_DECLARE_FINAL_TYPE (SlSideView, sl_side_view, SL, SIDE_VIEW, AdwBin)

gboolean sl_side_view_get_folded (SlSideView *self);
gboolean sl_side_view_get_panel_shown (SlSideView *self);
void sl_side_view_set_panel_shown (SlSideView *self, gboolean shown);

G_END_DECLS
