/* reel.h - the pictures of an animation as they are made: of one run or of lanes side by side,
 * enlarged, with captions, hashed and encoded one after the other.
 *
 * Two hashes, since captions are drawn with the fonts of this machine: `pictures` of what the model
 * made, which a replay finds again anywhere, and `drawn` of the animation's pictures as they are in
 * the file, by which a change of the file is found.
 */
#ifndef SL_APP_REEL_H
#define SL_APP_REEL_H

#include "app/image/image.h"
#include "app/recipe/recipe.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_REEL_MS_MIN   20 /* that a picture is shown: what all formats and programs keep to */
#define SL_REEL_MS_MAX   10000
#define SL_REEL_SIDE_MAX 4096

/* How an animation looks. */
typedef struct SlReelLook {
    int ms;   /* that each picture is shown; 0: SL_ANIMATION_MS. The last one longer */
    int side; /* pictures are enlarged by a whole number until both sides have it; 0: as is usual */
    bool captions;
} SlReelLook;

/* What a file says of its pictures. */
typedef struct SlReelSum {
    char pictures[65], drawn[65];
    SlSheetLayout layout; /* of what was drawn */
} SlReelSum;

typedef struct SlReel {
    SlReelLook look;
    const char *path;   /* NULL: only the hashes of the pictures */
    bool first_edition; /* also drawn without a path, as then: for the hash of its files */
    SlAnimation *animation;
    SlFilm pictures, drawn;
    SlSheetLayout layout;
} SlReel;

/* What is shown of one moment: the sheet without its layout. widest is the longest detail that a tile
 * will have at any moment, so that all pictures get one size. */
typedef struct SlReelPicture {
    SlSheet sheet;
    const char *widest;
    bool last;
} SlReelPicture;

/* Starts as {.look, .path}. False and *err on failure. */
bool sl_reel_add(SlReel *reel, const SlReelPicture *picture, SlError *err);
/* The hashes so far. */
SlReelSum sl_reel_sum(const SlReel *reel);
/* Writes the file with its text (NULL: none). */
bool sl_reel_save(SlReel *reel, const char *text, SlError *err);
void sl_reel_free(SlReel *reel); /* what it holds */

/* ---- what is said on pictures ---- */

/* "step 8 of 25, sigma 1.23, 8 evaluations": sigma is the noise level that the model was asked at (see
 * docs/formats.md). */
typedef struct SlStepCaption {
    int step, steps; /* finished */
    double sigma;
    int evaluations; /* 0: not said */
} SlStepCaption;
/* False and *err without memory. */
bool sl_step_caption(const SlStepCaption *caption, char *out, size_t size, SlError *err);
/* One as long as any of a run with so many steps and evaluations. */
bool sl_step_caption_widest(int steps, int evaluations, char *out, size_t size, SlError *err);
/* What all recipes have alike: prompt, seed and guidance. */
bool sl_reel_heading(const SlRecipe *const *recipes, int count, char *out, size_t size,
                     SlError *err);
/* A text into an array, not cut within a character, and freed. */
bool sl_text_into(SlText *text, char *out, size_t size, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
