/* sl-page-switcher.h - in a header bar: the buttons of a stack's pages, or where there is no room for them a title ("title-visible"; the buttons
 * are below the pages then).
 *
 * An AdwViewSwitcherTitle (gtk-4.8/), and since libadwaita 1.4 an AdwViewSwitcher (gtk-4.14/). Properties: "stack" (AdwViewStack, once),
 * "title" (once, before "stack"), "title-visible".
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_PAGE_SWITCHER (sl_page_switcher_get_type ())

G_DECLARE_FINAL_TYPE (SlPageSwitcher, sl_page_switcher, SL, PAGE_SWITCHER, AdwBin)

/* For the toolkit's part of it only: returns the child, and keeps "title-visible" of self up to date from then on. */
GtkWidget *sl_page_switcher_make_child (SlPageSwitcher *self, AdwViewStack *stack, const char *title);

G_END_DECLS
