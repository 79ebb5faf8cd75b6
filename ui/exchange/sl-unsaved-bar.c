/* sl-unsaved-bar.c - see sl-unsaved-bar.h. */
#include "ui/exchange/sl-unsaved-bar.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-button-name.h"
#include "ui/widgets/sl-dialog.h"
#include "ui/widgets/sl-focus.h"
#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-path-dialog.h"
#include "ui/widgets/sl-toolkit.h"

#define TOAST_SECONDS 3

struct _SlUnsavedBar
{
  AdwBin parent_instance;
  GtkRevealer *revealer;
  GtkLabel *title;
  GtkLabel *reason;
  GtkButton *elsewhere;
  GtkButton *again;
  SlWorkspace *workspace;
  guint shown;                /* how many it says */
  AdwToast *all_saved;        /* that says so; weak */
  void (*quit) (GtkWindow *); /* where a person chose to lose them */
  GtkWidget *alert;           /* that asks before the window closes; weak */
};

G_DEFINE_FINAL_TYPE (SlUnsavedBar, sl_unsaved_bar, ADW_TYPE_BIN)

static guint
count (SlUnsavedBar *self, SlKept kind)
{
  return sl_keeper_count_unsaved (self->workspace->keeper, kind);
}

static const char *
get_reason (SlUnsavedBar *self)
{
  const char *reason = sl_keeper_get_problem (self->workspace->keeper, SL_KEEP_PICTURE);

  return reason ? reason : sl_keeper_get_problem (self->workspace->keeper, SL_KEEP_COMPARISON);
}

/* "2 pictures are not saved  ·  The queue waits" */
static char *
describe (SlUnsavedBar *self)
{
  guint pictures = count (self, SL_KEEP_PICTURE), comparisons = count (self, SL_KEEP_COMPARISON);
  g_autoptr (GStrvBuilder) parts = g_strv_builder_new ();
  g_auto (GStrv) all = NULL;

  if (pictures)
    {
      g_autofree char *text = g_strdup_printf (
          ngettext ("%u picture is not saved", "%u pictures are not saved", pictures), pictures);

      g_strv_builder_add (parts, text);
    }
  if (comparisons)
    {
      g_autofree char *text = g_strdup_printf (
          ngettext ("%u comparison is not kept", "%u comparisons are not kept", comparisons), comparisons);

      g_strv_builder_add (parts, text);
    }
  if (sl_queue_is_held (self->workspace->queue)
      && g_list_model_get_n_items (G_LIST_MODEL (self->workspace->queue)) > 0)
    g_strv_builder_add (parts, _ ("the queue waits"));
  all = g_strv_builder_end (parts);
  return g_strjoinv ("  ·  ", all);
}

static void
say_all_saved (SlUnsavedBar *self)
{
  AdwToast *toast = adw_toast_new (_ ("Everything is saved now"));

  adw_toast_set_timeout (toast, TOAST_SECONDS);
  g_set_weak_pointer (&self->all_saved, toast);
  sl_notice_add_toast (GTK_WIDGET (self), toast);
}

static void
update (SlUnsavedBar *self)
{
  guint unsaved = count (self, SL_KEEP_PICTURE) + count (self, SL_KEEP_COMPARISON);
  g_autofree char *text = describe (self);
  const char *reason = get_reason (self);

  if (self->workspace->closed)
    return;
  if (unsaved == 0)
    sl_focus_leave (GTK_WIDGET (self));
  gtk_revealer_set_reveal_child (self->revealer, unsaved > 0);
  /* Also for the keyboard: what is not revealed is not in the way of the focus. */
  gtk_widget_set_visible (GTK_WIDGET (self), unsaved > 0);
  if (unsaved > 0)
    {
      gtk_label_set_text (self->title, text);
      gtk_label_set_text (self->reason, reason ? reason : "");
    }
  if (unsaved > 0 && self->all_saved)
    adw_toast_dismiss (self->all_saved); /* it is no longer true */
  if (unsaved > self->shown)
    sl_toolkit_announce (GTK_WIDGET (self), text);
  else if (unsaved == 0 && self->shown > 0)
    say_all_saved (self);
  self->shown = unsaved;
}

/* ---- actions ---- */

static void
try_again (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  sl_keeper_try_again (SL_UNSAVED_BAR (self)->workspace->keeper);
}

static gboolean
is_folder_of_pictures (SlUnsavedBar *self, const char *folder)
{
  g_autofree char *set = g_settings_get_string (self->workspace->preferences, "pictures-folder");

  return g_str_equal (set, folder);
}

/* Pictures go there from then on: a folder that was full once is full the next time, and the gallery shows them. What
 * the comparisons' own folder has no room for goes there once. */
static void
save_elsewhere (gpointer bar, const char *folder, const char *what)
{
  SlUnsavedBar *self = bar;
  SlWorkspace *workspace = self->workspace;

  if (workspace->closed)
    return;
  sl_keeper_try_elsewhere (workspace->keeper, SL_KEEP_COMPARISON, folder);
  if (count (self, SL_KEEP_PICTURE) > 0 && is_folder_of_pictures (self, folder))
    sl_keeper_try_again (workspace->keeper);
  else if (count (self, SL_KEEP_PICTURE) > 0)
    {
      g_autofree char *name = g_path_get_basename (folder);
      g_autofree char *text
          = g_strdup_printf (_ ("Pictures go to “%s” from now on; the preferences say where"), name);

      g_settings_set_string (workspace->preferences, "pictures-folder", folder);
      sl_notice_toast (GTK_WIDGET (self), text);
    }
}

static void
ask_where (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlUnsavedBar *self = user_data;
  const SlPathDialog dialog
      = { .from = GTK_WIDGET (self), .title = _ ("Save Elsewhere"), .wants = SL_PATH_FOLDER };

  sl_path_dialog_show (&dialog, save_elsewhere, G_OBJECT (self), NULL);
}

/* For scripts and tests, instead of the dialog. */
static void
save_elsewhere_to (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  save_elsewhere (self, g_variant_get_string (parameter, NULL), NULL);
}

/* ---- quitting ---- */

static gboolean
quit_now (gpointer data)
{
  SlUnsavedBar *self = data;

  if (!self->workspace->closed)
    self->quit (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))));
  return G_SOURCE_REMOVE;
}

/* Later, since closing the window destroys the dialog, which is still answering here. */
static void
quit_chosen (SlUnsavedBar *self)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, quit_now, g_object_ref (self), g_object_unref);
}

static void
elsewhere_chosen (SlUnsavedBar *self)
{
  ask_where (NULL, NULL, self);
}

static void
ask (SlUnsavedBar *self, const char *forgotten)
{
  gboolean unsaved = get_reason (self) != NULL;
  g_autofree char *described = describe (self);
  g_autofree char *body = g_strdup_printf (_ ("What is not saved is lost when Safelight quits now. %s"),
                                           unsaved ? get_reason (self) : forgotten);
  GtkWidget *alert = sl_dialog_new_alert (unsaved ? described : _ ("The Queue Cannot Be Remembered"), body);

  sl_dialog_add_response (alert, "stay", _ ("_Stay"), FALSE);
  sl_dialog_add_response (alert, "quit", _ ("_Quit Anyway"), FALSE);
  if (unsaved)
    sl_dialog_add_response (alert, "elsewhere", _ ("Save _Elsewhere…"), TRUE);
  g_signal_connect_object (alert, "response::quit", G_CALLBACK (quit_chosen), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (alert, "response::elsewhere", G_CALLBACK (elsewhere_chosen), self,
                           G_CONNECT_SWAPPED);
  g_set_weak_pointer (&self->alert, alert);
  sl_dialog_present (alert, GTK_WIDGET (self));
}

gboolean
sl_unsaved_bar_allows_quit (SlUnsavedBar *self, const char *forgotten, void (*quit) (GtkWindow *window))
{
  if (self->workspace->closed || (sl_workspace_count_unsaved (self->workspace) == 0 && forgotten == NULL))
    return TRUE;
  self->quit = quit;
  if (self->alert == NULL)
    ask (self, forgotten);
  return FALSE;
}

/* ---- setting up ---- */

void
sl_unsaved_bar_connect (SlUnsavedBar *self, SlWorkspace *workspace, GActionMap *actions)
{
  const GActionEntry entries[] = {
    { .name = "save-again", .activate = try_again },
    { .name = "save-elsewhere", .activate = ask_where },
    { .name = "save-elsewhere-to", .activate = save_elsewhere_to, .parameter_type = "s" },
  };

  self->workspace = g_object_ref (workspace);
  g_action_map_add_action_entries (actions, entries, G_N_ELEMENTS (entries), self);
  g_signal_connect_object (workspace->keeper, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (workspace->queue, "items-changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
}

static void
sl_unsaved_bar_dispose (GObject *object)
{
  g_clear_weak_pointer (&SL_UNSAVED_BAR (object)->all_saved);
  g_clear_weak_pointer (&SL_UNSAVED_BAR (object)->alert);
  g_clear_object (&SL_UNSAVED_BAR (object)->workspace);
  G_OBJECT_CLASS (sl_unsaved_bar_parent_class)->dispose (object);
}

static void
sl_unsaved_bar_class_init (SlUnsavedBarClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_unsaved_bar_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-unsaved-bar.ui");
  gtk_widget_class_bind_template_child (widget_class, SlUnsavedBar, revealer);
  gtk_widget_class_bind_template_child (widget_class, SlUnsavedBar, title);
  gtk_widget_class_bind_template_child (widget_class, SlUnsavedBar, reason);
  gtk_widget_class_bind_template_child (widget_class, SlUnsavedBar, elsewhere);
  gtk_widget_class_bind_template_child (widget_class, SlUnsavedBar, again);
}

static void
sl_unsaved_bar_init (SlUnsavedBar *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_button_name_by_label (self->elsewhere);
  sl_button_name_by_label (self->again);
}
