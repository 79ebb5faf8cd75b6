/* test_inspect.c - what sl_model_inspect says of the fixtures, and of folders with one thing wrong.
 *
 * A bad folder is a copy of the fixture sd1 made of links, in which one file is changed.
 */
#include "tests/engine/files/util.h"
#include "tests/readdir.h"

#include "engine/pipelines/pipelines.h"

#include <ftw.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

static SlModelInfo info; /* large */

/* ---- the fixtures ---- */

static void test_fixtures(void)
{
    static const struct {
        const char *name, *scheduler;
        SlPrediction prediction;
        int width, height, size_multiple, channels, factor, tokens, parts, files;
    } models[] = {
        {"sd1", "pndm", SL_PREDICT_EPSILON, 32, 32, 4, 4, 4, 77, 3, 3},
        {"sd2", "ddim", SL_PREDICT_V, 32, 32, 2, 4, 2, 24, 3, 3},
        {"odd", "dpmpp-2m", SL_PREDICT_EPSILON, 40, 24, 2, 4, 2, 16, 3, 3},
        {"sharded", "unipc", SL_PREDICT_EPSILON, 16, 16, 2, 4, 2, 20, 3, 8},
        {"projected", "lms", SL_PREDICT_EPSILON, 16, 16, 2, 4, 2, 18, 3, 3},
        {"ddpm", "ddpm", SL_PREDICT_EPSILON, 16, 16, 4, 3, 1, 0, 1, 1},
        {"ddpm_resnet", "ddpm", SL_PREDICT_EPSILON, 16, 8, 4, 1, 1, 0, 1, 1},
    };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        char name[80];
        SlError err = {0};
        snprintf(name, sizeof name, "goldens/model/%s/", models[i].name);
        char *path = sl_test_path(name);
        bool ok = sl_model_inspect(path, &info, &err);
        ok = ok && !strcmp(info.name, models[i].name) && !info.single_file &&
             !strcmp(info.scheduler, models[i].scheduler) &&
             info.prediction == models[i].prediction && info.width == models[i].width &&
             info.height == models[i].height && info.size_multiple == models[i].size_multiple &&
             info.channels == models[i].channels && info.factor == models[i].factor &&
             info.prompt_tokens == models[i].tokens && info.parts == models[i].parts &&
             info.files == models[i].files;
        if (!sl_test(ok, "%s", models[i].name))
            sl_test_note(
                "%s: \"%s\" %s %d, %d x %d, multiple %d, %d channels, factor %d, %d tokens, "
                "%d parts, %d files",
                err.message, info.name, info.scheduler, info.prediction, info.width, info.height,
                info.size_multiple, info.channels, info.factor, info.prompt_tokens, info.parts,
                info.files);
        free(path);
    }
}

static void test_parts_and_hashes(void)
{
    SlError err = {0};
    char *path = sl_test_path("goldens/model/sd1");
    bool ok = sl_model_inspect(path, &info, &err);
    sl_test(ok && !strcmp(info.part[0].name, "unet") &&
                !strcmp(info.part[0].class_name, "UNet2DConditionModel") &&
                info.part[0].tensors == 494 && !strcmp(info.part[0].dtype, "F16") &&
                info.part[0].bytes == 2 * info.part[0].parameters,
            "parts are counted");
    sl_test(ok && !strcmp(info.file[0].name, "unet/diffusion_pytorch_model.safetensors") &&
                info.file[0].bytes == 403432 && !*info.file[0].sha256,
            "files are listed");
    sl_test(sl_model_hash(&info, NULL, NULL, &err) && strlen(info.file[2].sha256) == 64 &&
                strcmp(info.file[0].sha256, info.file[1].sha256),
            "and hashed");
    int cancel = 1;
    ok = sl_model_hash(&info, NULL, &cancel, &err);
    sl_test(!ok && err.code == SL_CANCELLED, "hashing can be stopped");
    free(path);
}

/* ---- one thing wrong ---- */

static char copy[600];
static size_t source_length;

static int link_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    char to[900];
    snprintf(to, sizeof to, "%s%s", copy, path + source_length);
    return type == FTW_D ? mkdir(to, 0700) : symlink(path, to);
}

/* A new copy of a fixture; gives its path. */
static const char *copy_model(const char *fixture)
{
    static int number;
    char name[80], source[900];
    snprintf(name, sizeof name, "goldens/model/%s", fixture);
    char *path = sl_test_path(name);
    if (!realpath(path, source))
        abort();
    free(path);
    source_length = strlen(source);
    snprintf(name, sizeof name, "model%d", ++number);
    snprintf(copy, sizeof copy, "%s", test_file(name));
    if (nftw(source, link_one, 16, FTW_PHYS))
        abort();
    return copy;
}

/* Replaces the first `find` in a file of the copy; without find, the whole file; without both, the
 * file goes. */
static bool change(const char *file, const char *find, const char *replace)
{
    char path[900];
    size_t bytes = 0;
    snprintf(path, sizeof path, "%s/%s", copy, file);
    if (!find) {
        unlink(path);
        if (replace)
            test_write_text(path, replace);
        return true;
    }
    char *text = (char *)test_read(path, &bytes);
    text[bytes] = 0;
    char *at = strstr(text, find), *changed = malloc(bytes + strlen(replace) + 1);
    if (at) {
        sprintf(changed, "%.*s%s%s", (int)(at - text), text, replace, at + strlen(find));
        unlink(path);
        test_write_text(path, changed);
    }
    free(changed);
    free(text);
    return at != NULL;
}

typedef struct Wrong {
    const char *id, *fixture, *file, *find, *replace;
    SlCode code;
    const char *says[3];
} Wrong;

#define INDEX "model_index.json"
#define UNET  "unet/config.json"
#define VAE   "vae/config.json"
#define TEXT  "text_encoder/config.json"
#define SCHED "scheduler/scheduler_config.json"
#define TOKEN "tokenizer/tokenizer_config.json"

static const Wrong wrongs[] = {
    {"no model_index.json", "sd1", INDEX, NULL, NULL, SL_FORMAT, {"no model_index.json"}},
    {"empty", "sd1", INDEX, NULL, "", SL_FORMAT, {INDEX, "empty"}},
    {"an empty object", "sd1", INDEX, NULL, "{}", SL_FORMAT, {INDEX, "\"_class_name\" is missing"}},
    {"a list", "sd1", INDEX, NULL, "[]", SL_FORMAT, {INDEX, "expected a JSON object"}},
    {"a web page", "sd1", INDEX, NULL, "<!doctype html>", SL_FORMAT, {INDEX, "web page"}},
    {"an unknown class",
     "sd1",
     INDEX,
     "\"StableDiffusionPipeline\"",
     "\"FluxPipeline\"",
     SL_UNSUPPORTED,
     {INDEX, "\"FluxPipeline\"", "StableDiffusionPipeline"}},
    {"XL",
     "sd1",
     INDEX,
     "\"StableDiffusionPipeline\"",
     "\"StableDiffusionXLPipeline\"",
     SL_FORMAT, /* the family is known, and the folder lacks its parts */
     {INDEX, "\"text_encoder_2\"", "missing"}},
    {"a number",
     "sd1",
     INDEX,
     "\"StableDiffusionPipeline\"",
     "7",
     SL_UNSUPPORTED,
     {INDEX, "\"_class_name\" is 7"}},
    {"the other pipeline",
     "sd1",
     INDEX,
     "\"StableDiffusionPipeline\"",
     "\"DDPMPipeline\"",
     SL_UNSUPPORTED,
     {INDEX, "\"unet\" is a \"UNet2DConditionModel\"", "UNet2DModel"}},
    {"the other pipeline, too",
     "ddpm",
     INDEX,
     "\"DDPMPipeline\"",
     "\"StableDiffusionPipeline\"",
     SL_UNSUPPORTED,
     {INDEX, "\"unet\" is a \"UNet2DModel\""}},
    {"no unet", "sd1", INDEX, "\"unet\"", "\"Unet\"", SL_FORMAT, {INDEX, "\"unet\" is missing"}},
    {"no vae", "sd1", INDEX, "\"vae\"", "\"vea\"", SL_FORMAT, {INDEX, "\"vae\" is missing"}},
    {"no text encoder",
     "sd1",
     INDEX,
     "\"text_encoder\"",
     "\"text\"",
     SL_FORMAT,
     {INDEX, "\"text_encoder\" is missing"}},
    {"no tokenizer",
     "sd1",
     INDEX,
     "\"tokenizer\"",
     "\"words\"",
     SL_FORMAT,
     {INDEX, "\"tokenizer\" is missing"}},
    {"no scheduler",
     "sd1",
     INDEX,
     "\"scheduler\"",
     "\"time\"",
     SL_FORMAT,
     {INDEX, "\"scheduler\" is missing"}},
    {"no scheduler, DDPM",
     "ddpm",
     INDEX,
     "\"scheduler\"",
     "\"time\"",
     SL_FORMAT,
     {INDEX, "\"scheduler\" is missing"}},
    {"the unet is null",
     "sd1",
     INDEX,
     "\"UNet2DConditionModel\"",
     "null",
     SL_FORMAT,
     {INDEX, "\"unet\" is null"}},
    {"the unet is a number",
     "sd1",
     INDEX,
     "\"UNet2DConditionModel\"",
     "3",
     SL_FORMAT,
     {INDEX, "\"unet\" is not a list of two names"}},
    {"another unet",
     "sd1",
     INDEX,
     "\"UNet2DConditionModel\"",
     "\"UNet3DConditionModel\"",
     SL_UNSUPPORTED,
     {INDEX, "\"UNet3DConditionModel\""}},
    {"another vae",
     "sd1",
     INDEX,
     "\"AutoencoderKL\"",
     "\"VQModel\"",
     SL_UNSUPPORTED,
     {INDEX, "\"VQModel\"", "AutoencoderKL"}},
    {"another text encoder",
     "sd1",
     INDEX,
     "\"CLIPTextModel\"",
     "\"T5EncoderModel\"",
     SL_UNSUPPORTED,
     {INDEX, "\"T5EncoderModel\"", "CLIPTextModel"}},
    {"another tokenizer",
     "sd1",
     INDEX,
     "\"CLIPTokenizer\"",
     "\"T5Tokenizer\"",
     SL_UNSUPPORTED,
     {INDEX, "\"T5Tokenizer\"", "CLIPTokenizer"}},
    {"cut off",
     "sd1",
     INDEX,
     NULL,
     "{\"_class_name\": \"StableDiffusionPipe",
     SL_FORMAT,
     {INDEX, "cut off"}},
    {"only a pickle",
     "sd1",
     "unet/diffusion_pytorch_model.safetensors",
     NULL,
     NULL,
     SL_IO,
     {"/unet", "diffusion_pytorch_model.safetensors"}},
    {"weights are a pickle",
     "sd1",
     "vae/diffusion_pytorch_model.safetensors",
     NULL,
     "\x80\x02}q\x01.",
     SL_FORMAT,
     {"vae/diffusion_pytorch_model.safetensors", "pickle"}},
    {"weights are a pointer",
     "sd1",
     "text_encoder/model.safetensors",
     NULL,
     "version https://git-lfs.github.com/spec/v1\n",
     SL_FORMAT,
     {"text_encoder/model.safetensors", "git lfs pull"}},
    {"weights are empty",
     "sd1",
     "text_encoder/model.safetensors",
     NULL,
     "",
     SL_FORMAT,
     {"text_encoder/model.safetensors", "empty"}},
    {"a shard is missing",
     "sharded",
     "vae/diffusion_pytorch_model.fp16-00002-of-00002.safetensors",
     NULL,
     NULL,
     SL_IO,
     {"fp16-00002-of-00002.safetensors", "no such file"}},
    {"the index is missing",
     "sharded",
     "vae/diffusion_pytorch_model.safetensors.index.fp16.json",
     NULL,
     NULL,
     SL_IO,
     {"/vae", "found only"}},
    {"no unet config", "sd1", UNET, NULL, NULL, SL_IO, {UNET, "no such file"}},
    {"no vae config", "sd1", VAE, NULL, NULL, SL_IO, {VAE, "no such file"}},
    {"no text encoder config", "sd1", TEXT, NULL, NULL, SL_IO, {TEXT, "no such file"}},
    {"no scheduler config", "sd1", SCHED, NULL, NULL, SL_IO, {SCHED, "no such file"}},
    {"no tokenizer config", "sd1", TOKEN, NULL, NULL, SL_IO, {TOKEN, "no such file"}},
    {"sample_size is a text",
     "sd1",
     UNET,
     "\"sample_size\": 8",
     "\"sample_size\": \"8\"",
     SL_FORMAT,
     {UNET, "sample_size"}},
    {"sample_size is negative",
     "sd1",
     UNET,
     "\"sample_size\": 8",
     "\"sample_size\": -8",
     SL_FORMAT,
     {UNET, "sample_size"}},
    {"in_channels is 0",
     "sd1",
     UNET,
     "\"in_channels\": 4",
     "\"in_channels\": 0",
     SL_FORMAT,
     {UNET, "in_channels"}},
    {"in_channels is NaN",
     "sd1",
     UNET,
     "\"in_channels\": 4",
     "\"in_channels\": NaN",
     SL_FORMAT,
     {UNET, "\"in_channels\" is \"\""}},
    {"layers_per_block is 1e308",
     "sd1",
     UNET,
     "\"layers_per_block\": 2",
     "\"layers_per_block\": 1e308",
     SL_FORMAT,
     {UNET, "layers_per_block"}},
    {"no groups",
     "sd1",
     UNET,
     "\"norm_num_groups\": 4",
     "\"norm_num_groups\": 0",
     SL_FORMAT,
     {UNET, "norm_num_groups"}},
    {"an unknown activation",
     "sd1",
     UNET,
     "\"act_fn\": \"silu\"",
     "\"act_fn\": \"snake\"",
     SL_FORMAT,
     {UNET, "act_fn", "snake"}},
    {"inpainting",
     "sd1",
     UNET,
     "\"in_channels\": 4",
     "\"in_channels\": 9",
     SL_UNSUPPORTED,
     {UNET, "9 channels", "inpainting"}},
    {"scaling_factor is 0",
     "sd1",
     VAE,
     "\"scaling_factor\": 0.18215",
     "\"scaling_factor\": 0",
     SL_FORMAT,
     {VAE, "scaling_factor"}},
    {"scaling_factor is a text",
     "sd1",
     VAE,
     "\"scaling_factor\": 0.18215",
     "\"scaling_factor\": \"x\"",
     SL_FORMAT,
     {VAE, "scaling_factor"}},
    {"hidden_size is 0",
     "sd1",
     TEXT,
     "\"hidden_size\": 32",
     "\"hidden_size\": 0",
     SL_FORMAT,
     {TEXT, "hidden_size"}},
    {"vocab_size is a text",
     "sd1",
     TEXT,
     "\"vocab_size\": ",
     "\"vocab_size\": \"x\", \"v\": ",
     SL_FORMAT,
     {TEXT, "vocab_size"}},
    {"model_max_length is a text",
     "sd1",
     TOKEN,
     "\"model_max_length\": 77",
     "\"model_max_length\": \"77\"",
     SL_FORMAT,
     {TOKEN, "model_max_length"}},
    {"model_max_length is 0",
     "sd1",
     TOKEN,
     "\"model_max_length\": 77",
     "\"model_max_length\": 0",
     SL_FORMAT,
     {TOKEN, "model_max_length"}},
    {"no training steps",
     "sd1",
     SCHED,
     "\"num_train_timesteps\": 1000",
     "\"num_train_timesteps\": 0",
     SL_FORMAT,
     {SCHED, "num_train_timesteps"}},
    {"an unknown prediction",
     "sd1",
     SCHED,
     "\"prediction_type\": \"epsilon\"",
     "\"prediction_type\": \"flow\"",
     SL_FORMAT,
     {SCHED, "prediction_type", "flow"}},
    {"an unknown beta schedule",
     "sd1",
     SCHED,
     "\"beta_schedule\": ",
     "\"beta_schedule\": \"magic\", \"b\": ",
     SL_FORMAT,
     {SCHED, "beta_schedule", "magic"}},
    {"a config cut off",
     "sd1",
     SCHED,
     NULL,
     "{\"beta_end\": 0.0",
     SL_FORMAT,
     {SCHED, "not valid JSON"}},
};

static void test_wrongs(void)
{
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        const Wrong *w = &wrongs[i];
        SlError err = {0};
        const char *path = copy_model(w->fixture);
        bool changed = change(w->file, w->find, w->replace);
        bool ok = sl_model_inspect(path, &info, &err);
        if (!changed)
            sl_test(false, "%s: \"%s\" is not in the fixture's %s", w->id, w->find, w->file);
        else
            test_refused(w->id, !ok, &err, w->code,
                         (const char *const[]){w->says[0], w->says[1] ? w->says[1] : "",
                                               w->says[2] ? w->says[2] : "", NULL});
    }
}

/* Folders with something missing or different that are accepted. */
static void test_harmless(void)
{
    SlError err = {0};
    const char *path = copy_model("sd1");
    change(INDEX, "\"safety_checker\"", "\"future_part\"");
    sl_test(sl_model_inspect(path, &info, &err), "a part that nobody knows");
    path = copy_model("sd1");
    change(TOKEN, "\"model_max_length\": 77", "\"model_max_length\": 1e30");
    sl_test(sl_model_inspect(path, &info, &err) && info.prompt_tokens == 77,
            "model_max_length without a limit is the text encoder's");
    path = copy_model("sd1");
    change(UNET, "\"sample_size\": 8", "\"sample_size\": null");
    sl_test(sl_model_inspect(path, &info, &err) && info.width == 64 * 4,
            "sample_size null is 64 latents");
}

static void path_refused(const char *id, const char *path, SlCode code, const char *says)
{
    SlError err = {0};
    bool ok = sl_model_inspect(path, &info, &err);
    test_refused(id, !ok, &err, code, (const char *const[]){says, NULL});
}

static void test_wrong_paths(const char *checkpoint)
{
    char path[5000];
    SlError err = {0};
    snprintf(path, sizeof path, "%s/unet", copy_model("sd1"));
    path_refused("a part instead of the model", path, SL_FORMAT, "open the folder above it");
    snprintf(path, sizeof path, "%s", test_file("downloads"));
    mkdir(path, 0700);
    path_refused("an empty folder", path, SL_FORMAT, "no model_index.json");
    test_write_text(test_file("downloads/v1-5.safetensors"), "x");
    path_refused("a folder with a checkpoint", path, SL_FORMAT, "choose the file v1-5.safetensors");
    readdir_error = EIO;
    path_refused("a folder that fails", path, SL_IO, "cannot be read: Input/output error");
    readdir_error = 0;
    path_refused("nothing there", test_file("nowhere"), SL_IO, "no such file");
    path_refused("no path", "", SL_ARGUMENT, "the path is empty");
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = 0;
    path_refused("a path of 5,000 bytes", path, SL_IO, "longer than");
    test_write_text(test_file("model.ckpt"), "\x80\x02}q\x01.");
    path_refused("a .ckpt", test_file("model.ckpt"), SL_FORMAT, "pickle");
    path_refused("a checkpoint of another size", checkpoint, SL_UNSUPPORTED,
                 "expected 768 and CLIP");
    if (chdir(copy_model("sd1")) == 0)
        sl_test(sl_model_inspect(".", &info, &err) && !strncmp(info.name, "model", 5),
                "the current folder has a name");
}

/* ---- models that need few steps ---- */

/* A file of tensors "name shape", ended by NULL, with one entry of metadata. */
static const char *write_file(const char *name, const char *key, const char *value,
                              const char *const *tensors)
{
    char header[8000];
    size_t at = 0;
    const char *path = test_file(name);
    snprintf(header, sizeof header, "{\"__metadata__\":{\"%s\":\"%s\"}", key, value);
    for (; *tensors; tensors += 2) {
        size_t elements = 1;
        for (const char *c = tensors[1]; *c; c += strcspn(c, ",") + (strchr(c, ',') != NULL))
            elements *= (size_t)atoi(c);
        snprintf(header + strlen(header), sizeof header - strlen(header),
                 ",\"%s\":{\"dtype\":\"F16\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                 tensors[0], tensors[1], at, at + 2 * elements);
        at += 2 * elements;
    }
    strcat(header, "}");
    test_write_safetensors(path, header, strlen(header), NULL, at);
    return path;
}

#define NET         "model.diffusion_model."
#define DEEP(block) NET block ".1.transformer_blocks."
#define TEN(block)                                                                               \
    DEEP(block)                                                                                  \
    "0.norm1.weight", "1", DEEP(block) "1.norm1.weight", "1", DEEP(block) "2.norm1.weight", "1", \
        DEEP(block) "3.norm1.weight", "1", DEEP(block) "4.norm1.weight", "1",                    \
        DEEP(block) "5.norm1.weight", "1", DEEP(block) "6.norm1.weight", "1",                    \
        DEEP(block) "7.norm1.weight", "1", DEEP(block) "8.norm1.weight", "1",                    \
        DEEP(block) "9.norm1.weight", "1"

/* What tells that a file is of Stable Diffusion XL: names, and hardly a size. */
#define XL                                                                                     \
    NET "input_blocks.0.0.weight", "1,4,1,1", NET "label_emb.0.0.weight", "1,1",               \
        DEEP("input_blocks.4") "0.norm1.weight", "1", DEEP("input_blocks.4") "1.norm1.weight", \
        "1", TEN("input_blocks.7"), NET "middle_block.1.norm.weight", "1",                     \
        "first_stage_model.decoder.conv_in.bias", "1",                                         \
        "conditioner.embedders.0.transformer.text_model.a", "1",                               \
        "conditioner.embedders.1.model.ln_final.bias", "1"

static const char *const xl[] = {XL, NULL};
static const char *const xl_told[] = {XL, NET "time_embedding.cond_proj.weight", "320,256", NULL};
static const char *const xl_told_too[] = {XL, NET "time_embed.cond_proj.weight", "320,256", NULL};
static const char *const sd2[] = {NET "input_blocks.0.0.weight",
                                  "1,4,1,1",
                                  NET "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
                                  "1,1024",
                                  "first_stage_model.decoder.conv_in.bias",
                                  "1",
                                  "cond_stage_model.model.ln_final.bias",
                                  "1",
                                  NULL};
static const char *const net[] = {"down_blocks.0.resnets.0.conv1.weight", "1,1,1,1", NULL};

static bool inspect_few(const char *name, const char *key, const char *value,
                        const char *const *tensors, bool other, SlError *err)
{
    const char *path = write_file(name, key, value, tensors);
    const SlPartFrom from[] = {{"unet", path}, {NULL, NULL}};
    char *folder = sl_test_path("goldens/model/sdxl");
    bool ok = other ? sl_model_inspect_with(folder, from, &info, err)
                    : sl_model_inspect(path, &info, err);
    free(folder);
    return ok;
}

static void test_few_steps(void)
{
    static const struct {
        const char *name, *key, *value;
        const char *const *tensors;
        bool other;       /* the UNet of a folder */
        const char *kind; /* NULL: of no such kind */
        const char *from, *scheduler;
        int steps, width;
        double guidance;
        SlPrediction prediction;
    } files[] = {
        {"sd_xl_base_1.0.safetensors", "a", "b", xl, false, NULL, "", "euler", 30, 1024, 5},
        {"dreamLightningXL.safetensors", "a", "b", xl, false, NULL, "", "euler", 30, 1024, 5},
        {"sd_xl_turbo_1.0_fp16.safetensors", "a", "b", xl, false, "SDXL-Turbo", "name", "euler-a",
         4, 512, 0},
        {"turbo.safetensors", "modelspec.architecture", "stable-diffusion-xl-turbo-v1", xl, false,
         "Turbo", "modelspec.architecture", "euler-a", 4, 512, 0},
        {"SDXL-Lightning_8step.safetensors", "a", "b", xl, false, "SDXL-Lightning", "name", "euler",
         8, 1024, 0},
        {"sdxl_lightning_1step_x0.safetensors", "a", "b", xl, false, "SDXL-Lightning", "name",
         "euler", 1, 1024, 0, SL_PREDICT_SAMPLE},
        {"a.safetensors", "a", "b", xl_told, false, "LCM, told the guidance", "cond_proj", "lcm", 4,
         1024, 8},
        {"a.safetensors", "a", "b", xl_told_too, false, "LCM, told the guidance", "cond_proj",
         "lcm", 4, 1024, 8},
        {"sd_turbo.safetensors", "a", "b", sd2, false, "SD-Turbo", "name", "euler", 4, 512, 0},
        {"sdxl_lightning_4step_unet.safetensors", "a", "b", net, true, "SDXL-Lightning", "name",
         "euler", 4, 16, 0},
        {"dmd2_sdxl_4step_unet_fp16.safetensors", "a", "b", net, true, "DMD2", "name", "lcm", 4, 16,
         0},
        {"dmd2_sdxl_1step_unet_fp16.safetensors", "a", "b", net, true, "DMD2", "name", "lcm", 1, 16,
         0},
        {"unet.safetensors", "a", "b", net, true, NULL, "", "euler", 30, 16, 5},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        SlError err = {0};
        SlRecipe recipe = {0};
        bool ok = inspect_few(files[i].name, files[i].key, files[i].value, files[i].tensors,
                              files[i].other, &err);
        if (ok)
            sl_recipe_defaults(&recipe, &info);
        const char *kind = info.distilled ? info.distilled->name : NULL;
        ok = ok && !kind == !files[i].kind && (!kind || !strcmp(kind, files[i].kind)) &&
             strstr(info.distilled_from, files[i].from) &&
             !strcmp(recipe.scheduler, files[i].scheduler) && recipe.steps == files[i].steps &&
             recipe.guidance == files[i].guidance && recipe.width == files[i].width &&
             info.prediction == files[i].prediction;
        if (!sl_test(ok, "%s, %s: %s", files[i].name, files[i].value, kind ? kind : "any model"))
            sl_test_note("%s (%s) %s, %d steps, guidance %g, %d wide, predicts %d", err.message,
                         info.distilled_from, recipe.scheduler, recipe.steps, recipe.guidance,
                         recipe.width, info.prediction);
    }
}

/* ---- checkpoints that lack parts ---- */

/* All that is missing is said at once, and what is given is not missing. */
static void test_lacking(void)
{
    static const char *const alone[] = {
        NET "input_blocks.0.0.weight", "1,4,1,1",
        NET "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", "1,768", NULL};
    static const char *const vae[] = {"first_stage_model.decoder.mid.block_1.norm1.weight", "4",
                                      NULL};
    static const char *const big_g[] = {NET "input_blocks.0.0.weight", "1,4,1,1",
                                        "conditioner.embedders.0.model.ln_final.bias", "1", NULL};
    static const struct {
        const char *const *tensors;
        const char *given, *says;
    } files[] = {
        {alone, NULL,
         "the file has no text_encoder (\"cond_stage_model.\"; --text-encoder gives one) and no "
         "vae "
         "(\"first_stage_model.\"; --vae gives one); or its UNet can be given to a whole model "
         "with "
         "--unet"},
        {alone, "vae",
         "the file has no text_encoder (\"cond_stage_model.\"; --text-encoder gives one); or"},
        {big_g, NULL, "the file has no vae (\"first_stage_model.\"; --vae gives one); or"},
        {big_g, "vae", NULL},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        SlError err = {0};
        char *given = strdup(write_file("only_vae.safetensors", "a", "b", vae));
        const SlPartFrom from[] = {{files[i].given, given}, {NULL, NULL}};
        const char *path = write_file("lacking.safetensors", "a", "b", files[i].tensors);
        bool ok = sl_model_inspect_with(path, from, &info, &err);
        sl_test(files[i].says ? !ok && strstr(err.message, files[i].says) : ok,
                "lacking %zu with %s: %s", i, files[i].given ? files[i].given : "nothing",
                err.message);
        free(given);
    }
}

static void test_lacking_folders(void)
{
    SlError err = {0};
    char path[600], from[700], to[700];
    char *vae = sl_test_path("goldens/model/sd1/vae");
    snprintf(path, sizeof path, "%s", copy_model("sd1"));
    for (int i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s/%s", path, i ? "vae" : "text_encoder");
        snprintf(to, sizeof to, "%s/part_%d", path, i);
        sl_test(rename(from, to) == 0, "%s is put away", from);
    }
    sl_test(!sl_model_inspect(path, &info, &err) &&
                strstr(err.message,
                       "the folder has no text_encoder (\"text_encoder/\"; --text-encoder gives "
                       "one) and no vae (\"vae/\"; --vae gives one)"),
            "a folder without two of its parts: %s", err.message);
    const SlPartFrom given[] = {{"vae", vae}, {NULL, NULL}};
    sl_test(!sl_model_inspect_with(path, given, &info, &err) &&
                strstr(err.message, "--text-encoder") && !strstr(err.message, "--vae"),
            "and with one of them given: %s", err.message);
    free(vae);
}

/* ---- models that were trained as EDM is ---- */

static const char *const cosxl[] = {XL,  "edm_vpred.sigma_max", "1", "edm_vpred.sigma_min", "1",
                                    NULL};
static const char *const cosxl_max[] = {XL, "edm_vpred.sigma_max", "1", NULL};
static const char *const cosxl_three[] = {XL, "edm_vpred.sigma_max", "3", NULL};
static const char *const playground[] = {XL, "edm_mean", "1,4,1,1", "edm_std", "1,4,1,1", NULL};
static const char *const playground_mean[] = {XL, "edm_mean", "1,4,1,1", NULL};
static const char *const playground_v[] = {XL,  "v_pred",  "0", "edm_mean",
                                           "4", "edm_std", "4", NULL};
static const char *const sd2_edm[] = {NET "input_blocks.0.0.weight",
                                      "1,4,1,1",
                                      NET "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
                                      "1,1024",
                                      "first_stage_model.decoder.conv_in.bias",
                                      "1",
                                      "cond_stage_model.model.ln_final.bias",
                                      "1",
                                      "edm_mean",
                                      "4",
                                      NULL};

/* A file whose last numbers, of half precision, are these. */
static const char *write_ending(const char *name, const char *const *tensors,
                                const uint16_t *numbers, int count)
{
    const char *path = write_file(name, "a", "b", tensors);
    FILE *f = fopen(path, "r+");
    bool ok = f && fseek(f, -2L * count, SEEK_END) == 0 &&
              fwrite(numbers, 2, (size_t)count, f) == (size_t)count;
    sl_test(f && fclose(f) == 0 && ok, "the marks of %s can be written", path);
    return path;
}

/* 0.125, 0.5, 0.75, 1, 1.5, -2, 4, 8, 120 in half precision */
enum { F0_125 = 0x3000, F0_5 = 0x3800, F0_75 = 0x3A00, F1 = 0x3C00, F1_5 = 0x3E00, F_2 = 0xC000 };
enum { F4 = 0x4400, F8 = 0x4800, F120 = 0x5780 };

static void test_edm_files(void)
{
    static const struct {
        const char *const *tensors;
        uint16_t numbers[8];
        int count;
        const char *scheduler, *from; /* or what the refusal says, where there is no scheduler */
        SlPrediction prediction;
        double first, last, scaling, mean, std, guidance;
    } files[] = {
        {cosxl,
         {F120, F0_125},
         2,
         "edm-euler",
         "edm_vpred.sigma_max",
         SL_PREDICT_EDM_V,
         120,
         0.125,
         0.13025,
         0,
         1,
         5},
        {cosxl_max,
         {F8},
         1,
         "edm-euler",
         "edm_vpred.sigma_max",
         SL_PREDICT_EDM_V,
         8,
         0.002,
         0.13025,
         0,
         1,
         5},
        {playground,
         {F_2, F1, F4, F8, F0_75, F1, F1_5, F4},
         8,
         "edm-dpmpp",
         "edm_mean",
         SL_PREDICT_EDM_EPSILON,
         80,
         0.002,
         0.5,
         -2,
         0.75,
         3},
        {playground_v,
         {F_2, F1, F4, F8, F0_75, F1, F1_5, F4},
         8,
         "edm-dpmpp",
         "v_pred",
         SL_PREDICT_EDM_V,
         80,
         0.002,
         0.5,
         -2,
         0.75,
         3},
        {cosxl, {F0_5, F4}, 2, NULL, "\"edm_vpred.sigma_min\" is 4"},
        {cosxl, {F4, 0}, 2, NULL, "\"edm_vpred.sigma_min\" is 0"},
        {cosxl_three, {F4, F4, F4}, 3, NULL, "edm_vpred.sigma_max\" has another size; expected 1"},
        {playground_mean, {F4, F4, F4, F4}, 4, NULL, "\"edm_std\" is missing; expected 4"},
        {playground, {F1, F1, F1, F1, F1, F1, 0, F1}, 8, NULL, "\"edm_std\" has 0 for channel 2"},
        {sd2_edm, {F1, F1, F1, F1}, 4, NULL, "only those of Stable Diffusion XL's base"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        SlError err = {0};
        const char *path =
            write_ending("edm.safetensors", files[i].tensors, files[i].numbers, files[i].count);
        bool ok = sl_model_inspect(path, &info, &err);
        if (!files[i].scheduler) {
            sl_test(!ok && strstr(err.message, files[i].from), "marks %zu: %s", i, err.message);
            continue;
        }
        SlVaeConfig vae = {0};
        const SlSchedulerRun run = {.steps = 2, .size = 4, .height = 1, .width = 1};
        SlJson *json = ok ? sl_model_scheduler_config(&info, true, &err) : NULL;
        SlScheduler *s = json ? sl_scheduler_new(info.scheduler, json, NULL, &err) : NULL;
        SlJson *of_vae = s ? sl_model_config(&info, "vae", &err) : NULL;
        ok = of_vae && sl_scheduler_set_timesteps(s, &run, &err) &&
             sl_vae_config(&vae, of_vae, &err) && !strcmp(info.scheduler, files[i].scheduler) &&
             strstr(info.prediction_from, files[i].from) &&
             info.prediction == files[i].prediction &&
             fabs(sl_scheduler_sigma(s, 0) / files[i].first - 1) < 1e-6 &&
             fabs(sl_scheduler_sigma(s, 1) / files[i].last - 1) < 1e-4;
        ok = ok && fabs(vae.scaling_factor - files[i].scaling) < 1e-6 &&
             vae.latents_mean[0] == files[i].mean && vae.latents_std[0] == files[i].std;
        SlRecipe recipe = {0};
        if (ok)
            sl_recipe_defaults(&recipe, &info);
        ok = ok && recipe.guidance == files[i].guidance;
        sl_test(ok, "marks %zu: %s, from %s %s", i, info.scheduler, info.prediction_from,
                err.message);
        sl_scheduler_free(s);
        sl_json_close(json);
        sl_json_close(of_vae);
    }
}

/* Playground v2.5's folder: its scheduler, and latents with a mean. Either alone is another model. */
static void test_playground_folder(void)
{
    static const char edm[] =
        "{\"_class_name\": \"EDMDPMSolverMultistepScheduler\", \"sigma_data\": 0.5}";
    static const struct {
        const char *fixture, *scheduler;
        double guidance;
    } folders[] = {{"sdxl_v", edm, 3}, {"sdxl_v", NULL, 5}, {"sdxl", edm, 5}};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        SlError err = {0};
        SlRecipe recipe = {0};
        const char *path = copy_model(folders[i].fixture);
        bool ok = true;
        if (folders[i].scheduler) {
            change(SCHED, NULL, folders[i].scheduler);
            ok =
                change(INDEX, "\"EulerDiscreteScheduler\"", "\"EDMDPMSolverMultistepScheduler\"") ||
                change(INDEX, "\"DDIMScheduler\"", "\"EDMDPMSolverMultistepScheduler\"");
        }
        ok = ok && sl_model_inspect(path, &info, &err);
        if (ok)
            sl_recipe_defaults(&recipe, &info);
        sl_test(ok && recipe.guidance == folders[i].guidance, "%s with %s: guidance %g %s",
                folders[i].fixture, info.scheduler, recipe.guidance, err.message);
    }
}

#define BARE "down_blocks.0.resnets.0.conv1.weight", "1,1,1,1"

/* What a UNet's file says of its noise holds in place of what the model says, file or folder. */
static void test_marked_unets(void)
{
    static const char *const plain[] = {BARE, NULL}, *const v[] = {BARE, "v_pred", "0", NULL};
    static const char *const zero_snr[] = {BARE, "v_pred", "0", "ztsnr", "0", NULL};
    static const char *const cosxl_unet[] = {BARE, "edm_vpred.sigma_max", "1", NULL};
    static const struct {
        const char *model; /* a fixture; NULL: a file with CosXL's marks */
        const char *const *unet;
        const char *scheduler, *from; /* scheduler NULL: what the refusal says */
        SlPrediction prediction;
        bool zero_snr;
        double first;
    } cases[] = {
        {"sdxl", plain, "euler", "scheduler_config.json", SL_PREDICT_EPSILON},
        {"sdxl", v, "euler", "the tensor v_pred", SL_PREDICT_V},
        {"sdxl", zero_snr, "euler", "the tensor v_pred", SL_PREDICT_V, .zero_snr = true},
        {"sdxl", cosxl_unet, "edm-euler", "edm_vpred.sigma_max", SL_PREDICT_EDM_V, .first = 8},
        {NULL, plain, "edm-euler", "edm_vpred.sigma_max", SL_PREDICT_EDM_V, .first = 120},
        {NULL, v, "euler", "the tensor v_pred", SL_PREDICT_V},
        {NULL, cosxl_unet, "edm-euler", "edm_vpred.sigma_max", SL_PREDICT_EDM_V, .first = 8},
        {"sd1", cosxl_unet, NULL, "only those of Stable Diffusion XL's base"},
        {"sdxl_refiner", cosxl_unet, NULL, "only those of Stable Diffusion XL's base"},
    };
    char file_path[600], unet[600];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SlError err = {0};
        const SlSchedulerRun run = {.steps = 2, .size = 4, .height = 1, .width = 1};
        char name[100];
        snprintf(name, sizeof name, "goldens/model/%s", cases[i].model ? cases[i].model : "");
        char *path = sl_test_path(name);
        snprintf(file_path, sizeof file_path, "%s",
                 write_ending("model.safetensors", cosxl_max, (const uint16_t[]){F120}, 1));
        snprintf(unet, sizeof unet, "%s",
                 cases[i].unet == cosxl_unet
                     ? write_ending("unet.safetensors", cosxl_unet, (const uint16_t[]){F8}, 1)
                     : write_file("unet.safetensors", "a", "b", cases[i].unet));
        const SlPartFrom from[] = {{"unet", unet}, {NULL, NULL}};
        bool ok = sl_model_inspect_with(cases[i].model ? path : file_path, from, &info, &err);
        free(path);
        if (!cases[i].scheduler) {
            sl_test(!ok && strstr(err.message, cases[i].from), "UNet %zu: %s", i, err.message);
            continue;
        }
        SlJson *json = ok ? sl_model_scheduler_config(&info, true, &err) : NULL;
        SlScheduler *s = json ? sl_scheduler_new(info.scheduler, json, NULL, &err) : NULL;
        ok = s && sl_scheduler_set_timesteps(s, &run, &err) &&
             !strcmp(info.scheduler, cases[i].scheduler) &&
             strstr(info.prediction_from, cases[i].from) &&
             info.prediction == cases[i].prediction &&
             sl_scheduler_prediction(s) == cases[i].prediction &&
             info.zero_snr_marked == cases[i].zero_snr &&
             (cases[i].first == 0 || fabs(sl_scheduler_sigma(s, 0) / cases[i].first - 1) < 1e-6);
        sl_test(ok, "UNet %zu: %s, from %s %s", i, info.scheduler, info.prediction_from,
                err.message);
        sl_scheduler_free(s);
        sl_json_close(json);
    }
}

/* Where LCM's few steps are, of a file and of the makers' script. */
static void test_their_timesteps(void)
{
    static const struct {
        const char *name;
        int steps;
        double timestep[4];
    } files[] = {{"dmd2_sdxl_4step_unet_fp16.safetensors", 4, {999, 749, 499, 249}},
                 {"Hyper-SDXL-1step-Unet.safetensors", 1, {800}},
                 {"dmd2_sdxl_1step_unet_fp16.safetensors", 1, {399}}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        SlError err = {0};
        const SlSchedulerChoice choice = {.eta = -1};
        const SlSchedulerRun run = {.steps = files[i].steps, .size = 4, .height = 1, .width = 1};
        bool ok = inspect_few(files[i].name, "a", "b", net, true, &err);
        SlJson *json = ok ? sl_model_scheduler_config(&info, true, &err) : NULL;
        SlScheduler *s = json ? sl_scheduler_new(info.scheduler, json, &choice, &err) : NULL;
        ok = s && sl_scheduler_set_timesteps(s, &run, &err);
        for (int k = 0; ok && k < files[i].steps; k++)
            ok = sl_scheduler_timestep(s, k) == files[i].timestep[k];
        sl_test(ok, "%s: its makers' timesteps %s", files[i].name, err.message);
        sl_scheduler_free(s);
        sl_json_close(json);
    }
}

/* ---- the tokenizer of a single file ---- */

/* What "!" and the padding of a short text are; 0 tokens: it does not open. */
static int tokens_of(const SlModelInfo *model, int *bang, int *pad)
{
    SlError err = {0};
    int padded[77] = {0}, size = 0;
    SlTokenizer *t = sl_model_open_tokenizer(model, "tokenizer", NULL, &err);
    if (t && sl_tokenizer_max_length(t) == 77 &&
        sl_tokenize_padded(t, "!", padded, NULL, NULL, &err))
        size = sl_tokenizer_vocab_size(t);
    *bang = padded[1];
    *pad = padded[76];
    sl_tokenizer_close(t);
    return size;
}

/* A checkpoint is known by its real sizes, so this one is none: only where it lies matters. */
static void test_tokenizer(void)
{
    char *folder = strdup(copy_model("sd1")), *command = NULL;
    int bang, pad;
    if (!folder || asprintf(&command, "mv '%s/tokenizer' '%s/away'", folder, folder) < 0 ||
        system(command))
        abort();
    info = (SlModelInfo){
        .pipeline = sl_pipeline_find("stable-diffusion"), .single_file = true, .arch = "sd15"};
    snprintf(info.path, sizeof info.path, "%s/alone.safetensors", folder);
    sl_test(tokens_of(&info, &bang, &pad) == 49408 && bang == 256 && pad == 49407,
            "a single file of SD 1.x: CLIP's vocabulary, padded with its end");
    snprintf(info.arch, sizeof info.arch, "sd21");
    sl_test(tokens_of(&info, &bang, &pad) == 49408 && bang == 0 && pad == 0,
            "a single file of SD 2.x: CLIP's vocabulary, padded with \"!\"");
    free(command);
    if (asprintf(&command, "mv '%s/away' '%s/tokenizer'", folder, folder) < 0 || system(command))
        abort();
    sl_test(tokens_of(&info, &bang, &pad) == 574, "a tokenizer folder beside the file comes first");
    free(command);
    free(folder);
}

int main(int argc, char **argv)
{
    char checkpoint[4096];
    if (argc != 2 || !realpath(argv[1], checkpoint))
        return 2;
    test_fixtures();
    test_parts_and_hashes();
    test_wrongs();
    test_harmless();
    test_wrong_paths(checkpoint);
    test_few_steps();
    test_lacking();
    test_lacking_folders();
    test_edm_files();
    test_playground_folder();
    test_marked_unets();
    test_their_timesteps();
    test_tokenizer();
    return sl_test_done();
}
