/* sl-page-switcher-child.c - see sl-page-switcher.h; for libadwaita 1.2. */
#include "ui/widgets/sl-page-switcher.h"

GtkWidget *
sl_page_switcher_make_child (SlPageSwitcher *self, AdwViewStack *stack, const char *title)
{
  GtkWidget *child = adw_view_switcher_title_new ();

  adw_view_switcher_title_set_stack (ADW_VIEW_SWITCHER_TITLE (child), stack);
  adw_view_switcher_title_set_title (ADW_VIEW_SWITCHER_TITLE (child), title);
  g_object_bind_property (child, "title-visible", self, "title-visible", G_BINDING_SYNC_CREATE);
  return child;
}
