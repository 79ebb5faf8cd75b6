/* binder_match.h - which tensor of a file serves for a weight. */
#ifndef SL_ENGINE_BINDER_MATCH_H
#define SL_ENGINE_BINDER_MATCH_H

#include "engine/files/weights.h"

/* Under its name, or under the one it had in old files; NULL when it is there under neither. */
const SlTensorInfo *sl_find_stored(const SlWeightSource *w, const char *name);
/* A matrix may be stored as a 1x1 convolution and the other way round: the bytes are the same. */
bool sl_stored_fits(SlWeightKind kind, int rank, const int64_t *size, const SlTensorInfo *info);

#endif
