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

static void is_called(int count, int i, const char *expected, const char *why)
{
    SlText text = {0};
    sl_lane_name(lane, count, i, NULL, &text);
    sl_test(text.data && strcmp(text.data, expected) == 0, "%s: %s", why, text.data);
    sl_text_free(&text);
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
            SlText a = {0}, b = {0};
            sl_lane_name(lane, MOST, i, NULL, &a);
            sl_lane_name(lane, MOST, k, NULL, &b);
            sl_test(a.data && b.data && strcmp(a.data, b.data) != 0, "%s, %s", a.data, b.data);
            sl_text_free(&a);
            sl_text_free(&b);
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
    SlText text = {0};
    begin();
    lane[1].left = &recipe[0];
    lane[1].step = 8;
    recipe[1].guidance = 5.5;
    sl_lane_name(lane, 2, 1, &words, &text);
    sl_test(text.data && strcmp(text.data, "Euler ab Schritt 8, Führung 5,5") == 0,
            "another language: %s", text.data);
    sl_text_free(&text);
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
