/* sl-trial.h - a frame of a run as it would have been with other guidance: computed without an evaluation, at once. */
#pragma once

#include "app/objects/sl-control.h"
#include "app/objects/worker/sl-worker.h"

G_BEGIN_DECLS

#define SL_TYPE_TRIAL (sl_trial_get_type ())

G_DECLARE_FINAL_TYPE (SlTrial, sl_trial, SL, TRIAL, GObject)

typedef enum
{
  SL_TRIAL_POSSIBLE,
  SL_TRIAL_UNGUIDED,   /* the step has no guidance */
  SL_TRIAL_NOT_KEPT,   /* its predictions are not kept */
  SL_TRIAL_FIRST,      /* a branch cannot begin before it */
  SL_TRIAL_HALF_A_STEP /* it depends on another evaluation of its step */
} SlTrialPossible;

SlTrialPossible sl_trial_is_possible (SlJob *job, SlFrameObject *frame);

/* The settings that are tried, in the order of a form; NULL behind the last. */
const SlControl *sl_trial_nth_control (guint n);

/* Of a frame with which it is possible. Signal "answered": to what was asked for last. */
SlTrial *sl_trial_new (SlWorker *worker, SlJob *job, SlFrameObject *frame);
/* With the guidance of settings, whose others do not count; decoded, else the quick preview. What was asked for and not begun is
 * dropped. */
void sl_trial_ask (SlTrial *self, SlSettings *settings, gboolean decoded);
/* What was answered last, RGB rows; NULL: nothing yet, or the problem. Borrowed. */
GBytes *sl_trial_get_rgb (SlTrial *self, int *width, int *height);
/* A sentence without its full stop, or NULL. */
const char *sl_trial_get_problem (SlTrial *self);

G_END_DECLS
