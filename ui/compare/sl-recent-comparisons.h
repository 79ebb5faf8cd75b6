/* sl-recent-comparisons.h - the comparisons that were kept by themselves, to be opened again. Hidden while there are none.
 */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_RECENT_COMPARISONS (sl_recent_comparisons_get_type ())

G_DECLARE_FINAL_TYPE (SlRecentComparisons, sl_recent_comparisons, SL, RECENT_COMPARISONS, AdwBin)

/* Once. A row that is chosen activates "win.open-path". */
void sl_recent_comparisons_connect (SlRecentComparisons *self, SlComparisonShelf *shelf);

G_END_DECLS
