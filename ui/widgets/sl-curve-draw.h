/* sl-curve-draw.h - the picture of a chart of curves: axes, curves, mark, cursor, and the rail with its
 * handle.
 */
#pragma once

#include "ui/widgets/sl-curve-chart.h"

G_BEGIN_DECLS

/* The parts that the chart has, into the context of its widget. */
void sl_curve_draw (const SlCurveChart *self, cairo_t *cr);
/* Where each curve's number is written: none lies on another or beyond the edge. One that finds no room is empty; the
 * bold curve's is placed first. */
void sl_curve_draw_place_numbers (const SlCurveChart *self, graphene_rect_t *boxes);

G_END_DECLS
