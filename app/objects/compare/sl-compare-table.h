/* sl-compare-table.h - the lanes of a comparison as a table: what each cost and how far its picture is from the
 * reference lane's. A list of SlCompareRow, one for each lane, in their order.
 *
 * The figures are those of app/record/lane_figures.h, as the command line has them. What a lane cost is there while it
 * runs; its likeness comes when it and the reference are over and their pictures are decoded, which the table asks the
 * worker for. Main thread only.
 */
#pragma once

#include "app/objects/compare/sl-comparison.h"

G_BEGIN_DECLS

typedef struct
{
  const char *key;   /* in CSV files */
  const char *label; /* to be translated, as the next */
  const char *help;  /* or NULL */
  int digits;        /* behind the point; < 0: a text */
} SlTableColumn;

guint sl_table_column_count (void);
const SlTableColumn *sl_table_column_nth (guint column);

#define SL_TYPE_COMPARE_ROW (sl_compare_row_get_type ())

G_DECLARE_FINAL_TYPE (SlCompareRow, sl_compare_row, SL, COMPARE_ROW, GObject)

/* Signal "changed": anything that it says. */
SlCompareLane *sl_compare_row_get_lane (SlCompareRow *self);
/* From 1 on, as a person counts. */
guint sl_compare_row_get_number (SlCompareRow *self);
const char *sl_compare_row_get_title (SlCompareRow *self);
gboolean sl_compare_row_is_reference (SlCompareRow *self);
/* NAN where it is not known, and of a text; INFINITY for the PSNR of equal pictures. */
double sl_compare_row_get_value (SlCompareRow *self, guint column);

/* Rows, of SlCompareRow, as text to be pasted into a table: fields between tabs. headings: one for each column. */
char *sl_compare_rows_to_text (GListModel *rows, const char *const *headings);
/* The same as a CSV file. */
gboolean sl_compare_rows_save (GListModel *rows, const char *path, GError **error);

#define SL_TYPE_COMPARE_TABLE (sl_compare_table_get_type ())

G_DECLARE_FINAL_TYPE (SlCompareTable, sl_compare_table, SL, COMPARE_TABLE, GObject)

/* Lanes that have no run are named by the settings that recipe would give them. Signal "changed": some row did, of itself: a picture was decoded. */
SlCompareTable *sl_compare_table_new (SlComparison *comparison, SlSettings *recipe);
/* Takes what the lanes are now; figures that are known already are not computed again. */
void sl_compare_table_update (SlCompareTable *self);
/* A picture is being decoded: there will be more. */
gboolean sl_compare_table_is_waiting (SlCompareTable *self);

G_END_DECLS
