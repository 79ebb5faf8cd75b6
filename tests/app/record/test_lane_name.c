/* test_lane_name.c - what lanes are called, and what files of them are. */
#include "app/record/record.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#define MOST 5

static SlRecipe recipe[MOST];
static SlNamedLane lane[MOST];

/* Lanes that are all alike. */
static void begin(void)
{
    for (int i = 0; i < MOST; i++) {
        sl_recipe_clear(&recipe[i]);
        recipe[i].prompt = "a red house by a lake";
        recipe[i].negative_prompt = "";
        recipe[i].scheduler = "euler";
        recipe[i].steps = 20;
        recipe[i].guidance = 7.5;
        recipe[i].seed = 3;
        lane[i] = (SlNamedLane){.recipe = &recipe[i]};
    }
}

/* The name of lane i of so many; free it. */
static char *name_of(int count, int i, const SlLaneWords *words)
{
    SlText text = {0};
    SlLaneNames *names = sl_lane_names_new(lane, count);
    if (names)
        sl_lane_names_add(names, i, words, &text);
    sl_lane_names_free(names);
    return sl_text_take(&text);
}

static void is_called(int count, int i, const char *expected, const char *why)
{
    char *name = name_of(count, i, NULL);
    sl_test(name && strcmp(name, expected) == 0, "%s: %s", why, name);
    free(name);
}

static void test_names(void)
{
    begin();
    is_called(1, 0, "Euler", "a lane by itself");
    recipe[1].scheduler = "heun";
    is_called(2, 1, "Heun", "another scheduler");
    begin();
    lane[1].left = &recipe[0];
    lane[1].step = 8;
    recipe[1].guidance = 5;
    is_called(3, 0, "Euler", "what most have is not said");
    is_called(3, 1, "Euler from step 8, guidance 5", "a branch");
    is_called(2, 0, "Euler, guidance 7.5", "two lanes both say what they have");
    begin();
    for (int i = 0; i < 4; i++)
        recipe[i].seed = (uint64_t)i;
    is_called(4, 0, "Euler, seed 0", "the first lane, too");
    is_called(4, 3, "Euler, seed 3", "seeds");
    begin();
    recipe[0].prompt = "a photograph of a cat in the snow";
    recipe[1].prompt = "a photograph of a dog in the snow";
    is_called(2, 1, "Euler, “…dog in the snow”", "a prompt from where it is another one");
    recipe[1].steps = 1;
    is_called(2, 1, "Euler, 1 step, “…dog in the snow”", "one step, prompts last");
    begin();
    recipe[1].sigma_list = "14.6,3.9,0.7,0";
    is_called(2, 0, "Euler, the model’s sigmas", "beside a list of noise levels");
    is_called(2, 1, "Euler, sigmas 14.6,3.9,0.7,0", "the list");
    begin();
    recipe[1].lora = "folder/cat:0.8";
    is_called(2, 1, "Euler, LoRA 0.8 × cat", "a LoRA");
    begin();
    recipe[1].eta = 0.5;
    is_called(2, 1, "Euler", "a setting that the scheduler does not have is not said");
}

/* No two lanes that differ in anything with a phrase have one name. */
static void test_distinct(void)
{
    begin();
    recipe[1].seed = 4;
    recipe[2].guidance = 5;
    recipe[3].steps = 10;
    recipe[4].negative_prompt = "fog";
    for (int i = 0; i < MOST; i++)
        for (int k = 0; k < i; k++) {
            char *a = name_of(MOST, i, NULL), *b = name_of(MOST, k, NULL);
            sl_test(a && b && strcmp(a, b) != 0, "%s, %s", a, b);
            free(a);
            free(b);
        }
}

static const char *shout(const char *text)
{
    return strcmp(text, "guidance %s") == 0    ? "Führung %s"
           : strcmp(text, "from step %s") == 0 ? "ab Schritt %s"
                                               : text;
}

static const char *shout_many(const char *one, const char *many, unsigned long n)
{
    return n == 1 ? one : many;
}

static void test_language(void)
{
    const SlLaneWords words = {shout, shout_many, ','};
    begin();
    lane[1].left = &recipe[0];
    lane[1].step = 8;
    recipe[1].guidance = 5.5;
    char *name = name_of(2, 1, &words);
    sl_test(name && strcmp(name, "Euler ab Schritt 8, Führung 5,5") == 0, "another language: %s",
            name);
    free(name);
}

static void file_is(int count, int step, const char *expected)
{
    const SlRecipe *recipes[MOST];
    for (int i = 0; i < count; i++)
        recipes[i] = &recipe[i];
    char *name = sl_export_name(recipes, count, step, ".webp");
    sl_test(name && strcmp(name, expected) == 0, "a file: %s", name);
    free(name);
}

static void test_files(void)
{
    begin();
    file_is(1, 0, "a red house by a lake, seed 3, euler.webp");
    file_is(1, 8, "a red house by a lake, seed 3, euler, step 8.webp");
    recipe[1].scheduler = "heun";
    file_is(2, 0, "a red house by a lake, seed 3, euler and heun.webp");
    recipe[2].scheduler = "ddim";
    recipe[2].seed = 5;
    recipe[1].guidance = 2;
    file_is(3, 0, "a red house by a lake, 2 seeds, 3 schedulers, 2 × guidance.webp");
    begin();
    recipe[0].prompt = "../한국: a \"house\"\n/ by  a lake?";
    file_is(1, 0, "한국 a house by a lake, seed 3, euler.webp");
    recipe[0].prompt = "";
    file_is(1, 0, "safelight, seed 3, euler.webp");
    recipe[0].prompt = "......................................................................."
                       "...........................";
    file_is(1, 0, "safelight, seed 3, euler.webp");
    char longest[400] = "";
    for (int i = 0; i < 100; i++)
        strcat(longest, "한");
    recipe[0].prompt = longest;
    const SlRecipe *one = &recipe[0];
    char *name = sl_export_name(&one, 1, 0, ".webp");
    sl_test(name && strlen(name) < SL_EXPORT_NAME_BYTES && sl_utf8_valid(name, strlen(name)),
            "a long prompt: %s", name);
    free(name);
}

int main(void)
{
    test_names();
    test_distinct();
    test_language();
    test_files();
    return sl_test_done();
}
