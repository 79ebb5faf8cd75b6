/* lane_figures.c - see lane_figures.h.
 *
 * Easy to get wrong: a lane may be in the middle of a step of several evaluations. It ended where its
 * last finished step did, and what came after is not counted.
 */
#include "app/record/lane_figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- cost ---- */

/* The moment that a lane ended with, -1 before its first finished step. */
static int end_moment(const SlTimeline *t)
{
    int last = sl_timeline_count(t) - 1;
    while (last >= 0 && !sl_timeline_moment(t, last)->ends_step)
        last--;
    return last;
}

/* Of the parts of a branch's ancestors, where those are not lanes. */
static double seconds_before(const SlLanes *lanes, int lane)
{
    const SlBefore *before;
    double seconds = 0;
    for (int i = 0, n = sl_lanes_before(lanes, lane, &before); i < n; i++)
        if (before[i].count > 0)
            seconds += sl_timeline_moment(before[i].timeline, before[i].count - 1)->elapsed;
    return seconds;
}

static double seconds_of_ancestors(const SlLanes *lanes, int lane)
{
    double seconds = seconds_before(lanes, lane);
    while (sl_lanes_parent(lanes, lane) >= 0) {
        const SlOrigin *origin = sl_timeline_origin(sl_lanes_timeline(lanes, lane));
        lane = sl_lanes_parent(lanes, lane);
        const SlTimeline *t = sl_lanes_timeline(lanes, lane);
        int left = origin ? sl_timeline_step_end(t, origin->step) : -1;
        if (left >= 0 && left < sl_timeline_count(t))
            seconds += sl_timeline_moment(t, left)->elapsed;
        seconds += seconds_before(lanes, lane);
    }
    return seconds;
}

SlLaneFigures sl_lane_cost(const SlLanes *lanes, int lane)
{
    const SlTimeline *t = sl_lanes_timeline(lanes, lane);
    SlLaneFigures f = {.cached = -1, .distance = NAN, .psnr = NAN, .ssim = NAN};
    int end = end_moment(t);
    if (end < 0)
        return f;
    const SlMoment *m = sl_timeline_moment(t, end);
    f.evaluations = m->work;
    if (sl_timeline_recipe(t)->caching != SL_CACHING_OFF)
        f.cached = sl_timeline_cached(t, end + 1);
    f.each = 1000 * m->elapsed / (end + 1);
    f.seconds = m->elapsed + seconds_of_ancestors(lanes, lane);
    return f;
}

/* ---- likeness ---- */

/* The last sample, or what a lane that was stopped would come to; NULL where it is not kept. */
static const float *end_sample(const SlTimeline *t)
{
    int end = end_moment(t);
    if (end < 0)
        return NULL;
    const SlMoment *m = sl_timeline_moment(t, end);
    return m->last ? m->x_t : m->x_0;
}

SlLaneFigures sl_lane_measure(const SlFiguresOf *of)
{
    SlLaneFigures f = sl_lane_cost(of->lanes, of->lane);
    const SlTimeline *t = sl_lanes_timeline(of->lanes, of->lane);
    const SlTimeline *r = sl_lanes_timeline(of->lanes, of->reference);
    const SlLanePicture *p = &of->picture, *q = &of->reference_picture;
    const float *x = end_sample(t), *y = end_sample(r);
    if (x && y && sl_timeline_elements(t) == sl_timeline_elements(r))
        f.distance = sl_rms(x, y, sl_timeline_elements(t));
    if (p->rgb && q->rgb && p->width == q->width && p->height == q->height) {
        f.psnr = sl_psnr(p->rgb, q->rgb, (size_t)p->width * (size_t)p->height * 3);
        f.ssim = sl_ssim(p->rgb, q->rgb, p->width, p->height);
    }
    f.settled = sl_timeline_settled(t, of->model);
    f.parting = sl_lanes_parting(of->lanes, of->lane, of->reference);
    if (f.parting.differ)
        f.parts = sl_lanes_look_apart(of->lanes, of->model, of->lane, of->reference);
    return f;
}

/* ---- the table ---- */

const SlLaneColumnInfo *sl_lane_column(SlLaneColumn column)
{
    static const SlLaneColumnInfo columns[SL_N_LANE_COLUMNS] = {
        [SL_LANE_NUMBER] = {"lane", SL_WORDS("Lane"), NULL, 0},
        [SL_LANE_TITLE] = {"title", SL_WORDS("Settings"), SL_WORDS("What the lane has of its own"),
                           -1},
        [SL_LANE_EVALUATIONS] = {"evaluations", SL_WORDS("Evaluations"),
                                 SL_WORDS("How often the model was asked until the picture"), 0},
        [SL_LANE_EACH] = {"ms_per_evaluation", SL_WORDS("ms each"),
                          SL_WORDS("Milliseconds that one evaluation took"), 2},
        [SL_LANE_SECONDS] = {"seconds", SL_WORDS("Seconds"),
                             SL_WORDS("What all evaluations took together"), 3},
        [SL_LANE_PSNR] = {"psnr_db", SL_WORDS("PSNR, dB"),
                          SL_WORDS(
                              "How alike the picture is to the reference lane’s: 30 dB look much "
                              "alike, 40 dB the same"),
                          2},
        [SL_LANE_SSIM] = {"ssim", SL_WORDS("SSIM"),
                          SL_WORDS(
                              "Structural similarity to the reference lane’s picture: 1 is equal"),
                          4},
        [SL_LANE_DISTANCE] = {"distance", SL_WORDS("Distance"),
                              SL_WORDS(
                                  "Root mean square between the last samples and the reference "
                                  "lane’s, in latents"),
                              5},
        [SL_LANE_DIFFERS] = {"differs_at_step", SL_WORDS("Differs at"),
                             SL_WORDS("The first step whose numbers are not the reference lane’s"),
                             0},
        [SL_LANE_CACHED] = {"cached", SL_WORDS("Cached"),
                            SL_WORDS(
                                "How many of the lane’s own evaluations took over a part of an "
                                "earlier one"),
                            0},
        [SL_LANE_PARTS] = {"parts_at_step", SL_WORDS("Parts at"),
                           SL_WORDS(
                               "The first step whose quick preview looks other than the reference "
                               "lane’s: by more than 6 of 255 in some channel of some pixel"),
                           0},
        [SL_LANE_SETTLED] = {"settled_at_step", SL_WORDS("Settled at"),
                             SL_WORDS(
                                 "Nothing visible changes after this step: every later quick "
                                 "preview is within 6 of 255 of the last one, in all channels of "
                                 "all pixels"),
                             0},
    };
    return &columns[column];
}

double sl_lane_row_number(const SlLaneRow *row, SlLaneColumn column)
{
    const SlLaneFigures *f = &row->figures;
    const double numbers[SL_N_LANE_COLUMNS] = {
        [SL_LANE_NUMBER] = row->number,
        [SL_LANE_TITLE] = NAN,
        [SL_LANE_EVALUATIONS] = f->evaluations,
        [SL_LANE_CACHED] = f->evaluations && f->cached >= 0 ? f->cached : NAN,
        [SL_LANE_EACH] = f->evaluations ? f->each : NAN,
        [SL_LANE_SECONDS] = f->evaluations ? f->seconds : NAN,
        [SL_LANE_PSNR] = f->psnr,
        [SL_LANE_SSIM] = f->ssim,
        [SL_LANE_DISTANCE] = f->distance,
        [SL_LANE_DIFFERS] = f->parting.differ ? f->parting.differ : NAN,
        [SL_LANE_PARTS] = f->parts ? f->parts : NAN,
        [SL_LANE_SETTLED] = f->settled ? f->settled : NAN,
    };
    return numbers[column];
}

static void add_field(SlText *text, const char *field, char separator)
{
    const char stops[] = {separator, '"', '\r', '\n', '\0'};
    if (!strpbrk(field, stops)) {
        sl_text_add(text, field);
        return;
    }
    sl_text_add(text, "\"");
    for (const char *c = field; *c; c++)
        sl_text_append(text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    sl_text_add(text, "\"");
}

static void add_cell(SlText *text, const SlLaneRow *row, SlLaneColumn column, char separator)
{
    double number = sl_lane_row_number(row, column);
    if (column == SL_LANE_TITLE)
        add_field(text, row->title, separator);
    else if (isinf(number))
        sl_text_add(text, "inf");
    else if (!isnan(number))
        sl_text_addf(text, "%.*f", sl_lane_column(column)->digits, number);
}

void sl_lane_rows_add(SlText *text, const SlLaneRow *rows, int count, char separator,
                      const char *const *headings)
{
    for (int i = -1; i < count; i++)
        for (int c = 0; c < SL_N_LANE_COLUMNS; c++) {
            if (i < 0)
                add_field(text, headings ? headings[c] : sl_lane_column(c)->key, separator);
            else
                add_cell(text, &rows[i], c, separator);
            sl_text_append(text, c + 1 < SL_N_LANE_COLUMNS ? &separator : "\n", 1);
        }
}

bool sl_lane_rows_write(const char *path, const SlLaneRow *rows, int count, SlError *err)
{
    SlText text = {0};
    sl_lane_rows_add(&text, rows, count, ',', NULL);
    bool ok = text.failed ? sl_fail(err, SL_MEMORY, "%s: memory ran out", path)
                          : sl_write_file(path, text.data, text.length, err);
    sl_text_free(&text);
    return ok;
}
