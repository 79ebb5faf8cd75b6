/* binder_match.c - see binder_match.h.
 *
 * Easy to get wrong: old VAE folders name attention weights query, key, value, proj_attn (diffusers
 * models/attention_processor.py converts them when it loads).
 */
#include "engine/files/binder_match.h"

#include <stdio.h>
#include <string.h>

/* The old name of a VAE attention weight; false when there is none. */
static bool old_name(const char *name, char *out, size_t size)
{
    static const char *const pairs[][2] = {{".to_q.", ".query."},
                                           {".to_k.", ".key."},
                                           {".to_v.", ".value."},
                                           {".to_out.0.", ".proj_attn."}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *at = strstr(name, pairs[i][0]);
        if (at)
            return snprintf(out, size, "%.*s%s%s", (int)(at - name), name, pairs[i][1],
                            at + strlen(pairs[i][0])) < (int)size;
    }
    return false;
}

const SlTensorInfo *sl_find_stored(const SlWeightSource *w, const char *name)
{
    char old[512];
    const SlTensorInfo *info = sl_weights_find(w, name);
    if (!info && old_name(name, old, sizeof old))
        info = sl_weights_find(w, old);
    return info;
}

static bool same_size(int rank, const int64_t *size, int other_rank, const int64_t *other)
{
    bool same = rank == other_rank;
    for (int i = 0; i < rank && same; i++)
        same = size[i] == other[i];
    return same;
}

bool sl_stored_fits(SlWeightKind kind, int rank, const int64_t *size, const SlTensorInfo *info)
{
    const int64_t *s = info->size;
    if (same_size(rank, size, info->rank, s))
        return true;
    if (kind == SL_WEIGHT_LINEAR && rank == 2 && info->rank == 4)
        return s[0] == size[0] && s[1] == size[1] && s[2] == 1 && s[3] == 1;
    if (kind == SL_WEIGHT_CONV && rank == 4 && info->rank == 2)
        return s[0] == size[0] && s[1] == size[1] && size[2] == 1 && size[3] == 1;
    return false;
}
