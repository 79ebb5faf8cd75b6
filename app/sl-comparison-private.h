/* sl-comparison-private.h - what reading a comparison's file needs of it; for app/ only. */
#pragma once

#include "app/sl-comparison.h"

G_BEGIN_DECLS

#define SL_COMPARISON_VERSION 1

/* Takes lanes that were made elsewhere, of SlCompareLane, in place of those that are there. */
void _sl_comparison_replace (SlComparison *self, GPtrArray *lanes, guint reference);

G_END_DECLS
