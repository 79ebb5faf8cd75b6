/* lane_figures.h - what a lane cost and how far it is from the reference lane: one row of the table of
 * a comparison. The window, the command line, CSV files and reports have their numbers from here.
 *
 * Steps are counted from 1, in the lane's own schedule; 0: none, or not known. Any thread, but for the
 * model, which must be open.
 */
#ifndef SL_APP_LANE_FIGURES_H
#define SL_APP_LANE_FIGURES_H

#include "app/files/files.h"
#include "app/record/difference.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlLaneFigures {
    int evaluations; /* of the model until the picture, those of the ancestors included */
    int cached; /* of the lane's own: that took over a part of one before; -1: it has no caching */
    double seconds;  /* that they took, as far as the ancestors are known */
    double each;     /* milliseconds of one of the lane's own */
    double distance; /* root mean square of the last samples; NAN for other sizes */
    double psnr;     /* of the pictures, dB; INFINITY when equal, NAN for other sizes */
    double ssim;     /* of the pictures; see sl_ssim */
    SlParting parting;
    int parts;   /* the first step after which the quick previews look different */
    int settled; /* no visible change since this step */
} SlLaneFigures;

/* Where a lane ended; rgb NULL: not decoded. */
typedef struct SlLanePicture {
    const uint8_t *rgb;
    int width, height;
} SlLanePicture;

typedef struct SlFiguresOf {
    const SlLanes *lanes;
    const SlModel *model; /* for quick previews that timelines do not have; NULL: all have them */
    int lane, reference;
    SlLanePicture picture, reference_picture;
} SlFiguresOf;

/* What the lane's evaluations until the end of its last finished step took; all else is not known (NAN
 * and 0). Cheap. */
SlLaneFigures sl_lane_cost(const SlLanes *lanes, int lane);
/* All of them. Looks at every step: milliseconds to a second. */
SlLaneFigures sl_lane_measure(const SlFiguresOf *of);

/* ---- the table ---- */

/* A row; texts are borrowed. */
typedef struct SlLaneRow {
    int number; /* as a person counts, from 1 */
    const char *title;
    bool reference, partial; /* partial: stopped before its last step */
    SlLaneFigures figures;
} SlLaneRow;

typedef enum SlLaneColumn {
    SL_LANE_NUMBER,
    SL_LANE_TITLE,
    SL_LANE_EVALUATIONS,
    SL_LANE_EACH,
    SL_LANE_SECONDS,
    SL_LANE_PSNR,
    SL_LANE_SSIM,
    SL_LANE_PARTS,
    SL_LANE_SETTLED,
    SL_LANE_DISTANCE,
    SL_LANE_DIFFERS,
    SL_LANE_CACHED,
    SL_N_LANE_COLUMNS,
} SlLaneColumn;

typedef struct SlLaneColumnInfo {
    const char *key;   /* the heading of a CSV file: "psnr_db" */
    const char *label; /* SL_WORDS: on screen */
    const char *help; /* SL_WORDS: the rule that it is found by; NULL where the label says it all */
    int digits;       /* behind the point; -1: of a text */
} SlLaneColumnInfo;

const SlLaneColumnInfo *sl_lane_column(SlLaneColumn column);
/* The number in a column: NAN where it is not known, INFINITY for equal pictures. Not of the title. */
double sl_lane_row_number(const SlLaneRow *row, SlLaneColumn column);

/* The table as text: a line of headings and one for each row, fields between separators (',' or '\t'),
 * quoted where they must be, numbers with a point in every language, unknown ones empty, "inf" for the
 * PSNR of equal pictures. headings: SL_N_LANE_COLUMNS of them, NULL: the keys. */
void sl_lane_rows_add(SlText *text, const SlLaneRow *rows, int count, char separator,
                      const char *const *headings);
/* The same as a CSV file. Atomic. */
bool sl_lane_rows_write(const char *path, const SlLaneRow *rows, int count, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
