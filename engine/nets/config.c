/* config.c - checks that the configurations of all model parts share; see config.h. */
#include "engine/nets/config.h"

#include <cjson/cJSON.h>

static const cJSON *find(const SlJson *json, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(sl_json_root(json), key);
}

bool sl_config_is_null(const SlJson *json, const char *key)
{
    const cJSON *item = find(json, key);
    return item && cJSON_IsNull(item);
}

bool sl_config_refuse(const SlJson *json, const char *const *keys, SlError *err)
{
    for (; *keys; keys++) {
        const cJSON *item = find(json, *keys);
        if (item && !cJSON_IsNull(item) && !cJSON_IsFalse(item))
            return sl_fail(err, SL_UNSUPPORTED,
                           "%s: \"%s\" is set, and this program does not support that",
                           sl_json_name(json), *keys);
    }
    return true;
}

SlActivation sl_config_activation(const SlJson *json, const char *key, SlActivation fallback,
                                  SlError *err)
{
    static const char *const names[] = {"silu",       "swish",    "gelu",
                                        "quick_gelu", "gelu_new", "gelu_pytorch_tanh",
                                        "relu",       "mish",     NULL};
    static const SlActivation acts[] = {SL_ACT_SILU,       SL_ACT_SILU,      SL_ACT_GELU,
                                        SL_ACT_QUICK_GELU, SL_ACT_GELU_TANH, SL_ACT_GELU_TANH,
                                        SL_ACT_RELU,       SL_ACT_MISH};
    if (!sl_json_has(json, key))
        return fallback;
    int choice = sl_json_choice(json, key, names, 0, err);
    return choice < 0 ? fallback : acts[choice];
}

bool sl_config_divides(const SlJson *json, const char *parts_key, int parts, const char *whole_key,
                       int whole, SlError *err)
{
    if (parts > 0 && whole % parts == 0)
        return true;
    return sl_fail(err, SL_FORMAT, "%s: \"%s\" is %d, which does not divide %d of \"%s\"",
                   sl_json_name(json), parts_key, parts, whole, whole_key);
}

bool sl_config_per_block(const SlJson *json, const char *key, int count, int blocks, SlError *err)
{
    if (count == blocks)
        return true;
    return sl_fail(err, SL_FORMAT,
                   "%s: \"%s\" has %d entries, and there are %d blocks in \"block_out_channels\"",
                   sl_json_name(json), key, count, blocks);
}
