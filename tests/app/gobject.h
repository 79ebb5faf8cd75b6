/* gobject.h - what the tests of app/'s objects share: a model, a temporary folder, waiting. */
#pragma once

#include <glib/gstdio.h>
#include <time.h>

#include "app/app.h"

#ifdef __SANITIZE_THREAD__
/* GLib's own locks are invisible to ThreadSanitizer: what GLib itself touches (the main context's
 * wake-up descriptor) looks unguarded. Our code is still seen. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libglib-2.0.so.0\n";
}
#endif

/* Turns the main loop until condition holds; a minute is a failure. */
#define WAIT_UNTIL(condition)                                             \
    G_STMT_START                                                          \
    {                                                                     \
        gint64 wait_end_ = g_get_monotonic_time() + 120 * G_USEC_PER_SEC; \
        while (!(condition) && g_get_monotonic_time() < wait_end_)        \
            turn_main_loop();                                             \
        g_assert_true(condition);                                         \
    }                                                                     \
    G_STMT_END

/* The longest turn so far, in seconds of this thread's own computing: what other programs do to the
 * machine does not count. */
G_GNUC_UNUSED static double longest_turn;

G_GNUC_UNUSED static double thread_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

G_GNUC_UNUSED static gboolean wake_up(gpointer data)
{
    return G_SOURCE_REMOVE;
}

G_GNUC_UNUSED static void turn_main_loop(void)
{
    double start = thread_seconds();

    g_timeout_add(20, wake_up, NULL);
    g_main_context_iteration(NULL, TRUE);
    longest_turn = MAX(longest_turn, thread_seconds() - start);
}

G_GNUC_UNUSED static char *fixture_path(const char *name)
{
    const char *tests = g_getenv("SAFELIGHT_TESTS");

    return g_build_filename(tests ? tests : "tests", "goldens", "model", name, NULL);
}

G_GNUC_UNUSED static SlModelItem *open_fixture(const char *name)
{
    g_autofree char *path = fixture_path(name);
    g_autoptr(GError) error = NULL;
    SlModelItem *item = sl_model_item_open(path, &error);

    g_assert_no_error(error);
    return item;
}

G_GNUC_UNUSED static SlSettings *fixture_settings(SlModelItem *model, int steps)
{
    SlSettings *settings = sl_model_item_defaults(model);

    g_object_set(settings, "prompt", "a red house", "steps", steps, "seed", (guint64)11, NULL);
    return settings;
}

G_GNUC_UNUSED static SlJob *fixture_job(SlModelItem *model, int steps)
{
    g_autoptr(SlSettings) settings = fixture_settings(model, steps);

    return sl_job_new(model, settings, SL_PREVIEWS_AUTOMATIC);
}

G_GNUC_UNUSED static guint count_frames(SlJob *job)
{
    return g_list_model_get_n_items(sl_job_get_frames(job));
}

G_GNUC_UNUSED static char *temporary_folder(void)
{
    char *folder = g_dir_make_tmp("safelight-test-XXXXXX", NULL);

    g_assert_nonnull(folder);
    return folder;
}

/* One level deep is all that the tests make. */
G_GNUC_UNUSED static void remove_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            remove_folder(path);
        else
            g_unlink(path);
    }
    g_rmdir(folder);
}
