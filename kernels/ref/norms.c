/* norms.c - group and layer normalisation, statistics in double. */
#include "kernels/ref/ref.h"

#include <math.h>

static float affine(double x, const SlWeight *gamma, const SlWeight *beta, int64_t c)
{
    double g = gamma ? sl_ref_at(&gamma->value, c) : 1, b = beta ? sl_ref_at(&beta->value, c) : 0;
    return (float)(x * g + b);
}

/* One group of one picture: some channels at all positions. */
typedef struct Group {
    SlDevice *dev;
    const SlTensor *x;
    const SlWeight *gamma, *beta;
    SlTensor *out;
    float eps;
    int64_t base, positions, channels; /* of the picture: its first element, its size */
    int64_t first, count;              /* channels of the group */
} Group;

/* The sum of all elements less mean, or of their squares. */
static double group_sum(const Group *g, double mean, bool squared)
{
    double sum = 0;
    for (int64_t i = 0; i < g->positions && sl_ref_goes_on(g->dev, i, 4 * g->count); i++)
        for (int64_t c = g->first; c < g->first + g->count; c++) {
            double d = sl_ref_at(g->x, g->base + i * g->channels + c) - mean;
            sum += squared ? d * d : d;
        }
    return sum;
}

static void normalise_group(const Group *g)
{
    double n = (double)(g->positions * g->count), mean = group_sum(g, 0, false) / n;
    double scale = 1 / sqrt(group_sum(g, mean, true) / n + g->eps);
    for (int64_t i = 0; i < g->positions && sl_ref_goes_on(g->dev, i, 4 * g->count); i++)
        for (int64_t c = g->first; c < g->first + g->count; c++) {
            int64_t e = g->base + i * g->channels + c;
            sl_ref_set(g->out, e,
                       affine((sl_ref_at(g->x, e) - mean) * scale, g->gamma, g->beta, c));
        }
}

void sl_ref_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    int64_t channels = x->size[x->rank - 1];
    Group g = {dev, x, gamma, beta, out, norm->eps, .channels = channels};
    g.positions = sl_tensor_elements(x) / x->size[0] / channels;
    g.count = channels / norm->groups;
    for (int64_t n = 0; n < x->size[0]; n++)
        for (int64_t i = 0; i < norm->groups && sl_device_ok(dev); i++) {
            g.base = n * g.positions * channels;
            g.first = i * g.count;
            normalise_group(&g);
        }
}

void sl_ref_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, float eps, SlTensor *out)
{
    int64_t d = x->size[x->rank - 1], rows = sl_tensor_elements(x) / d;
    for (int64_t r = 0; r < rows && sl_ref_goes_on(dev, r, 8 * d); r++) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < d; i++)
            sum += sl_ref_at(x, r * d + i);
        double mean = sum / (double)d;
        for (int64_t i = 0; i < d; i++) {
            double v = sl_ref_at(x, r * d + i) - mean;
            squares += v * v;
        }
        double scale = 1 / sqrt(squares / (double)d + eps);
        for (int64_t i = 0; i < d; i++)
            sl_ref_set(out, r * d + i,
                       affine((sl_ref_at(x, r * d + i) - mean) * scale, gamma, beta, i));
    }
}
