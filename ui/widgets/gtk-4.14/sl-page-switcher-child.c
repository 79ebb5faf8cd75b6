/* sl-page-switcher-child.c - see sl-page-switcher.h; for libadwaita 1.4 and newer.
 *
 * Easy to get wrong: the header bar gives its title the natural width and no more. So the buttons count for it also while they are hidden, or
 * they would never come back; and only the title counts for the least width.
 */
#include "ui/widgets/sl-page-switcher.h"

static void
measure (GtkWidget *widget,
         GtkOrientation orientation,
         int for_size,
         int *minimum,
         int *natural,
         int *minimum_baseline,
         int *natural_baseline)
{
  GtkWidget *title = gtk_widget_get_last_child (widget);
  int least, wanted;

  gtk_widget_measure (gtk_widget_get_first_child (widget), orientation, -1, &least, &wanted, NULL, NULL);
  gtk_widget_measure (title, orientation, -1, minimum, natural, NULL, NULL);
  if (orientation == GTK_ORIENTATION_VERTICAL)
    *minimum = MAX (*minimum, least);
  *natural = MAX (*natural, wanted);
}

/* Not while sizes are given out: what is below the pages comes and goes with it. */
static void
tell (gpointer child)
{
  gboolean title_visible = gtk_widget_get_child_visible (gtk_widget_get_last_child (child));

  if (gtk_widget_get_parent (child))
    g_object_set (gtk_widget_get_parent (child), "title-visible", title_visible, NULL);
  g_object_unref (child);
}

static void
allocate (GtkWidget *widget, int width, int height, int baseline)
{
  GtkWidget *buttons = gtk_widget_get_first_child (widget);
  GtkWidget *title = gtk_widget_get_last_child (widget);
  int wanted;
  gboolean fits;

  gtk_widget_measure (buttons, GTK_ORIENTATION_HORIZONTAL, -1, NULL, &wanted, NULL, NULL);
  fits = width >= wanted;
  if (gtk_widget_get_child_visible (title) == fits)
    {
      gtk_widget_set_child_visible (buttons, fits);
      gtk_widget_set_child_visible (title, !fits);
      g_idle_add_once (tell, g_object_ref (widget));
    }
  gtk_widget_allocate (fits ? buttons : title, width, height, baseline, NULL);
}

GtkWidget *
sl_page_switcher_make_child (SlPageSwitcher *self, AdwViewStack *stack, const char *title)
{
  GtkWidget *child = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  GtkWidget *buttons = adw_view_switcher_new ();
  GtkWidget *label = adw_window_title_new (title, "");

  gtk_widget_set_layout_manager (child, gtk_custom_layout_new (NULL, measure, allocate));
  adw_view_switcher_set_stack (ADW_VIEW_SWITCHER (buttons), stack);
  adw_view_switcher_set_policy (ADW_VIEW_SWITCHER (buttons), ADW_VIEW_SWITCHER_POLICY_WIDE);
  gtk_box_append (GTK_BOX (child), buttons);
  gtk_box_append (GTK_BOX (child), label);
  gtk_widget_set_child_visible (label, FALSE);
  return child;
}
