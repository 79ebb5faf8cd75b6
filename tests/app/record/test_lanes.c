/* test_lanes.c - lanes in turn and lined up, what they take of memory, and their file. */
#include "tests/app/record/lanes.h"

/* ---- in turn ---- */

static void test_lanes(SlModel *model)
{
    static const char *const ids[] = {"euler", "heun", "ddim", "pndm"};
    static const int steps[] = {6, 4, 8, 6}, evaluations[] = {6, 7, 8, 7};
    SlError err = {0};
    SlLanes *lanes = sl_lanes_new();
    int lane = 0, order[8], turns = 0;
    bool ok = true;
    for (int i = 0; i < 4; i++) {
        SlRecipe recipe = recipe_for(model, ids[i], steps[i]);
        ok = ok && sl_lanes_add(lanes, model, &recipe, NULL, 4, &err) == i;
    }
    while (ok && sl_lanes_next(lanes, model, &lane, &err) && lane >= 0)
        if (turns++ < 8)
            order[turns - 1] = lane;
    sl_test(ok && turns == 28 && !memcmp(order, (int[]){0, 1, 2, 3, 0, 1, 2, 3}, sizeof order),
            "four lanes advance in turn, 28 evaluations (%d) %s", turns, err.message);
    sl_test(sl_lanes_shared(lanes).texts == 2, "two texts are encoded for all (%d)",
            sl_lanes_shared(lanes).texts);
    for (int i = 0; i < 4; i++) {
        SlTimeline *t = sl_lanes_timeline(lanes, i);
        SlRecipe recipe = recipe_for(model, ids[i], steps[i]);
        SlTimeline *alone = record(model, &recipe, NULL);
        int last = sl_timeline_total(t) - 1;
        sl_test(last + 1 == evaluations[i] &&
                    !memcmp(sl_timeline_noise(t), sl_timeline_noise(sl_lanes_timeline(lanes, 0)),
                            bytes_of(t)) &&
                    !memcmp(sl_timeline_moment(t, last)->x_t, sl_timeline_moment(alone, last)->x_t,
                            bytes_of(t)),
                "lane %d is what it is alone, from the same noise", i);
        for (SlLineUp l = SL_LINE_UP_STEP; l <= SL_LINE_UP_EVALUATIONS; l++) {
            SlPlace end = sl_lanes_place(lanes, i, l, 1), start = sl_lanes_place(lanes, i, l, 0);
            /* heun's and pndm's first step ends with the second evaluation; pndm's second has the
             * noise level of the first */
            int begin = i == 3 && l == SL_LINE_UP_SIGMA ? 2 : i % 2;
            sl_test(end.lane == i && end.moment == last && start.moment == begin,
                    "by %s: its ends (%d, %d)", sl_line_up_names[l], start.moment, end.moment);
        }
        sl_timeline_free(alone);
    }
    sl_test(sl_lanes_stops(lanes, SL_LINE_UP_STEP) == 8 &&
                sl_lanes_value(lanes, SL_LINE_UP_STEP, 1) == 8,
            "by step: 8 positions");
    /* 4 evaluations: euler's step 4, heun's second step, pndm's third */
    double at = 3 / 7.;
    sl_test(sl_lanes_value(lanes, SL_LINE_UP_EVALUATIONS, at) == 4 &&
                sl_lanes_place(lanes, 0, SL_LINE_UP_EVALUATIONS, at).moment == 3 &&
                sl_lanes_place(lanes, 1, SL_LINE_UP_EVALUATIONS, at).moment == 3 &&
                sl_lanes_place(lanes, 3, SL_LINE_UP_EVALUATIONS, at).moment == 3,
            "by evaluations: the same cost");
    double position = sl_lanes_position(lanes, SL_LINE_UP_SIGMA, 0, 3);
    SlPlace place = sl_lanes_place(lanes, 0, SL_LINE_UP_SIGMA, position);
    double sigma = sl_timeline_moment(sl_lanes_timeline(lanes, 0), 3)->sigma;
    sl_test(place.moment == 3 &&
                fabs(sl_lanes_value(lanes, SL_LINE_UP_SIGMA, position) / sigma - 1) < 1e-9,
            "by sigma: a moment's position leads back to it");
    SlRecipe other = recipe_for(model, "ddim", 6);
    int b = sl_lanes_branch(lanes, model, 0, 3, &other, &err);
    while (b >= 0 && sl_lanes_next(lanes, model, &lane, &err) && lane >= 0)
        ;
    sl_test(b == 4 && sl_lanes_parent(lanes, b) == 0 &&
                sl_lanes_place(lanes, b, SL_LINE_UP_STEP, 0).lane == 0 &&
                sl_lanes_place(lanes, b, SL_LINE_UP_STEP, 1).lane == b,
            "a branch shows its parent before it begins %s", err.message);
    sl_lanes_free(lanes);
}

/* As large as nine lanes of 50 steps at 512 x 512 of a model with 4 channels and a factor of 8. */
static void test_memory(SlModel *model)
{
    static const char *const ids[] = {"pndm", "ddim",  "euler",    "euler-a",     "heun",
                                      "lms",  "unipc", "dpmpp-2m", "dpmpp-2m-sde"};
    SlError err = {0};
    SlLanes *lanes = sl_lanes_new();
    const SlModelInfo *info = sl_model_info(model);
    bool ok = info->channels == 4, whole = true;
    for (int i = 0; ok && i < 9; i++) {
        SlRecipe recipe = recipe_for(model, ids[i], 50);
        recipe.width = recipe.height = 64 * info->factor;
        ok = sl_lanes_add(lanes, model, &recipe, NULL, 9, &err) == i;
        whole = ok && whole && sl_timeline_interval(sl_lanes_timeline(lanes, i)) == 1;
    }
    sl_test(ok && whole && sl_lanes_bytes(lanes) < (size_t)200 << 20,
            "9 lanes of 50 steps keep every moment in %.1f MiB %s",
            (double)sl_lanes_bytes(lanes) / (1 << 20), err.message);
    sl_lanes_free(lanes);
}

/* ---- the file ---- */

static bool same_timeline(const SlTimeline *a, const SlTimeline *b)
{
    bool same = sl_timeline_count(a) == sl_timeline_count(b) &&
                sl_timeline_total(a) == sl_timeline_total(b) && bytes_of(a) == bytes_of(b) &&
                sl_recipe_equal(sl_timeline_recipe(a), sl_timeline_recipe(b)) &&
                sl_origin_depth(sl_timeline_origin(a)) == sl_origin_depth(sl_timeline_origin(b));
    for (int i = 0; same && i < sl_timeline_count(a); i++) {
        const SlMoment *m = sl_timeline_moment(a, i), *n = sl_timeline_moment(b, i);
        same = m->step == n->step && m->ends_step == n->ends_step && m->sigma == n->sigma &&
               m->timestep == n->timestep && m->work == n->work && m->seconds == n->seconds &&
               m->evaluation == n->evaluation && m->last == n->last && !m->x_t == !n->x_t;
        same = same && (!m->x_t || (!memcmp(m->x_t, n->x_t, bytes_of(a)) &&
                                    !memcmp(m->x_0, n->x_0, bytes_of(a))));
    }
    return same;
}

static SlLanes *make_lanes(SlModel *model)
{
    SlError err = {0};
    SlLanes *lanes = sl_lanes_new();
    SlRecipe a = recipe_for(model, "euler", 5), b = recipe_for(model, "heun", 4), c = a;
    int lane = 0;
    c.scheduler = "ddim";
    bool ok = sl_lanes_add(lanes, model, &a, NULL, 3, &err) == 0 &&
              sl_lanes_add(lanes, model, &b, NULL, 3, &err) == 1;
    for (int i = 0; ok && i < 10; i++) /* heun is left where it is */
        ok = sl_lanes_next(lanes, model, &lane, &err);
    ok = ok && sl_lanes_branch(lanes, model, 0, 2, &c, &err) == 2;
    sl_lanes_pause(lanes, 1, true);
    while (ok && sl_lanes_next(lanes, model, &lane, &err) && lane >= 0)
        ;
    if (!ok)
        sl_test_note("%s", err.message);
    return lanes;
}

/* Every damage of the file is one sentence, never a comparison. */
static void test_damage(const char *path, const char *bad)
{
    static uint8_t data[1 << 21];
    FILE *f = fopen(path, "rb");
    size_t bytes = f ? fread(data, 1, sizeof data, f) : 0;
    int refused = 0, tried = 0;
    if (f)
        fclose(f);
    for (size_t k = 0; bytes && k < 60; k++) {
        size_t at = 8 + (bytes - 9) * k / 60, cut = k % 2 ? bytes : at;
        uint8_t was = data[at];
        data[at] ^= 0x10;
        SlError err = {0};
        SlMetadata identity = {0};
        FILE *out = fopen(bad, "wb");
        fwrite(data, 1, cut, out);
        fclose(out);
        data[at] = was;
        SlLanes *lanes = sl_lanes_load(bad, &identity, &err);
        tried++;
        /* a changed preview, or a changed letter in a prompt, is another file, not a damaged one */
        refused += !lanes && err.message[0] && strstr(err.message, bad);
        if (lanes && cut < bytes)
            refused = -1000;
        if (lanes)
            sl_metadata_free(&identity);
        sl_lanes_free(lanes);
    }
    sl_test(refused >= 30 && tried == 60, "damaged files are refused by name: %d of %d", refused,
            tried);
}

static void test_file(SlModel *model)
{
    char path[] = "/tmp/safelight-lanes-XXXXXX.safelight", bad[64];
    int fd = mkstemps(path, 10);
    SlError err = {0};
    SlMetadata identity, read = {0};
    SlLanes *lanes = make_lanes(model);
    describe_model(model, &identity);
    bool ok = fd >= 0 && sl_lanes_save(lanes, model, &identity, path, &err);
    SlLanes *again = ok ? sl_lanes_load(path, &read, &err) : NULL;
    sl_test(again && sl_lanes_count(again) == 3 && sl_lanes_parent(again, 2) == 0 &&
                !strcmp(read.model, identity.model),
            "a comparison is saved and opened %s", err.message);
    SlLaneCheck checks[3] = {{0}};
    bool computed = again && sl_lanes_verify(again, model, checks, &err);
    for (int i = 0; again && i < 3; i++) {
        SlLaneCheck check = checks[i];
        sl_test(same_timeline(sl_lanes_timeline(lanes, i), sl_lanes_timeline(again, i)),
                "lane %d has all its moments", i);
        sl_test(computed && check.noise && check.same == check.kept && check.kept > 0,
                "and they are computed again to the same bytes (%d of %d) %s", check.same,
                check.kept, err.message);
    }
    if (again) {
        SlTimeline *t = sl_lanes_timeline(again, 1);
        while (!sl_timeline_done(t) && sl_timeline_next(t, model, &err))
            ;
        SlRecipe recipe = recipe_for(model, "heun", 4);
        SlTimeline *whole = record(model, &recipe, NULL);
        sl_test(sl_timeline_done(t) && !memcmp(sl_timeline_moment(t, 6)->x_t,
                                               sl_timeline_moment(whole, 6)->x_t, bytes_of(t)),
                "a lane that was not done goes on %s", err.message);
        sl_timeline_free(whole);
        sl_metadata_free(&read);
    }
    snprintf(bad, sizeof bad, "%s.bad", path);
    test_damage(path, bad);
    unlink(path);
    unlink(bad);
    if (fd >= 0)
        close(fd);
    sl_lanes_free(again);
    sl_lanes_free(lanes);
}

/* Which settings are a lane's own: all of the table, or those that are said. */
static void test_own(SlModel *model)
{
    char path[] = "/tmp/safelight-own-XXXXXX.safelight";
    int fd = mkstemps(path, 10);
    SlError err = {0};
    SlMetadata identity;
    SlLanes *lanes = make_lanes(model);
    SlLanesIn *in = calloc(1, sizeof *in);
    const uint64_t all = sl_settings_own(SL_SETTINGS_ALL);
    const uint64_t own[3] = {
        all, 0,
        sl_settings_own(SL_SETTING_BIT(SL_SETTING_STEPS) | SL_SETTING_BIT(SL_SETTING_CLIP_SKIP))};
    SlLanesOut out = {.lanes = lanes, .model = model, .identity = &identity};
    describe_model(model, &identity);
    for (int said = 0; in && said < 2; said++) {
        out.own = said ? own : NULL;
        bool ok = sl_lanes_write(&out, path, &err) && sl_lanes_read(in, path, &err);
        for (int i = 0; ok && i < 3; i++)
            ok = in->note[i].own == (said ? own[i] : all);
        sl_test(ok, "%s settings are a lane's own after it was opened %s",
                said ? "the named" : "all", err.message);
        sl_lanes_in_free(in);
    }
    for (int i = 0; i < SL_N_SETTINGS; i++) {
        uint64_t bit = sl_setting(i)->own;
        sl_test(bit <= UINT64_C(1) << 52 && (bit & (bit - 1)) == 0 &&
                    (!bit || sl_settings_of_own(bit) == SL_SETTING_BIT(i)),
                "%s has a bit of its own, or none", sl_setting(i)->key);
    }
    unlink(path);
    if (fd >= 0)
        close(fd);
    free(in);
    sl_lanes_free(lanes);
}

int main(void)
{
    SlModel *model = open_model("sd1");
    test_lanes(model);
    test_memory(model);
    test_file(model);
    test_own(model);
    sl_model_close(&model);
    return sl_test_done();
}
