/* norms.c - group and layer normalisation, statistics in double. */
#include "kernels/ref/ref.h"

#include <math.h>

static float affine(double x, const SlWeight *gamma, const SlWeight *beta, int64_t c)
{
    double g = gamma ? sl_ref_at(&gamma->value, c) : 1, b = beta ? sl_ref_at(&beta->value, c) : 0;
    return (float)(x * g + b);
}

/* One group of one picture: channels first .. first + count - 1 at all positions. */
static void normalise_group(const SlTensor *x, const SlWeight *gamma, const SlWeight *beta,
                            float eps, const int64_t at[3], SlTensor *out)
{
    int64_t channels = x->size[x->rank - 1], n = sl_tensor_elements(x) / x->size[0] / channels;
    int64_t base = at[0] * n * channels, first = at[1], count = at[2];
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = first; c < first + count; c++)
            sum += sl_ref_at(x, base + i * channels + c);
    double mean = sum / (double)(n * count);
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = first; c < first + count; c++) {
            double d = sl_ref_at(x, base + i * channels + c) - mean;
            squares += d * d;
        }
    double scale = 1 / sqrt(squares / (double)(n * count) + eps);
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = first; c < first + count; c++) {
            int64_t e = base + i * channels + c;
            sl_ref_set(out, e, affine((sl_ref_at(x, e) - mean) * scale, gamma, beta, c));
        }
}

void sl_ref_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    (void)dev;
    int64_t count = x->size[x->rank - 1] / norm->groups;
    for (int64_t n = 0; n < x->size[0]; n++)
        for (int64_t g = 0; g < norm->groups; g++)
            normalise_group(x, gamma, beta, norm->eps, (const int64_t[]){n, g * count, count}, out);
}

void sl_ref_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, float eps, SlTensor *out)
{
    (void)dev;
    int64_t d = x->size[x->rank - 1], rows = sl_tensor_elements(x) / d;
    for (int64_t r = 0; r < rows; r++) {
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
