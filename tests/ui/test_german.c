/* test_german.c - the window in German: what it refuses, and why, is German to the last word, also where the engine says
 * it. Needs the locale that the tests make (localedef). */
#include "driver.h"
#include "fit.h"

#include <glib/gi18n.h>
#include <locale.h>

static void assert_german(const char *text)
{
    static const char *const english[] = {" the ",   " is ",  " of ",    " and ",      " expected ",
                                          "The ",    "This",  " are ",   " has ",      " not ",
                                          " needs ", " for ", " memory", " tensor \"", " with "};

    for (guint i = 0; i < G_N_ELEMENTS(english); i++)
        if (strstr(text, english[i]))
            g_error("“%s” is not German: %s", english[i], text);
}

/* A setting that does not fit: engine/recipe says so. */
static void test_setting(void)
{
    int width = sl_settings_get_width(workspace->recipe);

    g_object_set(workspace->recipe, "width", width + 1, NULL);
    act("win.develop");
    WAIT_UNTIL(find_dialog());
    g_assert_nonnull(strstr(alert_body(), "erwartet wird"));
    assert_german(alert_body());
    screenshot("german-setting");
    close_dialog();
    g_object_set(workspace->recipe, "width", width, NULL);
}

/* A template that cannot be made: app/recipe says so. */
static void test_template(void)
{
    g_settings_set_uint(preferences, "dynamic", 1);
    g_object_set(workspace->recipe, "prompt", "a {red|blue house", NULL);
    act("win.develop");
    WAIT_UNTIL(find_dialog());
    g_assert_nonnull(strstr(alert_body(), "Die Vorlage des Prompts"));
    assert_german(alert_body());
    close_dialog();
    g_object_set(workspace->recipe, "prompt", "a red house", NULL);
    g_settings_set_uint(preferences, "dynamic", 0);
}

/* A model whose weights are damaged: engine/files says so. */
static void test_model(void)
{
    g_autofree char *path = fixture_path("sd1"), *copy = g_build_filename(folder, "broken", NULL);
    g_autofree char *command = g_strdup_printf("cp -r '%s' '%s' && truncate -s 20000 "
                                               "'%s'/unet/*.safetensors",
                                               path, copy, copy);
    g_autoptr(GError) error = NULL;
    g_autoptr(SlModelItem) item = NULL;

    g_assert_cmpint(system(command), ==, 0);
    item = sl_model_item_open(copy, &error);
    g_assert_null(item);
    g_assert_nonnull(strstr(error->message, "abgeschnitten"));
    assert_german(error->message);
}

/* The reason for the device, as the preferences show it. */
static void test_device(void)
{
    const char *line = sl_worker_get_device_line(workspace->worker);

    g_assert_cmpstr(line, !=, "");
    g_assert_null(strstr(line, "because"));
    assert_german(strchr(line, '\n') ? strchr(line, '\n') : line);
}

/* ---- labels that find no room ---- */

static guint look_at_pages(int width)
{
    static const char *const names[] = {"darkroom", "compare", "gallery"};
    guint cut = 0;

    gtk_window_set_default_size(GTK_WINDOW(window), width, 800);
    settle(300);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *where = g_strdup_printf("german-%s-%d", names[i], width);

        adw_view_stack_set_visible_child_name(pages, names[i]);
        screenshot(where);
        cut += count_cut(GTK_WIDGET(window), where, assert_german);
        if (width < 700) {
            sl_side_view_set_panel_shown(sides, TRUE);
            settle(400);
            g_autofree char *panel_of = g_strdup_printf("german-%s-%d-panel", names[i], width);
            screenshot(panel_of);
            cut += count_cut(GTK_WIDGET(window), panel_of, assert_german);
            sl_side_view_set_panel_shown(sides, FALSE);
        }
    }
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    return cut;
}

static void test_cut(void)
{
    SlJob *job;

    act("win.develop");
    job = sl_queue_get_current(workspace->queue);
    WAIT_UNTIL(sl_job_is_over(job));
    g_settings_set_boolean(preferences, "more-expanded", TRUE);
    g_assert_cmpuint(look_at_pages(1280) + look_at_pages(600), ==, 0);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    g_setenv("LC_ALL", "de_DE.UTF-8", TRUE);
    g_setenv("LANGUAGE", "de", TRUE);
    if (!setlocale(LC_ALL, "")) {
        g_print("1..0 # SKIP there is no German locale\n");
        return 0;
    }
    bindtextdomain(GETTEXT_PACKAGE, g_getenv("SAFELIGHT_TEST_LOCALE"));
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
    sl_language_use();
    if (!start_application("sd1"))
        return 77;
    g_test_add_func("/german/setting", test_setting);
    g_test_add_func("/german/template", test_template);
    g_test_add_func("/german/model", test_model);
    g_test_add_func("/german/device", test_device);
    g_test_add_func("/german/cut", test_cut);
    status = g_test_run();
    end_application();
    return status;
}
