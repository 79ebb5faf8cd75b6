/* sl-wheel.c - see sl-wheel.h. */
#include "ui/widgets/sl-wheel.h"

void
sl_wheel_scrolls_page (GtkWidget *widget)
{
  g_autoptr (GListModel) controllers = NULL;

  if (!GTK_IS_SPIN_BUTTON (widget) && !GTK_IS_SCALE (widget))
    {
      for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
           child = gtk_widget_get_next_sibling (child))
        sl_wheel_scrolls_page (child);
      return;
    }
  controllers = gtk_widget_observe_controllers (widget);
  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++)
    {
      g_autoptr (GtkEventController) controller = g_list_model_get_item (controllers, i);

      if (GTK_IS_EVENT_CONTROLLER_SCROLL (controller))
        gtk_event_controller_set_propagation_phase (controller, GTK_PHASE_NONE);
    }
}
