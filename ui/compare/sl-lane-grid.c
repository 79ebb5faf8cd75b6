/* sl-lane-grid.c - see sl-lane-grid.h. */
#include "ui/compare/sl-lane-grid.h"

#define GAP 8
#define SIDES 16   /* pixels of a lane beside its picture */
#define HEADING 84 /* pixels of a lane above and below its picture */
#define MIN_WIDTH 152
#define MIN_HEIGHT 170

struct _SlLaneGrid
{
  GtkWidget parent_instance;
  int columns;
};

G_DEFINE_FINAL_TYPE (SlLaneGrid, sl_lane_grid, GTK_TYPE_WIDGET)

static int
count_lanes (SlLaneGrid *self)
{
  int n = 0;

  for (GtkWidget *child = gtk_widget_get_first_child (GTK_WIDGET (self)); child;
       child = gtk_widget_get_next_sibling (child))
    n++;
  return n;
}

static int
rows_of (int lanes, int columns)
{
  return (lanes + columns - 1) / columns;
}

static int
size_of_cell (int whole, int cells)
{
  return (whole - (cells - 1) * GAP) / cells;
}

/* The columns that give the largest pictures; with equal ones, those that leave fewer gaps. */
static int
best_columns (int lanes, int width, int height)
{
  int best = 1, best_side = -1;

  for (int columns = 1; columns <= lanes; columns++)
    {
      int rows = rows_of (lanes, columns);
      int across = size_of_cell (width, columns);
      int side = MIN (across - SIDES, size_of_cell (height, rows) - HEADING);

      if (columns > 1 && across < MIN_WIDTH)
        break;
      if (side > best_side || (side == best_side && columns * rows < best * rows_of (lanes, best)))
        {
          best = columns;
          best_side = side;
        }
    }
  return best;
}

static void
sl_lane_grid_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  SlLaneGrid *self = SL_LANE_GRID (widget);
  int lanes = count_lanes (self), index = 0, across, down;

  if (lanes == 0)
    return;
  self->columns = best_columns (lanes, width, height);
  across = size_of_cell (width, self->columns);
  down = size_of_cell (height, rows_of (lanes, self->columns));
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
       child = gtk_widget_get_next_sibling (child), index++)
    {
      int column = index % self->columns, row = index / self->columns;
      graphene_point_t corner = GRAPHENE_POINT_INIT (column * (across + GAP), row * (down + GAP));

      gtk_widget_allocate (child, across, down, baseline, gsk_transform_translate (NULL, &corner));
    }
}

static void
sl_lane_grid_measure (GtkWidget *widget,
                      GtkOrientation orientation,
                      int for_size,
                      int *minimum,
                      int *natural,
                      int *minimum_baseline,
                      int *natural_baseline)
{
  int lanes = MAX (count_lanes (SL_LANE_GRID (widget)), 1);
  int columns = for_size > 0 ? CLAMP ((for_size + GAP) / (MIN_WIDTH + GAP), 1, lanes) : 1;
  int least = orientation == GTK_ORIENTATION_VERTICAL ? MIN_HEIGHT : MIN_WIDTH;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
       child = gtk_widget_get_next_sibling (child))
    {
      int child_minimum;

      gtk_widget_measure (child, orientation, -1, &child_minimum, NULL, NULL, NULL);
      least = MAX (least, child_minimum);
    }
  if (orientation == GTK_ORIENTATION_VERTICAL)
    least = rows_of (lanes, columns) * (least + GAP) - GAP;
  *minimum = *natural = least;
}

static GtkSizeRequestMode
sl_lane_grid_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

void
sl_lane_grid_append (SlLaneGrid *self, GtkWidget *lane)
{
  gtk_widget_insert_before (lane, GTK_WIDGET (self), NULL);
}

void
sl_lane_grid_clear (SlLaneGrid *self)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self))))
    gtk_widget_unparent (child);
}

static void
sl_lane_grid_dispose (GObject *object)
{
  sl_lane_grid_clear (SL_LANE_GRID (object));
  G_OBJECT_CLASS (sl_lane_grid_parent_class)->dispose (object);
}

static void
sl_lane_grid_class_init (SlLaneGridClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_lane_grid_dispose;
  widget_class->size_allocate = sl_lane_grid_size_allocate;
  widget_class->measure = sl_lane_grid_measure;
  widget_class->get_request_mode = sl_lane_grid_get_request_mode;
  gtk_widget_class_set_css_name (widget_class, "lanes");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
sl_lane_grid_init (SlLaneGrid *self)
{
  self->columns = 1;
}
