/* sl-lineage.h - which run a picture shows a moment of, which runs that one branched from, and what the gallery finds it
 * by besides its prompt.
 *
 * Two pictures are of one run when recipe, origin and model are the same: the id in the file
 * (app/recipe/origin.h) says nothing about the model, so a run's key here is both.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

struct SlMetadata;
struct cJSON;

typedef struct
{
  GPtrArray *runs; /* of char *: keys, its own, its parent's, and so on to the one that began with noise */
  GArray *steps;   /* of int, one less: after how many finished steps each left the next */
  char *model;
  char *scheduler; /* its id */
  char *changed; /* what the branch does otherwise than its parent, "guidance: 7.5, 5", a line each; or "" */
  int moment;    /* the step that the picture was saved at, when its run went on; 0: the end */
} SlLineage;

/* NULL without memory. */
SlLineage *_sl_lineage_new (const struct SlMetadata *metadata);
void _sl_lineage_free (SlLineage *lineage);
/* As a JSON object, malloc'ed, NULL without memory; and back, NULL when it has no members or bad ones. */
char *_sl_lineage_text (const SlLineage *lineage);
SlLineage *_sl_lineage_read (const struct cJSON *line);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlLineage, _sl_lineage_free)

G_END_DECLS
