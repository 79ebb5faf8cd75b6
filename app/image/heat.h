/* heat.h - a map of numbers laid over a picture as colours, with the scale beside it. */
#ifndef SL_APP_HEAT_H
#define SL_APP_HEAT_H

#include "kernels/kernels.h"

typedef struct SlHeat {
    const float
        *value; /* [height, width], of any size: brought to the picture's by interpolation */
    int height, width;
    float low, high;    /* the ends of the scale; what is beyond has their colours */
    const uint8_t *rgb; /* the picture under it */
    int picture_height, picture_width;
} SlHeat;

/* The colour of a place of the scale, 0 .. 1: it grows lighter all the way, so that it is read without
 * telling colours apart. */
void sl_heat_color(double t, uint8_t rgb[3]);
/* How much of it covers the grey picture, 0 .. 1. */
double sl_heat_cover(double t);
/* The smallest and the largest value. */
void sl_heat_range(const float *value, size_t count, float *low, float *high);
/* Only the picture with the colours, [picture_height, picture_width, 3]. */
void sl_heat_draw(const SlHeat *heat, uint8_t *out);
/* The same, enlarged where it is small, under a title and with the scale on its right, whose ends are
 * labelled. malloc'ed; NULL and *err without memory. */
typedef struct SlHeatLabels {
    const char *title, *low, *high;
} SlHeatLabels;
uint8_t *sl_heat_render(const SlHeat *heat, const SlHeatLabels *labels, int *width, int *height,
                        SlError *err);

#endif
