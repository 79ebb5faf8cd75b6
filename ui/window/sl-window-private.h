/* sl-window-private.h - what the window's files share: sl-window.c builds it, -develop runs
 * pictures, -moment shows them, -keep writes them, -files opens and saves, -export writes sheets and
 * animations, -gallery shows finished ones. */
#pragma once

#include "ui/compare/sl-compare-view.h"
#include "ui/darkroom/sl-film-strip.h"
#include "ui/gallery/sl-gallery-view.h"
#include "ui/window/sl-queue-popover.h"
#include "ui/darkroom/sl-recipe-panel.h"
#include "ui/darkroom/sl-tray.h"
#include "ui/window/sl-window.h"

G_BEGIN_DECLS

struct _SlWindow
{
  AdwApplicationWindow parent_instance;

  AdwToastOverlay *toasts;
  AdwFlap *flap;
  SlRecipePanel *panel;
  GtkLabel *status;
  GtkButton *develop;
  GtkWidget *stop;
  GtkButton *use_settings;
  GtkWidget *narrow_stop;
  AdwViewStack *pages;
  GtkWidget *darkroom;
  SlTray *tray;
  GtkStack *below;
  SlFilmStrip *strip;
  GtkLabel *picture_prompt;
  GtkLabel *picture_story;
  GtkWidget *parent_button;
  GtkWidget *family_button;
  SlCompareView *compare_view;
  SlGalleryView *gallery_view;
  SlQueuePopover *queue_popover;
  GtkLabel *queue_count;
  GtkRevealer *export_bar;
  GtkLabel *export_text;

  GSettings *preferences;
  SlThreadQueue *files;
  SlWorker *worker;
  SlModelStore *models;
  SlQueue *queue;
  SlGallery *gallery;
  SlSettings *recipe;
  SlComparison *comparison;

  /* What is in the tray: a moment of a job, or a finished picture. */
  SlJob *job;
  SlFrameObject *frame;
  SlPicture *picture;
  SlJob *stopped;        /* whose last step can still be saved */
  SlJob *lost;           /* whose GPU failed: unfinished when the program starts again for it */
  AdwToast *stop_toast;  /* weak: says where the last run was stopped */
  AdwToast *lanes_toast; /* weak: gives lanes back that were removed */
  SlView view;
  guint rest;             /* decodes when the hand rests on a step */
  guint ticking;          /* progress within a step */
  gboolean seed_is_fresh; /* chosen by a person since the last start */
  SlExportTask *export;   /* being written; NULL: none */
  gboolean export_cancelled;
  gboolean prompt_model; /* the chosen model takes a prompt */
  gboolean closed;
};

/* sl-window-develop.c */
void _sl_window_init_develop (SlWindow *self);
void _sl_window_install_develop (GtkWidgetClass *klass);
void _sl_window_update (SlWindow *self);
void _sl_window_roll_seed (SlWindow *self);

/* sl-window-moment.c */
void _sl_window_init_moment (SlWindow *self);
void _sl_window_install_moment (GtkWidgetClass *klass);
/* Shows the moment that the film strip is at. */
void _sl_window_show_moment (SlWindow *self);
void _sl_window_forget_moment (SlWindow *self);
void _sl_window_set_view (SlWindow *self, SlView view);

/* sl-window-keep.c */
void _sl_window_init_keep (SlWindow *self);
void _sl_window_install_keep (GtkWidgetClass *klass);
/* Writes a moment to path (see sl_writer_save), decoding it first where that is still to be done. */
void _sl_window_write_moment (SlWindow *self, SlJob *job, SlFrameObject *frame, const char *path);
/* The same into the gallery. */
void _sl_window_keep_moment (SlWindow *self, SlJob *job, SlFrameObject *frame);
/* The recipes that run and wait, for the next start, and how far the one that runs has come. */
void _sl_window_keep_unfinished (SlWindow *self);

/* sl-window-files.c */
void _sl_window_init_files (SlWindow *self);
void _sl_window_install_files (GtkWidgetClass *klass);
void _sl_window_restore_file (SlWindow *self, const char *path);

/* sl-window-gallery.c */
void _sl_window_init_gallery (SlWindow *self);
void _sl_window_install_gallery (GtkWidgetClass *klass);
void _sl_window_show_picture (SlWindow *self, SlPicture *picture);
/* Which of the actions on a finished picture can be done. */
void _sl_window_update_gallery (SlWindow *self);

/* sl-window-compare-keep.c */
void _sl_window_install_compare_keep (GtkWidgetClass *klass);
/* Asks where a lane's picture shall go. */
void _sl_window_keep_lane (SlWindow *self, guint lane);
void _sl_window_open_comparison (SlWindow *self, const char *path);

/* sl-window-export.c */
void _sl_window_install_export (GtkWidgetClass *klass);
void _sl_window_update_export (SlWindow *self);
/* Writes the "sheet" or the "animation" of the lanes, or the "film" of the run in the darkroom. */
void _sl_window_export (SlWindow *self, const char *what, const char *path);
/* Where this build has no animations it says so. */
gboolean _sl_window_can_animate (SlWindow *self);

/* sl-window-compare-undo.c */
/* Shows a toast with which the lanes are as they were; takes state, and does nothing for NULL. */
void _sl_window_offer_lanes_back (SlWindow *self, SlComparisonState *state, const char *title);

/* sl-window-compare.c */
void _sl_window_init_compare (SlWindow *self);
void _sl_window_install_compare (GtkWidgetClass *klass);
/* An action of the darkroom while the lanes are in sight: TRUE when it was theirs. */
gboolean _sl_window_compare_takes (SlWindow *self, const char *action);
/* The end of _sl_window_update. */
void _sl_window_update_compare (SlWindow *self);

/* sl-window.c */
void _sl_window_alert (SlWindow *self, const char *heading, const char *body);
/* A button is named by its label child; GTK 4.8 would say the label with its underscore before that. */
void _sl_window_name_by_label (GtkButton *button);

G_END_DECLS
