/* sl-picture-text.c - see sl-picture-text.h. */
#include "ui/widgets/sl-picture-text.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ui/widgets/sl-setting-row.h"

const char *
sl_picture_name (SlPicture *picture)
{
  const char *prompt = sl_picture_get_prompt (picture);

  return *prompt ? prompt : _ ("Picture without a prompt");
}

char *
sl_picture_badge (SlPicture *picture)
{
  int moment = sl_picture_get_moment (picture);

  if (sl_picture_is_branch (picture))
    return g_strdup_printf (_ ("Step %d"), sl_picture_get_branch_step (picture));
  return moment > 0 ? g_strdup_printf (_ ("Step %d"), moment) : NULL;
}

/* A line "guidance: 7.5, 5" says what it was and what it is. NULL for a line that names no setting: it belongs to
 * a prompt of several lines. */
static char *
describe_change (const char *line)
{
  const char *value = g_strrstr (line, ", ");

  for (guint i = 0; i < sl_control_count (); i++)
    {
      const SlControl *control = sl_control_nth (i);
      g_auto (GStrv) bare = NULL;
      g_autofree char *word = NULL;

      if (!control->phrase || !g_str_has_prefix (line, control->key) || line[strlen (control->key)] != ':')
        continue;
      if (control->another)
        return g_strdup (_ (control->another));
      bare = g_strsplit (value ? value + 2 : "", "\"", -1); /* words stand in quotes */
      word = g_strjoinv ("", bare);
      return sl_setting_phrase (control, word);
    }
  return NULL;
}

static char *
describe_changes (SlPicture *picture)
{
  g_auto (GStrv) lines = g_strsplit (sl_picture_get_changes (picture), "\n", -1);
  g_autoptr (GStrvBuilder) changes = g_strv_builder_new ();
  g_auto (GStrv) all = NULL;

  for (char **line = lines; *line; line++)
    {
      g_autofree char *change = describe_change (*line);

      if (change)
        g_strv_builder_add (changes, change);
    }
  all = g_strv_builder_end (changes);
  return g_strjoinv (_ (", "), all);
}

char *
sl_picture_story (SlPicture *picture)
{
  g_autofree char *changes = describe_changes (picture);
  int step = sl_picture_get_branch_step (picture), moment = sl_picture_get_moment (picture);

  if (sl_picture_is_branch (picture))
    return *changes ? g_strdup_printf (_ ("Branched after step %d: %s"), step, changes)
                    : g_strdup_printf (_ ("Branched after step %d, with nothing changed"), step);
  return moment > 0 ? g_strdup_printf (_ ("Step %d of a run"), moment) : g_strdup ("");
}
