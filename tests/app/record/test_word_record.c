/* test_word_record.c - what a timeline keeps of each word: what the run's own maps say, within what 8
 * bits hold; of all its moments, also after a rest and on a branch; within its budget.
 *
 * usage: test_word_record [DEVICE]: there only what runs keep */
#include "app/files/files.h"
#include "app/record/record.h"
#include "tests/app/record/lanes.h"

static const SlTimelineOptions with_words = {.words = true};

/* A row as one of the run's words at an evaluation, -1: it is none of them. */
static int word_of(const SlWords *words, const SlWordRow *row)
{
    for (int i = 0; row->kind == SL_ROW_WORD && i < words->words; i++)
        if (words->word[i].begin == row->begin && words->word[i].part == row->part)
            return i;
    return -1;
}

static double top_of(const SlWordRecord *r, int moment, int row)
{
    const float *figures = r->figures + ((size_t)r->slot[moment] * (size_t)r->rows + (size_t)row) *
                                            (1 + (size_t)r->levels);
    double top = 0;
    for (int i = 0; i < r->levels; i++)
        top = figures[1 + i] > top ? figures[1 + i] : top;
    return top;
}

/* The kept map of a row beside the frame's, at each level and at all of them. The bicubic weights add up to
 * at most 1.7 in size. */
static bool same_maps(const SlWordRecord *r, int moment, int row, const SlFrame *f,
                      const SlWords *words, int word)
{
    size_t places = (size_t)f->height * (size_t)f->width;
    float *kept = malloc(places * sizeof *kept), *own = malloc(places * sizeof *own);
    double allowed = top_of(r, moment, row) * 0.5 / 255 * 1.7 + 1e-7;
    SlError err = {0};
    bool ok = kept && own;
    for (int level = SL_ALL_LEVELS; ok && level < r->levels; level++) {
        ok = sl_word_record_map(r, moment, row, level, f->height, f->width, kept, &err) &&
             sl_word_map(f->maps, words, word, level, f->height, f->width, own, &err);
        for (size_t p = 0; ok && p < places; p++)
            ok = fabs((double)kept[p] - own[p]) <= allowed;
        double share = sl_word_record_share(r, moment, row, level);
        ok = ok && fabs(share - sl_word_share(f->maps, words, word, level)) <=
                       0.5 / 255 * top_of(r, moment, row) * words->word[word].rows + 1e-6;
    }
    free(kept);
    free(own);
    return ok;
}

static double sum_of_shares(const SlWordRecord *r, int moment)
{
    double sum = 0;
    for (int row = 0; row < r->rows; row++)
        sum += sl_word_record_share(r, moment, row, SL_ALL_LEVELS);
    return sum;
}

/* Every moment of t beside the run of its recipe. */
static void compare_with_run(SlModel *model, SlTimeline *t, int parts, const char *what)
{
    SlError err = {0};
    const SlWordRecord *r = sl_timeline_words(t);
    SlRun *run = sl_run_new(model, sl_timeline_recipe(t), NULL, &err);
    bool ok = r && run, told = true, all = true;
    int compared = 0;
    if (ok)
        sl_run_want_maps(run, SL_MAPS_TEXT);
    for (int k = 0; ok && k < sl_timeline_count(t); k++) {
        SlFrame f;
        SlWords words = {0};
        ok = sl_run_next(run, &f, &err) && sl_run_words(run, k, &words, &err) &&
             sl_word_record_has(r, k) && !memcmp(f.x_t, sl_timeline_moment(t, k)->x_t, bytes_of(t));
        for (int row = 0; ok && row < r->rows; row++) {
            int word = word_of(&words, &r->row[row]);
            told = told && (r->row[row].kind != SL_ROW_WORD ||
                            (word >= 0) == sl_word_record_told(r, k, row));
            if (word >= 0 && sl_word_record_told(r, k, row)) {
                ok = same_maps(r, k, row, &f, &words, word);
                compared++;
            }
        }
        all = all && fabs(sum_of_shares(r, k) - parts) < 0.02;
        sl_words_free(&words);
    }
    sl_test(ok && compared > 0, "%s: the maps are the run's, at each level: %s", what, err.message);
    sl_test(told, "%s: a word has a map where it was told", what);
    sl_test(all, "%s: what all words of a part were looked at is 1", what);
    sl_run_free(run);
}

static void test_recording(SlModel *model, const char *prompt, int rows)
{
    SlRecipe recipe = recipe_for(model, "euler", 4);
    recipe.prompt = prompt;
    recipe.prompt_mode = SL_PROMPT_A1111;
    SlTimeline *t = record(model, &recipe, &with_words), *plain = record(model, &recipe, NULL);
    const SlWordRecord *r = sl_timeline_words(t);
    sl_test(r && r->rows == rows, "%s: %d rows, of %d", prompt, r ? r->rows : 0, rows);
    compare_with_run(model, t, strstr(prompt, "AND") ? 2 : 1, prompt);
    sl_test(!sl_timeline_words(plain) && sl_timeline_bytes(plain) < sl_timeline_bytes(t),
            "without them nothing is kept");
    sl_timeline_free(plain);
    sl_timeline_free(t);
}

static void test_scheduled(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "euler", 4);
    recipe.prompt = "a [red:blue:2] house";
    recipe.prompt_mode = SL_PROMPT_A1111;
    SlTimeline *t = record(model, &recipe, &with_words);
    const SlWordRecord *r = sl_timeline_words(t);
    int red = -1, blue = -1;
    for (int i = 0; r && i < r->rows; i++) {
        if (!strncmp(recipe.prompt + r->row[i].begin, "red", 3))
            red = i;
        if (!strncmp(recipe.prompt + r->row[i].begin, "blue", 4))
            blue = i;
    }
    float one[4];
    SlError err = {0};
    sl_test(red >= 0 && blue >= 0 && sl_word_record_told(r, 0, red) &&
                !sl_word_record_told(r, 0, blue) && !sl_word_record_told(r, 3, red) &&
                sl_word_record_told(r, 3, blue) &&
                sl_word_record_share(r, 0, blue, SL_ALL_LEVELS) == 0,
            "a schedule's words have maps while they are told");
    sl_test(blue >= 0 && !sl_word_record_map(r, 0, blue, SL_ALL_LEVELS, 2, 2, one, &err) &&
                strstr(err.message, "not told"),
            "before, there is none: %s", err.message);
    sl_timeline_free(t);
}

/* ---- after a rest, on a branch, in a head ---- */

static void test_going_on(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "heun", 4);
    SlError err = {0};
    SlTimeline *t = sl_timeline_new(model, &recipe, &with_words, &err);
    bool ok = t && sl_timeline_next(t, model, &err) && sl_timeline_next(t, model, &err);
    if (ok)
        sl_timeline_rest(t);
    while (ok && !sl_timeline_done(t))
        ok = sl_timeline_next(t, model, &err);
    if (sl_test(ok, "a run goes on after a rest %s", err.message))
        compare_with_run(model, t, 1, "after a rest");
    SlTimeline *head = sl_timeline_head(t, 3);
    sl_test(head && sl_timeline_words(head) == sl_timeline_words(t), "a head shares them");
    SlTimeline *b = sl_timeline_branch(model, t, 2, &recipe, &with_words, &err);
    while (b && !sl_timeline_done(b) && sl_timeline_next(b, model, &err))
        ;
    const SlWordRecord *own = b ? sl_timeline_words(b) : NULL, *parent = sl_timeline_words(t);
    int last = b ? sl_timeline_total(b) - 1 : 0, end = sl_timeline_total(t) - 1;
    sl_test(own && own->moments == last + 1 && sl_word_record_has(own, 0) &&
                sl_word_record_share(own, last, 2, 0) == sl_word_record_share(parent, end, 2, 0),
            "a branch has its own, which end alike: %s", err.message);
    sl_timeline_free(b);
    sl_timeline_free(head);
    sl_timeline_free(t);
}

/* ---- in few bytes ---- */

static void test_limits(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "euler", 6);
    recipe.width = recipe.height = 128;
    SlError err = {0};
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    for (int divide = 1; run && divide <= 64; divide *= 4) {
        SlWordRecord *r = NULL;
        bool ok = sl_word_record_new(&r, run, 6, &err) && r;
        size_t whole = ok ? sl_word_record_bytes(r) : 0, limit = whole / (size_t)divide;
        if (ok)
            sl_word_record_fit(r, limit);
        ok = ok && sl_word_record_keep(r, &err);
        bool last = ok && r->slot[5] == r->slots - 1;
        sl_test(last && (sl_word_record_bytes(r) <= limit || r->slots == 1),
                "a limit of %zu: %d moments, %d high, %zu bytes %s", limit, ok ? r->slots : 0,
                ok ? r->level[0].kept_height : 0, ok ? sl_word_record_bytes(r) : 0, err.message);
        sl_word_record_free(r);
    }
    sl_run_free(run);

    /* what is kept in fewer places is their mean */
    SlTimelineOptions small = {.words = true, .budget = 40 << 10};
    SlTimeline *t = record(model, &recipe, &with_words), *less = record(model, &recipe, &small);
    const SlWordRecord *a = t ? sl_timeline_words(t) : NULL;
    const SlWordRecord *b = less ? sl_timeline_words(less) : NULL;
    bool ok = a && b && b->level[0].kept_height < b->level[0].height && sl_word_record_has(b, 5);
    double kept = ok ? sl_word_record_share(b, 5, 0, 0) : 0,
           own = ok ? sl_word_record_share(a, 5, 0, 0) : 1;
    sl_test(ok && fabs(kept - own) <= 0.01 * own,
            "joined places keep what a word was looked at: "
            "%g of %g",
            kept, own);
    sl_timeline_free(less);
    sl_timeline_free(t);
}

/* ---- in files ---- */

static char folder[] = "/tmp/safelight-words.XXXXXX";

static bool same_record(const SlWordRecord *a, const SlWordRecord *b)
{
    bool ok = a && b && a->rows == b->rows && a->levels == b->levels && a->moments == b->moments;
    for (int i = 0; ok && i < a->rows; i++)
        ok = a->row[i].kind == b->row[i].kind && a->row[i].begin == b->row[i].begin &&
             a->row[i].end == b->row[i].end && a->row[i].part == b->row[i].part &&
             a->row[i].weight == b->row[i].weight;
    for (int m = 0; ok && m < a->moments; m++)
        for (int row = 0; ok && row < a->rows; row++) {
            float x[16 * 16] = {0}, y[16 * 16] = {0};
            SlError err = {0};
            bool told = sl_word_record_told(a, m, row);
            ok = told == sl_word_record_told(b, m, row) &&
                 (!told || (sl_word_record_map(a, m, row, 0, 16, 16, x, &err) &&
                            sl_word_record_map(b, m, row, 0, 16, 16, y, &err))) &&
                 !memcmp(x, y, sizeof x) &&
                 sl_word_record_share(a, m, row, SL_ALL_LEVELS) ==
                     sl_word_record_share(b, m, row, SL_ALL_LEVELS);
        }
    return ok;
}

/* The file's bytes with one place of them changed; what says the lanes' reader? */
static void refuse(const char *path, const char *from, const char *to, const char *expected)
{
    size_t size = 0, length = strlen(from);
    SlError err = {0};
    SlMetadata m;
    char changed[100];
    snprintf(changed, sizeof changed, "%s/changed.safelight", folder);
    uint8_t *file = sl_read_file(path, 1 << 24, &size, &err);
    uint8_t *at = file ? memmem(file, size, from, length) : NULL;
    if (!sl_test(at != NULL && strlen(to) == length, "the file has %s", from)) {
        free(file);
        return;
    }
    memcpy(at, to, length);
    bool written = sl_write_file(changed, file, size, &err);
    SlLanes *lanes = written ? sl_lanes_load(changed, &m, &err) : NULL;
    sl_test(written && !lanes && strstr(err.message, expected) &&
                strstr(err.message, "changed.safelight"),
            "%s for %s: %s", to, from, err.message);
    sl_lanes_free(lanes);
    sl_metadata_free(&m);
    unlink(changed);
    free(file);
}

static void refuse_all(const char *path)
{
    refuse(path, "\\\"levels\\\":[[8,8,8,8", "\\\"levels\\\":[[8,8,9,8",
           "level without usable sizes");
    refuse(path, "\\\"levels\\\":[[8,8,8,8", "\\\"levels\\\":[[8,8,4,8",
           "lane.0.words is missing, or is not");
    refuse(path, "[[8,8,8,8,5,0]", "[[8,8,8,8,5,7]", "level without usable sizes");
    refuse(path, "\\\"rows\\\":[[0,0,1,", "\\\"rows\\\":[[1,0,1,", "no word of its prompt");
    refuse(path, "\\\"rows\\\":[[0,0,1,", "\\\"rows\\\":[[0,9,1,", "no word of its prompt");
    refuse(path, "\\\"words_sha256\\\":\\\"", "\\\"words_sha25x\\\":\\\"",
           "words were changed or damaged");
    refuse(path, "lane.0.word_figures", "lane.0.word_figurez", "lane.0.word_figures is missing");
}

/* A branch's ancestors have theirs in their own lane. */
static void test_file(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "euler", 3);
    SlError err = {0};
    SlMetadata identity, read;
    char path[100];
    SlLanes *lanes = sl_lanes_new();
    SlTimeline *t = record(model, &recipe, &with_words);
    SlTimeline *b = sl_timeline_branch(model, t, 1, &recipe, &with_words, &err);
    SlTimeline *plain = record(model, &recipe, NULL);
    while (b && !sl_timeline_done(b) && sl_timeline_next(b, model, &err))
        ;
    sl_lanes_put(lanes, t, -1);
    sl_lanes_put(lanes, b, 0);
    sl_lanes_put(lanes, plain, -1);
    describe_model(model, &identity);
    snprintf(path, sizeof path, "%s/words.safelight", folder);
    bool ok = sl_lanes_save(lanes, model, &identity, path, &err);
    SlLanes *back = ok ? sl_lanes_load(path, &read, &err) : NULL;
    if (sl_test(back != NULL, "lanes with words are saved and read: %s", err.message)) {
        for (int i = 0; i < 2; i++)
            sl_test(same_record(sl_timeline_words(sl_lanes_timeline(lanes, i)),
                                sl_timeline_words(sl_lanes_timeline(back, i))),
                    "lane %d: words come back as they were", i + 1);
        sl_test(!sl_timeline_words(sl_lanes_timeline(back, 2)), "a lane without words has none");
        refuse_all(path);
        sl_metadata_free(&read);
    }
    sl_lanes_free(back);
    sl_lanes_free(lanes);
    sl_metadata_free(&identity);
    unlink(path);
}

static void test_no_words(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "ddpm", 2);
    SlTimeline *t = record(model, &recipe, &with_words);
    sl_test(t && sl_timeline_done(t) && !sl_timeline_words(t),
            "a model that is told no words has none");
    sl_timeline_free(t);
}

static void test_all(SlModel *model)
{
    test_scheduled(model);
    test_going_on(model);
    test_limits(model);
    if (sl_test(mkdtemp(folder) != NULL, "there is a folder for files"))
        test_file(model);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    SlModel *model = open_model_on(argc > 1 ? argv[1] : "cpu", "sd1");
    if (sl_test(model != NULL, "the model opens")) {
        test_recording(model, "a red house", 5);
        test_recording(model, "a (red:1.4) house AND a blue boat", 8);
        if (argc == 1)
            test_all(model);
    }
    sl_model_close(&model);
    if (argc == 1 && (model = open_model("ddpm")))
        test_no_words(model);
    sl_model_close(&model);
    return sl_test_done();
}
