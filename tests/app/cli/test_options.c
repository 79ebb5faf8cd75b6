/* test_options.c - every option of the command line: what it takes, and what it says about what it
 * does not take.
 */
#include "app/cli/options.h"
#include "test.h"

#include <string.h>

#define MAX_WORDS 16

/* Splits a line at blanks; "''" is an empty word. */
static bool parse(SlCommand command, const char *line, SlOptions *o, SlError *err)
{
    static char words[MAX_WORDS][300]; /* options borrow from it */
    char *argv[MAX_WORDS];
    int argc = 0;
    for (const char *p = line; *p && argc < MAX_WORDS;) {
        size_t n = strcspn(p, " ");
        snprintf(words[argc], sizeof words[argc], "%.*s", (int)n, p);
        argv[argc] = words[argc];
        if (strcmp(argv[argc], "''") == 0)
            argv[argc][0] = '\0';
        argc++;
        p += n + (p[n] == ' ');
    }
    return sl_options_parse(command, argc, argv, o, err);
}

static void refused(SlCommand command, const char *line, const char *word)
{
    SlOptions o;
    SlError err = {0};
    bool ok = parse(command, line, &o, &err);
    if (!sl_test(!ok && err.code == SL_ARGUMENT && strstr(err.message, word), "refused: %s",
                 line) ||
        !ok)
        sl_test_note("%s", err.message);
}

static void accepted(SlCommand command, const char *line)
{
    SlOptions o;
    SlError err = {0};
    if (!sl_test(parse(command, line, &o, &err), "accepted: %s", line))
        sl_test_note("%s", err.message);
}

static void test_values(void)
{
    SlOptions o;
    SlError err = {0};
    bool ok = parse(SL_COMMAND_GENERATE,
                    "generate --prompt --cat --negative '' --model m --steps 31 --guidance=6.5 "
                    "--sigmas karras --spacing trailing --variance fixed_large",
                    &o, &err);
    sl_test(ok && strcmp(o.values.prompt, "--cat") == 0 &&
                strcmp(o.values.negative_prompt, "") == 0 &&
                sl_options_given(&o, SL_SETTING_NEGATIVE_PROMPT) && o.values.steps == 31 &&
                o.values.guidance == 6.5 && o.values.sigmas == SL_SIGMAS_KARRAS &&
                o.values.spacing == SL_SPACING_TRAILING && o.values.variance == SL_VARIANCE_LARGE,
            "values %s", err.message);
    ok =
        parse(SL_COMMAND_GENERATE,
              "generate --seed 18446744073709551615 --noise cuda --width 512 --height=768 --device "
              "ref --dtype f32 --threads 3",
              &o, &err);
    sl_test(ok && o.values.seed == UINT64_MAX && o.values.noise == SL_NOISE_CUDA &&
                o.values.width == 512 && o.values.height == 768 && strcmp(o.device, "ref") == 0 &&
                strcmp(o.dtype, "f32") == 0 && o.threads == 3,
            "more values %s", err.message);
    ok = parse(SL_COMMAND_BENCH, "bench --dtype bf16,vae=f32,text=f32 --against q8", &o, &err);
    sl_test(ok && !strcmp(o.dtype, "bf16,vae=f32,text=f32") && !strcmp(o.against, "q8"),
            "types of parts %s", err.message);
    ok = parse(SL_COMMAND_BENCH, "bench --dtype q8/bf16,text=f32 --against q8/f32", &o, &err);
    sl_test(ok && !strcmp(o.dtype, "q8/bf16,text=f32") && !strcmp(o.against, "q8/f32"),
            "types beside weights in 8 bits %s", err.message);
    ok = parse(SL_COMMAND_BENCH, "bench --quality q8/f32", &o, &err);
    sl_test(ok && !strcmp(o.quality, "q8/f32"), "and their quality %s", err.message);
    ok = parse(
        SL_COMMAND_GENERATE,
        "generate --latents l --step-noise s --dump d --previews p --output o.PNG --json --quiet",
        &o, &err);
    sl_test(ok && o.latents && o.step_noise && o.dump && o.previews && o.output && o.json &&
                o.quiet,
            "files and flags %s", err.message);
    ok = parse(SL_COMMAND_GENERATE, "generate", &o, &err);
    sl_test(ok && !o.given && !o.model && o.step < 0 && o.threads < 0,
            "what is not given is marked so");
    ok = parse(SL_COMMAND_TOKENIZE, "tokenize --model m -- --text", &o, &err);
    sl_test(ok && strcmp(o.argument, "--text") == 0, "-- ends the options");
    ok = parse(SL_COMMAND_COMPARE, "compare --schedulers euler,pndm,ddim --output s.png", &o, &err);
    const char *ids[SL_COMPARE_MAX];
    sl_test(ok && sl_options_schedulers(&o, SL_PREDICT_EPSILON, ids) == 3 &&
                strcmp(ids[1], "pndm") == 0,
            "a list of schedulers %s", err.message);
    ok = parse(SL_COMMAND_COMPARE, "compare --schedulers all", &o, &err);
    int others = sl_options_schedulers(&o, SL_PREDICT_V, ids);
    sl_test(ok && others == 24, "24 schedulers for a model that predicts v, not %d", others);
    int flow = sl_options_schedulers(&o, SL_PREDICT_FLOW, ids);
    sl_test(ok && flow == 8, "8 for one that predicts flow, not %d", flow);
}

/* Names of files may be of any bytes. */
static void test_utf8(void)
{
    const SlCommand g = SL_COMMAND_GENERATE, c = SL_COMMAND_COMPARE;
    refused(g, "generate --prompt a\xff", "--prompt is not valid UTF-8: byte 2 is 0xFF");
    refused(g, "generate --prompt=\xc3", "--prompt is not valid UTF-8: byte 1 is 0xC3");
    refused(g, "generate --negative \xe9t\xe9", "--negative is not valid UTF-8: byte 1 is 0xE9");
    char lane[] = "steps=3,prompt=a\xff";
    SlOptions o = {0};
    SlError err = {0};
    sl_test(!sl_options_lane(lane, &o, &err) && err.code == SL_ARGUMENT &&
                strstr(err.message, "in a --lane, --prompt is not valid UTF-8: byte 2 is 0xFF"),
            "refused in a lane");
    refused(c, "compare --grid x=prompt:a\xff y=steps:1,2",
            "--grid is not valid UTF-8: byte 11 is 0xFF");
    refused(SL_COMMAND_TOKENIZE, "tokenize --model m a\xff",
            "TEXT is not valid UTF-8: byte 2 is 0xFF");
    accepted(g, "generate --model \xff --prompt \xc3\xa9 --output \xff.png --latents \xff");
    accepted(SL_COMMAND_INFO, "info \xff");
}

static void test_refused(void)
{
    const SlCommand g = SL_COMMAND_GENERATE;
    refused(g, "generate --steps 0", "--steps is \"0\"; expected a whole number from 1 to 1000");
    refused(g, "generate --steps 1001", "1 to 1000");
    refused(g, "generate --steps 2.5", "2.5");
    refused(g, "generate --steps ''", "--steps");
    refused(g, "generate --steps", "needs a value");
    refused(g, "generate --step 5", "no option --step");
    refused(g, "generate --guidance nan", "nan");
    refused(g, "generate --guidance 1e9", "0 to 100");
    refused(g, "generate --guidance 7,5", "7,5");
    refused(g, "generate --seed -1", "18446744073709551615");
    refused(g, "generate --seed 18446744073709551616", "18446744073709551615");
    refused(g, "generate --seed 0x10", "0x10");
    refused(g, "generate --width 0", "--width");
    refused(g, "generate --height 99999", "16384");
    refused(g, "generate --scheduler eular", "euler");
    refused(g, "generate --sigmas square", "model, karras, exponential, beta");
    refused(g, "generate --sigmas 3,5,0", "falling numbers");
    refused(g, "generate --sigma-list karras", "falling numbers");
    refused(g, "generate --spacing x", "model, linspace, leading, trailing");
    refused(g, "generate --variance x", "model, fixed_small, fixed_small_log, fixed_large");
    refused(g, "generate --noise gpu", "cpu, cuda");
    refused(g, "generate --device tpu", "auto, ref, cpu, cuda, check");
    refused(g, "generate --dtype f64", "auto, f32, bf16, f16");
    refused(g, "generate --dtype f64,vae=f32", "auto, f32, bf16, f16");
    refused(g, "generate --dtype q8/f64", "q8, q8/f32, q8/bf16");
    refused(g, "generate --dtype q8/", "q8, q8/f32, q8/bf16");
    refused(g, "generate --dtype q8/bf16,vae=q8/f32", "the data type is \"q8/f32\"");
    refused(g, "generate --dtype bf16,vae=f64", "the data type is \"f64\"");
    refused(g, "generate --dtype bf16,vae", "something like vae=f32");
    refused(SL_COMMAND_BENCH, "bench --against f64", "auto, f32, bf16, f16");
    refused(g, "generate --threads 0", "--threads");
    refused(g, "generate --output picture.jpg", ".png");
    refused(g, "generate --json=yes", "takes no value");
    refused(g, "generate --refine-from 0", "a number from 0.01 to 1");
    refused(g, "generate --model ''", "--model is \"\"; expected PATH|NAME");
    refused(g, "generate --vae ''", "--vae is \"\"; expected FILE|FOLDER|NAME");
    refused(g, "generate --previews ''", "--previews is \"\"; expected FOLDER");
    refused(g, "generate --dynamic ''", "--dynamic is \"\"; expected N|all");
    refused(g, "generate word", "does not expect \"word\"");
    refused(g, "generate --verify", "no option --verify");
    refused(g, "generate -x", "-x");
    refused(SL_COMMAND_BRANCH, "branch a.png --step 1 --output b.png --seed 3", "no option --seed");
    refused(SL_COMMAND_BENCH, "bench --guidance 3", "no option --guidance");
    accepted(SL_COMMAND_COMPARE, "compare --schedulers euler");
    accepted(SL_COMMAND_COMPARE, "compare --schedulers all --lane steps=5 --lane seed=2");
    refused(SL_COMMAND_COMPARE, "compare --lane steps=5 --animation a.mov", ".webp");
    refused(SL_COMMAND_COMPARE, "compare --lane steps=5 --align time", "evals");
    refused(SL_COMMAND_COMPARE, "compare --lane steps=5 --open a.safelight", "not both");
    refused(SL_COMMAND_COMPARE, "compare --open a.png", ".safelight");
    accepted(SL_COMMAND_COMPARE, "compare --lane steps=5 --table t.csv --report r.html");
    refused(SL_COMMAND_COMPARE, "compare --lane steps=5 --table t.txt", ".csv");
    accepted(SL_COMMAND_COMPARE, "compare --lane steps=5 --reference 1");
    refused(SL_COMMAND_COMPARE, "compare --lane steps=5 --reference 0", "1 to");
    refused(SL_COMMAND_COMPARE, "compare --lane steps=5 --report r.pdf", ".html");
    refused(SL_COMMAND_COMPARE, "compare --output s.png", "--schedulers");
    accepted(SL_COMMAND_COMPARE, "compare --lane steps=5 --sheet s.png");
    accepted(SL_COMMAND_COMPARE, "compare --open a.safelight --sheet s.png --reference 2");
    refused(SL_COMMAND_COMPARE, "compare --open a.safelight --steps 5", "--steps would change");
    refused(SL_COMMAND_COMPARE, "compare --open a.safelight --fast", "--fast would change");
    refused(SL_COMMAND_COMPARE, "compare --lane steps=5 --sheet s.png --output o.png", "not both");
    refused(SL_COMMAND_COMPARE, "compare --schedulers euler,, --output s.png", "--schedulers");
    refused(SL_COMMAND_COMPARE, "compare --schedulers euler,nobody --output s.png", "nobody");
    refused(SL_COMMAND_REPLAY, "replay", "FILE.png");
    refused(SL_COMMAND_REPLAY, "replay a.png b.png --verify", "b.png");
    refused(SL_COMMAND_INFO, "info", "MODEL");
    refused(SL_COMMAND_TOKENIZE, "tokenize --model m", "TEXT");
    refused(SL_COMMAND_SCHEDULERS, "schedulers --quiet", "--quiet");
    refused(SL_COMMAND_BENCH, "bench --arch sd99", "starter, sd15, sd21-base, sd21");
    refused(SL_COMMAND_BENCH, "bench --arch sd15 --model m", "not both");
}

static void test_accepted(void)
{
    accepted(SL_COMMAND_GENERATE, "generate --steps 1000");
    accepted(SL_COMMAND_GENERATE, "generate -h");
    accepted(SL_COMMAND_REPLAY, "replay a.png");
    accepted(SL_COMMAND_REPLAY, "replay a.png --verify --output b.png");
    accepted(SL_COMMAND_INFO, "info model --json");
    accepted(SL_COMMAND_SCHEDULERS, "schedulers --json");
    accepted(SL_COMMAND_BENCH, "bench --arch sd15 --steps 2 --device cpu --json");
    accepted(SL_COMMAND_BENCH, "bench --arch sd15 --width 256 --height 256 --profile");
}

static void test_help(void)
{
    for (int c = 0; c <= SL_COMMANDS; c++) {
        char *text = sl_options_help((SlCommand)c);
        sl_test(text && strlen(text) > 100 && text[strlen(text) - 1] == '\n', "help of %s",
                c < SL_COMMANDS ? sl_command_name((SlCommand)c) : "the program");
        free(text);
    }
    sl_test(sl_command_find("generate") == SL_COMMAND_GENERATE &&
                sl_command_find("gen") == SL_COMMANDS,
            "commands by name");
}

int main(void)
{
    test_values();
    test_utf8();
    test_refused();
    test_accepted();
    test_help();
    return sl_test_done();
}
