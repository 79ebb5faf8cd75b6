/* sl-focus.c - see sl-focus.h. */
#include "ui/widgets/sl-focus.h"

/* Into the nearest widget after it that takes the keyboard, or else before it. */
static gboolean
go_beside (GtkWidget *widget)
{
  for (GtkWidget *next = widget; (next = gtk_widget_get_next_sibling (next));)
    if (gtk_widget_child_focus (next, GTK_DIR_TAB_FORWARD))
      return TRUE;
  for (GtkWidget *before = widget; (before = gtk_widget_get_prev_sibling (before));)
    if (gtk_widget_child_focus (before, GTK_DIR_TAB_BACKWARD))
      return TRUE;
  return FALSE;
}

void
sl_focus_leave (GtkWidget *widget)
{
  GtkRoot *root = gtk_widget_get_root (widget);
  GtkWidget *focus = root ? gtk_root_get_focus (root) : NULL;

  if (focus == NULL || (focus != widget && !gtk_widget_is_ancestor (focus, widget)))
    return;
  for (; widget && !GTK_IS_NATIVE (widget); widget = gtk_widget_get_parent (widget))
    if (go_beside (widget))
      return;
}
