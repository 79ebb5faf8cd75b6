/* sl-preset-popover.c - see sl-preset-popover.h. */
#include "ui/window/sl-preset-popover.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-button-name.h"
#include "ui/widgets/sl-notice.h"
#include "ui/window/sl-cookbook-row.h"

#define UNDO_SECONDS 8

struct _SlPresetPopover
{
  GtkPopover parent_instance;
  GtkEditable *name;
  GtkButton *save;
  GtkCheckButton *words;
  GtkStack *stack;
  GtkListBox *list;
  SlWorkspace *workspace;
  SlKeptRecipe *renamed; /* whose name is in the entry; NULL: a new one's */
};

G_DEFINE_FINAL_TYPE (SlPresetPopover, sl_preset_popover, GTK_TYPE_POPOVER)

/* ---- saving and renaming ---- */

static void
name_changed (SlPresetPopover *self)
{
  g_autofree char *name = g_strstrip (g_strdup (gtk_editable_get_text (self->name)));
  gboolean there = sl_cookbook_find (self->workspace->presets, name) != G_MAXUINT;

  gtk_button_set_label (self->save, self->renamed ? _ ("_Rename") : there ? _ ("_Replace") : _ ("_Save"));
  sl_button_name_by_label (self->save);
  gtk_widget_set_sensitive (GTK_WIDGET (self->save), *name != '\0' && !(self->renamed && there));
  gtk_widget_set_visible (GTK_WIDGET (self->words), self->renamed == NULL);
}

static void
begin_new (SlPresetPopover *self)
{
  g_clear_object (&self->renamed);
  gtk_editable_set_text (self->name, "");
  name_changed (self);
}

/* What was there under the name, or what the recipe was, comes back. */
typedef struct
{
  SlWorkspace *workspace;
  SlKeptRecipe *kept;   /* to put back, or NULL, */
  SlSettings *settings; /* to take again, or NULL, */
  SlModelItem *model;   /* of the model that was chosen, or NULL */
} Before;

static void
before_free (gpointer data, GClosure *closure)
{
  Before *before = data;

  g_object_unref (before->workspace);
  g_clear_object (&before->kept);
  g_clear_object (&before->settings);
  g_clear_object (&before->model);
  g_free (before);
}

static guint
find_model (SlWorkspace *workspace, const char *path)
{
  return *path ? sl_model_store_find (workspace->models, path) : G_MAXUINT;
}

static void
undo (AdwToast *toast, Before *before)
{
  guint model
      = before->model ? find_model (before->workspace, sl_model_item_get_path (before->model)) : G_MAXUINT;

  if (before->workspace->closed)
    return;
  if (before->kept)
    sl_cookbook_add (before->workspace->presets, before->kept);
  if (model != G_MAXUINT)
    sl_workspace_want_model (before->workspace, model);
  if (before->settings)
    sl_workspace_take_settings (before->workspace, before->settings);
}

static void
say (SlPresetPopover *self, const char *text, const Before *before)
{
  g_autofree char *markup = g_markup_escape_text (text, -1);
  AdwToast *toast = adw_toast_new (markup);

  if (before->kept || before->settings)
    {
      adw_toast_set_button_label (toast, _ ("_Undo"));
      adw_toast_set_timeout (toast, UNDO_SECONDS);
      adw_toast_set_priority (toast, ADW_TOAST_PRIORITY_HIGH);
      g_signal_connect_data (toast, "button-clicked", G_CALLBACK (undo), g_memdup2 (before, sizeof *before),
                             before_free, 0);
    }
  sl_notice_add_toast (GTK_WIDGET (self), toast);
}

static void
save_new (SlPresetPopover *self, const char *name)
{
  SlWorkspace *workspace = self->workspace;
  const char *model = workspace->model ? sl_model_item_get_path (workspace->model) : "";
  guint position = sl_cookbook_find (workspace->presets, name);
  g_autoptr (SlKeptRecipe) kept
      = sl_kept_recipe_new (name, workspace->recipe, model, gtk_check_button_get_active (self->words));
  Before before = { .workspace = workspace };
  g_autofree char *short_name = sl_notice_short_name (name);
  g_autofree char *text = NULL;

  if (position != G_MAXUINT)
    {
      before.kept = g_list_model_get_item (G_LIST_MODEL (workspace->presets), position);
      g_object_ref (workspace);
    }
  sl_cookbook_add (workspace->presets, kept);
  text = before.kept ? g_strdup_printf (_ ("“%s” is replaced"), short_name)
                     : g_strdup_printf (_ ("Saved as “%s”"), short_name);
  say (self, text, &before);
}

static void
save_clicked (SlPresetPopover *self)
{
  g_autofree char *name = g_strstrip (g_strdup (gtk_editable_get_text (self->name)));
  SlCookbook *presets = self->workspace->presets;
  guint position
      = self->renamed ? sl_cookbook_find (presets, sl_kept_recipe_get_name (self->renamed)) : G_MAXUINT;

  if (!gtk_widget_get_sensitive (GTK_WIDGET (self->save)))
    return;
  if (self->renamed == NULL)
    save_new (self, name);
  else if (position != G_MAXUINT)
    sl_cookbook_rename (presets, position, name);
  begin_new (self);
}

static void
rename_clicked (SlPresetPopover *self, GtkButton *button)
{
  g_set_object (&self->renamed, sl_cookbook_row_get (button));
  gtk_editable_set_text (self->name, sl_kept_recipe_get_name (self->renamed));
  name_changed (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->name));
}

static void
delete_clicked (SlPresetPopover *self, GtkButton *button)
{
  if (sl_cookbook_row_get (button) == self->renamed)
    begin_new (self);
  sl_cookbook_row_take (self->workspace->presets, button, _ ("Preset deleted"));
}

/* ---- taking one ---- */

static void
chosen (SlPresetPopover *self, GtkListBoxRow *row)
{
  g_autoptr (SlKeptRecipe) kept = g_object_ref (sl_cookbook_row_get (row));
  SlWorkspace *workspace = self->workspace;
  const char *path = sl_kept_recipe_get_model (kept);
  g_autofree char *name = sl_notice_short_name (sl_kept_recipe_get_name (kept));
  guint position = find_model (workspace, path);
  g_autoptr (SlModelItem) model = position != G_MAXUINT
                                      ? g_list_model_get_item (G_LIST_MODEL (workspace->models), position)
                                      : (workspace->model ? g_object_ref (workspace->model) : NULL);
  g_autoptr (SlSettings) settings = NULL;
  g_autoptr (GError) error = NULL;
  Before before = { .workspace = workspace, .settings = sl_settings_dup (workspace->recipe) };
  g_autofree char *text = NULL;

  settings = sl_kept_recipe_over (kept, before.settings);
  gtk_popover_popdown (GTK_POPOVER (self));
  if (model && !sl_model_item_check (model, settings, &error))
    {
      g_object_unref (before.settings);
      sl_notice_alert (GTK_WIDGET (self), _ ("These settings do not fit the model"), error->message);
      return;
    }
  if (workspace->model)
    before.model = g_object_ref (workspace->model);
  if (position != G_MAXUINT)
    sl_workspace_want_model (workspace, position);
  g_object_ref (workspace); /* the toast's */
  sl_workspace_take_settings (workspace, settings);
  text = position != G_MAXUINT || *path == '\0'
             ? g_strdup_printf (_ ("Settings of “%s”"), name)
             : g_strdup_printf (_ ("Settings of “%s”; its model is not here, the chosen one stays"), name);
  say (self, text, &before);
}

/* ---- the list ---- */

static GtkWidget *
create_row (gpointer item, gpointer user_data)
{
  SlKeptRecipe *kept = item;
  SlSettings *settings = sl_kept_recipe_get_settings (kept);
  g_autofree char *model = g_path_get_basename (sl_kept_recipe_get_model (kept));
  int steps = sl_settings_get_steps (settings);
  g_autofree char *count = g_strdup_printf (ngettext ("%d step", "%d steps", steps), steps);
  g_autofree char *subtitle
      = g_strdup_printf ("%s · %s · %d × %d · %s", sl_settings_get_scheduler (settings), count,
                         sl_settings_get_width (settings), sl_settings_get_height (settings), model);
  GtkWidget *row = sl_cookbook_row_new (kept, sl_kept_recipe_get_name (kept), subtitle);

  if (sl_kept_recipe_has_words (kept))
    gtk_widget_set_tooltip_text (row, sl_settings_get_prompt (settings));
  sl_cookbook_row_add_button (row, "document-edit-symbolic", _ ("Rename"), G_CALLBACK (rename_clicked),
                              user_data);
  sl_cookbook_row_add_button (row, "edit-delete-symbolic", _ ("Delete this preset"),
                              G_CALLBACK (delete_clicked), user_data);
  return row;
}

static void
items_changed (SlPresetPopover *self)
{
  gboolean any = g_list_model_get_n_items (G_LIST_MODEL (self->workspace->presets)) > 0;

  gtk_stack_set_visible_child_name (self->stack, any ? "list" : "empty");
  name_changed (self);
}

void
sl_preset_popover_connect (SlPresetPopover *self, SlWorkspace *workspace)
{
  self->workspace = g_object_ref (workspace);
  gtk_list_box_bind_model (self->list, G_LIST_MODEL (workspace->presets), create_row, self, NULL);
  g_signal_connect_object (workspace->presets, "items-changed", G_CALLBACK (items_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->list, "row-activated", G_CALLBACK (chosen), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->name, "changed", G_CALLBACK (name_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->name, "activate", G_CALLBACK (save_clicked), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->save, "clicked", G_CALLBACK (save_clicked), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self, "closed", G_CALLBACK (begin_new), self, G_CONNECT_SWAPPED);
  items_changed (self);
}

static void
sl_preset_popover_dispose (GObject *object)
{
  SlPresetPopover *self = SL_PRESET_POPOVER (object);

  if (self->workspace)
    gtk_list_box_bind_model (self->list, NULL, NULL, NULL, NULL);
  g_clear_object (&self->renamed);
  g_clear_object (&self->workspace);
  G_OBJECT_CLASS (sl_preset_popover_parent_class)->dispose (object);
}

static void
sl_preset_popover_class_init (SlPresetPopoverClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_preset_popover_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-preset-popover.ui");
  gtk_widget_class_bind_template_child (widget_class, SlPresetPopover, name);
  gtk_widget_class_bind_template_child (widget_class, SlPresetPopover, save);
  gtk_widget_class_bind_template_child (widget_class, SlPresetPopover, words);
  gtk_widget_class_bind_template_child (widget_class, SlPresetPopover, stack);
  gtk_widget_class_bind_template_child (widget_class, SlPresetPopover, list);
}

static void
sl_preset_popover_init (SlPresetPopover *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
