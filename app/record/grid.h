/* grid.h - lanes over two settings: every value of one across, every value of another down, a lane
 * for each pair.
 *
 * A grid only says which lanes there are and where each stands; they are lanes like others
 * (lanes.h). A cell's number is row * columns + column. Which settings an axis may have is the table
 * of settings' word: those that lanes can differ in (SlSettingInfo.scope) and that can be given
 * (SlSettingInfo.option). Everything here is for any thread.
 *
 * An axis is written SETTING:VALUE,VALUE,... - each value as the command line has it, a range
 * A..B or A..B:STEP of numbers, or a text in double quotes (a quote in it is written twice). Of
 * LoRAs a number alone is the strength of the first one that the common recipe has.
 */
#ifndef SL_APP_GRID_H
#define SL_APP_GRID_H

#include "app/recipe/recipe.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cJSON;

typedef enum SlGridAxisName {
    SL_GRID_X, /* across: a value for each column */
    SL_GRID_Y, /* down: a value for each row */
    SL_GRID_AXES
} SlGridAxisName;
extern const char *const sl_grid_axis_names[SL_GRID_AXES]; /* "x", "y" */

typedef struct SlGridAxis {
    SlSetting setting;
    int count;    /* 0: nothing was said */
    char **value; /* [count], owned */
} SlGridAxis;

/* Starts as {0}. */
typedef struct SlGrid {
    SlGridAxis axis[SL_GRID_AXES];
} SlGrid;

/* What is wrong with one, for sentences in any language. */
typedef enum SlGridFaultKind {
    SL_GRID_RIGHT,
    SL_GRID_NO_MEMORY,
    SL_GRID_NO_SETTING, /* text is no setting that lanes can differ in */
    SL_GRID_NO_VALUES,
    SL_GRID_BAD_VALUE, /* text; `expected` says what a value is */
    SL_GRID_BAD_RANGE, /* text is a range of what has none, or does not lead from one end to the other */
    SL_GRID_NO_QUOTE,  /* text begins with a quote that does not end, or goes on behind it */
    SL_GRID_TWICE,     /* text is said twice */
    SL_GRID_NO_LORA,   /* a strength alone (text), but the common recipe has no LoRA */
    SL_GRID_BOTH_SAME, /* both axes are one setting, or two that stand for each other */
    SL_GRID_TOO_MANY,  /* cells */
} SlGridFaultKind;
typedef struct SlGridFault {
    SlGridFaultKind kind;
    SlGridAxisName axis;
    const SlSettingInfo *setting; /* NULL where it is not known */
    char text[200];
    char expected[600];
} SlGridFault;
/* As one sentence that names the axis, the value and what is expected; always false. */
bool sl_grid_fault_say(const SlGridFault *fault, SlError *err);

/* Whether an axis may have the setting. */
bool sl_grid_has(const SlSettingInfo *setting);
/* "steps:10..50:10" as one of the axes, in place of what it had. False and *fault. */
bool sl_grid_parse(SlGrid *grid, SlGridAxisName axis, const char *text, SlGridFault *fault);
/* The same where the setting is known and only the values are written. */
bool sl_grid_parse_values(SlGrid *grid, SlGridAxisName axis, SlSetting setting, const char *text,
                          SlGridFault *fault);
/* Both axes together. */
bool sl_grid_check(const SlGrid *grid, SlGridFault *fault);
bool sl_grid_copy(const SlGrid *grid, SlGrid *copy); /* false without memory */
void sl_grid_clear(SlGrid *grid);

int sl_grid_columns(const SlGrid *grid);
int sl_grid_rows(const SlGrid *grid);
int sl_grid_cells(const SlGrid *grid);
/* The settings of both axes. */
SlSettingSet sl_grid_settings(const SlGrid *grid);

/* Puts a cell's two values over *recipe, which is the common one. Texts are the grid's, or live as
 * long as the program. False and *err where a LoRA or an embedding is not found. */
bool sl_grid_apply(const SlGrid *grid, int cell, SlRecipe *recipe, SlError *err);
/* Whether a recipe has the cell's values, as far as that can be said without other files. */
bool sl_grid_fits(const SlGrid *grid, int cell, const SlRecipe *recipe);
/* The evaluations that a recipe takes: about, as a scheduler may make some more to warm up. */
int sl_grid_evaluations(const SlRecipe *recipe);
/* The order in which cells are computed; evaluations and order are [sl_grid_cells]. The four corners
 * come first, the cheapest of them before the others: they show whether the ranges are worth the
 * rest. Then line by line, the cheapest line first and in it the cheapest cell: rows, or columns
 * where it is those that change the weights (LoRAs), so that these are changed once a line. */
void sl_grid_order(const SlGrid *grid, const int *evaluations, int *order);

/* What stands at a column or a row on a sheet, in English: "Euler", "20 steps", "guidance 4".
 * malloc'ed; NULL without memory. */
char *sl_grid_label(const SlGrid *grid, SlGridAxisName axis, int i);

/* {"x": {"setting": "steps", "values": ["10", "20"]}, "y": ...}; NULL without memory. */
struct cJSON *sl_grid_to_json(const SlGrid *grid);
/* False and *err, a sentence without the file's name, where it is none. Clear in any case. */
bool sl_grid_from_json(const struct cJSON *object, SlGrid *grid, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
