/* word_maps.c - see word_maps.h. A word's map is the mean of the evaluations that were told the word; a
 * schedule in the prompt changes the words on the way, so they are known by their place in the prompt. */
#include "app/cli/word_maps.h"
#include "app/files/files.h"
#include "app/image/image.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The mean of what was looked at where, of one word. */
typedef struct Entry {
    SlWord word;
    int evaluations; /* that were told it */
    float *map;      /* their sum */
    double *share;   /* [evaluations of the run]; 0 where it was not told */
} Entry;

typedef struct Moment {
    int step;
    double timestep, sigma;
} Moment;

struct SlWordBook {
    const char *folder;
    int height_meant; /* of the level, 0: all of them */
    int level;        /* SL_ALL_LEVELS, or which */
    char *prompt;
    Entry *entry;
    int entries, room;
    int height, width; /* of the sample */
    float *one;        /* a map of one evaluation */
    Moment *moment;
    int evaluations, done;
    SlWordMaps maps; /* sizes alone */
};

static bool no_memory(SlError *err)
{
    return sl_fail(err, SL_MEMORY, "memory ran out for the maps of the words");
}

bool sl_word_maps_check(const SlOptions *o, SlError *err)
{
    const char *path = o->word_maps, *problem = path ? sl_make_folder(path) : NULL;
    if (o->word_level > 0 && !path)
        return sl_fail(
            err, SL_ARGUMENT,
            "--word-level chooses among the maps of --word-maps FOLDER, which is missing");
    return !problem ||
           sl_fail(err, SL_IO, "%s: the folder for word maps cannot be made: %s", path, problem);
}

bool sl_word_maps_open(const SlSession *session, SlWordBook **book, SlError *err)
{
    const SlOptions *o = session->options;
    const SlModelInfo *info = sl_model_info(session->model);
    *book = NULL;
    if (!o->word_maps)
        return true;
    if (info->prompt_tokens == 0)
        return sl_fail(err, SL_ARGUMENT,
                       "--word-maps shows what the words of a prompt do, and %s is a model without "
                       "one",
                       info->name);
    *book = calloc(1, sizeof **book);
    if (!*book)
        return no_memory(err);
    (*book)->folder = o->word_maps;
    (*book)->height_meant = o->word_level > 0 ? (int)o->word_level : 0;
    (*book)->level = SL_ALL_LEVELS;
    return true;
}

void sl_word_maps_free(SlWordBook *book)
{
    if (!book)
        return;
    for (int i = 0; i < book->entries; i++) {
        free(book->entry[i].map);
        free(book->entry[i].share);
    }
    free(book->entry);
    free(book->one);
    free(book->moment);
    free(book->prompt);
    free(book);
}

/* ---- while the run goes ---- */

/* Which of the levels is meant; *err names those that there are. */
static bool find_level(SlWordBook *book, SlError *err)
{
    char heights[120] = "";
    for (int i = 0; i < book->maps.levels; i++) {
        size_t used = strlen(heights);
        int height = book->maps.level[i].height;
        if (height == book->height_meant) {
            book->level = i;
            return true;
        }
        snprintf(heights + used, sizeof heights - used, "%s%d", i ? ", " : "", height);
    }
    return book->height_meant == 0 ||
           sl_fail(err, SL_ARGUMENT, "--word-level %d: the levels of this picture are %s high",
                   book->height_meant, heights);
}

static bool begin(SlWordBook *book, SlRun *run, SlError *err)
{
    sl_run_want_maps(run, SL_MAPS_TEXT);
    book->evaluations = sl_run_evaluations(run);
    book->prompt = strdup(sl_run_recipe(run)->prompt);
    book->moment = calloc((size_t)book->evaluations + 1, sizeof *book->moment);
    sl_run_map_levels(run, &book->maps);
    return ((book->prompt && book->moment) || no_memory(err)) && find_level(book, err);
}

static Entry *entry_of(SlWordBook *book, const SlWord *word, SlError *err)
{
    for (int i = 0; i < book->entries; i++)
        if (book->entry[i].word.begin == word->begin && book->entry[i].word.part == word->part)
            return &book->entry[i];
    if (book->entries == book->room) {
        int room = book->room ? 2 * book->room : 32;
        Entry *more = realloc(book->entry, (size_t)room * sizeof *more);
        if (!more) {
            no_memory(err);
            return NULL;
        }
        book->entry = more;
        book->room = room;
    }
    Entry *e = &book->entry[book->entries];
    *e = (Entry){.word = *word};
    e->map = calloc((size_t)book->height * (size_t)book->width, sizeof *e->map);
    e->share = calloc((size_t)book->evaluations, sizeof *e->share);
    book->entries++;
    if (e->map && e->share)
        return e;
    no_memory(err);
    return NULL;
}

static bool add_word(SlWordBook *book, const SlFrame *frame, const SlWords *words, int i,
                     SlError *err)
{
    size_t places = (size_t)book->height * (size_t)book->width;
    Entry *e = entry_of(book, &words->word[i], err);
    if (!e ||
        !sl_word_map(frame->maps, words, i, book->level, book->height, book->width, book->one, err))
        return false;
    for (size_t p = 0; p < places; p++)
        e->map[p] += book->one[p];
    e->share[frame->evaluation] = sl_word_share(frame->maps, words, i, book->level);
    e->evaluations++;
    return true;
}

bool sl_word_maps_frame(SlWordBook *book, SlRun *run, const SlFrame *frame, SlError *err)
{
    SlWords words = {0};
    if (!book)
        return true;
    if (!frame)
        return begin(book, run, err);
    if (!frame->maps)
        return true;
    book->height = frame->height;
    book->width = frame->width;
    book->moment[frame->evaluation] = (Moment){frame->step + 1, frame->timestep, frame->sigma};
    if (!book->one)
        book->one = malloc((size_t)book->height * (size_t)book->width * sizeof *book->one);
    bool ok = (book->one || no_memory(err)) && sl_run_words(run, frame->evaluation, &words, err);
    for (int i = 0; ok && i < words.words; i++)
        ok = add_word(book, frame, &words, i, err);
    book->done = frame->evaluation + 1;
    sl_words_free(&words);
    return ok;
}

/* ---- what is written ---- */

/* "03-lake.png"; signs that file systems have other uses for are left out. */
static void name_of(const SlWordBook *book, int i, char name[64])
{
    const SlWord *w = &book->entry[i].word;
    int used = snprintf(name, 64, "%02d-", i + 1);
    for (int k = w->begin; k < w->end && used < 48; k++) {
        char c = book->prompt[k];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain)
            name[used++] = c;
    }
    snprintf(name + used, 64 - (size_t)used, ".png");
}

static double mean_share(const Entry *e, int evaluations)
{
    double sum = 0;
    for (int i = 0; i < evaluations; i++)
        sum += e->share[i];
    return e->evaluations ? sum / e->evaluations : 0;
}

/* Of the word's text, at most so many. */
static int bytes_of(const Entry *e, int most)
{
    int bytes = e->word.end - e->word.begin;
    return bytes < most ? bytes : most;
}

/* An entry's map as the mean of its evaluations, over the picture. */
static SlHeat heat_of(const SlWordBook *book, const Entry *e, const SlGenerated *picture)
{
    SlHeat heat = {.value = e->map,
                   .height = book->height,
                   .width = book->width,
                   .rgb = picture->rgb,
                   .picture_height = picture->height,
                   .picture_width = picture->width};
    sl_heat_range(e->map, (size_t)book->height * (size_t)book->width, &heat.low, &heat.high);
    return heat;
}

static bool save_word(const SlWordBook *book, int i, const SlGenerated *picture, SlError *err)
{
    const Entry *e = &book->entry[i];
    char name[64], title[300], low[16], high[16], *path = NULL;
    int width, height;
    const SlHeat heat = heat_of(book, e, picture);
    name_of(book, i, name);
    snprintf(title, sizeof title, "%.*s   %.1f %%", bytes_of(e, 200), book->prompt + e->word.begin,
             100 * mean_share(e, book->done));
    snprintf(low, sizeof low, "%.2g %%", 100.0 * heat.low / e->evaluations);
    snprintf(high, sizeof high, "%.2g %%", 100.0 * heat.high / e->evaluations);
    const SlHeatLabels labels = {title, low, high};
    uint8_t *rgb = sl_heat_render(&heat, &labels, &width, &height, err);
    bool ok = rgb && (asprintf(&path, "%s/%s", book->folder, name) >= 0 || no_memory(err)) &&
              sl_png_write(path, rgb, width, height, NULL, 0, err);
    free(path);
    free(rgb);
    return ok;
}

/* The picture, then each word's map over it. */
static bool save_sheet(const SlWordBook *book, const SlGenerated *picture, SlError *err)
{
    size_t bytes = (size_t)picture->width * (size_t)picture->height * 3;
    int count = book->entries + 1, width, height;
    SlSheetTile *tile = calloc((size_t)count, sizeof *tile);
    uint8_t *drawn = malloc(bytes * (size_t)count), *rgb = NULL;
    char *path = NULL;
    bool ok =
        (tile && drawn && asprintf(&path, "%s/words.png", book->folder) >= 0) || no_memory(err);
    if (ok)
        tile[0] = (SlSheetTile){.rgb = picture->rgb, .title = "the picture"};
    for (int i = 1; ok && i < count; i++) {
        const Entry *e = &book->entry[i - 1];
        const SlHeat heat = heat_of(book, e, picture);
        sl_heat_draw(&heat, drawn + bytes * (size_t)i);
        tile[i].rgb = drawn + bytes * (size_t)i;
        snprintf(tile[i].title, sizeof tile[i].title, "%.*s", bytes_of(e, 60),
                 book->prompt + e->word.begin);
        snprintf(tile[i].detail, sizeof tile[i].detail, "%.1f %% of the looks, up to %.2g %%",
                 100 * mean_share(e, book->done), 100.0 * heat.high / e->evaluations);
    }
    const SlSheet sheet = {.width = picture->width,
                           .height = picture->height,
                           .heading = book->prompt,
                           .count = count,
                           .tile = tile};
    ok = ok && (rgb = sl_sheet_render(&sheet, &width, &height, err)) &&
         sl_png_write(path, rgb, width, height, NULL, 0, err);
    free(tile);
    free(drawn);
    free(rgb);
    free(path);
    return ok;
}

static void list_words(const SlWordBook *book, SlJsonOut *out, cJSON *root)
{
    cJSON *list = sl_out_array(out, root, "words");
    for (int i = 0; i < book->entries; i++) {
        const Entry *e = &book->entry[i];
        char name[64];
        char *text = strndup(book->prompt + e->word.begin, (size_t)(e->word.end - e->word.begin));
        cJSON *word = sl_out_object(out, list, NULL);
        name_of(book, i, name);
        out->failed |= !text;
        sl_out_text(out, word, "word", text ? text : "");
        sl_out_number(out, word, "begin", e->word.begin);
        sl_out_number(out, word, "end", e->word.end);
        sl_out_number(out, word, "part", e->word.part + 1);
        sl_out_number(out, word, "weight", e->word.weight);
        sl_out_text(out, word, "file", name);
        sl_out_number(out, word, "share", mean_share(e, book->done));
        sl_out_row(out, word, "shares", e->share, book->done);
        free(text);
    }
}

static bool save_json(const SlWordBook *book, SlError *err)
{
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    sl_out_text(&out, root, "prompt", book->prompt);
    cJSON *levels = sl_out_array(&out, root, "levels");
    for (int i = 0; i < book->maps.levels; i++) {
        const SlWordMapLevel *l = &book->maps.level[i];
        bool meant = book->level == SL_ALL_LEVELS ? !l->middle : i == book->level;
        cJSON *level = sl_out_object(&out, levels, NULL);
        sl_out_number(&out, level, "height", l->height);
        sl_out_number(&out, level, "width", l->width);
        sl_out_number(&out, level, "layers", l->layers);
        sl_out_bool(&out, level, "middle", l->middle);
        sl_out_bool(&out, level, "shown", meant);
    }
    cJSON *moments = sl_out_array(&out, root, "evaluations");
    for (int i = 0; i < book->done; i++) {
        cJSON *moment = sl_out_object(&out, moments, NULL);
        sl_out_number(&out, moment, "step", book->moment[i].step);
        sl_out_number(&out, moment, "timestep", book->moment[i].timestep);
        sl_out_number(&out, moment, "sigma", book->moment[i].sigma);
    }
    list_words(book, &out, root);
    char *text = sl_out_end_text(&out, root), *path = NULL;
    bool ok = (text && asprintf(&path, "%s/words.json", book->folder) >= 0) || no_memory(err);
    ok = ok && sl_write_file(path, text, strlen(text), err);
    free(path);
    free(text);
    return ok;
}

bool sl_word_maps_save(const SlWordBook *book, const SlGenerated *picture, SlError *err)
{
    bool ok = true;
    for (int i = 0; book && ok && i < book->entries; i++)
        ok = save_word(book, i, picture, err);
    return !book || (ok && save_sheet(book, picture, err) && save_json(book, err));
}
