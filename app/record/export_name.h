/* export_name.h - what files are called that are made of runs: after the prompt, the seed and what
 * differs, so that they are told apart in a folder. The one rule for the window.
 */
#ifndef SL_APP_EXPORT_NAME_H
#define SL_APP_EXPORT_NAME_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_EXPORT_NAME_BYTES 120 /* at most, without what a file system adds */

/* "a red house by a lake, seed 3, euler.webp" of one run (count 1); of several "a red house by a lake,
 * seed 3, euler and heun.webp", "..., 5 schedulers.webp", "..., 4 seeds.webp": what they have alike,
 * then what they differ in. step: finished steps, where the file shows one before the end; 0: none.
 * Letters of all scripts stay, what file systems refuse or hide (slashes, control characters, a point
 * in front) does not. malloc'ed; NULL without memory. */
char *sl_export_name(const SlRecipe *const *recipes, int count, int step, const char *ending);

#ifdef __cplusplus
}
#endif

#endif
