/* sl-recent-comparisons.c - see sl-recent-comparisons.h. */
#include "ui/compare/sl-recent-comparisons.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-canvas.h"

#define SIDE 48 /* of a thumbnail, whichever size its picture has: the texts of all rows begin at one place */

struct _SlRecentComparisons
{
  AdwBin parent_instance;
  AdwPreferencesGroup *group;
  GtkListBox *list;
  SlComparisonShelf *shelf;
  GListModel *schedulers; /* of SlSchedulerItem: their names */
};

G_DEFINE_FINAL_TYPE (SlRecentComparisons, sl_recent_comparisons, ADW_TYPE_BIN)

static const char *
name_of (SlRecentComparisons *self, const char *id)
{
  guint position = sl_scheduler_items_find (self->schedulers, id);
  g_autoptr (SlSchedulerItem) item = g_list_model_get_item (self->schedulers, position);

  return item ? sl_scheduler_item_get_name (item) : id;
}

static char *
list_schedulers (SlRecentComparisons *self, SlKeptComparison *kept)
{
  const char *const *ids = sl_kept_comparison_get_schedulers (kept);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; ids[i]; i++)
    g_ptr_array_add (names, (gpointer)name_of (self, ids[i]));
  g_ptr_array_add (names, NULL);
  return g_strjoinv (_ (", "), (char **)names->pdata);
}

/* "29.11.2026 22:41  ·  4 lanes  ·  PNDM, DDIM" */
static char *
describe (SlRecentComparisons *self, SlKeptComparison *kept)
{
  g_autoptr (GDateTime) time
      = g_date_time_new_from_unix_local (sl_kept_comparison_get_time (kept) / G_USEC_PER_SEC);
  g_autofree char *when = time ? g_date_time_format (time, "%x %H:%M") : g_strdup ("");
  guint n = sl_kept_comparison_get_lanes (kept);
  g_autofree char *lanes = g_strdup_printf (ngettext ("%u lane", "%u lanes", n), n);
  g_autofree char *schedulers = list_schedulers (self, kept);

  return g_strjoin ("  ·  ", when, lanes, schedulers, NULL);
}

static GtkWidget *
make_thumbnails (SlKeptComparison *kept)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 2);
  int width, height;
  GBytes *rgb;

  for (guint i = 0; (rgb = sl_kept_comparison_get_thumbnail (kept, i, &width, &height)); i++)
    {
      g_autoptr (GdkTexture) texture = sl_texture_new_rgb (rgb, width, height);
      GtkWidget *picture = gtk_image_new_from_paintable (GDK_PAINTABLE (texture));

      gtk_image_set_pixel_size (GTK_IMAGE (picture), SIDE);
      gtk_widget_set_valign (picture, GTK_ALIGN_CENTER);
      gtk_widget_set_overflow (picture, GTK_OVERFLOW_HIDDEN);
      gtk_widget_add_css_class (picture, "recent-print");
      gtk_accessible_update_property (GTK_ACCESSIBLE (picture), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                      sl_kept_comparison_get_prompt (kept), -1);
      gtk_box_append (GTK_BOX (box), picture);
    }
  return box;
}

static void
remove_clicked (SlRecentComparisons *self, GtkButton *button)
{
  sl_comparison_shelf_remove (self->shelf, g_object_get_data (G_OBJECT (button), "sl-kept"));
}

static GtkWidget *
make_remove (SlRecentComparisons *self, SlKeptComparison *kept)
{
  GtkWidget *button = gtk_button_new_from_icon_name ("user-trash-symbolic");

  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (button, _ ("Move this comparison to the trash"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Move this comparison to the trash"), -1);
  g_object_set_data_full (G_OBJECT (button), "sl-kept", g_object_ref (kept), g_object_unref);
  g_signal_connect_object (button, "clicked", G_CALLBACK (remove_clicked), self, G_CONNECT_SWAPPED);
  return button;
}

static GtkWidget *
create_row (gpointer item, gpointer user_data)
{
  SlRecentComparisons *self = user_data;
  SlKeptComparison *kept = item;
  const char *prompt = sl_kept_comparison_get_prompt (kept);
  g_autofree char *line = g_strdelimit (g_strdup (prompt), "\r\n", ' ');
  g_autofree char *title = g_markup_escape_text (*prompt ? line : _ ("Comparison without a prompt"), -1);
  g_autofree char *text = describe (self, kept);
  g_autofree char *subtitle = g_markup_escape_text (text, -1);
  AdwActionRow *row = ADW_ACTION_ROW (adw_action_row_new ());

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_title_lines (row, 1);
  adw_action_row_set_subtitle (row, subtitle);
  adw_action_row_set_subtitle_lines (row, 2);
  adw_action_row_add_prefix (row, make_thumbnails (kept));
  adw_action_row_add_suffix (row, make_remove (self, kept));
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  g_object_set_data_full (G_OBJECT (row), "sl-kept", g_object_ref (kept), g_object_unref);
  return GTK_WIDGET (row);
}

static void
row_activated (SlRecentComparisons *self, GtkListBoxRow *row)
{
  SlKeptComparison *kept = g_object_get_data (G_OBJECT (row), "sl-kept");

  gtk_widget_activate_action (GTK_WIDGET (self), "win.open-path", "s", sl_kept_comparison_get_path (kept));
}

static void
items_changed (SlRecentComparisons *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self), g_list_model_get_n_items (G_LIST_MODEL (self->shelf)) > 0);
}

void
sl_recent_comparisons_connect (SlRecentComparisons *self, SlComparisonShelf *shelf)
{
  self->shelf = g_object_ref (shelf);
  gtk_list_box_bind_model (self->list, G_LIST_MODEL (shelf), create_row, self, NULL);
  g_signal_connect_object (shelf, "items-changed", G_CALLBACK (items_changed), self, G_CONNECT_SWAPPED);
  items_changed (self);
}

static void
sl_recent_comparisons_dispose (GObject *object)
{
  SlRecentComparisons *self = SL_RECENT_COMPARISONS (object);

  if (self->shelf)
    gtk_list_box_bind_model (self->list, NULL, NULL, NULL, NULL);
  g_clear_object (&self->shelf);
  g_clear_object (&self->schedulers);
  G_OBJECT_CLASS (sl_recent_comparisons_parent_class)->dispose (object);
}

static void
sl_recent_comparisons_class_init (SlRecentComparisonsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_recent_comparisons_dispose;
}

static void
sl_recent_comparisons_init (SlRecentComparisons *self)
{
  self->schedulers = sl_scheduler_items_new ();
  self->group = ADW_PREFERENCES_GROUP (adw_preferences_group_new ());
  self->list = GTK_LIST_BOX (gtk_list_box_new ());
  adw_preferences_group_set_title (self->group, _ ("Recent Comparisons"));
  gtk_list_box_set_selection_mode (self->list, GTK_SELECTION_NONE);
  gtk_widget_set_name (GTK_WIDGET (self->list), "recent-list");
  gtk_widget_add_css_class (GTK_WIDGET (self->list), "boxed-list");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Recent Comparisons"), -1);
  adw_preferences_group_add (self->group, GTK_WIDGET (self->list));
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->group));
  g_signal_connect_object (self->list, "row-activated", G_CALLBACK (row_activated), self, G_CONNECT_SWAPPED);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}
