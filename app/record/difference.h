/* difference.h - how far apart two pictures, samples or lanes are. All for any thread, but for what
 * takes a model: that needs it to be open (sl_preview only).
 */
#ifndef SL_APP_DIFFERENCE_H
#define SL_APP_DIFFERENCE_H

#include "app/record/lanes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Heat map of two pictures of pixels * 3 bytes: the largest difference of the three channels, black
 * for none through red and yellow to white for `full` levels (1 .. 255) and more. By the square
 * root, or small differences would not be seen. */
void sl_heat_map(const uint8_t *a, const uint8_t *b, size_t pixels, int full, uint8_t *rgb);
/* PSNR in dB, INFINITY for equal pictures. */
double sl_psnr(const uint8_t *a, const uint8_t *b, size_t bytes);
/* Structural similarity of two pictures of one size, 1 for equal ones: scikit-image's
 * structural_similarity with its defaults (windows of 7 x 7 that count alike, sample covariance, K1
 * 0.01, K2 0.03, all levels 255, the mean of the channels). rgb rows without padding; NaN for a side
 * below 7, and without memory. */
double sl_ssim(const uint8_t *a, const uint8_t *b, int width, int height);
/* Root mean square difference; NaN when a value is. 0 only for equal values. */
double sl_rms(const float *a, const float *b, int64_t n);

/* Per channel of [C, n] */
void sl_channel_figures(const float *x, int channels, int64_t n, double *mean, double *deviation);

/* "no visible change since step N": previews are the pictures of steps 1 .. count in order, all of
 * `bytes`. Gives the first step from which on no channel of any pixel is further than `levels` from
 * the last one's; count when only the last is. */
int sl_settled(const uint8_t *const *previews, int count, size_t bytes, int levels);
#define SL_VISIBLE_LEVELS 6
/* The same for the quick previews of a timeline's pictures (x_0, at the end the result); 0 when it is
 * not done, or not all of it is kept. model: for a timeline without views, else NULL is fine. */
int sl_timeline_settled(const SlTimeline *timeline, const SlModel *model);
/* The first step (1-based) after which the quick previews of two lanes look different, by more than
 * SL_VISIBLE_LEVELS in some channel of some pixel; 0: after none that both have. Before its branch
 * a lane is the one that it left. model as above. */
int sl_lanes_look_apart(const SlLanes *lanes, const SlModel *model, int a, int b);

/* First step (1-based) at whose end x_0 of two lanes differ at all, and by more than a twentieth of
 * its deviation; 0: nowhere. Aligned by step; before its branch a lane is the one that it left. */
typedef struct SlParting {
    int differ, apart;
} SlParting;
SlParting sl_lanes_parting(const SlLanes *lanes, int a, int b);

/* Distance of a lane's x_0 at each of its moments to where the reference lane ended (its last
 * sample; the latest x_0 while it runs). */
typedef struct SlDistancePoint {
    int work;        /* evaluations so far */
    double distance; /* root mean square, in latents */
    double psnr;     /* of the linear previews, dB; NAN without a model */
} SlDistancePoint;
/* At most room points; gives their number. Moments that are not kept are left out; 0 when the
 * reference has none or is of another size. */
int sl_lanes_curve(const SlLanes *lanes, const SlModel *model, int lane, int reference,
                   SlDistancePoint *points, int room);

#ifdef __cplusplus
}
#endif

#endif
