/* sl-export.h - frames of runs as a contact sheet or an animation that `safelight replay --verify` can
 * repeat: the same code writes them as for the command line (app/core/compare.h).
 *
 * On the worker's thread. It knows nothing of jobs, whose names app/core has too.
 */
#pragma once

#include "app/record/record.h"
#include "app/recipe/recipe.h"
#include "app/objects/sl-frame-object.h"

G_BEGIN_DECLS

typedef enum
{
  SL_EXPORT_SHEET,     /* where the lanes are */
  SL_EXPORT_ANIMATION, /* of all lanes side by side */
  SL_EXPORT_FILM,      /* of the first lane alone, without labels */
} SlExportKind;

/* What a run made itself: of a branch, without its parent's part. */
typedef struct
{
  const SlMetadata *metadata; /* of the run */
  SlBatches batches;          /* of all its evaluations that are there */
  int parent;                 /* of a branch: the lane before that it left, -1 when it is not there */
  GArray *moments;            /* of SlMoment: all that are planned, as sl_timeline_planned has them */
  GPtrArray *frames;          /* of SlFrameObject: those that are there, up to the end of a step */
} SlExportLane;

typedef struct
{
  SlExportKind kind;
  const char *path;
  SlLineUp line_up;            /* of an animation */
  const SlModelInfo *identity; /* of the model, with hashes */
  const SlExportLane *lanes;
  int n_lanes;
  /* Between pictures (or evaluations, where frames were not kept); FALSE and *err to stop. */
  bool (*progress) (void *arg, int done, int total, SlError *err);
  void *arg;
} SlExport;

gboolean _sl_export (const SlExport *export, SlModel *model, SlError *err);

G_END_DECLS
