/* test_recipe_text.c - ids: those of files that exist stay, and a new setting changes none of them;
 * texts into settings; what a file's recipe must say.
 */
#include "app/recipe/recipe.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* Recipes as the build before the table of settings wrote them, and the ids it gave them. */
#define REST                                                                \
    "\"eta\":-1,\"steps\":6,\"guidance\":7.5,\"seed\":0,\"noise\":\"cpu\"," \
    "\"noise_threads\":0,\"width\":32,\"height\":32,\"clip_skip\":0}"
static const char with_variance[] =
    "{\"prompt\":\"a dog\",\"negative_prompt\":\"\",\"scheduler\":\"ddpm\",\"sigmas\":\"model\","
    "\"spacing\":\"model\",\"variance\":\"fixed_large\"," REST;
static const char branched[] =
    "{\"prompt\":\"a dog\",\"negative_prompt\":\"\",\"scheduler\":\"ddpm\",\"sigmas\":\"model\","
    "\"spacing\":\"model\",\"variance\":\"fixed_small\"," REST;
static const struct {
    const char *recipe, *id;
} known[] = {
    {"{\"prompt\":\"a fox\",\"negative_prompt\":\"\",\"scheduler\":\"pndm\",\"sigmas\":\"model\","
     "\"spacing\":\"model\",\"eta\":-1,\"steps\":4,\"guidance\":7.5,\"seed\":0,\"noise\":\"cpu\","
     "\"noise_threads\":0,\"width\":32,\"height\":32,\"clip_skip\":0}",
     "dd550901cb87bc9e4a4ffff9c85087ed7362499f8c5d93b37bbe3679c1cf5760"},
    {"{\"prompt\":\"a fox, \\\"red\\\" \xC3\xBC\",\"negative_prompt\":\"blur\",\"scheduler\":"
     "\"ddim\",\"sigmas\":\"model\",\"spacing\":\"trailing\",\"eta\":0.5,\"steps\":5,\"guidance\":"
     "4.3,\"seed\":\"18446744073709551615\",\"noise\":\"cpu\",\"noise_threads\":0,\"width\":32,"
     "\"height\":32,\"clip_skip\":0}",
     "d92ffc527d0383b0c974475dcffa2a5d350b97989ab5ae75cb4ed5b9726eceb5"},
    {with_variance, "438efe703b7cdd8bcd0862b43b153ee4be640c4ae67218ac805a7b7f15663cf5"},
};

static SlRecipe *recipe_of(const char *text)
{
    SlRecipe read, *copy = NULL;
    SlError err = {0};
    cJSON *json = cJSON_Parse(text);
    if (sl_test(json && sl_recipe_from_file(json, &read, NULL, &err), "is read: %.40s %s", text,
                err.message))
        copy = sl_recipe_copy(&read);
    cJSON_Delete(json);
    return copy;
}

static void test_ids(void)
{
    char id[65];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        SlRecipe *recipe = recipe_of(known[i].recipe);
        sl_test(recipe && sl_run_id(recipe, NULL, id) && strcmp(id, known[i].id) == 0,
                "an id of before stays: %.8s", known[i].id);
        free(recipe);
    }
    SlRecipe *recipe = recipe_of(branched), *parent = recipe_of(with_variance);
    SlOrigin *origin = recipe && parent ? sl_origin_new(parent, NULL, 3) : NULL;
    sl_test(origin && sl_run_id(recipe, origin, id) &&
                strcmp(id, "5694d3d7989f13ba712133e99f3f1fb7e8787b4a8a0fea362e8cb670138af708") == 0,
            "a branch's id of before stays");
    sl_origin_free(origin);
    free(recipe);
    free(parent);
}

/* ---- a setting of the future ---- */

typedef struct FutureRecipe {
    SlRecipe recipe;
    int strength;
} FutureRecipe;

static char *text_with(const SlSettingInfo *rows, const FutureRecipe *future)
{
    cJSON *json = sl_settings_to_json(rows, SL_N_SETTINGS + 1, &future->recipe);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

/* An id is the hash of this text, so the same text is the same id. */
static void test_new_setting(void)
{
    SlSettingInfo rows[SL_N_SETTINGS + 1];
    memcpy(rows, sl_setting_table, sizeof sl_setting_table);
    rows[SL_N_SETTINGS] = (SlSettingInfo){.key = "strength",
                                          .kind = SL_KIND_INT,
                                          .offset = offsetof(FutureRecipe, strength),
                                          .max = 10,
                                          .unset = 5};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        SlRecipe *recipe = recipe_of(known[i].recipe);
        if (!recipe)
            continue;
        cJSON *json = sl_recipe_to_json(recipe);
        char *now = cJSON_PrintUnformatted(json);
        char *unset = text_with(rows, &(FutureRecipe){*recipe, 5});
        char *set = text_with(rows, &(FutureRecipe){*recipe, 6});
        sl_test(now && unset && strcmp(now, unset) == 0, "unset, a new setting changes no id");
        sl_test(now && set && strcmp(now, set) != 0 && strstr(set, "\"strength\":6"),
                "set, it is in the id");
        free(now);
        free(unset);
        free(set);
        cJSON_Delete(json);
        free(recipe);
    }
}

/* ---- texts ---- */

static void test_parse(void)
{
    static const struct {
        SlSetting setting;
        const char *text, *expected; /* NULL: it is taken */
    } cases[] = {
        {SL_SETTING_STEPS, "20", NULL},
        {SL_SETTING_STEPS, "0", "a whole number from 1 to 1000"},
        {SL_SETTING_STEPS, "2.5", "a whole number from 1 to 1000"},
        {SL_SETTING_GUIDANCE, "7.5", NULL},
        {SL_SETTING_GUIDANCE, "nan", "a number from 0 to 100"},
        {SL_SETTING_ETA, "-1", "a number from 0 to 1"},
        {SL_SETTING_SIGMAS, "karras", NULL},
        {SL_SETTING_SIGMAS, "Karras", "model, karras"},
        {SL_SETTING_SCHEDULER, "euler-a", NULL},
        {SL_SETTING_SCHEDULER, "eular", "euler"},
        {SL_SETTING_SEED, "18446744073709551615", NULL},
        {SL_SETTING_SEED, "18446744073709551616", "a whole number from 0 to 18446744073709551615"},
        {SL_SETTING_PROMPT, "", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const SlSettingInfo *s = sl_setting(cases[i].setting);
        SlRecipe recipe;
        SlText expected = {0};
        sl_recipe_clear(&recipe);
        bool ok = sl_setting_parse(s, cases[i].text, &recipe, &expected);
        sl_test(cases[i].expected ? !ok && strstr(expected.data, cases[i].expected) : ok,
                "%s \"%s\": %s", s->key, cases[i].text, ok ? "taken" : expected.data);
        sl_text_free(&expected);
    }
}

static void test_incomplete(void)
{
    SlRecipe recipe;
    SlError err = {0};
    cJSON *json = cJSON_Parse(with_variance);
    cJSON_DeleteItemFromObject(json, "eta");
    cJSON_DeleteItemFromObject(json, "variance");
    sl_test(sl_recipe_from_file(json, &recipe, NULL, &err) && recipe.eta < 0 &&
                recipe.variance == SL_VARIANCE_MODEL,
            "what is left out is unset");
    cJSON_DeleteItemFromObject(json, "steps");
    sl_test(!sl_recipe_from_file(json, &recipe, NULL, &err) && strstr(err.message, "steps"),
            "what depends on the model must be said: %s", err.message);
    cJSON_AddNumberToObject(json, "steps", 1001);
    sl_test(!sl_recipe_from_file(json, &recipe, NULL, &err) &&
                strstr(err.message, "steps is 1001; expected 1 to 1000"),
            "and be in its range: %s", err.message);
    cJSON_Delete(json);
}

int main(void)
{
    test_ids();
    test_new_setting();
    test_parse();
    test_incomplete();
    return sl_test_done();
}
