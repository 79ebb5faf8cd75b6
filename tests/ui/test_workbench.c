/* test_workbench.c - the comparison as a workbench in the real window under Xvfb: the table of the lanes and the files
 * that are made of it, two lanes at full size, colours, curves that are read. $SAFELIGHT_PROGRAM is the program.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "exchange.h"
#include "mouse.h"

#include <math.h>
#include <string.h>

static SlCompareChart *chart(void)
{
    return sl_compare_view_get_chart(compare_view);
}

static SlLaneTable *table(void)
{
    return sl_compare_chart_get_table(chart());
}

static guint column_of(const char *key)
{
    for (guint i = 0; i < sl_table_column_count(); i++)
        if (g_str_equal(sl_table_column_nth(i)->key, key))
            return i;
    g_assert_not_reached();
}

static double value_at(GListModel *rows, guint row, const char *key)
{
    g_autoptr(SlCompareRow) item = g_list_model_get_item(rows, row);

    return sl_compare_row_get_value(item, column_of(key));
}

static gboolean all_are_like(void)
{
    GListModel *rows = G_LIST_MODEL(sl_lane_table_get_table(table()));

    for (guint i = 0; i < g_list_model_get_n_items(rows); i++)
        if (isnan(value_at(rows, i, "psnr_db")))
            return FALSE;
    return g_list_model_get_n_items(rows) == count_lanes();
}

/* Figures come when all is there; sorting by each column is in order; a row chooses its lane. */
static void test_table(void)
{
    GListModel *seen = sl_lane_table_get_rows(table());
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    g_object_set(workspace->recipe, "steps", 8, "seed", (guint64)11, "prompt", "a red house", NULL);
    act_with("win.compare-preset", "four");
    sl_compare_chart_show_table(chart());
    run_to_end();
    WAIT_UNTIL(all_are_like());
    screenshot("workbench-1-table");
    for (guint column = 0; column < sl_table_column_count(); column++) {
        const char *key = sl_table_column_nth(column)->key;

        sl_lane_table_sort(table(), column, GTK_SORT_DESCENDING);
        g_assert_cmpuint(g_list_model_get_n_items(seen), ==, 4);
        for (guint i = 1; i < 4; i++)
            g_assert_false(value_at(seen, i - 1, key) < value_at(seen, i, key));
    }
    sl_lane_table_sort(table(), column_of("psnr_db"), GTK_SORT_ASCENDING);
    g_assert_true(isinf(value_at(seen, 3, "psnr_db"))); /* the reference itself */
    screenshot("workbench-1-sorted");
    gtk_single_selection_set_selected(GTK_SINGLE_SELECTION(seen), 0);
    g_assert_cmpuint(sl_compare_view_get_chosen(compare_view) + 1, ==,
                     (guint)value_at(seen, 0, "lane"));
    sl_compare_view_choose(compare_view, 3);
    WAIT_UNTIL((guint)value_at(seen, gtk_single_selection_get_selected(GTK_SINGLE_SELECTION(seen)),
                               "lane") == 4);
    text = sl_lane_table_to_text(table());
    lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 6);
    g_assert_true(g_str_has_prefix(lines[0], "Lane\tSettings\tEvaluations\t"));
    g_assert_true(g_str_has_prefix(lines[4], "1\t")); /* as it is sorted */
    g_assert_true(gtk_widget_activate_action_variant(GTK_WIDGET(table()), "table.copy", NULL));
    sl_lane_table_sort(table(), 0, GTK_SORT_ASCENDING);
}

static char *contents_of(const char *path)
{
    char *text;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* The window's table is that of the program: the same numbers in all columns. */
static void test_table_file(void)
{
    g_autofree char *ours = path_of("ours.csv"), *lanes = path_of("lanes.safelight");
    g_autofree char *theirs = path_of("theirs.csv");
    g_autofree char *text = NULL, *other = NULL;
    g_auto(GStrv) a = NULL, b = NULL;

    sl_comparison_set_reference(comparison, 2);
    save_as("table", ours);
    save_as("comparison", lanes);
    g_assert_cmpint(run("compare", "--open", lanes, "--table", theirs, "--quiet", NULL), ==, 0);
    text = contents_of(ours);
    other = contents_of(theirs);
    a = g_strsplit(text, "\n", -1);
    b = g_strsplit(other, "\n", -1);
    g_assert_cmpuint(g_strv_length(a), ==, 6);
    g_assert_cmpuint(g_strv_length(b), ==, 6);
    for (guint i = 0; i < 5; i++) {
        g_auto(GStrv) x = g_strsplit(a[i], ",", -1), y = g_strsplit(b[i], ",", -1);

        g_assert_cmpuint(g_strv_length(x), ==, sl_table_column_count());
        for (guint column = 0; column < sl_table_column_count(); column++)
            if (i == 0 || column != column_of("title"))
                g_assert_cmpstr(x[column], ==, y[column]);
    }
    g_assert_nonnull(strstr(a[3], ",inf,1.0000,"));
    sl_comparison_set_reference(comparison, 0);
}

/* The page has the lanes' names, and what the program makes of the saved lanes has the same pictures. */
static void test_report(void)
{
    g_autofree char *ours = path_of("ours.html"), *theirs = path_of("theirs.html");
    g_autofree char *lanes = path_of("lanes.safelight");
    g_autofree char *text = NULL, *other = NULL;
    g_auto(GStrv) a = NULL, b = NULL;

    g_unlink(lanes);
    save_as("comparison", lanes);
    save_as("report", ours);
    g_assert_cmpint(run("compare", "--open", lanes, "--report", theirs, "--quiet", NULL), ==, 0);
    text = contents_of(ours);
    other = contents_of(theirs);
    g_assert_true(g_str_has_prefix(text, "<!DOCTYPE html>\n<html lang=\"en\">"));
    g_assert_nonnull(strstr(text, "</html>"));
    for (guint i = 0; i < count_lanes(); i++) {
        g_autoptr(SlCompareRow) row =
            g_list_model_get_item(G_LIST_MODEL(sl_lane_table_get_table(table())), i);

        g_assert_nonnull(strstr(text, sl_compare_row_get_title(row)));
    }
    a = g_strsplit(text, "base64,", -1);
    b = g_strsplit(other, "base64,", -1);
    g_assert_cmpuint(g_strv_length(a), ==, 8);
    g_assert_cmpuint(g_strv_length(b), ==, 8);
    for (guint i = 1; i < 8; i++) {
        *strchr(a[i], '"') = '\0';
        *strchr(b[i], '"') = '\0';
        g_assert_cmpstr(a[i], ==, b[i]);
    }
}

static guint color_of(guint lane)
{
    return sl_compare_lane_get_color(sl_comparison_get_lane(comparison, lane));
}

/* Lanes keep their colours when others go, come and come back. */
static void test_colors(void)
{
    g_autoptr(SlComparisonState) before = NULL;
    guint colors[4];

    for (guint i = 0; i < 4; i++) {
        colors[i] = color_of(i);
        for (guint k = 0; k < i; k++)
            g_assert_cmpuint(colors[i], !=, colors[k]);
    }
    before = sl_comparison_state_new(comparison);
    sl_comparison_remove(comparison, 1);
    g_assert_cmpuint(color_of(0), ==, colors[0]);
    g_assert_cmpuint(color_of(1), ==, colors[2]);
    g_assert_cmpuint(color_of(2), ==, colors[3]);
    act_with("win.compare-add", "lane");
    run_to_end();
    g_assert_cmpuint(color_of(3), ==, colors[1]); /* the one that is free */
    sl_lane_table_sort(table(), column_of("seconds"), GTK_SORT_DESCENDING);
    g_assert_cmpuint(color_of(1), ==, colors[2]);
    screenshot("workbench-2-colors");
    {
        g_autofree char *path = path_of("colors.safelight"), *page = path_of("colors.html");
        g_autofree char *text = NULL;

        save_as("comparison", path);
        sl_comparison_clear(comparison);
        sl_compare_page_open(sl_window_get_compare(window), path);
        WAIT_UNTIL(count_lanes() == 4);
        g_assert_cmpuint(color_of(1), ==, colors[2]); /* a file has them, too */
        g_assert_cmpuint(color_of(3), ==, colors[1]);
        g_assert_cmpint(run("compare", "--open", path, "--report", page, "--quiet", NULL), ==, 0);
        text = contents_of(page);
        for (guint i = 0; i < 4; i++) {
            guint8 rgb[3];
            g_autofree char *badge = NULL;

            sl_lane_color_get(color_of(i), rgb);
            badge =
                g_strdup_printf("background:#%02x%02x%02x\">%u<", rgb[0], rgb[1], rgb[2], i + 1);
            g_assert_nonnull(strstr(text, badge));
        }
    }
    sl_comparison_state_restore(before, comparison);
    for (guint i = 0; i < 4; i++)
        g_assert_cmpuint(color_of(i), ==, colors[i]);
    sl_lane_table_sort(table(), 0, GTK_SORT_ASCENDING);
}

static gboolean is_tall(GtkWidget *widget, int height)
{
    return gtk_widget_get_height(widget) == height;
}

/* The strip of curves is as tall as a person pulled it, and remembers it. */
static void test_strip(void)
{
    GtkWidget *handle = part(chart(), "handle"), *curves = part(chart(), "curves");
    int height;

    gtk_toggle_button_set_active(part(chart(), "tab_distance"), TRUE);
    settle(100);
    height = gtk_widget_get_height(curves);
    g_signal_emit_by_name(handle, "grabbed");
    g_signal_emit_by_name(handle, "pulled", 60);
    g_signal_emit_by_name(handle, "pulled", 80);
    WAIT_UNTIL(is_tall(curves, height + 80));
    g_assert_cmpint(g_settings_get_int(preferences, "compare-strip-height"), ==, 0);
    g_signal_emit_by_name(handle, "released");
    g_assert_cmpint(g_settings_get_int(preferences, "compare-strip-height"), ==, height + 80);
    screenshot("workbench-3-tall");
    g_signal_emit_by_name(handle, "grabbed");
    g_signal_emit_by_name(handle, "pulled", 100000); /* as far as there is room */
    settle(100);
    g_assert_cmpint(gtk_widget_get_height(curves), <, gtk_widget_get_height(GTK_WIDGET(window)));
    g_signal_emit_by_name(handle, "reset");
    WAIT_UNTIL(is_tall(curves, height));
    g_assert_cmpint(g_settings_get_int(preferences, "compare-strip-height"), ==, 0);
}

/* The values that are read out are those of the lanes at that step. */
static void test_reading(void)
{
    SlFrameObject *result = sl_job_get_last_frame(sl_comparison_get_job(comparison, 0));
    g_autofree char *read = NULL, *expected = NULL;

    sl_comparison_set_align(comparison, SL_ALIGN_STEPS);
    sl_comparison_set_position(comparison, 5);
    expected = g_strdup_printf("2: %.4g, 3: %.4g, 4: %.4g",
                               sl_difference_rms(sl_comparison_get_frame(comparison, 1), result),
                               sl_difference_rms(sl_comparison_get_frame(comparison, 2), result),
                               sl_difference_rms(sl_comparison_get_frame(comparison, 3), result));
    read = sl_curve_view_describe(sl_compare_chart_get_curves(chart()), 5.6);
    g_assert_nonnull(strstr(read, expected));
    gtk_window_set_focus_visible(GTK_WINDOW(window), TRUE);
    gtk_widget_grab_focus(part(chart(), "curves"));
    screenshot("workbench-3-reading");
    g_free(read);
    read = sl_curve_view_describe(sl_compare_chart_get_curves(chart()), 8);
    g_assert_nonnull(strstr(read, "1: equal"));
    sl_comparison_move(comparison, G_MAXINT);
    gtk_toggle_button_set_active(part(chart(), "tab_sigma"), TRUE);
}

/* What the colours of differences mean is said while they are shown. */
static void test_heat_scale(void)
{
    GtkWidget *box = part(compare_view, "scale_box");
    guint8 rgb[3];

    g_assert_false(gtk_widget_is_visible(box));
    g_object_set(compare_view, "difference", TRUE, NULL);
    g_assert_true(gtk_widget_is_visible(box));
    screenshot("workbench-4-heat");
    g_object_set(compare_view, "difference", FALSE, NULL);
    g_assert_false(gtk_widget_is_visible(box));
    sl_difference_get_color(0, rgb);
    g_assert_cmpint(rgb[0] + rgb[1] + rgb[2], ==, 0);
    sl_difference_get_color(1, rgb);
    g_assert_cmpint(rgb[0] + rgb[1] + rgb[2], ==, 3 * 255);
}

static SlAbView *ab(void)
{
    return sl_compare_view_get_ab(compare_view);
}

static void ab_action(const char *action)
{
    g_assert_true(gtk_widget_activate_action_variant(GTK_WIDGET(ab()), action, NULL));
}

static const char *label_text(gpointer widget, const char *name)
{
    return gtk_label_get_text(GTK_LABEL(part(widget, name)));
}

static gboolean canvas_has(GBytes *rgb)
{
    GdkTexture *texture = sl_canvas_get_texture(sl_ab_view_get_canvas(ab()));
    gsize n = (gsize)gdk_texture_get_width(texture) * gdk_texture_get_height(texture);
    g_autofree guint8 *pixels = g_malloc(4 * n); /* BGRA */
    const guint8 *expected = g_bytes_get_data(rgb, NULL);

    gdk_texture_download(texture, pixels, 4 * (gsize)gdk_texture_get_width(texture));
    if (g_bytes_get_size(rgb) != 3 * n)
        return FALSE;
    for (gsize i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            if (pixels[4 * i + 2 - c] != expected[3 * i + c])
                return FALSE;
    return TRUE;
}

static GBytes *picture_of(guint lane)
{
    int width, height;

    return sl_frame_object_get_rgb(sl_comparison_get_frame(comparison, lane), SL_VIEW_PICTURE,
                                   &width, &height);
}

/* The reference and the chosen lane fill the place of all; Escape brings those back. */
static void test_ab_open(void)
{
    guint a, b;

    sl_compare_view_choose(compare_view, 2);
    g_object_set(compare_view, "full-size", TRUE, NULL);
    g_assert_true(gtk_widget_is_visible(GTK_WIDGET(ab())));
    g_assert_false(gtk_widget_get_mapped(GTK_WIDGET(sl_compare_view_get_lane(compare_view, 0))));
    sl_ab_view_get_lanes(ab(), &a, &b);
    g_assert_cmpuint(a, ==, 0);
    g_assert_cmpuint(b, ==, 2);
    g_assert_cmpint(sl_ab_view_get_mode(ab()), ==, SL_AB_WIPE);
    g_assert_cmpstr(label_text(ab(), "name_a"), ==, "A  1 · PNDM");
    g_assert_cmpstr(label_text(ab(), "name_b"), ==, "B  3 · DPM++ 2M");
    g_assert_true(canvas_has(picture_of(0)));
    g_assert_nonnull(sl_canvas_get_beside(sl_ab_view_get_canvas(ab())));
    g_assert_nonnull(strstr(label_text(ab(), "status"), "dB (PSNR)"));
    screenshot("workbench-5-wipe");
    ab_action("ab.swap");
    g_assert_true(canvas_has(picture_of(2)));
    ab_action("ab.swap");
    ab_action("ab.leave");
    g_assert_false(gtk_widget_is_visible(GTK_WIDGET(ab())));
    WAIT_UNTIL(gtk_widget_get_mapped(GTK_WIDGET(sl_compare_view_get_lane(compare_view, 0))));
    g_assert_true(gtk_window_get_focus(GTK_WINDOW(window)) ==
                  GTK_WIDGET(sl_compare_view_get_lane(compare_view, 2)));
}

/* Each mode shows what it says, at the same zoom, of the step that the handle is at. */
static void test_ab_modes(void)
{
    SlCanvas *canvas = sl_ab_view_get_canvas(ab());
    int width, height;
    g_autoptr(GBytes) heat = NULL;

    g_object_set(compare_view, "full-size", TRUE, NULL);
    sl_ab_view_set_amount(ab(), 0.25);
    g_assert_cmpfloat(sl_ab_view_get_amount(ab()), ==, 0.25);
    act("win.zoom-original");
    g_assert_cmpfloat(sl_canvas_get_zoom(canvas), ==, 1);
    sl_ab_view_set_mode(ab(), SL_AB_DIFFERENCE);
    g_assert_cmpfloat(sl_canvas_get_zoom(canvas), ==, 1);
    sl_ab_view_set_amount(ab(), 8);
    heat =
        sl_difference_heat(&(SlHeatOf){sl_comparison_get_frame(comparison, 0),
                                       sl_comparison_get_frame(comparison, 2), SL_VIEW_PICTURE, 32},
                           &width, &height, NULL);
    g_assert_true(canvas_has(heat));
    g_assert_null(sl_canvas_get_beside(canvas));
    g_assert_true(gtk_widget_is_visible(part(ab(), "scale")));
    g_assert_nonnull(strstr(label_text(ab(), "status"), "of 255 at most"));
    act("win.zoom-fit");
    screenshot("workbench-5-difference");
    sl_ab_view_set_mode(ab(), SL_AB_ONE);
    g_assert_true(canvas_has(picture_of(0)));
    ab_action("ab.other");
    g_assert_true(sl_ab_view_shows_b(ab()));
    g_assert_true(canvas_has(picture_of(2)));
    g_assert_false(gtk_widget_is_visible(part(ab(), "name_a")));
    sl_comparison_set_position(comparison, 3);
    g_assert_true(canvas_has(picture_of(2)));
    WAIT_UNTIL(sl_frame_object_is_decoded(sl_comparison_get_frame(comparison, 2), SL_VIEW_PICTURE));
    WAIT_UNTIL(canvas_has(picture_of(2)));
    screenshot("workbench-5-one");
    sl_comparison_move(comparison, G_MAXINT);
    sl_ab_view_set_mode(ab(), SL_AB_WIPE);
    g_assert_cmpfloat(sl_ab_view_get_amount(ab()), ==, 0.25); /* each mode has its own */
}

/* It blinks by itself, but not where animations are turned off; Space changes the picture in any case. */
static void test_ab_blink(void)
{
    GtkSettings *settings = gtk_settings_get_default();
    gboolean before = sl_ab_view_shows_b(ab()), animations;

    g_object_get(settings, "gtk-enable-animations", &animations, NULL);
    g_object_set(settings, "gtk-enable-animations", TRUE, NULL);
    sl_ab_view_set_mode(ab(), SL_AB_BLINK);
    sl_ab_view_set_amount(ab(), 50); /* no more than three times a second */
    g_assert_cmpfloat(sl_ab_view_get_amount(ab()), ==, 3);
    WAIT_UNTIL(sl_ab_view_shows_b(ab()) != before);
    WAIT_UNTIL(sl_ab_view_shows_b(ab()) == before);
    g_object_set(settings, "gtk-enable-animations", FALSE, NULL);
    sl_ab_view_set_mode(ab(), SL_AB_BLINK);
    before = sl_ab_view_shows_b(ab());
    settle(900);
    g_assert_cmpint(sl_ab_view_shows_b(ab()), ==, before);
    g_assert_cmpstr(label_text(ab(), "amount_text"), ==, "by Space");
    ab_action("ab.other");
    g_assert_cmpint(sl_ab_view_shows_b(ab()), !=, before);
    screenshot("workbench-5-blink");
    g_object_set(settings, "gtk-enable-animations", animations, NULL);
    sl_ab_view_set_mode(ab(), SL_AB_WIPE);
}

/* With a real mouse and real keys: the line is dragged, not the picture; V, M, X, Escape, T and Ctrl+C. */
static void test_ab_by_hand(void)
{
    SlCanvas *canvas = sl_ab_view_get_canvas(ab());
    double x, y, amount;
    graphene_point_t line, to, grip;
    int height;

    sl_ab_view_set_amount(ab(), 0.5);
    settle(100);
    line = point_in(GTK_WIDGET(canvas), 0.5, 0.5);
    to = point_in(GTK_WIDGET(canvas), 0.55, 0.5);
    use_mouse("mousemove %d %d mousedown 1 mousemove %d %d mouseup 1", (int)line.x, (int)line.y,
              (int)to.x, (int)to.y);
    amount = sl_ab_view_get_amount(ab());
    g_assert_cmpfloat(amount, >, 0.52);
    sl_canvas_get_place(canvas, &x, &y);
    g_assert_true(x == 0 && y == 0);
    use_mouse("key shift+Left");
    g_assert_cmpfloat(sl_ab_view_get_amount(ab()), <, amount);
    use_mouse("key x");
    g_assert_true(canvas_has(picture_of(2)));
    use_mouse("key x key m");
    g_assert_cmpint(sl_ab_view_get_mode(ab()), ==, SL_AB_BLINK);
    use_mouse("key m key m key m key 2");
    g_assert_cmpint(sl_ab_view_get_mode(ab()), ==, SL_AB_WIPE);
    g_assert_cmpstr(label_text(ab(), "name_b"), ==, "B  2 · DDIM");
    use_mouse("key 3 key Escape");
    g_assert_false(gtk_widget_is_visible(GTK_WIDGET(ab())));
    use_mouse("key v");
    g_assert_true(gtk_widget_is_visible(GTK_WIDGET(ab())));
    grip = point_in(part(chart(), "handle"), 0.5, 0.5);
    height = gtk_widget_get_height(part(chart(), "curves"));
    use_mouse("mousemove %d %d mousedown 1 mousemove_relative -- 0 -20 mousemove_relative -- 0 -20 "
              "mouseup 1",
              (int)grip.x, (int)grip.y);
    WAIT_UNTIL(is_tall(part(chart(), "curves"), height + 40));
    g_signal_emit_by_name(part(chart(), "handle"), "reset");
    to = point_in(part(chart(), "curves"), 0.6, 0.4);
    use_mouse("mousemove %d %d mousemove_relative 1 0", (int)to.x, (int)to.y);
    screenshot("workbench-3-pointer");
    gtk_widget_grab_focus(GTK_WIDGET(ab()));
    use_mouse("key t");
    g_assert_true(gtk_widget_is_visible(GTK_WIDGET(table())));
    use_mouse("key Home key Down key Down");
    g_assert_cmpuint(sl_compare_view_get_chosen(compare_view), ==, 2);
    use_mouse("key Up key Return");
    {
        guint a, b;

        g_assert_cmpuint(sl_compare_view_get_chosen(compare_view), ==, 1);
        sl_ab_view_get_lanes(ab(), &a, &b);
        g_assert_cmpuint(b, ==, 1);
        use_mouse("key 3 key t");
    }
    use_mouse("key ctrl+c");
    {
        g_autofree char *text = sl_lane_table_to_text(table());
        GdkContentProvider *content =
            gdk_clipboard_get_content(gtk_widget_get_clipboard(GTK_WIDGET(table())));
        g_auto(GValue) value = G_VALUE_INIT;

        g_value_init(&value, G_TYPE_STRING);
        g_assert_true(content && gdk_content_provider_get_value(content, &value, NULL));
        g_assert_cmpstr(g_value_get_string(&value), ==, text);
    }
    gtk_toggle_button_set_active(part(chart(), "tab_sigma"), TRUE);
    gtk_widget_grab_focus(GTK_WIDGET(ab()));
}

/* A and B stay when others go; when they go themselves, others take their places; without lanes it is left. */
static void test_ab_lanes(void)
{
    guint a, b;

    sl_comparison_remove(comparison, 1);
    sl_ab_view_get_lanes(ab(), &a, &b);
    g_assert_cmpuint(a, ==, 0);
    g_assert_cmpuint(b, ==, 1);
    g_assert_cmpstr(label_text(ab(), "name_b"), ==, "B  2 · DPM++ 2M");
    sl_comparison_remove(comparison, 1);
    sl_ab_view_get_lanes(ab(), &a, &b);
    g_assert_cmpuint(a, ==, 0);
    g_assert_cmpuint(b, ==, 1);
    g_assert_true(canvas_has(picture_of(0)));
    g_settings_set_uint(preferences, "theme", 2);
    sl_side_view_set_panel_shown(sides, FALSE);
    gtk_window_set_default_size(GTK_WINDOW(window), 620, 800);
    settle(300);
    screenshot("workbench-5-narrow");
    sl_compare_chart_show_table(chart());
    screenshot("workbench-5-narrow-table");
    gtk_window_set_default_size(GTK_WINDOW(window), 1280, 800);
    g_settings_set_uint(preferences, "theme", 1);
    act("win.compare-clear");
    g_assert_false(gtk_widget_is_visible(GTK_WIDGET(ab())));
}

/* More lanes than are seen at a time: the table has the likeness of all, and curves and colours go on. */
static void test_many(void)
{
    g_object_set(workspace->recipe, "steps", 3, NULL);
    sl_compare_chart_show_table(chart());
    act_with("win.compare-preset", "schedulers");
    g_assert_cmpuint(count_lanes(), >, 9);
    run_to_end();
    WAIT_UNTIL(all_are_like());
    g_assert_cmpuint(color_of(9), ==, color_of(0));
    sl_lane_table_sort(table(), column_of("ssim"), GTK_SORT_DESCENDING);
    screenshot("workbench-6-many");
    g_signal_emit_by_name(table(), "opened", 10); /* Return on a row */
    {
        guint a, b;

        sl_ab_view_get_lanes(ab(), &a, &b);
        g_assert_cmpuint(a, ==, 0);
        g_assert_cmpuint(b, ==, 10);
    }
    screenshot("workbench-6-many-ab");
    act("win.compare-clear");
}

int main(int argc, char **argv)
{
    static const LaneTest tests[] = {
        {"/workbench/table", test_table, TRUE},
        {"/workbench/table-file", test_table_file, FALSE},
        {"/workbench/report", test_report, FALSE},
        {"/workbench/colors", test_colors, FALSE},
        {"/workbench/strip", test_strip, TRUE},
        {"/workbench/reading", test_reading, TRUE},
        {"/workbench/heat-scale", test_heat_scale, TRUE},
        {"/workbench/ab-open", test_ab_open, TRUE},
        {"/workbench/ab-modes", test_ab_modes, TRUE},
        {"/workbench/ab-blink", test_ab_blink, TRUE},
        {"/workbench/ab-by-hand", test_ab_by_hand, FALSE},
        {"/workbench/ab-lanes", test_ab_lanes, FALSE},
        {"/workbench/many", test_many, FALSE},
    };

    return run_lane_tests(&argc, &argv, tests, G_N_ELEMENTS(tests));
}
