/* json_private.h - a parsed file, as its reader and its getters share it. */
#ifndef SL_ENGINE_JSON_PRIVATE_H
#define SL_ENGINE_JSON_PRIVATE_H

#include "engine/files/json.h"

#include <cjson/cJSON.h>

struct SlJson {
    char *name; /* fit for messages */
    cJSON *root;
};

#endif
