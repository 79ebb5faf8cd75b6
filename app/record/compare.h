/* compare.h - lanes computed on an opened model and what comes of them: their pictures, a labelled
 * contact sheet, an animation, figures of their differences. What `safelight compare` and the
 * replay of its files share.
 *
 * Everything runs on the calling thread, which must be the one that opened the model. Sheets and
 * animations carry a JSON text like a picture's, with "lanes", an array of what each lane's picture
 * would say about itself.
 */
#ifndef SL_APP_COMPARE_H
#define SL_APP_COMPARE_H

#include "app/image/image.h"
#include "app/record/difference.h"
#include "app/record/generate.h"
#include "app/record/lane_figures.h"
#include "app/record/lanes.h"
#include "app/record/reel.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cJSON;

typedef struct SlCompare {
    SlModel *model;
    const SlModelInfo *identity; /* with hashes; set before a sheet or an animation is written */
    SlLanes *lanes;              /* owned */
    int count;                   /* lanes with at least one finished step */
    int *lane;                   /* [count]: their numbers in lanes; owned */
    int reference;               /* what they are measured against: its place in lane and picture */
    SlGenerated *picture;        /* [count]; owned */
    bool first_edition; /* sheets and animations are drawn as those of the first edition, to verify
                           them (compare_first.h) */
} SlCompare;

/* What is computed: recipes in the order of the lanes. */
typedef struct SlCompareJob {
    SlModel *model;
    int count;
    SlRecipe *const *recipe;
    const SlGrid *grid;      /* whose cells the lanes are; NULL: of none */
    const int *cell;         /* which cell each is, -1 for none; NULL: as they are numbered */
    SlOrigin *const *origin; /* of branches; NULL, also single ones: from noise */
    const int *parent; /* of branches: a lane before, -1 where it is not here; NULL: of none */
    const SlBatches *const *batches; /* in which each is made again; NULL: as it comes */
    bool fast;                       /* see sl_lanes_set_fast */
    bool words;                      /* kept of each; see SlTimelineOptions */
    const SlRunInputs *inputs;       /* of all lanes; NULL: all from the seeds */
    const int *stop_after; /* of each lane: a step to stop after, 0: none; NULL: none at all */
    /* Called before the first evaluation (done 0) and after each; false with SL_CANCELLED stops.
     * May be NULL. */
    bool (*progress)(void *arg, int done, int evaluations, SlError *err);
    /* Called after each evaluation of a lane, whose timeline has it as its newest moment. May be NULL;
     * false stops as progress does. */
    bool (*moment)(void *arg, int lane, const SlTimeline *timeline, SlError *err);
    void *arg;
} SlCompareJob;

/* Computes the lanes in turn and decodes where each ended. Of a lane that was stopped or failed the
 * last finished step is there, marked as partial, and the others go on; false and *err when no lane
 * finished a step, or nothing can be decoded. Free in any case; *c is set up by it. */
bool sl_compare_run(SlCompare *c, const SlCompareJob *job, SlError *err);
/* False and *err, with the lane's number, when a lane failed. */
bool sl_compare_whole(const SlCompare *c, SlError *err);
/* The same for lanes that were computed already (and become c's), only decoding. */
bool sl_compare_take(SlCompare *c, SlModel *model, SlLanes *lanes, SlError *err);
void sl_compare_free(SlCompare *c);

/* Lanes of a sheet or an animation at most: what all of them say about themselves is one text of the
 * file, and others read a text up to 1 MiB. */
#define SL_SHEET_LANES 400
/* A contact sheet of where the lanes ended. path NULL: only its hashes. *sum (may be NULL) receives
 * them. The same lanes give the same bytes. */
bool sl_compare_sheet(const SlCompare *c, const char *path, SlReelSum *sum, SlError *err);
/* The development of all lanes on one sheet, lined up as said: at most SL_FILM_MAX pictures.
 * path NULL: only the hashes. progress as above, counted in pictures. */
typedef struct SlAnimationJob {
    const char *path;
    SlReelLook look;
    SlLineUp line_up;
    bool (*progress)(void *arg, int done, int total, SlError *err);
    void *arg;
} SlAnimationJob;
bool sl_compare_animation(const SlCompare *c, const SlAnimationJob *job, SlReelSum *sum,
                          SlError *err);

/* The animation of `generate --animation`: of the first lane alone, at the ends of its steps. */
bool sl_compare_film(const SlCompare *c, const SlAnimationJob *job, SlReelSum *sum, SlError *err);

/* A moment's sample; data is its x_0, or x_t at the end. */
SlSample sl_compare_sample(const SlTimeline *timeline, int moment, const float *data);

/* A lane beside the reference. */
SlLaneFigures sl_compare_figures(const SlCompare *c, int i);
/* The lane's name beside the others (lane_name.h), in English. SL_MEMORY when there is no memory to
 * put it together. */
bool sl_compare_title(const SlCompare *c, int i, char *out, size_t size, SlError *err);

/* The table of all lanes. */
typedef struct SlCompareRows {
    int count;
    SlLaneRow row[SL_LANES_MAX];
    char title[SL_LANES_MAX][128];
} SlCompareRows;
bool sl_compare_rows(const SlCompare *c, SlCompareRows *rows, SlError *err);

/* One HTML document with everything in it: pictures where the lanes ended and how they differ from the
 * reference's, the table, curves, all settings. It needs nothing else, neither other files nor a
 * network. */
typedef struct SlReportJob {
    const char *path;
    const int *color; /* of each lane in lanes: its colour (lane_colors.h); NULL: in their order */
    const char *const *title; /* of each lane in lanes; NULL: sl_compare_title's */
    bool (*progress)(void *arg, int done, int total, SlError *err); /* as in SlAnimationJob */
    void *arg;
} SlReportJob;
bool sl_compare_report(const SlCompare *c, const SlReportJob *job, SlError *err);

/* What a file says about the lanes it was made of. */
typedef struct SlCompareText {
    int count;
    SlMetadata *lane;         /* owned */
    int parent[SL_LANES_MAX]; /* the lane that a branch left, -1 where there is none */
    SlGrid grid;              /* whose cells the lanes are; without values: of none */
    int *cell;                /* [count] with a grid: -1 for none; owned */
    bool animation, film;     /* film: of generate, one lane without labels */
    bool fast;
    bool first_edition;
    SlLineUp line_up;
    SlReelSum sum;
} SlCompareText;
/* The JSON of a PNG's or a WebP's `safelight` text, malloc'ed; NULL where it has none, and *err only without memory. */
char *sl_compare_text_of(const char *path, SlError *err);
/* Whether the JSON of a `safelight` text is that of lanes and not of one picture. */
bool sl_compare_is_text(const char *json);
/* name is for messages. False and *err, naming what is wrong. Free in any case. */
bool sl_compare_text_read(const char *name, const char *json, SlCompareText *text, SlError *err);
/* Of the sheet, of each picture of the animation, or of the film. False and *err where the lanes do
 * not say it. */
bool sl_compare_text_size(const char *name, const SlCompareText *text, int *width, int *height,
                          SlError *err);
void sl_compare_text_free(SlCompareText *text);

#ifdef __cplusplus
}
#endif

#endif
