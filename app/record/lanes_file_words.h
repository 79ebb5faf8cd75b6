/* lanes_file_words.h - what a comparison's file has of the words of a lane: "lane.<i>.words" u8 [moments, rows, 1,
 * places] and "lane.<i>.word_figures" f32 [moments, rows, 1, 1 + levels], of its own kept moments alone, and in the
 * lane's JSON "words" (levels and rows) and "words_sha256". See word_record.h for what is in them. Private to
 * app/record. */
#ifndef SL_APP_LANES_FILE_WORDS_H
#define SL_APP_LANES_FILE_WORDS_H

#include "app/files/files.h"
#include "app/record/word_record.h"

struct cJSON;

/* What is written. */
typedef struct SlLaneWordsOut {
    const SlWordRecord *record; /* NULL: the lane has none */
    int *moment;                /* [count] of the record, owned */
    int count;
    char sha256[65];
} SlLaneWordsOut;
/* Takes over moment (malloc'ed). False and *err without memory. Clear it in any case. */
bool sl_lane_words_out(SlLaneWordsOut *words, const SlWordRecord *record, int *moment, int count,
                       SlError *err);
void sl_lane_words_out_clear(SlLaneWordsOut *words);
void sl_lane_words_describe(const SlLaneWordsOut *words, SlJsonOut *out, struct cJSON *lane);
/* words stays until the file is written. */
void sl_lane_words_add(const SlLaneWordsOut *words, SlTensorWriter *writer, int lane);

/* What is read: where it is, and what it must fit to. */
typedef struct SlLaneWordsFrom {
    const SlSafetensors *file;
    const struct cJSON *json; /* of the lane */
    int lane, frames;         /* of its own */
    const char *prompt;
} SlLaneWordsFrom;
typedef struct SlLaneWordsIn {
    SlWordRecord shape; /* owns its rows; rows 0: the file has none */
    const SlTensorInfo *value, *figures;
} SlLaneWordsIn;
/* Checks what is said, and the tensors' sizes; false and *err, one sentence that names the file and the lane. Clear it
 * in any case. */
bool sl_lane_words_look(SlLaneWordsIn *in, const SlLaneWordsFrom *from, SlError *err);
void sl_lane_words_in_clear(SlLaneWordsIn *in);
/* The record of a run of so many moments; frame i of the file is its moment[i]. NULL and *err for what is not as its
 * hash says, or not usable. */
SlWordRecord *sl_lane_words_read(const SlLaneWordsIn *in, const SlLaneWordsFrom *from, int moments,
                                 const int *moment, SlError *err);

#endif
