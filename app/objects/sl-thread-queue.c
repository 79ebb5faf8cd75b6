/* sl-thread-queue.c - see sl-thread-queue.h. */
#include "app/objects/sl-thread-queue.h"

#include <pthread.h>

/* A main loop turn spends at most this long on a queue's messages. */
#define DRAIN_BUDGET_US 8000

typedef struct
{
  SlThreadQueueFunc run;
  SlThreadQueueFunc done;
  gpointer data;
  GDestroyNotify destroy;
} SlTask;

struct _SlThreadQueue
{
  GThread *thread;
  pthread_mutex_t lock; /* guards all that follows */
  pthread_cond_t wake;
  pthread_cond_t rests; /* nothing waits and nothing runs */
  gboolean running;
  GQueue urgent;
  GQueue waiting;
  GQueue outbox;
  guint idle;
  gboolean closing;
};

static void
task_free (SlTask *task)
{
  if (task->destroy)
    task->destroy (task->data);
  g_free (task);
}

/* Delivers one message; FALSE when there was none. */
static gboolean
deliver (SlThreadQueue *self)
{
  SlTask *task;

  pthread_mutex_lock (&self->lock);
  task = g_queue_pop_head (&self->outbox);
  pthread_mutex_unlock (&self->lock);
  if (task == NULL)
    return FALSE;
  if (task->done)
    task->done (task->data);
  task_free (task);
  return TRUE;
}

static gboolean
drain (gpointer data)
{
  SlThreadQueue *self = data;
  gint64 until = g_get_monotonic_time () + DRAIN_BUDGET_US;
  gboolean more;

  while (deliver (self))
    if (g_get_monotonic_time () > until)
      break;
  pthread_mutex_lock (&self->lock);
  more = !g_queue_is_empty (&self->outbox);
  if (!more)
    self->idle = 0;
  pthread_mutex_unlock (&self->lock);
  return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
send (SlThreadQueue *self, SlTask *task)
{
  pthread_mutex_lock (&self->lock);
  g_queue_push_tail (&self->outbox, task);
  /* Before redrawing, so that a frame is on screen with the next redraw. */
  if (self->idle == 0)
    self->idle = g_idle_add_full (G_PRIORITY_HIGH_IDLE + 10, drain, self, NULL);
  pthread_mutex_unlock (&self->lock);
}

static void
perform (SlThreadQueue *self, SlTask *task)
{
  task->run (task->data);
  /* Sent without a done as well: the data is freed on the main thread. */
  send (self, task);
}

/* Under the lock. */
static gboolean
has_tasks (SlThreadQueue *self)
{
  return !g_queue_is_empty (&self->urgent) || !g_queue_is_empty (&self->waiting);
}

/* The next task, waiting for one; NULL when the queue is closed and empty. */
static SlTask *
next_task (SlThreadQueue *self)
{
  SlTask *task;

  pthread_mutex_lock (&self->lock);
  self->running = FALSE;
  if (!has_tasks (self))
    pthread_cond_signal (&self->rests);
  while (!has_tasks (self) && !self->closing)
    pthread_cond_wait (&self->wake, &self->lock);
  task = g_queue_pop_head (&self->urgent);
  if (task == NULL)
    task = g_queue_pop_head (&self->waiting);
  self->running = task != NULL;
  pthread_mutex_unlock (&self->lock);
  return task;
}

static gpointer
queue_thread (gpointer data)
{
  SlThreadQueue *self = data;
  SlTask *task;

  while ((task = next_task (self)))
    perform (self, task);
  return NULL;
}

SlThreadQueue *
sl_thread_queue_new (const char *name)
{
  SlThreadQueue *self = g_new0 (SlThreadQueue, 1);

  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->wake, NULL);
  pthread_cond_init (&self->rests, NULL);
  g_queue_init (&self->urgent);
  g_queue_init (&self->waiting);
  g_queue_init (&self->outbox);
  self->thread = g_thread_new (name, queue_thread, self);
  return self;
}

void
sl_thread_queue_push (SlThreadQueue *self,
                      gboolean urgent,
                      SlThreadQueueFunc run,
                      SlThreadQueueFunc done,
                      gpointer data,
                      GDestroyNotify destroy)
{
  SlTask *task = g_new0 (SlTask, 1);

  *task = (SlTask){ run, done, data, destroy };
  pthread_mutex_lock (&self->lock);
  g_queue_push_tail (urgent ? &self->urgent : &self->waiting, task);
  pthread_cond_signal (&self->wake);
  pthread_mutex_unlock (&self->lock);
}

void
sl_thread_queue_yield (SlThreadQueue *self)
{
  for (;;)
    {
      SlTask *task;

      pthread_mutex_lock (&self->lock);
      task = g_queue_pop_head (&self->urgent);
      pthread_mutex_unlock (&self->lock);
      if (task == NULL)
        return;
      perform (self, task);
    }
}

void
sl_thread_queue_post (SlThreadQueue *self, SlThreadQueueFunc func, gpointer data, GDestroyNotify destroy)
{
  SlTask *task = g_new0 (SlTask, 1);

  *task = (SlTask){ NULL, func, data, destroy };
  send (self, task);
}

void
sl_thread_queue_wait (SlThreadQueue *self)
{
  gboolean more = TRUE;

  while (more)
    {
      pthread_mutex_lock (&self->lock);
      while (has_tasks (self) || self->running)
        pthread_cond_wait (&self->rests, &self->lock);
      pthread_mutex_unlock (&self->lock);
      /* What is said may ask for more. */
      while (deliver (self))
        ;
      pthread_mutex_lock (&self->lock);
      more = has_tasks (self) || self->running;
      pthread_mutex_unlock (&self->lock);
    }
}

void
sl_thread_queue_close (SlThreadQueue *self)
{
  SlTask *task;

  pthread_mutex_lock (&self->lock);
  self->closing = TRUE;
  pthread_cond_signal (&self->wake);
  pthread_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
  /* What the last messages ask for is still done, here. */
  do
    {
      while (deliver (self))
        ;
      sl_thread_queue_yield (self);
      if ((task = g_queue_pop_head (&self->waiting)))
        perform (self, task);
    }
  while (!g_queue_is_empty (&self->outbox));
  g_clear_handle_id (&self->idle, g_source_remove);
  pthread_cond_destroy (&self->wake);
  pthread_cond_destroy (&self->rests);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}
