/* test_unsaved.c - the window where pictures cannot be saved: their folder's place is taken by a file, which nobody, not
 * even root, can write into.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "driver.h"

#include <signal.h>
#include <sys/resource.h>

static SlKeeper *keeper;
static char *blocked; /* the folder that cannot be made */

static guint count_unsaved(void)
{
    return sl_keeper_count_unsaved(keeper, SL_KEEP_PICTURE);
}

static guint count_waiting(void)
{
    return g_list_model_get_n_items(G_LIST_MODEL(workspace->queue));
}

static guint count_files(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    guint count = 0;

    while (dir && (name = g_dir_read_name(dir)))
        count += g_str_has_suffix(name, ".png");
    return count;
}

static guint count_gallery(void)
{
    return g_list_model_get_n_items(G_LIST_MODEL(workspace->gallery));
}

static gpointer bar(void)
{
    return part(window, "unsaved_bar");
}

static const char *bar_text(const char *label)
{
    return gtk_label_get_text(GTK_LABEL(part(bar(), label)));
}

/* A file where the folder was, or nothing again. */
static void block(gboolean on)
{
    if (on)
        g_assert_true(g_file_set_contents(blocked, "", 0, NULL));
    else
        g_assert_cmpint(g_unlink(blocked), ==, 0);
}

static void develop(guint count)
{
    g_settings_set_double(preferences, "count", count);
    act("win.develop");
}

static gboolean rests(void)
{
    return sl_queue_get_current(workspace->queue) == NULL;
}

/* The queue waits, nothing that was made is lost, and what is made meanwhile is not either. */
static void test_queue_waits(void)
{
    guint unsaved;

    block(TRUE);
    g_settings_set_string(preferences, "pictures-folder", blocked);
    g_object_set(workspace->recipe, "steps", 3, NULL);
    develop(6);
    WAIT_UNTIL(sl_queue_is_held(workspace->queue) && rests());
    sl_keeper_finish(keeper);
    unsaved = count_unsaved();
    g_assert_cmpuint(unsaved, >=, 1);
    g_assert_cmpuint(count_waiting(), >, 0);
    g_assert_cmpuint(unsaved + count_waiting(), ==, 6);
    g_assert_true(gtk_widget_get_mapped(bar()));
    g_assert_nonnull(strstr(bar_text("title"), "not saved"));
    g_assert_nonnull(strstr(bar_text("title"), "the queue waits"));
    g_assert_nonnull(strstr(bar_text("reason"), blocked));
    screenshot("unsaved-1-waits");
    /* A step that a person keeps is no less. */
    act("win.previous-step");
    act("win.keep-step");
    WAIT_UNTIL(count_unsaved() == unsaved + 1);
    act("win.save-again");
    sl_keeper_finish(keeper);
    g_assert_cmpuint(count_unsaved(), ==, unsaved + 1);
    g_assert_true(sl_queue_is_held(workspace->queue));
    g_assert_null(find_dialog());
}

/* It goes on by itself, and every picture is there. */
static void test_goes_on(void)
{
    guint unsaved = count_unsaved();

    block(FALSE);
    act("win.save-again");
    WAIT_UNTIL(count_unsaved() == 0);
    g_assert_cmpuint(count_files(blocked), >=, unsaved);
    WAIT_UNTIL(rests() && count_waiting() == 0);
    sl_keeper_finish(keeper);
    g_assert_cmpuint(count_files(blocked), ==, 7);
    WAIT_UNTIL(count_gallery() == 7);
    g_assert_false(gtk_widget_get_visible(bar()));
    g_assert_false(sl_queue_is_held(workspace->queue));
}

/* The folder that is set, where there is room again: saved there, and nothing is set anew. */
static void test_the_same_folder(void)
{
    g_autofree char *now = NULL;

    remove_folder(blocked);
    block(TRUE);
    develop(1);
    WAIT_UNTIL(count_unsaved() == 1 && rests());
    block(FALSE);
    act_with("win.save-elsewhere-to", blocked);
    WAIT_UNTIL(count_unsaved() == 0);
    sl_keeper_finish(keeper);
    g_assert_cmpuint(count_files(blocked), ==, 1);
    now = sl_places_pictures_folder(preferences);
    g_assert_cmpstr(now, ==, blocked);
}

static gboolean toast_left(GSignalInvocationHint *hint, guint n, const GValue *values,
                           gpointer left)
{
    AdwToast *toast = g_value_get_object(values);

    *(gboolean *)left |= g_strcmp0(adw_toast_get_title(toast), "Everything is saved now") == 0;
    return TRUE;
}

/* "Everything is saved now" is taken back as soon as it is no longer true. */
static void test_no_longer_saved(void)
{
    gboolean left = FALSE;
    guint dismissed = g_signal_lookup("dismissed", ADW_TYPE_TOAST);
    gulong hook = g_signal_add_emission_hook(dismissed, 0, toast_left, &left, NULL);

    remove_folder(blocked);
    block(TRUE);
    develop(1);
    WAIT_UNTIL(count_unsaved() == 1 && rests());
    block(FALSE);
    left = FALSE; /* one from before */
    act("win.save-again");
    WAIT_UNTIL(count_unsaved() == 0);
    sl_keeper_finish(keeper);
    g_assert_false(left);
    remove_folder(blocked);
    block(TRUE);
    develop(1);
    WAIT_UNTIL(count_unsaved() == 1 && rests());
    g_assert_true(left);
    g_signal_remove_emission_hook(dismissed, hook);
    screenshot("unsaved-4-no-longer");
    block(FALSE);
    act("win.save-again");
    WAIT_UNTIL(count_unsaved() == 0 && rests());
    sl_keeper_finish(keeper);
    remove_folder(blocked);
}

/* From then on, which the preferences say. */
static void test_elsewhere(void)
{
    g_autofree char *elsewhere = g_build_filename(folder, "elsewhere", NULL);
    g_autofree char *now = NULL;

    remove_folder(blocked);
    block(TRUE);
    develop(2);
    WAIT_UNTIL(sl_queue_is_held(workspace->queue) && rests());
    act_with("win.save-elsewhere-to", elsewhere);
    WAIT_UNTIL(rests() && count_waiting() == 0 && count_unsaved() == 0);
    sl_keeper_finish(keeper);
    g_assert_cmpuint(count_files(elsewhere), ==, 2);
    now = sl_places_pictures_folder(preferences);
    g_assert_cmpstr(now, ==, elsewhere);
    WAIT_UNTIL(count_gallery() == 2);
    develop(1);
    WAIT_UNTIL(count_gallery() == 3);
}

/* No file of this process may grow any more, as on a full disk: pictures, their index, preferences. */
static void allow_bytes(gboolean allowed)
{
    struct rlimit limit;

    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    limit.rlim_cur = allowed ? limit.rlim_max : 0;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static guint count_all(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint count = 0;

    while (dir && g_dir_read_name(dir))
        count++;
    return count;
}

/* The queue waits, no part of a file is left, and with room again all of them are saved. */
static void test_no_room(void)
{
    g_autofree char *now = sl_places_pictures_folder(preferences);
    guint before = count_all(now), unsaved;

    allow_bytes(FALSE);
    develop(3);
    WAIT_UNTIL(sl_queue_is_held(workspace->queue) && rests());
    sl_keeper_finish(keeper);
    unsaved = count_unsaved();
    g_assert_cmpuint(unsaved, >=, 1);
    g_assert_cmpuint(unsaved + count_waiting(), ==, 3);
    g_assert_nonnull(strstr(bar_text("reason"), "cannot be written"));
    g_assert_cmpuint(count_all(now), ==, before);
    WAIT_UNTIL(find_dialog() != NULL); /* the prompt could not be remembered */
    g_assert_nonnull(strstr(alert_body(), "history.json: cannot be written"));
    allow_bytes(TRUE);
    screenshot("unsaved-3-no-room");
    close_dialog();
    settle(600);
    act("win.save-again");
    WAIT_UNTIL(rests() && count_waiting() == 0 && count_unsaved() == 0);
    sl_keeper_finish(keeper);
    g_assert_cmpuint(count_all(now), ==, before + 3);
    WAIT_UNTIL(count_gallery() == before + 3);
    g_assert_false(sl_queue_is_held(workspace->queue));
}

static void test_quit(void)
{
    g_settings_set_string(preferences, "pictures-folder", blocked);
    develop(1);
    /* In the moment in which it is finished: whether it can be saved is not known yet. */
    WAIT_UNTIL(!rests());
    WAIT_UNTIL(rests());
    gtk_window_close(GTK_WINDOW(window));
    WAIT_UNTIL(find_dialog() != NULL);
    g_assert_nonnull(strstr(alert_body(), blocked));
    screenshot("unsaved-2-quit");
    close_dialog(); /* as "Stay" does */
    g_assert_false(workspace->closed);
    g_assert_cmpuint(count_unsaved(), ==, 1);
    settle(600); /* until it has faded, newer toolkits close the question and not the window */
    gtk_window_close(GTK_WINDOW(window));
    WAIT_UNTIL(find_dialog() != NULL);
    g_object_add_weak_pointer(G_OBJECT(window), (gpointer *)&window);
    answer_alert("quit");
    WAIT_UNTIL(workspace->closed && window == NULL);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    signal(SIGXFSZ, SIG_IGN); /* as main.c does */
    if (!start_application("sd1"))
        return 77;
    keeper = workspace->keeper;
    g_object_ref(workspace);
    blocked = g_build_filename(folder, "blocked", NULL);
    g_test_add_func("/unsaved/queue-waits", test_queue_waits);
    g_test_add_func("/unsaved/goes-on", test_goes_on);
    g_test_add_func("/unsaved/the-same-folder", test_the_same_folder);
    g_test_add_func("/unsaved/no-longer-saved", test_no_longer_saved);
    g_test_add_func("/unsaved/elsewhere", test_elsewhere);
    g_test_add_func("/unsaved/no-room", test_no_room);
    g_test_add_func("/unsaved/quit", test_quit);
    status = g_test_run();
    g_clear_object(&workspace);
    end_application();
    g_free(blocked);
    return status;
}
