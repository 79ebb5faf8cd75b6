/* word_record.h - what each word of the prompt did at the evaluations of a run (SlWordMaps), small
 * enough to be kept of all of them: a map of each word, with 8 bits a place.
 *
 * Rows are the words of all texts of the run, since a schedule in the prompt changes them on the way, and
 * two more for what else the net is told: where the text begins, and its end with what follows. So a
 * moment's shares add up to 1. Of a row the mean of its tokens is kept at each level of resolution; 255
 * is the largest value there. Where the limit asks for it, places are joined (the mean of 2 x 2, 4 x 4,
 * ...), and if that is not enough moments are left out.
 */
#ifndef SL_APP_WORD_RECORD_H
#define SL_APP_WORD_RECORD_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum SlWordRowKind {
    SL_ROW_WORD,
    SL_ROW_START, /* the beginning of each chunk */
    SL_ROW_END,   /* the end of each chunk, and what pads it */
} SlWordRowKind;

typedef struct SlWordRow {
    SlWordRowKind kind;
    int begin, end; /* bytes of the recipe's prompt; 0 of what is no word */
    int part;       /* of the prompt (AND) */
    double weight;
} SlWordRow;

typedef struct SlWordRowLevel {
    int height, width;           /* at which the net attends */
    int kept_height, kept_width; /* of which is kept */
    int layers;
    bool middle;
    size_t at; /* places of the levels before it */
} SlWordRowLevel;

typedef struct SlWordRecord {
    int rows, levels;
    SlWordRow *row;
    SlWordRowLevel level[SL_WORD_MAP_LEVELS];
    size_t places; /* of all levels */
    int moments, slots;
    int *slot;      /* [moments]: where a moment's are, -1: they are not kept */
    uint8_t *value; /* [slots, rows, places] */
    float *
        figures; /* [slots, rows, 1 + levels]: how many tokens (0: not told), and of each level what
                       255 stands for; -1: the net had no such level */
} SlWordRecord;

/* For the next `moments` evaluations of a run; nothing is kept yet. *record NULL where it is told no
 * words. False and *err without memory. */
bool sl_word_record_new(SlWordRecord **record, SlRun *run, int moments, SlError *err);
/* Of a record without arrays: what is kept fits into so many bytes, but for the last moment's. */
void sl_word_record_fit(SlWordRecord *record, size_t limit);
/* Makes the arrays for that. False and *err without memory. */
bool sl_word_record_keep(SlWordRecord *record, SlError *err);
/* Arrays for rows, levels, moments and slots that are known; no moment has a slot. NULL without memory. */
SlWordRecord *sl_word_record_shaped(const SlWordRecord *shape);
void sl_word_record_free(SlWordRecord *record); /* NULL is fine */
/* That it takes or is to take. */
size_t sl_word_record_bytes(const SlWordRecord *record);
/* Keeps a moment's, if it is one of those that are kept. */
bool sl_word_record_add(SlWordRecord *record, int moment, SlRun *run, const SlFrame *frame,
                        SlError *err);

/* ---- looking: of a moment that was added ---- */

/* Whether the maps of a moment are kept; of a row, whether it was told at it. */
bool sl_word_record_has(const SlWordRecord *record, int moment);
bool sl_word_record_told(const SlWordRecord *record, int moment, int row);
/* As sl_word_map and sl_word_share: of all levels (SL_ALL_LEVELS) or one. */
bool sl_word_record_map(const SlWordRecord *record, int moment, int row, int level, int height,
                        int width, float *out, SlError *err);
double sl_word_record_share(const SlWordRecord *record, int moment, int row, int level);

#ifdef __cplusplus
}
#endif

#endif
