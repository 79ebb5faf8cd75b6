/* sl-scheduler-rows.c - see sl-scheduler-rows.h.
 *
 * GTK has headings in lists since 4.12 only; so a group's heading is a part of its first scheduler's row.
 */
#include "ui/widgets/sl-scheduler-rows.h"

#include <glib/gi18n.h>

#include "app/objects/objects.h"

#define CHARACTERS 42

typedef struct
{
  AdwComboRow *row; /* not held: it holds the factory */
  GListModel *schedulers;
  guint before;
} Rows;

/* What a row of the list has. */
typedef struct
{
  GtkWidget *heading;
  GtkLabel *group, *group_words, *name, *words;
  GtkWidget *check;
} Parts;

static void
rows_free (gpointer data, GClosure *closure)
{
  Rows *rows = data;

  g_object_unref (rows->schedulers);
  g_free (rows);
}

static GtkWidget *
new_label (GtkBox *box, const char *first, const char *second)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_max_width_chars (GTK_LABEL (label), CHARACTERS);
  if (first)
    gtk_widget_add_css_class (label, first);
  if (second)
    gtk_widget_add_css_class (label, second);
  gtk_box_append (box, label);
  return label;
}

static void
set_up (GtkSignalListItemFactory *factory, GtkListItem *item, Rows *rows)
{
  GtkWidget *all = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2),
            *line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *texts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  Parts *parts = g_new0 (Parts, 1);

  parts->heading = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  gtk_widget_set_margin_top (parts->heading, 8);
  gtk_widget_set_margin_bottom (parts->heading, 4);
  gtk_box_append (GTK_BOX (all), parts->heading);
  gtk_box_append (GTK_BOX (all), line);
  parts->group = GTK_LABEL (new_label (GTK_BOX (parts->heading), "heading", NULL));
  parts->group_words = GTK_LABEL (new_label (GTK_BOX (parts->heading), "caption", "dim-label"));
  parts->name = GTK_LABEL (new_label (GTK_BOX (texts), NULL, NULL));
  parts->words = GTK_LABEL (new_label (GTK_BOX (texts), "caption", "dim-label"));
  parts->check = gtk_image_new_from_icon_name ("object-select-symbolic");
  gtk_widget_set_hexpand (texts, TRUE);
  gtk_box_append (GTK_BOX (line), texts);
  gtk_box_append (GTK_BOX (line), parts->check);
  g_object_set_data_full (G_OBJECT (item), "sl-parts", parts, g_free);
  gtk_list_item_set_child (item, all);
}

static void
show_check (GtkListItem *item)
{
  Parts *parts = g_object_get_data (G_OBJECT (item), "sl-parts");
  AdwComboRow *row = g_object_get_data (G_OBJECT (item), "sl-row");

  gtk_widget_set_opacity (parts->check,
                          adw_combo_row_get_selected (row) == gtk_list_item_get_position (item) ? 1 : 0);
}

static SlSchedulerItem *
scheduler_at (const Rows *rows, guint position)
{
  return position >= rows->before ? g_list_model_get_item (rows->schedulers, position - rows->before) : NULL;
}

/* The first of a group, or of all. */
static gboolean
begins_group (const Rows *rows, guint position, SlSchedulerItem *scheduler)
{
  g_autoptr (SlSchedulerItem) other = position > rows->before ? scheduler_at (rows, position - 1) : NULL;

  return other == NULL || sl_scheduler_item_get_group (other) != sl_scheduler_item_get_group (scheduler);
}

static void
show_words (GtkLabel *label, const char *words)
{
  gtk_label_set_text (label, words ? words : "");
  gtk_widget_set_visible (GTK_WIDGET (label), words != NULL);
}

static void
bind (GtkSignalListItemFactory *factory, GtkListItem *item, Rows *rows)
{
  Parts *parts = g_object_get_data (G_OBJECT (item), "sl-parts");
  guint position = gtk_list_item_get_position (item);
  g_autoptr (SlSchedulerItem) scheduler = scheduler_at (rows, position);
  gpointer entry = gtk_list_item_get_item (item);

  gtk_widget_set_visible (parts->heading, scheduler && begins_group (rows, position, scheduler));
  if (scheduler)
    {
      show_words (parts->group, _ (sl_scheduler_item_get_group (scheduler)));
      show_words (parts->group_words, _ (sl_scheduler_item_get_group_good_for (scheduler)));
      show_words (parts->name, sl_scheduler_item_get_name (scheduler));
      show_words (parts->words, _ (sl_scheduler_item_get_good_for (scheduler)));
    }
  else
    {
      show_words (parts->name, GTK_IS_STRING_OBJECT (entry) ? gtk_string_object_get_string (entry) : NULL);
      show_words (parts->words, NULL);
    }
  g_object_set_data (G_OBJECT (item), "sl-row", rows->row);
  g_signal_connect_object (rows->row, "notify::selected", G_CALLBACK (show_check), item, G_CONNECT_SWAPPED);
  show_check (item);
}

static void
unbind (GtkSignalListItemFactory *factory, GtkListItem *item, Rows *rows)
{
  g_signal_handlers_disconnect_by_data (rows->row, item);
}

void
sl_scheduler_rows_set_up (AdwComboRow *row, GListModel *schedulers, guint before)
{
  g_autoptr (GtkListItemFactory) factory = gtk_signal_list_item_factory_new ();
  Rows *rows = g_new0 (Rows, 1);

  *rows = (Rows){ row, g_object_ref (schedulers), before };
  g_signal_connect_data (factory, "setup", G_CALLBACK (set_up), rows, rows_free, 0);
  g_signal_connect (factory, "bind", G_CALLBACK (bind), rows);
  g_signal_connect (factory, "unbind", G_CALLBACK (unbind), rows);
  adw_combo_row_set_list_factory (row, factory);
}
