/* sl-side-view-parts.c - see sl-side-view-parts.h; for libadwaita 1.4 and newer. */
#include "ui/widgets/sl-side-view-parts.h"

#define PANEL_WIDTH 368
/* The panel and the narrowest page, in every language. AdwFlap found this out by itself. */
#define FOLDS_BELOW "max-width: 860sp"

void
sl_side_view_make_parts (SlSideViewParts *parts)
{
  GtkWidget *bin = adw_breakpoint_bin_new ();
  GtkWidget *view = adw_overlay_split_view_new ();
  AdwOverlaySplitView *split = ADW_OVERLAY_SPLIT_VIEW (view);
  AdwBreakpoint *breakpoint = adw_breakpoint_new (adw_breakpoint_condition_parse (FOLDS_BELOW));

  adw_overlay_split_view_set_min_sidebar_width (split, PANEL_WIDTH);
  adw_overlay_split_view_set_max_sidebar_width (split, PANEL_WIDTH);
  adw_overlay_split_view_set_sidebar_width_unit (split, ADW_LENGTH_UNIT_PX);
  adw_breakpoint_add_setters (breakpoint, G_OBJECT (view), "collapsed", TRUE, NULL);
  gtk_widget_set_size_request (bin, 360, 400);
  adw_breakpoint_bin_set_child (ADW_BREAKPOINT_BIN (bin), view);
  adw_breakpoint_bin_add_breakpoint (ADW_BREAKPOINT_BIN (bin), breakpoint);
  *parts = (SlSideViewParts){ .child = bin,
                              .view = view,
                              .panel = "sidebar",
                              .page = "content",
                              .panel_shown = "show-sidebar",
                              .folded = "collapsed" };
}
