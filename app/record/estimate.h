/* estimate.h - what a picture will cost, known before anything is computed: work and memory. How long the work takes
 * is for who knows the machine's speed.
 *
 * Easy to get wrong: decoding finds its own way where memory is short (in strips), so what it works in is no reason to
 * refuse a picture; `least` leaves it out.
 */
#pragma once

#include "engine/engine.h"

typedef struct SlEstimate {
    int evaluations;         /* of the model */
    double evaluation_flops; /* each, in the mean with deep caching; a guided one counts whole */
    double other_flops;      /* the texts, decoding */
    uint64_t bytes;          /* at its peak, weights included */
    uint64_t least;          /* without which it cannot be made, weights included */
    uint64_t weights;
} SlEstimate;

/* dtype as for sl_model_cost; NULL: "auto". Takes some ten milliseconds; any thread. False and *err where the recipe
 * does not fit the model, or without memory. */
bool sl_estimate(const SlModelInfo *info, const SlRecipe *recipe, const char *dtype,
                 SlEstimate *estimate, SlError *err);
/* All of its work. */
double sl_estimate_flops(const SlEstimate *estimate);
