/* cmd_lists.c - the short commands: `safelight schedulers`, `safelight tokenize`. */
#include "app/cli/cli.h"
#include "app/cli/session.h"
#include "app/files/files.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- schedulers ---- */

static void add_scheduler(SlJsonOut *out, cJSON *list, const SlSchedulerInfo *s)
{
    cJSON *item = sl_out_object(out, list, NULL);
    sl_out_text(out, item, "id", s->id);
    sl_out_text(out, item, "name", s->name);
    sl_out_text(out, item, "class", s->class_name);
    sl_out_text(out, item, "good_for", s->good_for);
    sl_out_text(out, item, "group", sl_scheduler_group_info(sl_scheduler_group(s))->id);
    sl_out_number(out, item, "evaluations_per_step", s->evaluations_per_step);
    sl_out_bool(out, item, "draws_noise", s->draws_noise);
    sl_out_bool(out, item, "takes_sigmas", s->takes_sigmas);
    sl_out_bool(out, item, "takes_spacing", s->takes_spacing);
    sl_out_bool(out, item, "takes_variance", s->takes_variance);
    sl_out_bool(out, item, "takes_flow", s->takes_flow);
    sl_out_bool(out, item, "only_flow", s->only_flow);
    sl_out_bool(out, item, "only_edm", s->only_edm);
}

/* Group after group, each behind a line that says what it is for. */
static void print_scheduler(const SlSchedulerInfo *s, int *group)
{
    const SlSchedulerGroupInfo *of = sl_scheduler_group_info(sl_scheduler_group(s));
    if (*group != (int)sl_scheduler_group(s))
        printf("%s# %s: %s\n", *group < 0 ? "" : "\n", of->name, of->good_for);
    *group = (int)sl_scheduler_group(s);
    printf("%-15s %-21s %s%s%s\n", s->id, s->name, s->good_for,
           s->evaluations_per_step > 1 ? "; two evaluations a step" : "",
           s->draws_noise ? "; draws noise" : "");
}

/* What --model predicts, if it was given. */
static bool find_prediction(const SlOptions *options, SlPrediction *prediction, SlError *err)
{
    if (!options->model)
        return true;
    SlModelInfo *info = malloc(sizeof *info);
    if (!info)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    char *path = sl_model_find(options->model, err);
    bool ok = path && sl_model_inspect(path, info, err);
    if (ok)
        *prediction = info->prediction;
    free(path);
    free(info);
    return ok;
}

int sl_cmd_schedulers(const SlOptions *options)
{
    SlError err = {0};
    SlPrediction prediction = SL_PREDICT_EPSILON;
    if (!find_prediction(options, &prediction, &err))
        return sl_fail_exit(&err);
    SlJsonOut out = {0};
    int group = -1;
    cJSON *list = sl_out_array(&out, NULL, NULL);
    for (int i = 0; i < sl_scheduler_count(); i++) {
        const SlSchedulerInfo *s = sl_scheduler_grouped(i);
        if (options->model && !sl_scheduler_suits(s, prediction))
            continue;
        if (options->json)
            add_scheduler(&out, list, s);
        else
            print_scheduler(s, &group);
    }
    list = sl_out_end(&out, list);
    if (options->json)
        return sl_print_json(list);
    cJSON_Delete(list);
    return SL_EXIT_OK;
}

/* ---- tokenize ---- */

/* A folder of a model, or with a tokenizer's folder alone. */
static bool may_have_tokenizer(const char *folder)
{
    static const char *const inner[] = {"model_index.json", "tokenizer"};
    char path[4400];
    struct stat st;
    for (int i = 0; i < 2; i++)
        if (snprintf(path, sizeof path, "%s/%s", folder, inner[i]) < (int)sizeof path &&
            stat(path, &st) == 0)
            return true;
    return false;
}

/* Of a folder whose other parts need not be there, or of a single file. */
static SlTokenizer *open_tokenizer(const char *model, SlError *err)
{
    struct stat st;
    SlTokenizer *tokenizer = NULL;
    SlModelInfo *info = calloc(1, sizeof *info);
    if (!info)
        sl_fail(err, SL_MEMORY, "memory ran out");
    else if (stat(model, &st) == 0 && S_ISDIR(st.st_mode))
        snprintf(info->path, sizeof info->path, "%s", model);
    if (info && *info->path && !may_have_tokenizer(model) &&
        !sl_file_check(model, SL_WANT_MODEL, err)) {
        free(info);
        return NULL;
    }
    if (info && (*info->path || sl_model_inspect(model, info, err)))
        tokenizer = sl_model_open_tokenizer(info, "tokenizer", NULL, err);
    free(info);
    return tokenizer;
}

/* As CLIPTokenizer's input_ids: start, the text whole, end. */
static bool print_ids(const SlTokenizer *t, const char *text, SlError *err)
{
    int *padded = malloc(sizeof *padded * (size_t)sl_tokenizer_max_length(t)), *ids = NULL;
    int count = 0, unused;
    bool ok = (padded || sl_fail(err, SL_MEMORY, "memory ran out")) &&
              sl_tokenize_padded(t, text, padded, NULL, &unused, err) &&
              sl_tokenize(t, text, &ids, &count, err);
    if (ok) {
        printf("%d", padded[0]);
        for (int i = 0; i < count; i++)
            printf(" %d", ids[i]);
        printf(" %d\n", sl_tokenizer_end_id(t));
    }
    free(padded);
    free(ids);
    return ok;
}

/* Stretches with their weights, chunks and tokens. */
static void print_spans(const char *text, const SlPromptSpans *spans, bool plain)
{
    for (int i = 0; i < spans->spans; i++) {
        const SlPromptSpan *s = &spans->span[i];
        sl_print("%-24.*s %2d token%s weight %.4g%s", s->end - s->begin, text + s->begin, s->tokens,
                 s->tokens == 1 ? " " : "s", s->weight, plain && s->chunk ? ", not used" : "");
        if (!plain)
            sl_print(", chunk %d", s->chunk + 1);
        if (s->part)
            sl_print(", part %d", s->part + 1);
        sl_print("\n");
    }
}

static void print_faults(const char *text, const SlPrompt *prompt)
{
    for (int i = 0; i < prompt->faults; i++) {
        int at = prompt->fault[i].at;
        sl_print("byte %d, \"%.12s\": %s\n", at + 1, text + at,
                 sl_prompt_fault_text(prompt->fault[i].fault));
    }
    for (int i = 0; i < prompt->loras; i++)
        sl_print("LoRA %s: unet %g, text %g\n", prompt->lora[i].name, prompt->lora[i].unet,
                 prompt->lora[i].text);
}

static void print_schedule(const SlPrompt *prompt)
{
    for (int p = 0; p < prompt->parts; p++) {
        const SlPromptPart *part = &prompt->part[p];
        if (prompt->parts > 1 || part->weight != 1)
            sl_print("part %d weighs %g\n", p + 1, part->weight);
        for (int i = 0; part->turns > 1 && i < part->turns; i++) {
            const SlPromptPhrase *phrase = &part->text[part->turn[i].text].section[0].phrase[0];
            sl_print("to evaluation %d: ", part->turn[i].last + 1);
            for (int k = 0; k < phrase->pieces; k++)
                sl_print("%s", phrase->piece[k].text);
            sl_print("\n");
        }
    }
}

/* What a prompt says in its mode. */
static bool print_prompt(const SlTokenizer *t, const SlOptions *o, SlError *err)
{
    SlPromptSpans spans;
    const SlPromptAsk ask = {.mode = (SlPromptMode)o->values.prompt_mode,
                             .text = o->argument,
                             .evaluations = 20,
                             .emphasis = (SlEmphasis)o->values.emphasis};
    SlPrompt *prompt = sl_prompt_read(&ask, err);
    bool ok = prompt && sl_prompt_spans(&ask, t, NULL, &spans, err);
    if (ok) {
        char dropped[40] = "";
        if (spans.dropped)
            snprintf(dropped, sizeof dropped, ", %d not used", spans.dropped);
        sl_print("%d token%s in %d chunk%s of %d%s\n", spans.tokens, spans.tokens == 1 ? "" : "s",
                 spans.chunks, spans.chunks == 1 ? "" : "s", spans.limit, dropped);
        print_spans(o->argument, &spans, ask.mode == SL_PROMPT_PLAIN);
        print_schedule(prompt);
        print_faults(o->argument, prompt);
        sl_prompt_spans_free(&spans);
    }
    sl_prompt_free(prompt);
    return ok;
}

int sl_cmd_tokenize(const SlOptions *options)
{
    SlError err = {0};
    char *model = sl_model_find(options->model, &err);
    SlTokenizer *tokenizer = model ? open_tokenizer(model, &err) : NULL;
    const SlTokenizer *t =
        tokenizer ? sl_tokenizer_as(tokenizer, (SlTokenRules)options->values.tokenizer) : NULL;
    bool prompt = sl_options_given(options, SL_SETTING_PROMPT_MODE);
    bool ok =
        t && (prompt ? print_prompt(t, options, &err) : print_ids(t, options->argument, &err));
    sl_tokenizer_close(tokenizer);
    free(model);
    return ok ? SL_EXIT_OK : sl_fail_exit(&err);
}
