/* sl-run-report.h - what a person is told when a run ends: that it is ready (when the window is out of sight), at which
 * step it was stopped, that the GPU failed, that it could not be finished.
 */
#pragma once

#include <gtk/gtk.h>

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_RUN_REPORT (sl_run_report_get_type ())

G_DECLARE_FINAL_TYPE (SlRunReport, sl_run_report, SL, RUN_REPORT, GObject)

/* widget is what it speaks from (see sl-notice.h); it outlives the report. */
SlRunReport *sl_run_report_new (SlWorkspace *workspace, GtkWidget *widget);
/* Said by a screen reader, and not more often than a person wants to hear it: where the run is. */
void sl_run_report_step (SlRunReport *self, SlFrameObject *frame);
/* Said by a screen reader; a notification of the desktop for a run that took long, and the run's warning if it has one. */
void sl_run_report_done (SlRunReport *self, SlJob *job);
/* A toast with a button that saves the step. */
void sl_run_report_stopped (SlRunReport *self, SlJob *job);
/* A dialog; after a failure of the GPU with a button that starts Safelight again. */
void sl_run_report_failed (SlRunReport *self, SlJob *job);
/* The job for which Safelight is about to start again, or NULL. */
SlJob *sl_run_report_get_lost (SlRunReport *self);

G_END_DECLS
