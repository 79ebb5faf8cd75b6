/* sl-gallery-tree.c - see sl-gallery-tree.h.
 *
 * Easy to get wrong: keys come out of files, so that two files can say that each is the other's parent:
 * a link that would close a circle is not made.
 */
#include "app/objects/gallery/sl-gallery-tree.h"

#include <string.h>

/* Lines of deeper branches are drawn with those of this depth. */
#define MAX_DEPTH 31

typedef struct _Run Run;
struct _Run
{
  const char *key;
  GPtrArray *pictures; /* of SlPicture; none where the file is gone */
  Run *parent;
  int step; /* at which it left the parent */
  GPtrArray *branches;
  SlPicture *newest; /* of it and its branches */
};

/* One picture in the order. */
typedef struct
{
  SlPicture *picture;
  SlPicture *parent;
  guint first;   /* index of its family's first */
  int line_from; /* of the picture that the line to it comes from; -1: none */
  SlPicturePlace place;
} Cell;

typedef struct
{
  GHashTable *runs; /* key -> Run */
  GArray *cells;    /* of Cell */
} Tree;

static void
run_free (gpointer data)
{
  Run *run = data;

  g_ptr_array_unref (run->pictures);
  g_ptr_array_unref (run->branches);
  g_free (run);
}

static Run *
get_run (Tree *tree, const char *key)
{
  Run *run = g_hash_table_lookup (tree->runs, key);

  if (run == NULL)
    {
      run = g_new0 (Run, 1);
      run->pictures = g_ptr_array_new ();
      run->branches = g_ptr_array_new ();
      run->key = g_strdup (key);
      g_hash_table_insert (tree->runs, (char *)run->key, run);
    }
  return run;
}

static gboolean
comes_from (const Run *run, const Run *ancestor)
{
  while (run && run != ancestor)
    run = run->parent;
  return run != NULL;
}

static void
add_picture (Tree *tree, SlPicture *picture)
{
  const SlLineage *lineage = _sl_picture_get_lineage (picture);
  Run *run = get_run (tree, lineage ? lineage->runs->pdata[0] : sl_picture_get_path (picture));

  g_ptr_array_add (run->pictures, picture);
  for (guint i = 0; lineage && i < lineage->steps->len; i++)
    {
      Run *parent = get_run (tree, lineage->runs->pdata[i + 1]);

      if (run->parent == NULL && !comes_from (parent, run))
        {
          run->parent = parent;
          run->step = g_array_index (lineage->steps, int, i);
        }
      run = parent;
    }
}

/* ---- the order ---- */

static int
compare_age (SlPicture *a, SlPicture *b)
{
  gint64 ta = sl_picture_get_time (a), tb = sl_picture_get_time (b);

  return ta < tb ? -1 : ta > tb ? 1 : g_strcmp0 (sl_picture_get_path (a), sl_picture_get_path (b));
}

static int
ends_first (gconstpointer a, gconstpointer b)
{
  SlPicture *x = *(SlPicture **)a, *y = *(SlPicture **)b;
  int mx = sl_picture_get_moment (x), my = sl_picture_get_moment (y);

  return mx != my ? mx - my : compare_age (x, y);
}

static int
by_step (gconstpointer a, gconstpointer b)
{
  const Run *x = *(Run **)a, *y = *(Run **)b;

  return x->step != y->step ? x->step - y->step : compare_age (x->newest, y->newest);
}

static int
newest_first (gconstpointer a, gconstpointer b)
{
  return compare_age ((*(Run **)b)->newest, (*(Run **)a)->newest);
}

/* Whatever is in a run is in its ancestors' families too. */
static void
tell_ancestors (Run *run)
{
  for (guint i = 0; i < run->pictures->len; i++)
    for (Run *above = run; above; above = above->parent)
      if (above->newest == NULL || compare_age (above->newest, run->pictures->pdata[i]) < 0)
        above->newest = run->pictures->pdata[i];
}

/* The runs that have no parent, sorted as all branches then are. */
static GPtrArray *
collect_roots (Tree *tree)
{
  GPtrArray *roots = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, tree->runs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    tell_ancestors (value);
  g_hash_table_iter_init (&iter, tree->runs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Run *run = value;

      g_ptr_array_sort (run->pictures, ends_first);
      if (run->newest) /* files that contradict each other can leave a run without any */
        g_ptr_array_add (run->parent ? run->parent->branches : roots, run);
    }
  g_hash_table_iter_init (&iter, tree->runs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_sort (((Run *)value)->branches, by_step);
  g_ptr_array_sort (roots, newest_first);
  return roots;
}

static const Cell *
get_cell (Tree *tree, int index)
{
  return index >= 0 ? &g_array_index (tree->cells, Cell, index) : NULL;
}

static gboolean
shows_the_same (SlPicture *picture, SlPicture *other)
{
  return sl_picture_get_moment (picture) == sl_picture_get_moment (other);
}

/* parent: the index of the picture that it branched from, -1 without. first: that of the family's first. */
static void
walk (Tree *tree, const Run *run, int parent, guint first)
{
  const Cell *above = get_cell (tree, parent);
  gboolean orphan = above == NULL && run->parent;
  guint depth = above ? above->place.depth + 1 : orphan ? 1 : 0;
  Cell cell = { .parent = above ? above->picture : NULL, .first = first, .line_from = parent };
  int own = (int)tree->cells->len;

  cell.place = (SlPicturePlace){ .depth = MIN (depth, MAX_DEPTH), .orphan = orphan };
  for (guint i = 0; i < run->pictures->len; i++, cell.line_from = own)
    {
      cell.picture = run->pictures->pdata[i];
      cell.place.again = i > 0 && shows_the_same (cell.picture, run->pictures->pdata[i - 1]);
      g_array_append_val (tree->cells, cell);
    }
  if (run->pictures->len == 0)
    own = parent;
  for (guint i = 0; i < run->branches->len; i++)
    walk (tree, run->branches->pdata[i], own, first);
}

/* ---- lines ---- */

/* From a picture to one further right; an orphan's comes from where its parent would be, before the
 * family's first. */
static void
draw_line (Tree *tree, guint to)
{
  Cell *cells = (Cell *)tree->cells->data;
  gboolean stub = cells[to].place.orphan && cells[to].line_from < 0;
  guint from = stub ? cells[to].first : (guint)MAX (cells[to].line_from, 0);
  guint32 bit = 1u << (stub ? cells[to].place.depth - 1 : cells[from].place.depth);

  if (cells[to].place.again || (!stub && cells[to].line_from < 0))
    return;
  for (guint i = from; i < to; i++)
    {
      cells[i].place.after |= bit;
      cells[i + 1].place.before |= bit;
    }
  if (stub)
    cells[from].place.before |= bit;
}

/* A recipe that was made twice is no family: nothing branches there. A number of the family that stays when others come and go. */
static guint64
number_of (const Run *root)
{
  return g_ascii_strtoull (root->key, NULL, 16) ^ g_str_hash (root->key);
}

static void
add_family (Tree *tree, const Run *root)
{
  guint first = tree->cells->len, different = 0;

  walk (tree, root, -1, first);
  for (guint i = first; i < tree->cells->len; i++)
    different += !g_array_index (tree->cells, Cell, i).place.again;
  for (guint i = first; i < tree->cells->len; i++)
    {
      SlPicturePlace *place = &g_array_index (tree->cells, Cell, i).place;

      place->members = different > 1 ? tree->cells->len - first : 1;
      place->family = different > 1 ? number_of (root) : 0;
      draw_line (tree, i);
    }
}

GPtrArray *
_sl_gallery_tree_sort (GPtrArray *pictures)
{
  Tree tree = { g_hash_table_new_full (g_str_hash, g_str_equal, g_free, run_free),
                g_array_new (FALSE, TRUE, sizeof (Cell)) };
  GPtrArray *sorted = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) roots = NULL;

  for (guint i = 0; i < pictures->len; i++)
    add_picture (&tree, pictures->pdata[i]);
  roots = collect_roots (&tree);
  for (guint i = 0; i < roots->len; i++)
    add_family (&tree, roots->pdata[i]);
  for (guint i = 0; i < tree.cells->len; i++)
    {
      const Cell *cell = &g_array_index (tree.cells, Cell, i);

      g_ptr_array_add (sorted, g_object_ref (cell->picture));
      _sl_picture_set_place (cell->picture, cell->parent, &cell->place);
    }
  g_array_unref (tree.cells);
  g_hash_table_unref (tree.runs);
  return sorted;
}
