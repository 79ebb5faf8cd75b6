/* sl-lora-chooser.c - see sl-lora-chooser.h.
 *
 * There may be thousands of files: one is read when its entry is shown for the first time.
 */
#include "ui/darkroom/sl-lora-chooser.h"

#include <glib/gi18n.h>

#include "ui/darkroom/sl-lora-picture.h"
#include "ui/darkroom/sl-lora-text.h"

struct _SlLoraChooser
{
  GtkPopover parent_instance;
  GtkSearchEntry *search;
  GtkStack *stack;
  GtkListView *list;
  GtkLabel *nothing;
  GtkButton *file;

  GListStore *found; /* of SlLora */
  GtkStringFilter *filter;
  GtkSingleSelection *shown;
  GHashTable *read; /* of those, for this model */
  SlLoraList *loras;
  SlModelItem *model; /* that what was read was read for */
};

G_DEFINE_FINAL_TYPE (SlLoraChooser, sl_lora_chooser, GTK_TYPE_POPOVER)

enum
{
  CHOSEN,
  FILE_ASKED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- entries ---- */

typedef struct
{
  SlLoraPicture *picture;
  GtkLabel *name;
  GtkLabel *line;
} Entry;

static void
set_up_entry (SlLoraChooser *self, GtkListItem *item)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
  GtkWidget *texts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  Entry *entry = g_new (Entry, 1);

  *entry = (Entry){ SL_LORA_PICTURE (sl_lora_picture_new ()), GTK_LABEL (gtk_label_new (NULL)),
                    GTK_LABEL (gtk_label_new (NULL)) };
  gtk_label_set_xalign (entry->name, 0);
  gtk_label_set_xalign (entry->line, 0);
  gtk_label_set_ellipsize (entry->name, PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_ellipsize (entry->line, PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (GTK_WIDGET (entry->line), "caption");
  gtk_widget_add_css_class (GTK_WIDGET (entry->line), "dim-label");
  gtk_widget_set_valign (texts, GTK_ALIGN_CENTER);
  gtk_widget_set_hexpand (texts, TRUE);
  gtk_box_append (GTK_BOX (texts), GTK_WIDGET (entry->name));
  gtk_box_append (GTK_BOX (texts), GTK_WIDGET (entry->line));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (entry->picture));
  gtk_box_append (GTK_BOX (box), texts);
  g_object_set_data_full (G_OBJECT (item), "sl-entry", entry, g_free);
  gtk_list_item_set_child (item, box);
}

/* Its name, and where it comes from or what is wrong with it. */
static char *
entry_line (SlLora *lora)
{
  const char *base = sl_lora_get_base (lora);
  SlLoraState state = sl_lora_get_state (lora);

  if (state != SL_LORA_FITS || base == NULL)
    return sl_lora_text_line (lora);
  return g_strdup_printf ("%s · %s", sl_lora_get_kinds (lora), base);
}

static void
show_entry (GtkListItem *item)
{
  SlLora *lora = gtk_list_item_get_item (item);
  const Entry *entry = g_object_get_data (G_OBJECT (item), "sl-entry");
  SlLoraChooser *self = g_object_get_data (G_OBJECT (item), "sl-chooser");
  g_autofree char *line = NULL;
  SlLoraState state;

  if (lora == NULL)
    return;
  state = sl_lora_get_state (lora);
  line = entry_line (lora);
  gtk_label_set_label (entry->name, sl_lora_get_name (lora));
  gtk_label_set_label (entry->line, line);
  gtk_widget_set_opacity (gtk_list_item_get_child (item),
                          state == SL_LORA_FITS || state == SL_LORA_READING ? 1 : 0.55);
  sl_lora_picture_show (entry->picture, sl_lora_list_get_files (self->loras), sl_lora_get_picture (lora));
}

static void
bind_entry (SlLoraChooser *self, GtkListItem *item)
{
  SlLora *lora = gtk_list_item_get_item (item);

  g_object_set_data (G_OBJECT (item), "sl-chooser", self);
  g_signal_connect_object (lora, "read", G_CALLBACK (show_entry), item, G_CONNECT_SWAPPED);
  show_entry (item);
  if (g_hash_table_add (self->read, lora))
    sl_lora_list_read (self->loras, lora);
}

static void
unbind_entry (SlLoraChooser *self, GtkListItem *item)
{
  g_signal_handlers_disconnect_by_data (gtk_list_item_get_item (item), item);
}

/* ---- the list ---- */

static void
show_state (SlLoraChooser *self)
{
  gboolean any = self->found && g_list_model_get_n_items (G_LIST_MODEL (self->shown)) > 0;
  gboolean none = self->found == NULL || g_list_model_get_n_items (G_LIST_MODEL (self->found)) == 0;

  gtk_widget_set_visible (GTK_WIDGET (self->search), !none);
  gtk_label_set_label (self->nothing,
                       none ? _ ("No LoRA is here yet. Those in a folder named loras in or beside the models "
                                 "folder are listed here.")
                            : _ ("No LoRA has such a name"));
  gtk_stack_set_visible_child_name (self->stack, any ? "list" : "nothing");
}

static void
choose (SlLoraChooser *self, guint position)
{
  g_autoptr (SlLora) lora = g_list_model_get_item (G_LIST_MODEL (self->shown), position);

  if (lora == NULL)
    return;
  gtk_popover_popdown (GTK_POPOVER (self));
  g_signal_emit (self, signals[CHOSEN], 0, g_object_get_data (G_OBJECT (lora), "sl-path"));
}

static void
search_changed (SlLoraChooser *self)
{
  gtk_string_filter_set_search (self->filter, gtk_editable_get_text (GTK_EDITABLE (self->search)));
}

static void
search_activated (SlLoraChooser *self)
{
  choose (self, gtk_single_selection_get_selected (self->shown));
}

/* Down goes from the name that is typed to the list. */
static gboolean
key_pressed (SlLoraChooser *self, guint key)
{
  if (key != GDK_KEY_Down && key != GDK_KEY_KP_Down)
    return GDK_EVENT_PROPAGATE;
  return gtk_widget_grab_focus (GTK_WIDGET (self->list));
}

static void
file_clicked (SlLoraChooser *self)
{
  gtk_popover_popdown (GTK_POPOVER (self));
  g_signal_emit (self, signals[FILE_ASKED], 0);
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  g_autofree char *one = g_path_get_basename (*(const char *const *)a);
  g_autofree char *two = g_path_get_basename (*(const char *const *)b);

  return g_utf8_collate (one, two);
}

void
sl_lora_chooser_offer (SlLoraChooser *self, const char *const *paths)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  g_autoptr (GPtrArray) loras = g_ptr_array_new_with_free_func (g_object_unref);

  for (; paths && *paths; paths++)
    g_ptr_array_add (sorted, (gpointer)*paths);
  g_ptr_array_sort (sorted, compare_paths);
  for (guint i = 0; i < sorted->len; i++)
    {
      SlLora *lora = sl_lora_new (sorted->pdata[i]);

      g_object_set_data_full (G_OBJECT (lora), "sl-path", g_strdup (sorted->pdata[i]), g_free);
      g_ptr_array_add (loras, lora);
    }
  g_hash_table_remove_all (self->read);
  g_list_store_splice (self->found, 0, g_list_model_get_n_items (G_LIST_MODEL (self->found)), loras->pdata,
                       loras->len);
  show_state (self);
}

void
sl_lora_chooser_connect (SlLoraChooser *self, SlLoraList *list)
{
  self->loras = g_object_ref (list);
}

/* ---- class ---- */

/* What fits another model may not fit this one. */
static void
read_again (SlLoraChooser *self)
{
  GHashTableIter iter;
  gpointer lora;

  if (!g_set_object (&self->model, sl_lora_list_get_model (self->loras)))
    return;
  g_hash_table_iter_init (&iter, self->read);
  while (g_hash_table_iter_next (&iter, &lora, NULL))
    sl_lora_list_read (self->loras, lora);
}

static void
opened (SlLoraChooser *self)
{
  read_again (self);
  gtk_editable_set_text (GTK_EDITABLE (self->search), "");
  show_state (self);
  gtk_widget_grab_focus (gtk_widget_get_visible (GTK_WIDGET (self->search)) ? GTK_WIDGET (self->search)
                                                                            : GTK_WIDGET (self->file));
}

SlLoraChooser *
sl_lora_chooser_new (void)
{
  return g_object_new (SL_TYPE_LORA_CHOOSER, NULL);
}

static void
sl_lora_chooser_dispose (GObject *object)
{
  SlLoraChooser *self = SL_LORA_CHOOSER (object);

  g_clear_object (&self->model);
  g_clear_object (&self->loras);
  g_clear_object (&self->found);
  g_clear_pointer (&self->read, g_hash_table_unref);
  G_OBJECT_CLASS (sl_lora_chooser_parent_class)->dispose (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlLoraChooser, name)

static void
sl_lora_chooser_class_init (SlLoraChooserClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_lora_chooser_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-lora-chooser.ui");
  BIND (search);
  BIND (stack);
  BIND (list);
  BIND (nothing);
  BIND (file);
  signals[CHOSEN] = g_signal_new ("chosen", SL_TYPE_LORA_CHOOSER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[FILE_ASKED] = g_signal_new ("file-asked", SL_TYPE_LORA_CHOOSER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                      NULL, G_TYPE_NONE, 0);
}

static void
add_list (SlLoraChooser *self)
{
  g_autoptr (GtkListItemFactory) factory = gtk_signal_list_item_factory_new ();
  GtkExpression *name = gtk_property_expression_new (SL_TYPE_LORA, NULL, "name");
  GtkFilterListModel *filtered;

  self->found = g_list_store_new (SL_TYPE_LORA);
  self->filter = gtk_string_filter_new (name);
  filtered = gtk_filter_list_model_new (g_object_ref (G_LIST_MODEL (self->found)), GTK_FILTER (self->filter));
  self->shown = gtk_single_selection_new (G_LIST_MODEL (filtered));
  g_signal_connect_swapped (factory, "setup", G_CALLBACK (set_up_entry), self);
  g_signal_connect_swapped (factory, "bind", G_CALLBACK (bind_entry), self);
  g_signal_connect_swapped (factory, "unbind", G_CALLBACK (unbind_entry), self);
  gtk_list_view_set_factory (self->list, factory);
  gtk_list_view_set_model (self->list, GTK_SELECTION_MODEL (self->shown));
  g_object_unref (self->shown); /* the view's */
  g_signal_connect_object (self->shown, "items-changed", G_CALLBACK (show_state), self, G_CONNECT_SWAPPED);
}

static void
sl_lora_chooser_init (SlLoraChooser *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();

  self->read = g_hash_table_new (NULL, NULL);
  gtk_widget_init_template (GTK_WIDGET (self));
  add_list (self);
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (key_pressed), self);
  gtk_widget_add_controller (GTK_WIDGET (self->search), keys);
  g_signal_connect_swapped (self->list, "activate", G_CALLBACK (choose), self);
  g_signal_connect_swapped (self->search, "search-changed", G_CALLBACK (search_changed), self);
  g_signal_connect_swapped (self->search, "activate", G_CALLBACK (search_activated), self);
  g_signal_connect_swapped (self->file, "clicked", G_CALLBACK (file_clicked), self);
  g_signal_connect_swapped (self, "show", G_CALLBACK (opened), self);
  show_state (self);
}
