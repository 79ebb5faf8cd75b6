/* sl-side-view-parts.c - see sl-side-view-parts.h; for libadwaita 1.2. */
#include "ui/widgets/sl-side-view-parts.h"

void
sl_side_view_make_parts (SlSideViewParts *parts)
{
  GtkWidget *flap = adw_flap_new ();

  adw_flap_set_fold_policy (ADW_FLAP (flap), ADW_FLAP_FOLD_POLICY_AUTO);
  adw_flap_set_separator (ADW_FLAP (flap), gtk_separator_new (GTK_ORIENTATION_VERTICAL));
  *parts = (SlSideViewParts){ .child = flap,
                              .view = flap,
                              .panel = "flap",
                              .page = "content",
                              .panel_shown = "reveal-flap",
                              .folded = "folded" };
}
