/* sl-opening.c - see sl-opening.h. */
#include "ui/exchange/sl-opening.h"

#include <glib/gi18n.h>

#include "app/objects/objects.h"

#define NAMES_SAID 4 /* of many files, so that the sentence can be read */

static const struct
{
  const char *suffix;
  SlOpeningKind kind;
} suffixes[] = {
  { SL_COMPARISON_SUFFIX, SL_OPENING_COMPARISON },
  { ".png", SL_OPENING_PICTURE },
  { ".jpg", SL_OPENING_PICTURE },
  { ".jpeg", SL_OPENING_PICTURE },
  { ".jfif", SL_OPENING_PICTURE },
  { ".webp", SL_OPENING_PICTURE },
  { ".safetensors", SL_OPENING_WEIGHTS },
  { ".pt", SL_OPENING_EMBEDDING },
  { ".bin", SL_OPENING_EMBEDDING },
  { ".gguf", SL_OPENING_MODEL },
};

SlOpeningKind
sl_opening_kind (const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return SL_OPENING_MODEL;
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    if (g_str_has_suffix (lower, suffixes[i].suffix))
      return suffixes[i].kind;
  return SL_OPENING_OTHER;
}

static void
add_kind (GPtrArray *to, const char *const *paths, SlOpeningKind kind)
{
  for (guint i = 0; paths[i]; i++)
    if (sl_opening_kind (paths[i]) == kind)
      g_ptr_array_add (to, (char *)paths[i]);
}

void
sl_opening_init (SlOpening *self, const char *const *paths)
{
  g_autoptr (GPtrArray) comparisons = g_ptr_array_new ();
  gboolean one;

  *self = (SlOpening){ g_ptr_array_new (), g_ptr_array_new (), g_ptr_array_new () };
  add_kind (self->pictures, paths, SL_OPENING_PICTURE);
  add_kind (self->others, paths, SL_OPENING_WEIGHTS);
  add_kind (self->others, paths, SL_OPENING_EMBEDDING);
  add_kind (comparisons, paths, SL_OPENING_COMPARISON);
  one = self->pictures->len == 0 && comparisons->len > 0;
  for (guint i = 0; i < comparisons->len; i++)
    g_ptr_array_add (one && i == 0 ? self->others : self->left, comparisons->pdata[i]);
  add_kind (one || self->pictures->len > 0 ? self->left : self->others, paths, SL_OPENING_MODEL);
  add_kind (self->left, paths, SL_OPENING_OTHER);
}

void
sl_opening_clear (SlOpening *self)
{
  g_clear_pointer (&self->pictures, g_ptr_array_unref);
  g_clear_pointer (&self->others, g_ptr_array_unref);
  g_clear_pointer (&self->left, g_ptr_array_unref);
}

static void
add_names (GString *text, GPtrArray *paths, guint *said, guint *more)
{
  for (guint i = 0; i < paths->len; i++)
    {
      g_autofree char *name = g_filename_display_basename (paths->pdata[i]);

      if (*said < NAMES_SAID)
        g_string_append_printf (text, "%s%s", *said ? ", " : "", name);
      *more += *said >= NAMES_SAID;
      *said += *said < NAMES_SAID;
    }
}

/* "a.png, b.png, c.png, d.png and 2 more", of one or two lists. */
static char *
dup_names (GPtrArray *paths, GPtrArray *others)
{
  g_autoptr (GString) text = g_string_new ("");
  guint said = 0, more = 0;

  add_names (text, paths, &said, &more);
  if (others)
    add_names (text, others, &said, &more);
  if (more == 0)
    return g_strdup (text->str);
  return g_strdup_printf (ngettext ("%s and %u more", "%s and %u more", more), text->str, more);
}

char *
sl_opening_dup_text (const SlOpening *self)
{
  g_autofree char *opened = dup_names (self->pictures, self->others);
  g_autofree char *left = dup_names (self->left, NULL);

  if (self->left->len == 0)
    return NULL;
  if (*opened == '\0')
    return g_strdup_printf (_ ("There is no picture, comparison, model, LoRA or embedding among %s."), left);
  for (guint i = 0; i < self->left->len; i++)
    if (sl_opening_kind (self->left->pdata[i]) != SL_OPENING_OTHER)
      return g_strdup_printf (_ ("Opened: %s. Not opened, since pictures are compared with each other and a "
                                 "comparison is opened by itself: %s."),
                              opened, left);
  return g_strdup_printf (_ ("Opened: %s. Not opened, since they are of no kind that is known here: %s."),
                          opened, left);
}

const char *
sl_opening_hint (const SlOpening *self)
{
  static const char *const words[] = {
    [SL_OPENING_COMPARISON] = N_ ("Drop it to open the comparison"),
    [SL_OPENING_PICTURE] = N_ ("Drop it to see the picture and take its settings"),
    [SL_OPENING_WEIGHTS] = N_ ("Drop it to add the LoRA or the embedding, or to open the model"),
    [SL_OPENING_EMBEDDING] = N_ ("Drop it to add the embedding"),
    [SL_OPENING_MODEL] = N_ ("Drop it to open the model"),
    [SL_OPENING_OTHER] = N_ ("This is no picture, comparison, model, LoRA or embedding"),
  };
  guint opened = self->pictures->len + self->others->len;

  if (opened == 0)
    return _ (words[SL_OPENING_OTHER]);
  if (self->left->len > 0)
    return _ ("Drop them to open what goes together");
  if (self->pictures->len > 1)
    return _ ("Drop them to compare the pictures side by side");
  if (opened > 1)
    return _ ("Drop them to open them all");
  return _ (words[sl_opening_kind ((self->pictures->len ? self->pictures : self->others)->pdata[0])]);
}
