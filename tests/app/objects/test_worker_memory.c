/* test_worker_memory.c - what the worker keeps of runs, in bytes: nine lanes at the size of SD 1.5, long runs that keep
 * some frames whole and make the others again to the same bytes, decoded pictures; and what is left of a run
 * that broke. */
#include "gobject.h"

#include <malloc.h>
#include <math.h>

#include "app/objects/sl-frame-object-private.h"
#include "app/objects/worker/sl-worker-private.h"
#include "app/record/timeline_private.h"
#include "broken.h"

#define MIB ((gsize)1 << 20)

typedef struct {
    SlWorker *worker;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    fixture->worker = sl_worker_new();
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    sl_worker_shutdown(fixture->worker);
    g_assert_finalize_object(fixture->worker);
}

static void run_to_end(Fixture *fixture, SlJob *job)
{
    sl_worker_start(fixture->worker, job);
    WAIT_UNTIL(sl_job_is_over(job));
}

static SlFrameObject *frame_of(SlJob *job, guint index)
{
    g_autoptr(SlFrameObject) frame = g_list_model_get_item(sl_job_get_frames(job), index);

    return frame; /* the list holds it */
}

static GBytes *sample_of(SlJob *job, guint index, SlView view)
{
    int channels, height, width;

    return sl_frame_object_get_sample(frame_of(job, index), view, &channels, &height, &width);
}

/* ---- what is kept ---- */

/* Whatever the sizes: within the bytes, or as little as there can be. */
static void test_plans(void)
{
    static const int sides[] = {8, 32, 64, 128, 256}, evaluations[] = {1, 2, 50, 99, 1000, 1999};
    static const gsize budgets[] = {1 << 16, 4 * MIB, SL_FRAMES_LIMIT / 9, SL_FRAMES_LIMIT};
    g_autoptr(SlModelItem) item = open_fixture("sd1");
    g_autoptr(SlJob) job = fixture_job(item, 1);
    int fitted = 0, whole = 0;

    for (guint s = 0; s < G_N_ELEMENTS(sides); s++)
        for (guint e = 0; e < G_N_ELEMENTS(evaluations); e++)
            for (guint b = 0; b < G_N_ELEMENTS(budgets); b++) {
                gsize sample = (gsize)4 * sides[s] * sides[s] * sizeof(float), fixed, held, most;
                SlTimelineShape shape = {.channels = 4,
                                         .height = sides[s],
                                         .width = sides[s],
                                         .total = evaluations[e],
                                         .views = TRUE,
                                         .guided = b % 2};
                SlError err = {0};
                SlTimeline *t = sl_timeline_shaped(_sl_job_get_recipe(job), NULL, &shape, &err);

                g_assert_nonnull(t);
                fixed = sl_timeline_bytes(t);
                most = sl_timeline_whole_bytes(t);
                sl_timeline_plan_keeping(t, budgets[b], sample * 3);
                g_assert_true(sl_timeline_keep(t, &err));
                /* with the states and the stretch that come later */
                held = sl_timeline_bytes(t) - fixed;
                if (sl_timeline_interval(t) > 1)
                    held += t->slots * sample * 3 +
                            t->room * (sample * 2 + sample / 2 * (1 + shape.guided));
                if (most <= budgets[b])
                    g_assert_cmpint(sl_timeline_interval(t), ==, 1);
                whole += sl_timeline_interval(t) == 1;
                g_assert_cmpuint(held, <=, MAX(most, budgets[b]));
                fitted += held <= budgets[b];
                sl_timeline_free(t);
            }
    g_test_message("%d within the bytes, %d whole", fitted, whole);
    g_assert_cmpint(fitted, >, 70);
    g_assert_cmpint(whole, >, 30);
}

/* ---- nine lanes ---- */

static const char *const nine[] = {"pndm", "ddim",  "euler",    "euler-a",     "heun",
                                   "lms",  "unipc", "dpmpp-2m", "dpmpp-2m-sde"};

static gsize in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* All moments of a run of these sizes, with values from nowhere: the model is not needed for what they take. */
static void fill(SlTimeline *timeline, const float *values)
{
    while (!sl_timeline_done(timeline)) {
        SlMoment moment = timeline->moments[timeline->count];
        int height, width;

        moment.x_t = values;
        moment.x_0 = values + 1;
        moment.output = values + 2;
        for (int noisy = 0; noisy < 2; noisy++)
            memset(sl_timeline_preview_place(timeline, timeline->count, noisy, &height, &width),
                   noisy, 1);
        sl_timeline_record(timeline, &moment);
    }
    memset(timeline->half[1], 1, timeline->slots * timeline->elements * sizeof(guint16));
}

static SlJob *recorded_job(SlModelItem *item, SlTimeline *timeline, SlJob *parent, guint inherited)
{
    g_autoptr(SlSettings) settings = fixture_settings(item, 50);
    SlMetadata *metadata = g_new0(SlMetadata, 1);
    const SlRecordedJob recorded = {.model = item,
                                    .settings = settings,
                                    .timeline = timeline,
                                    .metadata = metadata,
                                    .done = TRUE,
                                    .parent = parent,
                                    .inherited = inherited};

    metadata->recipe = sl_recipe_copy(sl_timeline_recipe(timeline));
    metadata->origin = sl_origin_copy(sl_timeline_origin(timeline));
    return _sl_job_new_recorded(&recorded);
}

/* Latents of 4 x 64 x 64, as at 512 x 512: everything whole, in less than the runs may take; with all the
 * decoded pictures there can be, in less than 200 MiB. */
static void test_nine_lanes(void)
{
    g_autoptr(SlModelItem) item = open_fixture("sd1");
    g_autofree char *path = fixture_path("sd1");
    g_autofree float *values = g_new0(float, 4 * 64 * 64 + 4);
    SlError err = {0};
    SlModel *model = sl_model_open(path, &(SlModelOptions){.device = "cpu", .threads = 1}, &err);
    const SlTimelineOptions options = {.views = true, .keep_later = true};
    SlJob *jobs[9];
    gsize bytes = 0, whole = 0, before = 0, one, taken;

    g_assert_nonnull(model);
    g_assert_cmpint(sl_model_info(model)->channels, ==, 4);
    for (int i = 0; i < 9; i++) {
        SlRecipe recipe;
        SlTimeline *timeline;

        sl_recipe_defaults(&recipe, sl_model_info(model));
        recipe.scheduler = nine[i];
        recipe.steps = 50;
        recipe.width = recipe.height = 64 * sl_model_info(model)->factor;
        timeline = sl_timeline_new(model, &recipe, &options, &err);
        g_assert_cmpstr(err.message, ==, "");
        before = i ? before : in_use();
        one = sl_timeline_whole_bytes(timeline);
        whole += one;
        /* its part of the limit, where nothing is left for the predictions before guidance */
        g_assert_true(sl_timeline_set_budget(timeline, one + one / 20, &err));
        sl_timeline_rest(timeline);
        fill(timeline, values);
        jobs[i] = recorded_job(item, timeline, NULL, 0);
        sl_timeline_free(timeline);
        g_assert_cmpint(sl_timeline_interval(timeline), ==, 1);
        bytes += _sl_job_get_bytes(jobs[i]);
    }
    taken = in_use() - before;
    g_test_message("nine lanes: %.1f MiB of timelines, %.1f MiB of memory", (double)bytes / MIB,
                   (double)taken / MIB);
    g_assert_cmpuint(whole, <=, SL_FRAMES_LIMIT);
    g_assert_cmpuint(bytes, <, whole + whole / 20);
    g_assert_cmpuint(taken, <, bytes + bytes / 20);
    g_assert_cmpuint(bytes + bytes / 20 + SL_DECODED_LIMIT, <, 200 * MIB);
    for (int i = 0; i < 9; i++)
        g_object_unref(jobs[i]);
    sl_model_close(&model);
}

/* ---- decoded pictures ---- */

/* Those not looked at for longest go first, and no more are kept than the limit says. */
static void test_decoded(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelItem) model = open_fixture("ddpm");
    g_autoptr(SlJob) job = fixture_job(model, 60);
    g_autoptr(GBytes) picture = g_bytes_new_take(g_malloc0(MIB), MIB);

    run_to_end(fixture, job);
    for (guint i = 0; i < 60; i++) {
        SlFrameObject *frame = frame_of(job, i);

        /* the first one is looked at again and again */
        g_assert_false(sl_worker_decode(fixture->worker, job, frame_of(job, 0), SL_VIEW_PICTURE));
        _sl_frame_object_set_decoded(frame, SL_VIEW_NOISY, picture, 512, 682);
        sl_decoded_add(_sl_worker_get_decoded(fixture->worker), frame, SL_VIEW_NOISY, FALSE);
        g_assert_cmpuint(sl_decoded_get_bytes(_sl_worker_get_decoded(fixture->worker)), <=,
                         SL_DECODED_LIMIT);
    }
    g_assert_cmpuint(sl_decoded_get_bytes(_sl_worker_get_decoded(fixture->worker)), >,
                     SL_DECODED_LIMIT - 2 * MIB);
    g_assert_true(sl_frame_object_is_decoded(frame_of(job, 0), SL_VIEW_PICTURE));
    g_assert_false(sl_frame_object_is_decoded(frame_of(job, 0), SL_VIEW_NOISY));
    g_assert_false(sl_frame_object_is_decoded(frame_of(job, 15), SL_VIEW_NOISY));
    g_assert_true(sl_frame_object_is_decoded(frame_of(job, 59), SL_VIEW_NOISY));
}

/* Nothing is kept of a run that nobody holds: neither its pictures nor, through them, all its moments. */
static void test_given_up(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelItem) model = open_fixture("sd1");
    SlDecoded *decoded = _sl_worker_get_decoded(fixture->worker);
    SlJob *job = fixture_job(model, 3);
    SlFrameObject *last;

    run_to_end(fixture, job);
    last = sl_job_get_last_frame(job);
    g_object_add_weak_pointer(G_OBJECT(last), (gpointer *)&last);
    g_assert_cmpuint(sl_decoded_get_bytes(decoded), >, 0);
    g_object_unref(job);
    WAIT_UNTIL(last == NULL);
    g_assert_cmpuint(sl_decoded_get_bytes(decoded), ==, 0);
}

/* ---- long runs ---- */

/* Every frame of light, whole or made again, is the same as that of whole. */
static void check_frames(Fixture *fixture, SlJob *light, SlJob *whole, guint stride)
{
    guint n = count_frames(whole);

    g_assert_cmpuint(count_frames(light), ==, n);
    for (guint k = 0; k < n / 4; k++) {
        guint i = k * stride % n;
        SlFrameObject *frame = frame_of(light, i);

        sl_worker_decode(fixture->worker, light, frame, SL_VIEW_NOISY);
        WAIT_UNTIL(sl_frame_object_is_decoded(frame, SL_VIEW_NOISY));
        for (SlView view = 0; view < SL_N_VIEWS; view++)
            g_assert_true(g_bytes_equal(sample_of(light, i, view), sample_of(whole, i, view)));
    }
}

static void test_long_run(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelItem) model = open_fixture("ddpm");
    g_autoptr(SlJob) whole = fixture_job(model, 200);
    g_autoptr(SlJob) light = fixture_job(model, 200);
    g_autoptr(SlJob) branch = NULL;
    gsize budget;
    guint kept = 0;

    run_to_end(fixture, whole);
    g_assert_cmpint(sl_job_get_state(whole), ==, SL_JOB_DONE);
    budget = _sl_job_get_bytes(whole) / 2;
    sl_worker_set_budget(fixture->worker, budget);
    run_to_end(fixture, light);
    for (guint i = 0; i < 200; i++)
        kept += sample_of(light, i, SL_VIEW_NOISY) != NULL;
    g_test_message("200 steps: %u frames whole, %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes",
                   kept, _sl_job_get_bytes(light), budget);
    g_assert_cmpuint(_sl_job_get_bytes(light), <=, budget);
    g_assert_cmpuint(kept, >, 5);
    g_assert_cmpuint(kept, <, 100);
    check_frames(fixture, light, whole, 37);
    /* it can be branched from anywhere */
    branch = sl_job_new_branch(light, 111, sl_job_get_settings(light));
    run_to_end(fixture, branch);
    g_assert_cmpint(sl_job_get_state(branch), ==, SL_JOB_DONE);
    g_assert_true(
        g_bytes_equal(sample_of(branch, 199, SL_VIEW_NOISY), sample_of(whole, 199, SL_VIEW_NOISY)));
}

static void wait_for_main(gpointer lock)
{
    g_mutex_lock(lock);
    g_mutex_unlock(lock);
}

static void written(const char *path, const GError *error, gpointer done)
{
    g_assert_no_error(error);
    *(gboolean *)done = TRUE;
}

/* A frame lets go of what was made again before the file's thread comes to it. */
static void test_dropped_while_written(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelItem) model = open_fixture("ddpm");
    g_autoptr(SlJob) job = fixture_job(model, 24);
    g_autofree char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "step.png", NULL);
    SlThreadQueue *files = sl_thread_queue_new("files");
    SlMetadata metadata = {0};
    SlFrameObject *frame;
    gboolean done = FALSE;
    guint light = 0;
    GMutex lock;

    sl_worker_set_budget(fixture->worker, 1);
    run_to_end(fixture, job);
    while (!_sl_frame_object_is_light(frame_of(job, light)))
        light++;
    frame = frame_of(job, light);
    sl_worker_decode(fixture->worker, job, frame, SL_VIEW_PICTURE);
    WAIT_UNTIL(sl_frame_object_is_decoded(frame, SL_VIEW_PICTURE));
    g_mutex_init(&lock);
    g_mutex_lock(&lock);
    sl_thread_queue_push(files, FALSE, wait_for_main, NULL, &lock, NULL);
    sl_writer_save(files, job, frame, path, written, &done);
    _sl_frame_object_set_decoded(frame, SL_VIEW_PICTURE, NULL, 0, 0);
    g_assert_null(sample_of(job, light, SL_VIEW_PICTURE));
    g_mutex_unlock(&lock);
    WAIT_UNTIL(done);
    g_assert_true(sl_metadata_read(path, &metadata, NULL));
    g_assert_cmpuint(strlen(metadata.latents_sha256), ==, 64);
    sl_metadata_free(&metadata);
    sl_thread_queue_close(files);
    g_mutex_clear(&lock);
    remove_folder(folder);
}

/* Lanes share the bytes; one that is added later has what the others leave. */
static void test_long_lanes(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelItem) model = open_fixture("ddpm");
    g_autoptr(SlJob) whole = fixture_job(model, 120);
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(g_object_unref);
    gsize bytes = 0, each;

    run_to_end(fixture, whole);
    each = _sl_job_get_bytes(whole) / 2;
    sl_worker_set_budget(fixture->worker, each);
    for (int i = 0; i < 3; i++)
        g_ptr_array_add(jobs, fixture_job(model, 120));
    sl_worker_start_together(fixture->worker, jobs);
    for (int i = 0; i < 3; i++) {
        WAIT_UNTIL(sl_job_is_over(jobs->pdata[i]));
        bytes += _sl_job_get_bytes(jobs->pdata[i]);
    }
    g_assert_cmpuint(bytes, <=, 3 * each);
    check_frames(fixture, jobs->pdata[2], whole, 53);
}

/* ---- lanes as one batch ---- */

static double distance(GBytes *a, GBytes *b)
{
    const float *x = g_bytes_get_data(a, NULL), *y = g_bytes_get_data(b, NULL);
    gsize n = g_bytes_get_size(a) / sizeof(float);
    double sum = 0;

    g_assert_cmpuint(g_bytes_get_size(a), ==, g_bytes_get_size(b));
    for (gsize i = 0; i < n; i++)
        sum += (x[i] - y[i]) * (double)(x[i] - y[i]);
    return sqrt(sum / (double)n);
}

/* Lanes of other schedulers, guidance and numbers of steps, one of which is stopped on the way. */
static GPtrArray *lanes_of(SlModelItem *model)
{
    GPtrArray *jobs = g_ptr_array_new_with_free_func(g_object_unref);

    for (int i = 0; i < 5; i++) {
        g_autoptr(SlSettings) settings = fixture_settings(model, i == 4 ? 900 : 6 + i);

        g_object_set(settings, "scheduler", nine[i], "guidance", i == 2 ? 1.0 : 4.0, NULL);
        g_ptr_array_add(jobs, sl_job_new(model, settings, SL_PREVIEWS_AUTOMATIC));
    }
    return jobs;
}

static void run_lanes(Fixture *fixture, GPtrArray *jobs)
{
    sl_worker_start_together(fixture->worker, jobs);
    for (int i = 0; i < 4; i++)
        WAIT_UNTIL(sl_job_is_over(jobs->pdata[i]));
    sl_worker_stop(fixture->worker, jobs->pdata[4]);
}

static void test_fast(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelItem) model = open_fixture("sd1");
    g_autoptr(GPtrArray) alone = lanes_of(model);
    g_autoptr(GPtrArray) fast = lanes_of(model);
    guint least = G_MAXUINT;

    run_lanes(fixture, alone);
    sl_worker_set_fast(fixture->worker, SL_FAST_ON);
    run_lanes(fixture, fast);
    for (int i = 0; i < 4; i++) {
        guint n = count_frames(alone->pdata[i]);

        g_assert_cmpint(sl_job_get_state(fast->pdata[i]), ==, SL_JOB_DONE);
        g_assert_cmpuint(count_frames(fast->pdata[i]), ==, n);
        /* the one without guidance has nobody to go with */
        g_assert_cmpint(_sl_job_get_metadata(fast->pdata[i])->fast, ==, i != 2);
        g_assert_false(_sl_job_get_metadata(alone->pdata[i])->fast);
        g_assert_cmpfloat(distance(sample_of(fast->pdata[i], n - 1, SL_VIEW_NOISY),
                                   sample_of(alone->pdata[i], n - 1, SL_VIEW_NOISY)),
                          <, 1e-4);
        least = MIN(least, n);
    }
    /* they moved together: when the first was over, the long one was as far */
    g_assert_cmpuint(count_frames(fast->pdata[4]), >=, least);
    g_assert_cmpint(sl_job_get_state(fast->pdata[4]), ==, SL_JOB_STOPPED);
}

/* ---- branches of runs that were read from a file ---- */

/* The run as a file gives it back: what is kept of it, but nothing to bring its scheduler to a step with. */
static SlTimeline *as_loaded(SlJob *job)
{
    SlTimeline *timeline = _sl_job_get_timeline(job), *loaded;
    SlTimelineShape shape = {.total = sl_timeline_total(timeline), .interval = 1, .views = TRUE};
    SlError err = {0};

    sl_timeline_size(timeline, &shape.channels, &shape.height, &shape.width);
    loaded = sl_timeline_shaped(sl_timeline_recipe(timeline), sl_timeline_origin(timeline), &shape,
                                &err);
    g_assert_nonnull(loaded);
    for (int i = 0; i < shape.total; i++) {
        loaded->moments[i] = *sl_timeline_moment(timeline, i);
        sl_timeline_record(loaded, &timeline->moments[i]);
    }
    return loaded;
}

static void test_loaded_branch(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelItem) model = open_fixture("sd1");
    g_autoptr(SlJob) root = fixture_job(model, 8);
    g_autoptr(SlSettings) other = sl_settings_dup(sl_job_get_settings(root));
    g_autoptr(SlJob) branch = NULL;
    g_autoptr(SlJob) loaded_root = NULL;
    g_autoptr(SlJob) loaded = NULL;
    g_autoptr(SlJob) one = NULL;
    g_autoptr(SlJob) two = NULL;
    SlTimeline *timelines[2];
    guint last;

    g_object_set(other, "scheduler", "euler", "guidance", 2.0, NULL);
    run_to_end(fixture, root);
    branch = sl_job_new_branch(root, 3, other);
    run_to_end(fixture, branch);
    timelines[0] = as_loaded(root);
    timelines[1] = as_loaded(branch);
    loaded_root = recorded_job(model, timelines[0], NULL, 0);
    loaded = recorded_job(model, timelines[1], loaded_root, sl_job_get_branch_point(branch));
    g_assert_cmpuint(count_frames(loaded), ==, count_frames(branch));
    sl_timeline_free(timelines[0]);
    sl_timeline_free(timelines[1]);
    g_object_set(other, "scheduler", "ddim", NULL);
    one = sl_job_new_branch(branch, 6, other);
    two = sl_job_new_branch(loaded, 6, other);
    run_to_end(fixture, one);
    run_to_end(fixture, two);
    g_assert_cmpint(sl_job_get_state(two), ==, SL_JOB_DONE);
    last = count_frames(one) - 1;
    g_assert_cmpuint(count_frames(two), ==, last + 1);
    g_assert_true(
        g_bytes_equal(sample_of(one, last, SL_VIEW_NOISY), sample_of(two, last, SL_VIEW_NOISY)));
}

/* ---- runs that break ---- */

typedef struct {
    const char *weights, *tensor;
    float factor;
    const char *part;
} Break;

static const Break breaks[] = {
    {"text_encoder/model", "final_layer_norm.weight", 2e38f, "the text encoder's output"},
    {"unet/diffusion_pytorch_model", "conv_out.weight", 3e38f, "the UNet's output"},
    {"unet/diffusion_pytorch_model", "conv_out.weight", 1e37f, "the UNet's output"},
    {"vae/diffusion_pytorch_model", "decoder.conv_norm_out.weight", 3e38f, "the VAE's picture"},
};

/* The job fails with a sentence that names part and step, and keeps the frames before. */
static void test_not_finite(Fixture *fixture, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(breaks); i++) {
        g_autofree char *folder = temporary_folder();
        g_autofree char *path = g_build_filename(folder, "broken", NULL);
        g_autofree char *from = fixture_path("sd1");
        g_autofree char *at = NULL;
        g_autoptr(SlModelItem) model = NULL;
        g_autoptr(SlSettings) settings = NULL;
        g_autoptr(SlJob) job = NULL;

        g_assert_true(
            broken_model(from, path, breaks[i].weights, breaks[i].tensor, breaks[i].factor));
        model = sl_model_item_open(path, NULL);
        settings = fixture_settings(model, 6);
        g_object_set(settings, "scheduler", "euler", NULL);
        job = sl_job_new(model, settings, SL_PREVIEWS_AUTOMATIC);
        run_to_end(fixture, job);
        g_test_message("%u frames: %s", count_frames(job), sl_job_get_message(job));
        g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_FAILED);
        g_assert_nonnull(strstr(sl_job_get_message(job), breaks[i].part));
        g_assert_nonnull(strstr(sl_job_get_message(job), "is not a finite number"));
        at = g_strdup_printf("step %u of 6", i == 3 ? 6 : count_frames(job) + 1);
        if (i > 0)
            g_assert_nonnull(strstr(sl_job_get_message(job), at));
        g_assert_cmpuint(count_frames(job), >=, i == 3 ? 6 : i == 2 ? 1 : 0);
        for (guint f = 0; f < count_frames(job); f++)
            g_assert_nonnull(sample_of(job, f, SL_VIEW_NOISY));
        remove_folder(folder);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keep/plans", test_plans);
    g_test_add_func("/keep/nine-lanes", test_nine_lanes);
#define ADD(name, function) g_test_add("/keep/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("decoded", test_decoded);
    ADD("given-up", test_given_up);
    ADD("long-run", test_long_run);
    ADD("dropped-while-written", test_dropped_while_written);
    ADD("long-lanes", test_long_lanes);
    ADD("fast", test_fast);
    ADD("loaded-branch", test_loaded_branch);
    ADD("not-finite", test_not_finite);
    return g_test_run();
}
