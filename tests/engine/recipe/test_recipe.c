/* test_recipe.c - the table of settings is whole, and the validators and defaults that it
 * drives. */
#include "engine/engine.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

static const SlPipelineInfo family_of_words = {.has = SL_HAS_PROMPT | SL_HAS_NEGATIVE_PROMPT |
                                                      SL_HAS_GUIDANCE | SL_HAS_CLIP,
                                               .steps = 25,
                                               .guidance = 7.5};
static const SlPipelineInfo family_without = {.steps = 50, .guidance = 1};
static const SlModelInfo words = {.pipeline = &family_of_words,
                                  .name = "words",
                                  .scheduler = "ddim",
                                  .width = 64,
                                  .height = 32,
                                  .size_multiple = 8};
static const SlModelInfo wordless = {
    .pipeline = &family_without, .name = "wordless", .scheduler = "ddpm"};

static int count_words(const char *const *list)
{
    int n = 0;
    while (list[n])
        n++;
    return n;
}

static bool is_number(const SlSettingInfo *s)
{
    return s->kind == SL_KIND_REAL || s->kind == SL_KIND_INT || s->kind == SL_KIND_INT64 ||
           s->kind == SL_KIND_SIDE;
}

static void test_rows(void)
{
    unsigned own = 0;
    for (int i = 0; i < SL_N_SETTINGS; i++) {
        const SlSettingInfo *s = sl_setting(i);
        if (!sl_test(s->key && s->name && !s->option == !s->usage, "row %d says its names", i))
            continue;
        sl_test((int)s->id == i, "%s stands in its place", s->key);
        sl_test(sl_setting_find(s->key) == s, "%s is found", s->key);
        sl_test(!s->option || sl_setting_find_option(s->option, strlen(s->option)) == s,
                "--%s is found", s->option ? s->option : "");
        sl_test((s->kind == SL_KIND_CHOICE) == (s->choices != NULL), "%s has words if a choice",
                s->key);
        sl_test(!s->choices || count_words(s->choices) >= 2, "%s leaves a choice", s->key);
        sl_test(!is_number(s) || s->min < s->max, "%s has a range", s->key);
        sl_test(!(own & s->own), "%s has its own bit in .safelight", s->key);
        sl_test((s->own != 0) == (s->scope != SL_SCOPE_ALL), "%s has a bit if a lane may own it",
                s->key);
        /* what depends on the model cannot be left out of an id: the id does not know the model */
        sl_test(!s->of_model || s->always, "%s has one default, or is always named", s->key);
        own |= s->own;
    }
}

/* A new setting comes last, without `always`: these are what ids have always named. */
static void test_always(void)
{
    static const char *const named[] = {
        "prompt",        "negative_prompt", "scheduler", "sigmas",   "spacing",
        "eta",           "steps",           "guidance",  "seed",     "noise",
        "noise_threads", "width",           "height",    "clip_skip"};
    size_t n = 0;
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (sl_setting(i)->always)
            sl_test(n < sizeof named / sizeof named[0] &&
                        strcmp(sl_setting(i)->key, named[n++]) == 0,
                    "%s stands in every id", sl_setting(i)->key);
    sl_test(n == sizeof named / sizeof named[0], "no more and no fewer: %zu", n);
}

static void test_defaults(void)
{
    SlRecipe r;
    sl_recipe_defaults(&r, &words);
    sl_test(r.steps == 25 && r.guidance == 7.5 && r.width == 64 && r.height == 32 && r.eta < 0 &&
                strcmp(r.scheduler, "ddim") == 0 && strcmp(r.prompt, "") == 0,
            "a model's defaults");
    sl_recipe_defaults(&r, &wordless);
    sl_test(r.steps == 50 && r.guidance == 1, "another model's");
    sl_recipe_clear(&r);
    for (int i = 0; i < SL_N_SETTINGS; i++)
        sl_test(sl_setting_is_unset(sl_setting(i), &r), "%s is unset", sl_setting(i)->key);
    sl_test(!r.scheduler, "the scheduler is the model's own");
}

static void test_existence(void)
{
    const SlSchedulerInfo *ddpm = sl_scheduler_find("ddpm"), *tcd = sl_scheduler_find("tcd");
    sl_test(sl_setting_exists(sl_setting(SL_SETTING_PROMPT), &words, NULL) &&
                !sl_setting_exists(sl_setting(SL_SETTING_PROMPT), &wordless, NULL) &&
                !sl_setting_exists(sl_setting(SL_SETTING_CLIP_SKIP), &wordless, ddpm) &&
                sl_setting_exists(sl_setting(SL_SETTING_STEPS), &wordless, ddpm),
            "a model without words");
    sl_test(sl_setting_exists(sl_setting(SL_SETTING_VARIANCE), &words, ddpm) &&
                !sl_setting_exists(sl_setting(SL_SETTING_VARIANCE), &words, tcd) &&
                sl_setting_exists(sl_setting(SL_SETTING_ETA), &words, tcd) &&
                sl_setting_exists(sl_setting(SL_SETTING_VARIANCE), NULL, NULL),
            "what schedulers take");
    SlRecipe r;
    sl_recipe_clear(&r);
    sl_test(sl_setting_counts(sl_setting(SL_SETTING_GUIDANCE), &r) &&
                !sl_setting_counts(sl_setting(SL_SETTING_APG_NORM), &r) &&
                !sl_setting_counts(sl_setting(SL_SETTING_EMPHASIS), &r),
            "what belongs to another choice does not count");
    r.guidance_method = SL_METHOD_APG;
    r.prompt_mode = SL_PROMPT_A1111;
    sl_test(sl_setting_counts(sl_setting(SL_SETTING_APG_NORM), &r) &&
                !sl_setting_counts(sl_setting(SL_SETTING_MIMIC_GUIDANCE), &r) &&
                sl_setting_counts(sl_setting(SL_SETTING_EMPHASIS), &r),
            "what belongs to the choice does");
    sl_recipe_clear(&r);
    r.scheduler = "tcd";
    r.sigmas = SL_SIGMAS_KARRAS;
    r.variance = SL_VARIANCE_LARGE;
    r.eta = 0.5;
    sl_recipe_drop_missing(&r, ~SL_SETTING_BIT(SL_SETTING_SIGMAS));
    sl_test(r.sigmas == SL_SIGMAS_KARRAS && r.variance == SL_VARIANCE_MODEL && r.eta == 0.5,
            "what the scheduler does not have is dropped, but for what is kept on purpose");
}

static void refused(SlRecipe *r, const SlModelInfo *info, const char *sentence)
{
    SlError err = {0};
    bool ok = sl_recipe_check(r, info, &err);
    sl_test(!ok && err.code == SL_ARGUMENT && strstr(err.message, sentence), "refused: %s (%s)",
            sentence, err.message);
}

/* Each row's range at its ends and one beyond. */
static void test_range(const SlSettingInfo *s)
{
    SlRecipe r;
    SlError err = {0};
    sl_recipe_clear(&r);
    sl_setting_set_number(s, &r, s->min);
    sl_test(sl_recipe_check(&r, NULL, &err), "%s may be %g", s->key, s->min);
    sl_setting_set_number(s, &r, s->max);
    sl_test(sl_recipe_check(&r, NULL, &err), "%s may be %g", s->key, s->max);
    sl_setting_set_number(s, &r, s->max + 1);
    refused(&r, NULL, s->name);
    sl_setting_set_number(s, &r, s->min - 2);
    if (!sl_setting_is_unset(s, &r))
        refused(&r, NULL, s->name);
}

static void test_check(void)
{
    SlRecipe r;
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (is_number(sl_setting(i)))
            test_range(sl_setting(i));
    sl_recipe_defaults(&r, &words);
    SlError err = {0};
    sl_test(sl_recipe_check(&r, &words, &err), "the defaults are right: %s", err.message);
    r.width = 60;
    refused(&r, &words,
            "width is 60; expected a multiple of 8 from 8 to 16384 for the model words");
    sl_recipe_clear(&r);
    r.guidance = NAN;
    refused(&r, NULL, "guidance is nan; expected 0 to 100");
    sl_recipe_clear(&r);
    r.eta = -INFINITY;
    refused(&r, NULL, "eta is -inf; expected 0 to 1");
    sl_recipe_clear(&r);
    r.noise = (SlNoiseKind)7;
    refused(&r, NULL, "noise is number 7; expected one of cpu, cuda");
    sl_recipe_clear(&r);
    r.scheduler = "eular";
    refused(&r, NULL, "scheduler is \"eular\"");
    r.scheduler = "euler";
    r.variance = SL_VARIANCE_LARGE;
    refused(&r, NULL, "scheduler euler has no choice of variance; expected \"model\"");
}

/* A list of sigmas goes with its own number of steps, and takes a named schedule's place. */
static void test_sigma_list(void)
{
    SlRecipe r, list;
    SlError err = {0};
    sl_recipe_clear(&r);
    r.scheduler = "euler";
    r.sigmas = SL_SIGMAS_KARRAS;
    list = r;
    list.sigma_list = "9,3,0";
    list.steps = 2;
    refused(&list, NULL, "sigmas is \"karras\"");
    sl_recipe_change(&r, &list,
                     SL_SETTING_BIT(SL_SETTING_SIGMA_LIST) | SL_SETTING_BIT(SL_SETTING_STEPS));
    sl_test(r.sigmas == SL_SIGMAS_MODEL && sl_recipe_check(&r, NULL, &err), "a list: %s",
            err.message);
    r.steps = 3;
    refused(&r, NULL, "expected 2");
    r.scheduler = "ddim";
    refused(&r, NULL, "ddim has no choice of sigmas");
    r.scheduler = "euler";
    r.sigma_list = "9,10,0";
    refused(&r, NULL, "falling");
    sl_recipe_change(&r, &list, SL_SETTING_BIT(SL_SETTING_SIGMAS));
    sl_test(r.sigmas == SL_SIGMAS_KARRAS && !r.sigma_list && sl_recipe_check(&r, NULL, &err),
            "a named schedule instead");
}

int main(void)
{
    test_rows();
    test_always();
    test_defaults();
    test_existence();
    test_check();
    test_sigma_list();
    return sl_test_done();
}
