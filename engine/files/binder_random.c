/* binder_random.c - see binder_random.h. Easy to get wrong: a value depends on its place alone, not
 * on the thread that makes it. */
#include "engine/files/binder_random.h"

#include <math.h>
#include <string.h>

/* Number n of a sequence (Steele, Lea and Flood 2014). */
static uint64_t splitmix(uint64_t seed, uint64_t n)
{
    uint64_t z = seed + n * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

typedef struct Uniform {
    uint64_t seed;
    double scale;
    float *out;
} Uniform;

static void fill_uniform(void *arg, int64_t first, int64_t last)
{
    const Uniform *u = arg;
    for (int64_t i = first; i < last; i++) {
        double v = (double)(splitmix(u->seed, (uint64_t)i + 1) >> 11) * 0x1p-52 - 1.0;
        u->out[i] = (float)(v * u->scale);
    }
}

void sl_fill_random(SlDevice *dev, SlWeightKind kind, const char *name, SlTensor *host)
{
    size_t length = strlen(name);
    int64_t n = sl_tensor_elements(host);
    Uniform u = {.seed = 0xcbf29ce484222325u, .out = host->data};
    for (const char *c = name; *c; c++)
        u.seed = (u.seed ^ (unsigned char)*c) * 0x100000001b3u;
    if (kind == SL_WEIGHT_VECTOR) {
        bool bias = length >= 4 && !strcmp(name + length - 4, "bias");
        for (int64_t i = 0; i < n; i++)
            u.out[i] = bias ? 0.0f : 1.0f;
        return;
    }
    double fan_in = 1;
    for (int i = 1; i < host->rank; i++)
        fan_in *= (double)host->size[i];
    u.scale = kind == SL_WEIGHT_TABLE ? 0.03 : sqrt(3.0 / fan_in);
    sl_parallel_for(dev, n, 1 << 16, fill_uniform, &u);
}
