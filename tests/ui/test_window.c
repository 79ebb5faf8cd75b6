/* test_window.c - the real window under Xvfb, driven through its actions: what a person does, from
 * the first start to closing it in the middle of a run. Screenshots go to $SAFELIGHT_SCREENSHOTS.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "driver.h"

#include "app/objects/sl-frame-object-private.h"
#include "ui/preferences/sl-preferences-page.h"
#include "ui/widgets/sl-prompt-box.h"

static guint pictures(void)
{
    return g_list_model_get_n_items(G_LIST_MODEL(workspace->gallery));
}

/* A widget in another one, by its type. */
static gpointer find_inside(GtkWidget *widget, GType type)
{
    GtkWidget *found = G_TYPE_CHECK_INSTANCE_TYPE(widget, type) ? widget : NULL;

    for (GtkWidget *child = gtk_widget_get_first_child(widget); child && !found;
         child = gtk_widget_get_next_sibling(child))
        found = find_inside(child, type);
    return found;
}

static SlJob *develop_to_end(void)
{
    SlJob *job;

    act("win.develop");
    job = sl_queue_get_current(workspace->queue);
    g_assert_nonnull(job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    return sl_darkroom_page_get_job(darkroom);
}

/* Pixels of the prompt as it is drawn, without what is behind it, that are light; letters, then. */
static int light_pixels(void)
{
    GtkWidget *text = find_inside(GTK_WIDGET(panel), GTK_TYPE_TEXT_VIEW);
    int width = gtk_widget_get_width(text), height = gtk_widget_get_height(text), light = 0;
    g_autofree guint32 *pixels = draw_widget(text);

    for (int i = 0; i < width * height; i++)
        light += (pixels[i] & 0xff) > 0x90 && (pixels[i] >> 16 & 0xff) > 0x90;
    return light;
}

/* The window was opened in the dark style; from here on it is light. */
static void test_prompt_can_be_read(void)
{
    g_object_set(workspace->recipe, "prompt", "a lighthouse at night, and a ship far out", NULL);
    settle(100);
    g_assert_cmpint(light_pixels(), >, 200);
    g_settings_set_uint(preferences, "theme", 1);
    settle(300);
    g_assert_cmpint(light_pixels(), <, 60); /* the cursor's */
}

/* ---- the prompt while it is typed ---- */

static GtkWidget *prompt_part(const char *box, const char *name)
{
    return part(part(panel, box), name);
}

static const char *prompt_says(const char *name)
{
    GtkWidget *label = prompt_part("prompt", name);

    return gtk_widget_get_mapped(label) ? gtk_label_get_text(GTK_LABEL(label)) : "";
}

#define WAIT_FOR_COUNT(text) WAIT_UNTIL(g_strcmp0(prompt_says("count"), text) == 0)

static GtkTextBuffer *prompt_buffer(void)
{
    return gtk_text_view_get_buffer(sl_prompt_box_get_view(part(panel, "prompt")));
}

static void type_prompt(const char *text)
{
    gtk_text_buffer_insert_at_cursor(prompt_buffer(), text, -1);
}

static void clear_prompt(guint mode)
{
    gtk_text_buffer_set_text(prompt_buffer(), "", -1);
    g_object_set(workspace->recipe, "prompt-mode", mode, NULL);
}

/* Whether a character of the prompt is drawn with one of a tag's ways. */
static gboolean is_marked(int offset, const char *property)
{
    GtkTextIter at;
    gboolean marked = FALSE;

    gtk_text_buffer_get_iter_at_offset(prompt_buffer(), &at, offset);
    g_autoptr(GSList) tags = gtk_text_iter_get_tags(&at);
    for (GSList *tag = tags; tag; tag = tag->next) {
        gboolean set = FALSE;

        g_object_get(tag->data, property, &set, NULL);
        marked |= set;
    }
    return marked;
}

static void press(const char *box, const char *button)
{
    g_signal_emit_by_name(prompt_part(box, button), "clicked");
}

static void test_prompt_weights(void)
{
    int width = gtk_widget_get_width(GTK_WIDGET(panel));
    guint mode;

    clear_prompt(0);
    type_prompt("a cat");
    WAIT_FOR_COUNT("2 of 75 tokens");
    g_assert_false(gtk_widget_get_mapped(prompt_part("prompt", "proposal")));
    type_prompt(" on a (red:1.3) roof");
    WAIT_UNTIL(gtk_widget_get_mapped(prompt_part("prompt", "proposal")));
    g_object_get(workspace->recipe, "prompt-mode", &mode, NULL);
    g_assert_cmpint(mode, ==, 0); /* nothing changes by itself */
    screenshot("prompt-proposal");
    g_assert_cmpint(gtk_widget_get_width(GTK_WIDGET(panel)), ==, width); /* nothing moves */
    press("prompt", "decline");
    g_assert_false(gtk_widget_get_visible(prompt_part("prompt", "proposal")));
    type_prompt(", (old:0.8)");
    settle(100);
    g_assert_false(gtk_widget_get_mapped(prompt_part("prompt", "proposal")));
    clear_prompt(0);
    settle(50);
    type_prompt("a [dim] and (dark:0.7) street, (lamps:1.3) and ((fog))");
    WAIT_UNTIL(gtk_widget_get_mapped(prompt_part("prompt", "proposal")));
    press("prompt", "accept");
    g_object_get(workspace->recipe, "prompt-mode", &mode, NULL);
    g_assert_cmpint(mode, ==, 1);
    WAIT_UNTIL(!gtk_widget_get_mapped(prompt_part("prompt", "proposal")) &&
               is_marked(33, "weight-set") && is_marked(3, "style-set"));
    g_assert_false(is_marked(0, "foreground-set"));
    g_assert_true(is_marked(2, "foreground-set")); /* a bracket */
    screenshot("prompt-weights");
}

static void test_prompt_fault(void)
{
    GtkWidget *fault = prompt_part("prompt", "fault");
    int cursor;

    clear_prompt(1);
    type_prompt("a (cat in the rain");
    WAIT_UNTIL(gtk_widget_get_mapped(fault));
    g_assert_cmpstr(prompt_says("fault_text"), ==,
                    "“(cat in the rain”: this bracket is not closed");
    g_assert_true(is_marked(2, "background-set"));
    g_assert_false(is_marked(3, "background-set"));
    screenshot("prompt-fault");
    press("prompt", "fault");
    g_object_get(prompt_buffer(), "cursor-position", &cursor, NULL);
    g_assert_cmpint(cursor, ==, 2);
    gtk_text_buffer_set_text(prompt_buffer(), "a (cat:1.2) (in) the rain", -1);
    WAIT_UNTIL(!gtk_widget_get_mapped(fault));
    g_object_set(workspace->recipe, "prompt-mode", 3, "prompt", "(\"a cat\", b).blend(1, 2", NULL);
    WAIT_UNTIL(gtk_widget_get_mapped(fault));
    g_object_set(workspace->recipe, "prompt-mode", 0, NULL);
    WAIT_UNTIL(!gtk_widget_get_mapped(fault));
}

static void test_prompt_chunks(void)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i < 80; i++)
        g_string_append(text, i == 79 ? "a" : "a ");
    clear_prompt(0);
    type_prompt(text->str);
    WAIT_FOR_COUNT("80 of 75 tokens, 5 are not used");
    g_assert_false(is_marked(2 * 74, "strikethrough-set"));
    g_assert_true(is_marked(2 * 75, "strikethrough-set"));
    screenshot("prompt-limit");
    g_object_set(workspace->recipe, "prompt-mode", 1, NULL);
    WAIT_FOR_COUNT("Chunk 2 of 2: 5 of 75 tokens");
    g_assert_false(is_marked(2 * 75, "strikethrough-set"));
    g_assert_false(is_marked(2 * 74, "background-set")); /* the border can be seen */
    g_assert_true(is_marked(2 * 75, "background-set"));
    GtkTextIter start;
    gtk_text_buffer_get_start_iter(prompt_buffer(), &start);
    gtk_text_buffer_place_cursor(prompt_buffer(), &start);
    WAIT_FOR_COUNT("Chunk 1 of 2: 75 of 75 tokens");
    screenshot("prompt-chunks");
    clear_prompt(0);
    WAIT_FOR_COUNT("");
    g_object_set(workspace->recipe, "prompt", "a lighthouse at night, and a ship far out", NULL);
}

/* A word that stands for an embedding counts with its vectors. */
static void test_prompt_embedding(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("SAFELIGHT_TESTS"), "goldens", "embeddings", "sd1.pt:cat", NULL);

    g_object_set(workspace->recipe, "prompt-mode", 1, NULL);
    clear_prompt(1);
    type_prompt("a cat on");
    WAIT_FOR_COUNT("3 of 75 tokens");
    g_object_set(workspace->recipe, "embedding", path, NULL);
    WAIT_FOR_COUNT("5 of 75 tokens");
    screenshot("prompt-embedding");
    g_object_set(workspace->recipe, "embedding", "", NULL);
    WAIT_FOR_COUNT("3 of 75 tokens");
    clear_prompt(0);
    g_object_set(workspace->recipe, "prompt", "a lighthouse at night, and a ship far out", NULL);
}

static char *job_text(SlJob *job, const char *property)
{
    char *text;

    g_object_get(sl_job_get_settings(job), property, &text, NULL);
    return text;
}

static void test_prompt_choices(void)
{
    SlJob *first, *second;

    g_settings_set_uint(preferences, "dynamic", 0);
    g_object_set(workspace->recipe, "steps", 2, NULL);
    clear_prompt(0);
    type_prompt("a {red|blue} house");
    WAIT_UNTIL(gtk_widget_get_mapped(prompt_part("prompt", "proposal")));
    screenshot("prompt-choices-proposal");
    press("prompt", "accept");
    g_assert_cmpint(g_settings_get_uint(preferences, "dynamic"), ==, 1);
    WAIT_UNTIL(g_str_has_prefix(prompt_says("count"), "One of 2 prompts: "));
    g_settings_set_uint(preferences, "dynamic", 2);
    screenshot("prompt-choices");
    act("win.develop");
    first = sl_queue_get_current(workspace->queue);
    g_assert_cmpint(g_list_model_get_n_items(G_LIST_MODEL(workspace->queue)), ==, 1);
    g_autoptr(SlJob) waiting = g_list_model_get_item(G_LIST_MODEL(workspace->queue), 0);
    second = waiting;
    g_autofree char *red = job_text(first, "prompt"), *blue = job_text(second, "prompt");
    g_autofree char *template = job_text(second, "prompt-template");
    g_assert_cmpstr(red, ==, "a red house");
    g_assert_cmpstr(blue, ==, "a blue house");
    g_assert_cmpstr(template, ==, "a {red|blue} house");
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, template);
    WAIT_UNTIL(sl_job_is_over(second));
    gtk_text_buffer_set_text(prompt_buffer(), "a {red", -1);
    WAIT_UNTIL(gtk_widget_get_mapped(prompt_part("prompt", "fault")));
    screenshot("prompt-choices-fault");
    act("win.develop");
    g_assert_null(sl_queue_get_current(workspace->queue));
    close_dialog();
    g_settings_set_uint(preferences, "dynamic", 0);
    WAIT_UNTIL(!gtk_widget_get_mapped(prompt_part("prompt", "fault")));
    clear_prompt(0);
    g_object_set(workspace->recipe, "prompt", "a lighthouse at night, and a ship far out", NULL);
}

/* The names that are offered, joined by blanks; "" while none are. */
static char *offered(GtkListBox **list)
{
    GtkWidget *popover = gtk_widget_get_last_child(part(panel, "prompt"));
    GString *names = g_string_new(NULL);
    GtkListBoxRow *row;

    g_assert_true(GTK_IS_POPOVER(popover));
    *list = GTK_LIST_BOX(gtk_popover_get_child(GTK_POPOVER(popover)));
    for (int i = 0;
         gtk_widget_get_mapped(popover) && (row = gtk_list_box_get_row_at_index(*list, i)); i++)
        g_string_append_printf(names, "%s%s", i ? " " : "",
                               gtk_label_get_text(GTK_LABEL(gtk_list_box_row_get_child(row))));
    return g_string_free(names, FALSE);
}

static gboolean offers(const char *names)
{
    GtkListBox *list;
    g_autofree char *now = offered(&list);

    return g_str_equal(now, names);
}

/* As the keyboard does, to what looks at keys before the text itself; whether it took the key. */
static gboolean completion_key(guint key)
{
    GtkTextView *view = sl_prompt_box_get_view(part(panel, "prompt"));
    g_autoptr(GListModel) all = gtk_widget_observe_controllers(GTK_WIDGET(view));
    gboolean taken = FALSE;

    for (guint i = 0; i < g_list_model_get_n_items(all) && !taken; i++) {
        g_autoptr(GtkEventController) controller = g_list_model_get_item(all, i);

        if (GTK_IS_EVENT_CONTROLLER_KEY(controller) &&
            gtk_event_controller_get_propagation_phase(controller) == GTK_PHASE_CAPTURE)
            g_signal_emit_by_name(controller, "key-pressed", key, 0u, 0, &taken);
    }
    return taken;
}

static int chosen_name(GtkListBox *list)
{
    return gtk_list_box_row_get_index(gtk_list_box_get_selected_row(list));
}

/* "catfur wildcat" are offered behind "a cat <lora:cat". */
static void test_completion_keys(GtkListBox *list)
{
    gtk_test_accessible_assert_role(GTK_ACCESSIBLE(list), GTK_ACCESSIBLE_ROLE_LIST);
    gtk_test_accessible_assert_property(list, GTK_ACCESSIBLE_PROPERTY_LABEL, "Names that fit");
    g_assert_cmpint(chosen_name(list), ==, 0);
    g_assert_true(completion_key(GDK_KEY_Down));
    g_assert_true(completion_key(GDK_KEY_Down));
    g_assert_cmpint(chosen_name(list), ==, 1);
    gtk_test_accessible_assert_state(gtk_list_box_get_row_at_index(list, 1),
                                     GTK_ACCESSIBLE_STATE_SELECTED, TRUE);
    g_assert_true(completion_key(GDK_KEY_Up));
    g_assert_cmpint(chosen_name(list), ==, 0);
    g_assert_true(completion_key(GDK_KEY_Escape));
    WAIT_UNTIL(offers(""));
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "a cat <lora:cat");
    g_assert_false(completion_key(GDK_KEY_Down));
    g_assert_false(completion_key(GDK_KEY_Return));
    type_prompt("f");
    WAIT_UNTIL(offers("catfur"));
    g_assert_true(completion_key(GDK_KEY_Tab));
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "a cat <lora:catfur:1>");
    WAIT_UNTIL(offers(""));
}

static void test_prompt_completion(void)
{
    static const char *const files[] = {"loras/catfur.safetensors", "loras/in/wildcat.safetensors",
                                        "loras/dog.safetensors", "embeddings/catty.pt"};
    g_autofree char *models = g_build_filename(folder, "named", NULL);
    GtkListBox *list;

    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(models, files[i], NULL);
        g_autofree char *in = g_path_get_dirname(path);

        g_mkdir_with_parents(in, 0700);
        g_assert_true(g_file_set_contents(path, "", 0, NULL));
    }
    g_settings_set_string(preferences, "models-folder", models);
    WAIT_UNTIL(*sl_prompt_reader_get_names(workspace->prompts, SL_PROMPT_LORAS));
    clear_prompt(1);
    gtk_widget_grab_focus(GTK_WIDGET(sl_prompt_box_get_view(part(panel, "prompt"))));
    type_prompt("a cat <lora:");
    WAIT_UNTIL(offers("catfur dog wildcat"));
    type_prompt("cat");
    WAIT_UNTIL(offers("catfur wildcat"));
    screenshot("prompt-completion");
    g_autofree char *names = offered(&list);
    test_completion_keys(list);
    clear_prompt(1);
    type_prompt("a cat <lora:cat");
    WAIT_UNTIL(offers("catfur wildcat"));
    g_signal_emit_by_name(list, "row-activated", gtk_list_box_get_row_at_index(list, 1));
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "a cat <lora:wildcat:1>");
    WAIT_UNTIL(offers(""));
    type_prompt(", catt");
    WAIT_UNTIL(offers("catty"));
    g_object_set(workspace->recipe, "prompt-mode", 2, NULL);
    type_prompt("le, embedding:catt");
    WAIT_UNTIL(offers("catty"));
    clear_prompt(0);
    WAIT_UNTIL(offers(""));
    g_settings_set_string(preferences, "models-folder", "");
    g_object_set(workspace->recipe, "prompt", "a lighthouse at night, and a ship far out", NULL);
}

static void test_first_start(void)
{
    SlModelItem *model;

    WAIT_UNTIL(sl_model_store_is_scanned(workspace->models) &&
               sl_worker_get_model(workspace->worker));
    model = sl_recipe_panel_get_model(panel);
    g_assert_nonnull(model);
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), !=, "");
    g_assert_cmpstr(sl_settings_get_scheduler(workspace->recipe), ==,
                    sl_model_item_get_scheduler(model));
    g_assert_cmpint(sl_settings_get_width(workspace->recipe), ==, sl_model_item_get_width(model));
    screenshot("1-first-start");
}

static void test_develop(void)
{
    guint before = pictures();
    SlJob *job;

    g_object_set(workspace->recipe, "steps", 9, NULL);
    job = develop_to_end();
    g_assert_cmpint(count_frames(job), >=, 9);
    g_assert_cmpint(sl_film_strip_get_position(strip), ==, (int)count_frames(job) - 1);
    g_assert_nonnull(sl_canvas_get_texture(sl_tray_get_canvas(tray)));
    WAIT_UNTIL(pictures() == before + 1);
    screenshot("2-developed");
}

/* The label under a widget whose text begins so; NULL: there is none. */
static GtkWidget *find_text(GtkWidget *widget, const char *text)
{
    if (GTK_IS_LABEL(widget) && g_str_has_prefix(gtk_label_get_text(GTK_LABEL(widget)), text))
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        GtkWidget *found = find_text(child, text);

        if (found)
            return found;
    }
    return NULL;
}

/* What is wrong with a series of pictures is said of its first. */
static void test_warned_once(void)
{
    static const char said[] = "the prompt has weights in brackets";
    GtkWidget *toasts = part(window, "toasts"), *label, *toast;

    g_object_set(workspace->recipe, "prompt", "a (cat:1.3)", NULL);
    develop_to_end();
    WAIT_UNTIL((label = find_text(toasts, said)) != NULL && gtk_widget_get_width(label) > 0);
    g_assert_false(pango_layout_is_ellipsized(gtk_label_get_layout(GTK_LABEL(label))));
    screenshot("warned");
    for (toast = label; gtk_widget_get_parent(toast) != toasts;)
        toast = gtk_widget_get_parent(toast);
    g_signal_emit_by_name(find_inside(toast, GTK_TYPE_BUTTON), "clicked");
    WAIT_UNTIL(!find_text(toasts, said));
    develop_to_end();
    settle(300);
    g_assert_null(find_text(toasts, said));
    g_object_set(workspace->recipe, "prompt", "a cat", NULL);
    develop_to_end();
    g_object_set(workspace->recipe, "prompt", "a (dog:1.3)", NULL);
    develop_to_end();
    WAIT_UNTIL(find_text(toasts, said));
    g_object_set(workspace->recipe, "prompt", "a lighthouse at night, and a ship far out", NULL);
    develop_to_end();
}

/* Every moment can be gone back to; what is looked at gets the real decoder. */
static void test_scrub(void)
{
    SlFrameObject *last = sl_darkroom_page_get_frame(darkroom);
    int position = sl_film_strip_get_position(strip);

    for (int i = 0; i < 4; i++)
        act("win.previous-step");
    g_assert_cmpint(sl_film_strip_get_position(strip), ==, position - 4);
    g_assert_true(sl_darkroom_page_get_frame(darkroom) != last);
    WAIT_UNTIL(sl_frame_object_is_decoded(sl_darkroom_page_get_frame(darkroom), SL_VIEW_PICTURE));
    act("win.noisy");
    WAIT_UNTIL(sl_frame_object_is_decoded(sl_darkroom_page_get_frame(darkroom), SL_VIEW_NOISY));
    screenshot("3-scrubbed-noisy");
    act("win.noisy");
    for (int i = 0; i < 99; i++)
        act("win.next-step");
    g_assert_true(sl_darkroom_page_get_frame(darkroom) == last);
}

static void test_keep_step(void)
{
    guint before = pictures();
    SlFrameObject *frame;

    act("win.previous-step");
    act("win.keep-step");
    WAIT_UNTIL(pictures() == before + 1);
    /* while another view of it is decoded */
    act("win.previous-step");
    frame = sl_darkroom_page_get_frame(darkroom);
    _sl_frame_object_set_decoded(frame, SL_VIEW_PICTURE, NULL, 0, 0);
    g_assert_true(sl_worker_decode(workspace->worker, sl_darkroom_page_get_job(darkroom), frame,
                                   SL_VIEW_NOISY));
    act("win.keep-step");
    WAIT_UNTIL(pictures() == before + 2);
}

static void test_stop(void)
{
    SlJob *job;

    g_object_set(workspace->recipe, "steps", 900, NULL);
    act("win.develop");
    job = g_object_ref(sl_queue_get_current(workspace->queue));
    WAIT_UNTIL(count_frames(job) >= 3);
    screenshot("4-developing");
    act("win.stop");
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_STOPPED);
    g_assert_true(sl_darkroom_page_get_frame(darkroom) == sl_job_get_last_frame(job));
    screenshot("5-stopped");
    g_object_unref(job);
}

static void test_queue(void)
{
    act("win.develop");
    act("win.develop");
    act("win.develop");
    g_assert_cmpint(g_list_model_get_n_items(G_LIST_MODEL(workspace->queue)), ==, 2);
    gtk_popover_popup(GTK_POPOVER(part(window, "queue_popover")));
    screenshot("6-queue");
    gtk_popover_popdown(GTK_POPOVER(part(window, "queue_popover")));
    sl_queue_clear(workspace->queue);
    act("win.stop");
    g_assert_null(sl_queue_get_current(workspace->queue));
}

/* Of several pictures made at once each has a seed of its own: the caption says the shown one's, and a lock
 * takes it. */
static void test_seed_of_picture(void)
{
    guint64 seed;
    g_autofree char *said = NULL;

    /* few: the window is told of a run that took long */
    g_object_set(workspace->recipe, "steps", 6, NULL);
    g_settings_set_boolean(workspace->preferences, "keep-seed", FALSE);
    g_settings_set_double(workspace->preferences, "count", 3);
    develop_to_end();
    WAIT_UNTIL(sl_queue_get_current(workspace->queue) == NULL);
    g_settings_set_double(workspace->preferences, "count", 1);
    seed = sl_settings_get_seed(sl_job_get_settings(sl_darkroom_page_get_job(darkroom)));
    g_assert_cmpuint(seed, ==, sl_settings_get_seed(workspace->recipe) + 2);
    said = g_strdup_printf("seed %" G_GUINT64_FORMAT " ", seed);
    g_assert_nonnull(strstr(gtk_label_get_text(GTK_LABEL(part(tray, "caption"))), said));
    g_settings_set_boolean(workspace->preferences, "keep-seed", TRUE);
    g_assert_cmpuint(sl_settings_get_seed(workspace->recipe), ==, seed);
    develop_to_end();
    g_assert_cmpuint(sl_settings_get_seed(sl_job_get_settings(sl_darkroom_page_get_job(darkroom))),
                     ==, seed);
    g_settings_set_boolean(workspace->preferences, "keep-seed", FALSE);
}

static void test_save_and_drop(void)
{
    g_autofree char *path = g_build_filename(folder, "saved.png", NULL);
    g_autoptr(SlSettings) before = NULL;

    g_object_set(workspace->recipe, "steps", 5, "guidance", 4.5, "prompt",
                 "a lighthouse, “at night”", NULL);
    develop_to_end();
    before = sl_settings_dup(sl_job_get_settings(sl_darkroom_page_get_job(darkroom)));
    act_with("win.save-to", path);
    WAIT_UNTIL(g_file_test(path, G_FILE_TEST_EXISTS));
    g_object_set(workspace->recipe, "steps", 33, "guidance", 1.0, "prompt", "", "seed", (guint64)1,
                 "scheduler", "euler", NULL);
    act_with("win.open-path", path);
    WAIT_UNTIL(sl_settings_get_steps(workspace->recipe) == 5);
    g_assert_true(sl_settings_equal(before, workspace->recipe));
}

static void forget_settings(void)
{
    g_object_set(workspace->recipe, "steps", 33, "guidance", 1.0, "prompt", "", NULL);
}

/* What is copied from the tray is the file with its settings; pasted, it brings them back. */
static void test_copy_and_paste(void)
{
    GdkClipboard *clipboard = gtk_widget_get_clipboard(GTK_WIDGET(window));

    act("win.copy");
    g_assert_true(
        gdk_content_formats_contain_mime_type(gdk_clipboard_get_formats(clipboard), "image/png"));
    forget_settings();
    act("win.paste");
    WAIT_UNTIL(sl_settings_get_steps(workspace->recipe) == 5);
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "a lighthouse, “at night”");
    gdk_clipboard_set_text(clipboard,
                           "a boat\nNegative prompt: fog\nSteps: 7, CFG scale: 3, Seed: 5");
    act("win.paste");
    WAIT_UNTIL(sl_settings_get_steps(workspace->recipe) == 7);
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "a boat");
}

static GtkDropTarget *find_drop_target(void)
{
    g_autoptr(GListModel) controllers = gtk_widget_observe_controllers(GTK_WIDGET(window));

    for (guint i = 0; i < g_list_model_get_n_items(controllers); i++) {
        g_autoptr(GObject) controller = g_list_model_get_item(controllers, i);

        if (GTK_IS_DROP_TARGET(controller))
            return GTK_DROP_TARGET(controller); /* the window holds it */
    }
    return NULL;
}

static void test_drop(void)
{
    g_autofree char *path = g_build_filename(folder, "saved.png", NULL);
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_auto(GValue) value = G_VALUE_INIT;
    GtkDropTarget *target = find_drop_target();
    gboolean taken = FALSE;

    g_value_init(&value, GDK_TYPE_FILE_LIST);
    g_value_take_boxed(&value, gdk_file_list_new_from_list(&(GSList){.data = file}));
    g_assert_nonnull(target);
    forget_settings();
    g_signal_emit_by_name(target, "drop", &value, 10.0, 10.0, &taken);
    g_assert_true(taken);
    WAIT_UNTIL(sl_settings_get_steps(workspace->recipe) == 5);
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "a lighthouse, “at night”");
}

static void test_zoom(void)
{
    SlCanvas *canvas = sl_tray_get_canvas(tray);
    double fitted = sl_canvas_get_zoom(canvas);

    g_assert_true(sl_canvas_is_fitted(canvas));
    act("win.zoom-in");
    g_assert_cmpfloat(sl_canvas_get_zoom(canvas), >, fitted);
    g_assert_false(sl_canvas_is_fitted(canvas));
    act("win.zoom-out");
    act("win.zoom-out");
    g_assert_cmpfloat(sl_canvas_get_zoom(canvas), <, fitted);
    act("win.zoom-original");
    g_assert_cmpfloat(sl_canvas_get_zoom(canvas), ==, 1);
    act("win.zoom-fit");
    g_assert_true(sl_canvas_is_fitted(canvas));
    g_assert_cmpfloat(sl_canvas_get_zoom(canvas), ==, fitted);
}

/* A model that cannot be loaded says why; the one before stays chosen and works. */
static void test_broken_model(void)
{
    g_autofree char *broken = g_build_filename(folder, "nothing", NULL);
    SlModelItem *model = sl_recipe_panel_get_model(panel);

    g_mkdir(broken, 0755);
    act_with("win.open-path", broken);
    WAIT_UNTIL(find_dialog() != NULL);
    screenshot("7-broken-model");
    close_dialog();
    g_assert_true(sl_recipe_panel_get_model(panel) == model);
    develop_to_end();
}

static void test_settings_that_do_not_fit(void)
{
    int width = sl_settings_get_width(workspace->recipe);

    g_object_set(workspace->recipe, "width", 33, NULL);
    act("win.develop");
    g_assert_null(sl_queue_get_current(workspace->queue));
    close_dialog();
    g_object_set(workspace->recipe, "width", width, NULL);
}

static void test_gallery(void)
{
    guint before;
    g_autoptr(SlPicture) picture = NULL;

    settle(300);
    adw_view_stack_set_visible_child_name(pages, "gallery");
    sl_thread_queue_wait(workspace->files); /* it finds what tests put into its folder */
    before = pictures();
    g_assert_cmpint(before, >=, 3);
    screenshot("8-gallery");
    picture = g_list_model_get_item(G_LIST_MODEL(workspace->gallery), 0);
    sl_darkroom_page_show_picture(darkroom, picture);
    g_assert_cmpstr(adw_view_stack_get_visible_child_name(pages), ==, "darkroom");
    screenshot("9-picture");
    act("win.delete");
    g_assert_cmpint(pictures(), ==, before - 1);
    g_assert_null(sl_darkroom_page_get_picture(darkroom));
    sl_gallery_undo_removal(workspace->gallery, picture);
    g_assert_cmpint(pictures(), ==, before);
}

/* A row that the panel makes from the table is there where the scheduler has the setting. Fresh noise
 * is shown as a pipeline's call passes it as long as nobody asks for another: 0, also to TCD. */
static void test_fresh_noise(void)
{
    GtkWidget *spin = find_named(GTK_WIDGET(panel), "eta");
    GtkWidget *row = gtk_widget_get_ancestor(spin, ADW_TYPE_ACTION_ROW);
    GtkAdjustment *shown = gtk_spin_button_get_adjustment(GTK_SPIN_BUTTON(spin));
    g_autofree char *before = g_strdup(sl_settings_get_scheduler(workspace->recipe));

    g_object_set(workspace->recipe, "scheduler", "tcd", NULL);
    g_assert_true(gtk_widget_get_visible(row));
    g_assert_cmpfloat(gtk_adjustment_get_value(shown), ==, 0);
    g_object_set(workspace->recipe, "scheduler", "euler", NULL);
    g_assert_false(gtk_widget_get_visible(row));
    g_object_set(workspace->recipe, "scheduler", "ddim", NULL);
    g_assert_true(gtk_widget_get_visible(row));
    g_assert_cmpfloat(gtk_adjustment_get_value(shown), ==, 0);
    g_object_set(workspace->recipe, "eta", 0.5, NULL);
    g_assert_cmpfloat(gtk_adjustment_get_value(shown), ==, 0.5);
    g_object_set(workspace->recipe, "eta", -1.0, "scheduler", before, NULL);
}

static void test_ddpm(void)
{
    guint position = sl_model_store_find(workspace->models, "ddpm");
    int width = sl_settings_get_width(workspace->recipe);
    SlModelItem *model;

    /* What was not set by hand follows the model, the size too: here the height is one's own. */
    g_assert_cmpuint(position, !=, G_MAXUINT);
    g_assert_cmpint(width, ==, sl_model_item_get_width(sl_recipe_panel_get_model(panel)));
    g_object_set(workspace->recipe, "height", 48, NULL);
    sl_recipe_panel_select_model(panel, position);
    WAIT_UNTIL(sl_worker_get_model(workspace->worker) == sl_recipe_panel_get_model(panel));
    model = sl_recipe_panel_get_model(panel);
    g_assert_cmpint(sl_model_item_get_width(model), !=, width);
    g_assert_cmpint(sl_settings_get_width(workspace->recipe), ==, sl_model_item_get_width(model));
    g_assert_cmpint(sl_settings_get_height(workspace->recipe), ==, 48);
    g_object_set(workspace->recipe, "steps", 6, "height", sl_model_item_get_height(model), NULL);
    develop_to_end();
    g_assert_cmpint(count_frames(sl_darkroom_page_get_job(darkroom)), ==, 6);
    screenshot("10-ddpm");
    sl_recipe_panel_select_model(panel, sl_model_store_find(workspace->models, "sd1"));
    WAIT_UNTIL(sl_worker_get_model(workspace->worker) == sl_recipe_panel_get_model(panel));
}

/* A row of "More settings" by the beginning of its title; NULL where there is none or it is hidden. */
static GtkWidget *more_row(GtkWidget *widget, const char *title)
{
    GtkWidget *found = NULL;

    if (ADW_IS_PREFERENCES_ROW(widget) && gtk_widget_get_visible(widget) &&
        g_str_has_prefix(adw_preferences_row_get_title(ADW_PREFERENCES_ROW(widget)), title))
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child && !found;
         child = gtk_widget_get_next_sibling(child))
        found = more_row(child, title);
    return found;
}

/* The picture that was made last; NULL while it is not written yet. */
static char *newest_picture(void)
{
    guint count = g_list_model_get_n_items(G_LIST_MODEL(workspace->gallery));
    g_autoptr(SlPicture) picture = g_list_model_get_item(G_LIST_MODEL(workspace->gallery), 0);

    return count > 0 ? g_strdup(sl_picture_get_path(picture)) : NULL;
}

/* Embeddings are a line; a picture says which file they were. */
static void test_embeddings(void)
{
    GtkWidget *row = more_row(part(panel, "more_row"), "_Embeddings");
    g_autofree char *path = fixture_path("../embeddings/sd1.pt");
    g_autofree char *prompt = NULL;
    g_autofree char *said = NULL;
    g_autofree char *before = newest_picture();
    g_autofree char *picture = NULL;
    g_autofree char *bytes = NULL;
    gsize length;

    g_assert_nonnull(row);
    gtk_editable_set_text(GTK_EDITABLE(row), path);
    g_signal_emit_by_name(row, "apply");
    g_object_get(workspace->recipe, "embedding", &said, "prompt", &prompt, NULL);
    g_assert_cmpstr(said, ==, path);
    g_object_set(workspace->recipe, "prompt", "an <cat>", NULL);
    develop_to_end();
    WAIT_UNTIL(g_strcmp0(before, (picture = newest_picture())) != 0);
    g_assert_true(g_file_get_contents(picture, &bytes, &length, NULL));
    g_assert_nonnull(memmem(bytes, length, "\"embeddings\":[{\"name\"", 21));
    g_object_set(workspace->recipe, "embedding", "", "prompt", prompt, NULL);
    g_assert_cmpstr(gtk_editable_get_text(GTK_EDITABLE(row)), ==, "");
}

/* A refiner is a second model, for those that one fits. It goes on at the fourth of five steps. */
static void test_refiner(void)
{
    SlPartRow *row = SL_PART_ROW(part(panel, "refiner_row"));
    GtkWidget *parts = part(panel, "parts_row");
    g_autofree char *refiner = fixture_path("sdxl_refiner");
    g_autofree char *other = fixture_path("sdxl_v");
    g_autoptr(SlFrameObject) first = NULL;
    guint before = pictures();
    SlJob *job;

    g_assert_false(gtk_widget_get_visible(GTK_WIDGET(row)));
    g_assert_false(gtk_widget_get_visible(part(panel, "text_encoder_2_row")));
    sl_recipe_panel_select_model(panel, sl_model_store_find(workspace->models, "sdxl"));
    g_assert_true(gtk_widget_get_visible(GTK_WIDGET(row)));
    g_assert_true(gtk_widget_get_visible(part(panel, "text_encoder_2_row")));
    g_assert_null(more_row(part(panel, "more_row"), "Refine from"));
    g_assert_true(g_strv_contains(sl_model_store_get_parts(workspace->models, "refiner"), refiner));
    sl_part_row_choose(row, refiner);
    g_assert_cmpstr(sl_part_row_get_path(row), ==, refiner);
    g_assert_nonnull(more_row(part(panel, "more_row"), "Refine from"));
    WAIT_UNTIL(sl_worker_get_model(workspace->worker) == sl_recipe_panel_get_model(panel));
    adw_expander_row_set_expanded(ADW_EXPANDER_ROW(parts), TRUE);
    g_object_set(workspace->recipe, "steps", 5, NULL);
    job = develop_to_end();
    g_assert_cmpint(count_frames(job), >=, 5);
    g_assert_true(sl_frame_object_is_refined(sl_darkroom_page_get_frame(darkroom)));
    first = g_list_model_get_item(sl_job_get_frames(job), 0);
    g_assert_false(sl_frame_object_is_refined(first));
    WAIT_UNTIL(pictures() == before + 1);
    screenshot("10-refiner");
    sl_part_row_choose(row, other); /* no refiner */
    WAIT_UNTIL(find_dialog() != NULL);
    close_dialog();
    g_assert_cmpstr(sl_part_row_get_path(row), ==, refiner);
    adw_expander_row_set_expanded(ADW_EXPANDER_ROW(parts), FALSE);
    sl_part_row_choose(row, NULL);
    sl_recipe_panel_select_model(panel, sl_model_store_find(workspace->models, "sd1"));
    g_assert_false(gtk_widget_get_visible(GTK_WIDGET(row)));
    WAIT_UNTIL(sl_worker_get_model(workspace->worker) == sl_recipe_panel_get_model(panel));
}

/* What SDXL is told has controls, which other models do not have; what it predicts says where that is from. */
static void test_sdxl(void)
{
    GtkWidget *more = part(panel, "more_row"), *row;
    GtkWidget *around = gtk_widget_get_ancestor(more, GTK_TYPE_SCROLLED_WINDOW);
    GtkAdjustment *scrolled = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(around));

    g_assert_null(more_row(more, "Original width"));
    g_assert_null(more_row(more, "Empty negative"));
    sl_recipe_panel_select_model(panel, sl_model_store_find(workspace->models, "sdxl_v"));
    WAIT_UNTIL(sl_worker_get_model(workspace->worker) == sl_recipe_panel_get_model(panel));
    adw_expander_row_set_expanded(ADW_EXPANDER_ROW(more), TRUE);
    g_assert_nonnull(more_row(more, "Original width"));
    g_assert_nonnull(more_row(more, "Crop top"));
    g_assert_nonnull(more_row(more, "Target height"));
    g_assert_nonnull(more_row(more, "Empty negative"));
    row = more_row(more, "Prediction");
    g_assert_cmpstr(adw_action_row_get_subtitle(ADW_ACTION_ROW(row)), ==,
                    "v: scheduler_config.json");
    adw_combo_row_set_selected(ADW_COMBO_ROW(row), 1);
    settle(300);
    gtk_adjustment_set_value(scrolled, 1e6);
    screenshot("10-sdxl");
    adw_combo_row_set_selected(ADW_COMBO_ROW(row), 0);
    adw_expander_row_set_expanded(ADW_EXPANDER_ROW(more), FALSE);
    gtk_adjustment_set_value(scrolled, 0);
    settle(300);
    sl_recipe_panel_select_model(panel, sl_model_store_find(workspace->models, "sd1"));
    WAIT_UNTIL(sl_worker_get_model(workspace->worker) == sl_recipe_panel_get_model(panel));
}

static gboolean has_label(GtkWidget *widget, const char *text)
{
    gboolean found = GTK_IS_LABEL(widget) && gtk_widget_get_mapped(widget) &&
                     strstr(gtk_label_get_text(GTK_LABEL(widget)), text);

    for (GtkWidget *child = gtk_widget_get_first_child(widget); child && !found;
         child = gtk_widget_get_next_sibling(child))
        found = has_label(child, text);
    return found;
}

static void close_popovers(GtkWidget *widget)
{
    if (GTK_IS_POPOVER(widget))
        gtk_popover_popdown(GTK_POPOVER(widget));
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        close_popovers(child);
}

/* The list says of each model what it is and what it needs, before it is chosen. */
static void test_model_list(void)
{
    GtkWidget *row = part(panel, "model_row");

    gtk_widget_activate(row);
    WAIT_UNTIL(has_label(row, "sharded"));
    g_assert_true(has_label(row, "Stable Diffusion XL · "));
    g_assert_true(has_label(row, " · F32"));
    g_assert_true(has_label(row, "iB of memory")); /* in the unit of the line above "Develop" */
    screenshot("10-models-dark");
    g_settings_set_uint(preferences, "theme", 1);
    screenshot("10-models-light");
    g_settings_set_uint(preferences, "theme", 2);
    for (GtkWidget *child = gtk_widget_get_first_child(row); child;
         child = gtk_widget_get_next_sibling(child))
        close_popovers(child);
    settle(300);
}

/* A picture chooses its VAE again, also where the file has another name now. */
static void test_parts_of_picture(const char *vae, const char *picture)
{
    SlPartRow *row = SL_PART_ROW(part(panel, "vae_row"));
    g_autofree char *models = g_build_filename(folder, "models", NULL);
    g_autofree char *inside = g_build_filename(models, "vae", NULL);
    g_autofree char *renamed = g_build_filename(inside, "renamed.safetensors", NULL);
    g_autofree char *bytes = NULL;
    gsize length;

    sl_part_row_choose(row, NULL);
    g_assert_null(sl_part_row_get_path(row));
    g_assert_cmpint(g_mkdir_with_parents(inside, 0755), ==, 0);
    g_assert_true(g_file_get_contents(vae, &bytes, &length, NULL));
    g_assert_true(g_file_set_contents(renamed, bytes, (gssize)length, NULL));
    g_settings_set_string(preferences, "models-folder", models);
    act_with("win.open-path", picture);
    WAIT_UNTIL(sl_part_row_get_path(row) != NULL);
    g_assert_cmpstr(sl_part_row_get_path(row), ==, renamed);
    WAIT_UNTIL(sl_worker_get_model(workspace->worker) == sl_recipe_panel_get_model(panel));
    g_settings_reset(preferences, "models-folder");
}

/* Another VAE is another loading of the model; one that is none leaves the model's own. */
static void test_vae(void)
{
    SlPartRow *row = SL_PART_ROW(part(panel, "vae_row"));
    SlModelItem *own = sl_recipe_panel_get_model(panel);
    g_autofree char *vae = fixture_path("sd1/vae/diffusion_pytorch_model.safetensors");
    g_autofree char *before = newest_picture();
    g_autofree char *picture = NULL;
    g_autofree char *unet = fixture_path("sd1/unet/diffusion_pytorch_model.safetensors");

    g_assert_true(gtk_widget_get_visible(GTK_WIDGET(row)));
    sl_part_row_choose(row, vae);
    g_assert_true(sl_recipe_panel_get_model(panel) != own);
    WAIT_UNTIL(sl_worker_get_model(workspace->worker) == sl_recipe_panel_get_model(panel));
    develop_to_end();
    screenshot("10-vae");
    WAIT_UNTIL(g_strcmp0(before, (picture = newest_picture())) != 0);
    test_parts_of_picture(vae, picture);
    sl_part_row_choose(row, NULL);
    sl_part_row_choose(row, unet);
    WAIT_UNTIL(find_dialog() != NULL);
    close_dialog();
    g_assert_null(sl_part_row_get_path(row));
    g_assert_true(sl_recipe_panel_get_model(panel) == own);
    WAIT_UNTIL(sl_worker_get_model(workspace->worker) == own);
}

static const char *types_shown(GtkWidget *page)
{
    return adw_action_row_get_subtitle(ADW_ACTION_ROW(part(page, "dtype_row")));
}

/* Which types are automatic here, and why, stands at the choice; nothing where a type is chosen. */
static void test_types_row(GtkWidget *page)
{
    SlWorker *worker = workspace->worker;

    g_assert_cmpstr(types_shown(page), ==, "auto: f32, because SAFELIGHT_AUTO_DTYPE says so");
    g_settings_set_uint(preferences, "dtype", 2);
    WAIT_UNTIL(g_str_equal(sl_worker_get_dtype(worker), "bf16"));
    g_assert_cmpstr(types_shown(page), ==, "");
    g_settings_reset(preferences, "dtype");
    WAIT_UNTIL(g_str_equal(sl_worker_get_dtype(worker), "f32"));
    g_assert_cmpstr(types_shown(page), !=, "");
}

static void test_styles_and_sizes(void)
{
    g_autofree char *tiny = fixture_path("../previews/taesd_decoder.safetensors");
    g_autofree char *five = fixture_path("../previews/five.safetensors");
    g_autofree char *path = NULL;
    SlPartRow *row;

    act("win.preferences");
    WAIT_UNTIL(find_dialog() != NULL);
    check_wheel(find_inside(find_dialog(), SL_TYPE_PREFERENCES_PAGE), 1);
    test_types_row(find_inside(find_dialog(), SL_TYPE_PREFERENCES_PAGE));
    row = part(find_inside(find_dialog(), SL_TYPE_PREFERENCES_PAGE), "tiny_row");
    sl_part_row_choose(row, tiny);
    g_assert_cmpstr((path = g_settings_get_string(preferences, "preview-decoder")), ==, tiny);
    screenshot("11-preferences");
    sl_part_row_choose(row, five);
    g_assert_cmpstr(sl_part_row_get_path(row), ==, tiny);
    sl_part_row_choose(row, NULL);
    g_assert_null(sl_part_row_get_path(row));
    close_dialog(); /* the alert over it */
    close_dialog();
    g_assert_null(find_dialog());
    g_settings_set_uint(preferences, "theme", 2);
    screenshot("12-dark");
    gtk_window_set_default_size(GTK_WINDOW(window), 600, 800);
    settle(300);
    sl_side_view_set_panel_shown(sides, FALSE);
    screenshot("13-dark-narrow");
    sl_side_view_set_panel_shown(sides, TRUE);
    screenshot("14-dark-narrow-panel");
    g_assert_true(sl_side_view_get_folded(sides));
    g_settings_set_uint(preferences, "theme", 1);
    gtk_window_set_default_size(GTK_WINDOW(window), 1280, 820);
    settle(300);
}

/* Every button says what it does, with words on it or in its tooltip. */
static void check_names(GtkWidget *widget, int *unnamed)
{
    if (GTK_IS_BUTTON(widget) && gtk_widget_get_mapped(widget) &&
        !gtk_button_get_label(GTK_BUTTON(widget)) && gtk_button_get_icon_name(GTK_BUTTON(widget)) &&
        !gtk_widget_get_tooltip_text(widget)) {
        /* A spin button's and a window's own buttons are named by the toolkit. */
        if (!gtk_widget_get_ancestor(widget, GTK_TYPE_SPIN_BUTTON) &&
            !gtk_widget_get_ancestor(widget, GTK_TYPE_WINDOW_CONTROLS) &&
            !gtk_widget_get_ancestor(widget, GTK_TYPE_MENU_BUTTON) &&
            !gtk_widget_get_ancestor(widget, g_type_from_name("AdwToastWidget"))) {
            g_test_message("without a name: %s", gtk_button_get_icon_name(GTK_BUTTON(widget)));
            (*unnamed)++;
        }
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        check_names(child, unnamed);
}

static void test_names(void)
{
    int unnamed = 0;

    check_names(GTK_WIDGET(window), &unnamed);
    g_assert_cmpint(unnamed, ==, 0);
}

/* Rapid changes and starts leave no critical (G_DEBUG=fatal-criticals) and nothing running. */
static void test_rapid(void)
{
    for (int i = 0; i < 200; i++) {
        g_object_set(workspace->recipe, "steps", 1 + i % 60, "guidance", i % 20 / 2.0, NULL);
        act("win.develop");
        for (int turns = i % 3; turns > 0; turns--)
            turn_main_loop();
        act("win.stop");
    }
    sl_queue_clear(workspace->queue);
    if (sl_queue_get_current(workspace->queue))
        act("win.stop");
    g_object_set(workspace->recipe, "steps", 3, "guidance", 7.5, NULL);
    develop_to_end();
}

static void test_close_in_a_run(void)
{
    g_auto(GStrv) unfinished = NULL;
    gint64 start;

    g_object_set(workspace->recipe, "steps", 900, NULL);
    act("win.develop");
    act("win.develop");
    WAIT_UNTIL(sl_darkroom_page_get_frame(darkroom) &&
               count_frames(sl_darkroom_page_get_job(darkroom)) >= 2);
    start = g_get_monotonic_time();
    gtk_window_close(GTK_WINDOW(window));
    g_test_message("closing took %.0f ms", (g_get_monotonic_time() - start) / 1e3);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 2 * G_USEC_PER_SEC);
    unfinished = g_settings_get_strv(preferences, "unfinished");
    g_assert_cmpint(g_strv_length(unfinished), ==, 2);
    window = NULL;
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    start_theme = 2;
    if (!start_application("sd1"))
        return 77;
    g_test_add_func("/window/first-start", test_first_start);
    g_test_add_func("/window/prompt-can-be-read", test_prompt_can_be_read);
    g_test_add_func("/window/prompt-weights", test_prompt_weights);
    g_test_add_func("/window/prompt-fault", test_prompt_fault);
    g_test_add_func("/window/prompt-chunks", test_prompt_chunks);
    g_test_add_func("/window/prompt-embedding", test_prompt_embedding);
    g_test_add_func("/window/prompt-choices", test_prompt_choices);
    g_test_add_func("/window/prompt-completion", test_prompt_completion);
    g_test_add_func("/window/develop", test_develop);
    g_test_add_func("/window/warned-once", test_warned_once);
    g_test_add_func("/window/scrub", test_scrub);
    g_test_add_func("/window/keep-step", test_keep_step);
    g_test_add_func("/window/stop", test_stop);
    g_test_add_func("/window/queue", test_queue);
    g_test_add_func("/window/seed-of-picture", test_seed_of_picture);
    g_test_add_func("/window/save-and-drop", test_save_and_drop);
    g_test_add_func("/window/copy-and-paste", test_copy_and_paste);
    g_test_add_func("/window/drop", test_drop);
    g_test_add_func("/window/zoom", test_zoom);
    g_test_add_func("/window/broken-model", test_broken_model);
    g_test_add_func("/window/settings-that-do-not-fit", test_settings_that_do_not_fit);
    g_test_add_func("/window/gallery", test_gallery);
    g_test_add_func("/window/fresh-noise", test_fresh_noise);
    g_test_add_func("/window/ddpm", test_ddpm);
    g_test_add_func("/window/vae", test_vae);
    g_test_add_func("/window/embeddings", test_embeddings);
    g_test_add_func("/window/sdxl", test_sdxl);
    g_test_add_func("/window/refiner", test_refiner);
    g_test_add_func("/window/model-list", test_model_list);
    g_test_add_func("/window/styles-and-sizes", test_styles_and_sizes);
    g_test_add_func("/window/names", test_names);
    g_test_add_func("/window/rapid", test_rapid);
    g_test_add_func("/window/close-in-a-run", test_close_in_a_run);
    status = g_test_run();
    end_application();
    return status;
}
