/* test_gallery.c - a run of the starter model and its branches in the real window under Xvfb: they come to
 * the gallery by themselves, as a tree that can be followed with the keyboard.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "mouse.h"

#include <glib/gstdio.h>
#include <string.h>

#include "ui/gallery/sl-print.h"
#include "ui/widgets/sl-facts-view.h"
#include "ui/widgets/sl-picture-text.h"

static guint count_pictures(void)
{
    return g_list_model_get_n_items(G_LIST_MODEL(workspace->gallery));
}

static SlPicture *get_picture(guint index)
{
    g_autoptr(SlPicture) picture = g_list_model_get_item(G_LIST_MODEL(workspace->gallery), index);

    return picture; /* borrowed: the list holds it */
}

static void develop(guint64 seed)
{
    guint before = count_pictures();

    g_object_set(workspace->recipe, "steps", 12, "seed", seed, "prompt",
                 "a red house by a lake at sunset", "scheduler", "euler", NULL);
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    act("win.develop");
    WAIT_UNTIL(count_pictures() == before + 1);
}

/* What a person does: goes to the step, asks for a branch, and says what shall be different. */
static void branch_at(guint lane, double evaluations, SlOwn own, SlSettings *values)
{
    guint before = count_pictures();
    gpointer editor;

    sl_comparison_set_position(workspace->comparison, evaluations);
    g_signal_emit_by_name(compare_view, "asked", lane, "branch");
    WAIT_UNTIL((editor = find_dialog()) != NULL);
    g_signal_emit_by_name(editor, "applied", own, values);
    gtk_window_destroy(editor);
    WAIT_UNTIL(count_pictures() == before + 1);
}

/* After the step that the strip shows. Who thinks better of it finds page and lanes as they were. */
static void branch_from_darkroom(SlOwn own, SlSettings *values)
{
    guint before = count_pictures(), lanes;

    act_with("win.compare-preset", "four");
    act("win.stop");
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    lanes = g_list_model_get_n_items(G_LIST_MODEL(workspace->comparison));
    g_assert_cmpuint(lanes, >, 1);
    act("win.branch");
    WAIT_UNTIL(find_dialog() != NULL);
    g_assert_cmpstr(gtk_window_get_title(find_dialog()), ==, "Branch After Step 4");
    close_dialog();
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(workspace->comparison)), ==, lanes);
    WAIT_UNTIL(!gtk_widget_get_mapped(GTK_WIDGET(compare_view))); /* newer pages fade */
    act("win.branch");
    WAIT_UNTIL(find_dialog() != NULL);
    g_signal_emit_by_name(find_dialog(), "applied", own, values);
    gtk_window_destroy(find_dialog());
    g_assert_true(gtk_widget_get_mapped(GTK_WIDGET(compare_view)));
    WAIT_UNTIL(count_pictures() == before + 1);
}

static void test_branches_are_kept(void)
{
    g_autoptr(SlSettings) values = NULL;

    develop(1);
    develop(7);
    act("win.branch"); /* the last step is shown, after which nothing comes */
    WAIT_UNTIL(find_dialog() != NULL);
    close_dialog();
    g_assert_false(gtk_widget_get_mapped(GTK_WIDGET(compare_view)));
    sl_film_strip_pick(strip, 3);
    values = sl_settings_dup(workspace->recipe);
    g_object_set(values, "prompt", "a red house in winter, snow", NULL);
    branch_from_darkroom(sl_own("prompt"), values);
    g_object_set(values, "scheduler", "dpmpp-2m", NULL);
    branch_at(0, 2, sl_own("scheduler"), values);
    g_object_set(values, "guidance", 2.0, NULL);
    branch_at(1, 8, sl_own("guidance"), values);
    WAIT_UNTIL(sl_picture_get_place(get_picture(0))->members == 4);
}

static void check(guint index, guint depth, int step, guint parent)
{
    SlPicture *picture = get_picture(index);

    g_assert_cmpuint(sl_picture_get_place(picture)->depth, ==, depth);
    g_assert_cmpint(sl_picture_get_branch_step(picture), ==, step);
    g_assert_true(sl_picture_get_parent(picture) == (depth ? get_picture(parent) : NULL));
}

static void test_tree(void)
{
    g_autofree char *story = NULL;

    adw_view_stack_set_visible_child_name(pages, "gallery");
    screenshot("gallery-1-tree");
    check(0, 0, 0, 0);
    check(1, 1, 2, 0);
    check(2, 1, 4, 0);
    check(3, 2, 8, 2);
    check(4, 0, 0, 0);
    g_assert_true(sl_picture_get_place(get_picture(4))->family == 0);
    story = sl_picture_story(get_picture(3));
    g_assert_cmpstr(story, ==, "Branched after step 8: guidance 2");
}

static void test_parent_and_family(void)
{
    SlGalleryView *view = gallery_view;

    sl_gallery_view_select(view, get_picture(3));
    settle(100);
    act("win.show-parent");
    g_assert_true(sl_gallery_view_get_selected(view) == get_picture(2));
    act("win.show-parent");
    g_assert_true(sl_gallery_view_get_selected(view) == get_picture(0));
    act("win.show-parent"); /* it has none */
    g_assert_true(sl_gallery_view_get_selected(view) == get_picture(0));
    act("win.show-family");
    g_assert_true(sl_gallery_view_shows_family(view));
    screenshot("gallery-2-family");
    gtk_widget_activate_action(GTK_WIDGET(view), "gallery.menu", NULL);
    screenshot("gallery-3-menu");
    act("win.show-family");
    g_assert_false(sl_gallery_view_shows_family(view));
    sl_gallery_view_select(view, get_picture(4));
    act("win.show-family"); /* it is alone */
    g_assert_false(sl_gallery_view_shows_family(view));
}

/* In the tray a branch says what it is and leads to its parent. */
static void test_picture(void)
{
    sl_darkroom_page_show_picture(darkroom, get_picture(3));
    screenshot("gallery-4-picture");
    g_assert_cmpstr(gtk_label_get_text(GTK_LABEL(part(part(darkroom, "picture_bar"), "story"))), ==,
                    "Branched after step 8: guidance 2");
    g_assert_true(gtk_widget_get_visible(part(part(darkroom, "picture_bar"), "parent_button")));
    act("win.show-parent");
    g_assert_true(sl_darkroom_page_get_picture(darkroom) == get_picture(2));
    act("win.show-family");
    g_assert_cmpstr(adw_view_stack_get_visible_child_name(pages), ==, "gallery");
    g_assert_true(sl_gallery_view_shows_family(gallery_view));
    gtk_widget_activate_action(GTK_WIDGET(gallery_view), "gallery.all", NULL);
}

static void test_parent_deleted(void)
{
    g_autoptr(SlPicture) root = g_object_ref(get_picture(0));

    sl_gallery_view_select(gallery_view, root);
    act("win.delete");
    check(2, 2, 8, 1);
    g_assert_true(sl_picture_get_place(get_picture(0))->orphan);
    screenshot("gallery-5-orphans");
    act("win.undo-delete"); /* Ctrl+Z */
    g_assert_true(get_picture(0) == root);
    check(3, 2, 8, 2);
}

/* A picture's menu and a deletion leave the keyboard with the pictures. */
static void test_focus(void)
{
    GtkWidget *menu = gtk_widget_get_last_child(GTK_WIDGET(gallery_view));

    sl_gallery_view_select(gallery_view, get_picture(0));
    gtk_widget_activate_action(GTK_WIDGET(gallery_view), "gallery.menu", NULL);
    g_assert_true(GTK_IS_POPOVER(menu));
    WAIT_UNTIL(gtk_widget_get_mapped(menu));
    gtk_popover_popdown(GTK_POPOVER(menu));
    settle(300);
    g_assert_true(
        gtk_widget_is_ancestor(gtk_root_get_focus(GTK_ROOT(window)), part(gallery_view, "grid")));
    act("win.delete");
    settle(300);
    g_assert_true(
        gtk_widget_is_ancestor(gtk_root_get_focus(GTK_ROOT(window)), part(gallery_view, "grid")));
    act("win.undo-delete");
}

/* ---- finding ---- */

static guint count_shown(void)
{
    return g_list_model_get_n_items(
        G_LIST_MODEL(gtk_grid_view_get_model(part(gallery_view, "grid"))));
}

static SlPicture *get_shown(guint index)
{
    g_autoptr(SlPicture) picture = g_list_model_get_item(
        G_LIST_MODEL(gtk_grid_view_get_model(part(gallery_view, "grid"))), index);

    return picture; /* borrowed: the gallery holds it */
}

static const char *results(void)
{
    return gtk_stack_get_visible_child_name(part(gallery_view, "results"));
}

/* Of the window's widgets: without a window manager no window has the keyboard itself, which newer toolkits ask, too. */
static gboolean has_focus(GtkWidget *widget)
{
    return gtk_window_get_focus(GTK_WINDOW(window)) == widget;
}

static void test_find(void)
{
    GtkEditable *search = part(gallery_view, "search");
    guint all = count_pictures();

    adw_view_stack_set_visible_child_name(pages, "darkroom");
    act("win.find");
    g_assert_cmpstr(adw_view_stack_get_visible_child_name(pages), ==, "gallery");
    WAIT_UNTIL(has_focus(GTK_WIDGET(gtk_editable_get_delegate(search))));
    gtk_editable_set_text(search, "WINTER house");
    WAIT_UNTIL(count_shown() < all);
    g_assert_cmpuint(count_shown(), ==, 2); /* the branch with this prompt, and its own */
    screenshot("gallery-find");
    gtk_editable_set_text(search, "dpmpp starter");
    WAIT_UNTIL(count_shown() == 1);
    g_assert_cmpstr(sl_picture_get_scheduler(get_shown(0)), ==, "dpmpp-2m");
    gtk_editable_set_text(search, "blue elephant");
    WAIT_UNTIL(count_shown() == 0);
    g_assert_cmpstr(results(), ==, "none");
    screenshot("gallery-find-none");
    gtk_widget_activate_action(GTK_WIDGET(gallery_view), "gallery.all", NULL);
    WAIT_UNTIL(count_shown() == all);
    g_assert_cmpstr(results(), ==, "some");
}

static void test_order(void)
{
    GtkDropDown *orders = part(gallery_view, "orders"), *kinds = part(gallery_view, "kinds");
    guint all = count_pictures();

    gtk_drop_down_set_selected(orders, SL_PICTURES_OLDEST);
    for (guint i = 1; i < all; i++)
        g_assert_cmpint(sl_picture_get_time(get_shown(i - 1)), <=,
                        sl_picture_get_time(get_shown(i)));
    gtk_drop_down_set_selected(kinds, SL_PICTURES_BRANCHES);
    g_assert_cmpuint(count_shown(), ==, 3);
    screenshot("gallery-branches");
    gtk_drop_down_set_selected(kinds, SL_PICTURES_ALL);
    gtk_drop_down_set_selected(orders, SL_PICTURES_NEWEST);
    for (guint i = 0; i < all; i++)
        g_assert_true(get_shown(i) == get_picture(i));
}

static void test_favourites(void)
{
    GtkDropDown *kinds = part(gallery_view, "kinds");
    g_autofree char *path = g_build_filename(folder, "favourites.json", NULL);

    sl_gallery_view_select(gallery_view, get_picture(2));
    act("win.favourite");
    g_assert_true(sl_picture_is_favourite(get_picture(2)));
    WAIT_UNTIL(g_file_test(path, G_FILE_TEST_EXISTS));
    screenshot("gallery-favourite");
    gtk_drop_down_set_selected(kinds, SL_PICTURES_FAVOURITES);
    g_assert_cmpuint(count_shown(), ==, 1);
    g_assert_true(get_shown(0) == get_picture(2));
    /* Also in the tray, where it is taken away again. */
    sl_darkroom_page_show_picture(darkroom, get_picture(2));
    act("win.favourite");
    g_assert_cmpuint(count_shown(), ==, 0);
    gtk_drop_down_set_selected(kinds, SL_PICTURES_ALL);
}

/* Everything that the file says is beside the picture, and can be copied. */
static void test_facts(void)
{
    GtkWidget *facts = part(darkroom, "facts");
    g_autofree char *text = NULL, *file = NULL, *less = NULL;

    sl_darkroom_page_show_picture(darkroom, get_picture(2));
    WAIT_UNTIL(gtk_widget_get_mapped(facts));
    WAIT_UNTIL(find_named(facts, "File size") != NULL);
    text = sl_facts_view_dup_text(SL_FACTS_VIEW(facts));
    g_assert_nonnull(strstr(text, "Prompt: a red house in winter, snow\n"));
    g_assert_nonnull(strstr(text, "Scheduler: Euler\n"));
    g_assert_nonnull(strstr(text, "Steps: 12\nGuidance: 7.5\nSeed: 7\n"));
    g_assert_nonnull(strstr(text, "Model: starter\n"));
    g_assert_nonnull(strstr(text, "Branch: Branched after step 4: another prompt\n"));
    g_assert_nonnull(strstr(text, "Size: 128 × 128\n"));
    file = g_path_get_basename(sl_picture_get_path(get_picture(2)));
    g_assert_nonnull(strstr(text, file));
    g_assert_true(gtk_label_get_selectable(GTK_LABEL(find_named(facts, "Seed"))));
    screenshot("gallery-facts");
    act("win.facts-shown");
    g_assert_false(gtk_widget_get_visible(facts));
    act("win.facts-shown");
    act("win.leave-picture");
    g_assert_false(gtk_widget_get_visible(facts));
}

/* In the tray the keys for steps go from picture to picture, as the gallery shows them, and back to it. */
static void test_next_picture(void)
{
    GtkDropDown *orders = part(gallery_view, "orders");

    gtk_drop_down_set_selected(orders, SL_PICTURES_OLDEST);
    sl_darkroom_page_show_picture(darkroom, get_shown(0));
    act("win.previous-step");
    g_assert_true(sl_darkroom_page_get_picture(darkroom) == get_shown(0));
    act("win.next-step");
    act("win.next-step");
    g_assert_true(sl_darkroom_page_get_picture(darkroom) == get_shown(2));
    WAIT_UNTIL(has_focus(GTK_WIDGET(sl_tray_get_canvas(tray))));
    screenshot("gallery-in-the-tray");
    act("win.leave-picture");
    g_assert_null(sl_darkroom_page_get_picture(darkroom));
    g_assert_cmpstr(adw_view_stack_get_visible_child_name(pages), ==, "gallery");
    g_assert_true(sl_gallery_view_get_selected(gallery_view) == get_shown(2));
    gtk_drop_down_set_selected(orders, SL_PICTURES_NEWEST);
}

/* ---- several at once ---- */

static const char *chosen_count(void)
{
    return gtk_label_get_text(GTK_LABEL(part(gallery_view, "chosen_count")));
}

/* The print of what is shown at a place, which must be in sight. */
static GtkWidget *get_print(guint index)
{
    GtkWidget *found = NULL;

    WAIT_UNTIL(({
        for (GtkWidget *cell = gtk_widget_get_first_child(part(gallery_view, "grid")); cell;
             cell = gtk_widget_get_next_sibling(cell)) {
            GtkWidget *print = gtk_widget_get_first_child(cell);

            if (SL_IS_PRINT(print) && sl_print_get_picture(SL_PRINT(print)) == get_shown(index))
                found = print;
        }
        found != NULL;
    }));
    return found;
}

static void click_print(guint index, const char *with)
{
    graphene_point_t at;

    settle(300); /* cells that were made anew have their places */
    at = point_in(get_print(index), 0.5, 0.4);
    use_mouse("mousemove %d %d", (int)at.x, (int)at.y);
    if (with)
        use_mouse("keydown %s click 1 keyup %s", with, with);
    else
        use_mouse("click 1");
}

/* A click with Ctrl begins it; then every click chooses, and none opens a picture. */
static void test_choose(void)
{
    adw_view_stack_set_visible_child_name(pages, "gallery");
    settle(300);
    click_print(0, "ctrl");
    WAIT_UNTIL(sl_gallery_view_is_choosing(gallery_view));
    WAIT_UNTIL(g_str_equal(chosen_count(), "1 picture chosen"));
    click_print(2, NULL);
    WAIT_UNTIL(g_str_equal(chosen_count(), "2 pictures chosen"));
    screenshot("gallery-chosen");
    click_print(2, NULL);
    WAIT_UNTIL(g_str_equal(chosen_count(), "1 picture chosen"));
    g_assert_cmpstr(adw_view_stack_get_visible_child_name(pages), ==, "gallery");
    gtk_widget_activate_action(GTK_WIDGET(gallery_view), "gallery.done", NULL);
    g_assert_false(sl_gallery_view_is_choosing(gallery_view));
    click_print(1, NULL); /* as before it opens one */
    WAIT_UNTIL(sl_darkroom_page_get_picture(darkroom) == get_shown(1));
    act("win.leave-picture");
}

static void choose(guint first, guint second)
{
    adw_view_stack_set_visible_child_name(pages, "gallery");
    sl_gallery_view_set_choosing(gallery_view, TRUE);
    sl_gallery_view_toggle(gallery_view, get_shown(first));
    sl_gallery_view_toggle(gallery_view, get_shown(second));
}

static guint count_files(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint count = 0;

    while (dir && g_dir_read_name(dir))
        count++;
    return count;
}

static void test_several(void)
{
    g_autofree char *copies = g_build_filename(folder, "copies", NULL);
    g_autoptr(SlPicture) first = g_object_ref(get_shown(0));
    g_autoptr(SlPicture) third = g_object_ref(get_shown(2));
    guint before = count_pictures();

    choose(0, 2);
    act_with("win.copy-pictures-to", copies);
    WAIT_UNTIL(count_files(copies) == 2);
    act_with("win.copy-pictures-to", copies); /* nothing is replaced */
    WAIT_UNTIL(count_files(copies) == 4);
    act("win.favourite");
    g_assert_true(sl_picture_is_favourite(first) && sl_picture_is_favourite(third));
    act("win.favourite");
    g_assert_false(sl_picture_is_favourite(first) || sl_picture_is_favourite(third));
    act("win.delete");
    g_assert_cmpuint(count_pictures(), ==, before - 2);
    g_assert_false(sl_gallery_view_is_choosing(gallery_view));
    act("win.undo-delete");
    g_assert_cmpuint(count_pictures(), ==, before);
    g_assert_true(get_shown(0) == first && get_shown(2) == third);
}

/* What is dragged out of the grid: the chosen files, or the one under the pointer. */
static void test_drag_out(void)
{
    GtkWidget *print = get_print(0);
    g_autoptr(GListModel) controllers = gtk_widget_observe_controllers(print);

    for (int several = 0; several < 2; several++) {
        g_autoptr(GdkContentProvider) content = NULL;
        g_autoptr(GdkContentFormats) formats = NULL;

        if (several)
            choose(0, 2);
        print = get_print(0);
        WAIT_UNTIL(sl_print_get_texture(SL_PRINT(print)));
        g_clear_object(&controllers);
        controllers = gtk_widget_observe_controllers(print);
        for (guint i = 0; i < g_list_model_get_n_items(controllers); i++) {
            g_autoptr(GObject) controller = g_list_model_get_item(controllers, i);

            if (GTK_IS_DRAG_SOURCE(controller))
                g_signal_emit_by_name(controller, "prepare", 5.0, 5.0, &content);
        }
        g_assert_nonnull(content);
        formats = gdk_content_provider_ref_formats(content);
        g_assert_true(gdk_content_formats_contain_gtype(formats, GDK_TYPE_TEXTURE));
        g_assert_true(
            gdk_content_formats_contain_gtype(formats, several ? GDK_TYPE_FILE_LIST : G_TYPE_FILE));
        if (several) {
            g_auto(GValue) value = G_VALUE_INIT;
            g_autoptr(GSList) files = NULL;

            g_value_init(&value, GDK_TYPE_FILE_LIST);
            g_assert_true(gdk_content_provider_get_value(content, &value, NULL));
            files = gdk_file_list_get_files(g_value_get_boxed(&value));
            g_assert_cmpuint(g_slist_length(files), ==, 2);
        }
    }
    sl_gallery_view_set_choosing(gallery_view, FALSE);
}

/* Their recipes become lanes; what differs is each lane's own. */
static void test_compare_these(void)
{
    SlComparison *comparison = workspace->comparison;

    choose(0, 4); /* seeds 7 and 1 */
    act("win.compare-pictures");
    WAIT_UNTIL(g_str_equal(adw_view_stack_get_visible_child_name(pages), "compare"));
    WAIT_UNTIL(sl_comparison_get_job(comparison, 1) &&
               sl_job_is_over(sl_comparison_get_job(comparison, 0)) &&
               sl_job_is_over(sl_comparison_get_job(comparison, 1)));
    g_assert_null(sl_comparison_get_lane(comparison, 2));
    for (guint i = 0; i < 2; i++) {
        SlCompareLane *lane = sl_comparison_get_lane(comparison, i);

        g_assert_cmpuint(sl_compare_lane_get_own(lane), ==, sl_own("seed"));
        g_assert_cmpuint(
            sl_settings_get_seed(sl_job_get_settings(sl_comparison_get_job(comparison, i))), ==,
            i ? 1 : 7);
    }
    screenshot("gallery-compared");
    choose(0, 2);
    act("win.compare-pictures");
    WAIT_UNTIL(find_dialog() != NULL); /* which says that a branch begins with noise here */
    close_dialog();
    sl_comparison_stop(comparison);
}

static void add_copy(guint number)
{
    g_autofree char *path = g_strdup_printf("%s/copy-%02u.png", folder, number);
    g_autoptr(GFile) from = g_file_new_for_path(sl_picture_get_path(get_picture(0)));
    g_autoptr(GFile) to = g_file_new_for_path(path);

    g_assert_true(g_file_copy(from, to, G_FILE_COPY_NONE, NULL, NULL, NULL, NULL));
    sl_gallery_add(workspace->gallery, path, "a copy");
    settle(20);
}

/* The keys of the pages; and who comes to the gallery finds what others put into its folder. */
static void test_pages(void)
{
    g_autofree char *xdotool = g_find_program_in_path("xdotool");
    g_autofree char *path = g_strdup_printf("%s/from-elsewhere.png", folder);
    g_autofree char *contents = NULL;
    guint before = count_pictures();
    gsize bytes;

    if (!xdotool)
        return;
    use_mouse("mousemove 400 500");
    use_mouse("key alt+2");
    g_assert_cmpstr(adw_view_stack_get_visible_child_name(pages), ==, "compare");
    use_mouse("key alt+1");
    g_assert_cmpstr(adw_view_stack_get_visible_child_name(pages), ==, "darkroom");
    g_assert_true(
        g_file_get_contents(sl_picture_get_path(get_picture(0)), &contents, &bytes, NULL));
    g_assert_true(g_file_set_contents(path, contents, (gssize)bytes, NULL));
    use_mouse("key alt+3");
    g_assert_cmpstr(adw_view_stack_get_visible_child_name(pages), ==, "gallery");
    WAIT_UNTIL(count_pictures() == before + 1);
    g_assert_cmpint(g_unlink(path), ==, 0);
    use_mouse("key alt+1");
    use_mouse("key alt+3");
    WAIT_UNTIL(count_pictures() == before);
}

static GtkWidget *find_thumbnail(GtkWidget *widget)
{
    GtkWidget *found = NULL;

    if (GTK_IS_PICTURE(widget))
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child && !found;
         child = gtk_widget_get_next_sibling(child))
        found = find_thumbnail(child);
    return found;
}

/* The newest are shown, however many come while another page is in front; who has gone on to others stays there. And
 * a print is as wide as its column, so no gap is wider than the others. */
static void test_many(void)
{
    GtkWidget *grid = part(gallery_view, "grid");
    GtkAdjustment *place = gtk_scrollable_get_vadjustment(GTK_SCROLLABLE(grid));
    GtkWidget *cell, *thumbnail;
    guint before = count_pictures();

    adw_view_stack_set_visible_child_name(pages, "darkroom");
    for (guint i = 0; i < 30; i++)
        add_copy(i);
    WAIT_UNTIL(count_pictures() == before + 30);
    adw_view_stack_set_visible_child_name(pages, "gallery");
    WAIT_UNTIL(gtk_adjustment_get_upper(place) > gtk_adjustment_get_page_size(place));
    settle(300);
    screenshot("gallery-many");
    g_assert_cmpfloat(gtk_adjustment_get_value(place), ==, 0);
    cell = gtk_widget_get_first_child(grid);
    thumbnail = find_thumbnail(cell);
    g_assert_cmpint(gtk_widget_get_width(thumbnail), ==, gtk_widget_get_height(thumbnail));
    g_assert_cmpint(gtk_widget_get_width(thumbnail), ==, gtk_widget_get_width(cell));
    add_copy(30);
    settle(200);
    sl_thread_queue_wait(workspace->files);
    wait_for_frame(); /* GTK 4.8 warns where a grid is scrolled whose new cells are not there yet */
    g_assert_cmpfloat(gtk_adjustment_get_value(place), ==, 0);
    gtk_adjustment_set_value(place, gtk_adjustment_get_upper(place));
    settle(200);
    add_copy(31);
    settle(200);
    g_assert_cmpfloat(gtk_adjustment_get_value(place), >, 0);
}

static void test_dark_and_narrow(void)
{
    adw_view_stack_set_visible_child_name(pages, "gallery");
    g_settings_set_uint(preferences, "theme", 2);
    gtk_window_set_default_size(GTK_WINDOW(window), 620, 800);
    settle(300);
    sl_side_view_set_panel_shown(sides, FALSE);
    screenshot("gallery-6-narrow");
    sl_darkroom_page_show_picture(darkroom, get_picture(2));
    WAIT_UNTIL(find_named(part(darkroom, "facts"), "File size") != NULL);
    screenshot("gallery-7-narrow-facts");
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    if (!start_application("starter"))
        return 77;
    g_test_add_func("/gallery/branches-are-kept", test_branches_are_kept);
    g_test_add_func("/gallery/tree", test_tree);
    g_test_add_func("/gallery/parent-and-family", test_parent_and_family);
    g_test_add_func("/gallery/picture", test_picture);
    g_test_add_func("/gallery/parent-deleted", test_parent_deleted);
    g_test_add_func("/gallery/focus", test_focus);
    g_test_add_func("/gallery/find", test_find);
    g_test_add_func("/gallery/order", test_order);
    g_test_add_func("/gallery/favourites", test_favourites);
    g_test_add_func("/gallery/facts", test_facts);
    g_test_add_func("/gallery/next-picture", test_next_picture);
    g_test_add_func("/gallery/choose", test_choose);
    g_test_add_func("/gallery/several", test_several);
    g_test_add_func("/gallery/drag-out", test_drag_out);
    g_test_add_func("/gallery/compare-these", test_compare_these);
    g_test_add_func("/gallery/pages", test_pages);
    g_test_add_func("/gallery/many", test_many);
    g_test_add_func("/gallery/dark-and-narrow", test_dark_and_narrow);
    status = g_test_run();
    end_application();
    return status;
}
