/* json.h - configuration files, read strictly.
 *
 * A thin layer over cJSON that adds what a hostile or hand-edited file needs: a size limit, valid
 * UTF-8, no duplicate keys, and getters that check type and range and say in the error which file,
 * which key, what was found and what was expected. cJSON accepts a little more than RFC 8259
 * (leading zeros, for example); for configs that does no harm. Infinity and -Infinity are read as
 * Python writes them; a getter gives an infinity only if its range includes it. A bare NaN is a
 * value that no getter takes.
 */
#ifndef SL_ENGINE_JSON_H
#define SL_ENGINE_JSON_H

#include "kernels/kernels.h"

typedef struct SlJson SlJson; /* a parsed file and its name for messages */

/* Reads a regular file of at most 16 MiB whose root is an object. NULL and *err otherwise. */
SlJson *sl_json_open(const char *path, SlError *err);
/* The same from memory; name is used in messages. */
SlJson *sl_json_parse(const char *name, const char *text, size_t length, SlError *err);
/* The same for a text that anybody may have written: cJSON takes some 80 bytes for a value that
 * takes two here, so one with more values than `most` is refused before it is parsed. */
SlJson *sl_json_parse_bounded(const char *name, const char *text, size_t length, size_t most,
                              SlError *err);
void sl_json_close(SlJson *json); /* NULL is fine */
const char *sl_json_name(const SlJson *json);
/* The cJSON root, for walks that the getters below do not cover; owned by json. */
struct cJSON *sl_json_root(const SlJson *json);

/* Getters for members of the root. An absent or null key gives fallback. A wrong type or a number
 * outside [min, max] sets *err if it is not set yet (so that a parser can call them in a row and
 * look once) and gives fallback. */
bool sl_json_has(const SlJson *json, const char *key); /* present and not null */
int64_t sl_json_int(const SlJson *json, const char *key, int64_t fallback, int64_t min, int64_t max,
                    SlError *err);
double sl_json_double(const SlJson *json, const char *key, double fallback, double min, double max,
                      SlError *err);
bool sl_json_bool(const SlJson *json, const char *key, bool fallback, SlError *err);
/* Owned by json. */
const char *sl_json_string(const SlJson *json, const char *key, const char *fallback, SlError *err);
/* Index of the value among choices (NULL-terminated); fallback is an index, -1 with *err for a
 * value that is not listed. */
int sl_json_choice(const SlJson *json, const char *key, const char *const *choices, int fallback,
                   SlError *err);
/* Fills out[0 .. max_count) from an array; a single number counts as an array of `spread` equal
 * ones when spread > 0. Gives the count, 0 when absent. */
int sl_json_ints(const SlJson *json, const char *key, int64_t *out, int max_count, int spread,
                 int64_t min, int64_t max, SlError *err);
int sl_json_strings(const SlJson *json, const char *key, const char **out, int max_count,
                    SlError *err);
int sl_json_bools(const SlJson *json, const char *key, bool *out, int max_count, int spread,
                  SlError *err);
int sl_json_doubles(const SlJson *json, const char *key, double *out, int max_count, SlError *err);

/* Set a member of the root, whatever it was before. False and *err without memory. */
bool sl_json_set_number(SlJson *json, const char *key, double value, SlError *err);
bool sl_json_set_numbers(SlJson *json, const char *key, const double *values, int count,
                         SlError *err);
bool sl_json_set_bool(SlJson *json, const char *key, bool value, SlError *err);
bool sl_json_set_string(SlJson *json, const char *key, const char *value, SlError *err);

#endif
