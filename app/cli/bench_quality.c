/* bench_quality.c - see bench_quality.h. Whole pictures, some prompts and some seeds each, with the
 * model's own scheduler and guidance: first all in f32, then all in the other type. A pipeline without
 * prompts has seeds only. Easy to get wrong: the least and the median are by PSNR alone. */
#include "app/cli/bench_quality.h"
#include "app/cli/interrupt.h"
#include "app/cli/session.h"
#include "app/files/files.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 20
#define SEEDS 3

static const char *const prompts[] = {
    "a red house by a lake at sunset",
    "a lighthouse at night",
    "a snowy mountain behind a green forest",
    "a photograph of an astronaut riding a horse",
};
#define PICTURES ((int)(sizeof prompts / sizeof *prompts) * SEEDS)

typedef struct Picture {
    uint8_t *rgb; /* in f32 */
    int width, height;
    double psnr, ssim;
} Picture;

typedef struct Quality {
    char what[80], device[2][256]; /* in f32, in the type */
    int steps;
    Picture picture[PICTURES];
} Quality;

static SlRecipe recipe_of(const SlOptions *o, const SlModelInfo *info, int picture)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, info);
    recipe.prompt = prompts[picture / SEEDS];
    recipe.seed = (uint64_t)(picture % SEEDS) + 1;
    recipe.steps = sl_options_given(o, SL_SETTING_STEPS) ? o->values.steps : STEPS;
    recipe.width = o->values.width > 0 ? o->values.width : recipe.width;
    recipe.height = o->values.height > 0 ? o->values.height : recipe.height;
    return recipe;
}

/* A picture from its noise to its pixels, malloc'ed. */
static uint8_t *develop(SlModel *model, const SlRecipe *recipe, Picture *size, SlError *err)
{
    SlFrame frame;
    SlRun *run = sl_run_new(model, recipe, NULL, err);
    bool ok = run != NULL;
    for (int i = 0; ok && i < sl_run_evaluations(run); i++)
        ok = (!sl_interrupted() || sl_fail(err, SL_CANCELLED, "interrupted")) &&
             sl_run_next(run, &frame, err);
    const SlRecipe *made = run ? sl_run_recipe(run) : NULL;
    uint8_t *rgb = ok ? malloc((size_t)made->height * (size_t)made->width * 3) : NULL;
    if (ok && !rgb)
        sl_fail(err, SL_MEMORY, "memory ran out");
    if (rgb) {
        int factor = sl_model_info(model)->factor;
        size->width = made->width;
        size->height = made->height;
        if (!sl_decode(model, sl_run_sample(run), made->height / factor, made->width / factor, NULL,
                       rgb, err)) {
            free(rgb);
            rgb = NULL;
        }
    }
    sl_run_free(run);
    return rgb;
}

static void compare(Picture *p, const uint8_t *rgb)
{
    p->psnr = sl_psnr(p->rgb, rgb, (size_t)p->width * (size_t)p->height * 3);
    p->ssim = sl_ssim(p->rgb, rgb, p->width, p->height);
}

/* All pictures in one type: 0 f32, which are kept, 1 the other, which are compared. */
static bool make_all(const SlOptions *options, int type, Quality *q, SlError *err)
{
    SlOptions own = *options;
    SlSession session;
    own.dtype = type ? options->quality : "f32";
    bool ok = sl_session_open(&session, &own, NULL, err);
    if (ok) {
        const SlModelInfo *info = sl_model_info(session.model);
        snprintf(q->what, sizeof q->what, "%.60s", info->name);
        snprintf(q->device[type], sizeof q->device[type], "%s",
                 sl_device_describe(sl_model_device(session.model)));
    }
    for (int i = 0; ok && i < PICTURES; i++) {
        SlRecipe recipe = recipe_of(options, sl_model_info(session.model), i);
        uint8_t *rgb = develop(session.model, &recipe, &q->picture[i], err);
        ok = rgb != NULL;
        q->steps = recipe.steps;
        if (type && ok) {
            compare(&q->picture[i], rgb);
            free(rgb);
        } else {
            q->picture[i].rgb = rgb;
        }
    }
    sl_session_close(&session);
    return ok;
}

static int by_psnr(const void *a, const void *b)
{
    double x = ((const Picture *)a)->psnr, y = ((const Picture *)b)->psnr;
    return (x > y) - (x < y);
}

/* In the middle of sorted pictures. */
static Picture median_of(const Picture *sorted)
{
    const Picture *a = &sorted[(PICTURES - 1) / 2], *b = &sorted[PICTURES / 2];
    return (Picture){.psnr = (a->psnr + b->psnr) / 2, .ssim = (a->ssim + b->ssim) / 2};
}

static int print(const Quality *q, const char *type, const Picture *sorted)
{
    Picture median = median_of(sorted);
    printf("%s, %d x %d, %d steps, %d pictures: %s beside f32\n%s\n%s\n", q->what, sorted[0].width,
           sorted[0].height, q->steps, PICTURES, type, q->device[0], q->device[1]);
    for (int i = 0; i < PICTURES; i++)
        printf("  %6.2f dB  SSIM %.4f  seed %d  %s\n", q->picture[i].psnr, q->picture[i].ssim,
               i % SEEDS + 1, prompts[i / SEEDS]);
    printf("  %6.2f dB  SSIM %.4f  the median\n  %6.2f dB  SSIM %.4f  the least\n", median.psnr,
           median.ssim, sorted[0].psnr, sorted[0].ssim);
    return SL_EXIT_OK;
}

/* Equal pictures have no PSNR. */
static int print_json(const Quality *q, const char *type, const Picture *sorted)
{
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    cJSON *list = sl_out_array(&out, root, "pictures");
    sl_out_text(&out, root, "what", q->what);
    sl_out_text(&out, root, "type", type);
    sl_out_text(&out, root, "device", q->device[1]);
    sl_out_number(&out, root, "steps", q->steps);
    for (int i = 0; i < PICTURES; i++) {
        cJSON *item = sl_out_object(&out, list, NULL);
        sl_out_text(&out, item, "prompt", prompts[i / SEEDS]);
        sl_out_number(&out, item, "seed", i % SEEDS + 1);
        if (isfinite(q->picture[i].psnr))
            sl_out_number(&out, item, "psnr_db", q->picture[i].psnr);
        sl_out_number(&out, item, "ssim", q->picture[i].ssim);
    }
    if (isfinite(median_of(sorted).psnr))
        sl_out_number(&out, root, "psnr_db_median", median_of(sorted).psnr);
    if (isfinite(sorted[0].psnr))
        sl_out_number(&out, root, "psnr_db_least", sorted[0].psnr);
    return sl_print_json(sl_out_end(&out, root));
}

int sl_bench_quality(const SlOptions *options)
{
    Quality *q = calloc(1, sizeof *q);
    Picture sorted[PICTURES];
    SlError err = {0};
    bool ok = q || sl_fail(&err, SL_MEMORY, "memory ran out");
    for (int type = 0; ok && type < 2; type++)
        ok = make_all(options, type, q, &err);
    if (ok) {
        memcpy(sorted, q->picture, sizeof sorted);
        qsort(sorted, PICTURES, sizeof *sorted, by_psnr);
    }
    int status = !ok             ? sl_fail_exit(&err)
                 : options->json ? print_json(q, options->quality, sorted)
                                 : print(q, options->quality, sorted);
    for (int i = 0; q && i < PICTURES; i++)
        free(q->picture[i].rgb);
    free(q);
    return status;
}
