/* sl-queue.c - see sl-queue.h. */
#include "app/objects/sl-queue.h"

struct _SlQueue
{
  SlList parent_instance;
  SlWorker *worker;
  GListStore *waiting; /* the list's */
  SlJob *current;
  gboolean paused;
  gboolean awakes; /* the current one was told to go on, and its state does not say so yet */
  gboolean held;
};

G_DEFINE_FINAL_TYPE (SlQueue, sl_queue, SL_TYPE_LIST)

enum
{
  STARTED,
  ENDED,
  PAUSED,
  HELD,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void start_next (SlQueue *self);

static void
sl_queue_dispose (GObject *object)
{
  SlQueue *self = SL_QUEUE (object);

  if (self->current)
    g_signal_handlers_disconnect_by_data (self->current, self);
  g_clear_object (&self->current);
  g_clear_object (&self->worker);
  G_OBJECT_CLASS (sl_queue_parent_class)->dispose (object);
}

static void
sl_queue_class_init (SlQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_queue_dispose;
  signals[STARTED] = g_signal_new ("started", SL_TYPE_QUEUE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, SL_TYPE_JOB);
  signals[ENDED] = g_signal_new ("ended", SL_TYPE_QUEUE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                 1, SL_TYPE_JOB);
  signals[PAUSED]
      = g_signal_new ("paused", SL_TYPE_QUEUE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[HELD]
      = g_signal_new ("held", SL_TYPE_QUEUE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_queue_init (SlQueue *self)
{
  self->waiting = sl_list_init_items (SL_LIST (self), SL_TYPE_JOB);
}

SlQueue *
sl_queue_new (SlWorker *worker)
{
  SlQueue *self = g_object_new (SL_TYPE_QUEUE, NULL);

  self->worker = g_object_ref (worker);
  return self;
}

static gboolean
is_empty (SlQueue *self)
{
  return self->current == NULL && g_list_model_get_n_items (G_LIST_MODEL (self)) == 0;
}

static void
set_paused (SlQueue *self, gboolean paused)
{
  if (self->paused == paused)
    return;
  self->paused = paused;
  g_signal_emit (self, signals[PAUSED], 0);
}

/* What was told to rest after the queue had gone on again is told to go on, too. */
static void
awake (SlQueue *self)
{
  if (self->paused || self->awakes || self->current == NULL
      || sl_job_get_state (self->current) != SL_JOB_PAUSED)
    return;
  self->awakes = TRUE; /* or it would be given to the worker twice */
  sl_worker_start (self->worker, self->current);
}

static void
job_changed (SlQueue *self, GParamSpec *pspec, SlJob *job)
{
  if (job != self->current)
    return;
  self->awakes = FALSE;
  awake (self);
  if (!sl_job_is_over (job))
    return;
  g_object_ref (job);
  g_signal_handlers_disconnect_by_data (job, self);
  g_clear_object (&self->current);
  g_signal_emit (self, signals[ENDED], 0, job);
  g_object_unref (job);
  if (is_empty (self))
    set_paused (self, FALSE);
  start_next (self);
}

static void
start_next (SlQueue *self)
{
  if (self->current || self->paused || self->held || g_list_model_get_n_items (G_LIST_MODEL (self)) == 0)
    return;
  self->current = g_list_model_get_item (G_LIST_MODEL (self), 0);
  g_list_store_remove (self->waiting, 0);
  g_signal_connect_object (self->current, "notify::state", G_CALLBACK (job_changed), self, G_CONNECT_SWAPPED);
  g_signal_emit (self, signals[STARTED], 0, self->current);
  sl_worker_start (self->worker, self->current);
}

void
sl_queue_add (SlQueue *self, SlJob *job)
{
  g_list_store_append (self->waiting, job);
  start_next (self);
}

void
sl_queue_set_held (SlQueue *self, gboolean held)
{
  if (self->held == held)
    return;
  self->held = held;
  g_signal_emit (self, signals[HELD], 0);
  start_next (self);
}

gboolean
sl_queue_is_held (SlQueue *self)
{
  return self->held;
}

SlJob *
sl_queue_get_current (SlQueue *self)
{
  return self->current;
}

void
sl_queue_remove (SlQueue *self, guint position)
{
  if (position < g_list_model_get_n_items (G_LIST_MODEL (self)))
    g_list_store_remove (self->waiting, position);
  if (is_empty (self))
    set_paused (self, FALSE);
}

void
sl_queue_move (SlQueue *self, guint from, int to)
{
  g_autoptr (SlJob) job = g_list_model_get_item (G_LIST_MODEL (self), from);
  int last = (int)g_list_model_get_n_items (G_LIST_MODEL (self)) - 1;

  to = CLAMP (to, 0, MAX (last, 0));
  if (job == NULL || to == (int)from)
    return;
  g_list_store_remove (self->waiting, from);
  g_list_store_insert (self->waiting, to, job);
}

void
sl_queue_clear (SlQueue *self)
{
  g_list_store_remove_all (self->waiting);
  if (is_empty (self))
    set_paused (self, FALSE);
}

void
sl_queue_stop (SlQueue *self)
{
  g_autoptr (SlJob) job = self->current ? g_object_ref (self->current) : NULL;

  if (job == NULL)
    return;
  set_paused (self, FALSE);
  sl_worker_stop (self->worker, job);
}

void
sl_queue_pause (SlQueue *self)
{
  if (is_empty (self))
    return;
  if (self->current)
    sl_worker_pause (self->worker, self->current);
  set_paused (self, TRUE);
}

void
sl_queue_go_on (SlQueue *self)
{
  set_paused (self, FALSE);
  awake (self);
  start_next (self);
}

gboolean
sl_queue_is_paused (SlQueue *self)
{
  return self->paused;
}
