/* golden.h - reading a golden safetensors file, and the figures by which arrays are compared. */
#ifndef SL_TESTS_GOLDEN_H
#define SL_TESTS_GOLDEN_H

#include "engine/files/weights.h"
#include "tests/test.h"

#include <math.h>

typedef struct Golden {
    SlWeightSource *weights;
} Golden;

/* relative to tests/ */
__attribute__((unused)) static Golden golden_open(const char *relative)
{
    SlError err = {0};
    char *path = sl_test_path(relative);
    Golden g = {sl_weights_open_file(path, &err)};
    if (!g.weights)
        sl_test_note("%s", err.message);
    free(path);
    return g;
}

__attribute__((unused)) static void golden_close(Golden *g)
{
    sl_weights_close(g->weights);
    g->weights = NULL;
}

/* A tensor as f32, malloc'ed; NULL and *n = 0 when there is none of that name. */
__attribute__((unused)) static float *golden_read(const Golden *g, const char *name, size_t *n)
{
    const SlTensorInfo *info = g->weights ? sl_weights_find(g->weights, name) : NULL;
    *n = info ? info->bytes / sl_dtype_size(info->dtype) : 0;
    float *values = info ? malloc((*n ? *n : 1) * sizeof *values) : NULL;
    SlError err = {0};
    if (values && !sl_weights_read_f32(g->weights, info, values, &err)) {
        sl_test_note("%s", err.message);
        free(values);
        return NULL;
    }
    return values;
}

/* Of pictures in 0..1. */
__attribute__((unused)) static double golden_psnr(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sum == 0 ? 200 : -10 * log10(sum / (double)n);
}

__attribute__((unused)) static double golden_worst(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double error = fabs((double)a[i] - b[i]);
        if (isnan(error))
            return INFINITY; /* fmax would pass over it */
        worst = fmax(worst, error);
    }
    return worst;
}

__attribute__((unused)) static double golden_top(const float *a, size_t n)
{
    double top = 0;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, fabs((double)a[i]));
    return top;
}

#endif
