/* recipe_text.h - recipes that own their strings, settings as text, and recipes as JSON.
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

/* In the enum's order, NULL at the end. */
extern const char *const sl_prediction_names[];

/* Sets a setting to what a text says ("karras", "7.5"); texts are borrowed. False, and what was
 * expected ("a whole number from 1 to 1000"), when it is none of its values. */
bool sl_setting_parse(const SlSettingInfo *setting, const char *text, SlRecipe *recipe,
                      SlText *expected);
/* Its value as such a text, words in quotes. The recipe has passed sl_recipe_check. */
void sl_setting_add_value(SlText *text, const SlSettingInfo *setting, const SlRecipe *recipe);

/* A new cJSON object, NULL without memory; free with cJSON_Delete. Settings that the table does not
 * always name are left out where they are unset, so that a new setting changes no old file and no
 * old id. */
struct cJSON *sl_recipe_to_json(const SlRecipe *recipe);
/* The same with other rows than the table's, for tests. */
struct cJSON *sl_settings_to_json(const SlSettingInfo *rows, int count, const SlRecipe *recipe);
/* Puts the members of object over *recipe. Strings are borrowed from object. False and *err, naming
 * the member, its value and what is expected, for a wrong type or an unknown name; members that
 * this version does not know go to *unknown (a comma-separated list, may be NULL). Ranges are
 * sl_recipe_check's. */
bool sl_recipe_from_json(const struct cJSON *object, SlRecipe *recipe, SlText *unknown,
                         SlError *err);
/* The recipe of a file, which must say everything that would else depend on the model; checked as
 * far as that goes without it. */
bool sl_recipe_from_file(const struct cJSON *object, SlRecipe *recipe, SlText *unknown,
                         SlError *err);

/* What sl_out_u64 wrote. */
bool sl_json_to_u64(const struct cJSON *item, uint64_t *value);

#ifdef __cplusplus
}
#endif

#endif
