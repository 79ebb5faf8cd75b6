/* compare_sheet.c - sheets and animations of lanes, see compare.h. What stands on them is of reel.h,
 * which names no seconds: the same lanes give the same bytes.
 */
#include "app/image/image.h"
#include "app/record/compare.h"
#include "app/record/compare_first.h"
#include "app/record/compare_text.h"

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

static bool heading_of(const SlCompare *c, char *out, size_t size, SlError *err)
{
    const SlRecipe *recipes[SL_SHEET_LANES];
    if (c->first_edition)
        return sl_first_heading(c, out, size, err);
    for (int i = 0; i < c->count; i++)
        recipes[i] = c->picture[i].metadata.recipe;
    return sl_reel_heading(recipes, c->count, out, size, err);
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

/* Lanes that are no cells are behind the last, one after the other. *x stays empty where there is no
 * grid. */
static bool find_crossings(const SlCompare *c, Crossings *x, SlError *err)
{
    const SlGrid *grid = sl_lanes_grid(c->lanes);
    if (!grid)
        return true;
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

/* The cells of a grid are small. */
static SlStepCaption caption_of(const SlCompare *c, const SlTimeline *t, int moment)
{
    SlMoment m = sl_timeline_planned(t, moment);
    return (SlStepCaption){.step = m.step + 1,
                           .steps = sl_timeline_recipe(t)->steps,
                           .sigma = m.sigma,
                           .evaluations = sl_lanes_grid(c->lanes) ? 0 : m.work};
}

static bool label_end(const SlCompare *c, int i, SlSheetTile *tile, SlError *err)
{
    const SlMetadata *m = &c->picture[i].metadata;
    const SlTimeline *t = sl_lanes_timeline(c->lanes, c->lane[i]);
    if (c->first_edition)
        return sl_first_end(c, i, tile, err);
    const SlStepCaption caption =
        caption_of(c, t, m->partial ? sl_timeline_step_end(t, m->step) : sl_timeline_count(t) - 1);
    return sl_step_caption(&caption, tile->detail, sizeof tile->detail, err) &&
           title_of(c, i, tile, err);
}

/* The lanes' tiles without pictures; free them. */
static SlSheetTile *new_tiles(const SlCompare *c, SlError *err)
{
    SlSheetTile *tile = calloc((size_t)c->count + 1, sizeof *tile);
    if (!tile)
        sl_fail(err, SL_MEMORY, "memory ran out for a sheet");
    return tile;
}

static SlSheet sheet_of(const SlCompare *c, const SlSheetTile *tile, const char *heading,
                        const Crossings *crossings)
{
    return (SlSheet){.width = c->picture[0].width,
                     .height = c->picture[0].height,
                     .heading = heading,
                     .count = c->count,
                     .tile = tile,
                     .grid = crossings->cell ? &crossings->grid : NULL,
                     .first_edition = c->first_edition};
}

static bool lay_out(SlSheet *sheet, SlError *err)
{
    if (!sheet->first_edition)
        return sl_sheet_lay_out(sheet, &sheet->layout, err);
    sheet->layout = sl_sheet_first_layout(sheet);
    return true;
}

static bool draw(const SlCompare *c, SlSheet *sheet, const char *path, SlReelSum *sum, SlError *err)
{
    int width, height;
    uint8_t *rgb = lay_out(sheet, err) ? sl_sheet_render(sheet, &width, &height, err) : NULL;
    bool ok = rgb != NULL;
    if (ok)
        sl_sha256(rgb, (size_t)width * (size_t)height * 3, sum->drawn);
    sum->layout = sheet->layout;
    if (ok && path) {
        char *json = sl_compare_to_text(c, NULL, sum, path, err);
        const SlPngText text = {SL_METADATA_KEYWORD, json, true};
        ok = json && sl_png_write(path, rgb, width, height, &text, 1, err);
        free(json);
    }
    free(rgb);
    return ok;
}

bool sl_compare_sheet(const SlCompare *c, const char *path, SlReelSum *sum, SlError *err)
{
    char heading[512];
    SlReelSum own = {0};
    SlFilm film = {0};
    SlSheetTile *tile = one_size(c, err) ? new_tiles(c, err) : NULL;
    bool ok = tile && heading_of(c, heading, sizeof heading, err);
    for (int i = 0; ok && i < c->count; i++) {
        const SlGenerated *p = &c->picture[i];
        tile[i].rgb = p->rgb;
        sl_film_add(&film, p->rgb, (size_t)p->width * (size_t)p->height * 3);
        ok = label_end(c, i, &tile[i], err);
    }
    memcpy(own.pictures, film.pixels, sizeof own.pictures);
    if (ok && (path || c->first_edition)) {
        Crossings crossings = {0};
        ok = find_crossings(c, &crossings, err);
        SlSheet sheet = sheet_of(c, tile, heading, &crossings);
        ok = ok && draw(c, &sheet, path, &own, err);
        free_crossings(&crossings);
    }
    free(tile);
    if (sum)
        *sum = own;
    return ok;
}

/* ---- films ---- */

typedef struct FilmOf {
    const SlCompare *c;
    const SlAnimationJob *job;
    SlTimeline *timeline;
    SlReel reel;
    float *sample;
    uint8_t *rgb;
    char heading[512], widest[128];
} FilmOf;

static bool film_moment(FilmOf *f, int i, SlError *err)
{
    SlMoment m = sl_timeline_planned(f->timeline, i);
    const SlSample of = sl_compare_sample(f->timeline, i, f->sample);
    const SlStepCaption caption = caption_of(f->c, f->timeline, i);
    SlSheetTile tile = {.rgb = f->rgb};
    const SlReelPicture picture = {.sheet = {.width = f->c->picture[0].width,
                                             .height = f->c->picture[0].height,
                                             .heading = f->heading,
                                             .count = 1,
                                             .tile = &tile},
                                   .widest = f->widest,
                                   .last = m.last};
    return sl_timeline_fetch(f->timeline, f->c->model, i, m.last ? f->sample : NULL,
                             m.last ? NULL : f->sample, err) &&
           sl_sample_decode(f->c->model, &of, NULL, f->rgb, err) &&
           sl_step_caption(&caption, tile.detail, sizeof tile.detail, err) &&
           sl_reel_add(&f->reel, &picture, err);
}

static bool film_moments(FilmOf *f, SlError *err)
{
    int count = sl_timeline_count(f->timeline), steps = sl_timeline_recipe(f->timeline)->steps;
    for (int i = 0; i < count; i++) {
        SlMoment m = sl_timeline_planned(f->timeline, i);
        if (!m.ends_step || !(m.last || sl_film_wants(m.step, steps)))
            continue;
        if (f->job->progress && !f->job->progress(f->job->arg, i, count, err))
            return false;
        if (!film_moment(f, i, err))
            return false;
    }
    return true;
}

static bool save_film(FilmOf *f, SlError *err)
{
    const SlReelSum sum = sl_reel_sum(&f->reel);
    char *json = sl_film_to_text(&f->c->picture[0].metadata, &sum, f->job->path, err);
    bool ok = json && sl_reel_save(&f->reel, json, err);
    free(json);
    return ok;
}

bool sl_compare_film(const SlCompare *c, const SlAnimationJob *job, SlReelSum *sum, SlError *err)
{
    FilmOf *f = calloc(1, sizeof *f);
    if (!f)
        return sl_fail(err, SL_MEMORY, "memory ran out for an animation");
    *f = (FilmOf){.c = c, .job = job, .reel = {.look = job->look, .path = job->path}};
    f->timeline = sl_lanes_timeline(c->lanes, c->lane[0]);
    f->sample = malloc((size_t)sl_timeline_elements(f->timeline) * sizeof *f->sample);
    f->rgb = malloc((size_t)c->picture[0].width * (size_t)c->picture[0].height * 3);
    const SlRecipe *recipe = sl_timeline_recipe(f->timeline);
    bool ok =
        ((f->sample && f->rgb) || sl_fail(err, SL_MEMORY, "memory ran out for an animation")) &&
        sl_reel_heading(&recipe, 1, f->heading, sizeof f->heading, err) &&
        sl_step_caption_widest(recipe->steps, sl_timeline_total(f->timeline), f->widest,
                               sizeof f->widest, err) &&
        film_moments(f, err) && (!job->path || save_film(f, err));
    if (sum)
        *sum = sl_reel_sum(&f->reel);
    sl_reel_free(&f->reel);
    free(f->sample);
    free(f->rgb);
    free(f);
    return ok;
}

/* ---- an animation ---- */

typedef struct Show {
    const SlCompare *c;
    const SlAnimationJob *job;
    SlReel reel;
    uint8_t **rgb; /* [lanes]: what each shows now */
    SlPlace *shown;
    SlSheetTile *tile;
    Crossings crossings;
    float *sample;
    char heading[512], widest[128];
} Show;

/* Decodes what lane i shows at a place, unless it is what it showed before. */
static bool show(Show *s, int i, SlPlace place, SlError *err)
{
    const SlCompare *c = s->c;
    const SlGenerated *end = &c->picture[i];
    size_t bytes = (size_t)end->width * (size_t)end->height * 3;
    if (place.moment < 0 || (place.lane == s->shown[i].lane && place.moment == s->shown[i].moment))
        return true;
    s->shown[i] = place;
    SlTimeline *t = sl_lanes_timeline(c->lanes, place.lane);
    if (!s->rgb[i] && !(s->rgb[i] = malloc(bytes)))
        return sl_fail(err, SL_MEMORY, "memory ran out for an animation");
    if (sl_timeline_planned(t, place.moment).last) {
        memcpy(s->rgb[i], end->rgb, bytes);
        return true;
    }
    const SlSample sample = sl_compare_sample(t, place.moment, s->sample);
    return sl_timeline_fetch(t, c->model, place.moment, NULL, s->sample, err) &&
           sl_sample_decode(c->model, &sample, NULL, s->rgb[i], err);
}

static bool label_moment(const Show *s, int i, SlSheetTile *tile, SlError *err)
{
    SlPlace place = s->shown[i];
    tile->rgb = s->rgb[i];
    if (s->c->first_edition)
        return sl_first_moment(s->c, i, place, tile, err);
    if (place.moment < 0)
        return true;
    SlStepCaption caption =
        caption_of(s->c, sl_lanes_timeline(s->c->lanes, place.lane), place.moment);
    caption.steps = s->c->picture[i].metadata.steps;
    return sl_step_caption(&caption, tile->detail, sizeof tile->detail, err);
}

static bool add_picture(Show *s, double position, SlError *err)
{
    const SlCompare *c = s->c;
    for (int i = 0; i < c->count; i++) {
        SlPlace place = sl_lanes_place(c->lanes, c->lane[i], s->job->line_up, position);
        if (!show(s, i, place, err) || !label_moment(s, i, &s->tile[i], err))
            return false;
    }
    const SlReelPicture picture = {sheet_of(c, s->tile, s->heading, &s->crossings), s->widest,
                                   position >= 1};
    return sl_reel_add(&s->reel, &picture, err);
}

static bool add_pictures(Show *s, SlError *err)
{
    int stops = sl_lanes_stops(s->c->lanes, s->job->line_up);
    int count = stops < 2 ? 2 : stops > SL_FILM_MAX ? SL_FILM_MAX : stops;
    for (int i = 0; i < count; i++) {
        if (s->job->progress && !s->job->progress(s->job->arg, i, count, err))
            return false;
        if (!add_picture(s, (double)i / (count - 1), err))
            return false;
    }
    return true;
}

static bool save_show(Show *s, SlError *err)
{
    const SlReelSum sum = sl_reel_sum(&s->reel);
    char *json = sl_compare_to_text(s->c, &s->job->line_up, &sum, s->job->path, err);
    bool ok = json && sl_reel_save(&s->reel, json, err);
    free(json);
    return ok;
}

/* Names, heading, and the longest detail of any lane. */
static bool prepare(Show *s, SlError *err)
{
    const SlCompare *c = s->c;
    int steps = 1, work = 1;
    int64_t most = 1;
    for (int i = 0; i < c->count; i++) {
        const SlTimeline *t = sl_lanes_timeline(c->lanes, c->lane[i]);
        int end = sl_timeline_planned(t, sl_timeline_total(t) - 1).work;
        int64_t n = sl_timeline_elements(t);
        most = n > most ? n : most;
        steps = c->picture[i].metadata.steps > steps ? c->picture[i].metadata.steps : steps;
        work = end > work ? end : work;
        s->shown[i] = (SlPlace){-1, -1};
        if (!title_of(c, i, &s->tile[i], err))
            return false;
    }
    s->sample = malloc((size_t)most * sizeof *s->sample);
    return (s->sample || sl_fail(err, SL_MEMORY, "memory ran out for an animation")) &&
           find_crossings(c, &s->crossings, err) &&
           heading_of(c, s->heading, sizeof s->heading, err) &&
           sl_step_caption_widest(steps, sl_lanes_grid(c->lanes) ? 0 : work, s->widest,
                                  sizeof s->widest, err);
}

bool sl_compare_animation(const SlCompare *c, const SlAnimationJob *job, SlReelSum *sum,
                          SlError *err)
{
    Show *s = calloc(1, sizeof *s);
    if (!s)
        return sl_fail(err, SL_MEMORY, "memory ran out for an animation");
    *s = (Show){.c = c, .job = job};
    s->reel = (SlReel){.look = job->look, .path = job->path, .first_edition = c->first_edition};
    s->tile = new_tiles(c, err);
    s->rgb = calloc((size_t)c->count + 1, sizeof *s->rgb);
    s->shown = calloc((size_t)c->count + 1, sizeof *s->shown);
    bool ok = s->tile &&
              ((s->rgb && s->shown) || sl_fail(err, SL_MEMORY, "memory ran out for an animation"));
    ok = ok && one_size(c, err) && prepare(s, err) && add_pictures(s, err) &&
         (!job->path || save_show(s, err));
    if (sum)
        *sum = sl_reel_sum(&s->reel);
    for (int i = 0; s->rgb && i < c->count; i++)
        free(s->rgb[i]);
    free(s->rgb);
    free(s->shown);
    free_crossings(&s->crossings);
    free(s->tile);
    free(s->sample);
    sl_reel_free(&s->reel);
    free(s);
    return ok;
}
