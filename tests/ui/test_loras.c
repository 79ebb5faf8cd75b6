/* test_loras.c - the window's list of LoRAs, driven: one is found and chosen, its strength moved, and the run uses it;
 * what does not fit or is missing says so; lanes of several strengths. The tests run in order in one window. */
#include "choose.h"

#include <gtk/gtk.h>
#include <string.h>

static GtkListBox *rows;
static char *models; /* a folder of models with LoRAs in it */

static GtkWidget *nth_row(int i)
{
    return GTK_WIDGET(gtk_list_box_get_row_at_index(rows, i));
}

static SlLora *nth_lora(guint i)
{
    g_autoptr(SlLora) lora = g_list_model_get_item(G_LIST_MODEL(workspace->loras), i);

    return lora; /* the list holds it */
}

static guint count_loras(void)
{
    return g_list_model_get_n_items(G_LIST_MODEL(workspace->loras));
}

/* The recipe's LoRAs behind the names and hashes: "cat#0123456789:0.5" is ":0.5". */
static void assert_recipe(const char *strengths)
{
    g_autofree char *text = NULL;
    g_autoptr(GString) found = g_string_new(NULL);
    g_auto(GStrv) each = NULL;

    g_object_get(workspace->recipe, "lora", &text, NULL);
    each = g_strsplit(text, "; ", -1);
    for (guint i = 0; each[i]; i++)
        g_string_append_printf(found, "%s%s", i ? "; " : "", *each[i] ? strchr(each[i], ':') : "");
    g_assert_cmpstr(found->str, ==, strengths);
}

static void copy_file(const char *from, const char *into, const char *name)
{
    g_autofree char *to = g_build_filename(into, name, NULL), *bytes = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(from, &bytes, &length, NULL));
    g_assert_true(g_file_set_contents(to, bytes, (gssize)length, NULL));
}

static void copy_lora(const char *golden, const char *into, const char *name)
{
    g_autofree char *relative = g_strdup_printf("../adapters/%s_lora.safetensors", golden);
    g_autofree char *path = fixture_path(relative);

    copy_file(path, into, name);
}

/* The last picture. */
static char *develop(void)
{
    guint before = g_list_model_get_n_items(G_LIST_MODEL(workspace->gallery));
    SlJob *job;

    act("win.develop");
    job = sl_queue_get_current(workspace->queue);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    WAIT_UNTIL(g_list_model_get_n_items(G_LIST_MODEL(workspace->gallery)) > before);
    g_autoptr(SlPicture) picture = g_list_model_get_item(G_LIST_MODEL(workspace->gallery), 0);
    return g_strdup(sl_picture_get_path(picture));
}

static gboolean file_says(const char *path, const char *text)
{
    g_autofree char *bytes = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    return memmem(bytes, length, text, strlen(text)) != NULL;
}

/* ---- one is found, chosen, and counts ---- */

static void test_empty(void)
{
    AdwActionRow *add = part(part(panel, "loras"), "add_row");

    rows = part(part(panel, "loras"), "rows");
    g_assert_cmpuint(count_loras(), ==, 0);
    g_assert_nonnull(strstr(adw_action_row_get_subtitle(add), "drop"));
    gtk_menu_button_popup(part(part(panel, "loras"), "add"));
    screenshot("loras-none");
    gtk_menu_button_popdown(part(part(panel, "loras"), "add"));
}

/* A models folder of the preferences is searched, too, and what lies beside a file is its picture. */
static void test_choose(void)
{
    GtkMenuButton *add = part(part(panel, "loras"), "add");
    GtkWidget *chooser = GTK_WIDGET(gtk_menu_button_get_popover(add));
    GtkWidget *search = part(chooser, "search");
    g_autofree char *loras = NULL, *inner = NULL, *picture = develop();
    GtkSelectionModel *shown = gtk_list_view_get_model(part(chooser, "list"));

    models = temporary_folder();
    loras = g_build_filename(models, "Lora", NULL);
    inner = g_build_filename(loras, "animals", NULL);
    g_assert_cmpint(g_mkdir_with_parents(inner, 0755), ==, 0);
    copy_lora("sd1_kohya", inner, "a cat.safetensors");
    copy_file(picture, inner, "a cat.preview.png");
    copy_lora("sdxl_kohya", loras, "big.safetensors");
    copy_lora("sd1_peft", loras, "other.safetensors");
    g_settings_set_string(preferences, "models-folder", models);
    WAIT_UNTIL(g_list_model_get_n_items(G_LIST_MODEL(shown)) == 3);
    gtk_menu_button_popup(add);
    screenshot("loras-chooser");
    gtk_editable_set_text(GTK_EDITABLE(search), "CAT");
    WAIT_UNTIL(g_list_model_get_n_items(G_LIST_MODEL(shown)) == 1);
    g_signal_emit_by_name(search, "activate");
    WAIT_UNTIL(count_loras() == 1 && sl_lora_get_state(nth_lora(0)) == SL_LORA_FITS);
    g_assert_cmpstr(sl_lora_get_name(nth_lora(0)), ==, "a cat");
    g_assert_cmpint(sl_lora_get_matched(nth_lora(0)), ==, sl_lora_get_modules(nth_lora(0)));
    assert_recipe(":1");
}

static void test_strength(void)
{
    GtkWidget *row = nth_row(0);
    g_autofree char *picture = NULL;

    gtk_range_set_value(part(row, "strength_scale"), 0.52);
    assert_recipe(":0.5");
    g_assert_cmpfloat(gtk_spin_button_get_value(part(row, "strength_spin")), ==, 0.5);
    picture = develop();
    g_assert_true(file_says(picture, "\"adapters\":[{\"name\":\"a cat\""));
    g_assert_true(file_says(picture, "<lora:a cat:0.5>"));
    gtk_switch_set_active(part(row, "on"), FALSE);
    assert_recipe(":0");
    gtk_switch_set_active(part(row, "on"), TRUE);
    assert_recipe(":0.5");
    gtk_spin_button_set_value(part(row, "strength_spin"), 3);
    assert_recipe(":3");
    g_object_set(workspace->recipe, "lora", "", NULL);
    g_assert_cmpuint(count_loras(), ==, 0);
}

/* ---- unfolded ---- */

static void test_unfolded(void)
{
    g_autofree char *path = g_build_filename(models, "Lora", "animals", "a cat.safetensors", NULL);
    GtkWidget *row;
    GtkEditable *curve;

    act_with("win.open-path", path); /* as when it is dropped */
    WAIT_UNTIL(count_loras() == 1 && sl_lora_get_state(nth_lora(0)) == SL_LORA_FITS);
    row = nth_row(0);
    gtk_toggle_button_set_active(part(row, "unfold"), TRUE);
    gtk_check_button_set_active(part(row, "own_text"), TRUE);
    gtk_spin_button_set_value(part(row, "text_spin"), 0.25);
    assert_recipe(":1:0.25");
    gtk_spin_button_set_value(part(row, "to_spin"), 60);
    gtk_spin_button_set_value(part(row, "from_spin"), 20);
    assert_recipe(":1:0.25@0.2-0.6");
    gtk_spin_button_set_value(part(row, "from_spin"), 60); /* there is no such range */
    assert_recipe(":1:0.25@0.2-0.6");
    curve = GTK_EDITABLE(part(row, "curve"));
    gtk_editable_set_text(curve, "0:1, 0.5");
    g_signal_emit_by_name(curve, "activate");
    g_assert_true(gtk_widget_has_css_class(GTK_WIDGET(curve), "error"));
    assert_recipe(":1:0.25@0.2-0.6");
    gtk_editable_set_text(curve, "0:1, 0.5:0.3");
    g_signal_emit_by_name(curve, "activate");
    g_assert_false(gtk_widget_has_css_class(GTK_WIDGET(curve), "error"));
    assert_recipe(":1:0.25@0:1,0.5:0.3");
    screenshot("loras-unfolded");
}

static GtkWidget *find_button(GtkWidget *widget, const char *label)
{
    GtkWidget *found = NULL;

    if (GTK_IS_BUTTON(widget) && gtk_widget_get_mapped(widget) &&
        g_strcmp0(gtk_button_get_label(GTK_BUTTON(widget)), label) == 0)
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child && !found;
         child = gtk_widget_get_next_sibling(child))
        found = find_button(child, label);
    return found;
}

/* The first of its words goes behind the prompt, once. */
static void test_words(void)
{
    g_autofree char *path = fixture_path("../adapters/kohya.safetensors");
    const char *word = NULL;
    GtkWidget *child;
    g_autofree char *expected = NULL;

    g_object_set(workspace->recipe, "lora", path, "prompt", "a red house ", NULL);
    WAIT_UNTIL(sl_lora_get_words(nth_lora(0))[0] != NULL);
    word = sl_lora_get_words(nth_lora(0))[0];
    child = GTK_WIDGET(gtk_flow_box_get_child_at_index(part(nth_row(0), "words"), 0));
    for (int i = 0; i < 2; i++)
        g_signal_emit_by_name(gtk_flow_box_child_get_child(GTK_FLOW_BOX_CHILD(child)), "clicked");
    expected = g_strdup_printf("a red house, %s ", word);
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, expected);
}

static GtkWidget *find_text(GtkWidget *widget, const char *text)
{
    if (GTK_IS_LABEL(widget) && g_str_equal(gtk_label_get_text(GTK_LABEL(widget)), text))
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        GtkWidget *found = find_text(child, text);

        if (found)
            return found;
    }
    return NULL;
}

static void test_remove(void)
{
    GtkWidget *button;

    g_object_set(workspace->recipe, "lora", "one:0.5; two:0.25", NULL);
    gtk_widget_activate_action(nth_row(0), "lora.remove", NULL);
    assert_recipe(":0.25");
    WAIT_UNTIL((button = find_button(part(window, "toasts"), "_Undo")) != NULL);
    settle(700); /* libadwaita 1.2 crashes when a toast is dismissed while it comes in */
    g_signal_emit_by_name(button, "clicked");
    assert_recipe(":0.5; :0.25");
    WAIT_UNTIL(find_button(part(window, "toasts"), "_Undo") == NULL);
}

/* The whole sentence is read, and the button is there, however long the name is. */
static void test_remove_long(void)
{
    GtkWidget *button, *label;

    g_object_set(
        workspace->recipe, "lora",
        "a very long name of an adapter that somebody found somewhere on the net v1-0 final:1",
        NULL);
    gtk_window_set_default_size(GTK_WINDOW(window), 600, 800);
    settle(500);
    gtk_widget_activate_action(nth_row(0), "lora.remove", NULL);
    WAIT_UNTIL((button = find_button(part(window, "toasts"), "_Undo")) != NULL);
    settle(700); /* libadwaita 1.2 crashes when a toast is dismissed while it comes in */
    label = find_text(part(window, "toasts"), "Removed the LoRA “a very long … v1-0 final”");
    g_assert_nonnull(label);
    g_assert_false(pango_layout_is_ellipsized(gtk_label_get_layout(GTK_LABEL(label))));
    screenshot("loras-removed-long");
    g_signal_emit_by_name(button, "clicked");
    WAIT_UNTIL(find_button(part(window, "toasts"), "_Undo") == NULL);
    gtk_window_set_default_size(GTK_WINDOW(window), 1300, 800);
    settle(500);
    g_object_set(workspace->recipe, "lora", "one:0.5; two:0.25", NULL);
}

/* ---- what cannot be used says so ---- */

static void test_unfit(void)
{
    g_autofree char *big = g_build_filename(models, "Lora", "big.safetensors", NULL);
    g_autofree char *cat = g_build_filename(models, "Lora", "animals", "a cat.safetensors", NULL);
    g_autofree char *lora = g_strdup_printf("gone#0123456789:0.7; %s", big);
    const char *line;

    g_object_set(workspace->recipe, "lora", lora, NULL);
    WAIT_UNTIL(sl_lora_get_state(nth_lora(1)) == SL_LORA_UNFIT);
    line = gtk_label_get_label(part(nth_row(1), "line"));
    g_assert_nonnull(strstr(line, "does not fit"));
    g_assert_nonnull(strstr(sl_lora_get_problem(nth_lora(1)), "sd1"));
    g_assert_cmpint(sl_lora_get_state(nth_lora(0)), ==, SL_LORA_MISSING);
    g_assert_true(gtk_widget_get_visible(part(nth_row(0), "locate")));
    screenshot("loras-wrong");
    sl_lora_list_locate(workspace->loras, nth_lora(0), cat, NULL, NULL);
    WAIT_UNTIL(sl_lora_get_state(nth_lora(0)) == SL_LORA_FITS);
    assert_recipe(":0.7; :1");
    g_assert_false(gtk_widget_get_visible(part(nth_row(0), "locate")));
    g_object_set(workspace->recipe, "lora", "", NULL);
    act_with("win.open-path", big);
    WAIT_UNTIL(count_loras() == 1 && sl_lora_get_state(nth_lora(0)) == SL_LORA_UNFIT);
    g_object_set(workspace->recipe, "lora", "", NULL);
}

/* ---- several at once ---- */

static gboolean shows_text(GtkWidget *widget, const char *words)
{
    if (GTK_IS_LABEL(widget) && strstr(gtk_label_get_text(GTK_LABEL(widget)), words))
        return TRUE;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        if (shows_text(child, words))
            return TRUE;
    return FALSE;
}

static char *folder_of_two(const char *name)
{
    char *path = g_build_filename(models, name, NULL);

    g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
    return path;
}

/* The dialogs of the group and of the models take several; what cannot be used is said of all at once. */
static void test_several(void)
{
    GtkMenuButton *add = part(part(panel, "loras"), "add");
    g_autofree char *two = folder_of_two("two"), *none = folder_of_two("none");
    g_autofree char *one = fixture_path("ddpm.safetensors"),
                    *other = fixture_path("odd.safetensors");

    copy_lora("sd1_kohya", two, "cat.safetensors");
    copy_lora("sd1_peft", two, "dog.safetensors");
    copy_file(one, none, "one.safetensors");
    copy_file(other, none, "other.safetensors");
    g_signal_emit_by_name(gtk_menu_button_get_popover(add), "file-asked");
    choose_two(two, "loras-several");
    WAIT_UNTIL(count_loras() == 2 && sl_lora_get_state(nth_lora(1)) == SL_LORA_FITS);
    g_assert_null(find_dialog());
    g_object_set(workspace->recipe, "lora", "", NULL);

    g_signal_emit_by_name(gtk_menu_button_get_popover(add), "file-asked");
    check_begins_in(two); /* where it was answered before */
    choose_two(none, "loras-several-none");
    WAIT_UNTIL(find_dialog() && !GTK_IS_FILE_CHOOSER_DIALOG(find_dialog()));
    screenshot("loras-several-wrong");
    g_assert_nonnull(strstr(alert_body(), "one.safetensors"));
    g_assert_nonnull(strstr(alert_body(), "other.safetensors"));
    close_dialog();
    g_assert_null(find_dialog());
    g_assert_cmpuint(count_loras(), ==, 0);

    act("win.open-model-file"); /* which takes whatever a file is */
    choose_two(two, "loras-models");
    WAIT_UNTIL(count_loras() == 2);
    WAIT_UNTIL(shows_text(GTK_WIDGET(part(window, "toasts")), "Added: cat, dog") ||
               shows_text(GTK_WIDGET(part(window, "toasts")), "Added: dog, cat"));
    g_object_set(workspace->recipe, "lora", "", NULL);
}

/* ---- lanes ---- */

static void test_lanes(void)
{
    g_autofree char *cat = g_build_filename(models, "Lora", "animals", "a cat.safetensors", NULL);

    act_with("win.open-path", cat);
    WAIT_UNTIL(count_loras() == 1 && sl_lora_get_state(nth_lora(0)) == SL_LORA_FITS);
    g_signal_emit_by_name(part(nth_row(0), "compare"), "clicked");
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(workspace->comparison)), ==, 5);
    for (guint i = 0; i < 5; i++) {
        SlJob *job;

        WAIT_UNTIL((job = sl_comparison_get_job(workspace->comparison, i)) && sl_job_is_over(job));
        g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    }
    screenshot("loras-lanes");
    gtk_window_set_default_size(GTK_WINDOW(window), 600, 800);
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    settle(500);
    act("win.toggle-panel");
    gtk_toggle_button_set_active(part(nth_row(0), "unfold"), TRUE);
    screenshot("loras-narrow");
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    start_theme = g_getenv("SAFELIGHT_DARK") ? 2 : 1;
    if (!start_application("sd1")) {
        g_print("1..0 # SKIP no display\n");
        return 0;
    }
    g_object_set(workspace->recipe, "steps", 3, "scheduler", "euler", NULL);
    g_test_add_func("/loras/empty", test_empty);
    g_test_add_func("/loras/choose", test_choose);
    g_test_add_func("/loras/strength", test_strength);
    g_test_add_func("/loras/unfolded", test_unfolded);
    g_test_add_func("/loras/words", test_words);
    g_test_add_func("/loras/remove", test_remove);
    g_test_add_func("/loras/remove-long", test_remove_long);
    g_test_add_func("/loras/unfit", test_unfit);
    g_test_add_func("/loras/several", test_several);
    g_test_add_func("/loras/lanes", test_lanes);
    status = g_test_run();
    end_application();
    if (models)
        remove_folder(models);
    g_free(models);
    return status;
}
