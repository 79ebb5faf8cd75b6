/* sl-dynamic.c - see sl-dynamic.h. Settings that are given keep no template of before: what is recorded is what the
 * prompts were made of here. */
#include "app/objects/sl-dynamic.h"

#include "app/files/files.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-settings-private.h"
#include "app/recipe/recipe.h"

typedef struct
{
  SlTemplate *prompt, *negative;
} Templates;

/* The settings' texts are those of a pair; what they were before is recorded where it says more. */
static void
take (SlSettings *settings, const SlTemplatePair *pair)
{
  g_autofree char *prompt = NULL;
  g_autofree char *negative = NULL;

  g_object_get (settings, "prompt", &prompt, "negative-prompt", &negative, NULL);
  if (pair->prompt)
    g_object_set (settings, "prompt", pair->prompt, "prompt-template",
                  g_strcmp0 (prompt, pair->prompt) != 0 ? prompt : "", NULL);
  if (pair->negative)
    g_object_set (settings, "negative-prompt", pair->negative, "negative-template",
                  g_strcmp0 (negative, pair->negative) != 0 ? negative : "", NULL);
}

static void
add (GPtrArray *made, SlSettings *of, const SlTemplatePair *pair, guint64 seed)
{
  SlSettings *settings = sl_settings_dup (of);

  g_object_set (settings, "seed", seed, "prompt-template", "", "negative-template", "", NULL);
  if (pair)
    take (settings, pair);
  g_ptr_array_add (made, settings);
}

static gboolean
draw (GPtrArray *made, SlSettings *of, const Templates *t, guint64 seed, SlError *err)
{
  SlTemplatePair pair = { .prompt = sl_template_draw (t->prompt, seed, 0, err) };

  if (pair.prompt)
    pair.negative = sl_template_draw (t->negative, seed, 1, err);
  if (pair.negative)
    add (made, of, &pair, seed);
  free (pair.prompt);
  free (pair.negative);
  return pair.negative != NULL;
}

static gboolean
make_all (GPtrArray *made, SlSettings *of, const Templates *t, int count, SlError *err)
{
  guint64 seed = sl_settings_get_seed (of);
  int n = 0;
  SlTemplatePair *pairs = sl_template_all (t->prompt, t->negative, &n, err);
  gboolean few = pairs && n * count <= SL_TEMPLATE_MAX_ALL;

  if (pairs && !few)
    sl_fail (err, SL_ARGUMENT,
             "The template stands for %d prompts, %d pictures each; at most %d are made at once", n, count,
             SL_TEMPLATE_MAX_ALL);
  for (int i = 0; few && i < n; i++)
    for (int k = 0; k < count; k++)
      add (made, of, &pairs[i], seed + (guint64)k);
  sl_template_pairs_free (pairs, n);
  return few;
}

static gboolean
read_templates (Templates *t, SlSettings *settings, const char *preferred, SlError *err)
{
  char **folders = sl_folders_named ("wildcards", preferred);
  const char *const *in = (const char *const *)folders;
  SlRecipe recipe;

  _sl_settings_get_recipe (settings, &recipe);
  if (folders == NULL)
    return sl_fail (err, SL_MEMORY, "memory ran out");
  t->prompt = sl_template_read (recipe.prompt ? recipe.prompt : "", in, err);
  if (t->prompt)
    t->negative = sl_template_read (recipe.negative_prompt ? recipe.negative_prompt : "", in, err);
  sl_strings_free (folders);
  return t->negative != NULL;
}

GPtrArray *
sl_dynamic_expand (SlSettings *settings, SlDynamic how, int count, const char *preferred, GError **error)
{
  g_autoptr (GPtrArray) made = g_ptr_array_new_with_free_func (g_object_unref);
  guint64 seed = sl_settings_get_seed (settings);
  Templates t = { 0 };
  SlError err = { 0 };
  gboolean ok = how == SL_DYNAMIC_OFF || read_templates (&t, settings, preferred, &err);

  for (int i = 0; ok && how == SL_DYNAMIC_OFF && i < count; i++)
    add (made, settings, NULL, seed + (guint64)i);
  for (int i = 0; ok && how == SL_DYNAMIC_DRAW && i < count; i++)
    ok = draw (made, settings, &t, seed + (guint64)i, &err);
  if (ok && how == SL_DYNAMIC_ALL)
    ok = make_all (made, settings, &t, count, &err);
  sl_template_free (t.prompt);
  sl_template_free (t.negative);
  if (ok)
    return g_steal_pointer (&made);
  g_propagate_error (error, sl_app_error_new (&err));
  return NULL;
}

gboolean
sl_dynamic_draw (
    SlSettings *settings, gboolean prompt, gboolean negative, const char *preferred, GError **error)
{
  g_autoptr (SlSettings) own = sl_settings_dup (settings);
  guint64 seed = sl_settings_get_seed (settings);
  SlTemplatePair pair = { 0 };
  Templates t = { 0 };
  SlError err = { 0 };
  gboolean ok;

  /* The others are prompts by now. */
  if (!prompt)
    g_object_set (own, "prompt", "", NULL);
  if (!negative)
    g_object_set (own, "negative-prompt", "", NULL);
  ok = read_templates (&t, own, preferred, &err);
  if (ok && prompt)
    ok = (pair.prompt = sl_template_draw (t.prompt, seed, 0, &err)) != NULL;
  if (ok && negative)
    ok = (pair.negative = sl_template_draw (t.negative, seed, 1, &err)) != NULL;
  if (ok)
    take (settings, &pair);
  else
    g_propagate_error (error, sl_app_error_new (&err));
  free (pair.prompt);
  free (pair.negative);
  sl_template_free (t.prompt);
  sl_template_free (t.negative);
  return ok;
}
