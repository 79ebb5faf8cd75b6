/* test_objects.c - settings, model store, gallery, writing and restoring, without a display. */
#define G_SETTINGS_ENABLE_BACKEND
#include "gobject.h"

#include <gio/gsettingsbackend.h>

#include "tests/engine/run/scheduler_model.h"
#include "tests/readdir.h"

#include <glib/gstdio.h>

typedef struct {
    SlThreadQueue *files;
    char *folder;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    fixture->files = sl_thread_queue_new("files");
    fixture->folder = temporary_folder();
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    g_clear_pointer(&fixture->files, sl_thread_queue_close);
    remove_folder(fixture->folder);
    g_free(fixture->folder);
}

/* ---- settings ---- */

static void count_notify(SlSettings *settings, GParamSpec *pspec, int *n)
{
    (*n)++;
}

static void test_settings(void)
{
    g_autoptr(SlSettings) a = sl_settings_new();
    g_autoptr(SlSettings) b = NULL;
    g_autoptr(SlSettings) c = sl_settings_new();
    g_autofree char *text = NULL;
    int n = 0;

    g_object_set(a, "prompt", "a \"red\" house, 한국어", "scheduler", "euler", "sigmas", 1,
                 "guidance", 3.25, "seed", G_MAXUINT64, "width", 64, "clip-skip", 2, NULL);
    b = sl_settings_dup(a);
    g_assert_true(sl_settings_equal(a, b));
    g_signal_connect(b, "notify", G_CALLBACK(count_notify), &n);
    sl_settings_assign(b, a);
    g_assert_cmpint(n, ==, 0);
    g_object_set(a, "steps", 7, NULL);
    sl_settings_assign(b, a);
    g_assert_cmpint(n, ==, 1);
    text = sl_settings_to_string(a);
    g_assert_true(sl_settings_from_string(c, text));
    g_assert_true(sl_settings_equal(a, c));
    g_assert_false(sl_settings_from_string(c, "{\"steps\": 0}"));
    g_assert_false(sl_settings_from_string(c, "no json"));
    g_assert_true(sl_settings_equal(a, c));
}

static void test_schedulers(void)
{
    g_autoptr(GListModel) items = sl_scheduler_items_new();

    g_assert_cmpint(g_list_model_get_n_items(items), >=, 10);
    for (guint i = 0; i < g_list_model_get_n_items(items); i++) {
        g_autoptr(SlSchedulerItem) item = g_list_model_get_item(items, i);

        g_assert_cmpint(sl_scheduler_items_find(items, sl_scheduler_item_get_id(item)), ==, i);
        g_assert_cmpstr(sl_scheduler_item_get_good_for(item), !=, "");
    }
}

static guint count_offered(GListModel *items, const char *model)
{
    g_autoptr(SlModelItem) item = model ? sl_model_item_open(model, NULL) : NULL;

    sl_scheduler_items_offer(items, item);
    return g_list_model_get_n_items(items);
}

/* Offered is what suits the model. */
static void test_offered_schedulers(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GListModel) items = sl_scheduler_items_new();
    g_autoptr(GListModel) all = sl_scheduler_items_new();
    g_autofree char *flow = g_build_filename(fixture->folder, "flow", NULL);
    g_autofree char *edm = g_build_filename(fixture->folder, "edm", NULL);
    g_autofree char *sd1 = fixture_path("sd1");
    g_autoptr(SlModelItem) model = NULL;

    g_assert_true(g_mkdir(edm, 0700) == 0 && scheduler_model_named(edm, "sd1", COSXL_SCHEDULER));
    g_assert_true(g_mkdir(flow, 0700) == 0 && scheduler_model_named(flow, "sd1", FLOW_SCHEDULER));
    g_assert_cmpint(g_list_model_get_n_items(all), ==, 30);
    g_assert_cmpint(count_offered(items, NULL), ==, 24);
    g_assert_cmpint(count_offered(items, flow), ==, 8);
    g_assert_cmpint(count_offered(items, edm), ==, 3);
    model = sl_model_item_open(flow, NULL);
    g_assert_true(sl_model_item_suits_scheduler(model, "flow-heun"));
    g_assert_false(sl_model_item_suits_scheduler(model, "heun"));
    g_assert_cmpint(count_offered(items, sd1), ==, 24);
    scheduler_model_remove(flow);
    scheduler_model_remove(edm);
}

/* ---- models ---- */

static void scanned(SlModelStore *store, gboolean *done)
{
    *done = TRUE;
}

static void count_unread(SlModelStore *store, const char *reason, guint *told)
{
    g_assert_nonnull(strstr(reason, "could not be read: Input/output error"));
    ++*told;
}

/* A folder that fails takes no model off the list, and is said once. */
static void test_unread_models(Fixture *fixture, gconstpointer data)
{
    g_autofree char *models = fixture_path(NULL);
    g_autoptr(SlModelStore) store = sl_model_store_new(fixture->files);
    guint told = 0, found;

    g_signal_connect(store, "unread", G_CALLBACK(count_unread), &told);
    sl_model_store_scan(store, models);
    sl_thread_queue_wait(fixture->files);
    found = g_list_model_get_n_items(G_LIST_MODEL(store));
    g_assert_cmpuint(found, >, 1);
    g_assert_cmpuint(told, ==, 0);
    for (int i = 0; i < 2; i++) {
        readdir_error = EIO;
        readdir_entries = 0;
        sl_model_store_scan(store, models);
        sl_thread_queue_wait(fixture->files);
        readdir_error = 0;
        g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(store)), ==, found);
        g_assert_cmpuint(told, ==, 1);
    }
}

static void test_model_store(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelStore) store = sl_model_store_new(fixture->files);
    g_autofree char *models = fixture_path(NULL);
    g_autofree char *sd1 = fixture_path("sd1");
    gboolean done = FALSE;

    g_signal_connect(store, "scanned", G_CALLBACK(scanned), &done);
    sl_model_store_scan(store, models);
    g_assert_false(sl_model_store_is_scanned(store));
    WAIT_UNTIL(done);
    g_assert_cmpint(sl_model_store_find(store, sd1), <,
                    g_list_model_get_n_items(G_LIST_MODEL(store)));
    g_assert_cmpint(sl_model_store_find(store, "ddpm"), <,
                    g_list_model_get_n_items(G_LIST_MODEL(store)));
    g_assert_cmpuint(sl_model_store_find(store, "no such model"), ==, G_MAXUINT);
}

typedef struct {
    gboolean called;
    gboolean opened;
    char *message;
} Opened;

static void opened(SlModelItem *item, const GError *error, gpointer user_data)
{
    Opened *result = user_data;

    result->called = TRUE;
    result->opened = item != NULL;
    result->message = error ? g_strdup(error->message) : NULL;
}

static void test_model_open(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelStore) store = sl_model_store_new(fixture->files);
    g_autofree char *sd1 = fixture_path("sd1");
    Opened good = {0}, again = {0}, bad = {0};

    sl_model_store_open(store, sd1, opened, &good);
    sl_model_store_open(store, sd1, opened, &again);
    sl_model_store_open(store, fixture->folder, opened, &bad);
    WAIT_UNTIL(good.called && again.called && bad.called);
    g_assert_true(good.opened && again.opened);
    g_assert_cmpint(g_list_model_get_n_items(G_LIST_MODEL(store)), ==, 1);
    g_assert_false(bad.opened);
    g_assert_nonnull(strstr(bad.message, fixture->folder));
    g_free(bad.message);
}

/* Its own size comes first, and all fit it. */
static void test_sizes(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelItem) item = open_fixture(data);
    int sizes[SL_MODEL_ITEM_MAX_SIZES][2];
    guint count = sl_model_item_get_sizes(item, sizes);

    g_assert_cmpuint(count, >=, 3);
    g_assert_cmpint(sizes[0][0], ==, sl_model_item_get_width(item));
    g_assert_cmpint(sizes[0][1], ==, sl_model_item_get_height(item));
    for (guint i = 0; i < count; i++) {
        g_autoptr(SlSettings) settings = sl_model_item_defaults(item);
        g_autoptr(GError) error = NULL;

        g_object_set(settings, "prompt", "x", "width", sizes[i][0], "height", sizes[i][1], NULL);
        sl_model_item_check(item, settings, &error);
        g_assert_no_error(error);
    }
}

/* The same model with another VAE is another item; what is no VAE is refused. */
static void test_model_with_vae(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlModelItem) own = open_fixture("sd1");
    g_autoptr(SlModelItem) again = open_fixture("sd1");
    g_autoptr(SlModelItem) ddpm = open_fixture("ddpm");
    g_autofree char *vae = fixture_path("sd1/vae");
    g_autofree char *unet = fixture_path("sd1/unet");
    g_autoptr(SlModelItem) other = sl_model_item_with_part(own, "vae", vae, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(sl_model_item_equal(own, again));
    g_assert_false(sl_model_item_equal(own, other));
    g_assert_cmpstr(sl_model_item_get_path(own), ==, sl_model_item_get_path(other));
    g_assert_null(sl_model_item_with_part(own, "vae", unet, &error));
    g_assert_nonnull(strstr(error->message, "UNet2DConditionModel"));
    g_assert_true(sl_model_item_has_part(own, "vae") && !sl_model_item_has_part(ddpm, "vae"));
    g_assert_cmpstr(sl_model_item_get_stored_type(own), ==, "F16");
    g_assert_cmpuint(sl_model_item_get_bytes(own), >, 500000);
    g_assert_cmpuint(sl_model_item_get_memory(own), ==, 0);
    sl_model_item_measure(own);
    g_assert_cmpuint(sl_model_item_get_memory(own), >, sl_model_item_get_bytes(own));
    g_assert_cmpstr(sl_model_item_get_types(own), ==, "f32");
    guint64 memory = sl_model_item_get_memory(own);
    g_setenv("SAFELIGHT_AUTO_DTYPE", "bf16,decode=f32", TRUE);
    sl_model_item_measure(own);
    g_setenv("SAFELIGHT_AUTO_DTYPE", "f32", TRUE);
    g_assert_cmpstr(sl_model_item_get_types(own), ==, "bf16,decode=f32");
    g_assert_cmpuint(sl_model_item_get_memory(own), <, memory);
    g_assert_true(sl_model_item_fits(own));
}

/* ---- a picture, there and back ---- */

static void keep_path(const char *path, const GError *error, gpointer user_data)
{
    g_assert_no_error(error);
    *(char **)user_data = g_strdup(path);
}

/* Into the fixture's folder; path gets the file's. */
static void keep(Fixture *fixture, SlJob *job, char **path)
{
    g_autoptr(SlKeeper) keeper = sl_keeper_new(fixture->files);

    sl_keeper_set_folder(keeper, SL_KEEP_PICTURE, fixture->folder);
    sl_writer_keep(keeper, job, sl_job_get_last_frame(job), keep_path, path, NULL);
    sl_keeper_finish(keeper);
    g_assert_nonnull(*path);
}

/* ---- what cannot be written ---- */

typedef struct {
    const char *name;
    int tries, written, freed;
} Note;

static gboolean write_note(gpointer data, const char *folder_, GError **error)
{
    Note *note = data;
    g_autofree char *path = g_build_filename(folder_, note->name, NULL);

    note->tries++;
    return g_file_set_contents(path, note->name, -1, error);
}

static void note_written(gpointer data)
{
    ((Note *)data)->written++;
}

static void note_freed(gpointer data)
{
    ((Note *)data)->freed++;
}

static guint count_unsaved(SlKeeper *keeper)
{
    sl_keeper_finish(keeper);
    return sl_keeper_count_unsaved(keeper, SL_KEEP_PICTURE);
}

/* What cannot be written is not lost to what comes later, and all of it is written once anything can be. */
static void test_keeper(Fixture *fixture, gconstpointer data)
{
    static const SlKeptClass notes = {SL_KEEP_PICTURE, write_note, note_written, note_freed};
    g_autoptr(SlKeeper) keeper = sl_keeper_new(fixture->files);
    g_autofree char *missing = g_build_filename(fixture->folder, "missing", NULL);
    g_autofree char *elsewhere = g_build_filename(fixture->folder, "elsewhere", NULL);
    g_autofree char *moved = g_build_filename(missing, "c", NULL);
    Note note[] = {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}};

    sl_keeper_set_folder(keeper, SL_KEEP_PICTURE, missing);
    sl_keeper_keep(keeper, &notes, &note[0]);
    sl_keeper_keep(keeper, &notes, &note[1]);
    g_assert_cmpuint(count_unsaved(keeper), ==, 2);
    g_assert_nonnull(strstr(sl_keeper_get_problem(keeper, SL_KEEP_PICTURE), missing));
    sl_keeper_try_again(keeper);
    sl_keeper_try_again(keeper); /* while the first goes on */
    g_assert_cmpuint(count_unsaved(keeper), ==, 2);
    g_assert_cmpint(note[0].tries, ==, 2);
    g_assert_cmpint(note[0].freed, ==, 0);
    g_assert_true(g_mkdir(missing, 0700) == 0);
    sl_keeper_keep(keeper, &notes, &note[2]);
    g_assert_cmpuint(count_unsaved(keeper), ==, 0);
    g_assert_null(sl_keeper_get_problem(keeper, SL_KEEP_PICTURE));
    for (int i = 0; i < 3; i++)
        g_assert_true(note[i].written == 1 && note[i].freed == 1);
    g_assert_true(g_file_test(moved, G_FILE_TEST_EXISTS));
    remove_folder(missing);
    sl_keeper_keep(keeper, &notes, &note[3]);
    g_assert_cmpuint(count_unsaved(keeper), ==, 1);
    g_assert_true(g_mkdir(elsewhere, 0700) == 0);
    sl_keeper_try_elsewhere(keeper, SL_KEEP_COMPARISON, elsewhere);
    g_assert_cmpuint(count_unsaved(keeper), ==, 1);
    sl_keeper_set_folder(keeper, SL_KEEP_PICTURE, elsewhere);
    g_assert_cmpuint(count_unsaved(keeper), ==, 0);
    g_assert_cmpint(note[3].written, ==, 1);
    sl_keeper_set_folder(keeper, SL_KEEP_PICTURE, missing);
    sl_keeper_keep(keeper, &notes, &note[4]);
    sl_keeper_close(keeper);
    g_assert_true(note[4].written == 0 && note[4].freed == 1);
}

typedef struct {
    gboolean called;
    SlSettings *settings;
    char *source;
    char *model;
    char *problems;
    GError *error;
} Restored;

static void restored(const SlRestored *restored, const GError *error, gpointer user_data)
{
    Restored *result = user_data;

    result->called = TRUE;
    result->error = error ? g_error_copy(error) : NULL;
    if (restored == NULL)
        return;
    result->settings = restored->settings ? g_object_ref(restored->settings) : NULL;
    result->source = g_strdup(restored->source);
    result->model = g_strdup(restored->model);
    result->problems = g_strdup(restored->problems);
}

static void restored_clear(Restored *result)
{
    g_clear_object(&result->settings);
    g_clear_error(&result->error);
    g_free(result->source);
    g_free(result->model);
    g_free(result->problems);
    *result = (Restored){0};
}

static SlJob *finished_job(SlWorker *worker, SlModelItem *model)
{
    SlJob *job = fixture_job(model, 3);

    sl_worker_start(worker, job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    return job;
}

static void pixels_loaded(GBytes *rgb, int width, int height, const GError *error,
                          gpointer user_data)
{
    g_assert_no_error(error);
    *(GBytes **)user_data = g_bytes_ref(rgb);
}

/* A model that has another name here, in the chosen folder, is found by what is in it. */
static void restore_renamed(Fixture *fixture, const char *picture, const char *model)
{
    g_autofree char *models = g_build_filename(fixture->folder, "models", NULL);
    g_autofree char *other = g_build_filename(models, "other", NULL);
    g_autoptr(SlSettings) base = sl_settings_new();
    Restored result = {0};

    g_assert_true(g_mkdir(models, 0700) == 0 && symlink(model, other) == 0);
    sl_reader_restore_file(fixture->files, picture, models, base, restored, &result);
    WAIT_UNTIL(result.called);
    g_assert_no_error(result.error);
    g_assert_cmpstr(result.model, ==, other);
    restored_clear(&result);
    g_assert_true(g_unlink(other) == 0 && g_rmdir(models) == 0);
}

static void test_save_and_restore(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlWorker) worker = sl_worker_new();
    g_autoptr(SlModelItem) model = open_fixture("sd1");
    g_autoptr(SlJob) job = finished_job(worker, model);
    g_autoptr(SlSettings) base = sl_settings_new();
    g_autofree char *path = NULL;
    g_autoptr(GBytes) pixels = NULL;
    Restored result = {0};
    int width, height;

    keep(fixture, job, &path);
    WAIT_UNTIL(path != NULL);
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    sl_reader_restore_file(fixture->files, path, "", base, restored, &result);
    WAIT_UNTIL(result.called);
    g_assert_no_error(result.error);
    g_assert_cmpstr(result.source, ==, "Safelight");
    g_assert_cmpstr(result.model, ==, "sd1");
    g_assert_nonnull(result.settings);
    g_assert_true(sl_settings_equal(result.settings, sl_job_get_settings(job)));
    restored_clear(&result);
    restore_renamed(fixture, path, sl_model_item_get_path(model));
    sl_reader_load_pixels(fixture->files, path, 0, pixels_loaded, &pixels);
    WAIT_UNTIL(pixels != NULL);
    g_assert_true(g_bytes_equal(pixels, sl_frame_object_get_rgb(sl_job_get_last_frame(job),
                                                                SL_VIEW_PICTURE, &width, &height)));
    sl_worker_shutdown(worker);
}

static void test_restore_others(Fixture *fixture, gconstpointer data)
{
    static const char text[] = "a castle\nNegative prompt: fog\nSteps: 12, Sampler: Euler a, CFG "
                               "scale: 4.5, Seed: 99, Size: 512x512";
    static const char nonsense[] = "just a sentence";
    g_autoptr(SlSettings) base = sl_settings_new();
    g_autoptr(GBytes) good = g_bytes_new_static(text, strlen(text));
    g_autoptr(GBytes) bad = g_bytes_new_static(nonsense, strlen(nonsense));
    Restored result = {0};

    sl_reader_restore_data(fixture->files, good, base, restored, &result);
    WAIT_UNTIL(result.called);
    g_assert_no_error(result.error);
    g_assert_nonnull(result.settings);
    g_assert_cmpstr(sl_settings_get_prompt(result.settings), ==, "a castle");
    g_assert_cmpstr(sl_settings_get_scheduler(result.settings), ==, "euler-a");
    g_assert_cmpint(sl_settings_get_steps(result.settings), ==, 12);
    restored_clear(&result);
    sl_reader_restore_data(fixture->files, bad, base, restored, &result);
    WAIT_UNTIL(result.called);
    g_assert_null(result.settings);
    g_assert_nonnull(result.error);
    restored_clear(&result);
}

/* ---- gallery ---- */

static void loaded(SlGallery *gallery, gboolean *done)
{
    *done = TRUE;
}

static SlGallery *open_gallery(Fixture *fixture)
{
    SlGallery *gallery = sl_gallery_new(fixture->files);
    gboolean done = FALSE;

    g_signal_connect(gallery, "loaded", G_CALLBACK(loaded), &done);
    sl_gallery_open(gallery, fixture->folder);
    WAIT_UNTIL(done);
    g_signal_handlers_disconnect_by_data(gallery, &done);
    return gallery;
}

static guint length(SlGallery *gallery)
{
    return g_list_model_get_n_items(G_LIST_MODEL(gallery));
}

/* What GLib does not say: whether the settings' file was written. */
static void test_kept(Fixture *fixture, gconstpointer data)
{
    static const char *const first[] = {"a", NULL}, *const second[] = {"b", NULL};
    g_autofree char *file = g_build_filename(fixture->folder, "settings.ini", NULL);
    g_autoptr(GSettings) standard = sl_places_open_settings(NULL);
    g_autoptr(GSettingsSchema) schema = NULL;
    g_autoptr(GSettingsBackend) backend = NULL;
    g_autoptr(GSettings) settings = NULL;
    g_autoptr(GError) error = NULL;

    if (standard == NULL) {
        g_test_skip("the settings' schema is not here");
        return;
    }
    g_object_get(standard, "settings-schema", &schema, NULL);
    backend = g_keyfile_settings_backend_new(file, "/", NULL);
    settings = g_settings_new_full(schema, backend, NULL);
    g_settings_set_strv(settings, "unfinished", first);
    g_assert_true(sl_places_check_kept_in(settings, "unfinished", file, &error));
    g_assert_no_error(error);
    g_assert_true(g_unlink(file) == 0 && g_mkdir(file, 0700) == 0);
    g_test_expect_message("GLib-GIO", G_LOG_LEVEL_WARNING, "Failed to write keyfile*");
    g_settings_set_strv(settings, "unfinished", second);
    g_test_assert_expected_messages();
    g_assert_false(sl_places_check_kept_in(settings, "unfinished", file, &error));
    g_assert_nonnull(strstr(error->message, file));
    g_assert_true(g_rmdir(file) == 0);
}

/* As several processes would. */
static void test_keep_at_once(Fixture *fixture, gconstpointer data)
{
    enum { N = 6 };
    g_autoptr(SlWorker) worker = sl_worker_new();
    g_autoptr(SlModelItem) model = open_fixture("sd1");
    g_autoptr(SlJob) job = finished_job(worker, model);
    SlThreadQueue *queues[N];
    SlKeeper *keepers[N];
    char *paths[N] = {NULL};

    for (int i = 0; i < N; i++) {
        queues[i] = sl_thread_queue_new("files");
        keepers[i] = sl_keeper_new(queues[i]);
        sl_keeper_set_folder(keepers[i], SL_KEEP_PICTURE, fixture->folder);
    }
    for (int i = 0; i < N; i++)
        sl_writer_keep(keepers[i], job, sl_job_get_last_frame(job), keep_path, &paths[i], NULL);
    for (int i = 0; i < N; i++) {
        sl_keeper_finish(keepers[i]);
        g_assert_nonnull(paths[i]);
        for (int k = 0; k < i; k++)
            g_assert_cmpstr(paths[i], !=, paths[k]);
    }
    for (int i = 0; i < N; i++) {
        g_assert_true(g_unlink(paths[i]) == 0);
        g_free(paths[i]);
        g_object_unref(keepers[i]);
        sl_thread_queue_close(queues[i]);
    }
}

typedef struct {
    gboolean called;
    guint count;
    char *problem;
} Copied;

static void pictures_copied(guint count, const GError *error, gpointer user_data)
{
    Copied *copied = user_data;

    copied->called = TRUE;
    copied->count = count;
    copied->problem = error ? g_strdup(error->message) : NULL;
}

static gboolean has_contents(const char *path, const char *expected)
{
    g_autofree char *contents = NULL;

    return g_file_get_contents(path, &contents, NULL, NULL) && g_str_equal(contents, expected);
}

/* Where every number is taken nothing is replaced. */
static void test_copy_pictures(Fixture *fixture, gconstpointer data)
{
    g_autofree char *from = g_build_filename(fixture->folder, "p.png", NULL);
    g_autofree char *folder = g_build_filename(fixture->folder, "copies", NULL);
    g_autofree char *seventh = g_build_filename(folder, "p (7).png", NULL);
    g_autofree char *last = g_build_filename(folder, "p (9999).png", NULL);
    g_autoptr(SlPicture) picture = sl_picture_new(from, "", 0);
    g_autoptr(GPtrArray) pictures = g_ptr_array_new();
    Copied full = {0}, free_one = {0};

    g_ptr_array_add(pictures, picture);
    g_assert_true(g_file_set_contents(from, "picture", -1, NULL) && g_mkdir(folder, 0700) == 0);
    for (int i = 1; i < 10000; i++) {
        g_autofree char *name = i > 1 ? g_strdup_printf("p (%d).png", i) : g_strdup("p.png");
        g_autofree char *path = g_build_filename(folder, name, NULL);

        g_assert_true(symlink("nothing", path) == 0);
    }
    g_assert_true(g_unlink(last) == 0 && g_file_set_contents(last, "old", -1, NULL));
    sl_pictures_copy(fixture->files, pictures, folder, pictures_copied, &full);
    WAIT_UNTIL(full.called);
    g_assert_cmpuint(full.count, ==, 0);
    g_assert_nonnull(strstr(full.problem, "p (9999).png"));
    g_assert_true(has_contents(last, "old"));
    g_assert_true(g_unlink(seventh) == 0);
    sl_pictures_copy(fixture->files, pictures, folder, pictures_copied, &free_one);
    WAIT_UNTIL(free_one.called);
    g_assert_cmpuint(free_one.count, ==, 1);
    g_assert_null(free_one.problem);
    g_assert_true(has_contents(seventh, "picture") && has_contents(last, "old"));
    g_free(full.problem);
}

static void test_gallery(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlWorker) worker = sl_worker_new();
    g_autoptr(SlModelItem) model = open_fixture("sd1");
    g_autoptr(SlJob) job = finished_job(worker, model);
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autoptr(SlGallery) gallery = open_gallery(fixture);
    g_autoptr(SlPicture) picture = NULL;

    g_assert_cmpint(length(gallery), ==, 0);
    keep(fixture, job, &first);
    keep(fixture, job, &second);
    WAIT_UNTIL(first && second);
    g_assert_cmpstr(first, !=, second);
    /* One is added as usual; the other is left as a crash would leave it. */
    sl_gallery_add(gallery, first, "a red house");
    g_clear_object(&gallery);
    gallery = open_gallery(fixture);
    g_assert_cmpint(length(gallery), ==, 2);
    picture = g_list_model_get_item(G_LIST_MODEL(gallery), 0);
    g_assert_cmpstr(sl_picture_get_prompt(picture), ==, "a red house");
    sl_gallery_remove(gallery, picture);
    g_assert_cmpint(length(gallery), ==, 1);
    sl_gallery_undo_removal(gallery, picture);
    g_assert_cmpint(length(gallery), ==, 2);
    sl_gallery_commit_removal(gallery, picture);
    g_assert_cmpint(length(gallery), ==, 2);
    g_assert_true(g_file_test(sl_picture_get_path(picture), G_FILE_TEST_EXISTS));
    sl_gallery_remove(gallery, picture);
    sl_gallery_flush(gallery);
    WAIT_UNTIL(!g_file_test(sl_picture_get_path(picture), G_FILE_TEST_EXISTS));
    sl_worker_shutdown(worker);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/files/settings", test_settings);
    g_test_add_func("/files/schedulers", test_schedulers);
#define ADD(name, function) g_test_add("/files/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("offered-schedulers", test_offered_schedulers);
    ADD("model-store", test_model_store);
    ADD("unread-models", test_unread_models);
    ADD("model-with-vae", test_model_with_vae);
    g_test_add("/objects/sizes", Fixture, "sd1", set_up, test_sizes, tear_down);
    g_test_add("/objects/sizes-xl", Fixture, "sdxl", set_up, test_sizes, tear_down);
    ADD("model-open", test_model_open);
    ADD("keeper", test_keeper);
    ADD("keep at once", test_keep_at_once);
    ADD("copy pictures", test_copy_pictures);
    ADD("save-and-restore", test_save_and_restore);
    ADD("restore-others", test_restore_others);
    ADD("kept", test_kept);
    ADD("gallery", test_gallery);
    return run_with_data_home();
}
