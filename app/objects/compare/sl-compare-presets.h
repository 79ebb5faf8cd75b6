/* sl-compare-presets.h - ready-made sets of lanes. */
#pragma once

#include "app/objects/compare/sl-comparison.h"

G_BEGIN_DECLS

/* Adds the lanes that a name stands for, as many as fit: "four" or "schedulers" (schedulers), "steps",
 * "guidance", "sigmas", "seeds", "reference" (100 steps of DDIM), "lane" (the recipe itself), or a
 * scheduler's id. Schedulers that are there already are not added again. How many were added. */
guint sl_compare_presets_add (SlComparison *comparison, const char *name, SlSettings *recipe);

G_END_DECLS
