/* graph.c - see graph.h. */
#include "app/recipe/foreign/graph.h"

#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 20000

static int compare(const void *a, const void *b)
{
    const SlGraphNode *x = *(SlGraphNode *const *)a, *y = *(SlGraphNode *const *)b;
    int order = strcmp(x->id, y->id);
    return order ? order : (x > y) - (x < y);
}

static bool is_node(const cJSON *item)
{
    return item->string && cJSON_IsString(cJSON_GetObjectItemCaseSensitive(item, "class_type"));
}

bool sl_graph_init(SlGraph *g, cJSON *root, bool *no_memory)
{
    const cJSON *item;
    int n = 0;
    *no_memory = false;
    *g = (SlGraph){.root = root, .budget = MAX_STEPS};
    if (!cJSON_IsObject(root))
        return false;
    cJSON_ArrayForEach(item, root) n += is_node(item);
    if (n == 0)
        return false;
    g->node = calloc((size_t)n, sizeof *g->node);
    g->by_id = calloc((size_t)n, sizeof(SlGraphNode *));
    g->queue = calloc((size_t)n, sizeof(SlGraphNode *));
    if (!g->node || !g->by_id || !g->queue) {
        *no_memory = true;
        return false;
    }
    cJSON_ArrayForEach(item, root)
    {
        if (!is_node(item))
            continue;
        SlGraphNode *node = &g->node[g->count];
        const cJSON *inputs = cJSON_GetObjectItemCaseSensitive(item, "inputs");
        node->id = item->string;
        node->type = cJSON_GetObjectItemCaseSensitive(item, "class_type")->valuestring;
        node->inputs = cJSON_IsObject(inputs) ? inputs : NULL;
        node->bypassed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "bypassed"));
        g->by_id[g->count++] = node;
    }
    qsort(g->by_id, (size_t)g->count, sizeof(SlGraphNode *), compare);
    return true;
}

void sl_graph_free(SlGraph *g)
{
    free(g->node);
    free(g->by_id);
    free(g->queue);
    cJSON_Delete(g->root);
    *g = (SlGraph){0};
}

const cJSON *sl_graph_input(const SlGraphNode *node, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(node->inputs, name);
}

bool sl_graph_is_link(const cJSON *input)
{
    const cJSON *id = cJSON_IsArray(input) ? input->child : NULL;
    return id && (cJSON_IsString(id) || cJSON_IsNumber(id)) && cJSON_IsNumber(id->next) &&
           !id->next->next;
}

SlGraphNode *sl_graph_follow(SlGraph *g, const cJSON *input, int *slot)
{
    SlScratch scratch;
    if (!sl_graph_is_link(input) || g->budget <= 0)
        return NULL;
    g->budget--;
    const char *id = sl_loose_text(input->child, &scratch);
    double number = input->child->next->valuedouble;
    if (slot)
        *slot = number >= 0 && number < 1000 ? (int)number : 0;
    int low = 0, high = g->count;
    while (id && low < high) {
        int middle = (low + high) / 2;
        if (strcmp(g->by_id[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return id && low < g->count && strcmp(g->by_id[low]->id, id) == 0 ? g->by_id[low] : NULL;
}

const cJSON *sl_graph_only_link(const SlGraphNode *node)
{
    const cJSON *item, *found = NULL;
    cJSON_ArrayForEach(item, node->inputs)
    {
        if (!sl_graph_is_link(item))
            continue;
        if (found)
            return NULL;
        found = item;
    }
    return found;
}

/* Breadth first. */
SlGraphNode *sl_graph_nearest(SlGraph *g, const cJSON *input, bool (*is)(const SlGraphNode *node))
{
    SlGraphNode *found = NULL, *first = sl_graph_follow(g, input, NULL);
    SlGraphNode **queue = g->queue;
    int tail = 0;
    if (!first)
        return NULL;
    first->mark = ++g->mark;
    queue[tail++] = first;
    for (int head = 0; head < tail && !found; head++) {
        const cJSON *item;
        if (is(queue[head])) {
            found = queue[head];
            break;
        }
        cJSON_ArrayForEach(item, queue[head]->inputs)
        {
            SlGraphNode *next = sl_graph_follow(g, item, NULL);
            if (next && next->mark != g->mark) {
                next->mark = g->mark;
                queue[tail++] = next;
            }
        }
    }
    return found;
}
