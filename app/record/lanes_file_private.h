/* lanes_file_private.h - the tensors of a lane in a comparison's file, for the one who writes them
 * and the one who reads them: lanes_file_load.c has the table, lanes_file_save.c calls it, never
 * the other way round.
 */
#ifndef SL_APP_LANES_FILE_PRIVATE_H
#define SL_APP_LANES_FILE_PRIVATE_H

#include "app/record/lanes_file.h"

/* In the order in which they are written. */
typedef enum SlLaneTensor {
    SL_LANE_X_T,
    SL_LANE_NOISY_PREVIEW,
    SL_LANE_X_0,
    SL_LANE_PREVIEW,
    SL_LANE_OUTPUT,
    SL_LANE_GUIDANCE,
    SL_LANE_TENSORS
} SlLaneTensor;
typedef struct SlLaneTensorInfo {
    const char *name; /* behind "lane.<i>." */
    SlDtype dtype;
    bool pixels; /* [moments, h, w, 3] instead of [moments, C, h, w] */
    bool optional;
} SlLaneTensorInfo;
extern const SlLaneTensorInfo sl_lane_tensors[SL_LANE_TENSORS];
/* "lane.<i>.NAME" */
typedef struct SlLaneTensorName {
    char text[64];
} SlLaneTensorName;
SlLaneTensorName sl_lane_tensor_name(int lane, SlLaneTensor which);

/* Two of them each have a hash together: SHA-256 of both of theirs, one behind the other. */
typedef enum SlLaneHash {
    SL_LANE_SAMPLES,
    SL_LANE_PREVIEWS,
    SL_LANE_HALVES, /* only where there is an output */
    SL_LANE_HASHES
} SlLaneHash;
typedef struct SlLaneHashInfo {
    const char *key; /* in the lane's JSON */
    SlLaneTensor of[2];
    const char *what; /* for messages */
} SlLaneHashInfo;
extern const SlLaneHashInfo sl_lane_hashes[SL_LANE_HASHES];

#endif
