/* test_views.c NAME - the window's views in one of the ways in which people have it: another size, theme, language, scale or
 * size of text (the table below; the screen's own size comes from outside). Each view is a screenshot, fits the window, and
 * no label is cut.
 */
#include "driver.h"
#include "fit.h"
#include "lanes.h"

#include <glib/gi18n.h>
#include <locale.h>

static const struct {
    const char *name, *language;
    guint theme;
    int width, height;
    double text;
} ways[] = {
    {"light-600", "en", 1, 600, 800, 1},           {"dark-de-600", "de", 2, 600, 800, 1},
    {"dark-de-1280", "de", 2, 1280, 800, 1},       {"light-ko-1280", "ko", 1, 1280, 800, 1},
    {"dark-ko-600", "ko", 2, 600, 800, 1},         {"light-4k", "en", 1, 3840, 2160, 1},
    {"dark-scale-2", "en", 2, 1280, 800, 1},       {"light-text-150", "en", 1, 1280, 900, 1.5},
    {"dark-de-text-150", "de", 2, 1280, 900, 1.5},
};
static guint way, cut;

static void look(const char *view)
{
    g_autofree char *name = g_strdup_printf("views-%s-%s", ways[way].name, view);

    settle(300);
    screenshot(name);
    cut += count_cut(GTK_WIDGET(window), name, NULL);
    g_assert_cmpint(gtk_widget_get_width(GTK_WIDGET(window)), <=, ways[way].width);
    g_assert_cmpint(gtk_widget_get_height(GTK_WIDGET(window)), <=, ways[way].height);
}

static void test_darkroom(void)
{
    SlJob *job;

    look("darkroom-empty");
    g_object_set(workspace->recipe, "steps", 9, "prompt", "a lighthouse at night, a ship far out",
                 NULL);
    act("win.develop");
    job = sl_queue_get_current(workspace->queue);
    WAIT_UNTIL(sl_job_is_over(job));
    look("darkroom");
    act("win.word-maps");
    look("words");
    act("win.word-maps");
    if (ways[way].width >= 700)
        return;
    sl_side_view_set_panel_shown(sides, TRUE);
    look("panel");
    sl_side_view_set_panel_shown(sides, FALSE);
}

static void test_compare(void)
{
    SlCompareChart *chart = sl_compare_view_get_chart(compare_view);

    adw_view_stack_set_visible_child_name(pages, "compare");
    look("compare-empty");
    act_with("win.compare-preset", "four");
    run_to_end();
    look("compare");
    sl_compare_chart_show_table(chart);
    look("table");
    g_assert_true(
        gtk_widget_activate_action_variant(GTK_WIDGET(compare_view), "compare.full-size", NULL));
    look("two-lanes");
}

static void test_gallery(void)
{
    adw_view_stack_set_visible_child_name(pages, "gallery");
    look("gallery");
    act("win.preferences");
    look("preferences");
}

static void test_room(void)
{
    g_assert_cmpuint(cut, ==, 0);
}

static gboolean use_language(const char *language)
{
    g_setenv("LC_ALL", "de_DE.UTF-8", TRUE);
    g_setenv("LANGUAGE", language, TRUE);
    if (!setlocale(LC_ALL, ""))
        return FALSE;
    bindtextdomain(GETTEXT_PACKAGE, g_getenv("SAFELIGHT_TEST_LOCALE"));
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
    sl_language_use();
    return TRUE;
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    while (way < G_N_ELEMENTS(ways) && argc > 1 && !g_str_equal(ways[way].name, argv[1]))
        way++;
    if (argc < 2 || way == G_N_ELEMENTS(ways))
        g_error("name one of the ways");
    if (!g_str_equal(ways[way].language, "en") && !use_language(ways[way].language)) {
        g_print("1..0 # SKIP there is no German locale\n");
        return 0;
    }
    start_theme = ways[way].theme;
    start_width = ways[way].width;
    start_height = ways[way].height;
    if (!gtk_init_check())
        return 77;
    g_object_set(gtk_settings_get_default(), "gtk-xft-dpi", (int)(96 * 1024 * ways[way].text),
                 NULL);
    model_name = "sd1";
    if (!start_application(model_name))
        return 77;
    comparison = workspace->comparison;
    g_test_add_func("/views/darkroom", test_darkroom);
    g_test_add_func("/views/compare", test_compare);
    g_test_add_func("/views/gallery", test_gallery);
    g_test_add_func("/views/room", test_room);
    status = g_test_run();
    end_application();
    return status;
}
