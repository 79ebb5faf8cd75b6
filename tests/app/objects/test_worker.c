/* test_worker.c - the worker and the queue without a display: runs, stops, decodes, order, failures,
 * and that the main thread is never kept waiting. Built with ThreadSanitizer it is the test of
 * what crosses between the threads. */
#include "gobject.h"

#include "app/objects/sl-job-private.h"
#include "broken.h"

typedef struct {
    SlWorker *worker;
    SlQueue *queue;
    SlModelItem *model;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    fixture->worker = sl_worker_new();
    fixture->queue = sl_queue_new(fixture->worker);
    fixture->model = open_fixture("sd1");
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    sl_worker_shutdown(fixture->worker);
    g_clear_object(&fixture->queue);
    g_assert_finalize_object(fixture->worker);
    g_clear_object(&fixture->model);
}

static void test_run(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) job = fixture_job(fixture->model, 6);
    SlFrameObject *last;
    int width, height;

    sl_queue_add(fixture->queue, job);
    g_assert_true(sl_queue_get_current(fixture->queue) == job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_null(sl_job_get_message(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    g_assert_cmpint(count_frames(job), ==, sl_job_get_evaluations(job));
    g_assert_cmpint(count_frames(job), >=, 6);
    last = sl_job_get_last_frame(job);
    g_assert_true(sl_frame_object_is_last(last));
    g_assert_cmpint(sl_frame_object_get_step(last), ==, 5);
    g_assert_true(sl_frame_object_is_decoded(last, SL_VIEW_PICTURE));
    sl_frame_object_get_rgb(last, SL_VIEW_PICTURE, &width, &height);
    g_assert_cmpint(width, ==, sl_model_item_get_width(fixture->model));
    g_assert_cmpint(height, ==, sl_model_item_get_height(fixture->model));
    g_assert_null(sl_queue_get_current(fixture->queue));
}

/* Every moment has its own sample, and the levels of noise go down. */
static void test_frames(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) job = fixture_job(fixture->model, 8);
    GBytes *before = NULL;
    double sigma = G_MAXDOUBLE;

    sl_queue_add(fixture->queue, job);
    WAIT_UNTIL(sl_job_is_over(job));
    for (guint i = 0; i < count_frames(job); i++) {
        g_autoptr(SlFrameObject) frame = g_list_model_get_item(sl_job_get_frames(job), i);
        int channels, height, width;
        GBytes *sample =
            sl_frame_object_get_sample(frame, SL_VIEW_NOISY, &channels, &height, &width);

        g_assert_cmpint(sl_frame_object_get_index(frame), ==, (int)i);
        g_assert_cmpint(g_bytes_get_size(sample), ==, sizeof(float) * channels * height * width);
        g_assert_false(before && g_bytes_equal(before, sample));
        g_assert_cmpfloat(sl_frame_object_get_sigma(frame), <=, sigma);
        sigma = sl_frame_object_get_sigma(frame);
        before = sample;
    }
}

static void test_same_bytes(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) first = fixture_job(fixture->model, 4);
    g_autoptr(SlJob) second = fixture_job(fixture->model, 4);
    int width, height;

    sl_queue_add(fixture->queue, first);
    sl_queue_add(fixture->queue, second);
    WAIT_UNTIL(sl_job_is_over(second));
    g_assert_true(g_bytes_equal(
        sl_frame_object_get_rgb(sl_job_get_last_frame(first), SL_VIEW_PICTURE, &width, &height),
        sl_frame_object_get_rgb(sl_job_get_last_frame(second), SL_VIEW_PICTURE, &width, &height)));
}

static void test_stop(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) job = fixture_job(fixture->model, 900);
    g_autoptr(SlJob) next = fixture_job(fixture->model, 3);
    guint frames;

    sl_queue_add(fixture->queue, job);
    WAIT_UNTIL(count_frames(job) >= 2);
    sl_queue_stop(fixture->queue);
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_STOPPED);
    frames = count_frames(job);
    /* What the worker had under way arrives late and changes nothing. */
    sl_queue_add(fixture->queue, next);
    WAIT_UNTIL(sl_job_is_over(next));
    g_assert_cmpint(sl_job_get_state(next), ==, SL_JOB_DONE);
    g_assert_cmpint(count_frames(job), ==, frames);
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_STOPPED);
}

/* A moment that is looked at is decoded between two steps, and after the run. */
static void test_decode(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) job = fixture_job(fixture->model, 900);
    g_autoptr(SlFrameObject) frame = NULL;

    sl_queue_add(fixture->queue, job);
    WAIT_UNTIL(count_frames(job) >= 2);
    frame = g_list_model_get_item(sl_job_get_frames(job), 0);
    g_assert_true(sl_worker_decode(fixture->worker, job, frame, SL_VIEW_NOISY));
    WAIT_UNTIL(sl_frame_object_is_decoded(frame, SL_VIEW_NOISY));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_RUNNING);
    sl_queue_stop(fixture->queue);
    g_clear_object(&frame);
    frame = g_list_model_get_item(sl_job_get_frames(job), 1);
    g_assert_true(sl_worker_decode(fixture->worker, job, frame, SL_VIEW_NOISY));
    WAIT_UNTIL(sl_frame_object_is_decoded(frame, SL_VIEW_NOISY));
    g_assert_false(sl_worker_decode(fixture->worker, job, frame, SL_VIEW_NOISY));
}

/* The width of a step's picture when it came, before anybody asked for more. */
static int first_width(Fixture *fixture, SlPreviews previews, const char *tiny)
{
    g_autoptr(SlSettings) settings = fixture_settings(fixture->model, 2);
    g_autoptr(SlJob) job = sl_job_new(fixture->model, settings, previews);
    g_autofree char *path = fixture_path(tiny);
    g_autoptr(SlFrameObject) first = NULL;
    int width, height;

    sl_worker_set_tiny(fixture->worker, tiny ? path : "", "");
    sl_queue_add(fixture->queue, job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    first = g_list_model_get_item(sl_job_get_frames(job), 0);
    g_assert_cmpint(sl_frame_object_is_decoded(first, SL_VIEW_PICTURE), ==,
                    previews == SL_PREVIEWS_AUTOMATIC);
    g_assert_true(sl_frame_object_is_decoded(sl_job_get_last_frame(job), SL_VIEW_PICTURE));
    sl_frame_object_get_rgb(first, SL_VIEW_PICTURE, &width, &height);
    return width;
}

/* A tiny VAE's picture has full size and is no decoded one; at rest the step is decoded. */
static void test_tiny(Fixture *fixture, gconstpointer data)
{
    const char *tiny = "../previews/taesd_decoder.safetensors";
    int full = sl_model_item_get_width(fixture->model);

    g_assert_cmpint(first_width(fixture, SL_PREVIEWS_AUTOMATIC, NULL), ==, full);
    g_assert_cmpint(first_width(fixture, SL_PREVIEWS_QUICK, tiny), <, full);
    g_assert_cmpint(first_width(fixture, SL_PREVIEWS_TINY, tiny), ==, full);
    g_assert_cmpint(first_width(fixture, SL_PREVIEWS_TINY, NULL), <, full);
    g_assert_cmpint(first_width(fixture, SL_PREVIEWS_TINY, "../previews/five.safetensors"), <,
                    full);
}

static guint64 hash_result(SlJob *job)
{
    SlFrameObject *last = sl_job_get_last_frame(job);
    int channels, height, width;

    g_assert_true(sl_frame_object_is_last(last));
    return g_bytes_hash(
        sl_frame_object_get_sample(last, SL_VIEW_PICTURE, &channels, &height, &width));
}

/* A run that rested between two evaluations comes to the same bytes; what waits behind it waits, too. */
static void test_pause(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) whole = fixture_job(fixture->model, 24);
    g_autoptr(SlJob) job = fixture_job(fixture->model, 24);
    g_autoptr(SlJob) next = fixture_job(fixture->model, 3);
    g_autoptr(SlFrameObject) frame = NULL;
    guint frames;

    sl_queue_pause(fixture->queue);
    g_assert_false(sl_queue_is_paused(fixture->queue)); /* there is nothing to pause */
    sl_queue_add(fixture->queue, whole);
    WAIT_UNTIL(sl_job_is_over(whole));
    sl_queue_add(fixture->queue, job);
    sl_queue_add(fixture->queue, next);
    WAIT_UNTIL(count_frames(job) >= 3);
    sl_queue_pause(fixture->queue);
    g_assert_true(sl_queue_is_paused(fixture->queue));
    WAIT_UNTIL(sl_job_get_state(job) == SL_JOB_PAUSED);
    frames = count_frames(job);
    g_assert_cmpint(frames, <, sl_job_get_evaluations(job));
    frame = g_list_model_get_item(sl_job_get_frames(job), 1);
    g_assert_true(sl_worker_decode(fixture->worker, job, frame, SL_VIEW_NOISY));
    WAIT_UNTIL(sl_frame_object_is_decoded(frame, SL_VIEW_NOISY));
    g_assert_cmpint(count_frames(job), ==, frames);
    g_assert_true(sl_queue_get_current(fixture->queue) == job);
    g_assert_cmpint(sl_job_get_state(next), ==, SL_JOB_WAITING);
    /* Somebody who cannot decide: it goes on once. */
    sl_queue_go_on(fixture->queue);
    sl_queue_pause(fixture->queue);
    sl_queue_go_on(fixture->queue);
    WAIT_UNTIL(sl_job_is_over(next));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    g_assert_cmpint(count_frames(job), ==, sl_job_get_evaluations(job));
    g_assert_cmpuint(hash_result(job), ==, hash_result(whole));
    g_assert_false(sl_queue_is_paused(fixture->queue));
}

/* Stopping what rests lets the next one begin. */
static void test_pause_and_stop(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) job = fixture_job(fixture->model, 900);
    g_autoptr(SlJob) next = fixture_job(fixture->model, 3);

    sl_queue_add(fixture->queue, job);
    sl_queue_add(fixture->queue, next);
    sl_queue_pause(fixture->queue);
    WAIT_UNTIL(sl_job_get_state(job) == SL_JOB_PAUSED);
    sl_queue_stop(fixture->queue);
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_STOPPED);
    g_assert_false(sl_queue_is_paused(fixture->queue));
    WAIT_UNTIL(sl_job_is_over(next));
    g_assert_cmpint(sl_job_get_state(next), ==, SL_JOB_DONE);
}

static void test_queue_order(Fixture *fixture, gconstpointer data)
{
    SlJob *job[5];
    gint64 order = 0;

    for (int i = 0; i < 5; i++) {
        job[i] = fixture_job(fixture->model, i == 0 ? 900 : 2);
        sl_queue_add(fixture->queue, job[i]);
    }
    g_assert_cmpint(g_list_model_get_n_items(G_LIST_MODEL(fixture->queue)), ==, 4);
    sl_queue_move(fixture->queue, 3, 0);  /* 4 1 2 3 */
    sl_queue_remove(fixture->queue, 2);   /* 4 1 3 */
    sl_queue_move(fixture->queue, 1, 99); /* 4 3 1 */
    sl_queue_move(fixture->queue, 77, 0); /* there is none: nothing */
    sl_queue_stop(fixture->queue);
    WAIT_UNTIL(sl_job_is_over(job[4]));
    order = order * 10 + (sl_job_is_over(job[3]) ? 0 : 4);
    WAIT_UNTIL(sl_job_is_over(job[3]));
    order = order * 10 + (sl_job_is_over(job[1]) ? 0 : 3);
    WAIT_UNTIL(sl_job_is_over(job[1]));
    g_assert_cmpint(order, ==, 43);
    g_assert_cmpint(sl_job_get_state(job[2]), ==, SL_JOB_WAITING);
    for (int i = 0; i < 5; i++)
        g_object_unref(job[i]);
}

static void test_rapid_starts(Fixture *fixture, gconstpointer data)
{
    GPtrArray *jobs = g_ptr_array_new_with_free_func(g_object_unref);

    for (int i = 0; i < 200; i++) {
        SlJob *job = fixture_job(fixture->model, 1 + i % 50);

        g_ptr_array_add(jobs, job);
        sl_queue_add(fixture->queue, job);
        for (int turns = i % 4; turns > 0; turns--)
            turn_main_loop();
        sl_queue_stop(fixture->queue);
    }
    for (guint i = 0; i < jobs->len; i++)
        WAIT_UNTIL(sl_job_is_over(jobs->pdata[i]));
    for (guint i = 0; i < jobs->len; i++)
        g_assert_cmpint(sl_job_get_state(jobs->pdata[i]), !=, SL_JOB_FAILED);
    /* Nothing of that is left to hit the next one. */
    {
        g_autoptr(SlJob) job = fixture_job(fixture->model, 2);

        sl_queue_add(fixture->queue, job);
        WAIT_UNTIL(sl_job_is_over(job));
        g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    }
    g_ptr_array_unref(jobs);
}

static void test_ddpm(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelItem) model = open_fixture("ddpm");
    g_autoptr(SlJob) job = fixture_job(model, 5);

    g_assert_false(sl_model_item_uses_prompt(model));
    sl_queue_add(fixture->queue, job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    g_assert_cmpint(count_frames(job), ==, 5);
}

/* ---- loading ---- */

static void copy_file(const char *from, const char *to)
{
    g_autofree char *data = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(from, &data, &length, NULL));
    g_assert_true(g_file_set_contents(to, data, (gssize)length, NULL));
}

static void copy_folder(const char *from, const char *to)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    const char *name;

    g_assert_nonnull(dir);
    g_mkdir_with_parents(to, 0755);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *target = g_build_filename(to, name, NULL);

        if (g_file_test(source, G_FILE_TEST_IS_DIR))
            copy_folder(source, target);
        else
            copy_file(source, target);
    }
}

static void note_failure(SlWorker *worker, SlModelItem *model, const char *message, char **text)
{
    *text = g_strdup(message);
}

/* Of what is automatic on this processor a model is loaded in the types that it stands for, and what it is recorded in
 * are these. */
static void test_automatic(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) job = fixture_job(fixture->model, 2);
    g_autoptr(SlModelItem) ddpm = NULL;
    g_autofree char *path = fixture_path("ddpm"), *text = NULL, *guess = NULL, *other = NULL;

    g_setenv("SAFELIGHT_AUTO_DTYPE", "bf16,decode=f32", TRUE);
    guess = sl_worker_guess_dtype(fixture->worker, fixture->model);
    g_assert_cmpstr(guess, ==, "bf16,decode=f32");
    g_clear_pointer(&guess, g_free);
    sl_queue_add(fixture->queue, job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    g_assert_cmpstr(sl_worker_get_dtype(fixture->worker), ==, "bf16,vae=f32");
    g_assert_cmpstr(sl_worker_get_types_line(fixture->worker), ==,
                    "auto: bf16,decode=f32, because SAFELIGHT_AUTO_DTYPE says so");
    g_assert_cmpstr(_sl_job_get_metadata(job)->dtype, ==, "bf16,vae=f32");
    guess = sl_worker_guess_dtype(fixture->worker, fixture->model);
    g_assert_cmpstr(guess, ==, "bf16,vae=f32");
    ddpm = sl_model_item_open(path, NULL);
    g_assert_nonnull(ddpm); /* it has no VAE */
    other = sl_worker_guess_dtype(fixture->worker, ddpm);
    g_assert_cmpstr(other, ==, "bf16,decode=f32");
    sl_worker_set_device(fixture->worker, "cpu", "f32", 1);
    sl_worker_load(fixture->worker, fixture->model);
    WAIT_UNTIL(g_str_equal(sl_worker_get_dtype(fixture->worker), "f32"));
    g_assert_cmpstr(sl_worker_get_types_line(fixture->worker), ==, "");
    g_signal_connect(fixture->worker, "load-failed", G_CALLBACK(note_failure), &text);
    g_setenv("SAFELIGHT_AUTO_DTYPE", "f64", TRUE);
    sl_worker_set_device(fixture->worker, "cpu", "auto", 1);
    sl_worker_load(fixture->worker, fixture->model);
    WAIT_UNTIL(text != NULL);
    g_setenv("SAFELIGHT_AUTO_DTYPE", "f32", TRUE);
    g_assert_nonnull(strstr(text, "SAFELIGHT_AUTO_DTYPE is \"f64\""));
}

/* ---- as it was computed ---- */

static GBytes *sample_of(SlJob *job, guint index)
{
    g_autoptr(SlFrameObject) frame = g_list_model_get_item(sl_job_get_frames(job), index);
    int channels, height, width;

    return sl_frame_object_get_sample(frame, SL_VIEW_NOISY, &channels, &height, &width);
}

static gboolean ends_alike(SlJob *a, SlJob *b)
{
    return g_bytes_equal(sample_of(a, count_frames(a) - 1), sample_of(b, count_frames(b) - 1));
}

static void run_in(Fixture *fixture, const char *types, SlJob *job)
{
    sl_worker_set_device(fixture->worker, "auto", types, 1);
    sl_worker_start(fixture->worker, job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpstr(sl_job_get_message(job), ==, NULL);
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
}

/* Of weights in 8 bits it is recorded what is computed beside them, and foreseen so. */
static void test_types_beside_q8(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) job = fixture_job(fixture->model, 2);
    g_autofree char *guess = NULL, *same = NULL, *other = NULL;
    const char *usual = sl_q8_name(sl_q8_dtype());

    sl_worker_set_device(fixture->worker, "cpu", "q8", 1);
    guess = sl_worker_guess_dtype(fixture->worker, fixture->model);
    g_assert_cmpstr(guess, ==, usual);
    run_in(fixture, "q8", job);
    g_assert_cmpstr(_sl_job_get_metadata(job)->dtype, ==, usual);
    g_assert_cmpstr(sl_worker_get_dtype(fixture->worker), ==, usual);
    same = sl_worker_dup_difference(fixture->worker, fixture->model, (SlComputed){"cpu", usual});
    g_assert_null(same);
    other =
        sl_worker_dup_difference(fixture->worker, fixture->model, (SlComputed){"cpu", "q8/f16"});
    g_assert_nonnull(other);
}

/* A branch goes on in the types of its run, whatever is chosen meanwhile, to that run's bytes; a new run is in those
 * that are chosen. */
static void test_branch_types(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) job = fixture_job(fixture->model, 6);
    g_autoptr(SlJob) fresh = fixture_job(fixture->model, 6);
    g_autoptr(SlJob) branch = NULL;
    g_autofree char *guess = NULL;

    run_in(fixture, "bf16", job);
    run_in(fixture, "f32", fresh);
    g_assert_false(ends_alike(job, fresh));
    branch = sl_job_new_branch(job, 3, sl_job_get_settings(job));
    run_in(fixture, "f32", branch);
    g_assert_cmpstr(_sl_job_get_metadata(branch)->dtype, ==, "bf16");
    for (guint i = 3; i < count_frames(job); i++)
        g_assert_true(g_bytes_equal(sample_of(branch, i), sample_of(job, i)));
    /* What the next run will be in is as it was. */
    g_assert_cmpstr(sl_worker_get_dtype(fixture->worker), ==, "f32");
    guess = sl_worker_guess_dtype(fixture->worker, fixture->model);
    g_assert_cmpstr(guess, ==, "f32");
    g_clear_object(&fresh);
    fresh = fixture_job(fixture->model, 6);
    run_in(fixture, "f32", fresh);
    g_assert_cmpstr(_sl_job_get_metadata(fresh)->dtype, ==, "f32");
}

/* A run that rests goes on in its types. */
static void test_paused_types(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) job = fixture_job(fixture->model, 200);
    g_autoptr(SlJob) whole = fixture_job(fixture->model, 200);

    run_in(fixture, "bf16", whole);
    sl_worker_start(fixture->worker, job);
    WAIT_UNTIL(count_frames(job) >= 2);
    sl_worker_pause(fixture->worker, job);
    WAIT_UNTIL(sl_job_get_state(job) == SL_JOB_PAUSED);
    sl_worker_set_device(fixture->worker, "auto", "f32", 1);
    sl_worker_load(fixture->worker, fixture->model);
    WAIT_UNTIL(g_str_equal(sl_worker_get_dtype(fixture->worker), "f32"));
    run_in(fixture, "f32", job);
    g_assert_true(ends_alike(job, whole));
}

static GBytes *decoded(Fixture *fixture, SlJob *job, guint index)
{
    g_autoptr(SlFrameObject) frame = g_list_model_get_item(sl_job_get_frames(job), index);
    int width, height;

    g_assert_true(sl_worker_decode(fixture->worker, job, frame, SL_VIEW_NOISY));
    WAIT_UNTIL(sl_frame_object_is_decoded(frame, SL_VIEW_NOISY));
    g_assert_cmpstr(sl_frame_object_get_problem(frame, SL_VIEW_NOISY), ==, NULL);
    return sl_frame_object_get_rgb(frame, SL_VIEW_NOISY, &width, &height);
}

/* So is a moment's picture, which its file says it is; but not while another run has the model. */
static void test_decode_types(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) first = fixture_job(fixture->model, 4);
    g_autoptr(SlJob) second = fixture_job(fixture->model, 4);
    g_autoptr(SlJob) fresh = fixture_job(fixture->model, 4);
    g_autoptr(SlJob) other = fixture_job(fixture->model, 900);
    g_autoptr(SlJob) behind = fixture_job(fixture->model, 1);
    g_autoptr(SlFrameObject) frame = NULL;
    GBytes *expected;

    run_in(fixture, "bf16", first);
    expected = decoded(fixture, first, 0);
    run_in(fixture, "bf16", second);
    run_in(fixture, "f32", fresh);
    g_assert_false(g_bytes_equal(decoded(fixture, fresh, 0), expected));
    g_assert_true(g_bytes_equal(decoded(fixture, second, 0), expected));
    sl_worker_start(fixture->worker, other);
    WAIT_UNTIL(count_frames(other) >= 1);
    frame = g_list_model_get_item(sl_job_get_frames(second), 1);
    g_assert_true(sl_worker_decode(fixture->worker, second, frame, SL_VIEW_NOISY));
    WAIT_UNTIL(sl_frame_object_get_problem(frame, SL_VIEW_NOISY) != NULL);
    g_assert_nonnull(strstr(sl_frame_object_get_problem(frame, SL_VIEW_NOISY),
                            "it was computed as “cpu, bf16”, and a run that goes on computes as "
                            "“cpu, f32”"));
    sl_worker_stop(fixture->worker, other);
    run_in(fixture, "f32", behind); /* then the model is free */
    sl_frame_object_forget_problem(frame, SL_VIEW_NOISY);
    decoded(fixture, second, 1);
}

static void note_sentence(SlWorker *worker, const char *text, GPtrArray *said)
{
    g_ptr_array_add(said, g_strdup(text));
}

static void count_one(guint *count)
{
    (*count)++;
}

/* What this machine cannot do is done as is usual, and said once; another device that is chosen by name is used. */
static void test_lacking_types(Fixture *fixture, gconstpointer data)
{
    const SlComputed gpu = {"cuda", "f16"}, none = {"cpu", "f64"}, ref = {"ref", "f32"};
    const SlComputed measure = {"measure", "f32"}, part = {"cpu", "f32,eyes=bf16"};
    const SlComputed all[] = {gpu, gpu, none, measure, part};
    g_autoptr(GPtrArray) said = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;
    guint loads = 0;

    if (g_getenv("CUDAEMU_FAIL")) {
        g_test_skip("has a GPU");
        return;
    }
    g_signal_connect(fixture->worker, "otherwise", G_CALLBACK(note_sentence), said);
    g_signal_connect_swapped(fixture->worker, "loaded", G_CALLBACK(count_one), &loads);
    g_signal_connect(fixture->worker, "load-failed", G_CALLBACK(note_failure), &text);
    for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autoptr(SlJob) job = fixture_job(fixture->model, 2);

        sl_job_compute_as(job, all[i]);
        run_in(fixture, "auto", job);
        g_assert_cmpstr(_sl_job_get_metadata(job)->device, ==, "cpu");
        g_assert_cmpstr(_sl_job_get_metadata(job)->dtype, ==, "f32");
    }
    g_assert_cmpuint(loads, ==, 1); /* what is loaded already is not loaded again */
    g_assert_null(text);
    g_assert_false(sl_worker_is_loading(fixture->worker));
    g_assert_cmpuint(said->len, ==, 4);
    g_assert_cmpstr(said->pdata[0], ==,
                    "This was computed as “cuda, f16”, which is not possible here now: it goes on "
                    "as “cpu, f32”.");
    {
        g_autoptr(SlJob) job = fixture_job(fixture->model, 2);

        sl_job_compute_as(job, ref);
        run_in(fixture, "auto", job);
        g_assert_cmpstr(_sl_job_get_metadata(job)->device, ==, "ref");
    }
    g_assert_cmpuint(said->len, ==, 4);
    {
        g_autoptr(SlJob) job = fixture_job(fixture->model, 2);

        sl_job_compute_as(job, ref);
        sl_worker_set_device(fixture->worker, "cpu", "auto", 1);
        sl_worker_start(fixture->worker, job);
        WAIT_UNTIL(sl_job_is_over(job));
        g_assert_cmpstr(_sl_job_get_metadata(job)->device, ==, "cpu");
    }
    g_assert_cmpuint(said->len, ==, 5);
    g_assert_cmpstr(said->pdata[4], ==,
                    "This was computed as “ref, f32”. The preferences name another device: it goes "
                    "on as “cpu, f32”.");
}

/* Lanes that are computed otherwise than others take their turn behind these. */
static void test_mixed_types(Fixture *fixture, gconstpointer data)
{
    static const char *const types[] = {"bf16", "f32", "bf16"};
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(g_object_unref);

    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        SlJob *job = fixture_job(fixture->model, 3);

        sl_job_compute_as(job, (SlComputed){"cpu", types[i]});
        g_ptr_array_add(jobs, job);
    }
    sl_worker_start_together(fixture->worker, jobs);
    for (guint i = 0; i < jobs->len; i++) {
        WAIT_UNTIL(sl_job_is_over(jobs->pdata[i]));
        g_assert_cmpint(sl_job_get_state(jobs->pdata[i]), ==, SL_JOB_DONE);
        g_assert_cmpstr(_sl_job_get_metadata(jobs->pdata[i])->dtype, ==, types[i]);
    }
    g_assert_true(ends_alike(jobs->pdata[0], jobs->pdata[2]));
    g_assert_false(ends_alike(jobs->pdata[0], jobs->pdata[1]));
}

/* A model in the folder whose weights go away between finding the model and loading it. */
static SlModelItem *open_and_lose_weights(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "broken", NULL);
    g_autofree char *weights =
        g_build_filename(path, "unet", "diffusion_pytorch_model.safetensors", NULL);
    g_autofree char *from = fixture_path("sd1");
    SlModelItem *model;

    copy_folder(from, path);
    model = sl_model_item_open(path, NULL);
    g_assert_nonnull(model);
    g_assert_true(g_file_set_contents(weights, "not weights", -1, NULL));
    return model;
}

static void assert_cannot_load(Fixture *fixture, SlJob *job)
{
    sl_queue_add(fixture->queue, job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_FAILED);
    g_assert_nonnull(strstr(sl_job_get_message(job), "diffusion_pytorch_model.safetensors"));
}

/* The weights go away between finding the model and loading it: one sentence, and the model before
 * it goes on. */
static void test_load_fails(Fixture *fixture, gconstpointer data)
{
    g_autofree char *folder = temporary_folder();
    g_autofree char *text = NULL;
    g_autoptr(SlModelItem) broken = open_and_lose_weights(folder);
    g_autoptr(SlJob) good = fixture_job(fixture->model, 2);
    g_autoptr(SlJob) bad = NULL;

    sl_worker_load(fixture->worker, fixture->model);
    WAIT_UNTIL(sl_worker_get_model(fixture->worker) == fixture->model);
    g_assert_cmpstr(sl_worker_get_device_line(fixture->worker), !=, "");
    g_signal_connect(fixture->worker, "load-failed", G_CALLBACK(note_failure), &text);
    sl_worker_load(fixture->worker, broken);
    WAIT_UNTIL(text != NULL);
    g_assert_nonnull(strstr(text, "diffusion_pytorch_model.safetensors"));
    g_assert_false(sl_worker_is_loading(fixture->worker));
    g_assert_true(sl_worker_get_model(fixture->worker) == fixture->model);
    sl_queue_add(fixture->queue, good);
    WAIT_UNTIL(sl_job_is_over(good));
    g_assert_cmpint(sl_job_get_state(good), ==, SL_JOB_DONE);
    g_clear_pointer(&text, g_free);
    bad = fixture_job(broken, 2);
    assert_cannot_load(fixture, bad);
    remove_folder(folder);
}

/* The same without a model before it. */
static void test_first_load_fails(Fixture *fixture, gconstpointer data)
{
    g_autofree char *folder = temporary_folder();
    g_autoptr(SlModelItem) broken = open_and_lose_weights(folder);
    g_autoptr(SlJob) job = NULL;

    job = fixture_job(broken, 2);
    assert_cannot_load(fixture, job);
    g_assert_cmpuint(sl_worker_get_waiting(fixture->worker), ==, 0);
    remove_folder(folder);
}

/* What was not used of a model is said in its pictures, as the program does. */
static void test_warnings(Fixture *fixture, gconstpointer data)
{
    g_autofree char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "extended", NULL);
    g_autofree char *from = fixture_path("sd1");
    g_autoptr(SlModelItem) model = NULL;
    g_autoptr(SlJob) job = NULL;

    g_assert_true(model_with_extra(from, path, "unet/diffusion_pytorch_model", "spare"));
    model = sl_model_item_open(path, NULL);
    g_assert_nonnull(model);
    job = fixture_job(model, 2);
    sl_queue_add(fixture->queue, job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    g_assert_cmpstr(_sl_job_get_metadata(job)->warnings, ==, "unet: 1 tensor is not used: spare");
    g_assert_null(sl_job_get_warning(job));
    remove_folder(folder);
}

static void test_settings_do_not_fit(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlSettings) settings = fixture_settings(fixture->model, 2);
    g_autoptr(GError) error = NULL;
    g_autoptr(SlJob) job = NULL;

    g_object_set(settings, "width", 33, NULL);
    g_assert_false(sl_model_item_check(fixture->model, settings, &error));
    g_assert_nonnull(strstr(error->message, "width is 33"));
    job = sl_job_new(fixture->model, settings, SL_PREVIEWS_QUICK);
    sl_queue_add(fixture->queue, job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_FAILED);
    g_assert_nonnull(strstr(sl_job_get_message(job), "width"));
}

/* $CUDAEMU_FAIL is the launch at which the emulated GPU dies, for good. */
static void test_gpu_fails(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) job = fixture_job(fixture->model, 6);
    g_autoptr(SlJob) next = fixture_job(fixture->model, 3);
    g_autoptr(SlFrameObject) frame = NULL;

    if (!g_getenv("CUDAEMU_FAIL")) {
        g_test_skip("needs the emulated GPU");
        return;
    }
    sl_worker_set_device(fixture->worker, "cuda", "f32", 0);
    sl_queue_add(fixture->queue, job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_test_message("%u frames, then: %s", count_frames(job), sl_job_get_message(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_FAILED);
    g_assert_nonnull(strstr(sl_job_get_message(job), "GPU failed in"));
    g_assert_nonnull(strstr(sl_job_get_message(job), "the CPU computes"));
    g_assert_nonnull(strstr(sl_worker_get_device_line(fixture->worker), "CUDA"));
    /* What was made can still be looked at. */
    g_assert_cmpint(count_frames(job), >=, 1);
    frame = g_list_model_get_item(sl_job_get_frames(job), 0);
    g_assert_true(sl_worker_decode(fixture->worker, job, frame, SL_VIEW_NOISY));
    WAIT_UNTIL(sl_frame_object_is_decoded(frame, SL_VIEW_NOISY));
    sl_queue_add(fixture->queue, next);
    WAIT_UNTIL(sl_job_is_over(next));
    g_assert_cmpint(sl_job_get_state(next), ==, SL_JOB_DONE);
    g_assert_nonnull(
        strstr(sl_worker_get_device_line(fixture->worker), "cpu, because the GPU failed earlier"));
}

static void test_shutdown_in_a_run(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlJob) job = fixture_job(fixture->model, 900);
    g_autoptr(SlJob) waiting = fixture_job(fixture->model, 900);

    sl_queue_add(fixture->queue, job);
    sl_queue_add(fixture->queue, waiting);
    WAIT_UNTIL(count_frames(job) >= 1);
    sl_worker_shutdown(fixture->worker);
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_STOPPED);
    g_assert_cmpint(count_frames(waiting), ==, 0);
}

/* At most 50 ms (docs/design.md, "The window"), over everything that the tests before did. */
static void test_main_loop(void)
{
    g_test_message("longest turn of the main loop: %.1f ms", longest_turn * 1000);
    g_assert_cmpfloat(longest_turn, >, 0);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    g_assert_cmpfloat(longest_turn, <, 0.050);
#endif
}

#define ADD(name, function) g_test_add("/worker/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("run", test_run);
    ADD("frames", test_frames);
    ADD("same-bytes", test_same_bytes);
    ADD("stop", test_stop);
    ADD("decode", test_decode);
    ADD("tiny", test_tiny);
    ADD("pause", test_pause);
    ADD("pause-and-stop", test_pause_and_stop);
    ADD("queue-order", test_queue_order);
    ADD("rapid-starts", test_rapid_starts);
    ADD("ddpm", test_ddpm);
    ADD("load-fails", test_load_fails);
    ADD("first-load-fails", test_first_load_fails);
    ADD("automatic", test_automatic);
    ADD("types-beside-q8", test_types_beside_q8);
    ADD("branch-types", test_branch_types);
    ADD("paused-types", test_paused_types);
    ADD("decode-types", test_decode_types);
    ADD("lacking-types", test_lacking_types);
    ADD("mixed-types", test_mixed_types);
    ADD("warnings", test_warnings);
    ADD("settings-do-not-fit", test_settings_do_not_fit);
    ADD("gpu-fails", test_gpu_fails);
    ADD("shutdown-in-a-run", test_shutdown_in_a_run);
    g_test_add_func("/worker/main-loop", test_main_loop);
    return g_test_run();
}
