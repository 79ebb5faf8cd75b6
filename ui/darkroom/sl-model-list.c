/* sl-model-list.c - see sl-model-list.h. An entry is the model's name with a mark where it is the chosen one, what it
 * is, and what it needs, with a warning where that is more than there is.
 */
#include "ui/darkroom/sl-model-list.h"

#include <glib/gi18n.h>

#include "app/objects/objects.h"

/* The widgets of an entry. */
typedef struct
{
  GtkWidget *name;
  GtkWidget *chosen;
  GtkWidget *facts;
  GtkWidget *warning;
  GtkWidget *memory;
} Entry;

static GtkWidget *
label_new (const char *class)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 48);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_widget_add_css_class (label, class);
  return label;
}

static GtkWidget *
box_new (GtkOrientation orientation, int spacing, GtkWidget *first, GtkWidget *second)
{
  GtkWidget *box = gtk_box_new (orientation, spacing);

  gtk_box_append (GTK_BOX (box), first);
  gtk_box_append (GTK_BOX (box), second);
  return box;
}

static void
setup (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  Entry *entry = g_new (Entry, 1);
  GtkWidget *box;

  *entry = (Entry){ label_new ("heading"), gtk_image_new_from_icon_name ("object-select-symbolic"),
                    label_new ("caption"), gtk_image_new_from_icon_name ("dialog-warning-symbolic"),
                    label_new ("caption") };
  gtk_widget_add_css_class (entry->facts, "dim-label");
  gtk_widget_add_css_class (entry->warning, "warning");
  box = box_new (GTK_ORIENTATION_VERTICAL, 1,
                 box_new (GTK_ORIENTATION_HORIZONTAL, 12, entry->name, entry->chosen), entry->facts);
  gtk_box_append (GTK_BOX (box), box_new (GTK_ORIENTATION_HORIZONTAL, 6, entry->warning, entry->memory));
  gtk_widget_set_margin_top (box, 2);
  gtk_widget_set_margin_bottom (box, 2);
  g_object_set_data_full (G_OBJECT (item), "sl-entry", entry, g_free);
  gtk_list_item_set_child (item, box);
}

/* "Stable Diffusion XL · 6.9 GB · F16" */
static char *
facts_of (SlModelItem *model)
{
  g_autofree char *size = g_format_size (sl_model_item_get_bytes (model));
  const char *kind = sl_model_item_get_kind (model);

  return g_strdup_printf ("%s%s%s · %s · %s", sl_model_item_get_family (model), kind ? ", " : "",
                          kind ? kind : "", size, sl_model_item_get_stored_type (model));
}

static char *
memory_of (SlModelItem *model)
{
  g_autofree char *size = g_format_size_full (sl_model_item_get_memory (model), G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *needs
      = g_strdup_printf (_ ("Needs about %s of memory in %s"), size, sl_model_item_get_types (model));

  if (sl_model_item_fits (model))
    return g_steal_pointer (&needs);
  return g_strdup_printf ("%s: %s", needs, _ ("more than is free"));
}

static void
show_chosen (GtkListItem *item, GParamSpec *unused, AdwComboRow *row)
{
  const Entry *entry = g_object_get_data (G_OBJECT (item), "sl-entry");

  gtk_widget_set_opacity (entry->chosen,
                          adw_combo_row_get_selected_item (row) == gtk_list_item_get_item (item));
}

static void
bind (GtkSignalListItemFactory *factory, GtkListItem *item, AdwComboRow *row)
{
  SlModelItem *model = gtk_list_item_get_item (item);
  const Entry *entry = g_object_get_data (G_OBJECT (item), "sl-entry");
  gboolean fits = sl_model_item_fits (model);
  g_autofree char *facts = facts_of (model);
  g_autofree char *memory = memory_of (model);

  gtk_label_set_text (GTK_LABEL (entry->name), sl_model_item_get_name (model));
  gtk_label_set_text (GTK_LABEL (entry->facts), facts);
  gtk_label_set_text (GTK_LABEL (entry->memory), memory);
  gtk_widget_set_visible (gtk_widget_get_parent (entry->memory), sl_model_item_get_memory (model) > 0);
  gtk_widget_set_visible (entry->warning, !fits);
  gtk_widget_remove_css_class (entry->memory, fits ? "warning" : "dim-label");
  gtk_widget_add_css_class (entry->memory, fits ? "dim-label" : "warning");
  g_signal_connect_object (row, "notify::selected-item", G_CALLBACK (show_chosen), item, G_CONNECT_SWAPPED);
  show_chosen (item, NULL, row);
}

static void
unbind (GtkSignalListItemFactory *factory, GtkListItem *item, AdwComboRow *row)
{
  g_signal_handlers_disconnect_by_func (row, show_chosen, item);
}

GtkListItemFactory *
sl_model_list_factory_new (AdwComboRow *row)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();

  g_signal_connect (factory, "setup", G_CALLBACK (setup), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (bind), row);
  g_signal_connect (factory, "unbind", G_CALLBACK (unbind), row);
  return factory;
}
