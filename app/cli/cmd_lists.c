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
    sl_out_number(out, item, "evaluations_per_step", s->evaluations_per_step);
    sl_out_bool(out, item, "draws_noise", s->draws_noise);
    sl_out_bool(out, item, "takes_sigmas", s->takes_sigmas);
    sl_out_bool(out, item, "takes_spacing", s->takes_spacing);
    sl_out_bool(out, item, "takes_variance", s->takes_variance);
    sl_out_bool(out, item, "takes_flow", s->takes_flow);
    sl_out_bool(out, item, "only_flow", s->only_flow);
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
    cJSON *list = sl_out_array(&out, NULL, NULL);
    for (int i = 0; i < sl_scheduler_count(); i++) {
        const SlSchedulerInfo *s = sl_scheduler_info(i);
        if (options->model && !sl_scheduler_suits(s, prediction))
            continue;
        if (options->json)
            add_scheduler(&out, list, s);
        else
            printf("%-13s %-20s %s%s%s\n", s->id, s->name, s->good_for,
                   s->evaluations_per_step > 1 ? "; two evaluations a step" : "",
                   s->draws_noise ? "; draws noise" : "");
    }
    list = sl_out_end(&out, list);
    if (options->json)
        return sl_print_json(list);
    cJSON_Delete(list);
    return SL_EXIT_OK;
}

/* ---- tokenize ---- */

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

int sl_cmd_tokenize(const SlOptions *options)
{
    SlError err = {0};
    char *model = sl_model_find(options->model, &err);
    SlTokenizer *tokenizer = model ? open_tokenizer(model, &err) : NULL;
    SlTokenRules rules = (SlTokenRules)options->values.tokenizer;
    bool ok = tokenizer && print_ids(sl_tokenizer_as(tokenizer, rules), options->argument, &err);
    sl_tokenizer_close(tokenizer);
    free(model);
    return ok ? SL_EXIT_OK : sl_fail_exit(&err);
}
