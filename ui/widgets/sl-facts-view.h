/* sl-facts-view.h - all that is known of a picture beside it: settings, model, origin, file; each value can be marked and
 * copied, and all of them at once.
 */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_FACTS_VIEW (sl_facts_view_get_type ())

G_DECLARE_FINAL_TYPE (SlFactsView, sl_facts_view, SL, FACTS_VIEW, AdwBin)

/* What is known of a picture without its file's facts. Strings are borrowed. */
typedef struct
{
  const char *path;
  const char *story; /* where it comes from; "" or NULL: nothing to say */
  int width, height; /* 0: not known yet */
} SlFactsOfPicture;

/* facts may be NULL: they are on their way, or the file cannot be read. */
void sl_facts_view_show (SlFactsView *self, const SlFactsOfPicture *picture, const SlFacts *facts);
/* All of it as it is copied, a line "name: value" for each. Free with g_free. */
char *sl_facts_view_dup_text (SlFactsView *self);

G_END_DECLS
