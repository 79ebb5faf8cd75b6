/* sl-curve-draw.h - the picture of a chart of curves: axes, curves, mark, cursor, and the rail with its
 * handle.
 */
#pragma once

#include "ui/widgets/sl-curve-chart.h"

G_BEGIN_DECLS

/* The parts that the chart has, into the context of its widget. */
void sl_curve_draw (const SlCurveChart *self, cairo_t *cr);

G_END_DECLS
