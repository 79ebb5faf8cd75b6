/* info_adapter.c - `safelight info` of a LoRA or one of its relatives: facts of its header, and the
 * hashes that other programs know it by. */
#include "app/cli/info_adapter.h"

#include "app/cli/session.h"
#include "app/files/files.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WORDS 20 /* that are listed */

typedef struct Facts {
    SlAdapterFacts of;
    SlAdapterHashes hashes;
    char words[600];
} Facts;

static void print_text(const char *title, const char *text)
{
    if (text && *text)
        sl_print("  %-13s %s\n", title, sl_show_name(text).text);
}

/* "8", or "4 to 8"; what is said needs no memory. */
static void range_text(double min, double max, char text[72])
{
    char least[32], most[32];
    sl_format_double(min, least);
    sl_format_double(max, most);
    snprintf(text, 72, "%s%s%s", least, max > min ? " to " : "", max > min ? most : "");
}

static void print_facts(const char *path, const Facts *facts)
{
    const SlAdapterFacts *f = &facts->of;
    char rank[72], alpha[72];
    sl_print("%s\n", sl_show_path(path).text);
    sl_print("  kind          %s, an addition to a model's weights\n", f->kinds);
    sl_print("  for           %s\n", f->base ? f->base : "not known");
    range_text(f->rank_min, f->rank_max, rank);
    range_text(f->alpha_min, f->alpha_max, alpha);
    if (f->rank_max)
        sl_print("  rank          %s%s%s\n", rank, isnan(f->alpha_min) ? "" : ", alpha ",
                 isnan(f->alpha_min) ? "" : alpha);
    sl_print("  modules       %d: %d of the UNet, %d of text encoders; %.2f million parameters\n",
             f->modules, f->unet, f->text, (double)f->parameters / 1e6);
    if (f->embeddings)
        sl_print("  embeddings    %d (textual inversion)\n", f->embeddings);
    print_text("title", f->title);
    print_text("name", f->output_name);
    print_text("made over", f->base_model);
    print_text("network", f->network);
    print_text("clip skip", f->clip_skip);
    print_text("trigger", f->trigger);
    print_text("hint", f->usage_hint);
    if (*facts->words)
        sl_print("  trained on    %s\n", facts->words);
    sl_print("  SHA-256       %s (AutoV2 %.10s)\n", facts->hashes.sha256, facts->hashes.sha256);
    sl_print("  of tensors    %s (AutoV3 %.12s)\n", facts->hashes.tensors, facts->hashes.tensors);
    if (*facts->hashes.stated && strcmp(facts->hashes.stated, facts->hashes.tensors) != 0)
        print_text("stated hash", facts->hashes.stated);
}

static cJSON *facts_to_json(const char *path, const Facts *facts)
{
    const SlAdapterFacts *f = &facts->of;
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    const struct {
        const char *key, *text;
    } texts[] = {{"kind", "adapter"},
                 {"path", path},
                 {"kinds", f->kinds},
                 {"for", f->base},
                 {"title", f->title},
                 {"output_name", f->output_name},
                 {"made_over", f->base_model},
                 {"network", f->network},
                 {"clip_skip", f->clip_skip},
                 {"trigger", f->trigger},
                 {"usage_hint", f->usage_hint},
                 {"words", *facts->words ? facts->words : NULL},
                 {"sha256", facts->hashes.sha256},
                 {"tensors_sha256", facts->hashes.tensors},
                 {"stated_sha256", *facts->hashes.stated ? facts->hashes.stated : NULL}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].text)
            sl_out_text(&out, root, texts[i].key, texts[i].text);
    sl_out_number(&out, root, "modules", f->modules);
    sl_out_number(&out, root, "unet_modules", f->unet);
    sl_out_number(&out, root, "text_modules", f->text);
    sl_out_number(&out, root, "parameters", (double)f->parameters);
    sl_out_number(&out, root, "embeddings", f->embeddings);
    if (f->rank_max) {
        sl_out_number(&out, root, "rank_min", f->rank_min);
        sl_out_number(&out, root, "rank_max", f->rank_max);
    }
    if (!isnan(f->alpha_min)) {
        sl_out_number(&out, root, "alpha_min", f->alpha_min);
        sl_out_number(&out, root, "alpha_max", f->alpha_max);
    }
    return sl_out_end(&out, root);
}

bool sl_info_is_adapter(const char *path, SlError *err)
{
    SlError problem = {0};
    SlWeightSource *file = sl_weights_open_file(path, &problem);
    bool yes = file && sl_adapter_recognise(file);
    sl_weights_close(file);
    if (problem.code == SL_MEMORY)
        sl_fail(err, SL_MEMORY, "%s", problem.message);
    return yes;
}

int sl_info_adapter(const SlOptions *options, const char *path)
{
    SlError err = {0};
    Facts facts;
    SlAdapter *adapter = sl_adapter_open(path, &err);
    int status = SL_EXIT_OK;
    if (!adapter || !sl_lora_hashes(path, &facts.hashes, &err)) {
        sl_adapter_close(adapter);
        return sl_fail_exit(&err);
    }
    sl_adapter_facts(adapter, &facts.of);
    sl_adapter_words(adapter, WORDS, facts.words, sizeof facts.words);
    if (options->json)
        status = sl_print_json(facts_to_json(path, &facts));
    else
        print_facts(path, &facts);
    sl_adapter_close(adapter);
    return status;
}
