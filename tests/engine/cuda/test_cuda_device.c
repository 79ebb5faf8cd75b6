/* test_cuda_device.c - what the cuda device promises beyond its operations: the same bytes again,
 * also when a step is replayed, one recording per size, pictures beside a run, and failures that
 * are survived or remembered.
 *
 * usage: test_cuda_device DTYPE [fault]. Runs on the emulation in the ordinary suite and on a GPU
 * with tests/gpu/run.
 */
#include "engine/pipelines/pipelines.h"
#include "tests/test.h"

#include <string.h>

#define STEPS 4

static const char *dtype;

static SlModel *open_model(const char *name)
{
    char relative[128];
    SlError err = {0};
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *folder = sl_test_path(relative);
    SlModel *model =
        sl_model_open(folder, &(SlModelOptions){.device = "cuda", .dtype = dtype}, &err);
    if (!model)
        sl_test_note("%s", err.message);
    free(folder);
    return model;
}

/* ---- recordings counted, or forbidden ---- */

static SlOps counting;
static const SlOps *real;
static int captures, replays;

static void *counted_capture(SlDevice *dev, void (*work)(void *arg), void *arg)
{
    captures++;
    return real->capture(dev, work, arg);
}

static void counted_replay(SlDevice *dev, void *captured)
{
    replays++;
    real->replay(dev, captured);
}

static void count_recordings(SlDevice *dev, bool allowed)
{
    real = dev->ops;
    counting = *dev->ops;
    counting.capture = allowed ? counted_capture : NULL;
    counting.replay = counted_replay;
    captures = replays = 0;
    dev->ops = &counting;
}

/* ---- runs ---- */

typedef struct Digest {
    char hex[STEPS][65]; /* of the sample after each evaluation */
} Digest;

static SlRecipe recipe_for(SlModel *model, const char *prompt, uint64_t seed)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = prompt;
    recipe.scheduler = "euler";
    recipe.steps = STEPS;
    recipe.seed = seed;
    return recipe;
}

static Digest digest_of(SlModel *model, const SlRecipe *recipe)
{
    Digest d = {{{0}}};
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    for (int i = 0; run && i < STEPS; i++) {
        if (!sl_run_next(run, NULL, &err))
            break;
        sl_sha256(sl_run_sample(run), (size_t)sl_run_sample_elements(run) * sizeof(float),
                  d.hex[i]);
    }
    if (err.code != SL_OK)
        sl_test_note("%s", err.message);
    sl_run_free(run);
    return d;
}

static bool same(const Digest *a, const Digest *b)
{
    return a->hex[STEPS - 1][0] && !memcmp(a, b, sizeof *a);
}

static void test_recording(const char *name)
{
    SlModel *model = open_model(name);
    if (!sl_test(model != NULL, "%s opens on cuda in %s", name, dtype))
        return;
    SlDevice *dev = sl_model_device(model);
    const SlOps *own = dev->ops;
    SlRecipe horse = recipe_for(model, "a horse", 1), moon = recipe_for(model, "the moon", 2);
    moon.guidance = 3;
    count_recordings(dev, false);
    Digest horse_eager = digest_of(model, &horse), moon_eager = digest_of(model, &moon);
    sl_test(replays == 0, "%s: without recording nothing is replayed", name);
    dev->ops = own;
    count_recordings(dev, true);
    Digest horse_replayed = digest_of(model, &horse), moon_replayed = digest_of(model, &moon);
    Digest again = digest_of(model, &horse);
    sl_test(captures == 1 && replays >= 2 * STEPS,
            "%s: one recording for three runs (%d, replayed %d times)", name, captures, replays);
    sl_test(same(&horse_eager, &horse_replayed),
            "%s: eager, recorded and replayed steps give the same bytes", name);
    sl_test(same(&moon_eager, &moon_replayed),
            "%s: so they do with the recording of another prompt and guidance", name);
    sl_test(same(&horse_replayed, &again), "%s: the same recipe gives the same bytes", name);
    int multiple = sl_model_info(model)->size_multiple;
    horse.width = sl_model_info(model)->width + multiple;
    digest_of(model, &horse);
    sl_test(captures == 2, "%s: another size is recorded anew", name);
    dev->ops = own;
    sl_model_close(&model);
}

/* ---- pictures beside the run ---- */

static void test_beside(void)
{
    SlModel *model = open_model("sd1");
    SlError err = {0};
    SlFrame frame;
    SlRecipe recipe = recipe_for(model, "a horse", 1);
    size_t bytes = (size_t)sl_model_info(model)->width * (size_t)sl_model_info(model)->height * 3;
    uint8_t *beside = calloc(1, bytes), *plain = calloc(1, bytes);
    Digest without = digest_of(model, &recipe), with = {{{0}}};
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    float *x0 = calloc((size_t)sl_run_sample_elements(run), sizeof *x0);
    bool begun = true, equal = true;
    for (int i = 0; run && i < STEPS && sl_run_next(run, &frame, &err); i++) {
        size_t size = (size_t)sl_run_sample_elements(run) * sizeof(float);
        sl_sha256(sl_run_sample(run), size, with.hex[i]);
        if (i > 0)
            equal = equal && sl_decode_take(model, beside) &&
                    sl_decode(model, x0, frame.height, frame.width, NULL, plain, &err) &&
                    !memcmp(beside, plain, bytes);
        memcpy(x0, frame.x_0, size);
        begun = begun && sl_decode_begin(model, x0, frame.height, frame.width);
        begun = begun && !sl_decode_begin(model, x0, frame.height, frame.width);
        sl_decode_ready(model); /* that the stream is not done yet is not left behind as an error */
    }
    sl_test(begun, "a picture is begun after every step, one at a time %s", err.message);
    sl_test(equal, "pictures beside the run are those of the plain way");
    sl_test(same(&without, &with), "the run does not notice");
    sl_test(sl_decode_take(model, NULL) && !sl_decode_take(model, NULL) && !sl_decode_ready(model),
            "a picture is taken once");
    free(x0);
    free(beside);
    free(plain);
    sl_run_free(run);
    sl_model_close(&model);
}

/* ---- failures ---- */

static void test_out_of_memory(void)
{
    SlModel *model = open_model("sd1");
    SlDevice *dev = sl_model_device(model);
    SlError err = {0};
    SlRecipe recipe = recipe_for(model, "a horse", 1);
    Digest before = digest_of(model, &recipe);
    int64_t huge = (int64_t)1 << 43;
    SlTensor t = sl_buffer_new(dev, SL_U8, 1, &huge);
    sl_test(!t.data && !sl_device_check(dev, &err) && err.code == SL_MEMORY,
            "more memory than there is: %s", err.message);
    sl_device_clear(dev);
    Digest after = digest_of(model, &recipe);
    sl_test(same(&before, &after), "it is survived");
    sl_model_close(&model);
}

/* A run until something fails: on the emulation, which is told to fail at some launch, or, on a
 * GPU, by a kernel that reads where nothing is. */
static bool run_until_fault(SlModel *model, SlError *err)
{
    SlRecipe recipe = recipe_for(model, "a horse", 1);
    SlDevice *dev = sl_model_device(model);
    SlRun *run = sl_run_new(model, &recipe, NULL, err);
    bool failed = !run;
    for (int i = 0; run && !failed && i < STEPS; i++)
        failed = !sl_run_next(run, NULL, err);
    bool told = getenv("CUDAEMU_FAIL") !=
                NULL; /* on the emulation such an access would end the test itself */
    if (!failed && !told) {
        SlTensor nowhere =
            sl_tensor_view((void *)(uintptr_t)4096, SL_F32, 1, (const int64_t[]){64});
        sl_activation(dev, &nowhere, SL_ACT_SILU, &nowhere);
        sl_device_finish(dev);
        failed = !sl_device_check(dev, err);
    }
    sl_test(run && failed, "something fails in the run");
    sl_test(run && sl_run_sample(run), "the run's last sample outlives the fault");
    sl_run_free(run);
    return failed;
}

/* In a process of its own, since CUDA cannot be used in it afterwards. */
static void test_fault(void)
{
    SlError err = {0};
    SlModel *model = open_model("sd1");
    SlDevice *dev = sl_model_device(model);
    sl_test(run_until_fault(model, &err) && err.code == SL_DEVICE, "a fault of the device: %s",
            err.message);
    sl_device_clear(dev);
    sl_test(!sl_device_ok(dev), "it is not forgotten");
    sl_model_close(&model);
    SlDeviceOptions options = {.name = "cuda", .dtype = SL_F32};
    dev = sl_device_open(&options, &err);
    sl_test(!dev && err.code == SL_DEVICE && strstr(err.message, "restart"),
            "another device is refused: %s", err.message);
    options.name = "auto";
    dev = sl_device_open(&options, &err);
    sl_test(dev && !strcmp(dev->name, "cpu") && strstr(sl_device_why(dev), "restart"),
            "auto goes on with the cpu: %s", dev ? sl_device_why(dev) : err.message);
    sl_device_close(&dev);
}

int main(int argc, char **argv)
{
    dtype = argc > 1 ? argv[1] : "f32";
    SlError err = {0};
    SlDevice *dev = sl_device_open(&(SlDeviceOptions){.name = "cuda"}, &err);
    if (!dev) {
        printf("1..0 # SKIP %s\n", err.message);
        return 0;
    }
    sl_device_close(&dev);
    if (argc > 2 && !strcmp(argv[2], "fault")) {
        test_fault();
        return sl_test_done();
    }
    test_recording("sd1");
    if (!strcmp(dtype, "f32")) {
        test_recording("odd"); /* centers its input */
        test_recording("ddpm");
    }
    test_beside();
    test_out_of_memory();
    return sl_test_done();
}
