/* sl-spoken.c - see sl-spoken.h. */
#include "ui/widgets/sl-spoken.h"

#include <adwaita.h>

#include "ui/widgets/sl-toolkit.h"

/* ---- what is chosen ---- */

/* The words of an entry, as the list shows them; NULL: it has none. Free with g_free. */
static char *
dup_words (GtkExpression *expression, gpointer entry)
{
  g_auto (GValue) value = G_VALUE_INIT;

  if (entry && expression && gtk_expression_evaluate (expression, entry, &value))
    return G_VALUE_HOLDS_STRING (&value) ? g_value_dup_string (&value) : NULL;
  return GTK_IS_STRING_OBJECT (entry) ? g_strdup (gtk_string_object_get_string (entry)) : NULL;
}

/* A description: that is all of a row or a button that every version of the toolkit tells, and tells of when it changes. */
static void
describe (GtkWidget *what, const char *chosen, const char *help)
{
  g_autofree char *text = chosen && help ? g_strdup_printf ("%s. %s", chosen, help) : NULL;

  if (chosen)
    gtk_accessible_update_property (GTK_ACCESSIBLE (what), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                    text ? text : chosen, -1);
}

static void
describe_row (AdwComboRow *row)
{
  g_autofree char *chosen
      = dup_words (adw_combo_row_get_expression (row), adw_combo_row_get_selected_item (row));

  describe (GTK_WIDGET (row), chosen, gtk_widget_get_tooltip_text (GTK_WIDGET (row)));
}

/* Of its button, which is what has the keyboard. */
static void
describe_list (GtkDropDown *list)
{
  g_autofree char *chosen
      = dup_words (gtk_drop_down_get_expression (list), gtk_drop_down_get_selected_item (list));

  describe (gtk_widget_get_first_child (GTK_WIDGET (list)), chosen,
            gtk_widget_get_tooltip_text (GTK_WIDGET (list)));
}

/* A widget may be realized more than once. The tooltip is the description that the toolkit would give. */
static void
follow (GtkWidget *widget, GCallback describe_it)
{
  g_signal_handlers_disconnect_by_func (widget, describe_it, NULL);
  g_signal_connect (widget, "notify::selected-item", describe_it, NULL);
  g_signal_connect (widget, "notify::tooltip-text", describe_it, NULL);
}

/* ---- every widget ---- */

static gboolean
realized (GSignalInvocationHint *hint, guint n_values, const GValue *values, gpointer data)
{
  GtkWidget *widget = g_value_get_object (values);

  sl_toolkit_hide_class_name (widget);
  if (ADW_IS_COMBO_ROW (widget))
    {
      follow (widget, G_CALLBACK (describe_row));
      describe_row (ADW_COMBO_ROW (widget));
    }
  else if (GTK_IS_DROP_DOWN (widget))
    {
      follow (widget, G_CALLBACK (describe_list));
      describe_list (GTK_DROP_DOWN (widget));
    }
  return TRUE;
}

void
sl_spoken_set_up (void)
{
  g_type_class_unref (g_type_class_ref (GTK_TYPE_WIDGET)); /* its signals are there from then on */
  g_signal_add_emission_hook (g_signal_lookup ("realize", GTK_TYPE_WIDGET), 0, realized, NULL, NULL);
}
