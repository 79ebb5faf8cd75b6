/* test_difference.c - heat maps, likeness, distances and figures of pictures and arrays; the colours of
 * lanes. */
#include "app/record/difference.h"
#include "app/record/lane_colors.h"
#include "test.h"

#include <cjson/cJSON.h>
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

static uint8_t *bytes_of(const cJSON *list)
{
    uint8_t *bytes = malloc((size_t)cJSON_GetArraySize(list) + 1);
    const cJSON *item;
    int n = 0;
    cJSON_ArrayForEach(item, list)
    {
        bytes[n++] = (uint8_t)item->valueint;
    }
    return bytes;
}

/* Against scikit-image: tests/goldens/pictures/make_ssim.py. */
static void test_similarity(void)
{
    SlError err = {0};
    char *path = sl_test_path("goldens/pictures/ssim.json");
    SlJson *json = sl_json_open(path, &err);
    const cJSON *cases =
        json ? cJSON_GetObjectItemCaseSensitive(sl_json_root(json), "cases") : NULL;
    const cJSON *item;
    sl_test(cJSON_GetArraySize(cases) >= 6, "goldens of structural similarity %s", err.message);
    cJSON_ArrayForEach(item, cases)
    {
        int width = cJSON_GetObjectItem(item, "width")->valueint;
        int height = cJSON_GetObjectItem(item, "height")->valueint;
        double expected = cJSON_GetObjectItem(item, "ssim")->valuedouble;
        uint8_t *a = bytes_of(cJSON_GetObjectItem(item, "a"));
        uint8_t *b = bytes_of(cJSON_GetObjectItem(item, "b"));
        double found = sl_ssim(a, b, width, height);
        sl_test(fabs(found - expected) < 1e-9, "SSIM of %d x %d is %.9f, expected %.9f", width,
                height, found, expected);
        sl_test(fabs(sl_ssim(a, a, width, height) - 1) < 1e-12 && isnan(sl_ssim(a, b, width, 6)) &&
                    isnan(sl_ssim(a, b, 6, height)),
                "1 for equal ones, none below 7 pixels");
        free(a);
        free(b);
    }
    sl_json_close(json);
    free(path);
}

/* ---- colours of lanes ---- */

static double linear(double c)
{
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static void linear_rgb(uint32_t rgb, double to[3])
{
    for (int c = 0; c < 3; c++)
        to[c] = linear((double)(rgb >> (16 - 8 * c) & 255) / 255);
}

static double luminance(uint32_t rgb)
{
    double c[3];
    linear_rgb(rgb, c);
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
}

/* OKLab of a colour as somebody sees it (Machado, Oliveira and Fernandes 2009, severity 1). */
static void seen_as(uint32_t rgb, const double eye[3][3], double lab[3])
{
    static const double lms_of[3][3] = {{0.4122214708, 0.5363325363, 0.0514459929},
                                        {0.2119034982, 0.6806995451, 0.1073969566},
                                        {0.0883024619, 0.2817188376, 0.6299787005}};
    static const double lab_of[3][3] = {{0.2104542553, 0.7936177850, -0.0040720468},
                                        {1.9779984951, -2.4285922050, 0.4505937099},
                                        {0.0259040371, 0.7827717662, -0.8086757660}};
    double c[3], seen[3] = {0}, lms[3] = {0};
    linear_rgb(rgb, c);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++)
            seen[i] += eye[i][k] * c[k];
        seen[i] = seen[i] < 0 ? 0 : seen[i] > 1 ? 1 : seen[i];
    }
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++)
            lms[i] += lms_of[i][k] * seen[k];
        lms[i] = cbrt(lms[i]);
    }
    for (int i = 0; i < 3; i++)
        lab[i] = lab_of[i][0] * lms[0] + lab_of[i][1] * lms[1] + lab_of[i][2] * lms[2];
}

static double nearest(const double eye[3][3])
{
    double least = INFINITY;
    for (int i = 0; i < SL_LANE_COLORS; i++)
        for (int k = 0; k < i; k++) {
            double a[3], b[3];
            seen_as(sl_lane_rgb(i), eye, a);
            seen_as(sl_lane_rgb(k), eye, b);
            least = fmin(least, sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) +
                                     (a[2] - b[2]) * (a[2] - b[2])));
        }
    return least;
}

static void test_colors(void)
{
    static const struct {
        const char *name;
        double seen[3][3];
    } eyes[] = {
        {"all colours", {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
        {"no red",
         {{0.152286, 1.052583, -0.204868},
          {0.114503, 0.786281, 0.099216},
          {-0.003882, -0.048116, 1.051998}}},
        {"no green",
         {{0.367322, 0.860646, -0.227968},
          {0.280085, 0.672501, 0.047413},
          {-0.011820, 0.042940, 0.968881}}},
        {"no blue",
         {{1.255528, -0.076749, -0.178779},
          {-0.078411, 0.930809, 0.147602},
          {0.004733, 0.691367, 0.303900}}},
    };
    double ground = luminance(SL_LANE_GROUND), least = INFINITY;
    for (int i = 0; i < SL_LANE_COLORS; i++)
        least = fmin(least, (luminance(sl_lane_rgb(i)) + 0.05) / (ground + 0.05));
    sl_test(least >= 3.5, "the colours of lanes stand out from the ground: %.2f to 1", least);
    for (size_t i = 0; i < sizeof eyes / sizeof eyes[0]; i++)
        sl_test(nearest(eyes[i].seen) > 0.05, "who sees %s tells them apart: %.3f", eyes[i].name,
                nearest(eyes[i].seen));
    sl_test(sl_lane_rgb(SL_LANE_COLORS) == sl_lane_rgb(0), "after the last comes the first again");
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
    test_similarity();
    test_colors();
    test_arrays();
    test_settled();
    return sl_test_done();
}
