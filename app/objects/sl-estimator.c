/* sl-estimator.c - see sl-estimator.h.
 *
 * Easy to get wrong: memory that the loaded model has is not free any more and need not be found again; and what a
 * finished picture had, another of its size will have, whatever the system says is free.
 */
#include "app/objects/sl-estimator.h"

#include "app/objects/sl-job-private.h"
#include "app/objects/sl-model-item-private.h"
#include "app/objects/sl-settings-private.h"
#include "app/objects/sl-thread-queue.h"
#include "app/record/record.h"

#define WAIT_MS 100
#define MAX_SPEEDS 64 /* that are kept */
#define LONG_SECONDS 3600.0
#define CPU_FLOPS 4e10 /* of a core, at best */
#define GPU_FLOPS 1e14

/* What one question is about; the thread has it for itself. */
typedef struct
{
  SlEstimator *self;
  SlModelItem *model;
  GPtrArray *settings; /* of SlSettings */
  guint count;
  char *dtype;
  gboolean on_gpu, loaded; /* is it the model that is loaded? */
  guint number;            /* of the question */
  double learned;          /* seconds of an evaluation that ended; 0: this is a question */

  SlEstimate total; /* evaluations and work of all; memory of the largest */
  GArray *parts;    /* of Part */
  gboolean answered;
} Task;

/* Pictures of one size, whose evaluations are as much work. */
typedef struct
{
  int width, height;
  gboolean guided;
  SlRecipe recipe; /* of the first: its numbers only */
  SlEstimate one;
  double evaluations; /* of all of them */
  guint pictures;
} Part;

struct _SlEstimator
{
  GObject parent_instance;
  GSettings *preferences;
  SlWorker *worker;
  SlThreadQueue *queue; /* NULL: closed */
  Task *next;           /* waits for the changes to end */
  guint timeout;
  guint number, done; /* of questions that were asked, and of the newest that was answered */
  SlPlanCost cost;
  gboolean known;
  guint64 proved; /* bytes that a finished picture of the loaded model needed */
  SlModelItem *proved_of;
  void (*answered) (gpointer user_data);
  gpointer user_data;
};

G_DEFINE_FINAL_TYPE (SlEstimator, sl_estimator, G_TYPE_OBJECT)

static guint changed_signal;

static void
task_free (gpointer data)
{
  Task *task = data;

  g_object_unref (task->self);
  g_object_unref (task->model);
  g_ptr_array_unref (task->settings);
  g_array_unref (task->parts);
  g_free (task->dtype);
  g_free (task);
}

/* ---- speeds ---- */

static char *
key_of (SlModelItem *model, const char *dtype, gboolean on_gpu, const Part *part)
{
  return g_strdup_printf ("%s|%s|%s|%dx%d%s", sl_model_item_get_name (model), dtype, on_gpu ? "gpu" : "cpu",
                          part->width, part->height, part->guided ? "" : "|1");
}

/* How much alike two keys' models are: 2 the same, 1 another on the same device and in the same type. */
static int
likeness (const char *key, const char *other)
{
  g_auto (GStrv) a = g_strsplit (key, "|", 5), b = g_strsplit (other, "|", 5);

  if (g_strv_length (a) < 4 || g_strv_length (b) < 4 || !g_str_equal (a[1], b[1])
      || !g_str_equal (a[2], b[2]))
    return 0;
  return g_str_equal (a[0], b[0]) ? 2 : 1;
}

/* Seconds of an evaluation: as it was at this size, or of the nearest amount of work by the same model, or by any. 0:
 * nothing is known. */
static double
seconds_of (GSettings *preferences, const char *key, double flops, int *how_like)
{
  g_autoptr (GVariant) all = g_settings_get_value (preferences, "speeds");
  GVariantIter iter;
  const char *other;
  double seconds, work, best = 0, nearest = 0;

  *how_like = 0;
  g_variant_iter_init (&iter, all);
  while (g_variant_iter_next (&iter, "{&s(dd)}", &other, &seconds, &work))
    {
      int like = work > 0 && seconds > 0 ? likeness (key, other) : 0;
      double away = work > flops ? work / MAX (flops, 1) : flops / MAX (work, 1);

      if (like == 2 && g_str_equal (key, other))
        away = 0; /* but with caching an evaluation is less work than it was there */
      if (like == 0 || like < *how_like || (like == *how_like && away >= nearest))
        continue;
      *how_like = like;
      nearest = away;
      best = seconds * flops / work;
    }
  return best;
}

static void
remember (SlEstimator *self, const char *key, double seconds, double flops)
{
  g_autoptr (GVariant) all = g_settings_get_value (self->preferences, "speeds");
  GVariantBuilder builder;
  GVariantIter iter;
  const char *other;
  double before, work;
  guint kept = 0;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{s(dd)}"));
  g_variant_iter_init (&iter, all);
  while (g_variant_iter_next (&iter, "{&s(dd)}", &other, &before, &work))
    {
      if (g_str_equal (key, other))
        seconds = (seconds + before) / 2;
      else if (kept < MAX_SPEEDS - 1 && ++kept)
        g_variant_builder_add (&builder, "{s(dd)}", other, before, work);
    }
  g_variant_builder_add (&builder, "{s(dd)}", key, seconds, flops);
  g_settings_set_value (self->preferences, "speeds", g_variant_builder_end (&builder));
}

/* ---- the thread ---- */

/* Which share of the evaluations takes over a part is the same. */
static gboolean
caches_alike (const SlRecipe *a, const SlRecipe *b)
{
  return a->caching == b->caching
         && (a->caching == SL_CACHING_OFF
             || (a->caching_interval == b->caching_interval && a->caching_branch == b->caching_branch
                 && a->caching_from == b->caching_from && a->caching_to == b->caching_to
                 && a->steps == b->steps));
}

static Part *
find_part (GArray *parts, const SlRecipe *recipe)
{
  for (guint i = 0; i < parts->len; i++)
    {
      Part *part = &g_array_index (parts, Part, i);

      if (part->width == recipe->width && part->height == recipe->height
          && part->guided == (recipe->guidance > 1) && caches_alike (&part->recipe, recipe))
        return part;
    }
  return NULL;
}

static void
add_picture (Task *task, SlSettings *settings)
{
  SlRecipe recipe;
  SlError err = { 0 };
  Part *part, fresh = { 0 };

  _sl_settings_get_recipe (settings, &recipe);
  part = find_part (task->parts, &recipe);
  if (part == NULL)
    {
      fresh = (Part){
        .width = recipe.width, .height = recipe.height, .guided = recipe.guidance > 1, .recipe = recipe
      };
      if (!sl_estimate (_sl_model_item_get_info (task->model), &recipe, task->dtype, &fresh.one, &err))
        return;
      g_array_append_val (task->parts, fresh);
      part = &g_array_index (task->parts, Part, task->parts->len - 1);
    }
  part->evaluations += sl_grid_evaluations (&recipe);
  part->pictures++;
}

static void
ask_run (gpointer data)
{
  Task *task = data;

  for (guint i = 0; i < task->settings->len; i++)
    add_picture (task, task->settings->pdata[i]);
}

/* ---- answers ---- */

static void
add_time (Task *task, const Part *part, SlPlanCost *cost, gboolean *all_known)
{
  SlEstimator *self = task->self;
  g_autofree char *key = key_of (task->model, task->dtype, task->on_gpu, part);
  double flops = MAX (part->one.evaluation_flops, 1);
  double machine = task->on_gpu ? GPU_FLOPS : CPU_FLOPS * g_get_num_processors ();
  int like;
  double each = seconds_of (self->preferences, key, flops, &like);
  double of_flop = each > 0 ? each / flops : 1 / machine;
  double seconds = part->evaluations * flops * of_flop + part->pictures * part->one.other_flops * of_flop;

  *all_known = *all_known && each > 0;
  cost->of_model = cost->of_model && like == 2;
  cost->rough += seconds * task->count;
  cost->pictures += part->pictures * task->count;
}

static guint64
memory_left (Task *task)
{
  SlEstimator *self = task->self;
  guint64 left = task->on_gpu ? sl_worker_get_memory (self->worker) : sl_host_memory_left ("");
  guint64 has = 0;

  if (task->loaded && task->parts->len > 0)
    {
      guint64 waiting = task->on_gpu ? 0 : sl_worker_get_waiting (self->worker);

      has = g_array_index (task->parts, Part, 0).one.weights;
      has -= MIN (has, waiting);
    }
  left = left < G_MAXUINT64 - has ? left + has : G_MAXUINT64;
  return self->proved_of == task->model ? MAX (left, self->proved) : left;
}

static void
answer (Task *task)
{
  SlEstimator *self = task->self;
  SlPlanCost cost = { .of_model = TRUE };
  gboolean all_known = task->parts->len > 0;

  for (guint i = 0; i < task->parts->len; i++)
    {
      const Part *part = &g_array_index (task->parts, Part, i);

      add_time (task, part, &cost, &all_known);
      cost.bytes = MAX (cost.bytes, part->one.bytes);
      cost.least = MAX (cost.least, part->one.least);
    }
  cost.left = memory_left (task);
  cost.bytes = cost.bytes > cost.left ? cost.least : cost.bytes;
  cost.seconds = all_known ? cost.rough : 0;
  self->cost = cost;
  self->known = task->parts->len > 0;
  g_signal_emit (self, changed_signal, 0);
}

static void
tell_who_waits (SlEstimator *self)
{
  void (*answered) (gpointer user_data) = self->answered;

  self->answered = NULL;
  if (answered)
    answered (self->user_data);
}

static void
ask_done (gpointer data)
{
  Task *task = data;
  SlEstimator *self = task->self;

  if (self->queue == NULL)
    return;
  if (task->learned > 0 && task->parts->len > 0)
    {
      const Part *part = &g_array_index (task->parts, Part, 0);
      g_autofree char *key = key_of (task->model, task->dtype, task->on_gpu, part);

      remember (self, key, task->learned, part->one.evaluation_flops);
      self->proved = self->proved_of == task->model ? MAX (self->proved, part->one.least) : part->one.least;
      g_set_object (&self->proved_of, task->model);
    }
  if (task->learned > 0)
    return;
  if (task->number != self->number)
    return;
  self->done = task->number;
  answer (task);
  tell_who_waits (self);
}

/* ---- questions ---- */

static Task *
task_new (SlEstimator *self, SlModelItem *model, guint count)
{
  Task *task = g_new0 (Task, 1);
  SlModelItem *loaded = sl_worker_get_model (self->worker);

  task->self = g_object_ref (self);
  task->model = g_object_ref (model);
  task->settings = g_ptr_array_new_with_free_func (g_object_unref);
  task->parts = g_array_new (FALSE, TRUE, sizeof (Part));
  task->count = count;
  task->dtype = sl_worker_guess_dtype (self->worker, model);
  task->on_gpu = sl_worker_is_on_gpu (self->worker);
  task->loaded = loaded && sl_model_item_equal (loaded, model);
  return task;
}

static gboolean
begin (gpointer data)
{
  SlEstimator *self = data;
  Task *task = g_steal_pointer (&self->next);

  self->timeout = 0;
  if (task)
    sl_thread_queue_push (self->queue, FALSE, ask_run, ask_done, task, task_free);
  return G_SOURCE_REMOVE;
}

void
sl_estimator_ask (SlEstimator *self, SlModelItem *model, GPtrArray *settings, guint count)
{
  if (self->queue == NULL)
    return;
  g_clear_pointer (&self->next, task_free);
  g_clear_handle_id (&self->timeout, g_source_remove);
  self->number++;
  if (model == NULL || settings == NULL || settings->len == 0)
    {
      self->done = self->number;
      self->known = FALSE;
      g_signal_emit (self, changed_signal, 0);
      tell_who_waits (self);
      return;
    }
  self->next = task_new (self, model, count);
  self->next->number = self->number;
  for (guint i = 0; i < settings->len; i++)
    g_ptr_array_add (self->next->settings, sl_settings_dup (settings->pdata[i]));
  self->timeout = g_timeout_add (WAIT_MS, begin, self);
}

gboolean
sl_estimator_is_asking (SlEstimator *self)
{
  return self->queue && self->done != self->number;
}

void
sl_estimator_wait (SlEstimator *self, void (*answered) (gpointer user_data), gpointer user_data)
{
  self->answered = answered;
  self->user_data = user_data;
  if (!sl_estimator_is_asking (self))
    {
      tell_who_waits (self);
      return;
    }
  g_clear_handle_id (&self->timeout, g_source_remove);
  begin (self);
}

const SlPlanCost *
sl_estimator_get (SlEstimator *self)
{
  return self->known && !sl_estimator_is_asking (self) ? &self->cost : NULL;
}

/* A run that has ended, as it was computed. With caching not all of its evaluations are whole. */
static void
learn (SlEstimator *self, SlJob *job)
{
  SlComputed computed;
  Task *task;

  if (self->queue == NULL || sl_job_get_state (job) != SL_JOB_DONE
      || _sl_job_get_recipe (job)->caching != SL_CACHING_OFF || _sl_job_get_each (job) <= 0)
    return;
  task = task_new (self, sl_job_get_model (job), 1);
  task->learned = _sl_job_get_each (job);
  computed = sl_job_get_computed (job);
  g_free (task->dtype);
  task->dtype = g_strdup (computed.types);
  task->on_gpu = g_str_equal (computed.device, "cuda");
  g_ptr_array_add (task->settings, sl_settings_dup (sl_job_get_settings (job)));
  sl_thread_queue_push (self->queue, FALSE, ask_run, ask_done, task, task_free);
}

gboolean
sl_plan_cost_is_too_large (const SlPlanCost *cost)
{
  return cost->least > cost->left;
}

gboolean
sl_plan_cost_is_long (const SlPlanCost *cost)
{
  return cost->rough >= LONG_SECONDS;
}

/* ---- class ---- */

void
sl_estimator_close (SlEstimator *self)
{
  SlThreadQueue *queue = g_steal_pointer (&self->queue);

  g_clear_handle_id (&self->timeout, g_source_remove);
  g_clear_pointer (&self->next, task_free);
  if (queue)
    sl_thread_queue_close (queue);
  tell_who_waits (self);
}

static void
sl_estimator_dispose (GObject *object)
{
  SlEstimator *self = SL_ESTIMATOR (object);

  sl_estimator_close (self);
  g_clear_object (&self->preferences);
  g_clear_object (&self->worker);
  g_clear_object (&self->proved_of);
  G_OBJECT_CLASS (sl_estimator_parent_class)->dispose (object);
}

static void
sl_estimator_class_init (SlEstimatorClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_estimator_dispose;
  changed_signal
      = g_signal_new ("changed", SL_TYPE_ESTIMATOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_estimator_init (SlEstimator *self)
{
}

SlEstimator *
sl_estimator_new (GSettings *preferences, SlWorker *worker)
{
  SlEstimator *self = g_object_new (SL_TYPE_ESTIMATOR, NULL);

  self->preferences = g_object_ref (preferences);
  self->worker = g_object_ref (worker);
  self->queue = sl_thread_queue_new ("estimates");
  g_signal_connect_object (worker, "ended", G_CALLBACK (learn), self, G_CONNECT_SWAPPED);
  return self;
}
