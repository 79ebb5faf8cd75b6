/* sl-worker-start.c - jobs handed to the worker's thread, with where each goes on from and what its frames may
 * take; see sl-worker.h.
 */
#include "app/objects/worker/sl-worker-private.h"

/* ---- the jobs that are there ---- */

static void
job_gone (gpointer data, GObject *job)
{
  g_ptr_array_remove_fast (SL_WORKER (data)->jobs, job);
}

void
_sl_worker_forget_jobs (SlWorker *self)
{
  for (guint i = 0; i < self->jobs->len; i++)
    g_object_weak_unref (self->jobs->pdata[i], job_gone, self);
  g_ptr_array_set_size (self->jobs, 0);
}

static void
remember_job (SlWorker *self, SlJob *job)
{
  if (g_ptr_array_find (self->jobs, job, NULL))
    return;
  g_object_weak_ref (G_OBJECT (job), job_gone, self);
  g_ptr_array_add (self->jobs, job);
}

/* ---- starting ---- */

static void
unref_bytes (gpointer bytes)
{
  if (bytes)
    g_bytes_unref (bytes);
}

static void
clear_origin (gpointer data)
{
  SlBranchStart *origin = data;

  g_clear_object (&origin->parent);
  g_clear_pointer (&origin->state, g_bytes_unref);
  sl_batches_free (&origin->batches);
}

SlBranchStart
_sl_worker_find_place (SlJob *run, guint evaluations)
{
  SlBranchStart origin = { .parent = g_object_ref (run), .evaluations = evaluations };
  GBytes *state = _sl_job_find_checkpoint (run, evaluations, &origin.state_at);

  origin.state = state ? g_bytes_ref (state) : NULL;
  origin.first = sl_job_get_parent (run) ? sl_job_get_branch_point (run) : 0;
  origin.batches = _sl_job_list_batches (run, evaluations);
  return origin;
}

static SlBranchStart
find_origin (SlJob *job)
{
  return sl_job_get_parent (job)
             ? _sl_worker_find_place (sl_job_get_parent (job), sl_job_get_branch_point (job))
             : (SlBranchStart){ 0 };
}

GArray *
_sl_worker_new_origins (void)
{
  GArray *origins = g_array_new (FALSE, FALSE, sizeof (SlBranchStart));

  g_array_set_clear_func (origins, clear_origin);
  return origins;
}

/* What is left for these jobs' frames beside those of all others. */
static gsize
find_budget (SlWorker *self, GPtrArray *jobs)
{
  gsize least = SL_FRAMES_LEAST * jobs->len, held = 0;

  for (guint i = 0; i < self->jobs->len; i++)
    if (!g_ptr_array_find (jobs, self->jobs->pdata[i], NULL))
      held += _sl_job_get_bytes (self->jobs->pdata[i]);
  if (self->budget)
    return self->budget * jobs->len;
  return held + least < SL_FRAMES_LIMIT ? SL_FRAMES_LIMIT - held : least;
}

void
sl_worker_start_together (SlWorker *self, GPtrArray *jobs)
{
  SlRequest *request;

  if (self->side == NULL || jobs->len == 0)
    return;
  request = _sl_worker_new_request (self, sl_job_get_model (jobs->pdata[0]));
  request->jobs = g_ptr_array_new_with_free_func (g_object_unref);
  request->saved = g_ptr_array_new_with_free_func (unref_bytes);
  request->origins = _sl_worker_new_origins ();
  request->budget = find_budget (self, jobs);
  request->fast = jobs->len > 1 ? self->fast : SL_FAST_OFF;
  for (guint i = 0; i < jobs->len; i++)
    {
      GBytes *saved = _sl_job_get_saved (jobs->pdata[i]);
      SlBranchStart origin = find_origin (jobs->pdata[i]);

      remember_job (self, jobs->pdata[i]);
      _sl_job_ask_pause (jobs->pdata[i], FALSE);
      g_ptr_array_add (request->jobs, g_object_ref (jobs->pdata[i]));
      g_array_append_val (request->origins, origin);
      g_ptr_array_add (request->saved, saved ? g_bytes_ref (saved) : NULL);
    }
  sl_thread_queue_push (self->side->thread, FALSE, _sl_request_run, NULL, request, _sl_request_free);
}

void
sl_worker_start (SlWorker *self, SlJob *job)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();

  g_return_if_fail (SL_IS_JOB (job));

  g_ptr_array_add (jobs, job);
  sl_worker_start_together (self, jobs);
}
