/* loose_json.h - JSON as other programs write it: parsing with forgiveness, values as text. */
#ifndef SL_APP_LOOSE_JSON_H
#define SL_APP_LOOSE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* NaN, Infinity and -Infinity read as null, whole numbers of 16 digits and more as strings. NULL
 * when it is not JSON even so, and without memory, which *failed then says. */
cJSON *sl_loose_parse(const char *json, bool *failed);

/* A scalar as text: a string itself, a number in its shortest form. NULL for anything else. The
 * result lives in scratch or in item. */
typedef struct SlScratch {
    char text[40];
} SlScratch;
const char *sl_loose_text(const cJSON *item, SlScratch *scratch);
/* The same for a member, NULL when absent. */
const char *sl_loose_member(const cJSON *object, const char *key, SlScratch *scratch);

#endif
