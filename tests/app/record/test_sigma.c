/* test_sigma.c - the noise level of a step is one number wherever it is said: the one that the model
 * was asked at. A run's frames, its timeline, captions, and the file, to the last step. */
#include "lanes.h"

#include "app/record/record.h"

#define MOST 40

typedef struct Said {
    int count;
    double sigma[MOST];
} Said;

static bool hear(void *arg, SlRun *run, const SlFrame *frame, SlError *err)
{
    Said *said = arg;
    if (frame && said->count < MOST)
        said->sigma[said->count++] = frame->sigma;
    return true;
}

static Said run_says(SlModel *model, const SlRecipe *recipe)
{
    Said said = {0};
    SlError err = {0};
    SlGenerated picture;
    const SlGeneration job = {.model = model, .recipe = recipe, .frame = hear, .arg = &said};
    sl_test(sl_generate(&job, &picture, &err), "%s %s", recipe->scheduler, err.message);
    sl_picture_free(&picture);
    return said;
}

static void says(const SlTimeline *t, int i, double sigma, const char *where)
{
    SlMoment m = sl_timeline_planned(t, i);
    const SlStepCaption caption = {m.step + 1, sl_timeline_recipe(t)->steps, m.sigma, m.work};
    char text[128], expected[64];
    SlError err = {0};
    bool ok = sl_step_caption(&caption, text, sizeof text, &err);
    snprintf(expected, sizeof expected, ", sigma %.3g,", sigma);
    sl_test(ok && m.sigma == sigma && sigma > 0 && strstr(text, expected), "%s: %s", where, text);
}

static void test_scheduler(SlModel *model, const char *scheduler)
{
    SlRecipe recipe = recipe_for(model, scheduler, 4);
    Said said = run_says(model, &recipe);
    SlTimeline *t = record(model, &recipe, NULL);
    SlError err = {0};
    char path[] = "/tmp/safelight-sigma.XXXXXX.safelight";
    int fd = mkstemps(path, 10);
    SlMetadata m;
    SlLanes *lanes = sl_lanes_new();
    if (!t || fd < 0 || close(fd) != 0 || !lanes)
        return;
    sl_test(said.count == sl_timeline_total(t), "as many of both");
    for (int i = 0; i < said.count; i++)
        says(t, i, said.sigma[i], scheduler);
    sl_lanes_put(lanes, sl_timeline_ref(t), -1);
    describe_model(model, &m);
    sl_test(sl_lanes_save(lanes, model, &m, path, &err), "saved %s", err.message);
    SlMetadata *read = calloc(1, sizeof *read);
    SlLanes *again = read ? sl_lanes_load(path, read, &err) : NULL;
    for (int i = 0; again && i < said.count; i++)
        says(sl_lanes_timeline(again, 0), i, said.sigma[i], "of a file");
    sl_test(again != NULL, "opened %s", err.message);
    sl_lanes_free(again);
    if (read)
        sl_metadata_free(read);
    free(read);
    sl_lanes_free(lanes);
    sl_timeline_free(t);
    unlink(path);
}

int main(void)
{
    SlModel *model = open_model("sd1");
    if (!model)
        return 1;
    static const char *const schedulers[] = {"euler", "heun", "dpmpp-2m", "pndm", "lcm"};
    for (size_t i = 0; i < sizeof schedulers / sizeof *schedulers; i++)
        test_scheduler(model, schedulers[i]);
    sl_model_close(&model);
    return sl_test_done();
}
