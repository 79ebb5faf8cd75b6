/* hash_cache.h - SHA-256 of large files, remembered: the four gigabytes of a model take seconds of
 * a core at every start otherwise, and are found again by their hashes at every replay.
 *
 * In $XDG_CACHE_HOME/safelight/hashes (or ~/.cache), a line per file: what identifies its content
 * without reading it (device, inode, size, and when content and inode were changed last) and the
 * hash. A file whose content changes gets another time of change, which no program can set back.
 * Losing or damaging the cache costs time only. A process also remembers the last ones itself.
 */
#ifndef SL_APP_HASH_CACHE_H
#define SL_APP_HASH_CACHE_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As sl_sha256_file. Any thread, any number of processes. */
bool sl_hash_file(const char *path, char hex[65], const int *cancel, SlError *err);
/* As sl_model_hash. */
bool sl_hash_model(SlModelInfo *info, const int *cancel, SlError *err);

/* What the model's files are now. Taken when a model is loaded, its hashes can be asked for later,
 * when the files may have been replaced. free() it; NULL without memory. */
typedef struct SlModelKeys SlModelKeys;
SlModelKeys *sl_model_keys(const SlModelInfo *info);
SlModelKeys *sl_model_keys_copy(const SlModelKeys *keys);
/* The hashes of the files as they were then (keys NULL: as they are now). One that has changed
 * since and whose hash is not remembered has the hash "". */
bool sl_hash_model_as(SlModelInfo *info, const SlModelKeys *keys, const int *cancel, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
