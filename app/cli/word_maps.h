/* word_maps.h - --word-maps FOLDER: what each word of the prompt did, as pictures and numbers. */
#ifndef SL_APP_CLI_WORD_MAPS_H
#define SL_APP_CLI_WORD_MAPS_H

#include "app/cli/session.h"

typedef struct SlWordBook SlWordBook;

/* Before the work: makes the folder. */
bool sl_word_maps_check(const SlOptions *options, SlError *err);
/* With the model open: *book NULL where no maps are asked for. False and *err where the model is told no
 * text. */
bool sl_word_maps_open(const SlSession *session, SlWordBook **book, SlError *err);
void sl_word_maps_free(SlWordBook *book); /* NULL is fine, for all of these */
/* frame NULL: before the first evaluation. */
bool sl_word_maps_frame(SlWordBook *book, SlRun *run, const SlFrame *frame, SlError *err);
/* NN-WORD.png of each word, words.png of all, words.json. */
bool sl_word_maps_save(const SlWordBook *book, const SlGenerated *picture, SlError *err);

#endif
