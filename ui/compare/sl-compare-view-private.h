/* sl-compare-view-private.h - what the files of the compare view share: sl-compare-view.c has the lanes, -lanes.c
 * what each shows,
 * sl-compare-curves.c the chart under them, -decode.c their pictures at rest, -setup.c keys and menus, -summary.c
 * how far all are, and whether they are fast. */
#pragma once

#include "ui/compare/sl-compare-view.h"
#include "ui/compare/sl-lane-grid.h"
#include "ui/compare/sl-step-inspector.h"

G_BEGIN_DECLS

/* What the chart shows. */
enum
{
  TAB_SIGMA,
  TAB_DISTANCE,
  TAB_LIKENESS,
  TAB_INSIDE,
  N_TABS
};

struct _SlCompareView
{
  AdwBin parent_instance;
  GtkStack *stack;
  GtkFlowBox *presets;
  GMenu *scheduler_menu;
  GtkMenuButton *add_button;
  GtkDropDown *align;
  GtkLabel *summary;
  GtkButton *pause;
  GtkWidget *keep_button;
  SlLaneGrid *grid;
  GtkToggleButton *tabs[N_TABS];
  GtkLabel *parting;
  SlStepInspector *inspector;
  SlCurveView *curves;

  SlComparison *comparison;
  SlWorker *worker;
  SlSettings *recipe;
  GSettings *preferences;
  GPtrArray *lanes;        /* of SlLaneView, in order */
  SlFrameObject *decoding; /* at rest: whose picture is being made */
  guint chosen;
  SlView view;
  gboolean difference;
  guint tab;
  SlFrameObject *result; /* that the lanes are measured against */
  guint measurement;     /* counts such results, and changes of what is measured */
  gboolean decoded;      /* likeness is that of decoded pictures */
  guint rest;
  guint refresh;
};

/* sl-compare-lanes.c */
void _sl_compare_view_show_name (SlCompareView *self, guint index);
void _sl_compare_view_show_lanes (SlCompareView *self);

/* sl-compare-decode.c */
void _sl_compare_view_decode_at_rest (SlCompareView *self);
/* Also what could not be decoded before. */
void _sl_compare_view_try_again (SlCompareView *self);

/* sl-compare-setup.c */
void _sl_compare_view_add_keys (GtkWidgetClass *klass);
void _sl_compare_view_fill_menus (SlCompareView *self);

/* sl-compare-summary.c */
void _sl_compare_view_show_summary (SlCompareView *self);
void _sl_compare_view_connect_fast (SlCompareView *self, GSettings *preferences);
gboolean _sl_compare_view_is_fast (SlCompareView *self);
void _sl_compare_view_set_fast (SlCompareView *self, gboolean fast);

/* sl-compare-curves.c */
void _sl_compare_view_init_curves (SlCompareView *self);
void _sl_compare_view_show_curves (SlCompareView *self);
/* The handle, and what a screen reader says of it. */
void _sl_compare_view_show_place (SlCompareView *self);
/* What the tab "Inside the step" says of the chosen lane. */
void _sl_compare_view_show_inside (SlCompareView *self);
/* Since when the chosen lane looks different from the reference. */
void _sl_compare_view_show_parting (SlCompareView *self);

G_END_DECLS
