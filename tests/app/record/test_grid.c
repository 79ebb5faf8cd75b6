/* test_grid.c - lanes over two settings: what is read and refused, the order of the cells, and that a
 * grid's cells are what each recipe makes alone, in a file as well.
 */
#include "app/record/record.h"
#include "tests/app/record/lanes.h"

#include <cjson/cJSON.h>

/* ---- reading ---- */

static bool reads(const char *text, const char *expected)
{
    SlGrid grid = {0};
    SlGridFault fault;
    SlError err = {0};
    SlText values = {0};
    bool ok = sl_grid_parse(&grid, SL_GRID_Y, text, &fault);
    if (!ok)
        sl_grid_fault_say(&fault, &err);
    for (int i = 0; i < grid.axis[SL_GRID_Y].count; i++)
        sl_text_addf(&values, "%s[%s]", i ? " " : "", grid.axis[SL_GRID_Y].value[i]);
    const char *found = ok ? values.data : err.message;
    bool right = ok ? strcmp(found, expected) == 0 : strstr(found, expected) != NULL;
    sl_test(right, "%s: %s", text, expected);
    if (!right)
        sl_test_note("%s", found);
    sl_text_free(&values);
    sl_grid_clear(&grid);
    return right;
}

static void test_values(void)
{
    reads("scheduler:euler,ddim", "[euler] [ddim]");
    reads("steps:10..50:20", "[10] [30] [50]");
    reads("steps:4..2", "[4] [3] [2]");
    reads("guidance:1..2:0.25", "[1] [1.25] [1.5] [1.75] [2]");
    reads("guidance: 1 , 7.5", "[1] [7.5]");
    reads("seed:18446744073709551613..18446744073709551615",
          "[18446744073709551613] [18446744073709551614] [18446744073709551615]");
    reads("prompt:\"a house, red\",a tree,\"say \"\"so\"\"\"",
          "[a house, red] [a tree] [say \"so\"]");
    reads("prompt:1..3", "[1..3]");
    reads("lora:style:0.5,0..1:0.5", "[style:0.5] [0] [0.5] [1]");
    reads("lora:../style", "[../style]");
    reads("sigmas:karras,model", "[karras] [model]");
}

static void test_refusals(void)
{
    reads("stepz:1", "the grid's y is \"stepz:1\"; expected SETTING:VALUE,VALUE,... with one of");
    reads("width:32", "with one of prompt,");
    reads("steps", "expected SETTING:VALUE");
    reads("steps:", "the grid's y, steps, has no values; expected one or more");
    reads("steps:4,,5", "the grid's y: steps is \"\"; expected a whole number from 1 to 1000");
    reads("steps:0..3", "the grid's y: steps is \"0\"; expected a whole number from 1 to 1000");
    reads("steps:1..3:0", "steps has the range \"1..3:0\"; expected FROM..TO");
    reads("guidance:1..3", "guidance has the range \"1..3\"; expected FROM..TO:STEP");
    reads("guidance:1..9:1e-9", "expected FROM..TO:STEP");
    reads("seed:5..3", "seed has the range \"5..3\"; expected FROM..TO");
    reads("seed:0..18446744073709551615", "cells; expected at most 1024");
    reads("steps:4,4", "steps has \"4\" twice; expected it once");
    reads("prompt:\"a", "expected a quote at the end");
    reads("prompt:\"a\"b", "expected a quote at the end");
    reads("scheduler:eular", "the grid's y: scheduler is \"eular\"; expected ");
    reads("sigma-list:1", "sigma-list is \"1\"; expected a value that is read");
}

static bool parse_both(SlGrid *grid, const char *x, const char *y, SlError *err)
{
    SlGridFault fault = {0};
    *grid = (SlGrid){0};
    *err = (SlError){0};
    return (sl_grid_parse(grid, SL_GRID_X, x, &fault) &&
            sl_grid_parse(grid, SL_GRID_Y, y, &fault) && sl_grid_check(grid, &fault)) ||
           sl_grid_fault_say(&fault, err);
}

static void refuses_both(const char *x, const char *y, const char *expected)
{
    SlGrid grid;
    SlError err;
    bool ok = parse_both(&grid, x, y, &err);
    sl_test(!ok && strstr(err.message, expected), "x=%s y=%s: %s", x, y, expected);
    if (!strstr(err.message, expected))
        sl_test_note("%s", err.message);
    sl_grid_clear(&grid);
}

static void test_pairs(void)
{
    refuses_both("steps:1", "steps:2", "x and y are both steps");
    refuses_both("steps:4", "sigma-list:\"3,1,0\"", "do not stand for each other");
    refuses_both("seed:1..100", "steps:1..100", "has 10000 cells; expected at most 1024");
}

/* ---- order ---- */

static void has_order(const char *x, const char *y, const int evaluations[9], const int expected[9])
{
    SlGrid grid;
    SlError err;
    int order[9] = {0};
    bool ok = parse_both(&grid, x, y, &err);
    if (ok)
        sl_grid_order(&grid, evaluations, order);
    if (!sl_test(ok && memcmp(order, expected, sizeof order) == 0, "the order of %s by %s %s", x, y,
                 err.message))
        for (int i = 0; i < 9; i++)
            sl_test_note("%d", order[i]);
    sl_grid_clear(&grid);
}

/* Corners first; then the cheapest line, and in it the cheapest cell. */
static void test_order(void)
{
    const int mixed[] = {20, 40, 20, 10, 20, 10, 50, 90, 50};
    const int by_rows[] = {10, 10, 10, 50, 50, 50, 20, 20, 20};
    has_order("scheduler:euler,heun,ddim", "steps:20,10,50", mixed,
              (const int[]){0, 2, 6, 8, 3, 5, 4, 1, 7});
    has_order("seed:1..3", "steps:10,50,20", by_rows, (const int[]){0, 2, 6, 8, 1, 7, 3, 4, 5});
    has_order("lora:a:0,a:0.5,a:1", "steps:10,50,20", by_rows,
              (const int[]){0, 2, 6, 8, 3, 1, 7, 4, 5});
}

/* ---- computing ---- */

/* Every cell's recipe; free them. */
static void recipes_of(SlModel *model, const SlGrid *grid, SlRecipe **recipe)
{
    SlError err = {0};
    for (int i = 0; i < sl_grid_cells(grid); i++) {
        SlRecipe common = recipe_for(model, "euler", 4);
        bool ok = sl_grid_apply(grid, i, &common, &err) && (recipe[i] = sl_recipe_copy(&common));
        if (!ok)
            sl_test_note("%s", err.message);
    }
}

typedef struct Turns {
    int lane[200], count;
} Turns;

static bool take_turn(void *arg, int lane, const SlTimeline *timeline, SlError *err)
{
    Turns *turns = arg;
    if (turns->count < 200)
        turns->lane[turns->count++] = lane;
    return true;
}

static bool equal_ends(const SlTimeline *a, const SlTimeline *b)
{
    const SlMoment *x = sl_timeline_moment(a, sl_timeline_count(a) - 1);
    const SlMoment *y = sl_timeline_moment(b, sl_timeline_count(b) - 1);
    return memcmp(x->x_t, y->x_t, bytes_of(a)) == 0;
}

static void test_cells(SlModel *model, const SlGrid *grid, const SlCompare *c, const Turns *turns)
{
    bool same = c->count == sl_grid_cells(grid), whole = true;
    for (int i = 0; same && i < c->count; i++) {
        SlTimeline *lane = sl_lanes_timeline(c->lanes, i);
        SlTimeline *alone = record(model, sl_timeline_recipe(lane), NULL);
        same = alone && equal_ends(lane, alone) && sl_lanes_cell(c->lanes, i) == i;
        sl_timeline_free(alone);
    }
    for (int i = 1; i < turns->count; i++)
        for (int k = 0; turns->lane[i] != turns->lane[i - 1] && k < i; k++)
            whole = whole && turns->lane[k] != turns->lane[i];
    sl_test(same, "each cell is what its recipe makes alone");
    sl_test(whole && turns->count > 0, "a cell comes to its end before another begins");
    sl_test(turns->lane[0] == 0, "the cheapest corner is the first");
}

/* Written, opened and looked at; then with a cell that is not its lane's. */
static void test_file(SlModel *model, const SlGrid *grid, const SlCompare *c)
{
    char path[] = "/tmp/safelight-grid-XXXXXX.safelight";
    int fd = mkstemps(path, 10);
    SlError err = {0};
    SlMetadata identity;
    SlLanesIn in;
    describe_model(model, &identity);
    const SlLanesOut out = {.lanes = c->lanes, .model = model, .identity = &identity};
    bool ok = sl_lanes_write(&out, path, &err) && sl_lanes_read(&in, path, &err);
    sl_test(ok && sl_lanes_grid(in.lanes) && sl_grid_columns(&in.grid) == sl_grid_columns(grid) &&
                sl_grid_rows(&in.grid) == sl_grid_rows(grid),
            "a grid is in its file %s", err.message);
    for (int i = 0; ok && i < in.count; i++)
        ok = in.note[i].cell == i && sl_lanes_cell(in.lanes, i) == i;
    sl_test(ok, "and each lane's cell");
    if (ok) {
        sl_lanes_set_cell(in.lanes, 0, 1);
        sl_lanes_set_cell(in.lanes, 1, 0);
        const SlLanesOut wrong = {.lanes = in.lanes, .model = model, .identity = &identity};
        ok = sl_lanes_write(&wrong, path, &err);
        sl_test(!ok && strstr(err.message, "\"cell\""), "a cell with other settings is refused: %s",
                err.message);
        sl_lanes_in_free(&in);
    }
    unlink(path);
    if (fd >= 0)
        close(fd);
}

/* The same sheet again of what it says; axes stand on it. */
static void test_sheet(const SlCompare *c)
{
    char path[] = "/tmp/safelight-grid-XXXXXX.png";
    SlReelSum sum, again;
    int fd = mkstemps(path, 4), width = 0, height = 0;
    SlError err = {0};
    SlCompareText text = {0};
    SlPictureTexts texts = {0};
    bool ok = sl_compare_sheet(c, path, &sum, &err) && sl_compare_sheet(c, NULL, &again, &err) &&
              strcmp(sum.pictures, again.pictures) == 0 && sl_png_texts_read(path, &texts, &err);
    const char *json = ok ? sl_picture_texts_find(&texts, SL_METADATA_KEYWORD) : NULL;
    ok = json && sl_compare_text_read(path, json, &text, &err) &&
         sl_compare_text_size(path, &text, &width, &height, &err);
    sl_test(ok && sl_grid_cells(&text.grid) == c->count && text.cell && text.cell[3] == 3,
            "a sheet says which cells it shows %s", err.message);
    sl_test(ok && width == texts.width && height == texts.height, "and how large that is");
    sl_compare_text_free(&text);
    sl_picture_texts_free(&texts);
    unlink(path);
    if (fd >= 0)
        close(fd);
}

/* What a file says of a sheet is anybody's: a grid without a layout would have names and no letters to write
 * them with, and small pictures in many columns never become narrow enough. */
static void test_bad_sheets(const SlCompare *c)
{
    int cell = 0, width = 0, height = 0;
    SlReelSum sum = {.layout = {1, 1, 1, 1}};
    SlError err = {0};
    SlCompareText text = {0};
    memset(sum.pictures, '0', 64);
    memset(sum.drawn, '0', 64);
    char *json = sl_compare_to_text(c, NULL, &sum, "x.png", &err);
    cJSON *root = json ? cJSON_Parse(json) : NULL;
    cJSON_DeleteItemFromObject(root, "layout");
    char *without = root ? cJSON_PrintUnformatted(root) : NULL;
    sl_test(without && !sl_compare_text_read("x.png", without, &text, &err) &&
                strstr(err.message, "\"layout\""),
            "a grid without a layout is refused: %s", err.message);
    sl_compare_text_free(&text);
    free(without);
    cJSON_Delete(root);
    free(json);
    const SlSheetGrid grid = {.columns = 1024, .rows = 1, .cell = &cell};
    const SlSheet sheet = {
        .width = 64, .height = 64, .count = 1, .grid = &grid, .layout = {2, 0, 0, 0}};
    sl_sheet_size(&sheet, &width, &height);
    sl_test(width == 16 + 1024 * (2 + 16), "1024 columns have an end: %d pixels", width);
}

static void compute(SlModel *model, const SlGrid *grid, bool fast, SlCompare *c, Turns *turns)
{
    SlRecipe *recipe[64] = {NULL};
    SlError err = {0};
    recipes_of(model, grid, recipe);
    const SlCompareJob job = {.model = model,
                              .count = sl_grid_cells(grid),
                              .recipe = recipe,
                              .grid = grid,
                              .fast = fast,
                              .moment = take_turn,
                              .arg = turns};
    sl_test(sl_compare_run(c, &job, &err), "a grid is computed%s %s", fast ? " as batches" : "",
            err.message);
    for (int i = 0; i < 64; i++)
        free(recipe[i]);
}

/* All cells come to their ends, and several at a time. */
static void test_fast(SlModel *model, const SlGrid *grid)
{
    SlCompare c;
    Turns turns = {0};
    bool done = true, fast = false;
    compute(model, grid, true, &c, &turns);
    for (int i = 0; i < c.count; i++) {
        done = done && sl_timeline_done(sl_lanes_timeline(c.lanes, i));
        fast = fast || sl_timeline_fast(sl_lanes_timeline(c.lanes, i));
    }
    sl_test(c.count == sl_grid_cells(grid) && done && fast, "cells advance together");
    sl_compare_free(&c);
}

/* More lanes than once, in little memory: each keeps a few moments, and the rest is made again. */
static void test_many(SlModel *model)
{
    SlError err = {0};
    SlLanes *lanes = sl_lanes_new();
    SlRecipe recipe = recipe_for(model, "euler", 2);
    int lane = 0;
    bool ok = lanes != NULL;
    for (int i = 0; ok && i < 150; i++) {
        recipe.seed = (uint64_t)i;
        ok = sl_lanes_add(lanes, model, &recipe, NULL, 150, &err) == i;
    }
    while (ok && lane >= 0)
        ok = sl_lanes_next(lanes, model, &lane, &err);
    for (int i = 0; ok && i < 150; i++)
        ok = sl_timeline_done(sl_lanes_timeline(lanes, i));
    sl_test(ok, "150 lanes come to their ends %s", err.message);
    sl_lanes_free(lanes);
}

/* What is expected is a fragment in a sentence of the window, too. */
static const char *backwards(const char *english)
{
    return strstr(english, "FROM..TO") ? "von..bis" : english;
}

static void test_expected_is_translated(void)
{
    SlGrid grid = {0};
    SlGridFault fault = {0};
    sl_set_translate(backwards);
    bool ok = sl_grid_parse(&grid, SL_GRID_X, "steps:9..x", &fault);
    sl_test(!ok && fault.kind == SL_GRID_BAD_RANGE && !strcmp(fault.expected, "von..bis"),
            "a range that is none is said in the window's language: %s", fault.expected);
    sl_set_translate(NULL);
    sl_grid_clear(&grid);
}

int main(void)
{
    test_expected_is_translated();
    SlModel *model = open_model("sd1");
    SlGrid grid;
    SlError err;
    test_values();
    test_refusals();
    test_pairs();
    test_order();
    if (!sl_test(model && parse_both(&grid, "scheduler:euler,heun,ddim", "steps:2,3", &err),
                 "a model and a grid"))
        return sl_test_done();
    SlCompare c;
    Turns turns = {0};
    compute(model, &grid, false, &c, &turns);
    test_cells(model, &grid, &c, &turns);
    test_file(model, &grid, &c);
    test_sheet(&c);
    test_bad_sheets(&c);
    sl_compare_free(&c);
    test_fast(model, &grid);
    test_many(model);
    sl_grid_clear(&grid);
    sl_model_close(&model);
    return sl_test_done();
}
