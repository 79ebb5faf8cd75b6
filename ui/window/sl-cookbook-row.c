/* sl-cookbook-row.c - see sl-cookbook-row.h. */
#include "ui/window/sl-cookbook-row.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-notice.h"

#define KEY "sl-kept-recipe"
#define UNDO_SECONDS 8

GtkWidget *
sl_cookbook_row_new (SlKeptRecipe *kept, const char *title, const char *subtitle)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *title_markup = g_markup_escape_text (title, -1);
  g_autofree char *subtitle_markup = g_markup_escape_text (subtitle, -1);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title_markup);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle_markup);
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 2);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 1);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  g_object_set_data_full (G_OBJECT (row), KEY, g_object_ref (kept), g_object_unref);
  return row;
}

void
sl_cookbook_row_add_button (
    GtkWidget *row, const char *icon, const char *name, GCallback clicked, gpointer user_data)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);

  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (button, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_object_set_data_full (G_OBJECT (button), KEY, g_object_ref (sl_cookbook_row_get (row)), g_object_unref);
  g_signal_connect_object (button, "clicked", clicked, user_data, G_CONNECT_SWAPPED);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
}

SlKeptRecipe *
sl_cookbook_row_get (gpointer row_or_button)
{
  return g_object_get_data (row_or_button, KEY);
}

static guint
find (SlCookbook *cookbook, SlKeptRecipe *kept)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (cookbook)); i++)
    {
      g_autoptr (SlKeptRecipe) other = g_list_model_get_item (G_LIST_MODEL (cookbook), i);

      if (other == kept)
        return i;
    }
  return G_MAXUINT;
}

guint
sl_cookbook_row_find (SlCookbook *cookbook, gpointer row_or_button)
{
  return find (cookbook, sl_cookbook_row_get (row_or_button));
}

/* ---- taken off, and back ---- */

typedef struct
{
  SlCookbook *cookbook;
  guint position;
  GPtrArray *taken; /* of SlKeptRecipe, from that position on */
} Taken;

static void
taken_free (gpointer data, GClosure *closure)
{
  Taken *taken = data;

  g_object_unref (taken->cookbook);
  g_ptr_array_unref (taken->taken);
  g_free (taken);
}

static void
undo (AdwToast *toast, Taken *taken)
{
  for (guint i = 0; i < taken->taken->len; i++)
    sl_cookbook_insert (taken->cookbook, taken->position + i, taken->taken->pdata[i]);
  g_ptr_array_set_size (taken->taken, 0);
}

static void
take (SlCookbook *cookbook, guint position, guint count, GtkWidget *from, const char *said)
{
  Taken *taken = g_new (Taken, 1);
  AdwToast *toast = adw_toast_new (said);

  *taken = (Taken){ g_object_ref (cookbook), position, g_ptr_array_new_with_free_func (g_object_unref) };
  for (guint i = 0; i < count; i++)
    {
      g_ptr_array_add (taken->taken, g_list_model_get_item (G_LIST_MODEL (cookbook), position));
      sl_cookbook_remove (cookbook, position);
    }
  adw_toast_set_timeout (toast, UNDO_SECONDS);
  adw_toast_set_priority (toast, ADW_TOAST_PRIORITY_HIGH);
  adw_toast_set_button_label (toast, _ ("_Undo"));
  g_signal_connect_data (toast, "button-clicked", G_CALLBACK (undo), taken, taken_free, 0);
  sl_notice_add_toast (from, toast);
}

void
sl_cookbook_row_take (SlCookbook *cookbook, GtkButton *button, const char *said)
{
  guint position = sl_cookbook_row_find (cookbook, button);
  GtkWidget *from = GTK_WIDGET (gtk_widget_get_root (GTK_WIDGET (button))); /* the button goes with its row */

  if (position != G_MAXUINT)
    take (cookbook, position, 1, from, said);
}

void
sl_cookbook_take_all (SlCookbook *cookbook, GtkWidget *from, const char *said)
{
  guint count = g_list_model_get_n_items (G_LIST_MODEL (cookbook));

  if (count > 0)
    take (cookbook, 0, count, from, said);
}
