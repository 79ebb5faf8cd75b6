/* sl-word-name.c - see sl-word-name.h. */
#include "ui/widgets/sl-word-name.h"

#include <glib/gi18n.h>

char *
sl_word_name (SlFrameObject *frame, guint word)
{
  switch (sl_frame_object_get_word_kind (frame, word))
    {
    case SL_WORD_START:
      return g_strdup (_ ("Beginning"));
    case SL_WORD_END:
      return g_strdup (_ ("End and rest"));
    case SL_WORD_OF_PROMPT:
    default:
      return sl_frame_object_dup_word (frame, word);
    }
}
