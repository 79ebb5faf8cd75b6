/* sl-part-row.c - see sl-part-row.h. The entries are the model's own, the paths, "Choose a File…". */
#include "ui/widgets/sl-part-row.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-path-dialog.h"

struct _SlPartRow
{
  AdwComboRow parent_instance;
  char *own; /* the first entry */
  char *dialog_title;
  GPtrArray *paths;
  guint chosen; /* entry: 0 is the model's own, then the paths */
  gboolean setting;
};

G_DEFINE_FINAL_TYPE (SlPartRow, sl_part_row, ADW_TYPE_COMBO_ROW)

enum
{
  CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

const char *
sl_part_row_get_path (SlPartRow *self)
{
  return self->chosen > 0 ? self->paths->pdata[self->chosen - 1] : NULL;
}

static void
show (SlPartRow *self)
{
  const char *path = sl_part_row_get_path (self);
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);

  gtk_string_list_append (names, self->own ? self->own : "");
  for (guint i = 0; i < self->paths->len; i++)
    {
      g_autofree char *name = g_path_get_basename (self->paths->pdata[i]);

      gtk_string_list_append (names, name);
    }
  gtk_string_list_append (names, _ ("Choose a File…"));
  self->setting = TRUE;
  adw_combo_row_set_model (ADW_COMBO_ROW (self), G_LIST_MODEL (names));
  adw_combo_row_set_selected (ADW_COMBO_ROW (self), self->chosen);
  self->setting = FALSE;
  gtk_widget_set_tooltip_text (GTK_WIDGET (self), path);
}

static void
choose (SlPartRow *self, guint entry)
{
  if (entry == self->chosen)
    return;
  self->chosen = entry;
  show (self);
  g_signal_emit (self, signals[CHOSEN], 0);
}

static void
add_path (SlPartRow *self, const char *path)
{
  if (!g_ptr_array_find_with_equal_func (self->paths, path, g_str_equal, NULL))
    g_ptr_array_add (self->paths, g_strdup (path));
}

/* The entry of a path, which is added where it is new; NULL: the first. */
static guint
entry_of (SlPartRow *self, const char *path)
{
  guint place;

  if (path == NULL)
    return 0;
  add_path (self, path);
  return g_ptr_array_find_with_equal_func (self->paths, path, g_str_equal, &place) ? place + 1 : 0;
}

void
sl_part_row_choose (SlPartRow *self, const char *path)
{
  choose (self, entry_of (self, path));
}

static void
path_chosen (gpointer self, const char *path, const char *what)
{
  sl_part_row_choose (self, path);
}

static void
ask_for_file (SlPartRow *self)
{
  const SlPathDialog dialog = { .from = GTK_WIDGET (self),
                                .title = self->dialog_title,
                                .wants = SL_PATH_OPEN,
                                .filter_name = _ ("Models"),
                                .pattern = "*.safetensors *.gguf" };

  sl_path_dialog_show (&dialog, path_chosen, G_OBJECT (self), NULL);
}

static void
selected (SlPartRow *self)
{
  guint entry = adw_combo_row_get_selected (ADW_COMBO_ROW (self));

  if (self->setting || entry == GTK_INVALID_LIST_POSITION)
    return;
  if (entry <= self->paths->len)
    {
      choose (self, entry);
      return;
    }
  show (self); /* the entry before, until a file is chosen */
  ask_for_file (self);
}

void
sl_part_row_offer (SlPartRow *self, const char *const *paths)
{
  for (; paths && *paths; paths++)
    add_path (self, *paths);
  show (self);
}

void
sl_part_row_set_path (SlPartRow *self, const char *path)
{
  self->chosen = entry_of (self, path);
  show (self);
}

void
sl_part_row_set_words (SlPartRow *self, const char *own, const char *dialog_title)
{
  self->own = g_strdup (own);
  self->dialog_title = g_strdup (dialog_title);
  show (self);
}

static void
sl_part_row_finalize (GObject *object)
{
  SlPartRow *self = SL_PART_ROW (object);

  g_ptr_array_unref (self->paths);
  g_free (self->own);
  g_free (self->dialog_title);
  G_OBJECT_CLASS (sl_part_row_parent_class)->finalize (object);
}

static void
sl_part_row_class_init (SlPartRowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_part_row_finalize;
  signals[CHOSEN]
      = g_signal_new ("chosen", SL_TYPE_PART_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_part_row_init (SlPartRow *self)
{
  self->paths = g_ptr_array_new_with_free_func (g_free);
  show (self);
  g_signal_connect (self, "notify::selected", G_CALLBACK (selected), NULL);
}
