/* sl-picture-text.h - what is said of a finished picture. All strings are the caller's. */
#pragma once

#include "app/objects/objects.h"

G_BEGIN_DECLS

/* Its prompt, or that it has none. Borrowed. */
const char *sl_picture_name (SlPicture *picture);
/* "Step 8": where it branched off, or which moment of a run it shows; NULL for an ordinary one. */
char *sl_picture_badge (SlPicture *picture);
/* "Branched after step 8: scheduler euler, guidance 5."; "" for an ordinary one. */
char *sl_picture_story (SlPicture *picture);

G_END_DECLS
