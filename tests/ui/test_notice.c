/* test_notice.c - toasts in a window of their own: none of them leaves during its entrance, they come one after the
 * other, and their text is shown as it is.
 */
#include "tests/app/objects/gobject.h"
#include "ui/widgets/sl-dialog.h"
#include "ui/widgets/sl-notice.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

static GtkWidget *window, *overlay, *child;
static guint heard;

static void open_window(void)
{
    window = adw_window_new();
    overlay = GTK_WIDGET(adw_toast_overlay_new());
    child = gtk_label_new("page");
    adw_toast_overlay_set_child(ADW_TOAST_OVERLAY(overlay), child);
    adw_window_set_content(ADW_WINDOW(window), overlay);
    sl_notice_set_overlay(GTK_WINDOW(window), ADW_TOAST_OVERLAY(overlay));
    gtk_window_present(GTK_WINDOW(window));
    WAIT_UNTIL(gtk_widget_get_mapped(overlay));
    heard = 0;
}

static void close_window(void)
{
    gtk_window_destroy(GTK_WINDOW(window));
    turn_main_loop();
}

static void dismissed(void)
{
    heard++;
}

static AdwToast *add(const char *title)
{
    AdwToast *toast = adw_toast_new(title);

    adw_toast_set_timeout(toast, 0);
    adw_toast_set_button_label(toast, "Undo");
    g_signal_connect(toast, "dismissed", G_CALLBACK(dismissed), NULL);
    sl_notice_add_toast(child, toast);
    return toast;
}

static guint count_shown(void)
{
    guint count = 0;

    for (GtkWidget *each = gtk_widget_get_first_child(overlay); each;
         each = gtk_widget_get_next_sibling(each))
        count += each != child;
    return count;
}

static GtkWidget *find_label(GtkWidget *widget, const char *text)
{
    if (GTK_IS_LABEL(widget) && g_str_equal(gtk_label_get_text(GTK_LABEL(widget)), text))
        return widget;
    for (GtkWidget *each = gtk_widget_get_first_child(widget); each;
         each = gtk_widget_get_next_sibling(each)) {
        GtkWidget *found = find_label(each, text);

        if (found)
            return found;
    }
    return NULL;
}

/* One frame comes after both the entrance and the exit should be over. */
static void test_late_frame(void)
{
    AdwToast *toast;

    open_window();
    toast = add("late");
    adw_toast_dismiss(toast);
    g_assert_cmpuint(heard, ==, 1);
    g_usleep(700 * 1000);
    WAIT_UNTIL(count_shown() == 0);
    close_window();
}

static void test_one_after_the_other(void)
{
    AdwToast *toast;

    open_window();
    toast = add("first");
    add("second");
    g_assert_cmpuint(count_shown(), ==, 1);
    g_assert_nonnull(find_label(overlay, "first"));
    adw_toast_dismiss(toast);
    WAIT_UNTIL(find_label(overlay, "second"));
    g_usleep(700 * 1000);
    WAIT_UNTIL(!find_label(overlay, "first"));
    g_assert_nonnull(find_label(overlay, "second"));
    close_window();
}

/* Those that nobody sees need not wait. */
static void test_closed(void)
{
    AdwToast *toasts[2];

    open_window();
    toasts[0] = g_object_ref(add("first"));
    toasts[1] = g_object_ref(add("second"));
    gtk_widget_set_visible(window, FALSE);
    adw_toast_dismiss(toasts[0]);
    g_assert_cmpuint(heard, ==, 1);
    g_assert_nonnull(adw_toast_get_button_label(toasts[0]));
    close_window();
    g_assert_cmpuint(heard, ==, 2);
    g_object_add_weak_pointer(G_OBJECT(toasts[0]), (gpointer *)&toasts[0]);
    g_object_add_weak_pointer(G_OBJECT(toasts[1]), (gpointer *)&toasts[1]);
    g_object_unref(toasts[0]);
    g_object_unref(toasts[1]);
    g_assert_null(toasts[0]);
    g_assert_null(toasts[1]);
}

static void test_text(void)
{
    open_window();
    sl_notice_toast(child, "a < b & <i>c</i>");
    g_assert_nonnull(find_label(overlay, "a < b & <i>c</i>"));
    close_window();
}

/* What does not fit into a line is read in several, for as long as that takes. */
static void test_long_text(void)
{
    static const char text[] =
        "12 tokens of the prompt were not used: in the style of a very old woodcut, with a ship "
        "far out, and birds above it, and a lighthouse whose lamp is lit";
    GtkWidget *label;
    gint64 start;

    open_window();
    gtk_widget_set_size_request(window, 360, 300);
    sl_notice_toast(child, text);
    start = g_get_monotonic_time();
    WAIT_UNTIL((label = find_label(overlay, text)) != NULL && gtk_widget_get_width(label) > 0);
    g_assert_false(pango_layout_is_ellipsized(gtk_label_get_layout(GTK_LABEL(label))));
    g_assert_cmpint(pango_layout_get_line_count(gtk_label_get_layout(GTK_LABEL(label))), >, 1);
    g_assert_cmpint(gtk_widget_get_width(label), <, gtk_widget_get_width(window));
    WAIT_UNTIL(count_shown() == 0);
    g_assert_cmpint(g_get_monotonic_time() - start, >, 6 * G_USEC_PER_SEC);
    close_window();
}

/* An alert's text may hold a path longer than the line: it is shown whole, in an alert that fits a small window. */
static void test_long_words(void)
{
    static const char body[] = "/home/somebody/models/stable-diffusion/checkpoints/"
                               "a-name-that-somebody-found-good_v12-pruned.safetensors: "
                               "there is no such file";
    GtkWidget *alert = sl_dialog_new_alert("No model", body);
    GtkWidget *label;
    int least;

    open_window();
    sl_dialog_add_response(alert, "close", "_Close", FALSE);
    sl_dialog_present(alert, child);
    WAIT_UNTIL((label = find_label(alert, body)) != NULL);
    gtk_widget_measure(label, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
    g_assert_cmpint(least, <, 300);
    close_window();
}

/* After "Saved" of five files comes what is said then, and not four more of them. */
static void test_same_words(void)
{
    AdwToast *first;
    GtkWidget *saved;

    open_window();
    first = add("shown");
    for (int i = 0; i < 5; i++)
        sl_notice_toast(child, "Saved");
    sl_notice_toast(child, "Opened");
    adw_toast_dismiss(first);
    WAIT_UNTIL((saved = find_label(overlay, "Saved")) != NULL);
    while (!find_label(overlay, "Opened")) {
        GtkWidget *label = find_label(overlay, "Saved");

        g_assert_true(label == NULL || label == saved);
        turn_main_loop();
    }
    close_window();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#ifdef M_PERTURB
    mallopt(M_PERTURB, 85); /* what is used after it was freed is seen */
#endif
    if (!gtk_init_check())
        return 77;
    adw_init();
    g_test_add_func("/notice/late-frame", test_late_frame);
    g_test_add_func("/notice/one-after-the-other", test_one_after_the_other);
    g_test_add_func("/notice/closed", test_closed);
    g_test_add_func("/notice/text", test_text);
    g_test_add_func("/notice/long-text", test_long_text);
    g_test_add_func("/notice/same-words", test_same_words);
    g_test_add_func("/notice/long-words", test_long_words);
    return g_test_run();
}
