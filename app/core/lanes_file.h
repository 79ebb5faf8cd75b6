/* lanes_file.h - a comparison as one file that opens again with all lanes and steps.
 *
 * A .safelight file is a safetensors file: per lane "lane.<i>.noise" [C, h, w], "lane.<i>.x_t",
 * "lane.<i>.x_0" and "lane.<i>.output" [moments, C, h, w], f32 (of a lane with keyframes only those,
 * and their states as "lane.<i>.state"); and JSON under the key "safelight" with the recipes, what
 * each branch comes from, the grids, times and hashes. So any reader of safetensors can use it.
 */
#ifndef SL_APP_LANES_FILE_H
#define SL_APP_LANES_FILE_H

#include "app/core/lanes.h"
#include "app/core/metadata.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_LANES_SUFFIX ".safelight"

/* identity: model, device and dtype (its recipe and hashes are not looked at); see
 * sl_metadata_describe. Atomic. Any thread, as long as no lane is computed meanwhile. */
bool sl_lanes_save(const SlLanes *c, const char *path, const SlMetadata *identity, SlError *err);
/* NULL and *err, one sentence, for everything that is not a whole comparison of ours. identity is
 * filled in (free it). The lanes can be looked at without a model; functions that take one (branch,
 * fetch, look, next) need the model of the file. Any thread. */
SlLanes *sl_lanes_load(const char *path, SlMetadata *identity, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
