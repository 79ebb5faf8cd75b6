/* compare_text.c - what sheets and animations of lanes say about themselves, out and in. */
#include "app/record/compare_text.h"
#include "app/files/files.h"
#include "app/image/image.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* By their places in the text; before its branch a lane shows its parent. */
static void add_parents(SlJsonOut *out, cJSON *root, const SlCompare *c)
{
    double parents[SL_LANES_MAX];
    bool any = false;
    for (int i = 0; i < c->count; i++) {
        int parent = sl_lanes_parent(c->lanes, c->lane[i]);
        parents[i] = -1;
        for (int k = 0; k < i; k++)
            if (c->lane[k] == parent)
                parents[i] = k;
        any = any || parents[i] >= 0;
    }
    if (any)
        sl_out_row(out, root, "parents", parents, c->count);
}

/* Its axes, and which cell each lane is. */
static void add_grid(SlJsonOut *out, cJSON *root, const SlCompare *c)
{
    sl_out_item(out, root, "grid", sl_grid_to_json(sl_lanes_grid(c->lanes)));
    cJSON *cells = sl_out_array(out, root, "cells");
    for (int i = 0; i < c->count; i++)
        sl_out_number(out, cells, NULL, sl_lanes_cell(c->lanes, c->lane[i]));
}

/* What the lane's picture says, with the hashes of c->identity where that is known. NULL without
 * memory. */
static cJSON *lane_to_object(const SlCompare *c, int lane)
{
    SlMetadata *m = malloc(sizeof *m);
    if (!m)
        return NULL;
    *m = c->picture[lane].metadata;
    if (c->identity)
        sl_metadata_set_model(m, c->identity);
    cJSON *object = sl_metadata_to_object(m);
    free(m);
    return object;
}

static void add_sum(SlJsonOut *out, cJSON *root, const SlReelSum *sum)
{
    cJSON *layout = sl_out_object(out, root, "layout");
    sl_out_number(out, layout, "enlarged", sum->layout.factor);
    sl_out_number(out, layout, "heading", sum->layout.heading);
    sl_out_number(out, layout, "title", sum->layout.title);
    sl_out_number(out, layout, "detail", sum->layout.detail);
    sl_out_text(out, root, "pictures", sum->pictures);
    sl_out_text(out, root, "pixels", sum->drawn);
}

/* Hands the text on if it says something that can be read. */
static char *checked(char *json, const char *path, SlError *err)
{
    SlCompareText again;
    bool ok = json || sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    if (ok) {
        ok = sl_compare_text_read(path, json, &again, err);
        sl_compare_text_free(&again);
    }
    if (ok)
        return json;
    free(json);
    return NULL;
}

char *sl_compare_to_text(const SlCompare *c, const SlLineUp *line_up, const SlReelSum *sum,
                         const char *path, SlError *err)
{
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    sl_out_number(&out, root, "version", SL_METADATA_VERSION);
    sl_out_text(&out, root, "program", c->picture[0].metadata.program);
    sl_out_text(&out, root, "kind", line_up ? "animation" : "sheet");
    if (sl_lanes_fast(c->lanes))
        sl_out_bool(&out, root, "fast", true);
    if (line_up)
        sl_out_text(&out, root, "align", sl_line_up_names[*line_up]);
    cJSON *lanes = sl_out_array(&out, root, "lanes");
    for (int i = 0; i < c->count; i++) {
        sl_out_item(&out, lanes, NULL, lane_to_object(c, i));
    }
    if (line_up)
        add_parents(&out, root, c);
    if (sl_lanes_grid(c->lanes))
        add_grid(&out, root, c);
    add_sum(&out, root, sum);
    return checked(sl_out_end_text(&out, root), path, err);
}

char *sl_film_to_text(const SlMetadata *metadata, const SlReelSum *sum, const char *path,
                      SlError *err)
{
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    sl_out_number(&out, root, "version", SL_METADATA_VERSION);
    sl_out_text(&out, root, "program", metadata->program);
    sl_out_text(&out, root, "kind", "film");
    sl_out_item(&out, sl_out_array(&out, root, "lanes"), NULL, sl_metadata_to_object(metadata));
    add_sum(&out, root, sum);
    return checked(sl_out_end_text(&out, root), path, err);
}

char *sl_compare_text_of(const char *path, SlError *err)
{
    SlError of_webp = {0}, of_png = {0};
    SlPictureTexts texts;
    char *text = sl_webp_text(path, &of_webp);
    if (text)
        return text;
    const char *json = sl_png_texts_read(path, &texts, &of_png)
                           ? sl_picture_texts_find(&texts, SL_METADATA_KEYWORD)
                           : NULL;
    char *copy = json ? strdup(json) : NULL;
    sl_picture_texts_free(&texts);
    if (!copy && (json || of_webp.code == SL_MEMORY || of_png.code == SL_MEMORY))
        sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    return copy;
}

bool sl_compare_is_text(const char *json)
{
    SlError ignored = {0};
    SlJson *parsed =
        sl_json_parse_bounded("", json, strlen(json), SL_METADATA_MAX_VALUES, &ignored);
    bool is =
        parsed && cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(sl_json_root(parsed), "lanes"));
    sl_json_close(parsed);
    /* without memory: who reads it as lanes says so, who reads it as one picture may not */
    return is || (ignored.code == SL_MEMORY && strstr(json, "\"lanes\""));
}

static bool read_lanes(const char *name, const cJSON *lanes, SlCompareText *text, SlError *err)
{
    int count = cJSON_GetArraySize(lanes);
    const cJSON *item;
    if (!cJSON_IsArray(lanes) || count < 1 || count > SL_LANES_MAX)
        return sl_fail(err, SL_FORMAT, "%s: has %d lanes; expected 1 to %d", name, count,
                       SL_LANES_MAX);
    text->lane = calloc((size_t)count, sizeof *text->lane);
    if (!text->lane)
        return sl_fail(err, SL_MEMORY, "%s: memory ran out", name);
    cJSON_ArrayForEach(item, lanes)
    {
        char *json = cJSON_PrintUnformatted(item);
        if (!json)
            return sl_fail(err, SL_MEMORY, "%s: memory ran out", name);
        bool ok = sl_metadata_from_json(name, json, &text->lane[text->count++], err);
        free(json);
        if (!ok)
            return false;
    }
    return true;
}

static bool is_parent(const SlCompareText *text, int lane, double parent)
{
    char id[65], wanted[65];
    if (!(parent >= 0 && parent < lane) || parent != (int)parent || !text->lane[lane].origin)
        return false;
    const SlMetadata *p = &text->lane[(int)parent];
    return sl_run_id(p->recipe, p->origin, id) &&
           sl_origin_parent_id(text->lane[lane].origin, wanted) && strcmp(id, wanted) == 0;
}

static bool read_parents(const char *name, const cJSON *list, SlCompareText *text, SlError *err)
{
    for (int i = 0; i < text->count; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        double parent = cJSON_IsNumber(item) ? item->valuedouble : -2;
        if (list && parent != -1 && !is_parent(text, i, parent))
            return sl_fail(err, SL_FORMAT,
                           "%s: has no good \"parents\"; expected, for lane %d, -1 or the lane "
                           "before it that it branched from",
                           name, i + 1);
        text->parent[i] = list ? (int)parent : -1;
    }
    return true;
}

/* Which of the cells each lane is; -1: none. */
static bool read_cells(const char *name, const cJSON *list, SlCompareText *text, SlError *err)
{
    int cells = sl_grid_cells(&text->grid);
    bool *taken = calloc((size_t)cells + 1, sizeof *taken), ok = true;
    text->cell = calloc((size_t)text->count + 1, sizeof *text->cell);
    if (!taken || !text->cell) {
        free(taken);
        return sl_fail(err, SL_MEMORY, "%s: memory ran out", name);
    }
    for (int i = 0; ok && i < text->count; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        double cell = cJSON_IsNumber(item) ? item->valuedouble : -2;
        ok = (cell >= -1 && cell < cells && cell == (int)cell) &&
             (cell < 0 ||
              (!taken[(int)cell] && sl_grid_fits(&text->grid, (int)cell, text->lane[i].recipe)));
        if (ok && cell >= 0)
            taken[(int)cell] = true;
        text->cell[i] = ok ? (int)cell : -1;
        if (!ok)
            sl_fail(err, SL_FORMAT,
                    "%s: has no good \"cells\"; expected, for lane %d, -1 or one of the grid's %d "
                    "cells with its settings, each for one lane",
                    name, i + 1, cells);
    }
    free(taken);
    return ok;
}

/* Most files have none. */
static bool read_grid(const char *name, const cJSON *root, SlCompareText *text, SlError *err)
{
    const cJSON *grid = cJSON_GetObjectItemCaseSensitive(root, "grid");
    SlError problem = {0};
    if (!grid)
        return true;
    if (text->first_edition) /* which knew no grids, and draws no names of columns */
        return sl_fail(err, SL_FORMAT, "%s: has a \"grid\" and no \"layout\"; expected both", name);
    if (!sl_grid_from_json(grid, &text->grid, &problem))
        return sl_fail(err, problem.code, "%s: %s", name, problem.message);
    return read_cells(name, cJSON_GetObjectItemCaseSensitive(root, "cells"), text, err);
}

static bool read_line_up(const char *name, const cJSON *root, SlCompareText *text, SlError *err)
{
    const char *align = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "align"));
    for (int i = 0; align && sl_line_up_names[i]; i++) {
        if (strcmp(align, sl_line_up_names[i]) == 0) {
            text->line_up = (SlLineUp)i;
            return true;
        }
    }
    return sl_fail(err, SL_FORMAT, "%s: has no good \"align\"; expected step, sigma or evals",
                   name);
}

static bool read_hash(const char *name, const cJSON *root, const char *member, char hash[65],
                      SlError *err)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, member));
    if (!text || strlen(text) != 64)
        return sl_fail(err, SL_FORMAT, "%s: has no good \"%s\"; expected 64 hexadecimal digits",
                       name, member);
    memcpy(hash, text, 65);
    return true;
}

/* A whole number that fits into an int; -1 where it is none. */
static int whole(const cJSON *object, const char *member)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, member);
    double n = cJSON_IsNumber(item) ? item->valuedouble : -1;
    return n >= 0 && n <= SL_SHEET_FACTOR && n == (int)n ? (int)n : -1;
}

/* The first edition's files say nothing of their layout, which is always the same. */
static bool read_sum(const char *name, const cJSON *root, SlCompareText *text, SlError *err)
{
    const cJSON *layout = cJSON_GetObjectItemCaseSensitive(root, "layout");
    text->first_edition = !layout;
    if (!read_hash(name, root, "pixels", text->sum.drawn, err))
        return false;
    if (!layout) {
        /* pictures without words are those of the model */
        if (text->film)
            memcpy(text->sum.pictures, text->sum.drawn, 65);
        return true;
    }
    text->sum.layout = (SlSheetLayout){whole(layout, "enlarged"), whole(layout, "heading"),
                                       whole(layout, "title"), whole(layout, "detail")};
    if (!sl_sheet_layout_is_good(&text->sum.layout))
        return sl_fail(err, SL_FORMAT,
                       "%s: has no good \"layout\"; expected \"enlarged\" from 1 to %d, and "
                       "\"heading\", \"title\" and \"detail\" from 0 to %d",
                       name, SL_SHEET_FACTOR, SL_SHEET_LINES);
    return read_hash(name, root, "pictures", text->sum.pictures, err);
}

bool sl_compare_text_read(const char *name, const char *json, SlCompareText *text, SlError *err)
{
    memset(text, 0, sizeof *text);
    SlJson *parsed = sl_json_parse_bounded(name, json, strlen(json), SL_METADATA_MAX_VALUES, err);
    if (!parsed)
        return false;
    const cJSON *root = sl_json_root(parsed);
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "kind"));
    text->fast = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "fast"));
    text->film = kind && strcmp(kind, "film") == 0;
    text->animation = text->film || (kind && strcmp(kind, "animation") == 0);
    bool ok = text->animation || (kind && strcmp(kind, "sheet") == 0);
    if (!ok)
        sl_fail(err, SL_FORMAT, "%s: has no good \"kind\"; expected sheet, animation or film",
                name);
    ok = ok && read_sum(name, root, text, err) &&
         (!text->animation || text->film || read_line_up(name, root, text, err)) &&
         read_lanes(name, cJSON_GetObjectItemCaseSensitive(root, "lanes"), text, err) &&
         read_parents(name, cJSON_GetObjectItemCaseSensitive(root, "parents"), text, err) &&
         read_grid(name, root, text, err);
    sl_json_close(parsed);
    return ok;
}

/* Lanes beside a grid come behind its cells. */
static bool sheet_size(const char *name, const SlCompareText *text, int *width, int *height,
                       SlError *err)
{
    int *cell = calloc((size_t)text->count + 1, sizeof *cell);
    int beside = sl_grid_cells(&text->grid);
    const SlSheetGrid grid = {
        .columns = sl_grid_columns(&text->grid), .rows = sl_grid_rows(&text->grid), .cell = cell};
    SlSheet sheet = {.width = *width,
                     .height = *height,
                     .count = text->count,
                     .grid = beside > 0 ? &grid : NULL};
    sheet.layout = text->first_edition ? sl_sheet_first_layout(&sheet) : text->sum.layout;
    if (!cell)
        return sl_fail(err, SL_MEMORY, "%s: memory ran out", name);
    for (int i = 0; text->cell && i < text->count; i++)
        cell[i] = text->cell[i] >= 0 ? text->cell[i] : beside++;
    sl_sheet_size(&sheet, width, height);
    free(cell);
    return true;
}

bool sl_compare_text_size(const char *name, const SlCompareText *text, int *width, int *height,
                          SlError *err)
{
    int w = text->lane[0].recipe->width, h = text->lane[0].recipe->height;
    for (int i = 0; i < text->count; i++)
        if (w < 1 || h < 1 || text->lane[i].recipe->width != w || text->lane[i].recipe->height != h)
            return sl_fail(err, SL_FORMAT,
                           "%s: lane %d is %d x %d; expected the size that all lanes have", name,
                           i + 1, text->lane[i].recipe->width, text->lane[i].recipe->height);
    *width = w;
    *height = h;
    return (text->film && text->first_edition) || sheet_size(name, text, width, height, err);
}

void sl_compare_text_free(SlCompareText *text)
{
    for (int i = 0; i < text->count; i++)
        sl_metadata_free(&text->lane[i]);
    free(text->lane);
    free(text->cell);
    sl_grid_clear(&text->grid);
    memset(text, 0, sizeof *text);
}
