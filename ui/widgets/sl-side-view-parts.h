/* sl-side-view-parts.h - what sl-side-view.c is made of, by the toolkit's generation. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

typedef struct
{
  GtkWidget *child; /* of the SlSideView */
  GtkWidget *view;  /* child, or in it: has the properties that are named below */
  const char *panel, *page, *panel_shown, *folded;
} SlSideViewParts;

void sl_side_view_make_parts (SlSideViewParts *parts);

G_END_DECLS
