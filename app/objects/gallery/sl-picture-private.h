/* sl-picture-private.h - the gallery's side of a picture; for app/ only. */
#pragma once

#include "app/objects/gallery/sl-lineage.h"
#include "app/objects/gallery/sl-picture.h"

G_BEGIN_DECLS

/* NULL when it is not known. */
const SlLineage *_sl_picture_get_lineage (SlPicture *self);
void _sl_picture_take_lineage (SlPicture *self, SlLineage *lineage);
SlLineage *_sl_picture_steal_lineage (SlPicture *self);
void _sl_picture_set_favourite (SlPicture *self, gboolean favourite);
/* A text in which upper and lower case, and letters that are written in two ways, are one. */
char *_sl_search_fold (const char *text);
/* All that it is found by, folded; it begins with the prompt. */
const char *_sl_picture_get_search_text (SlPicture *self);
void _sl_picture_set_place (SlPicture *self, SlPicture *parent, const SlPicturePlace *place);

G_END_DECLS
