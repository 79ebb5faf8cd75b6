/* sl-picture-search.c - see sl-picture-search.h. */
#include "app/objects/gallery/sl-picture-search.h"

#include <string.h>

#include "app/objects/gallery/sl-picture-private.h"

char **
sl_search_words (const char *text)
{
  g_autofree char *folded = _sl_search_fold (text);
  g_auto (GStrv) parts = g_strsplit_set (folded, " \t\n", -1);
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();

  for (char **part = parts; *part; part++)
    if (**part)
      g_strv_builder_add (words, *part);
  return g_strv_builder_end (words);
}

gboolean
sl_picture_matches (SlPicture *self, const char *const *words)
{
  const char *text = _sl_picture_get_search_text (self);

  for (; words && *words; words++)
    if (strstr (text, *words) == NULL)
      return FALSE;
  return TRUE;
}

gboolean
sl_picture_is_of_kind (SlPicture *self, SlPictureKind kind)
{
  switch (kind)
    {
    case SL_PICTURES_FAVOURITES:
      return sl_picture_is_favourite (self);
    case SL_PICTURES_BRANCHES:
      return sl_picture_is_branch (self);
    case SL_PICTURES_STEPS:
      return sl_picture_get_moment (self) > 0;
    case SL_PICTURES_ALL:
    default:
      return TRUE;
    }
}

static int
compare_times (SlPicture *a, SlPicture *b)
{
  gint64 first = sl_picture_get_time (a), second = sl_picture_get_time (b);

  return (first > second) - (first < second);
}

int
sl_picture_compare (SlPicture *a, SlPicture *b, SlPictureOrder order)
{
  int difference = 0;

  if (order == SL_PICTURES_BY_MODEL)
    difference = g_ascii_strcasecmp (sl_picture_get_model (a), sl_picture_get_model (b));
  if (order == SL_PICTURES_BY_PROMPT)
    difference = strcmp (_sl_picture_get_search_text (a),
                         _sl_picture_get_search_text (b)); /* which begins with it */
  if (order == SL_PICTURES_OLDEST)
    return compare_times (a, b);
  return difference ? difference : compare_times (b, a);
}
