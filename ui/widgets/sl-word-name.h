/* sl-word-name.h - what people read for a word whose map is shown (app/objects/sl-frame-words.h). */
#pragma once

#include "app/objects/objects.h"

G_BEGIN_DECLS

/* The word as it stands in the prompt, or what it is where it is none of it. A new string. */
char *sl_word_name (SlFrameObject *frame, guint word);

G_END_DECLS
