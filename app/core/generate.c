/* generate.c - see generate.h. */
#include "app/core/generate.h"
#include "app/core/recipe_text.h"

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

static bool call_frame(const SlJob *job, SlRun *run, const SlFrame *frame, SlError *err)
{
    return !job->frame || job->frame(job->arg, run, frame, err);
}

static bool pass_on(const SlError *problem, SlError *err)
{
    if (err)
        *err = *problem;
    return false;
}

/* True at the end and after a stop; false on failure. */
static bool run_steps(const SlJob *job, SlRun *run, Finished *last, SlPicture *p, SlError *err)
{
    while (!sl_run_done(run) && (job->stop_after == 0 || last->step < job->stop_after)) {
        SlFrame frame;
        SlError problem = {0};
        if (!sl_run_next(run, &frame, &problem)) {
            if (problem.code == SL_CANCELLED && last->step > 0)
                return true;
            return pass_on(&problem, err);
        }
        p->evaluations++;
        p->seconds += frame.seconds;
        last->channels = frame.channels;
        last->height = frame.height;
        last->width = frame.width;
        if (frame.ends_step) {
            memcpy(last->x_0, frame.x_0, sample_bytes(run));
            last->step = frame.step + 1;
        }
        if (!call_frame(job, run, &frame, &problem)) {
            if (problem.code == SL_CANCELLED && last->step > 0)
                return true;
            return pass_on(&problem, err);
        }
    }
    return true;
}

static bool decode(const SlJob *job, const float *sample, const Finished *last, SlPicture *p,
                   SlError *err)
{
    const SlModelInfo *info = sl_model_info(job->model);
    p->width = last->width * info->factor;
    p->height = last->height * info->factor;
    size_t values = (size_t)p->width * (size_t)p->height * 3;
    p->rgb = malloc(values);
    p->image = job->want_image ? malloc(values * sizeof(float)) : NULL;
    if (!p->rgb || (job->want_image && !p->image))
        return sl_fail(err, SL_MEMORY, "memory ran out for a picture of %d x %d", p->width,
                       p->height);
    /* The steps are done: a stop that comes only now must not cost the picture. */
    SlError problem = {0};
    for (int attempt = 0; attempt < 2; attempt++) {
        sl_device_clear(sl_model_device(job->model));
        if (sl_decode(job->model, sample, last->height, last->width, p->image, p->rgb, &problem))
            return true;
        if (problem.code != SL_CANCELLED)
            break;
    }
    return pass_on(&problem, err);
}

static char *join_lines(const char *a, const char *b)
{
    char *both = NULL;
    if (!a && !b)
        return NULL;
    if (asprintf(&both, "%s%s%s", a ? a : "", a && b ? "\n" : "", b ? b : "") < 0)
        return NULL;
    return both;
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

static bool describe(const SlJob *job, const SlRun *run, const float *sample, const Finished *last,
                     SlPicture *p, SlError *err)
{
    SlMetadata *m = &p->metadata;
    SlDevice *dev = sl_model_device(job->model);
    const SlRecipe *recipe = sl_run_recipe(run);
    m->version = SL_METADATA_VERSION;
    snprintf(m->program, sizeof m->program, "safelight %s", SL_VERSION);
    m->recipe = sl_recipe_copy(recipe);
    m->origin = sl_origin_copy(job->origin);
    if (!m->recipe || (job->origin && !m->origin))
        return sl_fail(err, SL_MEMORY, "memory ran out");
    sl_metadata_set_model(m, job->identity ? job->identity : sl_model_info(job->model));
    snprintf(m->device, sizeof m->device, "%s", dev->name);
    describe_device(sl_device_describe(dev), m->device_description, sizeof m->device_description);
    snprintf(m->dtype, sizeof m->dtype, "%s", sl_dtype_name(dev->dtype));
    m->step = last->step;
    m->steps = recipe->steps;
    m->partial = !sl_run_done(run);
    m->given_latents = job->inputs && job->inputs->latents;
    m->given_step_noise = job->inputs && job->inputs->step_noise;
    sl_sha256(sl_run_noise(run), sample_bytes(run), m->noise_sha256);
    sl_sha256(sample, sample_bytes(run), m->latents_sha256);
    sl_sha256(p->rgb, (size_t)p->width * (size_t)p->height * 3, m->pixels_sha256);
    m->warnings = join_lines(sl_model_warning(job->model), sl_run_warning(run));
    return true;
}

bool sl_generate(const SlJob *job, SlPicture *picture, SlError *err)
{
    Finished last = {0};
    memset(picture, 0, sizeof *picture);
    char sha256[65] = "";
    const SlOriginCall call = {.inputs = job->inputs, .sha256 = sha256};
    SlRun *run = sl_origin_run(job->model, job->recipe, job->origin, &call, err);
    if (!run)
        return false;
    last.x_0 = malloc(sample_bytes(run));
    bool ok = last.x_0 || sl_fail(err, SL_MEMORY, "memory ran out");
    ok = ok && call_frame(job, run, NULL, err) && run_steps(job, run, &last, picture, err);
    const float *sample = sl_run_done(run) ? sl_run_sample(run) : last.x_0;
    ok = ok && decode(job, sample, &last, picture, err) &&
         describe(job, run, sample, &last, picture, err);
    if (ok && picture->metadata.origin)
        memcpy(picture->metadata.origin->sha256, sha256, sizeof sha256);
    free(last.x_0);
    sl_run_free(run);
    return ok;
}

void sl_picture_free(SlPicture *picture)
{
    free(picture->rgb);
    free(picture->image);
    sl_metadata_free(&picture->metadata);
    memset(picture, 0, sizeof *picture);
}
