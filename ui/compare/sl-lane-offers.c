/* sl-lane-offers.c - see sl-lane-offers.h. */
#include "ui/compare/sl-lane-offers.h"

#include <glib/gi18n.h>

#include "app/objects/objects.h"

static const struct
{
  const char *target;
  const char *title;
  const char *explanation;
  gboolean words;  /* only for models that take a prompt */
  gboolean pixels; /* only for those that take none */
  gboolean loras;  /* only for recipes that have some */
  gboolean caches; /* only for models that can take over a part of an evaluation */
} ready_made[] = {
  { "four", N_ ("Four Schedulers"), N_ ("PNDM, DDIM, DPM++ 2M and UniPC"), FALSE, FALSE, FALSE },
  { "schedulers", N_ ("All Schedulers"), N_ ("A full table, to find your favourite"), FALSE, FALSE, FALSE },
  { "steps", N_ ("Numbers of Steps"), N_ ("How few are enough?"), FALSE, FALSE, FALSE },
  { "guidance", N_ ("Guidance"), N_ ("How closely to follow the words"), TRUE, FALSE, FALSE },
  { "strengths", N_ ("LoRA Strengths"), N_ ("From off to as it was trained"), TRUE, FALSE, TRUE },
  { "sigmas", N_ ("Noise Schedules"), N_ ("All of them, from Karras to Align Your Steps"), FALSE, FALSE,
    FALSE },
  { "grid", N_ ("Two Settings"), N_ ("A grid with a picture for each pair of values"), FALSE, FALSE, FALSE },
  { "caching", N_ ("Cached Beside Exact"), N_ ("What sparing evaluations costs, and saves"), FALSE, FALSE,
    FALSE, TRUE },
  { "seeds", N_ ("Seeds"), N_ ("The same words, other noise"), FALSE, FALSE, FALSE },
  { "variances", N_ ("Variance Types"), N_ ("How much fresh noise DDPM adds"), FALSE, TRUE, FALSE },
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
sl_lane_offers_fill_presets (GtkFlowBox *presets)
{
  for (guint i = 0; i < G_N_ELEMENTS (ready_made); i++)
    {
      gtk_flow_box_append (presets, make_preset (i));
      gtk_widget_set_focusable (GTK_WIDGET (gtk_flow_box_get_child_at_index (presets, (int)i)), FALSE);
    }
}

void
sl_lane_offers_fill_schedulers (GMenu *menu, SlModelItem *model)
{
  g_autoptr (GListModel) schedulers = sl_scheduler_items_new ();
  g_autoptr (GMenu) section = NULL;
  const char *group = NULL;

  sl_scheduler_items_offer (schedulers, model);
  g_menu_remove_all (menu);
  for (guint i = 0; i < g_list_model_get_n_items (schedulers); i++)
    {
      g_autoptr (SlSchedulerItem) item = g_list_model_get_item (schedulers, i);
      g_autoptr (GMenuItem) entry = g_menu_item_new (sl_scheduler_item_get_name (item), NULL);

      if (group != sl_scheduler_item_get_group (item))
        {
          g_clear_object (&section);
          section = g_menu_new ();
          group = sl_scheduler_item_get_group (item);
          g_menu_append_section (menu, _ (group), G_MENU_MODEL (section));
        }
      g_menu_item_set_action_and_target (entry, "win.compare-add", "s", sl_scheduler_item_get_id (item));
      g_menu_append_item (section, entry);
    }
}

void
sl_lane_offers_suit (GtkFlowBox *presets, SlModelItem *model, gboolean loras)
{
  gboolean prompts = sl_model_item_uses_prompt (model);
  gboolean caches = model == NULL || sl_control_exists (sl_control_find ("caching"), model, "");

  for (guint i = 0; i < G_N_ELEMENTS (ready_made); i++)
    gtk_widget_set_visible (GTK_WIDGET (gtk_flow_box_get_child_at_index (presets, (int)i)),
                            (prompts ? !ready_made[i].pixels : !ready_made[i].words)
                                && (loras || !ready_made[i].loras) && (caches || !ready_made[i].caches));
}
