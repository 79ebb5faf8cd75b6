/* sl-run-report.c - see sl-run-report.h. */
#include "ui/darkroom/sl-run-report.h"

#include <glib/gi18n.h>

#include "ui/exchange/sl-moment-file.h"
#include "ui/widgets/sl-dialog.h"
#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-toolkit.h"

/* A run that took at least this long is worth a notification when the window is out of sight. */
#define LONG_RUN_SECONDS 10
/* Between two steps that a screen reader says. */
#define SPOKEN_SECONDS 10

struct _SlRunReport
{
  GObject parent_instance;
  SlWorkspace *workspace;
  GtkWidget *widget;    /* not held: it holds the report */
  SlJob *stopped;       /* whose last step the toast's button saves */
  AdwToast *stop_toast; /* weak; NULL: none is shown */
  SlJob *lost;          /* whose GPU failed, once a person chose to start again */
  gint64 spoken;        /* when a step was said last, microseconds */
  char *warned;         /* what was said of the last run; NULL: nothing */
};

G_DEFINE_FINAL_TYPE (SlRunReport, sl_run_report, G_TYPE_OBJECT)

/* ---- under way ---- */

void
sl_run_report_step (SlRunReport *self, SlFrameObject *frame)
{
  gint64 now = g_get_monotonic_time ();
  int step = sl_frame_object_get_step (frame) + 1, steps = sl_frame_object_get_steps (frame);
  g_autofree char *text = NULL;

  if (step == 1)
    self->spoken = now; /* a short run says only that it is ready */
  if (step == steps || now - self->spoken < SPOKEN_SECONDS * G_USEC_PER_SEC)
    return;
  self->spoken = now;
  text = g_strdup_printf (_ ("Step %d of %d"), step, steps);
  sl_toolkit_announce (self->widget, text);
}

/* ---- done ---- */

static void
notify (SlRunReport *self, SlJob *job)
{
  GtkRoot *root = gtk_widget_get_root (self->widget);
  GtkApplication *application = root ? gtk_window_get_application (GTK_WINDOW (root)) : NULL;
  g_autoptr (GNotification) notification = NULL;

  if (application == NULL || gtk_window_is_active (GTK_WINDOW (root))
      || sl_job_get_elapsed (job) < LONG_RUN_SECONDS)
    return;
  notification = g_notification_new (_ ("The picture is ready"));
  g_notification_set_body (notification, sl_settings_get_prompt (sl_job_get_settings (job)));
  g_notification_set_default_action (notification, "app.activate");
  g_application_send_notification (G_APPLICATION (application), "picture-ready", notification);
}

/* Not again of each picture that is made so. */
static void
warn (SlRunReport *self, const char *warning)
{
  if (g_strcmp0 (warning, self->warned) == 0)
    return;
  g_free (self->warned);
  self->warned = g_strdup (warning);
  if (warning)
    sl_notice_toast (self->widget, warning);
}

void
sl_run_report_done (SlRunReport *self, SlJob *job)
{
  sl_toolkit_announce (self->widget, _ ("The picture is ready"));
  notify (self, job);
  warn (self, sl_job_get_warning (job));
}

/* ---- stopped ---- */

/* The next run that is stopped gets another toast. */
static void
stop_toast_dismissed (SlRunReport *self, AdwToast *toast)
{
  if (self->stop_toast == toast)
    g_clear_weak_pointer (&self->stop_toast);
}

static void
keep_stopped (SlRunReport *self)
{
  if (self->stopped)
    sl_moment_file_keep (self->workspace, self->widget,
                         &(SlMomentOfRun){ self->stopped, sl_job_get_last_frame (self->stopped) });
}

void
sl_run_report_stopped (SlRunReport *self, SlJob *job)
{
  SlFrameObject *frame = sl_job_get_last_frame (job);
  g_autofree char *text = NULL;
  AdwToast *toast;

  if (frame == NULL)
    {
      sl_notice_toast (self->widget, _ ("Stopped before the first step"));
      return;
    }
  text = g_strdup_printf (_ ("Stopped at step %d of %d"), sl_frame_object_get_step (frame) + 1,
                          sl_frame_object_get_steps (frame));
  g_set_object (&self->stopped, job);
  /* A toast that is still there is used again: toasts are shown one after the other, and one for each run of many
   * that were stopped would be read long after. */
  if (self->stop_toast)
    {
      adw_toast_set_title (self->stop_toast, text);
      return;
    }
  toast = adw_toast_new (text);
  g_set_weak_pointer (&self->stop_toast, toast);
  adw_toast_set_button_label (toast, _ ("_Save This Step"));
  g_signal_connect_object (toast, "button-clicked", G_CALLBACK (keep_stopped), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (toast, "dismissed", G_CALLBACK (stop_toast_dismissed), self, G_CONNECT_SWAPPED);
  sl_notice_add_toast (self->widget, toast);
}

/* ---- failed ---- */

static gboolean
start_again (gpointer window)
{
  gtk_widget_activate_action (GTK_WIDGET (window), "app.restart", NULL);
  return G_SOURCE_REMOVE;
}

/* Later, since closing the window destroys the dialog, which is still answering here. */
static void
restart_chosen (SlRunReport *self, const char *response, GtkWidget *dialog)
{
  g_set_object (&self->lost, g_object_get_data (G_OBJECT (dialog), "sl-job"));
  g_idle_add_full (G_PRIORITY_DEFAULT, start_again, g_object_ref (gtk_widget_get_root (self->widget)),
                   g_object_unref);
}

/* A process whose GPU failed cannot use it again; a new one can. Closing the window keeps what there is, and what
 * was not finished is offered at the start. */
static void
offer_restart (SlRunReport *self, SlJob *job)
{
  GtkWidget *dialog = sl_dialog_new_alert (_ ("The GPU failed"), sl_job_get_message (job));

  sl_dialog_add_response (dialog, "close", _ ("_Go On with the CPU"), FALSE);
  sl_dialog_add_response (dialog, "restart", _ ("_Restart Safelight"), TRUE);
  g_object_set_data_full (G_OBJECT (dialog), "sl-job", g_object_ref (job), g_object_unref);
  g_signal_connect_object (dialog, "response::restart", G_CALLBACK (restart_chosen), self, G_CONNECT_SWAPPED);
  sl_dialog_present (dialog, self->widget);
}

void
sl_run_report_failed (SlRunReport *self, SlJob *job)
{
  if (sl_job_has_lost_device (job))
    offer_restart (self, job);
  else
    sl_notice_alert (self->widget, _ ("The picture could not be finished"), sl_job_get_message (job));
}

SlJob *
sl_run_report_get_lost (SlRunReport *self)
{
  return self->lost;
}

/* ---- class ---- */

SlRunReport *
sl_run_report_new (SlWorkspace *workspace, GtkWidget *widget)
{
  SlRunReport *self = g_object_new (SL_TYPE_RUN_REPORT, NULL);

  self->workspace = g_object_ref (workspace);
  self->widget = widget;
  return self;
}

static void
sl_run_report_dispose (GObject *object)
{
  SlRunReport *self = SL_RUN_REPORT (object);

  g_clear_weak_pointer (&self->stop_toast);
  g_clear_object (&self->stopped);
  g_clear_object (&self->lost);
  g_clear_object (&self->workspace);
  G_OBJECT_CLASS (sl_run_report_parent_class)->dispose (object);
}

static void
sl_run_report_finalize (GObject *object)
{
  g_free (SL_RUN_REPORT (object)->warned);
  G_OBJECT_CLASS (sl_run_report_parent_class)->finalize (object);
}

static void
sl_run_report_class_init (SlRunReportClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_run_report_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_run_report_finalize;
}

static void
sl_run_report_init (SlRunReport *self)
{
}
