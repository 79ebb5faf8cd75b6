/* sl-duration.h - a time that something takes, as every place of the window writes it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "240 ms", "1.3 s", "40 s", "2 min 5 s", "3 h 20 min", "5 days". Free with g_free. */
char *sl_duration_text (double seconds);

G_END_DECLS
