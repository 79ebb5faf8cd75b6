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
    SlText text = {0};
    sl_text_addf(&text, "%.300s%sseed %" PRIu64 ", guidance %g", r->prompt, *r->prompt ? " - " : "",
                 r->seed, r->guidance);
    return put_text(&text, out, size, err);
}

static uint8_t *render(const SlCompare *c, const SlSheetTile *tile, int *width, int *height,
                       SlError *err)
{
    char heading[512];
    if (!heading_of(c, heading, sizeof heading, err))
        return NULL;
    const SlSheet sheet = {.width = c->picture[0].width,
                           .height = c->picture[0].height,
                           .heading = heading,
                           .count = c->count,
                           .tile = tile};
    return sl_sheet_render(&sheet, width, height, err);
}

static bool label_end(const SlCompare *c, int i, SlSheetTile *tile, SlError *err)
{
    const SlGenerated *p = &c->picture[i];
    const SlMetadata *m = &p->metadata;
    if (m->partial)
        snprintf(tile->detail, sizeof tile->detail, "stopped at step %d of %d", m->step, m->steps);
    else
        snprintf(tile->detail, sizeof tile->detail, "%d step%s, %d evaluation%s", m->steps,
                 m->steps == 1 ? "" : "s", p->evaluations, p->evaluations == 1 ? "" : "s");
    return sl_compare_title(c, i, tile->title, sizeof tile->title, err);
}

bool sl_compare_sheet(const SlCompare *c, const char *path, char pixels[65], SlError *err)
{
    SlSheetTile tile[SL_LANES_MAX] = {{0}};
    int width, height;
    for (int i = 0; i < c->count; i++) {
        tile[i].rgb = c->picture[i].rgb;
        if (!label_end(c, i, &tile[i], err))
            return false;
    }
    uint8_t *rgb = one_size(c, err) ? render(c, tile, &width, &height, err) : NULL;
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
    uint8_t *rgb[SL_LANES_MAX]; /* what each lane shows now */
    SlPlace shown[SL_LANES_MAX];
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
    if (!sl_compare_title(r->c, i, tile->title, sizeof tile->title, err))
        return false;
    if (place.moment < 0)
        return true;
    SlMoment m = sl_timeline_planned(sl_lanes_timeline(r->c->lanes, place.lane), place.moment);
    SlText text = {0};
    sl_text_addf(&text, "step %d of %d, sigma %.3g, %d evaluation%s", m.step + 1,
                 r->c->picture[i].metadata.steps, m.level, m.work, m.work == 1 ? "" : "s");
    return put_text(&text, tile->detail, sizeof tile->detail, err);
}

static bool add_picture(Reel *r, double position, SlError *err)
{
    const SlCompare *c = r->c;
    SlSheetTile tile[SL_LANES_MAX] = {{0}};
    for (int i = 0; i < c->count; i++) {
        SlPlace place = sl_lanes_place(c->lanes, c->lane[i], r->job->line_up, position);
        if (!show(r, i, place, err) || !label_moment(r, i, &tile[i], err))
            return false;
    }
    int width, height;
    uint8_t *rgb = render(c, tile, &width, &height, err);
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
    Reel r = {.c = c, .job = job};
    int64_t most = 0;
    for (int i = 0; i < c->count; i++) {
        int64_t n = sl_timeline_elements(sl_lanes_timeline(c->lanes, c->lane[i]));
        most = n > most ? n : most;
        r.shown[i] = (SlPlace){-1, -1};
    }
    r.sample = malloc((size_t)(most ? most : 1) * sizeof *r.sample);
    bool ok = r.sample || sl_fail(err, SL_MEMORY, "memory ran out for an animation");
    ok = ok && one_size(c, err) && add_pictures(&r, err) && (!job->path || save_reel(&r, err));
    if (pixels)
        memcpy(pixels, r.film.pixels, sizeof r.film.pixels);
    for (int i = 0; i < c->count; i++)
        free(r.rgb[i]);
    free(r.sample);
    sl_animation_free(r.animation);
    return ok;
}
