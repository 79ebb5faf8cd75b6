/* sl-workspace.h - what all pages of the window work on: the recipe of the next picture, the models, the thread
 * that computes, what waits, the gallery and the comparison. It knows nothing of widgets.
 *
 * A workspace lives as long as its window. After sl_workspace_close nothing is computed, read or written any more;
 * answers that were on their way still arrive, so whoever gets one asks is_closed first.
 */
#pragma once

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_WORKSPACE (sl_workspace_get_type ())

G_DECLARE_FINAL_TYPE (SlWorkspace, sl_workspace, SL, WORKSPACE, GObject)

/* Set by sl-workspace.c alone; the others read it. */
struct _SlWorkspace
{
  GObject parent_instance;
  GSettings *preferences;
  SlThreadQueue *files; /* reads and writes files; NULL once the workspace is closed */
  SlWorker *worker;
  SlModelStore *models;
  SlPromptReader *prompts;
  SlQueue *queue;
  SlGallery *gallery;
  SlKeeper *keeper; /* what is saved by itself, and what of it could not be */
  SlComparison *comparison;
  SlComparisonShelf *shelf; /* comparisons that were kept by themselves */
  SlCookbook *presets;      /* settings with a name */
  SlCookbook *history;      /* prompts that were used */
  SlSettings *recipe;
  SlEstimator *estimator; /* what the next pictures cost */
  SlLoraList *loras;      /* of the recipe */
  SlModelItem *model;     /* the chosen one; NULL before the models are found */
  gboolean takes_prompt;  /* that model does */
  gboolean seed_is_fresh; /* somebody chose the seed, and no picture was made with it yet */
  gboolean closed;
};

/* With the recipe of the last time. Signals: "model-changed"; "model-wanted" (guint, a position in models):
 * whoever lets people choose a model chooses this one. */
SlWorkspace *sl_workspace_new (GSettings *preferences);
/* Looks for models and pictures. */
void sl_workspace_open (SlWorkspace *self);
/* What could not be saved: pictures and comparisons that are lost when the workspace is closed now. What is being
 * written is waited for. */
guint sl_workspace_count_unsaved (SlWorkspace *self);
/* Remembers the recipe, finishes what is being written and ends all threads. Takes as long as one operation of
 * the engine. */
void sl_workspace_close (SlWorkspace *self);
/* Looks for models again. */
void sl_workspace_scan_models (SlWorkspace *self);
/* A model was chosen: it is loaded. Where it is of another kind than the one before (with or without a prompt),
 * the recipe gets its defaults. */
void sl_workspace_take_model (SlWorkspace *self, SlModelItem *model);
/* Emits "parts-wanted" with parts of the model that are not its own, a name and a path by turns, then NULL. */
void sl_workspace_want_parts (SlWorkspace *self, const char *const *parts);
/* Emits "model-wanted"; G_MAXUINT is no position, and nothing happens. */
void sl_workspace_want_model (SlWorkspace *self, guint position);
/* All of settings into the recipe; the seed in them counts as chosen. */
void sl_workspace_take_settings (SlWorkspace *self, SlSettings *settings);
/* The model's defaults; prompt and seed stay. */
void sl_workspace_reset_recipe (SlWorkspace *self);
void sl_workspace_roll_seed (SlWorkspace *self);
/* Before something is started: the recipe gets another seed, unless its seed was just chosen or is to be kept. */
void sl_workspace_use_seed (SlWorkspace *self);
/* The settings of `count` pictures of a recipe, or of all combinations of its prompts' choices, as the preferences say
 * (sl_dynamic_expand). */
GPtrArray *sl_workspace_expand (SlWorkspace *self, SlSettings *recipe, int count, GError **error);
/* The recipe for a comparison, where all lanes have the same choice: the one that its seed draws. NULL and a
 * sentence. */
SlSettings *sl_workspace_draw (SlWorkspace *self, GError **error);
SlPreviews sl_workspace_get_previews (SlWorkspace *self);
/* A sentence without its full stop where a new run of the model would be computed otherwise than one was; else NULL. */
char *sl_workspace_dup_difference (SlWorkspace *self, SlComputed computed);

G_END_DECLS
