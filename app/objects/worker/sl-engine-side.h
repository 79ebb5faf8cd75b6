/* sl-engine-side.h - the side of the worker's thread: the model that is loaded there, and decoding with it. It
 * tells the main thread's side through a table; sl-worker-run.c makes runs with it, sl-worker.c owns it.
 */
#pragma once

#include <pthread.h>

#include "app/files/files.h"
#include "app/objects/sl-frame-object-private.h"
#include "app/objects/sl-model-item.h"
#include "app/objects/sl-thread-queue.h"
#include "app/record/record.h"

G_BEGIN_DECLS

typedef struct
{
  char *device;
  char *dtype;
  int threads;
  char *tiny;   /* the tiny VAE for previews; "": by its name, */
  char *models; /* also in this folder; "": none */
  char *
      of_device; /* of a run that goes on, or that is to have another one's bytes: what that was computed on */
  char *
      of_types; /* and in, which stands before device and dtype where this machine can; both NULL: no such run */
} SlDeviceChoice;

void _sl_device_choice_copy (const SlDeviceChoice *from, SlDeviceChoice *to);
void _sl_device_choice_clear (SlDeviceChoice *choice);

/* A model that was loaded, and what it is loaded on. */
typedef struct
{
  SlModelItem *model;
  gboolean usual; /* as the preferences say; FALSE: as a run that goes on was computed */
  const char *device, *device_line, *types_line, *dtype;
  gboolean on_gpu;
  guint64 memory; /* of the device, that was free then; G_MAXUINT64: it is the host's */
} SlLoaded;

/* What the main thread is told, with the side's owner; texts are borrowed. */
typedef struct
{
  void (*loading) (gpointer owner, gboolean loading, double fraction, const char *what);
  void (*loaded) (gpointer owner, const SlLoaded *loaded);
  void (*load_failed) (gpointer owner, SlModelItem *model, const char *message);
  /* A run goes on otherwise than it was computed; a sentence, once for each way of computing. */
  void (*otherwise) (gpointer owner, const char *message);
  /* A frame's picture was decoded while its run goes on. */
  void (*decoded) (gpointer owner, SlFrameObject *frame);
} SlSideEvents;

typedef struct
{
  const SlSideEvents *events;
  gpointer owner; /* not a reference: it waits for the thread before it goes */
  SlThreadQueue *thread;
  pthread_mutex_t lock;  /* guards model against a cancel from the main thread */
  SlModel *model;        /* changed by the worker's thread only */
  SlModelItem *item;     /* of model */
  SlDeviceChoice choice; /* that model was loaded with; without a run's own where it is usual */
  GHashTable
      *lacking; /* models with ways of computing that were asked for and cannot be had here; NULL: none yet */
  SlModelKeys *keys; /* what its files were then; may be NULL */
  char *tiny;        /* the tiny VAE that model was last given, whatever came of it; NULL: none */
  int closing;       /* atomic: also what loading polls */
  guint running;     /* jobs that use model and are on their way */
  SlWhatIf *what_if; /* the moment that was tried last; NULL: none */
  SlTimeline *tried; /* of which timeline, a reference, */
  int tried_moment;
} SlEngineSide;

/* Tries again what was cancelled without having been asked for. */
#define SL_CANCEL_RETRIES 2

/* ---- on the worker's thread ---- */

/* Loads it where it is not loaded. Where the GPU has failed since, what asks for it gets the CPU. A run's own device and
 * types come first; where this machine does not have them, or no memory, the usual ones are taken and it is said. */
gboolean
_sl_side_ensure_model (SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *choice, SlError *err);
/* While nothing else is asked for, what waits of the model for its first frame is laid out, a little at a time. */
void _sl_side_settle (SlEngineSide *side);
/* The same between the evaluations of a run, for what looks at moments of another one: only the loaded model, and where
 * it computes otherwise than the choice's run was computed, only while no run has it. */
gboolean
_sl_side_ensure_loaded_as (SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *choice, SlError *err);
/* Gives the model the tiny VAE that the choice names, where there is one that fits; a model that has it keeps it. */
void _sl_side_ensure_tiny (SlEngineSide *side, const SlDeviceChoice *choice);
gboolean _sl_side_is_on_gpu (const SlEngineSide *side);
/* The device has failed for good. */
gboolean _sl_side_is_dead (const SlEngineSide *side);
/* Closes the model. */
void _sl_side_close (gpointer side);

/* A picture that is asked for. */
typedef struct
{
  SlFrameObject *frame;
  SlView view;
  /* what came of it */
  GBytes *rgb; /* NULL: see *err */
  int width;
  int height;
  SlFrameSamples samples; /* of a light frame, computed again */
} SlDecoding;

/* FALSE and *err when it failed; SL_FORMAT, naming the step, where the picture is not finite. */
gboolean _sl_side_decode (SlEngineSide *side, SlDecoding *decoding, SlError *err);
/* The picture of a frame that is not light by the tiny VAE: a preview of full size. */
gboolean _sl_side_decode_tiny (SlEngineSide *side, SlDecoding *decoding, SlError *err);
/* The same for a frame of which nobody knows whether its model is the one that is loaded, as it was computed. A GPU that
 * failed is replaced unless runs still have it. */
gboolean _sl_side_decode_of (
    SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *choice, SlDecoding *decoding, SlError *err);
void _sl_decoding_clear (SlDecoding *decoding);

/* A moment with other guidance. */
typedef struct
{
  SlTimeline *timeline;
  int moment;
  SlRecipe *recipe;
  gboolean decoded; /* by the decoder, else the quick preview */
  /* what came of it */
  GBytes *rgb;
  int width;
  int height;
} SlTrying;

/* FALSE and *err when it failed. The moment stays ready for the next try until another one's, or: */
gboolean _sl_side_try (SlEngineSide *side, SlTrying *trying, SlError *err);
void _sl_side_forget_tried (SlEngineSide *side);

G_END_DECLS
