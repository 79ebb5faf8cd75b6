/* compare_sheet.c - sheets and animations of lanes, see compare.h.
 *
 * Easy to get wrong: nothing that differs from run to run (seconds) may stand on a sheet, or the
 * same lanes would not give the same bytes.
 */
#include "app/image/image.h"
#include "app/record/compare.h"
#include "app/record/compare_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one sheet ---- */

static bool one_size(const SlCompare *c, SlError *err)
{
    const SlGenerated *first = &c->picture[0];
    if (c->count > SL_SHEET_LANES)
        return sl_fail(err, SL_ARGUMENT,
                       "one sheet of %d lanes is not possible; expected at most %d", c->count,
                       SL_SHEET_LANES);
    for (int i = 1; i < c->count; i++)
        if (c->picture[i].width != first->width || c->picture[i].height != first->height)
            return sl_fail(err, SL_ARGUMENT,
                           "lane %d is %d x %d and lane 1 is %d x %d: one sheet needs one size",
                           i + 1, c->picture[i].width, c->picture[i].height, first->width,
                           first->height);
    return true;
}

/* Numbers on sheets are part of the picture: not as the window's language has them. */
static bool put_text(SlText *text, char *out, size_t size, SlError *err)
{
    bool ok = !text->failed || sl_fail(err, SL_MEMORY, "memory ran out for a sheet");
    snprintf(out, size, "%s", ok ? text->data : "");
    sl_text_free(text);
    return ok;
}

static bool heading_of(const SlCompare *c, char *out, size_t size, SlError *err)
{
    const SlRecipe *r = c->picture[0].metadata.recipe;
    const SlGrid *grid = sl_lanes_grid(c->lanes);
    SlSettingSet named = grid ? sl_grid_settings(grid) : 0; /* beside the pictures */
    bool prompt = *r->prompt && !(named & SL_SETTING_BIT(SL_SETTING_PROMPT));
    bool seed = !(named & SL_SETTING_BIT(SL_SETTING_SEED));
    bool guidance = !(named & SL_SETTING_BIT(SL_SETTING_GUIDANCE));
    SlText text = {0};
    sl_text_add(&text, "");
    if (prompt)
        sl_text_addf(&text, "%.300s%s", r->prompt, seed || guidance ? " - " : "");
    if (seed)
        sl_text_addf(&text, "seed %" PRIu64 "%s", r->seed, guidance ? ", " : "");
    if (guidance)
        sl_text_addf(&text, "guidance %g", r->guidance);
    return put_text(&text, out, size, err);
}

/* The names of a grid's columns and rows, and where each lane stands. */
typedef struct Crossings {
    SlSheetGrid grid;
    char **name; /* [columns + rows] */
    int *cell;   /* [lanes] */
} Crossings;

static void free_crossings(Crossings *x)
{
    for (int i = 0; x->name && i < x->grid.columns + x->grid.rows; i++)
        free(x->name[i]);
    free(x->name);
    free(x->cell);
}

/* Lanes that are no cells are behind the last, one after the other. */
static bool find_crossings(const SlCompare *c, const SlGrid *grid, Crossings *x, SlError *err)
{
    int columns = sl_grid_columns(grid), rows = sl_grid_rows(grid), beside = columns * rows;
    bool ok = true;
    *x = (Crossings){.grid = {.columns = columns, .rows = rows},
                     .name = calloc((size_t)(columns + rows), sizeof *x->name),
                     .cell = calloc((size_t)c->count + 1, sizeof *x->cell)};
    for (int i = 0; x->name && i < columns + rows; i++) {
        bool row = i >= columns;
        x->name[i] = sl_grid_label(grid, row ? SL_GRID_Y : SL_GRID_X, row ? i - columns : i);
        ok = ok && x->name[i];
    }
    if (!ok || !x->name || !x->cell)
        return sl_fail(err, SL_MEMORY, "memory ran out for a sheet");
    for (int i = 0; i < c->count; i++) {
        int cell = sl_lanes_cell(c->lanes, c->lane[i]);
        x->cell[i] = cell >= 0 ? cell : beside++;
    }
    x->grid.column = (const char *const *)x->name;
    x->grid.row = (const char *const *)x->name + columns;
    x->grid.cell = x->cell;
    return true;
}

/* What a lane is called under its picture: a cell's column and row say it already. */
static bool title_of(const SlCompare *c, int i, SlSheetTile *tile, SlError *err)
{
    if (sl_lanes_grid(c->lanes) && sl_lanes_cell(c->lanes, c->lane[i]) >= 0)
        return true;
    return sl_compare_title(c, i, tile->title, sizeof tile->title, err);
}

static uint8_t *render(const SlCompare *c, const SlSheetTile *tile, int *width, int *height,
                       SlError *err)
{
    char heading[512];
    Crossings crossings = {0};
    const SlGrid *grid = sl_lanes_grid(c->lanes);
    if (!heading_of(c, heading, sizeof heading, err))
        return NULL;
    if (grid && !find_crossings(c, grid, &crossings, err)) {
        free_crossings(&crossings);
        return NULL;
    }
    const SlSheet sheet = {.width = c->picture[0].width,
                           .height = c->picture[0].height,
                           .heading = heading,
                           .count = c->count,
                           .tile = tile,
                           .grid = grid ? &crossings.grid : NULL};
    uint8_t *rgb = sl_sheet_render(&sheet, width, height, err);
    free_crossings(&crossings);
    return rgb;
}

static bool label_end(const SlCompare *c, int i, SlSheetTile *tile, SlError *err)
{
    const SlGenerated *p = &c->picture[i];
    const SlMetadata *m = &p->metadata;
    if (m->partial)
        snprintf(tile->detail, sizeof tile->detail, "stopped at step %d of %d", m->step, m->steps);
    else if (sl_lanes_grid(c->lanes)) /* whose cells are small */
        snprintf(tile->detail, sizeof tile->detail, "%d evaluation%s", p->evaluations,
                 p->evaluations == 1 ? "" : "s");
    else
        snprintf(tile->detail, sizeof tile->detail, "%d step%s, %d evaluation%s", m->steps,
                 m->steps == 1 ? "" : "s", p->evaluations, p->evaluations == 1 ? "" : "s");
    return title_of(c, i, tile, err);
}

/* NULL and *err without memory. */
static SlSheetTile *new_tiles(const SlCompare *c, SlError *err)
{
    SlSheetTile *tiles = calloc((size_t)c->count + 1, sizeof *tiles);
    if (!tiles)
        sl_fail(err, SL_MEMORY, "memory ran out for a sheet");
    return tiles;
}

static uint8_t *render_ends(const SlCompare *c, int *width, int *height, SlError *err)
{
    SlSheetTile *tile = new_tiles(c, err);
    bool ok = tile && one_size(c, err);
    for (int i = 0; ok && i < c->count; i++) {
        tile[i].rgb = c->picture[i].rgb;
        ok = label_end(c, i, &tile[i], err);
    }
    uint8_t *rgb = ok ? render(c, tile, width, height, err) : NULL;
    free(tile);
    return rgb;
}

bool sl_compare_sheet(const SlCompare *c, const char *path, char pixels[65], SlError *err)
{
    int width, height;
    uint8_t *rgb = render_ends(c, &width, &height, err);
    if (!rgb)
        return false;
    char hash[65];
    sl_sha256(rgb, (size_t)width * (size_t)height * 3, hash);
    if (pixels)
        memcpy(pixels, hash, sizeof hash);
    bool ok = true;
    if (path) {
        char *json = sl_compare_to_text(c, NULL, hash, path, err);
        const SlPngText text = {SL_METADATA_KEYWORD, json, true};
        ok = json && sl_png_write(path, rgb, width, height, &text, 1, err);
        free(json);
    }
    free(rgb);
    return ok;
}

/* ---- films ---- */

bool sl_compare_film(const SlCompare *c, char pixels[65], SlError *err)
{
    SlTimeline *t = sl_lanes_timeline(c->lanes, c->lane[0]);
    size_t bytes = (size_t)c->picture[0].width * (size_t)c->picture[0].height * 3;
    float *sample = malloc((size_t)sl_timeline_elements(t) * sizeof *sample);
    uint8_t *rgb = malloc(bytes);
    bool ok = (sample && rgb) || sl_fail(err, SL_MEMORY, "memory ran out for an animation");
    int count = sl_timeline_count(t), steps = sl_timeline_recipe(t)->steps;
    SlFilm film = {0};
    for (int i = 0; ok && i < count; i++) {
        SlMoment m = sl_timeline_planned(t, i);
        if (!m.ends_step || !(m.last || sl_film_wants(m.step, steps)))
            continue;
        const SlSample of = sl_compare_sample(t, i, sample);
        ok = sl_timeline_fetch(t, c->model, i, m.last ? sample : NULL, m.last ? NULL : sample,
                               err) &&
             sl_sample_decode(c->model, &of, NULL, rgb, err);
        if (ok)
            sl_film_add(&film, rgb, bytes);
    }
    memcpy(pixels, film.pixels, sizeof film.pixels);
    free(sample);
    free(rgb);
    return ok;
}

/* ---- an animation ---- */

typedef struct Reel {
    const SlCompare *c;
    const SlAnimationJob *job;
    SlAnimation *animation;
    uint8_t **rgb; /* [lanes]: what each shows now */
    SlPlace *shown;
    float *sample;
    SlFilm film;
} Reel;

/* Decodes what lane i shows at a place, unless it is what it showed before. */
static bool show(Reel *r, int i, SlPlace place, SlError *err)
{
    const SlCompare *c = r->c;
    const SlGenerated *end = &c->picture[i];
    size_t bytes = (size_t)end->width * (size_t)end->height * 3;
    if (place.moment < 0 || (place.lane == r->shown[i].lane && place.moment == r->shown[i].moment))
        return true;
    r->shown[i] = place;
    SlTimeline *t = sl_lanes_timeline(c->lanes, place.lane);
    if (!r->rgb[i] && !(r->rgb[i] = malloc(bytes)))
        return sl_fail(err, SL_MEMORY, "memory ran out for an animation");
    if (sl_timeline_planned(t, place.moment).last) {
        memcpy(r->rgb[i], end->rgb, bytes);
        return true;
    }
    const SlSample sample = sl_compare_sample(t, place.moment, r->sample);
    return sl_timeline_fetch(t, c->model, place.moment, NULL, r->sample, err) &&
           sl_sample_decode(c->model, &sample, NULL, r->rgb[i], err);
}

static bool label_moment(const Reel *r, int i, SlSheetTile *tile, SlError *err)
{
    SlPlace place = r->shown[i];
    tile->rgb = r->rgb[i];
    if (!title_of(r->c, i, tile, err))
        return false;
    if (place.moment < 0)
        return true;
    SlMoment m = sl_timeline_planned(sl_lanes_timeline(r->c->lanes, place.lane), place.moment);
    SlText text = {0};
    sl_text_addf(&text, "step %d of %d, sigma %.3g", m.step + 1, r->c->picture[i].metadata.steps,
                 m.level);
    if (!sl_lanes_grid(r->c->lanes)) /* whose cells are small */
        sl_text_addf(&text, ", %d evaluation%s", m.work, m.work == 1 ? "" : "s");
    return put_text(&text, tile->detail, sizeof tile->detail, err);
}

static uint8_t *render_moments(Reel *r, double position, int *width, int *height, SlError *err)
{
    const SlCompare *c = r->c;
    SlSheetTile *tile = new_tiles(c, err);
    bool ok = tile != NULL;
    for (int i = 0; ok && i < c->count; i++) {
        SlPlace place = sl_lanes_place(c->lanes, c->lane[i], r->job->line_up, position);
        ok = show(r, i, place, err) && label_moment(r, i, &tile[i], err);
    }
    uint8_t *rgb = ok ? render(c, tile, width, height, err) : NULL;
    free(tile);
    return rgb;
}

static bool add_picture(Reel *r, double position, SlError *err)
{
    int width, height;
    uint8_t *rgb = render_moments(r, position, &width, &height, err);
    if (!rgb)
        return false;
    sl_film_add(&r->film, rgb, (size_t)width * (size_t)height * 3);
    if (r->job->path && !r->animation)
        r->animation = sl_animation_new(width, height, err);
    if (r->animation)
        sl_animation_add(r->animation, rgb, position >= 1 ? SL_ANIMATION_LAST_MS : SL_ANIMATION_MS);
    free(rgb);
    return r->animation || !r->job->path;
}

static bool add_pictures(Reel *r, SlError *err)
{
    int stops = sl_lanes_stops(r->c->lanes, r->job->line_up);
    int count = stops < 2 ? 2 : stops > SL_FILM_MAX ? SL_FILM_MAX : stops;
    for (int i = 0; i < count; i++) {
        if (r->job->progress && !r->job->progress(r->job->arg, i, count, err))
            return false;
        if (!add_picture(r, (double)i / (count - 1), err))
            return false;
    }
    return true;
}

static bool save_reel(Reel *r, SlError *err)
{
    char *json = sl_compare_to_text(r->c, &r->job->line_up, r->film.pixels, r->job->path, err);
    bool ok = json && sl_animation_save(r->animation, r->job->path, json, err);
    free(json);
    return ok;
}

bool sl_compare_animation(const SlCompare *c, const SlAnimationJob *job, char pixels[65],
                          SlError *err)
{
    Reel r = {.c = c,
              .job = job,
              .rgb = calloc((size_t)c->count + 1, sizeof *r.rgb),
              .shown = calloc((size_t)c->count + 1, sizeof *r.shown)};
    int64_t most = 0;
    for (int i = 0; r.shown && i < c->count; i++) {
        int64_t n = sl_timeline_elements(sl_lanes_timeline(c->lanes, c->lane[i]));
        most = n > most ? n : most;
        r.shown[i] = (SlPlace){-1, -1};
    }
    r.sample = malloc((size_t)(most ? most : 1) * sizeof *r.sample);
    bool ok = (r.sample && r.rgb && r.shown) ||
              sl_fail(err, SL_MEMORY, "memory ran out for an animation");
    ok = ok && one_size(c, err) && add_pictures(&r, err) && (!job->path || save_reel(&r, err));
    if (pixels)
        memcpy(pixels, r.film.pixels, sizeof r.film.pixels);
    for (int i = 0; r.rgb && i < c->count; i++)
        free(r.rgb[i]);
    free(r.rgb);
    free(r.shown);
    free(r.sample);
    sl_animation_free(r.animation);
    return ok;
}
