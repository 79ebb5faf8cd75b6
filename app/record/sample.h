/* sample.h - a sample on its way to a picture. */
#ifndef SL_APP_SAMPLE_H
#define SL_APP_SAMPLE_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlSample {
    const float *data; /* [channels, height, width] */
    int channels, height, width;
    int step, steps; /* finished, of how many: for messages */
} SlSample;

/* sl_decode; a picture that is not finite is named with its step. */
bool sl_sample_decode(SlModel *model, const SlSample *sample, float *image, uint8_t *rgb,
                      SlError *err);

#ifdef __cplusplus
}
#endif

#endif
