/* generate.c - see generate.h. */
#include "app/record/generate.h"
#include "app/recipe/recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last finished step: a stop inside a step falls back to it. */
typedef struct Finished {
    float *x_0;
    int step; /* 1-based; 0: none yet */
    int channels, height, width;
} Finished;

static size_t sample_bytes(const SlRun *run)
{
    return (size_t)sl_run_sample_elements(run) * sizeof(float);
}

static bool call_frame(const SlGeneration *job, SlRun *run, const SlFrame *frame, SlError *err)
{
    return !job->frame || job->frame(job->arg, run, frame, err);
}

static bool pass_on(const SlError *problem, SlError *err)
{
    return sl_fail(err, problem->code, "%s", problem->message);
}

static void note_frame(Finished *last, const SlRun *run, const SlFrame *frame, SlGenerated *p)
{
    p->evaluations++;
    p->cached += frame->cached;
    p->seconds += frame->seconds;
    last->channels = frame->channels;
    last->height = frame->height;
    last->width = frame->width;
    if (frame->ends_step) {
        memcpy(last->x_0, frame->x_0, sample_bytes(run));
        last->step = frame->step + 1;
    }
}

/* False when it ended before a step was finished. */
static bool run_steps(const SlGeneration *job, SlRun *run, Finished *last, SlGenerated *p,
                      SlError *err)
{
    static const SlBatches none;
    const SlBatches *batches = job->batches ? job->batches : &none;
    bool ok = true;
    while (ok && !sl_run_done(run) && (job->stop_after == 0 || last->step < job->stop_after)) {
        SlFrame frame;
        ok = sl_batches_next(batches, p->evaluations, run, &frame, &p->problem);
        if (ok) {
            note_frame(last, run, &frame, p);
            ok = call_frame(job, run, &frame, &p->problem);
        }
    }
    return last->step > 0 || pass_on(&p->problem, err);
}

/* ---- the picture ---- */

static bool decode(SlGenerated *p, SlModel *model, const SlPictureOf *of, SlError *err)
{
    const SlModelInfo *info = sl_model_info(model);
    p->width = of->sample.width * info->factor;
    p->height = of->sample.height * info->factor;
    size_t values = (size_t)p->width * (size_t)p->height * 3;
    p->rgb = malloc(values);
    p->image = of->want_image ? malloc(values * sizeof(float)) : NULL;
    if (!p->rgb || (of->want_image && !p->image))
        return sl_fail(err, SL_MEMORY, "memory ran out for a picture of %d x %d", p->width,
                       p->height);
    /* The steps are done: a stop that comes only now must not cost the picture. */
    SlError problem = {0};
    for (int attempt = 0; attempt < 2; attempt++) {
        sl_device_clear(sl_model_device(model));
        if (sl_sample_decode(model, &of->sample, p->image, p->rgb, &problem))
            return true;
        if (problem.code != SL_CANCELLED)
            break;
    }
    return pass_on(&problem, err);
}

/* "CPU: 2 threads, AVX2": without the number of threads, which changes nothing in the picture and
 * must change nothing in the file. */
static void describe_device(const char *description, char *out, size_t size)
{
    const char *number = strpbrk(description, "0123456789");
    size_t digits = number ? strspn(number, "0123456789") : 0;
    const char *rest = number ? number + digits : NULL;
    if (rest && strncmp(rest, " thread", 7) == 0 && (rest = strstr(rest, ", ")))
        snprintf(out, size, "%.*s%s", (int)(number - description), description, rest + 2);
    else
        snprintf(out, size, "%s", description);
}

void sl_metadata_describe(SlMetadata *m, SlModel *model, const SlModelInfo *identity)
{
    SlDevice *dev = sl_model_device(model);
    m->version = SL_METADATA_VERSION;
    snprintf(m->program, sizeof m->program, "safelight %s", SL_VERSION);
    sl_metadata_set_model(m, identity ? identity : sl_model_info(model));
    snprintf(m->device, sizeof m->device, "%s", dev->name);
    describe_device(sl_device_describe(dev), m->device_description, sizeof m->device_description);
    snprintf(m->dtype, sizeof m->dtype, "%s", sl_model_dtypes(model));
}

bool sl_metadata_warn(SlMetadata *m, const SlModel *model, const char *of_run)
{
    const char *of_model = sl_model_warning(model);
    if (!of_model && !of_run)
        return true;
    if (asprintf(&m->warnings, "%s%s%s", of_model ? of_model : "", of_model && of_run ? "\n" : "",
                 of_run ? of_run : "") >= 0)
        return true;
    m->warnings = NULL;
    return false;
}

static bool describe(SlGenerated *p, SlModel *model, const SlModelInfo *identity,
                     const SlPictureOf *of, SlError *err)
{
    SlMetadata *m = &p->metadata;
    const SlSample *sample = &of->sample;
    size_t values = (size_t)sample->channels * (size_t)sample->height * (size_t)sample->width;
    m->recipe = sl_recipe_copy(of->recipe);
    m->origin = sl_origin_copy(of->origin);
    if (!m->recipe || (of->origin && !m->origin) || !sl_metadata_warn(m, model, of->warning) ||
        (of->batches && !sl_batches_copy(of->batches, &m->batches)))
        return sl_fail(err, SL_MEMORY, "memory ran out");
    m->fast = sl_batches_any(&m->batches);
    if (!sl_metadata_find_adapters(m, err))
        return false;
    sl_metadata_describe(m, model, identity);
    m->step = sample->step;
    m->steps = of->recipe->steps;
    m->partial = of->partial;
    m->given_latents = of->inputs && of->inputs->latents;
    m->given_step_noise = of->inputs && of->inputs->step_noise;
    snprintf(m->noise_sha256, sizeof m->noise_sha256, "%s", of->noise_sha256);
    sl_sha256(sample->data, values * sizeof(float), m->latents_sha256);
    sl_sha256(p->rgb, (size_t)p->width * (size_t)p->height * 3, m->pixels_sha256);
    return true;
}

bool sl_picture_make(SlGenerated *p, SlModel *model, const SlModelInfo *identity,
                     const SlPictureOf *of, SlError *err)
{
    return decode(p, model, of, err) && describe(p, model, identity, of, err);
}

static bool make_picture(const SlGeneration *job, const SlRun *run, const Finished *last,
                         SlGenerated *p, SlError *err)
{
    char noise[65];
    sl_sha256(sl_run_noise(run), sample_bytes(run), noise);
    const SlPictureOf of = {.recipe = sl_run_recipe(run),
                            .inputs = job->inputs,
                            .origin = job->origin,
                            .batches = job->batches,
                            .noise_sha256 = noise,
                            .sample = {sl_run_done(run) ? sl_run_sample(run) : last->x_0,
                                       last->channels, last->height, last->width, last->step,
                                       sl_run_recipe(run)->steps},
                            .partial = !sl_run_done(run),
                            .want_image = job->want_image,
                            .warning = sl_run_warning(run)};
    return sl_picture_make(p, job->model, job->identity, &of, err);
}

bool sl_generate(const SlGeneration *job, SlGenerated *picture, SlError *err)
{
    Finished last = {0};
    memset(picture, 0, sizeof *picture);
    char sha256[65] = "";
    if (!sl_recipe_hash_adapters(job->recipe, err))
        return false;
    const SlOriginCall call = {.inputs = job->inputs, .sha256 = sha256};
    SlRun *run = sl_origin_run(job->model, job->recipe, job->origin, &call, err);
    if (!run)
        return false;
    last.x_0 = malloc(sample_bytes(run));
    bool ok = last.x_0 || sl_fail(err, SL_MEMORY, "memory ran out");
    ok = ok && call_frame(job, run, NULL, err) && run_steps(job, run, &last, picture, err);
    if (ok && !make_picture(job, run, &last, picture, err)) {
        ok = false;
        if (picture->problem.code != SL_OK && picture->problem.code != SL_CANCELLED)
            pass_on(&picture->problem, err); /* what came first */
    }
    if (ok && picture->metadata.origin)
        memcpy(picture->metadata.origin->sha256, sha256, sizeof sha256);
    free(last.x_0);
    sl_run_free(run);
    return ok;
}

void sl_picture_free(SlGenerated *picture)
{
    free(picture->rgb);
    free(picture->image);
    sl_metadata_free(&picture->metadata);
    memset(picture, 0, sizeof *picture);
}
