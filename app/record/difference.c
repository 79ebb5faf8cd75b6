/* difference.c - pictures and arrays; difference_lanes.c has what needs lanes. See difference.h.
 *
 * Easy to get wrong: a comparison with NaN is false, so "not greater" is no "equal".
 */
#include "app/record/difference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The share of a picture's 255 that a heat of 0 .. 1 has in red, green or blue: one after the
 * other. */
static uint8_t ramp(double heat, int channel)
{
    double value = heat * 3 - channel;
    return (uint8_t)lround(255 * (value < 0 ? 0 : value > 1 ? 1 : value));
}

static int pixel_difference(const uint8_t *a, const uint8_t *b)
{
    int worst = 0;
    for (int c = 0; c < 3; c++) {
        int d = abs(a[c] - b[c]);
        worst = d > worst ? d : worst;
    }
    return worst;
}

void sl_heat_map(const uint8_t *a, const uint8_t *b, size_t pixels, int full, uint8_t *rgb)
{
    uint8_t colors[256][3];
    full = full < 1 ? 1 : full > 255 ? 255 : full;
    for (int d = 0; d < 256; d++)
        for (int c = 0; c < 3; c++)
            colors[d][c] = ramp(sqrt((double)(d < full ? d : full) / full), c);
    for (size_t i = 0; i < pixels; i++)
        memcpy(rgb + 3 * i, colors[pixel_difference(a + 3 * i, b + 3 * i)], 3);
}

double sl_psnr(const uint8_t *a, const uint8_t *b, size_t bytes)
{
    double sum = 0;
    for (size_t i = 0; i < bytes; i++) {
        double d = (double)a[i] - b[i];
        sum += d * d;
    }
    return sum > 0 ? 10 * log10(255.0 * 255.0 * (double)bytes / sum) : INFINITY;
}

/* ---- structural similarity ---- */

#define WINDOW 7

/* Sums over a window, or over its part in one column. */
typedef struct Sums {
    int64_t a, b, aa, bb, ab;
} Sums;

static void add_sums(Sums *to, const Sums *more, int sign)
{
    to->a += sign * more->a;
    to->b += sign * more->b;
    to->aa += sign * more->aa;
    to->bb += sign * more->bb;
    to->ab += sign * more->ab;
}

static void add_pixel(Sums *to, int a, int b, int sign)
{
    add_sums(to, &(Sums){a, b, a * a, b * b, a * b}, sign);
}

static double window_likeness(const Sums *s)
{
    const double n = WINDOW * WINDOW, c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
    double ma = (double)s->a / n, mb = (double)s->b / n;
    double va = ((double)s->aa / n - ma * ma) * n / (n - 1);
    double vb = ((double)s->bb / n - mb * mb) * n / (n - 1);
    double vab = ((double)s->ab / n - ma * mb) * n / (n - 1);
    return (2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
}

/* Of the windows whose rows `column` has, from left to right. */
static double row_likeness(const Sums *column, int width)
{
    Sums window = {0};
    double sum = 0;
    for (int x = 0; x < width; x++) {
        add_sums(&window, &column[x], 1);
        if (x >= WINDOW)
            add_sums(&window, &column[x - WINDOW], -1);
        if (x >= WINDOW - 1)
            sum += window_likeness(&window);
    }
    return sum;
}

double sl_ssim(const uint8_t *a, const uint8_t *b, int width, int height)
{
    Sums *column = malloc((size_t)(width > 0 ? width : 1) * sizeof *column);
    double sum = 0, windows = 3.0 * (width - WINDOW + 1) * (height - WINDOW + 1);
    if (!column || width < WINDOW || height < WINDOW) {
        free(column);
        return NAN;
    }
    for (int c = 0; c < 3; c++) {
        memset(column, 0, (size_t)width * sizeof *column);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                size_t in = 3 * ((size_t)y * (size_t)width + (size_t)x) + (size_t)c;
                add_pixel(&column[x], a[in], b[in], 1);
                if (y < WINDOW)
                    continue;
                size_t out = in - 3 * (size_t)WINDOW * (size_t)width;
                add_pixel(&column[x], a[out], b[out], -1);
            }
            if (y >= WINDOW - 1)
                sum += row_likeness(column, width);
        }
    }
    free(column);
    return sum / windows;
}

double sl_rms(const float *a, const float *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = (double)a[i] - b[i];
        sum += d * d;
    }
    return n > 0 ? sqrt(sum / (double)n) : 0;
}

void sl_channel_figures(const float *x, int channels, int64_t n, double *mean, double *deviation)
{
    for (int c = 0; c < channels; c++, x += n) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < n; i++)
            sum += x[i];
        mean[c] = n > 0 ? sum / (double)n : 0;
        for (int64_t i = 0; i < n; i++)
            squares += (x[i] - mean[c]) * (x[i] - mean[c]);
        deviation[c] = n > 0 ? sqrt(squares / (double)n) : 0;
    }
}

static bool looks_same(const uint8_t *a, const uint8_t *b, size_t bytes, int levels)
{
    for (size_t i = 0; i < bytes; i++)
        if (abs(a[i] - b[i]) > levels)
            return false;
    return true;
}

int sl_settled(const uint8_t *const *previews, int count, size_t bytes, int levels)
{
    int step = count;
    while (step > 1 && looks_same(previews[step - 2], previews[count - 1], bytes, levels))
        step--;
    return step;
}
