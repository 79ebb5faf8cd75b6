/* sl-language.h - the engine speaks the window's language. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* From now on all that the engine and the plain rooms of app/ say is looked up in the program's
 * translations (textdomain). To be called once, before any thread of the program is there: the command
 * line does not, so its sentences are the same everywhere. */
void sl_language_use (void);

G_END_DECLS
