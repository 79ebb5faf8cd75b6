/* compare_report.c - a comparison as one HTML document, see compare.h.
 *
 * Easy to get wrong: prompts and names are anybody's, so every text goes through sl_text_add_html.
 * Pictures of many lanes are large: each is written as soon as it is made.
 */
#include "app/image/image.h"
#include "app/recipe/recipe.h"
#include "app/record/compare.h"
#include "app/record/lane_colors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Report {
    const SlCompare *c;
    const SlReportJob *job;
    SlCompareRows *rows;
    SlAtomicFile *file;
    SlText text; /* what comes next */
} Report;

static void add_words(Report *r, const char *words)
{
    sl_text_add_html(&r->text, sl_words(words));
}

/* An element with nothing but a translated text. */
static void add_element(Report *r, const char *element, const char *words)
{
    sl_text_addf(&r->text, "<%s>", element);
    add_words(r, words);
    sl_text_addf(&r->text, "</%s>\n", element);
}

static bool flush(Report *r, SlError *err)
{
    if (r->text.failed)
        return sl_fail(err, SL_MEMORY, "%s: memory ran out", r->job->path);
    sl_atomic_write(r->file, r->text.data, r->text.length);
    sl_text_free(&r->text);
    return true;
}

static unsigned color_of(const Report *r, int i)
{
    int lane = r->c->lane[i];
    return (unsigned)sl_lane_rgb(r->job->color ? r->job->color[lane] : lane);
}

/* "3" on the lane's colour */
static void add_number(Report *r, int i)
{
    sl_text_addf(&r->text, "<span class=\"number\" style=\"background:#%06x\">%d</span>",
                 color_of(r, i), r->rows->row[i].number);
}

/* ---- beginning ---- */

static const char style[] =
    ":root{color-scheme:light dark;--ink:#241f20;--paper:#faf8f7;--line:#d8d2cf;--soft:#6a6361}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#ece7e5;--paper:#1f1b1c;--line:#453e3f;"
    "--soft:#aaa3a0}}\n"
    "body{margin:0 auto;max-width:76rem;padding:1.5rem;background:var(--paper);color:var(--ink);"
    "font:1rem/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .7rem}\n"
    ".prompt{font-size:1.1rem;white-space:pre-wrap;overflow-wrap:anywhere}\n"
    ".soft,caption,figcaption small{color:var(--soft)}\n"
    ".prints{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1rem}\n"
    "figure{margin:0;background:#161314;color:#ece7e5;border-radius:.7rem;padding:.6rem;"
    "break-inside:avoid}\n"
    "figure img{display:block;width:100%;height:auto;border-radius:.2rem;"
    "image-rendering:auto}\n"
    "figure img+img{margin-top:.5rem}\n"
    "figcaption{margin-bottom:.5rem;overflow-wrap:anywhere}figcaption small{display:block;"
    "color:#b9b2af}\n"
    ".number{display:inline-block;min-width:1.4em;text-align:center;border-radius:1em;"
    "color:#161314;font-weight:700;font-size:.85em;margin-right:.45em}\n"
    ".scroll{overflow-x:auto}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.3rem .7rem;border-bottom:1px solid var(--line);text-align:right;"
    "vertical-align:top}\n"
    "th{font-weight:600}th.text,td.text,tbody th{text-align:left}tbody th{min-width:11rem}\n"
    "svg{display:block;width:100%;height:auto}svg text{fill:#b9b2af;font:11px system-ui,"
    "sans-serif}\n"
    ".heat{height:.7rem;border-radius:.35rem}.scale{display:flex;justify-content:space-between;"
    "font-size:.8rem;max-width:24rem}.heat{max-width:24rem}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dd{margin:0;"
    "overflow-wrap:anywhere}dt{color:var(--soft)}\n";

static void add_beginning(Report *r)
{
    const SlMetadata *m = &r->c->picture[0].metadata;
    sl_text_add(&r->text, "<!DOCTYPE html>\n<html lang=\"");
    /* Translators: the code of the language that this is translated to. */
    sl_text_add_html(&r->text, sl_words("en"));
    sl_text_add(&r->text, "\">\n<head>\n<meta charset=\"utf-8\">\n"
                          "<meta name=\"viewport\" content=\"width=device-width\">\n"
                          "<meta name=\"generator\" content=\"");
    sl_text_add_html(&r->text, m->program);
    sl_text_add(&r->text, "\">\n<title>");
    add_words(r, SL_WORDS("Comparison"));
    sl_text_add(&r->text, ": ");
    sl_text_add_html(&r->text, *m->recipe->prompt ? m->recipe->prompt : m->model);
    sl_text_addf(&r->text, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n", style);
    add_element(r, "h1", SL_WORDS("Comparison"));
    if (*m->recipe->prompt) {
        sl_text_add(&r->text, "<p class=\"prompt\">");
        sl_text_add_html(&r->text, m->recipe->prompt);
        sl_text_add(&r->text, "</p>\n");
    }
    sl_text_add(&r->text, "</header>\n<main>\n");
}

/* ---- pictures ---- */

static bool add_image(Report *r, const uint8_t *rgb, int i, const char *alternative, SlError *err)
{
    const SlGenerated *p = &r->c->picture[i];
    SlText png = {0};
    bool ok = sl_png_encode(&png, rgb, p->width, p->height, err);
    if (ok) {
        sl_text_addf(&r->text, "<img width=\"%d\" height=\"%d\" alt=\"", p->width, p->height);
        add_words(r, alternative);
        sl_text_addf(&r->text, " %d: ", r->rows->row[i].number);
        sl_text_add_html(&r->text, r->rows->row[i].title);
        sl_text_add(&r->text, "\" src=\"data:image/png;base64,");
        sl_text_add_base64(&r->text, png.data, png.length);
        sl_text_add(&r->text, "\">\n");
    }
    sl_text_free(&png);
    return ok;
}

static bool has_heat(const SlCompare *c, int i)
{
    const SlGenerated *p = &c->picture[i], *q = &c->picture[c->reference];
    return i != c->reference && p->width == q->width && p->height == q->height;
}

static bool add_heat(Report *r, int i, SlError *err)
{
    const SlGenerated *p = &r->c->picture[i], *q = &r->c->picture[r->c->reference];
    size_t pixels = (size_t)p->width * (size_t)p->height;
    uint8_t *rgb = malloc(pixels * 3);
    if (!rgb)
        return sl_fail(err, SL_MEMORY, "%s: memory ran out", r->job->path);
    sl_heat_map(p->rgb, q->rgb, pixels, 255, rgb);
    bool ok = add_image(r, rgb, i, SL_WORDS("What differs, lane"), err);
    free(rgb);
    return ok;
}

/* ---- where the pictures of a grid stand ---- */

static void add_label(Report *r, const SlSettingInfo *s);

/* Names of columns stand in the first row, those of rows in the first column. Lanes that are no cells
 * come under the grid. */
static void add_place(Report *r, int i)
{
    const SlGrid *grid = sl_lanes_grid(r->c->lanes);
    if (!grid)
        return;
    int columns = sl_grid_columns(grid), cell = sl_lanes_cell(r->c->lanes, r->c->lane[i]);
    if (cell < 0) {
        cell = sl_grid_cells(grid);
        for (int k = 0; k < i; k++)
            cell += sl_lanes_cell(r->c->lanes, r->c->lane[k]) < 0;
    }
    sl_text_addf(&r->text, " style=\"grid-column:%d;grid-row:%d\"", cell % columns + 2,
                 cell / columns + 2);
}

/* "Euler", "Steps 20" */
static void add_axis_value(Report *r, const SlGridAxis *axis, int i)
{
    const SlSettingInfo *s = sl_setting(axis->setting);
    const SlSchedulerInfo *scheduler =
        s->kind == SL_KIND_SCHEDULER ? sl_scheduler_find(axis->value[i]) : NULL;
    if (!scheduler) {
        if (s->label)
            add_label(r, s);
        else
            sl_text_add_html(&r->text, s->name);
        sl_text_add(&r->text, " ");
    }
    sl_text_add_html(&r->text, scheduler ? scheduler->name : axis->value[i]);
}

static void add_axes(Report *r, const SlGrid *grid)
{
    for (int axis = 0; axis < SL_GRID_AXES; axis++)
        for (int i = 0; i < grid->axis[axis].count; i++) {
            bool across = axis == SL_GRID_X;
            sl_text_addf(&r->text, "<strong style=\"grid-column:%d;grid-row:%d\">",
                         across ? i + 2 : 1, across ? 1 : i + 2);
            add_axis_value(r, &grid->axis[axis], i);
            sl_text_add(&r->text, "</strong>\n");
        }
}

/* What holds the pictures; a grid wider than the page is scrolled. */
static void begin_prints(Report *r)
{
    const SlGrid *grid = sl_lanes_grid(r->c->lanes);
    if (!grid) {
        sl_text_add(&r->text, "<div class=\"prints\">\n");
        return;
    }
    sl_text_addf(&r->text,
                 "<div class=\"prints\" style=\"overflow-x:auto;grid-template-columns:"
                 "max-content repeat(%d,minmax(9rem,1fr))\">\n",
                 sl_grid_columns(grid));
    add_axes(r, grid);
}

static void add_caption(Report *r, int i)
{
    const SlLaneRow *row = &r->rows->row[i];
    sl_text_add(&r->text, "<figure");
    add_place(r, i);
    sl_text_add(&r->text, ">\n<figcaption>");
    add_number(r, i);
    sl_text_add_html(&r->text, row->title);
    sl_text_add(&r->text, "<small>");
    if (row->reference)
        add_words(r, SL_WORDS("Reference"));
    else if (isinf(row->figures.psnr))
        add_words(r, SL_WORDS("Equal to the reference"));
    else if (isfinite(row->figures.psnr))
        sl_text_addf(&r->text, "PSNR %.1f dB, SSIM %.3f", row->figures.psnr, row->figures.ssim);
    if (row->partial) {
        sl_text_add(&r->text, " · ");
        add_words(r, SL_WORDS("Stopped"));
    }
    sl_text_add(&r->text, "</small></figcaption>\n");
}

/* The colours of what differs, with numbers. */
static void add_scale(Report *r)
{
    uint8_t from[3 * 17] = {0}, to[3 * 17], rgb[3 * 17];
    for (int i = 0; i <= 16; i++)
        memset(to + 3 * i, i == 16 ? 255 : i * i, 3);
    sl_heat_map(from, to, 17, 255, rgb);
    sl_text_add(&r->text, "<div class=\"heat\" style=\"background:linear-gradient(to right");
    for (int i = 0; i <= 16; i++)
        sl_text_addf(&r->text, ",#%02x%02x%02x", rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]);
    sl_text_add(&r->text, ")\"></div>\n<div class=\"scale\"><span>0</span><span>16</span>"
                          "<span>64</span><span>144</span><span>255</span></div>\n");
}

static bool add_pictures(Report *r, SlError *err)
{
    bool ok = true, any = false;
    sl_text_add(&r->text, "<section>\n");
    add_element(r, "h2", SL_WORDS("Pictures"));
    begin_prints(r);
    for (int i = 0; ok && i < r->c->count; i++) {
        ok = !r->job->progress || r->job->progress(r->job->arg, i, r->c->count, err);
        add_caption(r, i);
        ok = ok && add_image(r, r->c->picture[i].rgb, i, SL_WORDS("Lane"), err);
        if (has_heat(r->c, i))
            ok = ok && add_heat(r, i, err);
        any = any || has_heat(r->c, i);
        sl_text_add(&r->text, "</figure>\n");
        ok = ok && flush(r, err);
    }
    sl_text_add(&r->text, "</div>\n");
    if (any) {
        sl_text_add(&r->text, "<p class=\"soft\">");
        add_words(
            r, SL_WORDS("Under each picture: the largest difference of the three channels from the "
                        "reference lane’s, of 255"));
        sl_text_add(&r->text, "</p>\n");
        add_scale(r);
    }
    sl_text_add(&r->text, "</section>\n");
    return ok;
}

/* ---- the table ---- */

static void add_cell(Report *r, int i, SlLaneColumn column)
{
    double number = sl_lane_row_number(&r->rows->row[i], column);
    if (column == SL_LANE_NUMBER) {
        sl_text_add(&r->text, "<td class=\"text\">");
        add_number(r, i);
        sl_text_add(&r->text, "</td>");
    } else if (column == SL_LANE_TITLE) {
        sl_text_add(&r->text, "<th scope=\"row\">");
        sl_text_add_html(&r->text, r->rows->row[i].title);
        sl_text_add(&r->text, "</th>");
    } else if (isnan(number)) {
        sl_text_add(&r->text, "<td>–</td>");
    } else if (isinf(number)) {
        add_element(r, "td", SL_WORDS("equal"));
    } else {
        sl_text_addf(&r->text, "<td>%.*f</td>", sl_lane_column(column)->digits, number);
    }
}

static void add_table(Report *r)
{
    sl_text_add(&r->text, "<section>\n");
    add_element(r, "h2", SL_WORDS("Figures"));
    sl_text_add(&r->text, "<div class=\"scroll\"><table>\n<thead><tr>");
    for (int c = 0; c < SL_N_LANE_COLUMNS; c++) {
        sl_text_addf(&r->text, "<th scope=\"col\"%s>", c <= SL_LANE_TITLE ? " class=\"text\"" : "");
        add_words(r, sl_lane_column(c)->label);
        sl_text_add(&r->text, "</th>");
    }
    sl_text_add(&r->text, "</tr></thead>\n<tbody>\n");
    for (int i = 0; i < r->rows->count; i++) {
        sl_text_add(&r->text, "<tr>");
        for (int c = 0; c < SL_N_LANE_COLUMNS; c++)
            add_cell(r, i, c);
        sl_text_add(&r->text, "</tr>\n");
    }
    sl_text_add(&r->text, "</tbody>\n</table></div>\n<dl>\n");
    for (int c = 0; c < SL_N_LANE_COLUMNS; c++)
        if (sl_lane_column(c)->help && c != SL_LANE_TITLE) {
            add_element(r, "dt", sl_lane_column(c)->label);
            add_element(r, "dd", sl_lane_column(c)->help);
        }
    sl_text_add(&r->text, "</dl>\n</section>\n");
}

/* ---- curves ---- */

enum { CURVE_SIGMA, CURVE_DISTANCE, CURVE_PSNR, CURVES };
enum { WIDTH = 720, HEIGHT = 260, LEFT = 52, RIGHT = 24, TOP = 12, BOTTOM = 30 };

typedef struct Curve {
    int count;
    double *x, *y; /* [count] */
} Curve;

typedef struct Chart {
    Curve curve[SL_LANES_MAX];
    bool log_y;
    double last_x, low, high; /* of what is drawn: logarithms with log_y */
} Chart;

static double drawn(const Chart *chart, double y)
{
    return chart->log_y ? y > 0 ? log10(y) : NAN : y;
}

static double place_x(const Chart *chart, double x)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * x / (chart->last_x > 0 ? chart->last_x : 1);
}

static double place_y(const Chart *chart, double drawn_y)
{
    double range = chart->high > chart->low ? chart->high - chart->low : 1;
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (drawn_y - chart->low) / range);
}

static bool curve_room(Curve *curve, int count)
{
    curve->x = calloc(count > 0 ? (size_t)count : 1, sizeof *curve->x);
    curve->y = calloc(count > 0 ? (size_t)count : 1, sizeof *curve->y);
    return curve->x && curve->y;
}

static bool fill_sigmas(const SlTimeline *t, Curve *curve)
{
    int count = sl_timeline_count(t);
    if (!curve_room(curve, count))
        return false;
    for (int i = 0; i < count; i++) {
        SlMoment m = sl_timeline_planned(t, i);
        curve->x[curve->count] = m.work;
        curve->y[curve->count++] = m.sigma;
    }
    return true;
}

static bool fill_measured(const SlCompare *c, int i, bool psnr, Curve *curve)
{
    int room = sl_timeline_count(sl_lanes_timeline(c->lanes, c->lane[i]));
    SlDistancePoint *points = calloc(room > 0 ? (size_t)room : 1, sizeof *points);
    bool ok = points && curve_room(curve, room);
    int n = ok ? sl_lanes_curve(c->lanes, psnr ? c->model : NULL, c->lane[i], c->lane[c->reference],
                                points, room)
               : 0;
    for (int k = 0; k < n; k++) {
        curve->x[k] = points[k].work;
        curve->y[k] = psnr ? points[k].psnr : points[k].distance;
    }
    curve->count = n;
    free(points);
    return ok;
}

static void find_range(Chart *chart, int count)
{
    chart->low = INFINITY;
    chart->high = -INFINITY;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < chart->curve[i].count; k++) {
            double y = drawn(chart, chart->curve[i].y[k]);
            chart->last_x = fmax(chart->last_x, chart->curve[i].x[k]);
            if (isfinite(y)) {
                chart->low = fmin(chart->low, y);
                chart->high = fmax(chart->high, y);
            }
        }
    if (!isfinite(chart->low))
        chart->low = chart->high = 0;
}

static void add_grid(Report *r, const Chart *chart)
{
    for (int i = 0; i <= 4; i++) {
        double y = chart->low + (chart->high - chart->low) * i / 4;
        double x = chart->last_x * i / 4;
        sl_text_addf(&r->text,
                     "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ece7e5\" "
                     "stroke-opacity=\".12\"/>\n<text x=\"%d\" y=\"%.1f\" "
                     "text-anchor=\"end\">%.3g</text>\n<text x=\"%.1f\" y=\"%d\" "
                     "text-anchor=\"middle\">%.4g</text>\n",
                     LEFT, WIDTH - RIGHT, place_y(chart, y), place_y(chart, y), LEFT - 6,
                     place_y(chart, y) + 4, chart->log_y ? pow(10, y) : y, place_x(chart, x),
                     HEIGHT - BOTTOM + 16, x);
    }
}

/* Colours come again after nine lanes; then lines are broken. */
static const char *dashes_of(int i)
{
    static const char *const dashes[] = {"", " stroke-dasharray=\"7 4\"",
                                         " stroke-dasharray=\"2 4\""};
    return dashes[i / SL_LANE_COLORS % 3];
}

/* Gaps where a value has no place (equal pictures are infinitely alike). */
static void add_curve(Report *r, const Chart *chart, int i)
{
    const Curve *curve = &chart->curve[i];
    double last_x = 0, last_y = NAN;
    bool open = false;
    if (curve->count == 0)
        return;
    sl_text_addf(&r->text,
                 "<path fill=\"none\" stroke-width=\"2\" stroke-linejoin=\"round\" "
                 "stroke-linecap=\"round\" stroke=\"#%06x\"%s d=\"",
                 color_of(r, i), dashes_of(i));
    for (int k = 0; k < curve->count; k++) {
        double y = drawn(chart, curve->y[k]);
        if (isfinite(y)) {
            last_x = place_x(chart, curve->x[k]);
            last_y = place_y(chart, y);
            sl_text_addf(&r->text, "%s%.1f %.1f", open ? "L" : "M", last_x, last_y);
        }
        open = isfinite(y);
    }
    if (!isfinite(last_y))
        sl_text_addf(&r->text, "M%d %d", LEFT, TOP);
    sl_text_add(&r->text, "\"><title>");
    sl_text_addf(&r->text, "%d: ", r->rows->row[i].number);
    sl_text_add_html(&r->text, r->rows->row[i].title);
    sl_text_add(&r->text, "</title></path>\n");
    if (isfinite(last_y))
        sl_text_addf(&r->text, "<text x=\"%.1f\" y=\"%.1f\">%d</text>\n", last_x + 5, last_y + 4,
                     r->rows->row[i].number);
}

static bool add_chart(Report *r, int which, SlError *err)
{
    static const char *const titles[CURVES] = {SL_WORDS("Noise level σ"),
                                               SL_WORDS("Distance in latents"),
                                               SL_WORDS("PSNR of previews, dB")};
    Chart *chart = calloc(1, sizeof *chart);
    bool ok = chart != NULL;
    for (int i = 0; ok && i < r->c->count; i++)
        ok = which == CURVE_SIGMA
                 ? fill_sigmas(sl_lanes_timeline(r->c->lanes, r->c->lane[i]), &chart->curve[i])
                 : fill_measured(r->c, i, which == CURVE_PSNR, &chart->curve[i]);
    if (ok) {
        chart->log_y = which != CURVE_PSNR;
        find_range(chart, r->c->count);
        sl_text_add(&r->text, "<figure>\n<figcaption>");
        add_words(r, titles[which]);
        sl_text_add(&r->text, "<small>");
        add_words(r, SL_WORDS("Evaluations of the model"));
        sl_text_addf(&r->text,
                     "</small></figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" "
                     "aria-label=\"",
                     WIDTH, HEIGHT);
        add_words(r, titles[which]);
        sl_text_add(&r->text, "\">\n");
        add_grid(r, chart);
        for (int i = 0; i < r->c->count; i++)
            add_curve(r, chart, i);
        sl_text_add(&r->text, "</svg>\n</figure>\n");
    }
    for (int i = 0; chart && i < r->c->count; i++) {
        free(chart->curve[i].x);
        free(chart->curve[i].y);
    }
    free(chart);
    return ok || sl_fail(err, SL_MEMORY, "%s: memory ran out", r->job->path);
}

static bool add_curves(Report *r, SlError *err)
{
    bool ok = true;
    sl_text_add(&r->text, "<section>\n");
    add_element(r, "h2", SL_WORDS("Curves"));
    sl_text_add(&r->text, "<div class=\"prints\" "
                          "style=\"grid-template-columns:repeat(auto-fill,minmax(22rem,1fr))\">\n");
    for (int which = 0; ok && which < CURVES; which++)
        ok = add_chart(r, which, err);
    sl_text_add(&r->text, "</div>\n</section>\n");
    return ok && flush(r, err);
}

/* ---- settings ---- */

/* Without the sign of its mnemonic. */
static void add_label(Report *r, const SlSettingInfo *s)
{
    SlText plain = {0};
    for (const char *c = sl_words(s->label); *c; c++)
        if (*c != '_')
            sl_text_append(&plain, c, 1);
    sl_text_add_html(&r->text, plain.data && !plain.failed ? plain.data : s->key);
    sl_text_free(&plain);
}

static void add_value(Report *r, const SlSettingInfo *s, const SlRecipe *recipe)
{
    SlText value = {0};
    if (s->kind == SL_KIND_TEXT)
        sl_text_add(&value, sl_setting_text(s, recipe));
    else if (s->kind == SL_KIND_SCHEDULER)
        sl_text_add(&value, sl_scheduler_find(recipe->scheduler)->name);
    else if (s->kind == SL_KIND_CHOICE && s->choice_labels)
        sl_text_add(&value, sl_words(s->choice_labels[(int)sl_setting_number(s, recipe)]));
    else if (!sl_setting_is_unset(s, recipe) || s->kind == SL_KIND_SEED)
        sl_setting_add_value(&value, s, recipe);
    r->text.failed |= value.failed;
    sl_text_add_html(&r->text, value.length ? value.data : "–");
    sl_text_free(&value);
}

static const SlRecipe *recipe_of(const Report *r, int i)
{
    return r->c->picture[i].metadata.recipe;
}

static bool is_common(const Report *r, const SlSettingInfo *s)
{
    for (int i = 1; i < r->c->count; i++)
        if (!sl_setting_equal(s, recipe_of(r, i), recipe_of(r, 0)))
            return false;
    return true;
}

static bool is_shown(const Report *r, const SlSettingInfo *s)
{
    return s->label && (!is_common(r, s) || s->always || !sl_setting_is_unset(s, recipe_of(r, 0)));
}

static void add_fact(Report *r, const char *words, const char *value)
{
    if (!*value)
        return;
    add_element(r, "dt", words);
    sl_text_add(&r->text, "<dd>");
    sl_text_add_html(&r->text, value);
    sl_text_add(&r->text, "</dd>\n");
}

/* Which model, program and device, with the hashes of the model's files where those are known. */
static void add_maker(Report *r)
{
    SlMetadata *m = malloc(sizeof *m);
    r->text.failed |= m == NULL;
    if (!m)
        return;
    *m = r->c->picture[0].metadata; /* borrows all of it */
    if (r->c->identity)
        sl_metadata_set_model(m, r->c->identity);
    add_fact(r, SL_WORDS("Model"), m->model);
    for (int i = 0; i < m->files; i++)
        add_fact(r, m->file[i].name, m->file[i].sha256);
    add_fact(r, SL_WORDS("Device"), *m->device_description ? m->device_description : m->device);
    add_fact(r, SL_WORDS("Numbers"), m->dtype);
    add_fact(r, SL_WORDS("Made by"), m->program);
    free(m);
}

static void add_common(Report *r)
{
    add_element(r, "h2", SL_WORDS("Settings of all lanes"));
    sl_text_add(&r->text, "<dl>\n");
    for (int k = 0; k < SL_N_SETTINGS; k++) {
        const SlSettingInfo *s = sl_setting(k);
        if (!is_shown(r, s) || !is_common(r, s))
            continue;
        sl_text_add(&r->text, "<dt>");
        add_label(r, s);
        sl_text_add(&r->text, "</dt><dd>");
        add_value(r, s, recipe_of(r, 0));
        sl_text_add(&r->text, "</dd>\n");
    }
    add_maker(r);
    sl_text_add(&r->text, "</dl>\n");
}

static void add_own(Report *r)
{
    bool any = false;
    for (int k = 0; k < SL_N_SETTINGS; k++) {
        const SlSettingInfo *s = sl_setting(k);
        if (!is_shown(r, s) || is_common(r, s))
            continue;
        if (!any) {
            add_element(r, "h2", SL_WORDS("Settings that differ"));
            sl_text_add(&r->text, "<div class=\"scroll\"><table>\n<thead><tr><td></td>");
            for (int i = 0; i < r->c->count; i++) {
                sl_text_add(&r->text, "<th scope=\"col\">");
                add_number(r, i);
                sl_text_add(&r->text, "</th>");
            }
            sl_text_add(&r->text, "</tr></thead>\n<tbody>\n");
            any = true;
        }
        sl_text_add(&r->text, "<tr><th scope=\"row\">");
        add_label(r, s);
        sl_text_add(&r->text, "</th>");
        for (int i = 0; i < r->c->count; i++) {
            sl_text_add(&r->text, "<td>");
            add_value(r, s, recipe_of(r, i));
            sl_text_add(&r->text, "</td>");
        }
        sl_text_add(&r->text, "</tr>\n");
    }
    if (any)
        sl_text_add(&r->text, "</tbody>\n</table></div>\n");
}

/* ---- all of it ---- */

static bool write_report(Report *r, SlError *err)
{
    if (!sl_compare_rows(r->c, r->rows, err))
        return false;
    for (int i = 0; r->job->title && i < r->c->count; i++)
        r->rows->row[i].title = r->job->title[r->c->lane[i]];
    add_beginning(r);
    if (!add_pictures(r, err))
        return false;
    add_table(r);
    if (!add_curves(r, err))
        return false;
    sl_text_add(&r->text, "<section>\n");
    add_own(r);
    add_common(r);
    sl_text_add(&r->text, "</section>\n</main>\n</body>\n</html>\n");
    return flush(r, err);
}

bool sl_compare_report(const SlCompare *c, const SlReportJob *job, SlError *err)
{
    Report r = {.c = c, .job = job, .rows = malloc(sizeof *r.rows)};
    if (!r.rows)
        return sl_fail(err, SL_MEMORY, "%s: memory ran out", job->path);
    r.file = sl_atomic_open(job->path, err);
    bool ok = r.file && write_report(&r, err);
    if (ok)
        ok = sl_atomic_commit(r.file, err);
    else
        sl_atomic_abandon(r.file);
    sl_text_free(&r.text);
    free(r.rows);
    return ok;
}
