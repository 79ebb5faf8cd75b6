/* sl-control.h - what the window must know of a setting to show and change it: a view of the engine's
 * table of settings, row by row.
 */
#pragma once

#include "app/objects/sl-model-item.h"

G_BEGIN_DECLS

typedef enum
{
  SL_CONTROL_WORDS,
  SL_CONTROL_SCHEDULER,
  SL_CONTROL_CHOICE,
  SL_CONTROL_NUMBER, /* whole where digits is 0 */
  SL_CONTROL_SIDE,   /* of the picture, in pixels */
  SL_CONTROL_SEED,
} SlControlKind;

/* All words are to be translated. */
typedef struct
{
  const char *property; /* of SlSettings: "negative-prompt" */
  const char *key;      /* in files: "negative_prompt" */
  SlControlKind kind;
  const char *label;                /* with a mnemonic; NULL: the window does not show this setting */
  const char *help;                 /* or NULL */
  const char *phrase;               /* "guidance %s" */
  const char *another;              /* "another prompt", where it is too long to be repeated; or NULL */
  const char *of_model;             /* what a choice's first is called in a lane's title; or NULL */
  const char *const *choice_labels; /* of a choice */
  guint n_choices;
  double min, max, step, page; /* of a number */
  guint digits;
  guint64 own; /* its bit in SlOwn; 0: a lane cannot have its own */
} SlControl;

guint sl_control_count (void);
const SlControl *sl_control_nth (guint position);
/* By a property; there must be one. */
const SlControl *sl_control_find (const char *property);
/* Whether a model and a scheduler have the setting; model NULL, scheduler "": not known, which have
 * all. */
gboolean sl_control_exists (const SlControl *control, SlModelItem *model, const char *scheduler);
/* Whether its value counts beside the others of settings: some belong to one choice of another. */
gboolean sl_control_counts (const SlControl *control, SlSettings *settings);
/* The value that the scheduler of settings uses where this setting is unset. */
double sl_control_get_default (const SlControl *control, SlSettings *settings);
/* TRUE if the number is the row's "unset" value; with all, also if it equals the default that every model has. */
gboolean sl_control_is_unset (const SlControl *control, SlSettings *settings, gboolean all);

G_END_DECLS
