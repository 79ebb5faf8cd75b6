/* test_infotext.c - the common `parameters` grammar: what AUTOMATIC1111's own reader makes of the
 * same texts, and round trips.
 */
#include "app/recipe/infotext.h"
#include "app/recipe/sampler_names.h"
#include "test.h"

#include <string.h>
#include <time.h>

static void check(const char *text, const char *prompt, const char *negative, int fields,
                  const char *what)
{
    SlInfotext info;
    SlError err;
    bool ok = sl_infotext_parse(text, &info, &err) && strcmp(info.prompt, prompt) == 0 &&
              strcmp(info.negative_prompt, negative) == 0 && info.count == fields;
    if (!sl_test(ok, "%s", what)) {
        sl_test_note("prompt [%s]", info.prompt);
        sl_test_note("negative [%s]", info.negative_prompt);
        for (int i = 0; i < info.count; i++)
            sl_test_note("[%s] = [%s]", info.field[i].key, info.field[i].value);
    }
    sl_infotext_free(&info);
}

static void check_field(const char *text, const char *key, const char *value)
{
    SlInfotext info;
    SlError err;
    bool ok = sl_infotext_parse(text, &info, &err);
    const char *found = ok ? sl_infotext_get(&info, key) : NULL;
    ok = value ? found && strcmp(found, value) == 0 : !found;
    if (!sl_test(ok, "the field %s is %s", key, value ? "read" : "not there"))
        sl_test_note("found [%s]", found ? found : "nothing");
    sl_infotext_free(&info);
}

#define THREE "Steps: 20, Sampler: Euler a, Seed: 5"

static void test_reading(void)
{
    check("a cat", "a cat", "", 0, "only a prompt");
    check("", "", "", 0, "nothing");
    check("a cat\n" THREE, "a cat", "", 3, "prompt and fields");
    check("a cat\nNegative prompt: blurry\n" THREE, "a cat", "blurry", 3, "with a negative prompt");
    check("a\n  b  \nNegative prompt: x\ny\n" THREE, "a\nb", "x\ny", 3, "more lines");
    check(THREE, "", "", 3, "only fields");
    check("Negative prompt: only\n" THREE, "", "only", 3, "only a negative prompt");
    check("a\nSteps: 20, Seed: 5", "a\nSteps: 20, Seed: 5", "", 0, "two fields are a prompt");
    check("portrait, Steps: the, movie\n" THREE, "portrait, Steps: the, movie", "", 3,
          "\"Steps:\" inside the prompt");
    check("\n\n a \n\n b \n" THREE "\n\n", "a\n\nb", "", 3, "blank lines");
    check("a\r\nNegative prompt: b\r\n" THREE "\r\n", "a", "b", 3, "CRLF");
}

static void test_fields(void)
{
    const char *quoted = "p\n" THREE ", Model: \"a, \\\"b\\\": c\\n\\u00e9\", Size: 512x768, "
                         "Lora hashes: \"x: 1, y: 2\", Version: v1.9.4";
    check_field(quoted, "Model", "a, \"b\": c\n\xC3\xA9");
    check_field(quoted, "Size-1", "512");
    check_field(quoted, "Size-2", "768");
    check_field(quoted, "Size", NULL);
    check_field(quoted, "Lora hashes", "x: 1, y: 2");
    check_field(quoted, "Version", "v1.9.4");
    check_field("p\n" THREE ", Steps: 30", "Steps", "30");
    check_field("p\n" THREE ", X: 5, Yy: 6", "Yy", "6");
    check_field("p\n" THREE ", X: 5, Yy: 6", "X", NULL);
    check_field("p\n" THREE ", A (b): 5, Yy: 6", "Yy", "6");
    check_field("p\n" THREE ", Bad: \"open, Yy: 6", "Bad", "\"open");
    check_field("p\n" THREE ", Bad: \"not\" json, Yy: 6", "Bad", "\"not\" json");
    check_field("p\n" THREE ", Bad: \"\\q\", Yy: 6", "Bad", "\"\\q\"");
    check_field("p\n" THREE ", Gr\xC3\xB6\xC3\x9F"
                "e: 7, Yy: 6",
                "Gr\xC3\xB6\xC3\x9F"
                "e",
                "7");
    check_field("p\n" THREE ", Url: http://x:80/y, Yy: 6", "Url", "http://x:80/y");
    check_field("p\n" THREE ", Empty: , Yy: 6", "Empty", "");
    check_field("p\n" THREE ", Hires resize: 0x1024", "Hires resize-2", "1024");
    /* as Python's re does: the search goes on inside "1: 2" after "A (b)" failed */
    check_field("p\n" THREE ", Ratio: 16:9", "Ratio", "16:9");
}

static void round_trip(const char *prompt, const char *negative, const char *value)
{
    SlText out = {0};
    sl_infotext_begin(&out, prompt, negative);
    sl_infotext_add(&out, "Steps", "20");
    sl_infotext_add(&out, "Sampler", "DPM++ 2M");
    sl_infotext_add(&out, "Nothing", NULL);
    sl_infotext_add(&out, "Model", value);
    sl_infotext_add(&out, "Seed", "18446744073709551615");
    char *text = sl_infotext_end(&out);
    SlInfotext info;
    SlError err;
    bool ok = text && sl_infotext_parse(text, &info, &err) && strcmp(info.prompt, prompt) == 0 &&
              strcmp(info.negative_prompt, negative) == 0 && info.count == 4 &&
              strcmp(sl_infotext_get(&info, "Model"), value) == 0 &&
              strcmp(sl_infotext_get(&info, "Seed"), "18446744073709551615") == 0;
    if (!sl_test(ok, "round trip of %zu bytes of prompt", strlen(prompt)))
        sl_test_note("%s", text);
    if (text)
        sl_infotext_free(&info);
    free(text);
}

static void test_writing(void)
{
    round_trip("a cat", "", "plain");
    round_trip("a, b: c \"d\"\nsecond line", "ugly, bad\nworse", "a, b: \"c\"\n\\d\ttab");
    round_trip("", "", "say \"hi\"");
    round_trip("\xF0\x9F\x8C\x85 \xE6\x97\xA5", "\xD7\xA9",
               "Gr\xC3\xB6\xC3\x9F"
               "e, 5");
    round_trip("100% <b>", "%n%s", "\x01, x");
    SlText out = {0};
    sl_infotext_begin(&out, "p", "n");
    sl_infotext_add(&out, "Steps", "20");
    sl_infotext_add(&out, "Size", "512x512");
    char *text = sl_infotext_end(&out);
    sl_test(strcmp(text, "p\nNegative prompt: n\nSteps: 20, Size: 512x512") == 0, "the layout");
    free(text);
}

/* A megabyte of almost-fields must not take quadratic time. */
static void test_long(void)
{
    enum { N = 1 << 20 };
    char *text = malloc(N + 1);
    for (int i = 0; i < N; i++)
        text[i] = "ab \"\\"[i % 5];
    text[N] = '\0';
    struct timespec a, b;
    SlInfotext info;
    SlError err;
    clock_gettime(CLOCK_MONOTONIC, &a);
    bool ok = sl_infotext_parse(text, &info, &err);
    clock_gettime(CLOCK_MONOTONIC, &b);
    sl_test(ok && b.tv_sec - a.tv_sec < 10, "a hostile megabyte is read in linear time");
    sl_infotext_free(&info);
    free(text);
}

static void sampler(const char *name, const char *schedule, const char *id, SlSigmas sigmas,
                    SlSpacing spacing)
{
    SlSamplerChoice c;
    bool found = sl_sampler_parse(name, schedule, &c);
    bool ok =
        id ? found && strcmp(c.id, id) == 0 && c.sigmas == sigmas && c.spacing == spacing : !found;
    if (!sl_test(ok, "%s, %s is %s", name, schedule ? schedule : "-", id ? id : "unknown") && found)
        sl_test_note("found %s %d %d", c.id, c.sigmas, c.spacing);
}

static void test_samplers(void)
{
    const SlSigmas m = SL_SIGMAS_MODEL;
    sampler("Euler a", NULL, "euler-a", m, 0);
    sampler("DPM++ 2M Karras", NULL, "dpmpp-2m", SL_SIGMAS_KARRAS, 0);
    sampler("DPM++ 2M", "Karras", "dpmpp-2m", SL_SIGMAS_KARRAS, 0);
    sampler("DPM++ 2M", "Automatic", "dpmpp-2m", SL_SIGMAS_KARRAS, 0);
    sampler("Euler", "Automatic", "euler", m, 0);
    sampler("DPM++ 2M SDE Exponential", NULL, "dpmpp-2m-sde-bt", SL_SIGMAS_EXPONENTIAL, 0);
    sampler("DPM++ 2M SDE", "Automatic", "dpmpp-2m-sde-bt", SL_SIGMAS_EXPONENTIAL, 0);
    sampler("DPM++ 3M SDE Karras", NULL, "dpmpp-3m-sde", SL_SIGMAS_KARRAS, 0);
    sampler("DPM++ 2S a", "Automatic", "dpmpp-2s-a", SL_SIGMAS_KARRAS, 0);
    sampler("dpmpp_2s_ancestral", "exponential", "dpmpp-2s-a", SL_SIGMAS_EXPONENTIAL, 0);
    sampler("res_multistep", "karras", "res-multistep", SL_SIGMAS_KARRAS, 0);
    sampler("er_sde", NULL, "er-sde", m, 0);
    sampler("DPM++ 2M SDE Heun", NULL, NULL, m, 0);
    sampler("DPM++ SDE Karras", NULL, "dpmpp-sde", SL_SIGMAS_KARRAS, 0);
    sampler("dpmpp_sde_gpu", "exponential", "dpmpp-sde", SL_SIGMAS_EXPONENTIAL, 0);
    sampler("DEIS", "Automatic", "deis", m, 0);
    sampler("ipndm", "simple", "ipndm", m, SL_SPACING_TRAILING);
    sampler("PLMS", NULL, "pndm", m, 0);
    sampler("UniPC", "Uniform", "unipc", m, SL_SPACING_LINSPACE);
    sampler("euler_a karras", NULL, "euler-a", SL_SIGMAS_KARRAS, 0);
    sampler("dpm++2m", "discrete", "dpmpp-2m", m, SL_SPACING_LINSPACE);
    sampler("dpmpp_2m", "karras", "dpmpp-2m", SL_SIGMAS_KARRAS, 0);
    sampler("euler_ancestral", "normal", "euler-a", m, SL_SPACING_LINSPACE);
    sampler("ddim", "ddim_uniform", "ddim", m, SL_SPACING_LEADING);
    sampler("uni_pc_bh2", "simple", "unipc", m, SL_SPACING_TRAILING);
    sampler("dpmpp_2m_k", NULL, "dpmpp-2m", SL_SIGMAS_KARRAS, 0);
    sampler("kdpm_2_a_k", NULL, "dpm2-a", SL_SIGMAS_KARRAS, 0);
    sampler("euler_cfg_pp", NULL, NULL, m, 0);
    sampler("Euler A CFG++", NULL, NULL, m, 0);
    sampler("Restart", NULL, "restart", m, 0);
    sampler("", NULL, NULL, m, 0);
    for (int sigmas = 0; sigmas < 4; sigmas++) {
        for (int spacing = 0; spacing < (sigmas ? 1 : 4); spacing++) {
            const char *label = sl_schedule_label(sigmas, spacing);
            sampler("Euler", label, "euler", sigmas, spacing);
        }
    }
    for (int i = 0; i < sl_scheduler_count(); i++) {
        const char *id = sl_scheduler_info(i)->id;
        /* both are one sampler elsewhere, with a Brownian tree's noise */
        bool tree = strcmp(id, "dpmpp-2m-sde") == 0;
        sampler(sl_sampler_label(id), NULL, tree ? "dpmpp-2m-sde-bt" : id, m, 0);
    }
}

int main(void)
{
    test_reading();
    test_fields();
    test_writing();
    test_long();
    test_samplers();
    return sl_test_done();
}
