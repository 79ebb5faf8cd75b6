/* gobject.h - what the tests of app/'s objects share: a model, a temporary folder, waiting. */
#pragma once

#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wframe-larger-than=" /* tests run on large stacks */
#endif

#include <glib/gstdio.h>
#include <locale.h>
#include <string.h>
#include <time.h>

#include "app/objects/objects.h"

#ifdef __SANITIZE_THREAD__
/* GLib's own locks are invisible to ThreadSanitizer: what GLib itself touches (the main context's
 * wake-up descriptor) looks unguarded. Our code is still seen. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libglib-2.0.so.0\n";
}
#endif

/* As the window does it. */
__attribute__((constructor)) static void set_locale(void)
{
    setlocale(LC_ALL, "");
}

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

/* The longest that the main loop was busy or blocked without a look at what else came, in seconds.
 * Waiting for a lock counts; time in which this thread could have gone on but other programs had the
 * cores does not (the kernel tells it in schedstat). */
G_GNUC_UNUSED static double longest_turn;
/* The same without any waiting. For windows: their display server shares the machine with all others. */
G_GNUC_UNUSED static double longest_work;
static gint64 turn_began, turn_waited, turn_worked;

/* Nanoseconds that this thread has computed. */
static gint64 time_on_core(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * G_GINT64_CONSTANT(1000000000) + now.tv_nsec;
}

/* Nanoseconds that this thread was ready and had no core. */
static gint64 time_without_core(void)
{
    g_autofree char *text = NULL;
    char *waited;

    if (!g_file_get_contents("/proc/thread-self/schedstat", &text, NULL, NULL))
        return 0;
    waited = strchr(text, ' ');
    return waited ? g_ascii_strtoll(waited, NULL, 10) : 0;
}

static void end_turn(void)
{
    gint64 ran = (g_get_monotonic_time() - turn_began) * 1000;

    if (turn_began) {
        longest_turn = MAX(longest_turn, (ran - (time_without_core() - turn_waited)) / 1e9);
        longest_work = MAX(longest_work, (time_on_core() - turn_worked) / 1e9);
    }
    turn_began = 0;
}

/* The main loop's poll: a turn lasts from the end of one to the beginning of the next. */
static gint timed_poll(GPollFD *fds, guint n, gint timeout)
{
    gint ready;

    end_turn();
    ready = g_poll(fds, n, timeout);
    turn_waited = time_without_core();
    turn_worked = time_on_core();
    turn_began = g_get_monotonic_time();
    return ready;
}

/* The timeout that ends a turn in which nothing happens; 0: none is set. One for each turn would never become
 * fewer: each that ends makes a turn. */
static guint waking;

G_GNUC_UNUSED static gboolean wake_up(gpointer data)
{
    waking = 0;
    return G_SOURCE_REMOVE;
}

G_GNUC_UNUSED static void turn_main_loop(void)
{
    g_main_context_set_poll_func(NULL, timed_poll);
    if (!waking)
        waking = g_timeout_add(20, wake_up, NULL);
    g_main_context_iteration(NULL, TRUE);
    end_turn(); /* what a test does between its turns is its own */
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

/* ---- the gallery's index ---- */

G_GNUC_UNUSED static char *index_path(void)
{
    return g_build_filename(g_get_user_data_dir(), "safelight", "gallery.db", NULL);
}

/* Runs the tests with a data folder of their own; GLib asks for it once. */
G_GNUC_UNUSED static int run_with_data_home(void)
{
    g_autofree char *home = g_dir_make_tmp("safelight-data-XXXXXX", NULL);
    int status;

    g_setenv("XDG_DATA_HOME", home, TRUE);
    status = g_test_run();
    remove_folder(home);
    return status;
}
