/* film.c - see film.h. */
#include "app/image/film.h"
#include "engine/engine.h"

#include <string.h>

bool sl_film_wants(int step, int steps)
{
    int64_t shown = (int64_t)step * SL_FILM_MAX / steps;
    return steps <= SL_FILM_MAX || (step + 1LL) * SL_FILM_MAX / steps > shown;
}

void sl_film_add(SlFilm *film, const uint8_t *rgb, size_t bytes)
{
    char both[129] = "";
    size_t n = strlen(film->pixels);
    memcpy(both, film->pixels, n);
    sl_sha256(rgb, bytes, both + n);
    if (strcmp(both + n, film->newest) == 0)
        return;
    memcpy(film->newest, both + n, sizeof film->newest);
    sl_sha256(both, strlen(both), film->pixels);
}
