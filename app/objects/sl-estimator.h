/* sl-estimator.h - what the pictures that a person is about to start will cost here: time, memory.
 *
 * Asked as often as settings change, it answers for the last question, a moment after changes have ended, from a thread
 * of its own. How fast this machine is, it learns from all runs of the worker that end well (but not from batches), by
 * model, type, device and size, and keeps it in the preferences ("speeds"). Before anything of a device was learned there is no time to tell; `rough` is then a time
 * of a machine that is faster than most, so what it calls long is.
 */
#pragma once

#include "app/objects/worker/sl-worker.h"

G_BEGIN_DECLS

typedef struct
{
  guint pictures;
  double seconds;    /* of all of them; 0: not known */
  double rough;      /* the same, or a guess that is rather too short */
  gboolean of_model; /* the speed is this model's own */
  guint64
      bytes; /* of the one that needs most, weights included; what is cut down where memory is short, is */
  guint64 least; /* without which it cannot be made */
  guint64 left;  /* that it may use; G_MAXUINT64: not known */
} SlPlanCost;

#define SL_TYPE_ESTIMATOR (sl_estimator_get_type ())

G_DECLARE_FINAL_TYPE (SlEstimator, sl_estimator, SL, ESTIMATOR, GObject)

/* Signal "changed": sl_estimator_get answers otherwise. */
SlEstimator *sl_estimator_new (GSettings *preferences, SlWorker *worker);
/* What `count` pictures of each of these settings (of SlSettings, copied) would cost; NULL or none: nothing is asked. */
void sl_estimator_ask (SlEstimator *self, SlModelItem *model, GPtrArray *settings, guint count);
/* NULL while the answer is not there, and where the settings fit no picture. */
const SlPlanCost *sl_estimator_get (SlEstimator *self);
/* Calls back when the last question is answered, at once where it is. For who cannot begin without. */
void sl_estimator_wait (SlEstimator *self, void (*answered) (gpointer user_data), gpointer user_data);
gboolean sl_estimator_is_asking (SlEstimator *self);
void sl_estimator_close (SlEstimator *self);

/* More memory than there is. */
gboolean sl_plan_cost_is_too_large (const SlPlanCost *cost);
/* An hour or more. */
gboolean sl_plan_cost_is_long (const SlPlanCost *cost);

G_END_DECLS
