/* sl-picture-lanes.h - the recipes of several pictures, to be made again side by side. */
#pragma once

#include "app/objects/objects.h"
#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

typedef struct
{
  GPtrArray *settings; /* of SlSettings, one for each lane; empty: none of the pictures has any */
  const char *first;   /* the file of the first of these; NULL: there is none */
  const char *model;   /* of the first picture, whose name all others have; "": it does not say */
  guint others;        /* pictures of other models, which are left out */
  guint without;       /* pictures without settings, which are, too */
  guint sheets;        /* sheets and animations of ours, which show lanes of their own, are, too */
  guint branches;      /* which as lanes begin with noise */
  guint otherwise;     /* computed otherwise than lanes are now */
} SlPictureLanes;

/* lanes are borrowed during the call; NULL where the window was closed meanwhile. */
typedef void (*SlPictureLanesFunc) (const SlPictureLanes *lanes, gpointer user_data);

/* Reads the files, of char *, one after the other. */
void
sl_picture_lanes_read (SlWorkspace *workspace, GPtrArray *paths, SlPictureLanesFunc read, gpointer user_data);

G_END_DECLS
