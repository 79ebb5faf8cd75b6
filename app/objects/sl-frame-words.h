/* sl-frame-words.h - what each word of the prompt did at a moment of a run: how much each place of the picture looked
 * at it (app/record/word_record.h). Only of runs that kept it (sl_worker_set_words).
 *
 * The words of a run are the same at all of its moments, in the order of the prompt, then where the text begins and its
 * end. One that a schedule in the prompt told at other steps has no map at this one.
 */
#pragma once

#include "app/objects/sl-frame-object.h"

G_BEGIN_DECLS

typedef enum
{
  SL_WORD_OF_PROMPT,
  SL_WORD_START,
  SL_WORD_END, /* and what pads the text behind it */
} SlWordKind;

#define SL_WORD_ALL_LEVELS (-1)

/* 0: its run kept none. */
guint sl_frame_object_count_words (SlFrameObject *self);
SlWordKind sl_frame_object_get_word_kind (SlFrameObject *self, guint word);
/* As it stands in the prompt; "" of what is no word of it. A new string. */
char *sl_frame_object_dup_word (SlFrameObject *self, guint word);
/* The word that another frame, maybe of another run, has as its `word`: the same text, as often before it. -1: none. */
int sl_frame_object_find_word (SlFrameObject *self, SlFrameObject *other, guint word);
gboolean sl_frame_object_has_same_words (SlFrameObject *self, SlFrameObject *other);
/* There is a map of it at this moment. */
gboolean sl_frame_object_has_word (SlFrameObject *self, guint word);
/* The part of all looks that it had, 0 to 1; 0 without a map. */
double sl_frame_object_get_word_share (SlFrameObject *self, guint word, int level);
/* Resolutions at which the net looks, from the highest on; the middle block's is one of them. */
guint sl_frame_object_count_word_levels (SlFrameObject *self);
void sl_frame_object_get_word_level (SlFrameObject *self, guint level, int *width, int *height);

/* A map: the part of a place's looks, 0 to 1; [height, width]. */
typedef struct
{
  int width;
  int height;
  float low; /* the smallest and the largest value */
  float high;
  float values[];
} SlWordMap;

/* Of at most `side` places along the longer side; of the sample's size where that is less. NULL without a map. g_free
 * it. */
SlWordMap *sl_frame_object_get_word_map (SlFrameObject *self, guint word, int level, int side);
/* The difference of two maps of one size, a - b; NULL where they are of two. */
SlWordMap *sl_word_map_subtract (const SlWordMap *a, const SlWordMap *b);

/* What is between low and high as colours. */
typedef struct
{
  double low;
  double high;
} SlWordScale;

/* To be laid over the picture in grey: RGBA, the map's size. */
GBytes *sl_word_map_draw (const SlWordMap *map, const SlWordScale *scale);
/* A difference by itself, RGB: blue where it is below 0, orange above, as far as `most`. */
GBytes *sl_word_map_draw_difference (const SlWordMap *map, double most);
/* Over the frame's quick preview, for a thumbnail: RGB. */
GBytes *sl_frame_object_draw_word (SlFrameObject *self,
                                   SlView view,
                                   const SlWordMap *map,
                                   const SlWordScale *scale,
                                   int *width,
                                   int *height);
/* The colour at a place of the scale, 0 to 1. */
void sl_word_scale_get_color (double t, guint8 rgb[3]);

/* A PNG of the picture under the map, with a title and the scale. FALSE and *error, which names the file. */
typedef struct
{
  SlView view;
  const SlWordMap *map;
  SlWordScale scale;
  const char *title;
} SlWordPicture;
gboolean sl_frame_object_save_word (SlFrameObject *self,
                                    const SlWordPicture *picture,
                                    const char *path,
                                    GError **error);

G_END_DECLS
