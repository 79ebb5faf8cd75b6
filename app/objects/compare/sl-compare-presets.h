/* sl-compare-presets.h - ready-made sets of lanes. */
#pragma once

#include "app/objects/compare/sl-comparison.h"

G_BEGIN_DECLS

/* Adds the lanes that a name stands for, as many as fit: "four" or "schedulers" (schedulers), "steps",
 * "guidance", "sigmas", "seeds", "caching" (the recipe without, as the reference, and with either kind), "strengths" (of the recipe's first LoRA, 0 to 1; "strengths/1": of the second),
 * "reference" (100 steps of DDIM, or of Flow Euler), "lane" (the recipe itself), or a scheduler's id. Schedulers that are there already, or that do not suit the model (NULL: one that does
 * not predict flow), are not added. How many were added. */
guint
sl_compare_presets_add (SlComparison *comparison, const char *name, SlSettings *recipe, SlModelItem *model);

G_END_DECLS
