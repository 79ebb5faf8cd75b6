/* sl-compare-setup.c - the compare view's keys, and the comparisons and lanes that are offered ready-made. See
 * sl-compare-view-private.h.
 */
#include "ui/compare/sl-compare-view-private.h"

#include <glib/gi18n.h>

/* ---- keyboard ---- */

static gboolean
choose_number (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  SlCompareView *self = SL_COMPARE_VIEW (widget);
  SlLaneView *lane = sl_compare_view_get_lane (self, (guint)g_variant_get_int32 (arguments) - 1);

  return lane && gtk_widget_grab_focus (GTK_WIDGET (lane));
}

static gboolean
move_place (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  sl_comparison_move (SL_COMPARE_VIEW (widget)->comparison, g_variant_get_int32 (arguments));
  return TRUE;
}

static gboolean
next_align (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  GtkDropDown *align = SL_COMPARE_VIEW (widget)->align;

  gtk_drop_down_set_selected (align, (gtk_drop_down_get_selected (align) + 1) % 3);
  return TRUE;
}

static gboolean
open_add_menu (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  gtk_menu_button_popup (SL_COMPARE_VIEW (widget)->add_button);
  return TRUE;
}

void
_sl_compare_view_add_keys (GtkWidgetClass *klass)
{
  for (int i = 1; i <= SL_COMPARISON_MAX; i++)
    gtk_widget_class_add_binding (klass, GDK_KEY_0 + i, 0, choose_number, "i", i);
  gtk_widget_class_add_binding (klass, GDK_KEY_Left, 0, move_place, "i", -1);
  gtk_widget_class_add_binding (klass, GDK_KEY_Right, 0, move_place, "i", 1);
  gtk_widget_class_add_binding (klass, GDK_KEY_Home, 0, move_place, "i", G_MININT);
  gtk_widget_class_add_binding (klass, GDK_KEY_End, 0, move_place, "i", G_MAXINT);
  gtk_widget_class_add_binding (klass, GDK_KEY_l, 0, next_align, NULL);
  gtk_widget_class_add_binding (klass, GDK_KEY_l, GDK_CONTROL_MASK, open_add_menu, NULL);
  gtk_widget_class_add_binding_action (klass, GDK_KEY_n, 0, "compare.noisy", NULL);
  gtk_widget_class_add_binding_action (klass, GDK_KEY_d, 0, "compare.difference", NULL);
  gtk_widget_class_add_binding_action (klass, GDK_KEY_f, 0, "compare.fast", NULL);
  gtk_widget_class_add_binding_action (klass, GDK_KEY_p, 0, "win.compare-pause", NULL);
  gtk_widget_class_add_binding_action (klass, GDK_KEY_0, 0, "compare.zoom-fit", NULL);
  gtk_widget_class_add_binding_action (klass, GDK_KEY_plus, 0, "compare.zoom-in", NULL);
  gtk_widget_class_add_binding_action (klass, GDK_KEY_minus, 0, "compare.zoom-out", NULL);
}

/* ---- ready-made comparisons ---- */

static const struct
{
  const char *target;
  const char *title;
  const char *explanation;
  gboolean words;  /* only for models that take a prompt */
  gboolean pixels; /* only for those that take none */
} ready_made[] = {
  { "four", N_ ("Four Schedulers"), N_ ("PNDM, DDIM, DPM++ 2M and UniPC"), FALSE, FALSE },
  { "schedulers", N_ ("Nine Schedulers"), N_ ("A full table, to find your favourite"), FALSE, FALSE },
  { "steps", N_ ("Numbers of Steps"), N_ ("How few are enough?"), FALSE, FALSE },
  { "guidance", N_ ("Guidance"), N_ ("How closely to follow the words"), TRUE, FALSE },
  { "sigmas", N_ ("Noise Schedules"), N_ ("Karras, exponential and beta"), FALSE, FALSE },
  { "seeds", N_ ("Seeds"), N_ ("The same words, other noise"), FALSE, FALSE },
  { "variances", N_ ("Variance Types"), N_ ("How much fresh noise DDPM adds"), FALSE, TRUE },
};

static GtkWidget *
make_preset (guint i)
{
  GtkWidget *button = gtk_button_new (), *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *title = gtk_label_new (_ (ready_made[i].title));
  GtkWidget *explanation = gtk_label_new (_ (ready_made[i].explanation));

  gtk_widget_add_css_class (title, "heading");
  gtk_widget_add_css_class (explanation, "caption");
  gtk_label_set_wrap (GTK_LABEL (explanation), TRUE);
  gtk_label_set_justify (GTK_LABEL (explanation), GTK_JUSTIFY_CENTER);
  gtk_box_append (GTK_BOX (box), title);
  gtk_box_append (GTK_BOX (box), explanation);
  gtk_button_set_child (GTK_BUTTON (button), box);
  gtk_widget_add_css_class (button, "preset");
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "win.compare-preset");
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "s", ready_made[i].target);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ (ready_made[i].title), -1);
  return button;
}

void
_sl_compare_view_fill_menus (SlCompareView *self)
{
  g_autoptr (GListModel) schedulers = sl_scheduler_items_new ();

  for (guint i = 0; i < G_N_ELEMENTS (ready_made); i++)
    {
      gtk_flow_box_append (self->presets, make_preset (i));
      gtk_widget_set_focusable (GTK_WIDGET (gtk_flow_box_get_child_at_index (self->presets, (int)i)), FALSE);
    }
  for (guint i = 0; i < g_list_model_get_n_items (schedulers); i++)
    {
      g_autoptr (SlSchedulerItem) item = g_list_model_get_item (schedulers, i);
      g_autoptr (GMenuItem) entry = g_menu_item_new (sl_scheduler_item_get_name (item), NULL);

      g_menu_item_set_action_and_target (entry, "win.compare-add", "s", sl_scheduler_item_get_id (item));
      g_menu_append_item (self->scheduler_menu, entry);
    }
}

void
sl_compare_view_set_prompts (SlCompareView *self, gboolean prompts)
{
  for (guint i = 0; i < G_N_ELEMENTS (ready_made); i++)
    gtk_widget_set_visible (GTK_WIDGET (gtk_flow_box_get_child_at_index (self->presets, (int)i)),
                            prompts ? !ready_made[i].pixels : !ready_made[i].words);
}
