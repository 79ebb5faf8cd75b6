/* sl-queue-popover.c - see sl-queue-popover.h. */
#include "ui/window/sl-queue-popover.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "ui/widgets/sl-button-name.h"
#include "ui/widgets/sl-notice.h"

#define UNDO_SECONDS 8

struct _SlQueuePopover
{
  GtkPopover parent_instance;
  GtkLabel *title;
  GtkButton *pause;
  GtkButton *stop;
  GtkButton *clear;
  GtkStack *stack;
  GtkListBox *list;
  SlQueue *queue;
};

G_DEFINE_FINAL_TYPE (SlQueuePopover, sl_queue_popover, GTK_TYPE_POPOVER)

/* A row does not remember the position of its job: when other jobs move, it is not made again. */
static guint
position_of (SlQueuePopover *self, SlJob *job)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->queue)); i++)
    {
      g_autoptr (SlJob) other = g_list_model_get_item (G_LIST_MODEL (self->queue), i);

      if (other == job)
        return i;
    }
  return G_MAXUINT;
}

static void
move_clicked (SlQueuePopover *self, GtkButton *button)
{
  SlJob *job = g_object_get_data (G_OBJECT (button), "sl-job");
  int by = GPOINTER_TO_INT (g_object_get_data (G_OBJECT (button), "sl-by"));
  guint position = position_of (self, job);

  if (position != G_MAXUINT)
    sl_queue_move (self->queue, position, (int)position + by);
}

static void
remove_clicked (SlQueuePopover *self, GtkButton *button)
{
  sl_queue_remove (self->queue, position_of (self, g_object_get_data (G_OBJECT (button), "sl-job")));
}

static GtkWidget *
add_button (SlQueuePopover *self,
            AdwActionRow *row,
            SlJob *job,
            const char *icon,
            const char *name,
            GCallback clicked)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);

  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (button, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_object_set_data_full (G_OBJECT (button), "sl-job", g_object_ref (job), g_object_unref);
  g_signal_connect_object (button, "clicked", clicked, self, G_CONNECT_SWAPPED);
  adw_action_row_add_suffix (row, button);
  return button;
}

static GtkWidget *
create_row (gpointer item, gpointer user_data)
{
  SlQueuePopover *self = user_data;
  SlJob *job = item;
  SlSettings *settings = sl_job_get_settings (job);
  const char *prompt = sl_settings_get_prompt (settings);
  AdwActionRow *row = ADW_ACTION_ROW (adw_action_row_new ());
  g_autofree char *title
      = g_markup_escape_text (*prompt ? prompt : sl_model_item_get_name (sl_job_get_model (job)), -1);
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, sl_settings_get_seed (settings));
  g_autofree char *subtitle
      = g_strdup_printf (_ ("%d steps, seed %s"), sl_settings_get_steps (settings), seed);
  GtkWidget *up, *down;

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_title_lines (row, 1);
  adw_action_row_set_subtitle (row, subtitle);
  up = add_button (self, row, job, "go-up-symbolic", _ ("Move up"), G_CALLBACK (move_clicked));
  down = add_button (self, row, job, "go-down-symbolic", _ ("Move down"), G_CALLBACK (move_clicked));
  g_object_set_data (G_OBJECT (up), "sl-by", GINT_TO_POINTER (-1));
  g_object_set_data (G_OBJECT (down), "sl-by", GINT_TO_POINTER (1));
  add_button (self, row, job, "edit-delete-symbolic", _ ("Remove from the queue"),
              G_CALLBACK (remove_clicked));
  return GTK_WIDGET (row);
}

/* ---- all at once ---- */

/* What waited, in its order. */
typedef struct
{
  SlQueue *queue;
  GPtrArray *jobs;
} Emptied;

static void
emptied_free (gpointer data, GClosure *closure)
{
  Emptied *emptied = data;

  g_object_unref (emptied->queue);
  g_ptr_array_unref (emptied->jobs);
  g_free (emptied);
}

static void
undo (AdwToast *toast, Emptied *emptied)
{
  for (guint i = 0; i < emptied->jobs->len; i++)
    sl_queue_add (emptied->queue, emptied->jobs->pdata[i]);
  g_ptr_array_set_size (emptied->jobs, 0);
}

static void
empty (SlQueuePopover *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->queue));
  g_autofree char *text = g_strdup_printf (
      ngettext ("%u picture does not wait any more", "%u pictures do not wait any more", n), n);
  AdwToast *toast;
  Emptied *emptied;

  if (n == 0)
    return;
  emptied = g_new (Emptied, 1);
  *emptied = (Emptied){ g_object_ref (self->queue), g_ptr_array_new_with_free_func (g_object_unref) };
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (emptied->jobs, g_list_model_get_item (G_LIST_MODEL (self->queue), i));
  sl_queue_clear (self->queue);
  toast = adw_toast_new (text);
  adw_toast_set_timeout (toast, UNDO_SECONDS);
  adw_toast_set_priority (toast, ADW_TOAST_PRIORITY_HIGH);
  adw_toast_set_button_label (toast, _ ("_Undo"));
  g_signal_connect_data (toast, "button-clicked", G_CALLBACK (undo), emptied, emptied_free, 0);
  sl_notice_add_toast (GTK_WIDGET (self), toast);
}

static void
clear_queue (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  empty (self);
}

static void
stop_all (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlQueuePopover *self = user_data;

  empty (self); /* or the next one would begin */
  sl_queue_stop (self->queue);
}

static void
show_state (SlQueuePopover *self)
{
  gboolean runs = sl_queue_get_current (self->queue) != NULL;
  gboolean paused = sl_queue_is_paused (self->queue);

  gtk_label_set_text (self->title, paused ? _ ("Queue, paused") : _ ("Queue"));
  gtk_button_set_label (self->pause, paused ? _ ("_Go On") : _ ("_Pause"));
  gtk_widget_set_visible (GTK_WIDGET (self->pause), paused || runs);
  gtk_widget_set_visible (GTK_WIDGET (self->stop), runs);
  sl_button_name_by_label (self->pause);
}

static void
items_changed (SlQueuePopover *self)
{
  gboolean any = g_list_model_get_n_items (G_LIST_MODEL (self->queue)) > 0;

  gtk_stack_set_visible_child_name (self->stack, any ? "list" : "empty");
  gtk_widget_set_visible (GTK_WIDGET (self->clear), any);
  show_state (self);
}

void
sl_queue_popover_connect (SlQueuePopover *self, SlQueue *queue, GActionMap *actions)
{
  const GActionEntry entries[]
      = { { .name = "clear-queue", .activate = clear_queue }, { .name = "stop-all", .activate = stop_all } };

  g_action_map_add_action_entries (actions, entries, G_N_ELEMENTS (entries), self);
  self->queue = g_object_ref (queue);
  gtk_list_box_bind_model (self->list, G_LIST_MODEL (queue), create_row, self, NULL);
  g_signal_connect_object (queue, "items-changed", G_CALLBACK (items_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (queue, "paused", G_CALLBACK (show_state), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (queue, "started", G_CALLBACK (show_state), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (queue, "ended", G_CALLBACK (show_state), self, G_CONNECT_SWAPPED);
  items_changed (self);
}

static void
sl_queue_popover_dispose (GObject *object)
{
  SlQueuePopover *self = SL_QUEUE_POPOVER (object);

  if (self->queue)
    gtk_list_box_bind_model (self->list, NULL, NULL, NULL, NULL);
  g_clear_object (&self->queue);
  G_OBJECT_CLASS (sl_queue_popover_parent_class)->dispose (object);
}

static void
sl_queue_popover_class_init (SlQueuePopoverClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_queue_popover_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-queue-popover.ui");
  gtk_widget_class_bind_template_child (widget_class, SlQueuePopover, title);
  gtk_widget_class_bind_template_child (widget_class, SlQueuePopover, pause);
  gtk_widget_class_bind_template_child (widget_class, SlQueuePopover, stop);
  gtk_widget_class_bind_template_child (widget_class, SlQueuePopover, clear);
  gtk_widget_class_bind_template_child (widget_class, SlQueuePopover, stack);
  gtk_widget_class_bind_template_child (widget_class, SlQueuePopover, list);
}

static void
sl_queue_popover_init (SlQueuePopover *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_button_name_by_label (self->stop);
  sl_button_name_by_label (self->clear);
}
