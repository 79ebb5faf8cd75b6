/* sl-cell-grid.h - all cells of a comparison's grid at a glance: names of columns and rows that stay in sight, and a
 * picture for each pair. The arrow keys go from cell to cell; plus, minus, 0 and Ctrl with the wheel change their size.
 *
 * It knows nothing of lanes: whoever shows it says what each cell has.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_CELL_GRID (sl_cell_grid_get_type ())

G_DECLARE_FINAL_TYPE (SlCellGrid, sl_cell_grid, SL, CELL_GRID, AdwBin)

/* Signals: "chosen" (guint): a cell, by key or pointer; "wanted" (guint): it was chosen again, by Return or a second
 * click. Cells are row * columns + column. */

/* The names of columns and rows; all cells are empty then. */
void sl_cell_grid_set_names (SlCellGrid *self, const char *const *columns, const char *const *rows);
guint sl_cell_grid_count (SlCellGrid *self);
typedef struct
{
  gboolean here;   /* there is a lane: else the cell is empty */
  double progress; /* 0 .. 1; < 0: it does not run */
  gboolean failed;
  gboolean stale; /* made with other settings than those that are chosen now */
} SlCellState;
void sl_cell_grid_set_state (SlCellGrid *self, guint cell, const SlCellState *state);
/* texture may be NULL. */
void sl_cell_grid_set_texture (SlCellGrid *self, guint cell, GdkTexture *texture);
GdkTexture *sl_cell_grid_get_texture (SlCellGrid *self, guint cell);
/* Brings it into sight; emits nothing. G_MAXUINT: none. */
void sl_cell_grid_choose (SlCellGrid *self, guint cell);
guint sl_cell_grid_get_chosen (SlCellGrid *self);
/* Larger (1), smaller (-1), or so that all are in sight (0). */
void sl_cell_grid_zoom (SlCellGrid *self, int by);
/* Pixels of a cell's side. */
int sl_cell_grid_get_size (SlCellGrid *self);

G_END_DECLS
