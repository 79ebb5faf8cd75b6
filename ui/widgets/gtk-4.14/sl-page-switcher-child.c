/* sl-page-switcher-child.c - see sl-page-switcher.h; for libadwaita 1.4 and newer.
 *
 * Easy to get wrong: the header bar gives its title the natural width and no more. So both children count for it, the hidden one, too; with the
 * title's alone the buttons would never come back.
 */
#include "ui/widgets/sl-page-switcher.h"

/* A pixel less than the buttons want, and they go; known once the stack has its pages, in the person's language and letters. */
static void
measure (GtkWidget *switcher, AdwBreakpoint *breakpoint)
{
  int natural;

  gtk_widget_measure (switcher, GTK_ORIENTATION_HORIZONTAL, -1, NULL, &natural, NULL, NULL);
  adw_breakpoint_set_condition (
      breakpoint, adw_breakpoint_condition_new_length (ADW_BREAKPOINT_CONDITION_MAX_WIDTH,
                                                       MAX (natural - 1, 1), ADW_LENGTH_UNIT_PX));
}

GtkWidget *
sl_page_switcher_make_child (SlPageSwitcher *self, AdwViewStack *stack, const char *title)
{
  GtkWidget *bin = adw_breakpoint_bin_new ();
  GtkWidget *either = gtk_stack_new ();
  GtkWidget *switcher = adw_view_switcher_new ();
  GtkWidget *label = adw_window_title_new (title, "");
  AdwBreakpoint *breakpoint = adw_breakpoint_new (
      adw_breakpoint_condition_new_length (ADW_BREAKPOINT_CONDITION_MAX_WIDTH, 1, ADW_LENGTH_UNIT_PX));

  adw_view_switcher_set_stack (ADW_VIEW_SWITCHER (switcher), stack);
  adw_view_switcher_set_policy (ADW_VIEW_SWITCHER (switcher), ADW_VIEW_SWITCHER_POLICY_WIDE);
  gtk_stack_add_child (GTK_STACK (either), switcher);
  gtk_stack_add_child (GTK_STACK (either), label);
  adw_breakpoint_add_setters (breakpoint, G_OBJECT (either), "visible-child", label, G_OBJECT (self),
                              "title-visible", TRUE, NULL);
  gtk_widget_set_size_request (bin, 1, 1);
  adw_breakpoint_bin_set_child (ADW_BREAKPOINT_BIN (bin), either);
  adw_breakpoint_bin_add_breakpoint (ADW_BREAKPOINT_BIN (bin), breakpoint);
  g_signal_connect_object (switcher, "map", G_CALLBACK (measure), breakpoint, 0);
  return bin;
}
