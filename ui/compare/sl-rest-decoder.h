/* sl-rest-decoder.h - decodes what the lanes show where somebody stays for a moment: one lane after the other. While lanes run and the view follows them nothing is decoded: that would take time from the runs.
 */
#pragma once

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_REST_DECODER (sl_rest_decoder_get_type ())

G_DECLARE_FINAL_TYPE (SlRestDecoder, sl_rest_decoder, SL, REST_DECODER, GObject)

#define SL_REST_LANES 9

/* What is decoded: the frames at the comparison's position. */
typedef struct
{
  SlView view;
  guint lane[SL_REST_LANES]; /* those that are shown, in the order in which they are wanted */
  guint count;
} SlRestLanes;

/* Signal "decoded": a lane has its picture, or could not be decoded. */
SlRestDecoder *sl_rest_decoder_new (SlComparison *comparison, SlWorker *worker);
/* Waits for a moment of rest from now on, and then begins. */
void sl_rest_decoder_wait (SlRestDecoder *self, const SlRestLanes *lanes);
/* The same, also for frames that could not be decoded before. */
void sl_rest_decoder_try_again (SlRestDecoder *self, const SlRestLanes *lanes);

G_END_DECLS
