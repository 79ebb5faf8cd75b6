/* test_stages.c DEVICE DTYPE - every stage of every small pipeline against what diffusers computed
 * (tests/goldens/model/make.py, make_sdxl.py), within the tolerances of docs/design.md.
 */
#include <string.h>

#include "tests/engine/nets/model_test.h"

static const char *const pipelines[] = {
    "sd1",        "sd2",  "odd",    "sharded",     "projected",  "ddpm",         "ddpm_resnet",
    "ddpm_shift", "sdxl", "sdxl_v", "sdxl_pruned", "sdxl_turbo", "sdxl_refiner", NULL};

/* The table of docs/design.md: f32 against diffusers in f32; 16 bits by the error's share of the
 * signal, or, for a picture in -1..1, as PSNR in dB. The table has 1e-5 for text in 16 bits, which
 * f16 reaches; in bf16, PyTorch itself is 5e-5 to 7e-5 away from its own f32 on these models, so
 * that is 1e-4 here.
 */
typedef struct Tolerance {
    double max_abs, nmse;
    double f16_nmse, f16_psnr, bf16_nmse, bf16_psnr;
} Tolerance;

static const Tolerance text_tolerance = {1e-4, 1e-8, 1e-5, 0, 1e-4, 0};
static const Tolerance unet_tolerance = {1e-3, 1e-8, 1e-5, 0, 1e-3, 0};
static const Tolerance image_tolerance = {1 / 255.0, 1e-7, 1, 50, 1, 38};
static const Tolerance moments_tolerance = {1e-3, 1e-8, 1e-5, 0, 1e-3, 0};

static bool is_close(const Distance *d, SlDtype dtype, const Tolerance *t)
{
    if (dtype == SL_F32)
        return d->max_abs <= t->max_abs && d->nmse <= t->nmse;
    if (dtype == SL_F16)
        return d->nmse <= t->f16_nmse && d->psnr >= t->f16_psnr;
    return d->nmse <= t->bf16_nmse && d->psnr >= t->bf16_psnr;
}

static void compare(SlDevice *dev, const char *pipeline, const char *stage, const SlTensor *result,
                    const Golden *golden, const Tolerance *tolerance)
{
    if (!sl_test(sl_tensor_elements(result) == golden->elements, "%s %s: size", pipeline, stage))
        return;
    float *values = result_download(dev, result);
    Distance d = distance(values, golden);
    sl_test(d.finite && is_close(&d, dev->dtype, tolerance), "%s %s", pipeline, stage);
    sl_test_note("max abs %.2e, nmse %.2e, psnr %.1f", d.max_abs, d.nmse, d.psnr);
    free(values);
}

/* ---- text ---- */

static SlTensor upload_ids(SlDevice *dev, const SlWeightSource *file, const char *name)
{
    SlError err = {0};
    const SlTensorInfo *info = sl_weights_find(file, name);
    int32_t *ids = malloc((size_t)info->bytes);
    if (!ids || !sl_weights_read(file, info, ids, &err))
        abort();
    SlTensor t = sl_tensor_new(dev, SL_I32, 2, info->size);
    sl_upload(dev, ids, &t);
    free(ids);
    return t;
}

static void compare_text(SlDevice *dev, const char *pipeline, const SlWeightSource *file,
                         const char *name, const SlTensor *result)
{
    Golden golden = golden_read(file, "%s", name);
    compare(dev, pipeline, name, result, &golden, &text_tolerance);
    golden_free(&golden);
}

/* Golden states of a text encoder: of its last layer and of others, which the pipeline takes as
 * they are (unnormed) or not. */
typedef struct TextGoldens {
    const char *part, *ids, *last, *pooled;
    struct {
        const char *name;
        SlTextState state;
    } other[2];
} TextGoldens;

static const TextGoldens of_stable_diffusion = {"text_encoder",
                                                "input_ids",
                                                "text_embeddings",
                                                "pooled",
                                                {{"text_embeddings_skip1", {1, false}},
                                                 {NULL, {0}}}},
                         of_sdxl[] = {{"text_encoder",
                                       "text_encoder.input_ids",
                                       "text_encoder.last",
                                       "text_encoder.pooled",
                                       {{"text_encoder.penultimate", {1, true}},
                                        {"text_encoder.skip1", {2, true}}}},
                                      {"text_encoder_2",
                                       "text_encoder_2.input_ids",
                                       "text_encoder_2.last",
                                       "text_encoder_2.pooled",
                                       {{"text_encoder_2.penultimate", {1, true}},
                                        {"text_encoder_2.skip1", {2, true}}}}};

static void test_states(SlDevice *dev, const char *pipeline, const SlWeightSource *file,
                        const SlTextEncoder *te, const TextGoldens *of)
{
    SlError err = {0};
    size_t mark = sl_arena_mark(dev);
    SlTensor ids = upload_ids(dev, file, of->ids), hidden, pooled;
    int layers = sl_text_encoder_get_config(te)->layers;
    bool ok = sl_text_encoder_forward(dev, te, &ids, (SlTextState){0}, &hidden, &pooled, &err);
    if (sl_test(ok, "%s: text %s", pipeline, err.message)) {
        compare_text(dev, pipeline, file, of->last, &hidden);
        compare_text(dev, pipeline, file, of->pooled, &pooled);
    }
    for (int i = 0; i < 2 && of->other[i].name; i++) {
        ok = sl_text_encoder_forward(dev, te, &ids, of->other[i].state, &hidden, &pooled, &err);
        if (sl_test(ok, "%s: %s %s", pipeline, of->other[i].name, err.message)) {
            compare_text(dev, pipeline, file, of->other[i].name, &hidden);
            compare_text(dev, pipeline, file, of->pooled, &pooled);
        }
    }
    ok = sl_text_encoder_forward(dev, te, &ids, (SlTextState){layers + 1, false}, &hidden, NULL,
                                 &err);
    sl_test(!ok && err.code == SL_ARGUMENT, "%s: more layers to skip than there are", pipeline);
    sl_arena_reset(dev, mark);
}

static void test_text(SlDevice *dev, const char *pipeline, const SlWeightSource *file,
                      const TextGoldens *of)
{
    SlError err = {0};
    SlTextEncoderConfig config;
    Part part = part_open(dev, pipeline, of->part);
    SlTextEncoder *te = NULL;
    if (sl_text_encoder_config(&config, part.json, &err))
        te = sl_text_encoder_new(&config, part.binder, &err);
    if (sl_test(te && sl_binder_finish(part.binder, true, &err), "%s: %s %s", pipeline, of->part,
                err.message))
        test_states(dev, pipeline, file, te, of);
    sl_text_encoder_free(te);
    part_close(&part);
}

/* ---- UNet ---- */

static void test_evaluation(SlDevice *dev, const char *pipeline, const SlWeightSource *file,
                            SlUnet *unet, const SlContext *context, int i)
{
    char stage[32];
    SlError err = {0};
    size_t mark = sl_arena_mark(dev);
    Golden sample = golden_read(file, "unet.%d.sample", i);
    Golden timestep = golden_read(file, "unet.%d.timestep", i);
    Golden golden = golden_read(file, "unet.%d.output", i);
    SlTensor x = golden_upload(dev, &sample);
    SlTensor t = sl_tensor_new(dev, SL_F32, 1, &x.size[0]);
    SlTensor out = sl_tensor_new(dev, SL_F32, 4, x.size);
    float both[2] = {timestep.values[0], timestep.values[0]};
    sl_upload(dev, both, &t);

    size_t before = sl_arena_mark(dev);
    snprintf(stage, sizeof stage, "unet.%d", i);
    bool ok = sl_unet_forward(dev, unet, &x, &t, context, &out, &err);
    if (sl_test(ok, "%s %s %s", pipeline, stage, err.message))
        compare(dev, pipeline, stage, &out, &golden, &unet_tolerance);
    sl_test(sl_arena_mark(dev) == before, "%s %s: the arena is as it was", pipeline, stage);
    sl_arena_reset(dev, mark);
    golden_free(&sample);
    golden_free(&timestep);
    golden_free(&golden);
}

/* What the UNet is told: a text, and of Stable Diffusion XL a pooled one and sizes. */
static SlContext *tell(SlDevice *dev, const SlUnet *unet, const SlWeightSource *file, SlError *err)
{
    size_t mark = sl_arena_mark(dev);
    if (!golden_has(file, "prompt_embeds")) {
        Golden embeddings = golden_read(file, "text_embeddings");
        SlTensor text = golden_upload(dev, &embeddings);
        SlContext *context = sl_unet_context_new(dev, unet, &(SlUnetTold){&text, NULL, NULL}, err);
        golden_free(&embeddings);
        sl_arena_reset(dev, mark);
        return context;
    }
    Golden embeddings = golden_read(file, "prompt_embeds"),
           pooled = golden_read(file, "pooled_prompt_embeds"),
           sizes = golden_read(file, "time_ids");
    SlTensor text = golden_upload(dev, &embeddings), text_embeds = golden_upload(dev, &pooled);
    SlTensor time_ids = sl_tensor_new(dev, SL_F32, 2, sizes.size);
    SlTensor fewer = sl_slice(&time_ids, 1, 0, sizes.size[1] - 1);
    sl_upload(dev, sizes.values, &time_ids);
    SlError none = {0}, few = {0};
    sl_test(!sl_unet_context_new(dev, unet, &(SlUnetTold){&text, NULL, NULL}, &none) &&
                none.code == SL_ARGUMENT,
            "without sizes: %s", none.message);
    sl_test(!sl_unet_context_new(dev, unet, &(SlUnetTold){&text, &text_embeds, &fewer}, &few) &&
                few.code == SL_FORMAT,
            "with one size too few: %s", few.message);
    SlContext *context =
        sl_unet_context_new(dev, unet, &(SlUnetTold){&text, &text_embeds, &time_ids}, err);
    golden_free(&embeddings);
    golden_free(&pooled);
    golden_free(&sizes);
    sl_arena_reset(dev, mark);
    return context;
}

static void test_unet(SlDevice *dev, const char *pipeline, const SlWeightSource *file)
{
    SlError err = {0};
    SlUnetConfig config;
    Part part = part_open(dev, pipeline, "unet");
    SlUnet *unet = NULL;
    SlContext *context = NULL;
    if (sl_unet_config(&config, part.json, &err))
        unet = sl_unet_new(&config, part.binder, &err);
    bool ok = unet && sl_binder_finish(part.binder, true, &err);
    if (ok && config.conditional) {
        context = tell(dev, unet, file, &err);
        ok = context != NULL;
    }
    if (sl_test(ok, "%s: UNet %s", pipeline, err.message)) {
        for (int i = 0; golden_has(file, "unet.%d.sample", i); i++)
            test_evaluation(dev, pipeline, file, unet, context, i);
        sl_test(sl_unet_operations(unet) > 20, "%s: %llu operations", pipeline,
                (unsigned long long)sl_unet_operations(unet));
    }
    sl_context_free(dev, context);
    sl_unet_free(unet);
    part_close(&part);
}

/* ---- VAE ---- */

static void test_half(SlDevice *dev, const char *pipeline, const SlWeightSource *file,
                      const SlVae *vae, bool decode)
{
    SlError err = {0};
    size_t mark = sl_arena_mark(dev);
    Golden in = golden_read(file, decode ? "vae.latents" : "vae.pixels");
    Golden golden = golden_read(file, decode ? "vae.image" : "vae.moments");
    int64_t size[] = {golden.size[0], golden.size[2], golden.size[3], golden.size[1]};
    SlTensor x = golden_upload(dev, &in);
    SlTensor out = sl_tensor_new(dev, SL_F32, 4, size);
    size_t before = sl_arena_mark(dev);
    bool ok =
        decode ? sl_vae_decode(dev, vae, &x, &out, &err) : sl_vae_encode(dev, vae, &x, &out, &err);
    const char *stage = decode ? "vae.image" : "vae.moments";
    if (sl_test(ok, "%s %s %s", pipeline, stage, err.message))
        compare(dev, pipeline, stage, &out, &golden,
                decode ? &image_tolerance : &moments_tolerance);
    sl_test(sl_arena_mark(dev) == before, "%s %s: the arena is as it was", pipeline, stage);
    sl_arena_reset(dev, mark);
    golden_free(&in);
    golden_free(&golden);
}

/* Strips of any height give the picture that the whole gives: no seams. */
static void test_strips(SlDevice *dev, const char *pipeline, const SlWeightSource *file,
                        const SlVae *vae)
{
    static const int64_t heights[] = {1, 3, 1000};
    Golden in = golden_read(file, "vae.latents"), whole = golden_read(file, "vae.image");
    int64_t size[] = {1, whole.size[2], whole.size[3], whole.size[1]};
    size_t mark = sl_arena_mark(dev);
    SlTensor x = golden_upload(dev, &in), first = sl_slice(&x, 0, 0, 1);
    SlTensor image = sl_tensor_new(dev, SL_F32, 4, size);
    SlError err = {0};
    bool ok = sl_vae_decode(dev, vae, &first, &image, &err);
    free(whole.values);
    whole.values = result_download(dev, &image);
    whole.elements = sl_tensor_elements(&image);
    for (int i = 0; i < 3; i++) {
        ok = ok && sl_vae_decode_strips(dev, vae, &first, heights[i], &image, &err);
        float *values = result_download(dev, &image);
        Distance d = distance(values, &whole);
        double least = dev->dtype == SL_F32 ? 90 : 40;
        sl_test(ok && d.finite && d.psnr >= least, "%s: strips of %d rows, PSNR %.1f dB %s",
                pipeline, (int)heights[i], d.psnr, err.message);
        free(values);
    }
    sl_test(!sl_vae_decode_strips(dev, vae, &first, 0, &image, &err) && err.code == SL_ARGUMENT,
            "%s: strips of no rows are refused", pipeline);
    sl_arena_reset(dev, mark);
    golden_free(&in);
    golden_free(&whole);
}

static void test_vae(SlDevice *dev, const char *pipeline, const SlWeightSource *file)
{
    SlError err = {0};
    SlVaeConfig config;
    Part part = part_open(dev, pipeline, "vae");
    SlVae *vae = NULL;
    if (sl_vae_config(&config, part.json, &err))
        vae = sl_vae_new(&config, part.binder, &err);
    if (sl_test(vae && sl_binder_finish(part.binder, true, &err), "%s: VAE %s", pipeline,
                err.message)) {
        test_half(dev, pipeline, file, vae, true);
        test_half(dev, pipeline, file, vae, false);
        test_strips(dev, pipeline, file, vae);
    }
    sl_vae_free(vae);
    part_close(&part);
}

/* Whether it is one of the names; without any, all are. */
static bool is_wanted(const char *pipeline, char **names)
{
    for (char **name = names; *name; name++)
        if (!strcmp(*name, pipeline))
            return true;
    return !*names;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: test_stages DEVICE DTYPE [PIPELINE...]\n");
        return 2;
    }
    SlDevice *dev = device_open(argv[1], argv[2]);
    for (int i = 0; pipelines[i]; i++) {
        if (!is_wanted(pipelines[i], argv + 3))
            continue;
        SlWeightSource *file = golden_open(pipelines[i]);
        if (golden_has(file, "text_embeddings"))
            test_text(dev, pipelines[i], file, &of_stable_diffusion);
        for (int k = 0; k < 2; k++)
            if (golden_has(file, "%s", of_sdxl[k].ids)) /* a refiner has the second encoder alone */
                test_text(dev, pipelines[i], file, &of_sdxl[k]);
        if (golden_has(file, "vae.latents"))
            test_vae(dev, pipelines[i], file);
        test_unet(dev, pipelines[i], file);
        sl_weights_close(file);
    }
    sl_device_close(&dev);
    return sl_test_done();
}
