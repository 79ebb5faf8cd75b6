/* test_adapters.c - engine/adapters: the weights that each layout and kind makes, against peft and
 * lycoris (tests/goldens/adapters/make_weights.py); the text of a recipe's adapters; what is refused;
 * facts and hashes. */
#include "engine/adapters/adapters.h"
#include "engine/engine.h"
#include "tests/engine/files/util.h"
#include "tests/engine/run/golden.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

static SlDevice *dev;

/* ---- against peft and lycoris ---- */

/* The parts of Stable Diffusion 1.x in small. */
typedef struct Parts {
    Golden file[2];
    SlAdapterTargets *targets[2];
} Parts;

static bool open_parts(Parts *p)
{
    static const char *const files[] = {"goldens/adapters/unet.safetensors",
                                        "goldens/adapters/text.safetensors"};
    SlError err = {0};
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        p->file[i] = golden_open(files[i]);
        p->targets[i] = p->file[i].weights
                            ? sl_adapter_targets_new(i ? SL_ADAPTER_TEXT : SL_ADAPTER_UNET,
                                                     p->file[i].weights, &err)
                            : NULL;
        ok = ok && p->targets[i];
    }
    return ok;
}

static void close_parts(Parts *p)
{
    for (int i = 0; i < 2; i++) {
        sl_adapter_targets_free(p->targets[i]);
        golden_close(&p->file[i]);
    }
}

static SlAdapter *open_case(const char *name, SlError *err)
{
    char relative[200];
    snprintf(relative, sizeof relative, "goldens/adapters/%s.safetensors", name);
    char *path = sl_test_path(relative);
    SlAdapter *a = sl_adapter_open(path, err);
    free(path);
    return a;
}

/* One golden, "CASE STRENGTH NAME". */
static void compare_weight(const Parts *p, const Golden *golden, const char *label)
{
    char name[100], weight[200];
    double strength;
    SlError err = {0};
    if (sscanf(label, "%99s %lf %199s", name, &strength, weight) != 3)
        abort();
    int part = strncmp(weight, "text_model", 10) == 0;
    SlAdapter *a = open_case(name, &err);
    SlAdapterMatch *match = a ? sl_adapter_match(a, p->targets[part], &err) : NULL;
    size_t n = 0, base_n = 0;
    float *expected = golden_read(golden, label, &n);
    float *values = golden_read(&p->file[part], weight, &base_n);
    const SlTensorInfo *info = sl_weights_find(p->file[part].weights, weight);
    double worst = INFINITY, top = 1;
    if (match && values && n == base_n) {
        SlTensor tensor = sl_tensor_view(values, SL_F32, info->rank, info->size);
        bool ok =
            sl_adapter_touches(match, weight) &&
            sl_adapter_apply(a, match, dev, &(SlAdapterChange){weight, strength, &tensor}, &err);
        worst = ok ? golden_worst(values, expected, n) : INFINITY;
        top = golden_top(expected, n);
    }
    sl_test(worst <= 1e-6 * top, "%s: %.2g of %.2g %s", label, worst, top, err.message);
    free(values);
    free(expected);
    sl_adapter_match_free(match);
    sl_adapter_close(a);
}

static void test_goldens(const Parts *p)
{
    Golden golden = golden_open("goldens/adapters/merged.safetensors");
    for (size_t i = 0; golden.weights && i < sl_weights_count(golden.weights); i++)
        compare_weight(p, &golden, sl_weights_info(golden.weights, i)->name);
    sl_test(golden.weights && sl_weights_count(golden.weights) > 100, "all goldens are compared");
    golden_close(&golden);
}

/* Every module of every case is one of the weights. */
static void test_counts(const Parts *p)
{
    static const char *const names[] = {
        "kohya", "original", "peft",       "peft_default", "processors", "diffusers",  "locon",
        "loha",  "lokr",     "lokr_parts", "dora_peft",    "dora",       "differences"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        SlError err = {0};
        SlAdapter *a = open_case(names[i], &err);
        SlAdapterMatch *match[2] = {NULL, NULL};
        const char *first = NULL;
        for (int part = 0; a && part < 2; part++)
            match[part] = sl_adapter_match(a, p->targets[part], &err);
        int unmatched =
            match[1] ? sl_adapter_unmatched(a, (const SlAdapterMatch *const *)match, 2, &first)
                     : -1;
        sl_test(unmatched == 0, "%s: %d of %d modules are unmatched (%s) %s", names[i], unmatched,
                a ? sl_adapter_modules(a) : 0, first ? first : "", err.message);
        sl_adapter_match_free(match[0]);
        sl_adapter_match_free(match[1]);
        sl_adapter_close(a);
    }
}

static void write_file(const char *path, const char *header);

/* As transformers 5 has a text encoder's names, for a model that has them as before. */
static void test_bare_names(const Parts *p)
{
    static const char header[] = "{\"text_encoder.encoder.layers.0.self_attn.q_proj.lora_A."
                                 "weight\":{\"dtype\":\"F16\",\"shape\":"
                                 "[2,10],\"data_offsets\":[0,40]},"
                                 "\"text_encoder.encoder.layers.0.self_attn.q_proj.lora_B.weight\":"
                                 "{\"dtype\":\"F16\",\"shape\":"
                                 "[10,2],\"data_offsets\":[40,80]}}";
    const char *path = test_file("bare.safetensors");
    SlError err = {0};
    write_file(path, header);
    SlAdapter *a = sl_adapter_open(path, &err);
    SlAdapterMatch *match = a ? sl_adapter_match(a, p->targets[1], &err) : NULL;
    sl_test(match &&
                sl_adapter_touches(match, "text_model.encoder.layers.0.self_attn.q_proj.weight"),
            "names without \"text_model.\" are found %s", err.message);
    sl_adapter_match_free(match);
    sl_adapter_close(a);
}

/* ---- facts and hashes ---- */

static void test_facts(void)
{
    SlError err = {0};
    SlAdapter *a = open_case("kohya", &err);
    SlAdapterFacts f;
    char words[100];
    if (!sl_test(a != NULL, "opens %s", err.message))
        return;
    sl_adapter_facts(a, &f);
    sl_adapter_words(a, 2, words, sizeof words);
    sl_test(f.modules == 9 && f.unet == 8 && f.text == 1, "%d modules, %d and %d", f.modules,
            f.unet, f.text);
    sl_test(strstr(f.kinds, "LoRA") && strstr(f.kinds, "LoCon"), "kinds: %s", f.kinds);
    sl_test(f.rank_min == 2 && f.rank_max == 4 && f.alpha_min == 1.5, "ranks %d to %d, alpha %g",
            f.rank_min, f.rank_max, f.alpha_min);
    sl_test(f.base && !strcmp(f.base, "Stable Diffusion 1.x"), "for %s", f.base ? f.base : "");
    sl_test(f.output_name && !strcmp(f.output_name, "a test"), "its name");
    sl_test(!strcmp(words, "a cat, dog"), "words: %s", words);
    sl_adapter_close(a);
}

static void test_hashes(void)
{
    SlError err = {0};
    SlAdapterHashes h;
    char *path = sl_test_path("goldens/adapters/kohya.safetensors"), hex[65];
    bool ok = sl_adapter_hash(path, &h, NULL, &err) && sl_sha256_file(path, hex, NULL, &err);
    sl_test(ok && !strcmp(h.sha256, hex), "of the whole file %s", err.message);
    sl_test(ok && strcmp(h.tensors, hex) != 0 && !*h.old && !*h.stated, "and of its tensors");
    char ten[11], twelve[13];
    snprintf(ten, sizeof ten, "%.10s", h.sha256);
    snprintf(twelve, sizeof twelve, "%.12s", h.tensors);
    sl_test(sl_adapter_has_hash(&h, ten) && sl_adapter_has_hash(&h, twelve) &&
                sl_adapter_has_hash(&h, h.sha256) && !sl_adapter_has_hash(&h, "0123456789"),
            "each of them is the file's");
    free(path);
}

/* ---- the text ---- */

static void test_text(void)
{
    static const struct {
        const char *text, *again; /* NULL: refused */
    } cases[] = {
        {"", ""},
        {"cat", "cat:1"},
        {"cat:0.8", "cat:0.8"},
        {"cat:0.8:0.5", "cat:0.8:0.5"},
        {"cat:-.25;dog", "cat:-0.25; dog:1"},
        {" cat : x : 2 ", "cat : x : 2:1"},
        {"cat#0123456789:0.5@0-0.5", "cat#0123456789:0.5@0-0.5"},
        {"cat#ABCDEF0123", "cat#abcdef0123:1"},
        {"cat#1:1", "cat#1:1"},
        {"a@b:1@0.25-1", "a@b:1@0.25-1"},
        {"/x/y z.safetensors:1.5", "/x/y z.safetensors:1.5"},
        {"cat:0.1:0.3;;", "cat:0.1:0.3"},
        {"cat:1@0:1,0.5:0.3", "cat:1@0:1,0.5:0.3"},
        {"cat#0123456789:0.5:0@0.25:-1", "cat#0123456789:0.5:0@0.25:-1"},
        {"cat@0:1,", "cat@0:1,:1"}, /* the whole is a name */
        {"cat:1@0:1,0:0.3", NULL},
        {"cat:1@0:1,1.5:0.3", NULL},
        {"cat:10@0:11", NULL},
        {"cat:1@0.5-0.5", NULL},
        {"cat:1@0-2", NULL},
        {":1", NULL},
        {"cat:101", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SlAdapterUses uses;
        SlError err = {0};
        bool ok = sl_adapter_uses_parse(cases[i].text, &uses, &err);
        char *again = ok ? sl_adapter_uses_text(&uses) : NULL;
        bool same = cases[i].again ? again && !strcmp(again, cases[i].again) : !ok && *err.message;
        sl_test(same, "\"%s\" is \"%s\" %s", cases[i].text, again ? again : "", err.message);
        free(again);
        sl_adapter_uses_free(&uses);
    }
    SlAdapterUse half = {.unet = 0.7, .from = 0.3, .to = 0.6};
    sl_test(sl_adapter_use_at(&half, 5, 20) == 0 && sl_adapter_use_at(&half, 6, 20) == 0.7 &&
                sl_adapter_use_at(&half, 11, 20) == 0.7 && sl_adapter_use_at(&half, 12, 20) == 0,
            "from 0.3 to 0.6 of 20 steps is steps 7 to 12");
    SlAdapterUse curve = {
        .unet = 0.5, .to = 1, .points = 3, .point = {{0.2, 1}, {0.4, 0}, {0.5, 2}}};
    const double expected[] = {0.5, 0.5, 0.5, 0.25, 0, 1, 1, 1, 1, 1};
    for (int i = 0; i < 10; i++)
        sl_test(fabs(sl_adapter_use_at(&curve, i, 10) - expected[i]) < 1e-12,
                "step %d of the curve has %g", i, sl_adapter_use_at(&curve, i, 10));
}

/* ---- what is refused ---- */

typedef struct Bad {
    const char *header, *said; /* a JSON header; what the sentence must hold */
} Bad;

#define T(name, shape, bytes) \
    "\"" name "\":{\"dtype\":\"F16\",\"shape\":" shape ",\"data_offsets\":[0," bytes "]}"
#define U(name, shape, first, last) \
    "\"" name "\":{\"dtype\":\"F16\",\"shape\":" shape ",\"data_offsets\":[" first "," last "]}"

static void write_file(const char *path, const char *header)
{
    size_t bytes = 0;
    for (const char *p = header; (p = strstr(p, "data_offsets")); p++) {
        unsigned first, last;
        if (sscanf(p, "data_offsets\":[%u,%u", &first, &last) == 2 && last > bytes)
            bytes = last;
    }
    test_write_safetensors(path, header, strlen(header), NULL, bytes);
}

static void test_bad_files(const Parts *p)
{
#define UNET "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    static const Bad bad[] = {
        {"{" T("conv.weight", "[2]", "4") "}", "is no LoRA"},
        {"{" T(UNET ".lora_down.weight", "[2,10]", "40") "}", "is not whole"},
        {"{" T(UNET ".hada_w1_a", "[2,10]", "40") "}", "LoHa"},
        {"{" T(UNET ".lokr_w1", "[2,2]", "8") "}", "LoKr"},
        {"{" T(UNET ".alpha", "[]", "2") "}", "changes nothing"},
        {"{" T(UNET ".oft_blocks", "[2,2,2]", "16") "}", "this is a OFT"},
        {"{" T(UNET ".oft_blocks", "[1,2,2,2]", "16") "}", "BOFT"},
        {"{" T(UNET ".a1.weight", "[2,2]", "8") "}", "GLoRA"},
        {"{" T("unet.x.ia3_l.weight", "[2,2]", "8") "}", "IA3"},
        {"{" T("lora_controlnet_x.lora_up.weight", "[2,2]", "8") "}", "ControlNet-LoRA"},
        {"{" U(UNET ".lora_down.weight", "[2,10]", "0", "40") "," U(UNET ".lora_up.weight",
                                                                    "[12,3]", "40", "112") "}",
         "does not fit"},
        {"{" U(UNET ".lora_down.weight", "[2,11]", "0", "44") "," U(UNET ".lora_up.weight",
                                                                    "[12,2]", "44", "92") "}",
         "does not fit"},
        {"{" U(UNET ".lora_down.weight", "[2,10]", "0",
               "40") "," U(UNET ".lora_up.weight", "[12,2]", "40",
                           "88") "," U(UNET ".dora_scale", "[7]", "88", "102") "}",
         "a norm for each"},
        {"{" U(UNET ".lora_down.weight", "[0,10]", "0", "0") "," U(UNET ".lora_up.weight", "[12,0]",
                                                                   "0", "0") "}",
         "does not fit"},
        {"{" U(UNET ".lokr_w1", "[5,2]", "0", "20") "," U(UNET ".lokr_w2", "[4,5]", "20", "60") "}",
         "does not fit"},
        {"{" U(UNET ".lora_down.weight", "[2,10]", "0",
               "40") "," U(UNET ".lora_up.weight", "[12,2]", "40", "88") "," U(UNET ".alpha", "[3]",
                                                                               "88", "94") "}",
         "has 3 numbers"},
        {"{" T("conv_norm_out.diff", "[9]", "18") "}", "does not fit"},
    };
    const char *path = test_file("bad.safetensors");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SlError err = {0};
        write_file(path, bad[i].header);
        SlAdapter *a = sl_adapter_open(path, &err);
        SlAdapterMatch *match = a ? sl_adapter_match(a, p->targets[0], &err) : NULL;
        sl_test(!match && strstr(err.message, bad[i].said) &&
                    strstr(err.message, "bad.safetensors"),
                "refused: %s", err.message);
        sl_adapter_match_free(match);
        sl_adapter_close(a);
    }
}

int main(void)
{
    SlError err = {0};
    Parts parts = {0};
    dev = sl_device_open(&(SlDeviceOptions){.name = "cpu"}, &err);
    if (!dev || !open_parts(&parts))
        return 1;
    test_goldens(&parts);
    test_counts(&parts);
    test_bare_names(&parts);
    test_facts();
    test_hashes();
    test_text();
    test_bad_files(&parts);
    close_parts(&parts);
    sl_device_close(&dev);
    return sl_test_done();
}
