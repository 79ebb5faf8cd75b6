/* sl-picture-search.h - finding pictures among many: by words, by kind, and in another order than the gallery's. */
#pragma once

#include "app/objects/gallery/sl-picture.h"

G_BEGIN_DECLS

/* The words of what somebody types, as sl_picture_matches wants them. Free with g_strfreev. */
char **sl_search_words (const char *text);
/* Whether each word is somewhere in its prompt, its scheduler (id or name), its model's name or its day ("2026-11-29");
 * upper and lower case are one. */
gboolean sl_picture_matches (SlPicture *self, const char *const *words);

typedef enum
{
  SL_PICTURES_ALL,
  SL_PICTURES_FAVOURITES,
  SL_PICTURES_BRANCHES,
  SL_PICTURES_STEPS, /* saved out of a run that went on */
} SlPictureKind;

gboolean sl_picture_is_of_kind (SlPicture *self, SlPictureKind kind);

typedef enum
{
  SL_PICTURES_NEWEST, /* as the gallery has them: families stay together */
  SL_PICTURES_OLDEST,
  SL_PICTURES_BY_PROMPT,
  SL_PICTURES_BY_MODEL,
} SlPictureOrder;

/* < 0: a comes first. Not for SL_PICTURES_NEWEST. */
int sl_picture_compare (SlPicture *a, SlPicture *b, SlPictureOrder order);

G_END_DECLS
