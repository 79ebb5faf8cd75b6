/* weights_views.h - the tensors of a source shown otherwise: under another name, a part of one,
 * turned, in another type, or with something added. Nothing is read before somebody reads the view,
 * and then only what is asked for.
 *
 * A view shows one tensor and is made by a chain: sl_view_of takes a tensor of a source, every
 * other constructor takes the view before it over and gives one that stands for both. A chain ends
 * in a set, which is a source like any other:
 *
 *     SlWeightView *v = sl_view_of(file, info, err);
 *     v = sl_view_rows(v, 0, 1024, err);
 *     v = sl_view_renamed(v, "text_model.encoder.layers.0.self_attn.q_proj.weight", err);
 *     ok = sl_weight_set_add(set, v, err);
 *
 * Each constructor gives NULL and *err where the shapes do not allow it, and passes NULL on without
 * a word, so that only the end of a chain is looked at. The source is held by reference; nobody
 * need keep it open. Shapes come from files: they are checked here, before anything is allocated.
 */
#ifndef SL_ENGINE_WEIGHTS_VIEWS_H
#define SL_ENGINE_WEIGHTS_VIEWS_H

#include "engine/files/weights_source.h"

typedef struct SlWeightView SlWeightView;

/* The tensor as it is. */
SlWeightView *sl_view_of(SlWeightSource *source, const SlTensorInfo *info, SlError *err);

/* Under another name, which is copied. */
SlWeightView *sl_view_renamed(SlWeightView *v, const char *name, SlError *err);
/* The same elements under other sizes: as many of them, at most 8 axes. */
SlWeightView *sl_view_reshaped(SlWeightView *v, int rank, const int64_t *size, SlError *err);
/* Rows first .. first + count - 1 of the first axis. In a quantised tensor they must begin and end
 * with a block. */
SlWeightView *sl_view_rows(SlWeightView *v, int64_t first, int64_t count, SlError *err);
/* [N, K] as [K, N]. Plain types stay what they are, others become F32. */
SlWeightView *sl_view_transposed(SlWeightView *v, SlError *err);
/* In the plain type of a dtype, rounded to nearest even where it is narrower. */
SlWeightView *sl_view_converted(SlWeightView *v, SlDtype dtype, SlError *err);

/* The product of two matrices, up [N, r] and down [r, K], as [N, K] in F32, as the low-rank
 * adapters store their change of a weight. Axes behind the first count as one (up [N, r, 1, 1],
 * down [r, I, 3, 3]). The sums are made in f32 in the order of r, whatever range is read. Takes
 * both over. */
SlWeightView *sl_view_product(SlWeightView *up, SlWeightView *down, SlError *err);
/* base + scale * delta in F32, of one shape: a weight with an adapter merged into it. Takes both
 * over, and has base's name. */
SlWeightView *sl_view_sum(SlWeightView *base, SlWeightView *delta, float scale, SlError *err);

/* Each element times a scale, in F32, as files with 8-bit floats store a weight: `scale` has one
 * element for the whole tensor or one for each of its rows (the first axis). Takes both over, and
 * has base's name. */
SlWeightView *sl_view_scaled(SlWeightView *base, SlWeightView *scale, SlError *err);

/* ---- sets ---- */

/* Views as a source; its files and metadata are those of `from`. */
typedef struct SlWeightSet SlWeightSet;

SlWeightSet *sl_weight_set_new(SlWeightSource *from, SlError *err);
void sl_weight_set_free(SlWeightSet *set); /* instead of finishing it; NULL is fine */
/* The files of another source that views of the set read from, for the model's identity. */
bool sl_weight_set_also_from(SlWeightSet *set, SlWeightSource *from, SlError *err);
/* Takes the view over, whatever comes of it. False for NULL: its constructor said why. */
bool sl_weight_set_add(SlWeightSet *set, SlWeightView *v, SlError *err);
/* After the last view: the source, which is the set's end. NULL and *err when there is no view or
 * two have one name. */
SlWeightSource *sl_weight_set_finish(SlWeightSet *set, SlError *err);

#endif
