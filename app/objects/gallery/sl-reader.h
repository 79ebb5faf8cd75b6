/* sl-reader.h - pictures and settings from files and texts, read on the file thread. */
#pragma once

#include "app/objects/sl-thread-queue.h"
#include "app/objects/sl-job.h"

G_BEGIN_DECLS

/* The settings that were found. All strings may be NULL. */
typedef struct
{
  SlSettings *settings; /* NULL when a value did not pass: problems says which */
  char *source;         /* "Safelight", "ComfyUI", ... */
  char *model;          /* as the file names it, or its path where it has another name here */
  char *problems;       /* a sentence a line */
  char *notes;          /* what was not taken over, a sentence a line, in the window's language */
  char *
      *parts; /* of the model that are not its own: a name and where it is here by turns, then NULL. NULL: the
                           file does not say, or they are not here: */
  char *missing; /* a sentence in English */
  SlComputed computed;
} SlRestored;

/* restored is NULL when error is not; borrowed during the call. */
typedef void (*SlRestoredFunc) (const SlRestored *restored, const GError *error, gpointer user_data);
/* rgb is NULL when error is not; borrowed during the call. */
typedef void (*SlPixelsFunc) (GBytes *rgb, int width, int height, const GError *error, gpointer user_data);

/* base gives what the file does not say, and is not changed. models: a folder in which the model and its parts are looked
 * for before the search path; "": none. */
void sl_reader_restore_file (SlThreadQueue *files,
                             const char *path,
                             const char *models,
                             SlSettings *base,
                             SlRestoredFunc restored,
                             gpointer user_data);
/* A PNG, JPEG or WebP in memory (dropped or pasted), or a `parameters` text. */
void sl_reader_restore_data (
    SlThreadQueue *files, GBytes *data, SlSettings *base, SlRestoredFunc restored, gpointer user_data);
/* The pixels of a PNG, a JPEG or a WebP (of an animation its last picture). A PNG is made smaller so that no side is above
 * max_side (0: as it is). */
void sl_reader_load_pixels (
    SlThreadQueue *files, const char *path, int max_side, SlPixelsFunc loaded, gpointer user_data);
G_END_DECLS
