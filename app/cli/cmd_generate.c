/* cmd_generate.c - `safelight generate`. */
#include "app/cli/cli.h"
#include "app/cli/dynamic.h"
#include "app/cli/interrupt.h"
#include "app/cli/previews.h"
#include "app/cli/session.h"
#include "app/cli/word_maps.h"
#include "app/files/files.h"
#include "app/image/image.h"
#include "app/record/record.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Generate {
    SlSession session;
    SlRecipe recipe; /* of all pictures, but for what is each one's own */
    SlInputArrays arrays;
    SlDynamic dynamic;
    int number;  /* of the picture, from 0 */
    cJSON *list; /* --json with --dynamic: the results */
    SlGenerated picture;
    SlTensorWriter *dump;           /* NULL without --dump */
    SlWordBook *words;              /* NULL without --word-maps */
    SlReel reel;                    /* of --animation */
    uint8_t *animated;              /* its picture */
    char heading[512], widest[128]; /* of its captions */
    const char *output;             /* NULL: no picture is asked for */
    char free_name[32];             /* output when nothing was said */
    char *own_name;                 /* output of one of several */
} Generate;

/* ---- --dump ---- */

static bool dump_start(SlTensorWriter *w, const SlRun *run, SlError *err)
{
    const SlScheduler *scheduler = sl_run_scheduler(run);
    int64_t evaluations = sl_run_evaluations(run), size[3];
    int count = 0;
    const double *sigmas = sl_scheduler_sigmas(scheduler, &count);
    int64_t longest = evaluations > count ? evaluations : count;
    float *values = malloc(sizeof *values * (size_t)(longest > 0 ? longest : 1));
    if (!values)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    for (int i = 0; i < evaluations; i++)
        values[i] = (float)sl_scheduler_timestep(scheduler, i);
    sl_tensor_writer_add(w, "timesteps", 1, &evaluations, values);
    for (int i = 0; i < count; i++)
        values[i] = (float)sigmas[i];
    size[0] = count;
    sl_tensor_writer_add(w, "sigmas", 1, size, values);
    free(values);
    const float *text = sl_run_text_embeddings(run, size);
    if (text)
        sl_tensor_writer_add(w, "text_embeddings", 3, size, text);
    return true;
}

static void dump_frame(SlTensorWriter *w, const SlFrame *frame)
{
    char name[32];
    const int64_t size[4] = {1, frame->channels, frame->height, frame->width};
    snprintf(name, sizeof name, "latents.%d", frame->evaluation);
    sl_tensor_writer_add(w, name, 4, size, frame->x_t);
    snprintf(name, sizeof name, "x0.%d", frame->evaluation);
    sl_tensor_writer_add(w, name, 4, size, frame->x_0);
}

static bool save_dump(Generate *g, SlError *err)
{
    const int64_t size[3] = {3, g->picture.height, g->picture.width};
    if (!g->dump)
        return true;
    sl_tensor_writer_add(g->dump, "image", 3, size, g->picture.image);
    return sl_tensor_writer_save(g->dump, g->session.options->dump, err);
}

/* ---- --animation ---- */

static bool begin_animation(Generate *g, const SlRun *run, SlError *err)
{
    const SlRecipe *recipe = sl_run_recipe(run);
    return !g->reel.path || (sl_reel_heading(&recipe, 1, g->heading, sizeof g->heading, err) &&
                             sl_step_caption_widest(recipe->steps, sl_run_evaluations(run),
                                                    g->widest, sizeof g->widest, err));
}

static bool add_to_animation(Generate *g, const SlFrame *frame, int width, int height, SlError *err)
{
    const SlStepCaption caption = {frame->step + 1, frame->steps, frame->sigma,
                                   frame->evaluation + 1};
    SlSheetTile tile = {.rgb = g->animated};
    const SlReelPicture picture = {.sheet = {.width = width,
                                             .height = height,
                                             .heading = g->heading,
                                             .count = 1,
                                             .tile = &tile},
                                   .widest = g->widest,
                                   .last = frame->last};
    return sl_step_caption(&caption, tile.detail, sizeof tile.detail, err) &&
           sl_reel_add(&g->reel, &picture, err);
}

/* A step that is finished is in the animation, also where a stop comes while it is decoded: replay
 * finds both or neither. */
static bool decode_animated(Generate *g, const SlSample *sample, SlError *err)
{
    SlModel *model = g->session.model;
    SlError problem = {0};
    if (sl_sample_decode(model, sample, NULL, g->animated, &problem))
        return true;
    if (problem.code == SL_CANCELLED) {
        sl_device_clear(sl_model_device(model));
        return sl_sample_decode(model, sample, NULL, g->animated, err);
    }
    return sl_fail(err, problem.code, "%s", problem.message);
}

/* The predicted picture at the ends of steps, so many as fit in a film. */
static bool animate(Generate *g, const SlFrame *frame, SlError *err)
{
    SlModel *model = g->session.model;
    int factor = sl_model_info(model)->factor;
    int width = frame->width * factor, height = frame->height * factor;
    if (!g->reel.path || !frame->ends_step ||
        !(frame->last || sl_film_wants(frame->step, frame->steps)))
        return true;
    if (!g->animated && !(g->animated = malloc((size_t)width * (size_t)height * 3)))
        return sl_fail(err, SL_MEMORY, "memory ran out for an animation");
    const SlSample sample = sl_frame_sample(frame, frame->last ? frame->x_t : frame->x_0);
    return decode_animated(g, &sample, err) && add_to_animation(g, frame, width, height, err);
}

static bool save_animation(Generate *g, SlError *err)
{
    if (!g->reel.animation)
        return true;
    const SlReelSum sum = sl_reel_sum(&g->reel);
    char *json = sl_film_to_text(&g->picture.metadata, &sum, g->reel.path, err);
    bool ok = json && sl_reel_save(&g->reel, json, err);
    free(json);
    return ok;
}

/* What the picture needs, for who watches: one line on a terminal, nothing elsewhere. That there is less memory is no
 * reason to stop here: the run refuses by its own rule what cannot be. */
static void say_estimate(const Generate *g, const SlRun *run)
{
    SlModel *model = g->session.model;
    SlEstimate cost;
    SlError ignored = {0};
    if (g->session.options->quiet || !isatty(STDERR_FILENO) ||
        !sl_estimate(sl_model_info(model), sl_run_recipe(run), sl_model_dtypes(model), &cost,
                     &ignored))
        return;
    size_t left = sl_device_memory(sl_model_device(model));
    left = left == SIZE_MAX ? sl_host_memory_left("") : left;
    uint64_t waiting = sl_model_waiting_bytes(model);
    uint64_t has = cost.weights > waiting ? cost.weights - waiting : 0;
    uint64_t there = left < SIZE_MAX - has ? left + has : SIZE_MAX;
    uint64_t needed = cost.bytes > there ? cost.least : cost.bytes;
    sl_session_note(&g->session, "%d x %d, %d evaluations: about %s of memory%s%s, %.3g TFLOP",
                    sl_run_recipe(run)->width, sl_run_recipe(run)->height, cost.evaluations,
                    sl_bytes_text(needed).text, needed > there ? ", more than there is: " : "",
                    needed > there ? sl_bytes_text(there).text : "",
                    sl_estimate_flops(&cost) / 1e12);
}

static bool on_frame(void *arg, SlRun *run, const SlFrame *frame, SlError *err)
{
    Generate *g = arg;
    if (!frame) {
        sl_progress_end(&g->session.progress);
        if (g->dump && !dump_start(g->dump, run, err))
            return false;
        say_estimate(g, run);
        sl_progress_follow(&g->session.progress, g->session.options->quiet, g->session.model,
                           &(SlProgressAt){.total = sl_run_evaluations(run)});
        return begin_animation(g, run, err) && sl_word_maps_frame(g->words, run, NULL, err);
    }
    sl_progress_step(&g->session.progress, frame->evaluation + 1);
    if (frame->refined || frame->last)
        sl_progress_say(&g->session.progress, frame->last ? "decoding" : "refiner");
    if (g->dump)
        dump_frame(g->dump, frame);
    if (!animate(g, frame, err) || !sl_previews_frame(&g->session, frame, err) ||
        !sl_word_maps_frame(g->words, run, frame, err))
        return false;
    return !sl_interrupted() || sl_fail(err, SL_CANCELLED, "interrupted");
}

/* ---- the result ---- */

/* The first of safelight-0001.png ... that is not there yet. */
static bool choose_name(Generate *g, SlError *err)
{
    for (int i = 1; i < 10000; i++) {
        snprintf(g->free_name, sizeof g->free_name, "safelight-%04d.png", i);
        if (!sl_is_taken(g->free_name)) {
            g->output = g->free_name;
            return true;
        }
    }
    return sl_fail(err, SL_IO, "10,000 pictures are here already; say --output");
}

static int report(Generate *g)
{
    const SlGenerated *p = &g->picture;
    const SlOptions *o = g->session.options;
    if (p->metadata.warnings)
        sl_session_note(&g->session, "%s", p->metadata.warnings);
    if (!o->json) {
        if (g->output)
            puts(g->output);
        return SL_EXIT_OK;
    }
    cJSON *root = sl_metadata_to_object(&p->metadata);
    SlJsonOut out = {.failed = root == NULL};
    if (g->output)
        sl_out_text(&out, root, "output", g->output);
    sl_out_number(&out, root, "width", p->width);
    sl_out_number(&out, root, "height", p->height);
    sl_out_number(&out, root, "evaluations", p->evaluations);
    sl_out_number(&out, root, "cached", p->cached);
    sl_out_number(&out, root, "seconds", p->seconds);
    sl_out_number(&out, root, "load_seconds", g->session.load_seconds);
    root = sl_out_end(&out, root);
    if (!g->dynamic.on)
        return sl_print_json(root);
    if (root && cJSON_AddItemToArray(g->list, root))
        return SL_EXIT_OK;
    cJSON_Delete(root);
    return sl_print_json(NULL);
}

/* Another process may have taken the name meanwhile: then it is the next one. */
static bool save_new(Generate *g, SlError *err)
{
    const SlGenerated *p = &g->picture;
    do {
        if (!choose_name(g, err))
            return false;
        if (sl_metadata_write_new(g->free_name, p->rgb, p->width, p->height, &p->metadata, err))
            return true;
    } while (sl_is_taken(g->free_name));
    return false;
}

static bool save_picture(Generate *g, SlError *err)
{
    const SlGenerated *p = &g->picture;
    sl_metadata_set_model(&g->picture.metadata, sl_session_identity_kept(&g->session));
    return !g->output ||
           (g->output == g->free_name
                ? save_new(g, err)
                : sl_metadata_write(g->output, p->rgb, p->width, p->height, &p->metadata, err));
}

/* Only a dump's name may end as it likes. */
static bool check_dump(const SlOptions *o, SlError *err)
{
    const char *const others[] = {o->output, o->animation};
    static const char *const names[] = {"output", "animation"};
    if (!o->dump)
        return true;
    for (int i = 0; i < 2; i++)
        if (others[i] && sl_same_place(o->dump, others[i]))
            return sl_fail(err, SL_ARGUMENT, "--dump and --%s are one file, %s; expected two",
                           names[i], o->dump);
    return sl_atomic_check(o->dump, err);
}

static bool prepare(Generate *g, const SlOptions *o, SlError *err)
{
    if (!sl_dynamic_open(&g->dynamic, o, err))
        return false;
    if (g->dynamic.on && o->json && !(g->list = cJSON_CreateArray()))
        return sl_fail(err, SL_MEMORY, "memory ran out");
    g->reel.path = o->animation;
    if (!sl_options_look(o, false, &g->reel.look, err) ||
        (o->output && !sl_atomic_check(o->output, err)) || !check_dump(o, err) ||
        (o->animation && !sl_atomic_check(o->animation, err)) || !sl_previews_check(o, err) ||
        !sl_word_maps_check(o, err))
        return false;
    if (o->dump && !(g->dump = sl_tensor_writer_new()))
        return sl_fail(err, SL_MEMORY, "memory ran out");
    return sl_session_open(&g->session, o, NULL, err) && sl_previews_open(&g->session, err) &&
           sl_word_maps_open(&g->session, &g->words, err) &&
           sl_session_recipe(&g->session, &g->recipe, err) &&
           sl_session_inputs(&g->session, &g->recipe, &g->arrays, err);
}

/* Where the picture goes. */
static bool name_output(Generate *g, SlError *err)
{
    const SlOptions *o = g->session.options;
    free(g->own_name);
    g->own_name = o->output ? sl_dynamic_name(&g->dynamic, o->output, g->number) : NULL;
    g->output = g->own_name;
    if (o->output)
        return g->output || sl_fail(err, SL_MEMORY, "memory ran out");
    return o->dump || o->previews || o->animation || o->word_maps || choose_name(g, err);
}

static bool compute(Generate *g, SlError *err)
{
    SlRecipe recipe = g->recipe;
    sl_dynamic_take(&g->dynamic, g->session.options, g->number, &recipe);
    const SlGeneration job = {.model = g->session.model,
                              .recipe = &recipe,
                              .inputs = &g->arrays.inputs,
                              .want_image = g->dump != NULL,
                              .frame = on_frame,
                              .arg = g};
    bool ok = name_output(g, err);
    if (ok)
        sl_session_wait(&g->session, false);
    ok = ok && sl_generate(&job, &g->picture, err);
    sl_progress_end(&g->session.progress);
    return ok && save_picture(g, err) && save_animation(g, err) && save_dump(g, err) &&
           sl_word_maps_save(g->words, &g->picture, err);
}

/* One picture after the other, as long as nothing stops them. */
static int compute_all(Generate *g, SlError *err)
{
    int status = SL_EXIT_OK;
    for (; status == SL_EXIT_OK && g->number < g->dynamic.count; g->number++) {
        if (!compute(g, err))
            return sl_session_fail(&g->session, err);
        int printed = report(g);
        status = sl_session_stopped(&g->session, &g->picture.metadata, &g->picture.problem);
        status = status ? status : printed;
        sl_picture_free(&g->picture);
        memset(&g->picture, 0, sizeof g->picture);
    }
    return status;
}

int sl_cmd_generate(const SlOptions *options)
{
    Generate *g = calloc(1, sizeof *g);
    SlError err = {0};
    int status;
    if (!g) {
        sl_fail(&err, SL_MEMORY, "memory ran out");
        return sl_fail_exit(&err);
    }
    g->session.options = options;
    status = prepare(g, options, &err) ? compute_all(g, &err) : sl_session_fail(&g->session, &err);
    if (g->list && g->number > 0) { /* also what there is of a series that was stopped */
        int printed = sl_print_json(g->list);
        status = status ? status : printed;
        g->list = NULL;
    }
    sl_picture_free(&g->picture);
    sl_inputs_free(&g->arrays);
    sl_tensor_writer_free(g->dump);
    sl_reel_free(&g->reel);
    cJSON_Delete(g->list);
    sl_word_maps_free(g->words);
    free(g->animated);
    free(g->own_name);
    sl_session_close(&g->session);
    sl_dynamic_free(&g->dynamic);
    free(g);
    return status;
}
