/* config.h - checks that the configurations of all model parts share. Private to engine/.
 *
 * Each gives false and *err, with a sentence that names the file and the key, when it fails.
 */
#ifndef SL_ENGINE_CONFIG_H
#define SL_ENGINE_CONFIG_H

#include "engine/files/files.h"

/* Present and null, which for some keys differs from absent. */
bool sl_config_is_null(const SlJson *json, const char *key);
/* False and *err when one of the keys (NULL-terminated) is there and is neither null nor false. */
bool sl_config_refuse(const SlJson *json, const char *const *keys, SlError *err);
/* The activation functions of diffusers and transformers by name. */
SlActivation sl_config_activation(const SlJson *json, const char *key, SlActivation fallback,
                                  SlError *err);
/* False and *err, naming the file and both numbers, unless parts divides whole. */
bool sl_config_divides(const SlJson *json, const char *parts_key, int parts, const char *whole_key,
                       int whole, SlError *err);
/* False and *err unless a list, which has count entries, has one for every block. */
bool sl_config_per_block(const SlJson *json, const char *key, int count, int blocks, SlError *err);

#endif
