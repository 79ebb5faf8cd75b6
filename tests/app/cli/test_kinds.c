/* test_kinds.c - each option that takes a file is given each other kind of file: the sentence names the
 * file, says what it is, and what was expected.
 *
 * Usage: test_kinds SD1 GGUF UNET-GGUF (the fixture sd1 as a single checkpoint and as GGUF files, whole and the UNet
 * alone, made by Meson).
 */
#include "app/files/safetensors_writer.h"
#include "engine/files/weights.h"
#include "program.h"

#include <stdlib.h>
#include <sys/stat.h>

/* ---- options ---- */

typedef enum Option {
    MODEL,
    VAE,
    UNET,
    TEXT_ENCODER,
    TINY,
    LORA,
    EMBEDDING,
    LATENTS,
    STEP_NOISE,
    COMPARISON,
    OPTIONS
} Option;

static const struct {
    const char *name, *expected; /* in the sentence */
} options[OPTIONS] = {
    [MODEL] = {"--model", "expected a model: "},
    [VAE] = {"--vae", "expected a VAE: "},
    [UNET] = {"--unet", "expected a UNet: "},
    [TEXT_ENCODER] = {"--text-encoder", "expected a text encoder: "},
    [TINY] = {"--preview-decoder", "expected a tiny VAE "},
    [LORA] = {"--lora", "expected a LoRA "},
    [EMBEDDING] = {"--embedding", "expected an embedding "},
    [LATENTS] = {"--latents", "expected a .safetensors file with the tensor \"latents\""},
    [STEP_NOISE] = {"--step-noise", "expected a .safetensors file with the tensor \"noise\""},
    [COMPARISON] = {"--open", "a .safelight file"},
};

/* ---- kinds ---- */

#define TAKES(option) (1u << (option))
#define PARTS         (TAKES(VAE) | TAKES(UNET) | TAKES(TEXT_ENCODER))

typedef struct Kind {
    const char *name; /* of the file */
    const char *what; /* in the sentence */
    unsigned taken;   /* by these options, which are not tried */
    bool advised;     /* the sentence says what to do and not what was expected */
    const char *text; /* the file's, where it is none of the fixtures; NULL: it is */
} Kind;

static const Kind kinds[] = {
    {"whole.safetensors", "this is a model in a single file, which --model takes",
     TAKES(MODEL) | PARTS, false, NULL},
    {"whole.gguf", "this is a model in a single file, which --model takes", TAKES(MODEL) | PARTS,
     false, NULL},
    {"unet.gguf", "this is a UNet alone, which --unet takes", TAKES(UNET), false, NULL},
    {"unet.safetensors", "this is a UNet alone, which --unet takes", TAKES(UNET), false, NULL},
    {"vae.safetensors", "this is a VAE alone, which --vae takes", TAKES(VAE), false, NULL},
    {"text.safetensors", "this is a text encoder alone, which --text-encoder takes",
     TAKES(TEXT_ENCODER), false, NULL},
    {"tiny.safetensors", "this is a tiny VAE (TAESD), which --preview-decoder or --vae takes",
     TAKES(TINY) | TAKES(VAE), false, NULL},
    {"tiny_encoder.safetensors", "this is the encoder of a tiny VAE", 0, false, NULL},
    {"lora.safetensors", "this is a LoRA, an addition to a model, which --lora takes", TAKES(LORA),
     false, NULL},
    {"loha.safetensors", "this is a LoRA, an addition to a model, which --lora takes", TAKES(LORA),
     false, NULL},
    {"embedding.safetensors", "this is a textual inversion embedding, which --embedding takes",
     TAKES(EMBEDDING), false, NULL},
    {"latents.safetensors", "this is a file of latents or noise, which --latents or --step-noise",
     TAKES(LATENTS) | TAKES(STEP_NOISE), false, NULL},
    {"controlnet.safetensors", "this is a ControlNet, an addition to a model that cannot be read",
     0, false, NULL},
    {"sd3.safetensors", "this is a Stable Diffusion 3 checkpoint", 0, false, NULL},
    {"flux.safetensors", "this is a Flux checkpoint", 0, false, NULL},
    {"lanes.safelight", "this is a comparison that Safelight saved, which compare --open takes",
     TAKES(COMPARISON), false, NULL},
    {"picture.png", "this is a PNG picture", 0, false, NULL},
    {"film.webp", "this is a WebP picture", 0, false, NULL},
    {"embedding.pt", "this is a PyTorch file (.pt, .ckpt, .bin) that contains a pickle",
     TAKES(EMBEDDING), true, NULL},
    {"photo.jpg", "this is a JPEG picture", 0, false, "\xff\xd8\xff\xe0 and so on, for some bytes"},
    {"document.pdf", "this is a PDF document", 0, false, "%PDF-1.7 and so on, for some bytes"},
    {"program", "this is a program", 0, false,
     "\x7f"
     "ELF and so on, for some bytes"},
    {"array.npy", "this is a NumPy array", 0, false, "\x93NUMPY and so on, for some bytes"},
    {"archive.gz", "this is a gzip archive, which is to be unpacked first", 0, false,
     "\x1f\x8b and so on, for some bytes"},
    {"settings.json", "this is a JSON file", 0, false, "{\"steps\": 20, \"prompt\": \"x\"}"},
    {"notes.txt", "this is a text file", 0, false, "a text of some length, and more of it\n"},
    {"page.html", "this is a web page", 0, true, "<!doctype html><html><body>404"},
    {"pointer", "this is a Git LFS pointer", 0, true,
     "version https://git-lfs.github.com/spec/v1\n"},
    {"empty", "the file is empty", 0, true, ""},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* ---- the files ---- */

static char *model;

static void save(SlTensorWriter *to, const char *name)
{
    SlError err = {0};
    sl_test(sl_tensor_writer_save(to, file(name), &err), "%s is written %s", name, err.message);
    sl_tensor_writer_free(to);
}

/* A file of one tensor, or of two. */
static void tensors(const char *name, const char *first, const char *second)
{
    static const float values[4 * 4 * 4];
    SlTensorWriter *to = sl_tensor_writer_new();
    sl_tensor_writer_add(to, first, 3, (const int64_t[]){4, 4, 4}, values);
    if (second)
        sl_tensor_writer_add(to, second, 3, (const int64_t[]){4, 4, 4}, values);
    save(to, name);
}

/* A checkpoint's tensors behind a prefix. */
static void part(const char *checkpoint, const char *prefix, const char *name)
{
    SlError err = {0};
    SlWeightSource *w = sl_weights_open_file(checkpoint, &err);
    SlTensorWriter *to = sl_tensor_writer_new();
    for (size_t i = 0; w && i < sl_weights_count(w); i++) {
        const SlTensorInfo *t = sl_weights_info(w, i);
        if (strncmp(t->name, prefix, strlen(prefix)) || !t->storage || t->rank > 4)
            continue;
        float *values = malloc((size_t)t->bytes * 2 + 4);
        if (values && sl_weights_read_f32(w, t, values, &err))
            sl_tensor_writer_add(to, t->name + strlen(prefix), t->rank, t->size, values);
        free(values);
    }
    sl_weights_close(w);
    save(to, name);
}

static void link_to(const char *path, const char *name)
{
    char *whole = realpath(path, NULL);
    sl_test(whole && symlink(whole, file(name)) == 0, "%s is there", name);
    free(whole);
}

static void link_fixture(const char *fixture, const char *name)
{
    char *path = sl_test_path(fixture);
    link_to(path, name);
    free(path);
}

static void make_files(char **argv)
{
    link_to(argv[1], "whole.safetensors");
    link_to(argv[2], "whole.gguf");
    link_to(argv[3], "unet.gguf");
    part(argv[1], "model.diffusion_model.", "unet.safetensors");
    part(argv[1], "first_stage_model.", "vae.safetensors");
    part(argv[1], "cond_stage_model.transformer.", "text.safetensors");
    link_fixture("goldens/previews/taesd_decoder.safetensors", "tiny.safetensors");
    tensors("tiny_encoder.safetensors", "0.weight", "1.conv.0.weight");
    link_fixture("goldens/adapters/sd1_kohya_lora.safetensors", "lora.safetensors");
    tensors("loha.safetensors", "unet.conv_in.hada_w1_a", "unet.conv_in.hada_w1_b");
    link_fixture("goldens/embeddings/sd1_bf16.safetensors", "embedding.safetensors");
    link_fixture("goldens/embeddings/sd1.pt", "embedding.pt");
    tensors("latents.safetensors", "latents", "noise");
    tensors("controlnet.safetensors", "control_model.input_hint_block.0.weight", NULL);
    tensors("sd3.safetensors", "model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight",
            NULL);
    tensors("flux.safetensors", "double_blocks.0.img_attn.qkv.weight", NULL);
    link_fixture("fixtures/first-edition/lanes.safelight", "lanes.safelight");
    link_fixture("fixtures/first-edition/picture.png", "picture.png");
    link_fixture("fixtures/first-edition/film.webp", "film.webp");
    for (size_t i = 0; i < KINDS; i++) {
        SlError err = {0};
        const char *text = kinds[i].text;
        if (text && !sl_write_file(file(kinds[i].name), text, strlen(text), &err))
            sl_test(false, "%s is written: %s", kinds[i].name, err.message);
    }
}

/* ---- the table ---- */

static Run give(Option option, const char *path)
{
    const char *const *o = &options[option].name;
    if (option == COMPARISON)
        return RUN("compare", *o, path, "--model", model);
    if (option == MODEL)
        return RUN("generate", *o, path, "--prompt", "x", "--output", file("n.png"));
    return RUN("generate", "--model", model, "--prompt", "x", "--steps", "1", "--scheduler",
               "euler-a", "--width", "32", "--height", "32", "--quiet", "--previews", file("p"), *o,
               path, "--output", file("n.png"));
}

static bool is_one_line(const char *text)
{
    const char *end = strchr(text, '\n');
    return end && !end[1];
}

/* The sentence has all of these. */
static void refuses(Option option, const char *name, const char *what, const char *expected)
{
    char path[4200];
    snprintf(path, sizeof path, "%s", file(name));
    Run run = give(option, path);
    bool ok = run.status > 0 && run.status < 100 && is_one_line(run.err) && strstr(run.err, name) &&
              strstr(run.err, what) && strstr(run.err, expected);
    if (!sl_test(ok, "%s given %s", options[option].name, name))
        sl_test_note("status %d, not \"%s\" and \"%s\": %.600s", run.status, what, expected,
                     run.err);
    done(&run);
}

static void test_table(void)
{
    for (int option = 0; option < OPTIONS; option++)
        for (size_t i = 0; i < KINDS; i++)
            if (!(kinds[i].taken & TAKES(option)))
                refuses((Option)option, kinds[i].name, kinds[i].what,
                        kinds[i].advised ? "" : options[option].expected);
}

/* Where a file is expected a folder is refused; where one may be a part's, another part's. */
static void test_folders(void)
{
    static const Option files[] = {LORA, EMBEDDING, LATENTS, STEP_NOISE};
    link_to(model, "model");
    link_fixture("goldens/model/sd1/vae", "vae");
    link_fixture("goldens/model/sd1/unet", "unet");
    link_fixture("goldens/model/sd1/text_encoder", "text_encoder");
    sl_test(mkdir(file("folder"), 0700) == 0, "a folder of something else");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *expected = options[files[i]].expected;
        refuses(files[i], "model", "this is the folder of a model", expected);
        refuses(files[i], "vae", "this is the folder of a part of a model", expected);
        refuses(files[i], "folder", "this is a folder", expected);
    }
    refuses(TINY, "text_encoder", "this is the folder of a part of a model", "a tiny VAE (TAESD)");
    refuses(TINY, "folder", "this is a folder", "expected a tiny VAE (TAESD)");
    refuses(VAE, "unet", "the class is \"UNet2DConditionModel\"", "expected AutoencoderKL");
    refuses(VAE, "text_encoder", "the class is \"CLIPTextModel\"", "expected AutoencoderKL");
    refuses(UNET, "text_encoder", "the class is \"CLIPTextModel\"",
            "expected UNet2DConditionModel");
    refuses(TEXT_ENCODER, "vae", "the class is \"AutoencoderKL\"", "expected CLIPTextModel");
    refuses(VAE, "folder", "no config.json in this folder", "expected the folder of a vae");
    refuses(MODEL, "vae", "this folder is one part of a model", "--unet, --vae or --text-encoder");
}

/* What is in it counts, whatever its name says. */
static void test_named_comparison(void)
{
    static const char *const given[] = {"whole.safetensors", "whole.gguf", "picture.png"};
    static const char *const what[] = {"this is a model in a single file", "this is a model in a",
                                       "this is a PNG picture"};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        char *from = realpath(file(given[i]), NULL), name[40];
        snprintf(name, sizeof name, "%s.safelight", given[i]);
        link_to(from, name);
        refuses(COMPARISON, name, what[i], options[COMPARISON].expected);
        expect(RUN("info", file(name)), i == 2 ? 0 : 1, i == 2 ? "" : what[i], name);
        free(from);
    }
}

/* What a file is called does not matter where its path is given. */
static void test_endings(void)
{
    static const Option named[] = {LORA, EMBEDDING};
    link_fixture("goldens/adapters/sd1_kohya_lora.safetensors", "cat.lora");
    link_fixture("goldens/embeddings/sd1_bf16.safetensors", "cat.embedding");
    for (int i = 0; i < 2; i++) {
        char path[4200];
        snprintf(path, sizeof path, "%s", file(i ? "cat.embedding" : "cat.lora"));
        expect(give(named[i], path), 0, "", options[named[i]].name);
        sl_test(remove(file("n.png")) == 0, "... with a file of another ending: a picture");
    }
}

/* Where a picture is expected. */
static void test_pictures(void)
{
    static const struct {
        const char *name, *what;
    } given[] = {{"whole.safetensors", "but a safetensors file"},
                 {"whole.gguf", "but a GGUF file"},
                 {"embedding.pt", "but a PyTorch file with a pickle"},
                 {"settings.json", "but a JSON file"},
                 {"notes.txt", "but a text file"},
                 {"photo.jpg", "but a JPEG picture"},
                 {"empty", "but an empty file"}};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        expect(RUN("replay", file(given[i].name)), 1, given[i].what, given[i].name);
        expect(RUN("branch", file(given[i].name), "--step", "1", "--output", file("n.png")), 1,
               given[i].what, given[i].name);
    }
    expect(RUN("tokenize", "x", "--model", file("vae")), 1,
           "this is the folder of a part of a model; expected a model: ",
           "tokenize with the folder of a part");
}

int main(int argc, char **argv)
{
    if (argc < 4 || !program_begin())
        return 1;
    model = sl_test_path("goldens/model/sd1");
    make_files(argv);
    test_table();
    test_folders();
    test_named_comparison();
    test_endings();
    test_pictures();
    sl_test(access(file("n.png"), F_OK) != 0, "nothing was written by any of these");
    free(model);
    return program_end();
}
