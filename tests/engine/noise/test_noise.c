/* test_noise.c - seeded noise against torch (goldens/noise/make.py says what is in the file). */
#include "engine/files/weights.h"
#include "engine/noise/noise.h"
#include "tests/test.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define EDGE 128 /* make.py keeps this many values of a draw's beginning and end */

/* Floats in the order of their values, so that a difference is a number of steps. */
static int64_t ordered(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? (int64_t)INT32_MIN - bits : bits;
}

static int64_t worst_ulp(const float *a, const float *b, int64_t n)
{
    int64_t worst = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t d = ordered(a[i]) - ordered(b[i]);
        d = d < 0 ? -d : d;
        worst = d > worst ? d : worst;
    }
    return worst;
}

/* Makes the draws that the name lists and keeps the edges of each; gives how many values. */
static int64_t draw(SlNoise *noise, const char *lengths, float *out, int64_t room)
{
    int64_t used = 0;
    while (*lengths) {
        char *next;
        int64_t n = strtoll(lengths, &next, 10);
        float *values = malloc((size_t)n * sizeof *values);
        int64_t kept = n <= 2 * EDGE ? n : 2 * EDGE, head = n <= 2 * EDGE ? n : EDGE;
        if (!values || used + kept > room)
            abort();
        sl_noise_normal(noise, values, n);
        memcpy(out + used, values, (size_t)head * sizeof *out);
        memcpy(out + used + head, values + n - (kept - head), (size_t)(kept - head) * sizeof *out);
        used += kept;
        free(values);
        lengths = *next == ',' ? next + 1 : next;
    }
    return used;
}

static void test_golden(const SlWeightSource *file, const SlTensorInfo *info)
{
    char kind[8], lengths[128];
    uint64_t seed;
    int64_t threads, n = info->size[0];
    SlError err = {0};
    SlNoise noise;
    float *want = malloc(info->bytes), *got = malloc(info->bytes);
    if (!want || !got ||
        sscanf(info->name, "%7[a-z]/%" SCNu64 "/%" SCNd64 "/%127s", kind, &seed, &threads,
               lengths) != 4)
        abort();
    bool cuda = !strcmp(kind, "cuda");
    bool ok = sl_weights_read_f32(file, info, want, &err);
    sl_noise_init(&noise, cuda ? SL_NOISE_CUDA : SL_NOISE_CPU, seed, threads);
    ok = ok && draw(&noise, lengths, got, n) == n;
    int64_t worst = ok ? worst_ulp(want, got, n) : -1;
    if (!sl_test(ok && worst <= (cuda ? 2 : 0), "%s", info->name))
        sl_test_note("%" PRId64 " ulp, %s", worst, err.message);
    free(want);
    free(got);
}

/* The values that are published for these seeds, to the digits that are. */
static void test_published(void)
{
    static const float cpu[4] = {-1.1258f, -1.1524f, -0.2506f, -0.4339f};
    static const float cuda[4] = {-0.9247f, -0.4253f, -2.6438f, 0.1452f};
    for (int kind = 0; kind < 2; kind++) {
        SlNoise noise;
        float x[16];
        bool ok = true;
        sl_noise_init(&noise, kind ? SL_NOISE_CUDA : SL_NOISE_CPU, 0, 0);
        sl_noise_normal(&noise, x, 16);
        for (int i = 0; i < 4; i++) {
            float d = x[i] - (kind ? cuda : cpu)[i];
            ok = ok && d < 6e-5f && d > -6e-5f;
        }
        sl_test(ok, "published values of seed 0, %s", kind ? "cuda" : "cpu");
    }
}

/* A generator copied in the middle, also between the halves of a pair, goes on alike. */
static void test_copied(void)
{
    for (int kind = 0; kind < 2; kind++) {
        SlNoise noise, copy;
        float a[1000], b[1000];
        sl_noise_init(&noise, kind ? SL_NOISE_CUDA : SL_NOISE_CPU, 3, 512);
        sl_noise_normal(&noise, a, 700);
        sl_noise_normal(&noise, a, 3);
        copy = noise;
        sl_noise_normal(&noise, a, 5);
        sl_noise_normal(&noise, a + 5, 995);
        sl_noise_normal(&copy, b, 5);
        sl_noise_normal(&copy, b + 5, 995);
        sl_test(!memcmp(a, b, sizeof a), "a copied generator goes on alike, %s",
                kind ? "cuda" : "cpu");
    }
}

/* torchsde's numbers (goldens/noise/make_brownian.py) to the last bit, but for the square root that
 * they are divided by: torch's is not always the nearest. */
static void test_brownian(void)
{
    SlError err = {0};
    char *path = sl_test_path("goldens/noise/brownian.safetensors");
    SlWeightSource *file = sl_weights_open_file(path, &err);
    sl_test(file && sl_weights_count(file) == 7, "Brownian noise: %s", err.message);
    for (size_t i = 0; file && i < sl_weights_count(file); i++) {
        const SlTensorInfo *info = sl_weights_info(file, i);
        SlBrownian of = {.kind = SL_NOISE_CPU};
        float want[20], got[20], low, high, sigma, next;
        bool ok = info->size[0] == 20 && sl_weights_read_f32(file, info, want, &err) &&
                  sscanf(info->name, "%" SCNu64 "/%f/%f/%f/%f", &of.seed, &low, &high, &sigma,
                         &next) == 5;
        of.low = low;
        of.high = high;
        ok = ok && sl_brownian_noise(&of, sigma, next, got, 20);
        sl_test(ok && worst_ulp(want, got, 20) <= 2, "%s: %.9g, expected %.9g", info->name,
                (double)got[0], (double)want[0]);
    }
    sl_weights_close(file);
    free(path);
}

/* Parts of a stretch add up to it, and ends that are no sigmas of the tree, or equal ones, are no
 * trouble. */
static void test_brownian_parts(void)
{
    SlBrownian of = {.kind = SL_NOISE_CUDA, .seed = 5, .low = 0.1f, .high = 10};
    float whole[33], upper[33], lower[33];
    double worst = 0;
    bool ok = sl_brownian_noise(&of, 8, 2, whole, 33) && sl_brownian_noise(&of, 8, 3, upper, 33) &&
              sl_brownian_noise(&of, 3, 2, lower, 33);
    for (int i = 0; ok && i < 33; i++)
        worst = fmax(worst, fabs(whole[i] * sqrt(6) - upper[i] * sqrt(5) - lower[i]));
    sl_test(ok && worst < 1e-5, "two stretches of a path are together the whole: %.2g", worst);
    ok = sl_brownian_noise(&of, 20, 0, whole, 33) && sl_brownian_noise(&of, 10, 0.1f, upper, 33);
    for (int i = 0; ok && i < 33; i++)
        ok = fabs(whole[i] * sqrt(20) - upper[i] * sqrt(9.9)) < 1e-4;
    sl_test(ok, "a path has no more than lies between its ends");
}

int main(void)
{
    SlError err = {0};
    char *path = sl_test_path("goldens/noise/noise.safetensors");
    SlWeightSource *file = sl_weights_open_file(path, &err);
    if (!sl_test(file && sl_weights_count(file) == 54, "the golden file: %s", err.message))
        return sl_test_done();
    for (size_t i = 0; i < sl_weights_count(file); i++)
        test_golden(file, sl_weights_info(file, i));
    test_published();
    test_copied();
    test_brownian();
    test_brownian_parts();
    sl_weights_close(file);
    free(path);
    return sl_test_done();
}
