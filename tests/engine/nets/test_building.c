/* test_building.c - models that do not fit their weights, and passes that cannot run: one sentence
 * each, and nothing is left behind. Also the measure device against a real one, and the real
 * models' numbers of parameters.
 */
#include <string.h>

#include "engine/pipelines/builtin_configs.h"
#include "tests/engine/nets/model_test.h"

/* ---- configurations that differ from the weights ---- */

static void widen(SlUnetConfig *c)
{
    c->channels[1] += c->norm_groups * c->heads[1];
}

static void add_layer(SlUnetConfig *c)
{
    c->layers_per_block[0]++;
}

static void drop_middle(SlUnetConfig *c)
{
    c->mid_block = c->mid_attention = false;
}

static void other_text(SlUnetConfig *c)
{
    for (int i = 0; i < c->blocks; i++)
        c->cross_attention_dim[i] = 24;
}

static const struct {
    const char *what;
    void (*change)(SlUnetConfig *c);
    const char *tensor;
} changes[] = {
    {"misshapen", widen, "down_blocks.1.resnets.0.conv1.weight"},
    {"missing", add_layer, "down_blocks.0.resnets.2.norm1.weight"},
    {"left over", drop_middle, "mid_block."},
    {"text of another width", other_text, "attn2.to_k.weight"},
};

static void test_weights_that_do_not_fit(SlDevice *dev)
{
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        SlError err = {0};
        SlUnetConfig config;
        Part part = part_open(dev, "sd1", "unet");
        bool ok = sl_unet_config(&config, part.json, &err);
        changes[i].change(&config);
        SlUnet *unet = sl_unet_new(&config, part.binder, &err);
        ok = ok && unet && sl_binder_finish(part.binder, true, &err);
        bool named = strstr(err.message, changes[i].tensor) &&
                     strstr(err.message, "diffusion_pytorch_model.safetensors");
        sl_test(!ok && named, "%s: %s", changes[i].what, err.message);
        sl_unet_free(unet);
        part_close(&part);
    }
}

/* ---- the famous models ---- */

typedef enum Model { TEXT, UNET, VAE } Model;

static const struct {
    const char *arch, *part;
    Model model;
    uint64_t parameters; /* as PyTorch counts them */
} famous[] = {
    {"sd15", "unet", UNET, 859520964},
    {"sd15", "vae", VAE, 83653863},
    {"sd15", "text_encoder", TEXT, 123060480},
    {"sd21", "unet", UNET, 865910724},
    {"sd21", "text_encoder", TEXT, 340387840},
    {"sdxl", "unet", UNET, 2567463684},
    {"sdxl", "vae", VAE, 83653863},
    {"sdxl", "text_encoder", TEXT, 123060480},
    {"sdxl", "text_encoder_2", TEXT, 694659840},
    {"ssd-1b", "unet", UNET, 1331334404},
    {"vega", "unet", UNET, 745225604},
    {"koala-1b", "unet", UNET, 1161184324},
    {"koala-700m", "unet", UNET, 782822724},
    {"sdxl-refiner", "unet", UNET, 2259526660},
};

static bool build(Model model, const SlJson *json, SlBinder *b, SlError *err)
{
    SlTextEncoderConfig text;
    SlUnetConfig unet;
    SlVaeConfig vae;
    bool ok = false;
    if (model == TEXT && sl_text_encoder_config(&text, json, err)) {
        SlTextEncoder *te = sl_text_encoder_new(&text, b, err);
        ok = te != NULL;
        sl_text_encoder_free(te);
    } else if (model == UNET && sl_unet_config(&unet, json, err)) {
        SlUnet *u = sl_unet_new(&unet, b, err);
        ok = u != NULL;
        sl_unet_free(u);
    } else if (model == VAE && sl_vae_config(&vae, json, err)) {
        SlVae *v = sl_vae_new(&vae, b, err);
        ok = v != NULL;
        sl_vae_free(v);
    }
    return ok && sl_binder_finish(b, true, err);
}

/* All weights of a real model are asked for, each once: their number says so. */
static void test_famous_models(void)
{
    SlDevice *measure = device_open("measure", "f32");
    for (size_t i = 0; i < sizeof famous / sizeof *famous; i++) {
        SlError err = {0};
        const char *text = sl_builtin_config(famous[i].arch, famous[i].part);
        if (!text)
            text = sl_builtin_config_xl(famous[i].arch, famous[i].part);
        if (!text)
            text = sl_builtin_config_refiner(famous[i].arch, famous[i].part);
        SlJson *json = sl_json_parse(famous[i].arch, text, strlen(text), &err);
        SlBinderOptions options = {.dev = measure, .component = famous[i].part};
        SlBinder *b = sl_binder_new(&options);
        bool ok = json && build(famous[i].model, json, b, &err);
        uint64_t n = sl_binder_parameters(b);
        sl_test(ok && n == famous[i].parameters, "%s %s has %llu parameters %s", famous[i].arch,
                famous[i].part, (unsigned long long)n, err.message);
        sl_binder_free(b);
        sl_json_close(json);
    }
    sl_device_close(&measure);
}

/* ---- passes ---- */

typedef struct Loaded {
    Part part;
    SlUnet *unet;
    SlContext *context;
    SlTensor x, t, out;
} Loaded;

/* The UNet of sd1 with everything for one evaluation of a batch of two at height x width. Without
 * weights, random ones are made up. */
static Loaded load(SlDevice *dev, bool weights, int64_t height, int64_t width)
{
    Loaded l = {.part = part_open(dev, "sd1", "unet")};
    SlError err = {0};
    SlUnetConfig config;
    if (!weights) {
        SlBinderOptions options = {.dev = dev, .component = "unet"};
        sl_binder_free(l.part.binder);
        l.part.binder = sl_binder_new(&options);
    }
    bool ok = sl_unet_config(&config, l.part.json, &err) &&
              (l.unet = sl_unet_new(&config, l.part.binder, &err)) &&
              sl_binder_finish(l.part.binder, true, &err);
    SlTensor text = sl_tensor_new3(dev, 2, 77, config.cross_attention_dim[0]);
    l.x = sl_tensor_new4(dev, 2, height, width, config.in_channels);
    l.t = sl_tensor_new(dev, SL_F32, 1, l.x.size);
    l.out = sl_tensor_new(dev, SL_F32, 4, l.x.size);
    float *zeros = calloc((size_t)(2 * 77 * 32 + 2 * height * width * 4), sizeof *zeros);
    sl_upload(dev, zeros, &text);
    sl_upload(dev, zeros, &l.x);
    sl_upload(dev, zeros, &l.t);
    free(zeros);
    l.context =
        ok ? sl_unet_context_new(dev, l.unet, &(SlUnetTold){&text, NULL, NULL}, &err) : NULL;
    if (!l.context) {
        printf("Bail out! %s\n", err.message);
        exit(1);
    }
    return l;
}

static void unload(SlDevice *dev, Loaded *l)
{
    sl_context_free(dev, l->context);
    sl_unet_free(l->unet);
    part_close(&l->part);
}

static bool evaluate(SlDevice *dev, Loaded *l, SlError *err)
{
    return sl_unet_forward(dev, l->unet, &l->x, &l->t, l->context, &l->out, err);
}

static void test_wrong_input(SlDevice *dev)
{
    SlError err = {0};
    size_t mark = sl_arena_mark(dev);
    Loaded l = load(dev, true, 8, 8);
    SlTensor x = l.x, three = sl_slice(&l.x, 3, 0, 3), one = sl_slice(&l.x, 0, 0, 1);
    SlTensor t = l.t, one_t = sl_slice(&l.t, 0, 0, 1);

    l.x = three;
    sl_test(!evaluate(dev, &l, &err) && err.code == SL_ARGUMENT, "channels: %s", err.message);
    l.x = one;
    l.t = one_t;
    sl_test(!evaluate(dev, &l, &err) && err.code == SL_ARGUMENT, "batch: %s", err.message);
    l.x = x;
    l.t = t;
    sl_test(evaluate(dev, &l, &err), "and then it works");
    unload(dev, &l);
    sl_arena_reset(dev, mark);
}

static void test_other_text(SlDevice *dev)
{
    SlError err = {0};
    size_t mark = sl_arena_mark(dev);
    Loaded l = load(dev, true, 8, 8);
    SlTensor text = sl_tensor_new3(dev, 2, 77, 40);
    sl_test(!sl_unet_context_new(dev, l.unet, &(SlUnetTold){&text, NULL, NULL}, &err) &&
                err.code == SL_FORMAT,
            "another text encoder: %s", err.message);
    unload(dev, &l);
    sl_arena_reset(dev, mark);
}

static void test_wrong_tokens(SlDevice *dev)
{
    SlError err = {0};
    SlTextEncoderConfig config;
    size_t mark = sl_arena_mark(dev);
    Part part = part_open(dev, "sd2", "text_encoder");
    SlTextEncoder *te = sl_text_encoder_config(&config, part.json, &err)
                            ? sl_text_encoder_new(&config, part.binder, &err)
                            : NULL;
    sl_test(te && sl_binder_finish(part.binder, true, &err), "text encoder %s", err.message);
    int32_t ids[32] = {0};
    SlTensor fitting = sl_tensor_new(dev, SL_I32, 2, (int64_t[]){1, 24}), hidden;
    SlTensor longer = sl_tensor_new(dev, SL_I32, 2, (int64_t[]){1, 25});
    ids[3] = config.vocab_size;
    sl_upload(dev, ids, &fitting);
    sl_test(!sl_text_encoder_forward(dev, te, &fitting, (SlTextState){0}, &hidden, NULL, &err) &&
                err.code == SL_FORMAT,
            "a token beyond the vocabulary: %s", err.message);
    ids[3] = -1;
    sl_upload(dev, ids, &fitting);
    sl_test(!sl_text_encoder_forward(dev, te, &fitting, (SlTextState){0}, &hidden, NULL, &err) &&
                err.code == SL_FORMAT,
            "a negative token: %s", err.message);
    sl_test(!sl_text_encoder_forward(dev, te, &longer, (SlTextState){0}, &hidden, NULL, &err) &&
                err.code == SL_ARGUMENT,
            "too many tokens: %s", err.message);
    sl_text_encoder_free(te);
    part_close(&part);
    sl_arena_reset(dev, mark);
}

/* Sizes that halving and doubling would not bring back. */
static void test_wrong_sizes(SlDevice *dev)
{
    SlError err = {0};
    SlUnetConfig unet_config;
    SlVaeConfig vae_config;
    size_t mark = sl_arena_mark(dev);
    Part unet_part = part_open(dev, "ddpm", "unet"), vae_part = part_open(dev, "sd1", "vae");
    SlUnet *unet = sl_unet_config(&unet_config, unet_part.json, &err)
                       ? sl_unet_new(&unet_config, unet_part.binder, &err)
                       : NULL;
    SlVae *vae = sl_vae_config(&vae_config, vae_part.json, &err)
                     ? sl_vae_new(&vae_config, vae_part.binder, &err)
                     : NULL;
    sl_test(unet && vae && sl_binder_finish(unet_part.binder, true, &err) &&
                sl_binder_finish(vae_part.binder, true, &err),
            "UNet2DModel and VAE %s", err.message);
    SlTensor x = sl_tensor_new4(dev, 1, 16, 18, 3), t = sl_tensor_new(dev, SL_F32, 1, x.size);
    SlTensor z = sl_tensor_new4(dev, 1, 4, 4, 4), image = sl_tensor_new4(dev, 1, 16, 20, 3);
    sl_test(!sl_unet_forward(dev, unet, &x, &t, NULL, &x, &err) && err.code == SL_ARGUMENT, "%s",
            err.message);
    sl_test(!sl_vae_decode(dev, vae, &z, &image, &err) && err.code == SL_ARGUMENT, "%s",
            err.message);
    sl_unet_free(unet);
    sl_vae_free(vae);
    part_close(&unet_part);
    part_close(&vae_part);
    sl_arena_reset(dev, mark);
}

static void test_cancel(SlDevice *dev)
{
    SlError err = {0};
    size_t start = sl_arena_mark(dev);
    Loaded l = load(dev, true, 8, 8);
    size_t mark = sl_arena_mark(dev);
    sl_device_cancel(dev);
    sl_test(!evaluate(dev, &l, &err) && err.code == SL_CANCELLED, "cancelled: %s", err.message);
    sl_test(sl_arena_mark(dev) == mark, "and the arena is as it was");
    sl_device_clear(dev);
    sl_test(evaluate(dev, &l, &err), "and goes on after that");
    unload(dev, &l);
    sl_arena_reset(dev, start);
}

/* Operations and memory that measure foresees are those that ref needs. */
static void test_measure(SlDevice *dev)
{
    SlError err = {0};
    SlDevice *measure = device_open("measure", "f32");
    size_t start = sl_arena_mark(dev);
    Loaded real = load(dev, true, 13, 7), foreseen = load(measure, false, 13, 7);
    bool ok = evaluate(dev, &real, &err) && evaluate(measure, &foreseen, &err);
    uint64_t n = sl_unet_operations(real.unet);
    sl_test(ok && n > 0 && sl_unet_operations(foreseen.unet) == n, "%llu operations, measured %llu",
            (unsigned long long)n, (unsigned long long)sl_unet_operations(foreseen.unet));
    sl_test(measure->work.flops > 1e6, "%.3g flops", measure->work.flops);
    sl_test(measure->work.arena_peak > 0 && measure->work.arena_peak == dev->work.arena_peak,
            "arena peak %zu, measured %zu", dev->work.arena_peak, measure->work.arena_peak);
    sl_test(measure->work.weight_bytes > 4 * 50000, "%zu bytes of weights",
            measure->work.weight_bytes);
    unload(dev, &real);
    unload(measure, &foreseen);
    sl_arena_reset(dev, start);
    sl_device_close(&measure);
}

int main(void)
{
    SlDevice *dev = device_open("ref", "f32");
    test_measure(dev); /* first: the peak is the device's of all time */
    test_famous_models();
    test_weights_that_do_not_fit(dev);
    test_wrong_input(dev);
    test_other_text(dev);
    test_wrong_tokens(dev);
    test_wrong_sizes(dev);
    test_cancel(dev);
    sl_device_close(&dev);
    return sl_test_done();
}
