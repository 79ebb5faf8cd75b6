/* sl-history-popover.c - see sl-history-popover.h. */
#include "ui/window/sl-history-popover.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-button-name.h"
#include "ui/window/sl-cookbook-row.h"

struct _SlHistoryPopover
{
  GtkPopover parent_instance;
  GtkButton *forget;
  GtkStack *stack;
  GtkListBox *list;
  SlWorkspace *workspace;
};

G_DEFINE_FINAL_TYPE (SlHistoryPopover, sl_history_popover, GTK_TYPE_POPOVER)

static void
chosen (SlHistoryPopover *self, GtkListBoxRow *row)
{
  SlKeptRecipe *kept = sl_cookbook_row_get (row);
  SlSettings *settings = sl_kept_recipe_get_settings (kept);
  g_autofree char *negative = NULL;

  g_object_get (settings, "negative-prompt", &negative, NULL);
  g_object_set (self->workspace->recipe, "prompt", sl_settings_get_prompt (settings), "negative-prompt",
                negative, NULL);
  gtk_popover_popdown (GTK_POPOVER (self));
}

static void
forget_one (SlHistoryPopover *self, GtkButton *button)
{
  sl_cookbook_row_take (self->workspace->history, button, _ ("Prompt forgotten"));
}

static void
forget_all (SlHistoryPopover *self)
{
  sl_cookbook_take_all (self->workspace->history, GTK_WIDGET (self), _ ("All prompts forgotten"));
}

static GtkWidget *
create_row (gpointer item, gpointer user_data)
{
  SlKeptRecipe *kept = item;
  SlSettings *settings = sl_kept_recipe_get_settings (kept);
  g_autofree char *negative = NULL;
  g_autofree char *without = NULL;
  GtkWidget *row;

  g_object_get (settings, "negative-prompt", &negative, NULL);
  without = *negative ? g_strdup_printf (_ ("without: %s"), negative) : g_strdup ("");
  row = sl_cookbook_row_new (kept, sl_settings_get_prompt (settings), without);
  sl_cookbook_row_add_button (row, "edit-delete-symbolic", _ ("Forget this prompt"), G_CALLBACK (forget_one),
                              user_data);
  return row;
}

static void
items_changed (SlHistoryPopover *self)
{
  gboolean any = g_list_model_get_n_items (G_LIST_MODEL (self->workspace->history)) > 0;

  gtk_stack_set_visible_child_name (self->stack, any ? "list" : "empty");
  gtk_widget_set_visible (GTK_WIDGET (self->forget), any);
}

void
sl_history_popover_connect (SlHistoryPopover *self, SlWorkspace *workspace)
{
  self->workspace = g_object_ref (workspace);
  gtk_list_box_bind_model (self->list, G_LIST_MODEL (workspace->history), create_row, self, NULL);
  g_signal_connect_object (workspace->history, "items-changed", G_CALLBACK (items_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->list, "row-activated", G_CALLBACK (chosen), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->forget, "clicked", G_CALLBACK (forget_all), self, G_CONNECT_SWAPPED);
  items_changed (self);
}

static void
sl_history_popover_dispose (GObject *object)
{
  SlHistoryPopover *self = SL_HISTORY_POPOVER (object);

  if (self->workspace)
    gtk_list_box_bind_model (self->list, NULL, NULL, NULL, NULL);
  g_clear_object (&self->workspace);
  G_OBJECT_CLASS (sl_history_popover_parent_class)->dispose (object);
}

static void
sl_history_popover_class_init (SlHistoryPopoverClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_history_popover_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/safelight/Safelight/sl-history-popover.ui");
  gtk_widget_class_bind_template_child (widget_class, SlHistoryPopover, forget);
  gtk_widget_class_bind_template_child (widget_class, SlHistoryPopover, stack);
  gtk_widget_class_bind_template_child (widget_class, SlHistoryPopover, list);
}

static void
sl_history_popover_init (SlHistoryPopover *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_button_name_by_label (self->forget);
}
