/* sl-notice.h - what a page says to the person: a toast over the pages, or a dialog over the window.
 *
 * from is any widget in the window. Where it is in no window any more, or the window is closed, nothing is said:
 * answers of background threads may come late.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Once for a window: where its toasts are shown. */
void sl_notice_set_overlay (GtkWindow *window, AdwToastOverlay *overlay);
/* A sentence that goes by itself after three seconds. They come one after the other; one that waits is not said
 * twice. */
void sl_notice_toast (GtkWidget *from, const char *text);
/* A toast with a button or a time of its own; takes it. Its title is markup. "dismissed" may be heard twice: when it
 * is dismissed, and when it leaves. */
void sl_notice_add_toast (GtkWidget *from, AdwToast *toast);
/* A name as a toast with a button, which is one line, has room for: a long one without its middle. Free with g_free. */
char *sl_notice_short_name (const char *name);
/* A dialog with one button, "Close". */
void sl_notice_alert (GtkWidget *from, const char *heading, const char *body);

/* For an alert about a list file of which some entries could not be read, and which was put aside under a name.
 * Free with g_free. */
char *sl_notice_entries_lost (guint lost, const char *name);

G_END_DECLS
