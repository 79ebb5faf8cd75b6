/* sl-facts.h - all that a picture's file says about itself, for people to read. */
#pragma once

#include "app/objects/sl-job.h"
#include "app/objects/sl-thread-queue.h"

G_BEGIN_DECLS

/* Strings may be NULL where the file does not say. */
typedef struct
{
  char *source;         /* the program it is from: "safelight 0.1.0", "ComfyUI"; NULL: it holds no settings */
  SlSettings *settings; /* NULL: none, or none that can be shown */
  GPtrArray *lanes; /* of SlSettings: of a sheet or an animation of ours, each lane's; NULL: it is neither */
  char *model;      /* as the file names it */
  char **files;     /* of the model: name and SHA-256 ("" where it is not known) by turns, then NULL */
  char *device;     /* "cpu", and in which types, as SlComputed has them */
  char *types;
  int step, steps; /* saved at this step of a run with so many that went on; 0: at its end */
  gboolean branch; /* its run left another one at a step */
  char *notes;     /* what of it has no counterpart here, a sentence a line */
  guint64 bytes;   /* of the file */
  gint64 time;     /* when it was written, seconds since 1970 */
} SlFacts;

/* facts are borrowed during the call; NULL where the file cannot be read at all, and error says why. */
typedef void (*SlFactsFunc) (const SlFacts *facts, const GError *error, gpointer user_data);

/* Reads on the file thread; read is called on the main thread. Any picture that settings can be read from, and others,
 * of which the file alone is known. */
void sl_facts_read (SlThreadQueue *files, const char *path, SlFactsFunc read, gpointer user_data);

G_END_DECLS
