/* sl-lora-group.c - see sl-lora-group.h. */
#include "ui/darkroom/sl-lora-group.h"

#include <glib/gi18n.h>

#include "ui/darkroom/sl-lora-chooser.h"
#include "ui/darkroom/sl-lora-row.h"
#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-path-dialog.h"

struct _SlLoraGroup
{
  AdwBin parent_instance;
  GtkListBox *rows; /* of the list, and the last adds one */
  AdwActionRow *add_row;
  GtkSpinner *spinner;
  GtkMenuButton *add;
  SlLoraChooser *chooser;

  SlLoraList *list;
  SlModelStore *store;
  SlLora *located;     /* whose file is asked for */
  guint adding;        /* files on their way into the list */
  GPtrArray *problems; /* sentences about those of them that are none; said when all are there */
};

G_DEFINE_FINAL_TYPE (SlLoraGroup, sl_lora_group, ADW_TYPE_BIN)

enum
{
  WORD,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- adding and locating ---- */

static void
show_adding (SlLoraGroup *self, int more)
{
  self->adding += (guint)more;
  gtk_spinner_set_spinning (self->spinner, self->adding > 0);
}

static void
say_problems (SlLoraGroup *self)
{
  gboolean several = self->problems->len > 1;
  g_autofree char *text = NULL;

  if (self->problems->len == 0)
    return;
  g_ptr_array_add (self->problems, NULL);
  text = g_strjoinv ("\n\n", (char **)self->problems->pdata);
  g_ptr_array_set_size (self->problems, 0);
  sl_notice_alert (GTK_WIDGET (self),
                   several ? _ ("These cannot be used as LoRAs") : _ ("This cannot be used as a LoRA"), text);
}

static void
added (const SlLoraAnswer *answer, gpointer user_data)
{
  g_autoptr (SlLoraGroup) self = user_data;

  if (answer->error)
    g_ptr_array_add (self->problems, g_strdup (answer->error->message));
  show_adding (self, -1);
  if (self->adding == 0)
    say_problems (self);
}

static void
located (const SlLoraAnswer *answer, gpointer user_data)
{
  if (answer->lora && !answer->same)
    sl_notice_toast (GTK_WIDGET (user_data), _ ("This is another file than the one that the settings name"));
  added (answer, user_data);
}

static void
add_path (SlLoraGroup *self, const char *path)
{
  show_adding (self, 1);
  sl_lora_list_add (self->list, path, added, g_object_ref (self));
}

static void
paths_chosen (gpointer self, const char *const *paths)
{
  for (; *paths; paths++)
    add_path (self, *paths);
}

static void
path_located (gpointer object, const char *path, const char *what)
{
  SlLoraGroup *self = object;

  if (self->located == NULL)
    return;
  show_adding (self, 1);
  sl_lora_list_locate (self->list, self->located, path, located, g_object_ref (self));
  g_clear_object (&self->located);
}

static SlPathDialog
get_dialog (SlLoraGroup *self)
{
  return (SlPathDialog){ .from = GTK_WIDGET (self), .filter_name = _ ("LoRAs"), .pattern = "*.safetensors" };
}

static void
file_asked (SlLoraGroup *self)
{
  SlPathDialog dialog = get_dialog (self);

  dialog.title = _ ("Choose LoRAs");
  dialog.wants = SL_PATH_OPEN_SEVERAL;
  sl_path_dialog_show_several (&dialog, paths_chosen, G_OBJECT (self));
}

static void
locate (SlLoraGroup *self, SlLoraRow *row)
{
  SlPathDialog dialog = get_dialog (self);

  g_set_object (&self->located, sl_lora_row_get_lora (row));
  dialog.title = _ ("Choose a LoRA");
  dialog.wants = SL_PATH_OPEN;
  sl_path_dialog_show (&dialog, path_located, G_OBJECT (self), NULL);
}

/* ---- removing ---- */

typedef struct
{
  SlLoraList *list;
  SlLora *lora;
  guint position;
} Removal;

static void
removal_free (gpointer data, GClosure *closure)
{
  Removal *removal = data;

  g_object_unref (removal->list);
  g_object_unref (removal->lora);
  g_free (removal);
}

static void
undo (AdwToast *toast, Removal *removal)
{
  sl_lora_list_insert (removal->list, removal->lora, removal->position);
}

static void
removed (SlLoraGroup *self, SlLoraRow *row)
{
  Removal *removal = g_new (Removal, 1);
  g_autofree char *name = NULL;
  g_autofree char *text = NULL;
  g_autofree char *title = NULL;
  AdwToast *toast;

  removal->list = g_object_ref (self->list);
  removal->lora = g_object_ref (sl_lora_row_get_lora (row));
  name = sl_notice_short_name (sl_lora_get_name (removal->lora));
  text = g_strdup_printf (_ ("Removed the LoRA “%s”"), name);
  title = g_markup_escape_text (text, -1);
  gtk_widget_grab_focus (GTK_WIDGET (self->add));
  removal->position = sl_lora_list_remove (self->list, removal->lora);
  toast = adw_toast_new (title);
  adw_toast_set_button_label (toast, _ ("_Undo"));
  g_signal_connect_data (toast, "button-clicked", G_CALLBACK (undo), removal, removal_free, 0);
  sl_notice_add_toast (GTK_WIDGET (self), toast);
}

/* ---- rows ---- */

static void
word (SlLoraGroup *self, const char *text)
{
  g_signal_emit (self, signals[WORD], 0, text);
}

static void
insert_row (SlLoraGroup *self, guint position)
{
  g_autoptr (SlLora) lora = g_list_model_get_item (G_LIST_MODEL (self->list), position);
  SlLoraRow *row = sl_lora_row_new (self->list, lora);

  g_signal_connect_swapped (row, "removed", G_CALLBACK (removed), self);
  g_signal_connect_swapped (row, "locate", G_CALLBACK (locate), self);
  g_signal_connect_swapped (row, "word", G_CALLBACK (word), self);
  gtk_list_box_insert (self->rows, GTK_WIDGET (row), (int)position);
}

static void
show_empty (SlLoraGroup *self)
{
  gboolean any = g_list_model_get_n_items (G_LIST_MODEL (self->list)) > 0;

  adw_action_row_set_subtitle (self->add_row, any ? "" : _ ("Or drop its file on the window"));
}

static void
items_changed (SlLoraGroup *self, guint position, guint gone, guint come)
{
  while (gone-- > 0)
    gtk_list_box_remove (self->rows, GTK_WIDGET (gtk_list_box_get_row_at_index (self->rows, (int)position)));
  for (guint i = 0; i < come; i++)
    insert_row (self, position + i);
  show_empty (self);
}

/* ---- the files that are offered ---- */

static void
offer (SlLoraGroup *self)
{
  sl_lora_chooser_offer (self->chooser, sl_model_store_get_parts (self->store, "lora"));
}

void
sl_lora_group_connect (SlLoraGroup *self, SlLoraList *list, SlModelStore *store)
{
  self->list = g_object_ref (list);
  self->store = g_object_ref (store);
  g_signal_connect_object (list, "items-changed", G_CALLBACK (items_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (store, "scanned", G_CALLBACK (offer), self, G_CONNECT_SWAPPED);
  sl_lora_chooser_connect (self->chooser, list);
  items_changed (self, 0, 0, g_list_model_get_n_items (G_LIST_MODEL (list)));
}

/* ---- class ---- */

static void
chosen (SlLoraGroup *self, const char *path)
{
  add_path (self, path);
}

static void
sl_lora_group_dispose (GObject *object)
{
  SlLoraGroup *self = SL_LORA_GROUP (object);

  g_clear_object (&self->list);
  g_clear_object (&self->store);
  g_clear_object (&self->located);
  G_OBJECT_CLASS (sl_lora_group_parent_class)->dispose (object);
}

static void
sl_lora_group_finalize (GObject *object)
{
  g_ptr_array_unref (SL_LORA_GROUP (object)->problems);
  G_OBJECT_CLASS (sl_lora_group_parent_class)->finalize (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlLoraGroup, name)

static void
sl_lora_group_class_init (SlLoraGroupClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_lora_group_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_lora_group_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-lora-group.ui");
  BIND (rows);
  BIND (add_row);
  BIND (spinner);
  BIND (add);
  signals[WORD] = g_signal_new ("word", SL_TYPE_LORA_GROUP, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
sl_lora_group_init (SlLoraGroup *self)
{
  self->problems = g_ptr_array_new_with_free_func (g_free);
  gtk_widget_init_template (GTK_WIDGET (self));
  self->chooser = sl_lora_chooser_new ();
  gtk_menu_button_set_popover (self->add, GTK_WIDGET (self->chooser));
  g_signal_connect_swapped (self->chooser, "chosen", G_CALLBACK (chosen), self);
  g_signal_connect_swapped (self->chooser, "file-asked", G_CALLBACK (file_asked), self);
}
