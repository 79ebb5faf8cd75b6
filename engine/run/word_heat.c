/* word_heat.c - the map of a word over the sample, and how much it was looked at, from the maps of an
 * evaluation.
 *
 * Mirrors daam's trace.py, heatmap.py (all layers but the middle block's, mean of heads, layers and a
 * word's tokens) and torch's upsample_bicubic2d with align_corners=False, whose a is -0.75 and which
 * repeats the border.
 */
#include "engine/engine.h"

#include <math.h>
#include <stdlib.h>

void sl_words_free(SlWords *words)
{
    free(words->word);
    *words = (SlWords){0};
}

/* Rows that begin and end a chunk are left out. */
int sl_word_token(const SlWords *words, const SlWord *word, int n)
{
    int token = word->row, length = words->length;
    for (int left = n;; token++) {
        bool outside = token % length == 0 || token % length == length - 1;
        if (!outside && left-- == 0)
            return token;
    }
}

static bool is_meant(const SlWordMaps *maps, int i, int level)
{
    return level == SL_ALL_LEVELS ? !maps->level[i].middle : i == level;
}

/* The mean over a word's tokens, [height, width] of the level. */
static void mean_of_tokens(const SlWordMaps *maps, const SlWords *words, const SlWord *word,
                           int level, float *out)
{
    const SlWordMapLevel *l = &maps->level[level];
    int64_t places = (int64_t)l->height * l->width;
    int count = 0;
    for (int64_t p = 0; p < places; p++)
        out[p] = 0;
    for (int n = 0; n < word->rows; n++) {
        int token = sl_word_token(words, word, n);
        if (token >= maps->tokens)
            break;
        for (int64_t p = 0; p < places; p++)
            out[p] += l->text[token * places + p];
        count++;
    }
    for (int64_t p = 0; count > 0 && p < places; p++)
        out[p] /= (float)count;
}

/* ---- bicubic ---- */

static void weights_at(double t, double w[4])
{
    const double a = -0.75;
    for (int i = 0; i < 4; i++) {
        double x = fabs(t + 1 - i);
        w[i] = x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1
                      : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    }
}

/* One line of `from` values, `step` apart, to one of `to`. */
static void stretch(const float *in, int from, int64_t in_step, float *out, int to,
                    int64_t out_step)
{
    for (int i = 0; i < to; i++) {
        double at = ((double)i + 0.5) * from / to - 0.5, w[4], sum = 0;
        int base = (int)floor(at);
        weights_at(at - base, w);
        for (int k = 0; k < 4; k++) {
            int x = base - 1 + k;
            x = x < 0 ? 0 : x >= from ? from - 1 : x;
            sum += w[k] * in[x * in_step];
        }
        out[i * out_step] = (float)sum;
    }
}

/* ---- a word ---- */

bool sl_word_map_join(const SlWordMaps *maps, int level, int height, int width, float *out,
                      SlError *err)
{
    size_t room = 0;
    int layers = 0;
    for (int i = 0; i < maps->levels; i++) {
        size_t own = (size_t)maps->level[i].height * (size_t)width;
        room = own > room ? own : room;
    }
    float *wide = malloc((room + (size_t)height + 1) * sizeof *wide);
    if (!wide)
        return sl_fail(err, SL_MEMORY, "out of memory for the map of a word");
    float *column = wide + room;
    for (int64_t p = 0; p < (int64_t)height * width; p++)
        out[p] = 0;
    for (int i = 0; i < maps->levels; i++) {
        const SlWordMapLevel *l = &maps->level[i];
        if (!is_meant(maps, i, level))
            continue;
        for (int y = 0; y < l->height; y++)
            stretch(l->text + (int64_t)y * l->width, l->width, 1, wide + (int64_t)y * width, width,
                    1);
        for (int x = 0; x < width; x++) {
            stretch(wide + x, l->height, width, column, height, 1);
            for (int y = 0; y < height; y++)
                out[(int64_t)y * width + x] += column[y] > 0 ? column[y] * (float)l->layers : 0;
        }
        layers += l->layers;
    }
    for (int64_t p = 0; layers > 0 && p < (int64_t)height * width; p++)
        out[p] /= (float)layers;
    free(wide);
    return true;
}

bool sl_word_map(const SlWordMaps *maps, const SlWords *words, int word, int level, int height,
                 int width, float *out, SlError *err)
{
    size_t room = 1, used = 0;
    SlWordMaps own = *maps;
    for (int i = 0; i < maps->levels; i++)
        room += (size_t)maps->level[i].height * (size_t)maps->level[i].width;
    float *means = malloc(room * sizeof *means);
    if (!means)
        return sl_fail(err, SL_MEMORY, "out of memory for the map of a word");
    for (int i = 0; i < maps->levels; i++) {
        mean_of_tokens(maps, words, &words->word[word], i, means + used);
        own.level[i].text = means + used;
        used += (size_t)maps->level[i].height * (size_t)maps->level[i].width;
    }
    bool ok = sl_word_map_join(&own, level, height, width, out, err);
    free(means);
    return ok;
}

double sl_word_share(const SlWordMaps *maps, const SlWords *words, int word, int level)
{
    const SlWord *w = &words->word[word];
    double sum = 0, layers = 0;
    for (int i = 0; i < maps->levels; i++) {
        const SlWordMapLevel *l = &maps->level[i];
        int64_t places = (int64_t)l->height * l->width;
        double own = 0;
        if (!is_meant(maps, i, level))
            continue;
        for (int n = 0; n < w->rows; n++) {
            int token = sl_word_token(words, w, n);
            for (int64_t p = 0; token < maps->tokens && p < places; p++)
                own += l->text[token * places + p];
        }
        sum += own / (double)places * l->layers;
        layers += l->layers;
    }
    return layers > 0 ? sum / layers : 0;
}
