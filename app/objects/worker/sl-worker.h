/* sl-worker.h - the thread that owns the device and the model, seen from the main thread.
 *
 * Everything returns at once; results arrive as changes of the job, of its frames and of the
 * worker's loading properties. A new model is loaded while the old one is still there: when loading
 * fails, the old one stays usable.
 */
#pragma once

#include "app/objects/sl-job.h"

G_BEGIN_DECLS

typedef enum
{
  SL_FAST_AUTOMATIC, /* on a GPU */
  SL_FAST_OFF,
  SL_FAST_ON,
} SlFast;

#define SL_TYPE_WORKER (sl_worker_get_type ())

G_DECLARE_FINAL_TYPE (SlWorker, sl_worker, SL, WORKER, GObject)

/* Signal "ended" (SlJob): a job that was started here is over. */
SlWorker *sl_worker_new (void);
/* For models that are loaded from now on; "auto" and 0 let the engine choose. */
void sl_worker_set_device (SlWorker *self, const char *device, const char *dtype, int threads);
/* The tiny VAE that makes previews of full size, for jobs that start from now on and want them so; "": the one that is
 * called as suits the model, also looked for in the folder `models` ("": only on the search path). */
void sl_worker_set_tiny (SlWorker *self, const char *path, const char *models);
/* Bytes that the frames of one run may take on the average, of runs that start from now on; 0 is the usual. Longer runs
 * keep only some frames whole. */
void sl_worker_set_budget (SlWorker *self, gsize bytes);
/* Of jobs that start together from now on: those of one size make their evaluations as one batch, which is
 * faster on a GPU and may change the last bits. What is saved of them says so. */
void sl_worker_set_fast (SlWorker *self, SlFast fast);
/* Whether they will be, on the device that the model is loaded on. */
gboolean sl_worker_is_fast (SlWorker *self);
/* Jobs that start from now on keep what each word of their prompts does (sl-frame-words.h); else nothing is computed
 * for it. */
void sl_worker_set_words (SlWorker *self, gboolean words);
/* Loads ahead of the first job. Signals "loaded" and "load-failed" (model, sentence) follow. */
void sl_worker_load (SlWorker *self, SlModelItem *model);
/* The same as the job was computed, ahead of what goes on from it. */
void sl_worker_load_for (SlWorker *self, SlJob *job);
/* What has begun, a branch, and what is to be computed as another run (sl_job_compute_as) is so where this machine can.
 * Signal "otherwise" (sentence): it cannot; once for each way of computing. */
void sl_worker_start (SlWorker *self, SlJob *job);
/* Several jobs of one model, of SlJob, side by side: each makes an evaluation in turn. One that is
 * paused goes on from where it was. */
void sl_worker_start_together (SlWorker *self, GPtrArray *jobs);
/* The same, but one comes to its end after the other (or as many at a time as advance as one batch). */
void sl_worker_start_in_order (SlWorker *self, GPtrArray *jobs);
/* After the evaluation in progress; the job's state says when. */
void sl_worker_pause (SlWorker *self, SlJob *job);
/* The job is over when this returns; the computation ends within one operation. */
void sl_worker_stop (SlWorker *self, SlJob *job);
/* Decodes one moment between evaluations, in the types of its run. The frame's "decoded" of this view follows, also when it could not be
 * done (the model is not loaded any more); FALSE when nothing will follow. */
gboolean sl_worker_decode (SlWorker *self, SlJob *job, SlFrameObject *frame, SlView view);
gboolean sl_worker_is_loading (SlWorker *self);
double sl_worker_get_load_fraction (SlWorker *self);
const char *sl_worker_get_load_what (SlWorker *self);
/* The model that is loaded, or NULL. */
SlModelItem *sl_worker_get_model (SlWorker *self);
/* One line about the device in use, or "". */
const char *sl_worker_get_device_line (SlWorker *self);
/* Why the types are what "auto" is on the processor, one line; "": they were chosen otherwise. */
const char *sl_worker_get_types_line (SlWorker *self);
/* In which types a model computes as the preferences say, as it was loaded, or as it would be: as sl_estimate has it. */
char *sl_worker_guess_dtype (SlWorker *self, SlModelItem *model);
/* The same on one line with the device, "cpu, f32", where a new run would be computed otherwise than computed says; NULL:
 * it would not, or nothing is known. */
char *sl_worker_dup_difference (SlWorker *self, SlModelItem *model, SlComputed computed);
/* What the model was loaded on last as the preferences say: the types that it computes in, "f32" or "bf16,vae=f32", or "" before one was loaded; whether it is a GPU;
 * and what of the device's memory was free then, beside the model: G_MAXUINT64 where that is the host's. */
const char *sl_worker_get_dtype (SlWorker *self);
gboolean sl_worker_is_on_gpu (SlWorker *self);
guint64 sl_worker_get_memory (SlWorker *self);
/* Bytes of the loaded model's weights that have no memory yet. */
guint64 sl_worker_get_waiting (SlWorker *self);
/* How much of the evaluation in progress is done, 0 to 1. */
double sl_worker_get_step_fraction (SlWorker *self);
/* Ends everything and waits for the thread, which takes as long as one operation. Later calls do
 * nothing. */
void sl_worker_shutdown (SlWorker *self);

G_END_DECLS
