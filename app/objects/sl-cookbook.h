/* sl-cookbook.h - recipes that are kept under a name, or for the words in them, in a file of the person's configuration
 * folder (docs/formats.md): presets, past prompts. A list of SlKeptRecipe, the newest first.
 *
 * The file is read and written on the file thread; what is put into the cookbook before it was read stays in front of it.
 */
#pragma once

#include "app/objects/sl-list.h"
#include "app/objects/sl-settings.h"
#include "app/objects/sl-thread-queue.h"

G_BEGIN_DECLS

#define SL_TYPE_KEPT_RECIPE (sl_kept_recipe_get_type ())

G_DECLARE_FINAL_TYPE (SlKeptRecipe, sl_kept_recipe, SL, KEPT_RECIPE, GObject)

/* settings are copied. model: its path, or "". words: the prompts belong to it, too. */
SlKeptRecipe *sl_kept_recipe_new (const char *name, SlSettings *settings, const char *model, gboolean words);
const char *sl_kept_recipe_get_name (SlKeptRecipe *self);
SlSettings *sl_kept_recipe_get_settings (SlKeptRecipe *self);
const char *sl_kept_recipe_get_model (SlKeptRecipe *self);
gboolean sl_kept_recipe_has_words (SlKeptRecipe *self);
/* Its settings over those that a person has: the seed stays theirs, and the prompts where they do not belong to it. */
SlSettings *sl_kept_recipe_over (SlKeptRecipe *self, SlSettings *settings);

#define SL_TYPE_COOKBOOK (sl_cookbook_get_type ())

G_DECLARE_FINAL_TYPE (SlCookbook, sl_cookbook, SL, COOKBOOK, SlList)

/* files is borrowed and must outlive the cookbook. At most so many are kept. Signals: "damaged" (const char *, guint): the file
 * was, and is kept under this path now: so many of its items could not be read, or 0: nothing of it could; "unsaved" (const char *): why a change could not be written. */
SlCookbook *sl_cookbook_new (SlThreadQueue *files, const char *file, guint most);
/* In front. Of one name there is one: "" is none. */
void sl_cookbook_add (SlCookbook *self, SlKeptRecipe *kept);
/* In front, and another one with the same prompts goes. */
void sl_cookbook_add_words (SlCookbook *self, SlSettings *settings);
/* At a place, where it was before. */
void sl_cookbook_insert (SlCookbook *self, guint position, SlKeptRecipe *kept);
void sl_cookbook_remove (SlCookbook *self, guint position);
/* Another of that name goes. */
void sl_cookbook_rename (SlCookbook *self, guint position, const char *name);
/* G_MAXUINT when there is none. */
guint sl_cookbook_find (SlCookbook *self, const char *name);

G_END_DECLS
