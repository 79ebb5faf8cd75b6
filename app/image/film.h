/* film.h - which steps an animation of a run shows, and the hash of its pictures. */
#ifndef SL_APP_FILM_H
#define SL_APP_FILM_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An animation has at most so many pictures, however long the run: a thousand of 512 x 512 would
 * take hundreds of MB, and as many decodes. */
#define SL_FILM_MAX 100

/* Whether the end of a step (0-based) is shown; the last always is. */
bool sl_film_wants(int step, int steps);

/* A row of pictures as an animated WebP has it: of equal neighbours only the first. */
typedef struct SlFilm {
    char pixels[65]; /* hash of all so far, "" before the first */
    char newest[65];
} SlFilm;
void sl_film_add(SlFilm *film, const uint8_t *rgb, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
