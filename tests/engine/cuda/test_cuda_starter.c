/* test_cuda_starter.c - the model that comes with the program on the cuda device against the cpu
 * device in f32: one guided evaluation and the decoding of what it predicts, part by part, within
 * the tolerances of docs/design.md.
 *
 * usage: test_cuda_starter DTYPE. Runs on the emulation in the ordinary suite and on a GPU with
 * tests/gpu/run.
 */
#include "engine/engine.h"
#include "tests/engine/run/golden.h"

#include <string.h>

/* Of the normalised squared error for the text and the UNet, and of the PSNR of the decoded
 * picture, in dB. */
typedef struct Limits {
    double text, unet, decode;
} Limits;

static const struct {
    const char *dtype;
    Limits limits;
} dtypes[] = {{"f32", {1e-8, 1e-8, 50}}, {"f16", {1e-5, 1e-5, 50}}, {"bf16", {1e-3, 1e-3, 38}}};

/* What a device makes of the recipe. */
typedef struct Made {
    SlModel *model;
    SlRun *run;
    size_t text_elements, elements;
    const float *text;
    float *said; /* by the UNet: unconditional, text */
    float *x0;
    int height, width; /* of the sample */
} Made;

static const char *const prompt = "a red house under a blue sky";

static bool evaluate(Made *m, SlError *err)
{
    SlFrame frame;
    int64_t size[3] = {0};
    double g = sl_run_recipe(m->run)->guidance;
    m->text = sl_run_text_embeddings(m->run, size);
    m->text_elements = (size_t)(size[0] * size[1] * size[2]);
    m->elements = (size_t)sl_run_sample_elements(m->run);
    m->said = calloc(m->elements * 3, sizeof *m->said);
    if (!m->said || !sl_run_next(m->run, &frame, err) || !frame.guidance_term)
        return false;
    m->x0 = m->said + 2 * m->elements;
    memcpy(m->x0, frame.x_0, m->elements * sizeof *m->x0);
    for (size_t i = 0; i < m->elements; i++) { /* the output is uncond + g (text - uncond) */
        m->said[i] = (float)(frame.model_output[i] - g * frame.guidance_term[i]);
        m->said[m->elements + i] = m->said[i] + frame.guidance_term[i];
    }
    m->height = frame.height;
    m->width = frame.width;
    return true;
}

static Made make(const char *device, const char *dtype)
{
    Made m = {0};
    SlError err = {0};
    SlRecipe recipe;
    char *folder = sl_test_path("../data/models/starter");
    m.model = sl_model_open(folder, &(SlModelOptions){.device = device, .dtype = dtype}, &err);
    free(folder);
    if (m.model) {
        sl_recipe_defaults(&recipe, sl_model_info(m.model));
        recipe.prompt = prompt;
        recipe.steps = 20; /* of which the first is made */
        m.run = sl_run_new(m.model, &recipe, NULL, &err);
    }
    bool ok = m.run && evaluate(&m, &err);
    sl_test(ok, "a guided evaluation of starter on %s in %s %s", device, dtype, err.message);
    if (!ok)
        exit(sl_test_done());
    return m;
}

static void made_free(Made *m)
{
    sl_run_free(m->run);
    sl_model_close(&m->model);
    free(m->said);
}

static double nmse(const float *a, const float *wanted, size_t n)
{
    double error = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        error += ((double)a[i] - wanted[i]) * ((double)a[i] - wanted[i]);
        norm += (double)wanted[i] * wanted[i];
    }
    return norm > 0 ? error / norm : NAN;
}

/* The same sample decoded by both. */
static double decoded(const Made *cuda, const Made *cpu)
{
    int factor = sl_model_info(cpu->model)->factor;
    size_t values = (size_t)cpu->height * (size_t)cpu->width * (size_t)(factor * factor) * 3;
    float *a = calloc(values * 2, sizeof *a), *b = a + values;
    uint8_t *rgb = malloc(values);
    SlError err = {0};
    bool ok = a && rgb && sl_decode(cuda->model, cpu->x0, cpu->height, cpu->width, a, rgb, &err) &&
              sl_decode(cpu->model, cpu->x0, cpu->height, cpu->width, b, rgb, &err);
    if (!ok)
        sl_test_note("%s", err.message);
    double psnr = ok ? golden_psnr(a, b, values) : 0;
    free(a);
    free(rgb);
    return psnr;
}

static void compare(const char *dtype, const Limits *limits)
{
    Made cpu = make("cpu", "f32"), cuda = make("cuda", dtype);
    double text = nmse(cuda.text, cpu.text, cpu.text_elements);
    double unet = nmse(cuda.said, cpu.said, 2 * cpu.elements), decode = decoded(&cuda, &cpu);
    sl_test(cuda.text_elements == cpu.text_elements && text <= limits->text,
            "text encoder: normalised squared error %.2g (limit %.2g)", text, limits->text);
    sl_test(cuda.elements == cpu.elements && unet <= limits->unet,
            "UNet: normalised squared error %.2g (limit %.2g)", unet, limits->unet);
    sl_test(decode >= limits->decode, "decoder: PSNR %.1f dB (limit %.0f)", decode, limits->decode);
    made_free(&cuda);
    made_free(&cpu);
}

int main(int argc, char **argv)
{
    SlError err = {0};
    SlDevice *dev = sl_device_open(&(SlDeviceOptions){.name = "cuda"}, &err);
    if (!dev) {
        printf("1..0 # SKIP %s\n", err.message);
        return 0;
    }
    sl_device_close(&dev);
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (argc > 1 && !strcmp(argv[1], dtypes[i].dtype))
            compare(dtypes[i].dtype, &dtypes[i].limits);
    return sl_test_done();
}
