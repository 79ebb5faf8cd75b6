/* sl-keeper.h - what the program saves by itself: finished pictures and comparisons on their way into their folders, and
 * those that could not be written.
 *
 * What could not be written is held here, with all that its file needs, until it is written: nothing that comes later
 * takes its place. It is tried again when somebody asks, when its folder becomes another one, and when anything else
 * could be written after all.
 *
 * Main thread only, but for SlKeptClass.write.
 */
#pragma once

#include "app/objects/sl-thread-queue.h"

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  SL_KEEP_PICTURE,
  SL_KEEP_COMPARISON,
  SL_N_KEEP,
} SlKept;

typedef struct
{
  SlKept kind;
  /* On the file thread, and again after it failed. FALSE and a sentence. */
  gboolean (*write) (gpointer data, const char *folder, GError **error);
  void (*written) (gpointer data); /* on the main thread, once */
  GDestroyNotify free;
} SlKeptClass;

#define SL_TYPE_KEEPER (sl_keeper_get_type ())

G_DECLARE_FINAL_TYPE (SlKeeper, sl_keeper, SL, KEEPER, GObject)

/* files is borrowed until sl_keeper_close. Signal "changed": the functions below may answer otherwise. */
SlKeeper *sl_keeper_new (SlThreadQueue *files);
/* Where things of a kind go; what could not be written before is tried there. */
void sl_keeper_set_folder (SlKeeper *self, SlKept kind, const char *folder);
/* Takes data, of klass, and begins to write it. */
void sl_keeper_keep (SlKeeper *self, const SlKeptClass *klass, gpointer data);
/* How many could not be written so far, those that are tried again among them. */
guint sl_keeper_count_unsaved (SlKeeper *self, SlKept kind);
/* Why the last one of a kind could not be, a sentence; NULL: none is unsaved. */
const char *sl_keeper_get_problem (SlKeeper *self, SlKept kind);
void sl_keeper_try_again (SlKeeper *self);
/* Those of a kind that could not be written, once, into another folder. */
void sl_keeper_try_elsewhere (SlKeeper *self, SlKept kind, const char *folder);
/* Waits until nothing is being written. */
void sl_keeper_finish (SlKeeper *self);
/* Waits, too; what is unsaved then is lost, and so is what comes later. Before the file thread ends. */
void sl_keeper_close (SlKeeper *self);

G_END_DECLS
