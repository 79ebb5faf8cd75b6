/* sl-setting-row.c - see sl-setting-row.h. */
#include "ui/widgets/sl-setting-row.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/widgets/sl-wheel.h"

/* A spin button counts in doubles: whole numbers beyond this one have none of their own. */
#define MAX_SEED 9007199254740992.0

void
sl_setting_row_name (AdwPreferencesRow *row, const SlControl *control)
{
  adw_preferences_row_set_title (row, _ (control->label));
  adw_preferences_row_set_use_underline (row, TRUE);
  gtk_widget_set_tooltip_text (GTK_WIDGET (row), control->help ? _ (control->help) : NULL);
}

void
sl_setting_row_fill (AdwComboRow *row, const SlControl *control, const char *first)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  g_autoptr (GListModel) schedulers = NULL;

  if (first)
    gtk_string_list_append (names, first);
  for (guint i = 0; i < control->n_choices; i++)
    gtk_string_list_append (names, _ (control->choice_labels[i]));
  if (control->kind == SL_CONTROL_SCHEDULER)
    schedulers = sl_scheduler_items_new ();
  for (guint i = 0; schedulers && i < g_list_model_get_n_items (schedulers); i++)
    {
      g_autoptr (SlSchedulerItem) item = g_list_model_get_item (schedulers, i);

      gtk_string_list_append (names, sl_scheduler_item_get_name (item));
    }
  adw_combo_row_set_model (row, G_LIST_MODEL (names));
}

void
sl_setting_row_adjust (GtkAdjustment *adjustment, const SlControl *control)
{
  gtk_adjustment_configure (adjustment, gtk_adjustment_get_value (adjustment), control->min, control->max,
                            control->step, control->page, 0);
}

GtkSpinButton *
sl_setting_row_spin (const SlControl *control)
{
  GtkAdjustment *adjustment = gtk_adjustment_new (0, 0, MAX_SEED, 1, 1000, 0);
  g_autofree char *longest = NULL;
  GtkWidget *spin;

  if (control->kind == SL_CONTROL_NUMBER)
    sl_setting_row_adjust (adjustment, control);
  spin = gtk_spin_button_new (adjustment, 0, control->digits);
  sl_wheel_scrolls_page (spin);
  gtk_widget_set_name (spin, control->property);
  gtk_widget_set_valign (spin, GTK_ALIGN_CENTER);
  gtk_spin_button_set_numeric (GTK_SPIN_BUTTON (spin), TRUE);
  longest = g_strdup_printf ("%.*f", (int)control->digits, control->max);
  gtk_editable_set_width_chars (GTK_EDITABLE (spin),
                                control->kind == SL_CONTROL_SEED ? 10 : (int)strlen (longest));
  return GTK_SPIN_BUTTON (spin);
}

double
sl_setting_row_number (const SlControl *control, SlSettings *settings)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_DOUBLE);
  g_object_get_property (G_OBJECT (settings), control->property, &value);
  return g_value_get_double (&value) < control->min ? sl_control_get_default (control, settings)
                                                    : g_value_get_double (&value);
}

guint
sl_setting_row_choice (const SlControl *control, SlSettings *settings)
{
  guint choice;

  g_object_get (settings, control->property, &choice, NULL);
  return choice;
}

void
sl_setting_row_set_number (const SlControl *control, SlSettings *settings, double number)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_DOUBLE);
  g_value_set_double (&value, control->digits ? number : round (number));
  g_object_set_property (G_OBJECT (settings), control->property, &value);
}

char *
sl_setting_phrase (const SlControl *control, const char *value)
{
  g_auto (GStrv) around = g_strsplit (_ (control->phrase), "%s", 2);

  return g_strjoinv (value, around);
}
