/* sl-step-inspector.h - what happened inside one evaluation of a lane: the sample, what the model
 * predicted, and how the channels went on. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"
#include "ui/compare/sl-word-pair.h"

G_BEGIN_DECLS

#define SL_TYPE_STEP_INSPECTOR (sl_step_inspector_get_type ())

G_DECLARE_FINAL_TYPE (SlStepInspector, sl_step_inspector, SL, STEP_INSPECTOR, AdwBin)

typedef struct
{
  SlJob *job;
  SlLaneMoment lane;      /* its frame is one of job's; both NULL for nothing */
  SlLaneMoment reference; /* the lane that others are measured against */
} SlInspected;

void sl_step_inspector_show (SlStepInspector *self, const SlInspected *inspected);
/* The sentence that it shows: what failed, since which step nothing changes, or the noise level. Borrowed. */
const char *sl_step_inspector_get_note (SlStepInspector *self);

G_END_DECLS
