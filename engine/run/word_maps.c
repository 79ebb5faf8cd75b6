/* word_maps.c - what an evaluation leaves of its cross attentions (SlWordMaps): from the step's
 * [positions, tokens], summed over layers, to [tokens, height, width], their mean.
 *
 * Easy to get wrong: the parts of a prompt (AND) are evaluated one after another, each with the
 * negative prompt again, whose maps are those of the last part then.
 */
#include "engine/run/run_private.h"

#include <stdlib.h>

_Static_assert(SL_WORD_MAP_LEVELS == SL_MAP_LEVELS, "a run shows every level that a net has");

void sl_run_want_maps(SlRun *run, SlMapHalves halves)
{
    run->want_maps = halves;
}

void sl_run_map_levels(const SlRun *run, SlWordMaps *sizes)
{
    SlMapLevel levels[SL_MAP_LEVELS];
    const SlDenoiser *denoiser = sl_model_denoiser(run->model);
    *sizes = (SlWordMaps){0};
    if (denoiser && run->model->kind->ask)
        sizes->levels = sl_denoiser_map_levels(denoiser, run->height, run->width, levels);
    for (int i = 0; i < sizes->levels; i++)
        sizes->level[i] = (SlWordMapLevel){
            levels[i].height, levels[i].width, levels[i].layers, levels[i].middle, NULL, NULL};
}

/* Where the words of the negative prompt are: with perp-neg it is the second part. */
static int half_of_negative(const SlRunSide *side)
{
    return side->perp_neg ? 1 : 0;
}

/* The sizes of the run's maps, and room for them; behind them room for one level of the step's. */
static bool make_room(SlRun *run, const SlRunSide *side, const SlStep *step, SlError *err)
{
    SlWordMaps *m = &run->maps;
    SlMapLevel levels[SL_MAP_LEVELS];
    size_t positions = 0, largest = 0;
    m->levels = sl_step_map_levels(step, levels);
    m->tokens = sl_step_map_tokens(step, 1) * (side->perp_neg ? 1 : side->parts);
    m->negative_tokens =
        run->want_maps == SL_MAPS_BOTH ? sl_step_map_tokens(step, half_of_negative(side)) : 0;
    for (int i = 0; i < m->levels; i++) {
        size_t own = (size_t)levels[i].height * (size_t)levels[i].width;
        positions += own;
        largest = own > largest ? own : largest;
    }
    size_t rows = (size_t)(m->tokens + m->negative_tokens);
    size_t room = (positions + largest) * rows;
    if (room > run->map_room) {
        free(run->map_memory);
        run->map_memory = malloc(room * sizeof *run->map_memory);
        run->map_room = run->map_memory ? room : 0;
        if (!run->map_memory)
            return sl_fail(err, SL_MEMORY, "out of memory for the maps of the words");
    }
    float *at = run->map_memory;
    for (int i = 0; i < m->levels; i++) {
        size_t own = (size_t)levels[i].height * (size_t)levels[i].width;
        m->level[i] = (SlWordMapLevel){
            levels[i].height, levels[i].width, levels[i].layers, levels[i].middle, at, NULL};
        at += own * (size_t)m->tokens;
        m->level[i].negative = m->negative_tokens ? at : NULL;
        at += own * (size_t)m->negative_tokens;
    }
    return true;
}

/* from [positions, tokens] to to [tokens, positions], times scale */
static void turn(const float *from, int64_t positions, int tokens, float scale, float *to)
{
    for (int64_t p = 0; p < positions; p++)
        for (int t = 0; t < tokens; t++)
            to[t * positions + p] = from[p * tokens + t] * scale;
}

bool sl_run_take_maps(SlRun *run, const SlRunSide *side, SlStep *step, int r, int part,
                      SlError *err)
{
    int tokens = sl_step_map_tokens(step, 1);
    if (run->want_maps == SL_MAPS_NONE || tokens == 0)
        return true;
    if (part == 0 && !make_room(run, side, step, err))
        return false;
    const SlWordMaps *m = &run->maps;
    bool negative_part = side->perp_neg && part == 1;
    float copies = (float)(side->perp_neg ? side->copies[part] : 1); /* each got its share */
    for (int i = 0; i < m->levels; i++) {
        const SlWordMapLevel *level = &m->level[i];
        int64_t positions = (int64_t)level->height * level->width;
        float *text = (float *)level->text + (int64_t)part * tokens * positions;
        float *raw = run->map_memory + run->map_room - positions * (m->tokens + m->negative_tokens);
        float scale = copies / (float)level->layers;
        if (!negative_part) {
            if (!sl_step_map(step, r, 1, i, raw, err))
                return false;
            turn(raw, positions, tokens, scale, text);
        }
        if (m->negative_tokens == 0 || (side->perp_neg && part == 0))
            continue;
        if (!sl_step_map(step, r, half_of_negative(side), i, raw, err))
            return false;
        turn(raw, positions, m->negative_tokens, scale, (float *)level->negative);
    }
    run->has_maps = true;
    return true;
}
