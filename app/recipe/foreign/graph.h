/* graph.h - ComfyUI's graph of nodes, for walks against the direction of its links.
 *
 * It is {node id: {"class_type": ..., "inputs": {name: value or [node id, slot]}}}. A node of it may
 * be "bypassed": then it hands on what it gets. Easy to get wrong: links of a damaged or hostile
 * file go in circles or fan out without end, so every walk draws on one budget of steps, and finds
 * nothing when that is used up.
 */
#ifndef SL_APP_GRAPH_H
#define SL_APP_GRAPH_H

#include "app/recipe/foreign/loose_json.h"

typedef struct SlGraphNode {
    const char *id, *type;
    const cJSON *inputs; /* NULL: none */
    bool bypassed;
    unsigned mark; /* for walks that must not come by twice */
} SlGraphNode;

typedef struct SlGraph {
    cJSON *root; /* owned */
    int count;
    SlGraphNode *node; /* in the order of the file */
    SlGraphNode **by_id;
    SlGraphNode **queue; /* room for a search */
    int budget;          /* steps that are left */
    unsigned mark;
} SlGraph;

/* Takes over root. False when it is no graph, or (no_memory) without memory. Free in any case. */
bool sl_graph_init(SlGraph *graph, cJSON *root, bool *no_memory);
void sl_graph_free(SlGraph *graph);

/* An input of a node, NULL when it has none of that name. */
const cJSON *sl_graph_input(const SlGraphNode *node, const char *name);
/* Whether an input is a link. */
bool sl_graph_is_link(const cJSON *input);
/* The node behind a link; NULL when the input is none, leads nowhere, or the budget is used up.
 * slot may be NULL. */
SlGraphNode *sl_graph_follow(SlGraph *graph, const cJSON *input, int *slot);
/* The one link of a node that has no other; NULL when there are none or more. */
const cJSON *sl_graph_only_link(const SlGraphNode *node);
/* The nearest node upstream of an input that is() says yes to; NULL: there is none. */
SlGraphNode *sl_graph_nearest(SlGraph *graph, const cJSON *input,
                              bool (*is)(const SlGraphNode *node));

#endif
