/* sl-scheduler-rows.h - the list that opens from a row of schedulers: in groups, each scheduler with what it is good for,
 * so that a person sees it while choosing.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* schedulers: of SlSchedulerItem, as sl_scheduler_items_new makes it; before: entries of the row before the first of
 * them ("as in the recipe"), which are shown by their strings. */
void sl_scheduler_rows_set_up (AdwComboRow *row, GListModel *schedulers, guint before);

G_END_DECLS
