/* sl-sigma-row.c - see sl-sigma-row.h. */
#include "ui/widgets/sl-sigma-row.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-setting-row.h"

struct _SlSigmaRow
{
  AdwComboRow parent_instance;
  guint entry; /* the last one that has a name */
  guint own;   /* the position of "Your own" */
  char *list;
  gboolean setting;
};

G_DEFINE_FINAL_TYPE (SlSigmaRow, sl_sigma_row, ADW_TYPE_COMBO_ROW)

enum
{
  CHOSEN,
  EDIT_WANTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
show (SlSigmaRow *self)
{
  gboolean own = *self->list != '\0';

  self->setting = TRUE;
  adw_combo_row_set_selected (ADW_COMBO_ROW (self), own ? self->own : self->entry);
  self->setting = FALSE;
}

static void
want_edit (SlSigmaRow *self)
{
  g_signal_emit (self, signals[EDIT_WANTED], 0);
}

static void
selected (SlSigmaRow *self)
{
  guint entry = adw_combo_row_get_selected (ADW_COMBO_ROW (self));

  if (self->setting || entry == GTK_INVALID_LIST_POSITION)
    return;
  if (entry == self->own)
    {
      show (self); /* the entry before, until there is a list */
      want_edit (self);
      return;
    }
  sl_sigma_row_show (self, entry, "");
  g_signal_emit (self, signals[CHOSEN], 0);
}

void
sl_sigma_row_fill (SlSigmaRow *self, const char *first)
{
  self->setting = TRUE;
  sl_setting_row_fill (ADW_COMBO_ROW (self), sl_control_find ("sigmas"), first);
  gtk_string_list_append (GTK_STRING_LIST (adw_combo_row_get_model (ADW_COMBO_ROW (self))), _ ("Your own"));
  self->own = g_list_model_get_n_items (adw_combo_row_get_model (ADW_COMBO_ROW (self))) - 1;
  self->setting = FALSE;
}

void
sl_sigma_row_show (SlSigmaRow *self, guint entry, const char *list)
{
  char *copy = g_strdup (list);

  g_free (self->list);
  self->list = copy;
  self->entry = entry;
  show (self);
}

guint
sl_sigma_row_get_entry (SlSigmaRow *self)
{
  return self->entry;
}

const char *
sl_sigma_row_get_list (SlSigmaRow *self)
{
  return self->list;
}

guint
sl_sigma_row_get_steps (SlSigmaRow *self)
{
  guint commas = 0;

  for (const char *c = self->list; *c; c++)
    commas += *c == ',';
  return commas;
}

static void
sl_sigma_row_finalize (GObject *object)
{
  g_free (SL_SIGMA_ROW (object)->list);
  G_OBJECT_CLASS (sl_sigma_row_parent_class)->finalize (object);
}

static void
sl_sigma_row_class_init (SlSigmaRowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_sigma_row_finalize;
  signals[CHOSEN]
      = g_signal_new ("chosen", SL_TYPE_SIGMA_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[EDIT_WANTED] = g_signal_new ("edit-wanted", SL_TYPE_SIGMA_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                       NULL, G_TYPE_NONE, 0);
}

static void
sl_sigma_row_init (SlSigmaRow *self)
{
  GtkWidget *button = gtk_button_new_from_icon_name ("sl-curve-symbolic");

  self->list = g_strdup ("");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_tooltip_text (button, _ ("Draw the noise levels (Ctrl+L)"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Draw the noise levels"), -1);
  adw_action_row_add_suffix (ADW_ACTION_ROW (self), button);
  g_signal_connect_swapped (button, "clicked", G_CALLBACK (want_edit), self);
  g_signal_connect (self, "notify::selected", G_CALLBACK (selected), NULL);
}
