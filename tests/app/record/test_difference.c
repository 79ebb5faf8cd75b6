/* test_difference.c - heat maps, likeness, distances and figures of pictures and arrays. */
#include "app/record/difference.h"
#include "test.h"

#include <math.h>
#include <string.h>

static void test_heat(void)
{
    uint8_t a[9] = {10, 20, 30, 0, 0, 0, 255, 255, 255}, b[9], heat[9];
    memcpy(b, a, sizeof a);
    sl_heat_map(a, b, 3, 255, heat);
    static const uint8_t black[9];
    sl_test(memcmp(heat, black, 9) == 0, "a picture with itself: all zero");
    b[1] = 21; /* the smallest difference there is */
    b[3] = 28; /* a ninth, whose square root is a third */
    b[8] = 0;
    sl_heat_map(a, b, 3, 255, heat);
    sl_test(heat[0] > 0 && heat[1] == 0 && heat[2] == 0, "a difference of 1 shows (%d)", heat[0]);
    sl_test(heat[3] > 250 && heat[4] == 0 && heat[5] == 0, "a ninth of the range is red (%d)",
            heat[3]);
    sl_test(heat[6] == 255 && heat[7] == 255 && heat[8] == 255, "all of it is white");
    sl_heat_map(a, b, 3, 28, heat);
    sl_test(heat[3] == 255 && heat[5] == 255, "what is called full is white");
}

static void test_likeness(void)
{
    uint8_t a[300], b[300];
    for (int i = 0; i < 300; i++)
        a[i] = b[i] = (uint8_t)i;
    sl_test(isinf(sl_psnr(a, b, 300)), "equal pictures: infinite");
    for (int i = 0; i < 300; i++)
        b[i] = (uint8_t)(a[i] < 255 ? a[i] + 1 : 254);
    sl_test(fabs(sl_psnr(a, b, 300) - 48.1308) < 1e-3, "one level everywhere: 48.13 dB (%.4f)",
            sl_psnr(a, b, 300));
}

static void test_arrays(void)
{
    float a[8] = {1, 2, 3, 4, -1, -1, -1, -1}, b[8];
    double mean[2], deviation[2];
    memcpy(b, a, sizeof a);
    sl_test(sl_rms(a, b, 8) == 0 && sl_first_bad(a, 8) == -1, "equal arrays");
    b[2] += 4;
    sl_test(fabs(sl_rms(a, b, 8) - sqrt(2)) < 1e-12, "root mean square");
    sl_channel_figures(a, 2, 4, mean, deviation);
    sl_test(mean[0] == 2.5 && mean[1] == -1 && deviation[1] == 0 &&
                fabs(deviation[0] - sqrt(1.25)) < 1e-12,
            "mean and deviation per channel");
    b[5] = NAN;
    sl_test(isnan(sl_rms(a, b, 8)) && sl_first_bad(b, 8) == 5, "a NaN is found and is no distance");
    b[5] = INFINITY;
    sl_test(sl_first_bad(b, 8) == 5, "so is infinity");
}

static void test_settled(void)
{
    uint8_t picture[5][30];
    const uint8_t *previews[5];
    for (int i = 0; i < 5; i++) {
        memset(picture[i], i < 2 ? 10 * i : 100, sizeof picture[i]);
        previews[i] = picture[i];
    }
    sl_test(sl_settled(previews, 5, 30, 6) == 3, "no visible change since step 3");
    picture[3][7] += 7;
    sl_test(sl_settled(previews, 5, 30, 6) == 5, "one channel of one pixel is seen");
    sl_test(sl_settled(previews, 5, 30, 7) == 3, "unless it is within the levels");
    sl_test(sl_settled(previews, 1, 30, 6) == 1, "one step is settled");
}

int main(void)
{
    test_heat();
    test_likeness();
    test_arrays();
    test_settled();
    return sl_test_done();
}
