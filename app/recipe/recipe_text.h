/* recipe_text.h - recipes that own their strings, and recipes as JSON.
 *
 * The JSON object has every setting by name ("prompt", "scheduler", "steps", ...). A seed above
 * 2^53 is written as a string of digits, since JSON readers turn numbers into doubles.
 */
#ifndef SL_APP_RECIPE_TEXT_H
#define SL_APP_RECIPE_TEXT_H

#include "app/files/files.h"
#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cJSON;

/* A copy whose strings live in the same allocation: free it with free(). NULL without memory. */
SlRecipe *sl_recipe_copy(const SlRecipe *recipe);
/* NULL strings equal empty prompts; other settings exactly. */
bool sl_recipe_equal(const SlRecipe *a, const SlRecipe *b);
/* One line "steps: 20, 30" per setting that differs, "" when equal; malloc'ed. */
char *sl_recipe_diff(const SlRecipe *a, const SlRecipe *b);

/* The names that the command line and JSON share; NULL-terminated, in the enums' order. */
extern const char *const sl_sigmas_names[];
extern const char *const sl_spacing_names[];
extern const char *const sl_variance_names[];
extern const char *const sl_noise_names[];
extern const char *const sl_prediction_names[];

/* A new cJSON object, NULL without memory; free with cJSON_Delete. */
struct cJSON *sl_recipe_to_json(const SlRecipe *recipe);
/* Puts the members of object over *recipe. Strings are borrowed from object. False and *err, naming
 * the member, its value and what is expected, for a wrong type or an unknown name; members that
 * this version does not know go to *unknown (a comma-separated list, may be NULL). Ranges are
 * sl_recipe_check's. */
bool sl_recipe_from_json(const struct cJSON *object, SlRecipe *recipe, SlText *unknown,
                         SlError *err);

/* A uint64 as a JSON number or, above 2^53, a string. */
struct cJSON *sl_json_from_u64(uint64_t value);
bool sl_json_to_u64(const struct cJSON *item, uint64_t *value);
/* A member with the lines of text (may be NULL) as an array of strings. */
void sl_json_add_lines(struct cJSON *object, const char *key, const char *text);

#ifdef __cplusplus
}
#endif

#endif
