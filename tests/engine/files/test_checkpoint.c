/* test_checkpoint.c - single checkpoints: what make_checkpoint.py made of a folder reads as that
 * folder's tensors, and files that are something else are recognised.
 *
 * Usage: test_checkpoint SD1 SD2 SDXL SDXL_V REFINER SD2_CONVERTED SDXL_CONVERTED (files made by Meson from the
 * fixtures of these names).
 */
#include "tests/engine/files/util.h"

#include "engine/files/checkpoint.h"

/* ---- equal to the folder ---- */

static bool same_tensor(const SlWeightSource *a, const SlTensorInfo *x, const SlWeightSource *b,
                        const SlTensorInfo *y)
{
    SlError err = {0};
    if (x->bytes != y->bytes || x->rank != y->rank || strcmp(x->dtype_name, y->dtype_name) ||
        memcmp(x->size, y->size, (size_t)x->rank * sizeof *x->size))
        return false;
    char *p = malloc((size_t)x->bytes), *q = malloc((size_t)x->bytes);
    bool same = sl_weights_read(a, x, p, &err) && sl_weights_read(b, y, q, &err) &&
                !memcmp(p, q, (size_t)x->bytes);
    free(p);
    free(q);
    return same;
}

static void test_component(const char *file, const char *fixture, const char *part)
{
    char name[100];
    SlError err = {0};
    snprintf(name, sizeof name, "goldens/model/%s/%s", fixture, part);
    char *folder = sl_test_path(name);
    SlWeightSource *want = sl_weights_open(
        folder, !strncmp(part, "text_encoder", 12) ? "model" : "diffusion_pytorch_model", &err);
    SlWeightSource *got = sl_weights_open_checkpoint(file, part, &err);
    free(folder);
    if (!sl_test(want && got && sl_weights_count(want) == sl_weights_count(got),
                 "%s %s: as many tensors as in the folder", fixture, part))
        sl_test_note("%s; %zu of %zu", err.message, got ? sl_weights_count(got) : 0,
                     want ? sl_weights_count(want) : 0);
    int wrong = 0;
    for (size_t i = 0; want && got && i < sl_weights_count(want); i++) {
        const SlTensorInfo *x = sl_weights_info(want, i), *y = sl_weights_find(got, x->name);
        if (y && same_tensor(want, x, got, y))
            continue;
        if (!wrong++)
            sl_test_note("first: %s (%s)", x->name, y ? "differs" : "not found");
    }
    sl_test(want && got && !wrong, "%s %s: each equal in name, shape and values", fixture, part);
    sl_weights_close(want);
    sl_weights_close(got);
}

static void test_fixture(const char *file, const char *fixture)
{
    static const char *const parts[] = {"unet", "vae", "text_encoder", "text_encoder_2"};
    bool refiner = strstr(fixture, "refiner"), xl = !strncmp(fixture, "sdxl", 4);
    for (int i = 0; i < (xl ? 4 : 3); i++)
        if (!(refiner && i == 2))
            test_component(file, fixture, parts[i]);
}

/* ---- recognised ---- */

/* A file of tensors "name shape", each F16 and empty of meaning. */
static const char *file_of(const char *const *tensors, const char *name)
{
    char header[4000] = "{";
    size_t at = 0;
    const char *path = test_file(name);
    for (; *tensors; tensors += 2) {
        size_t elements = 1;
        for (const char *c = tensors[1]; *c; c += strcspn(c, ",") + (strchr(c, ',') != NULL))
            elements *= (size_t)atoi(c);
        snprintf(header + strlen(header), sizeof header - strlen(header),
                 "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                 at ? "," : "", tensors[0], tensors[1], at, at + 2 * elements);
        at += 2 * elements;
    }
    strcat(header, "}");
    test_write_safetensors(path, header, strlen(header), NULL, at);
    return path;
}

#define CONV_IN            "model.diffusion_model.input_blocks.0.0.weight"
#define TO_K               "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
#define VAE                "first_stage_model.decoder.conv_in.bias"
#define CLIP               "cond_stage_model.transformer.text_model.final_layer_norm.bias"
#define OPENCLIP           "cond_stage_model.model.ln_final.bias"
#define XL                 "model.diffusion_model.label_emb.0.0.weight"
#define NET                "model.diffusion_model."
#define DEEP(block, layer) NET "input_blocks." block ".transformer_blocks." layer ".norm1.weight"
#define XL_BLOCK           "model.diffusion_model.input_blocks.4.1.transformer_blocks."

static void test_others(void)
{
    static const struct {
        const char *id, *tensors[9], *says;
    } others[] = {
        {"LoRA (kohya)", {"lora_unet_down_blocks_0.lora_down.weight", "4,4"}, "LoRA"},
        {"LoRA (text)", {"lora_te_text_model.alpha", "1"}, "LoRA"},
        {"LoRA (peft)", {"unet.down_blocks.0.to_q.lora_A.weight", "4,4"}, "LoRA"},
        {"LoRA (diffusers)", {"unet.mid_block.to_q.lora.down.weight", "4,4"}, "LoRA"},
        {"embedding", {"emb_params", "2,768"}, "embedding"},
        {"embedding for SDXL", {"clip_l", "2,768", "clip_g", "2,1280"}, "embedding"},
        {"ControlNet", {"control_model.input_hint_block.0.bias", "16"}, "ControlNet"},
        {"ControlNet (diffusers)", {"controlnet_cond_embedding.conv_in.bias", "16"}, "ControlNet"},
        {"SDXL for inpainting",
         {CONV_IN, "320,9,3,3", "conditioner.embedders.1.model.ln_final.bias", "4"},
         "inpainting"},
        {"SD3",
         {"model.diffusion_model.joint_blocks.0.x_block.attn.qkv.bias", "4"},
         "Stable Diffusion 3"},
        {"Flux", {"double_blocks.0.img_attn.qkv.bias", "4"}, "Flux"},
        {"inpainting", {CONV_IN, "8,9,3,3", VAE, "4", CLIP, "4"}, "inpainting"},
        {"instruct-pix2pix", {CONV_IN, "8,8,3,3", VAE, "4", CLIP, "4"}, "instruct-pix2pix"},
        {"depth", {CONV_IN, "8,5,3,3", VAE, "4", OPENCLIP, "4"}, "depth"},
        {"upscaler", {CONV_IN, "8,7,3,3", VAE, "4", OPENCLIP, "4"}, "upscaler"},
        {"another number of channels", {CONV_IN, "8,16,3,3", VAE, "4", CLIP, "4"}, "expected 4"},
        {"conv_in is no convolution", {CONV_IN, "8,4", VAE, "4", CLIP, "4"}, "expected 4"},
        {"only the VAE", {"decoder.conv_in.weight", "4,4,3,3"}, "this is a VAE alone"},
        {"only the VAE, with prefix", {VAE, "4"}, "this is a VAE alone"},
        {"only a text encoder",
         {"text_model.final_layer_norm.bias", "4"},
         "this is a text encoder alone"},
        {"only the text encoder, with prefix", {CLIP, "4"}, "this is a text encoder alone"},
        {"a UNet of a folder", {"down_blocks.0.resnets.0.conv1.bias", "4"}, "model_index.json"},
        {"a folder's parts in one file",
         {"text_encoder.text_model.a", "4", "unet.conv_in.bias", "4", "vae.decoder.conv_in.bias",
          "4"},
         "names of a diffusers folder"},
        {"only EMA weights", {"model_ema.diffusion_modelout2bias", "4"}, "EMA"},
        {"a language model",
         {"model.layers.0.self_attn.q_proj.weight", "4,4"},
         "names of its tensors"},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        SlError err = {0};
        const char *path = file_of(others[i].tensors, "other.safetensors");
        SlWeightSource *w = sl_weights_open_checkpoint(path, "unet", &err);
        test_refused(others[i].id, !w, &err, SL_UNSUPPORTED,
                     (const char *const[]){"other.safetensors", others[i].says, NULL});
        sl_weights_close(w);
    }
}

/* Checkpoints that lack a part say so where it is asked for. */
static void test_lacking(void)
{
    static const struct {
        const char *id, *part, *tensors[9], *says;
    } files[] = {
        {"half of SDXL",
         "text_encoder",
         {CONV_IN, "320,4,3,3", "conditioner.embedders.1.model.ln_final.bias", "4", VAE, "4"},
         "no text_encoder (no tensor's name begins with \"conditioner.embedders.0.\")"},
        {"SDXL without its second text encoder",
         "text_encoder_2",
         {CONV_IN, "320,4,3,3", "conditioner.embedders.0.transformer.text_model.a", "4", VAE, "4"},
         "no text_encoder_2 (no tensor's name begins with \"conditioner.embedders.1.\")"},
        {"SDXL refiner",
         "vae",
         {CONV_IN, "384,4,3,3", "conditioner.embedders.0.model.ln_final.bias", "4"},
         "no vae (no tensor's name begins with \"first_stage_model.\")"},
        {"without the VAE", "vae", {CONV_IN, "8,4,3,3", CLIP, "4"}, "no vae"},
        {"with what is left of a LoRA and an embedding",
         "vae",
         {CONV_IN, "8,4,3,3", CLIP, "4", "lora_unet_x.alpha", "1", "emb_params", "1,4"},
         "no vae"},
        {"without the text encoder",
         "text_encoder",
         {CONV_IN, "8,4,3,3", VAE, "4"},
         "no text_encoder (no tensor's name begins with \"cond_stage_model.\")"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        SlError err = {0};
        const char *path = file_of(files[i].tensors, "lacking.safetensors");
        SlWeightSource *w = sl_weights_open_checkpoint(path, files[i].part, &err);
        test_refused(files[i].id, !w, &err, SL_UNSUPPORTED,
                     (const char *const[]){"lacking.safetensors", files[i].says, NULL});
        sl_weights_close(w);
        w = sl_weights_open_checkpoint(path, "unet", &err);
        sl_test(w != NULL, "%s: its UNet is there %s", files[i].id, err.message);
        sl_weights_close(w);
    }
}

static void test_arch(void)
{
    static const struct {
        const char *id, *name, *tensors[20], *arch, *says;
    } archs[] = {
        {"SD 1.x", "v1-5-pruned.safetensors", {TO_K, "320,768", CLIP, "4"}, "sd15"},
        {"SD 2.x", "v2-1_768-ema.safetensors", {TO_K, "320,1024", OPENCLIP, "4"}, "sd21"},
        {"SD 2.x base", "512-base-ema.safetensors", {TO_K, "320,1024", OPENCLIP, "4"}, "sd21-base"},
        {"SD 1.x with OpenCLIP", "a.safetensors", {TO_K, "320,768", OPENCLIP, "4"}, NULL},
        {"SD 2.x of stable-diffusion.cpp",
         "a.gguf.safetensors",
         {TO_K, "320,1024", CLIP, "1024"},
         "sd21"},
        {"SD 2.x with CLIP", "a.safetensors", {TO_K, "320,1024", CLIP, "4"}, NULL},
        {"a refiner of SDXL",
         "a.safetensors",
         {XL, "4,4", "conditioner.embedders.0.model.ln_final.bias", "4"},
         "sdxl-refiner"},
        {"a refiner of stable-diffusion.cpp",
         "a.safetensors",
         {XL, "4,2560", CLIP, "4"},
         "sdxl-refiner"},
        {"KOALA-700M",
         "a.safetensors",
         {XL, "4,4", NET "input_blocks.2.0.op.weight", "4", DEEP("3.1", "0"), "4", DEEP("3.1", "1"),
          "4", DEEP("5.1", "0"), "4", DEEP("5.1", "1"), "4", DEEP("5.1", "2"), "4",
          DEEP("5.1", "3"), "4", DEEP("5.1", "4"), "4"},
         "koala-700m"},
        {"SDXL of another depth",
         "a.safetensors",
         {XL, "4,4", XL_BLOCK "0.norm1.weight", "4"},
         NULL,
         "SSD-1B"},
        {"other text embeddings", "a.safetensors", {TO_K, "320,512", CLIP, "4"}, NULL},
        {"no cross attention", "a.safetensors", {CLIP, "4"}, NULL},
    };
    for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++) {
        SlError err = {0};
        char arch[16] = "";
        SlWeightSource *file = sl_weights_open_file(file_of(archs[i].tensors, archs[i].name), &err);
        bool known = file && sl_checkpoint_arch(file, arch, &err);
        if (archs[i].arch)
            sl_test(known && !strcmp(arch, archs[i].arch), "%s is %s", archs[i].id, archs[i].arch);
        else
            test_refused(
                archs[i].id, file && !known, &err, SL_UNSUPPORTED,
                (const char *const[]){
                    archs[i].name, archs[i].says ? archs[i].says : "expected 768 and CLIP", NULL});
        sl_weights_close(file);
    }
}

static void test_fused(void)
{
    static const char *const tensors[] = {
        CONV_IN,
        "8,4,3,3",
        VAE,
        "4",
        "cond_stage_model.model.transformer.resblocks.0.ln_1.weight",
        "4",
        "cond_stage_model.model.transformer.resblocks.1.ln_1.weight",
        "4",
        "cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight",
        "10,4",
        NULL};
    SlError err = {0};
    SlWeightSource *w =
        sl_weights_open_checkpoint(file_of(tensors, "fused.safetensors"), "text_encoder", &err);
    test_refused("in_proj with ten rows", !w, &err, SL_FORMAT,
                 (const char *const[]){"fused.safetensors", "in_proj_weight", "10 rows",
                                       "multiple of 3", NULL});
    sl_weights_close(w);
}

/* Names of converters that stand between the two layouts. */
static void test_converted(void)
{
    static const struct {
        const char *id, *part, *tensors[9], *shown;
    } files[] = {
        {"a refiner's text encoder",
         "text_encoder_2",
         {CONV_IN, "8,4,3,3", XL, "4,2560", CLIP, "4"},
         "text_model.final_layer_norm.bias"},
        {"SD XL's second text encoder under transformers' names",
         "text_encoder_2",
         {CONV_IN, "8,4,3,3", XL, "4,4",
          "conditioner.embedders.1.transformer.text_model.final_layer_norm.bias", "4"},
         "text_model.final_layer_norm.bias"},
        {"a VAE with some of diffusers' names",
         "vae",
         {CONV_IN, "8,4,3,3", "first_stage_model.encoder.mid.attn_1.to_q.weight", "4,4"},
         "encoder.mid_block.attentions.0.to_q.weight"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        SlError err = {0};
        const char *path = file_of(files[i].tensors, "converted.safetensors");
        SlWeightSource *w = sl_weights_open_checkpoint(path, files[i].part, &err);
        sl_test(w && sl_weights_count(w) == 1 && sl_weights_find(w, files[i].shown), "%s %s",
                files[i].id, err.message);
        sl_weights_close(w);
    }
}

/* ---- what it predicts ---- */

static void test_marks(const char *plain, const char *marked)
{
    static const struct {
        const char *key, *value, *prediction; /* NULL: refused */
    } said[] = {
        {"modelspec.prediction_type", "v", "v_prediction"},
        {"modelspec.prediction_type", "epsilon", "epsilon"},
        {"modelspec.predict_key", "v", "v_prediction"},
        {"modelspec.predict_key", "x0", NULL},
    };
    SlError err = {0};
    SlCheckpointMarks marks;
    SlWeightSource *a = sl_weights_open_file(plain, &err), *b = sl_weights_open_file(marked, &err);
    sl_test(a && sl_checkpoint_marks(a, &marks, &err) && !marks.prediction && !marks.zero_snr,
            "nothing is said of the noise %s", err.message);
    sl_test(b && sl_checkpoint_marks(b, &marks, &err) && marks.prediction && marks.zero_snr &&
                !strcmp(marks.prediction, "v_prediction") && strstr(marks.from, "v_pred"),
            "empty tensors say v and zero terminal SNR %s", err.message);
    sl_weights_close(a);
    sl_weights_close(b);
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        char header[300];
        SlError own = {0};
        const char *path = test_file("said.safetensors");
        snprintf(header, sizeof header,
                 "{\"__metadata__\":{\"%s\":\"%s\",\"ss_zero_terminal_snr\":\"True\"},\"a\":{"
                 "\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}",
                 said[i].key, said[i].value);
        test_write_safetensors(path, header, strlen(header), NULL, 2);
        SlWeightSource *w = sl_weights_open_file(path, &own);
        bool ok = w && sl_checkpoint_marks(w, &marks, &own);
        if (said[i].prediction)
            sl_test(ok && marks.zero_snr && !strcmp(marks.prediction, said[i].prediction) &&
                        !strcmp(marks.from, said[i].key),
                    "%s %s %s", said[i].key, said[i].value, own.message);
        else
            test_refused(said[i].key, w && !ok, &own, SL_UNSUPPORTED,
                         (const char *const[]){"said.safetensors", said[i].value, NULL});
        sl_weights_close(w);
    }
    char *named = NULL;
    SlError own = {0};
    if (asprintf(&named, "%s",
                 file_of((const char *const[]){CONV_IN, "4,4,3,3", NULL},
                         "noob-vPred-10.safetensors")) > 0) {
        SlWeightSource *w = sl_weights_open_file(named, &own);
        sl_test(w && sl_checkpoint_marks(w, &marks, &own) && marks.prediction &&
                    strstr(marks.from, "name"),
                "the file's name says v %s", own.message);
        sl_weights_close(w);
    }
    free(named);
}

int main(int argc, char **argv)
{
    if (argc != 8)
        return 2;
    test_fixture(argv[1], "sd1");
    test_fixture(argv[2], "sd2");
    test_fixture(argv[3], "sdxl");
    test_fixture(argv[4], "sdxl_v");
    test_fixture(argv[5], "sdxl_refiner");
    test_component(argv[6], "sd2", "text_encoder");
    test_component(argv[7], "sdxl", "text_encoder");
    test_component(argv[7], "sdxl", "text_encoder_2");
    test_converted();
    test_marks(argv[3], argv[4]);
    test_others();
    test_lacking();
    test_arch();
    test_fused();
    return sl_test_done();
}
