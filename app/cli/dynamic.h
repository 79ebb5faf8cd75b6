/* dynamic.h - --dynamic of generate and compare: the pictures, or lanes, that templates of prompts stand for. */
#ifndef SL_APP_DYNAMIC_H
#define SL_APP_DYNAMIC_H

#include "app/cli/options.h"
#include "app/recipe/recipe.h"

/* Starts as {0}; without --dynamic it is one picture with the prompts as they are. */
typedef struct SlDynamic {
    bool on, drawn; /* each with a seed of its own */
    SlTemplatePair *pair;
    int count; /* of pictures */
} SlDynamic;

/* Reads the templates of the options' prompts; before anything is loaded. *err where one of them is wrong, or where
 * another option takes a single picture. Free in any case. */
bool sl_dynamic_open(SlDynamic *dynamic, const SlOptions *options, SlError *err);
void sl_dynamic_free(SlDynamic *dynamic);
/* Prompts, templates and seed of a picture, from 0, into its recipe; borrowed. */
void sl_dynamic_take(const SlDynamic *dynamic, const SlOptions *options, int picture,
                     SlRecipe *recipe);
/* The same for a lane: those of its prompts that are not the common ones are templates of its own, of which its seed
 * draws. Starts as {0}, free in any case; the lane's options borrow from it. */
bool sl_dynamic_open_own(SlDynamic *dynamic, const SlOptions *common, SlOptions *lane,
                         SlError *err);
/* The templates among the options' values count as given. */
void sl_dynamic_give(SlOptions *options);
/* Of --output x.png: "x-0001.png" where there are several. malloc'ed; NULL without memory. */
char *sl_dynamic_name(const SlDynamic *dynamic, const char *output, int picture);

#endif
