/* sl-comparison-read.h - a comparison's file as it is read, before lanes are made of it; for app/ only. Any
 * thread.
 */
#pragma once

#include "app/recipe/recipe.h"
#include "app/objects/compare/sl-comparison.h"

G_BEGIN_DECLS

/* What the file says of a lane, all of it checked. */
typedef struct
{
  SlOwn own;
  SlSettings *values;
  SlSettings *settings;
  SlMetadata metadata;
  gboolean done;
  int parent;
  guint branch_point;
  int first;
  GArray *plan;
  GPtrArray *frames;
} SlLoadedLane;

/* The lanes, of SlLoadedLane, and which one is the reference; NULL and *err, a sentence with the path. */
GPtrArray *_sl_comparison_read (const char *path, guint *reference, SlError *err);

G_END_DECLS
