/* sl-lane-table.h - the lanes as a table to be sorted, read, copied: what each cost and how far it is from the reference.
 *
 * The chosen row is the chosen lane. What is shown is an SlCompareTable's; while lanes run it is brought up to date a
 * few times a second.
 */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_LANE_TABLE (sl_lane_table_get_type ())

G_DECLARE_FINAL_TYPE (SlLaneTable, sl_lane_table, SL, LANE_TABLE, AdwBin)

/* Once. recipe names lanes that have not run yet. Signals: "chosen" (guint): a person chose the row of this lane, an
 * index into the comparison; "opened" (guint): it was activated. */
void sl_lane_table_connect (SlLaneTable *self, SlComparison *comparison, SlSettings *recipe);
/* Lanes or their frames changed. */
void sl_lane_table_update (SlLaneTable *self);
void sl_lane_table_choose (SlLaneTable *self, guint index);
/* In the order of the lanes. */
SlCompareTable *sl_lane_table_get_table (SlLaneTable *self);
/* In the order that is seen; a new string, as it goes to the clipboard. */
char *sl_lane_table_to_text (SlLaneTable *self);
/* By a column of the table, one of sl_table_column_nth. */
void sl_lane_table_sort (SlLaneTable *self, guint column, GtkSortType order);
/* What a person wants it to be at most, where there are rows enough; 0: its own height. */
void sl_lane_table_set_height (SlLaneTable *self, int height);
/* Of SlCompareRow, in the order that is seen. */
GListModel *sl_lane_table_get_rows (SlLaneTable *self);

G_END_DECLS
