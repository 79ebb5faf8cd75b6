/* adapted.c - adapters in a model's weights.
 *
 * A set of strengths (SlMix) is brought about when a stage needs it: weights that differ from what
 * the part holds are read from its file again and the adapters added in f32, so that strengths can
 * be changed without end and nothing drifts; all others stay. Files are read with pread where
 * they are. Where lanes take turns with different sets, copies of the weights that differ are kept
 * as far as memory is left for them (engine/files/binder_kept.h); they are the first to go when a
 * stage needs it.
 *
 * Easy to get wrong: what was computed from the weights before (a text's keys and values, the time
 * embedding) is of the set of then: engine/run keeps sets with both.
 */
#include "engine/pipelines/pipelines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the parts that have adapters ---- */

/* False: the part has none. */
static bool adapter_part(const SlPart *part, SlAdapterPart *which)
{
    static const char *const names[] = {[SL_ADAPTER_UNET] = "unet",
                                        [SL_ADAPTER_TEXT] = "text_encoder",
                                        [SL_ADAPTER_TEXT_2] = "text_encoder_2"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(part->kind->name, names[i])) {
            *which = (SlAdapterPart)i;
            return true;
        }
    return false;
}

static bool open_pristine(SlModel *model, SlPart *part, SlError *err)
{
    if (!part->pristine)
        part->pristine = sl_model_weights(&model->info, part->kind, err);
    return part->pristine != NULL;
}

/* ---- opening an adapter ---- */

static void free_matches(SlModelAdapter *a)
{
    for (int i = 0; i < SL_MAX_PARTS; i++)
        sl_adapter_match_free(a->match[i]);
}

static void close_adapter(SlModelAdapter *a)
{
    free_matches(a);
    sl_adapter_close(a->own);
    free(a->name);
    free(a->hash);
    *a = (SlModelAdapter){0};
}

static bool match_part(SlModel *model, SlModelAdapter *a, int i, SlError *err)
{
    SlPart *part = &model->part[i];
    SlAdapterPart which;
    if (!adapter_part(part, &which))
        return true;
    if (!open_pristine(model, part, err))
        return false;
    SlAdapterTargets *targets = sl_adapter_targets_new(which, part->pristine, err);
    if (!targets)
        return false;
    SlError problem = {0};
    a->match[i] = sl_adapter_match(a->file, targets, &problem);
    sl_adapter_targets_free(targets);
    if (a->match[i])
        return true;
    return problem.code == SL_FORMAT ? sl_fail(err, SL_FORMAT, "%.700s (the model is %.200s)",
                                               problem.message, model->info.name)
                                     : sl_fail(err, problem.code, "%s", problem.message);
}

static void count_modules(const SlModelAdapter *a, SlAdapterCounts *counts)
{
    const SlAdapterMatch *matches[SL_MAX_PARTS];
    const char *first;
    int n = 0;
    for (int i = 0; i < SL_MAX_PARTS; i++)
        if (a->match[i])
            matches[n++] = a->match[i];
    counts->modules = sl_adapter_modules(a->file);
    counts->matched = counts->modules - sl_adapter_unmatched(a->file, matches, n, &first);
    counts->unmatched[0] = 0;
    if (first)
        snprintf(counts->unmatched, sizeof counts->unmatched, "%s", sl_show_name(first).text);
}

static bool match_model(SlModel *model, SlModelAdapter *a, SlAdapterCounts *counts, SlError *err)
{
    SlAdapterFacts facts;
    for (int i = 0; i < model->parts; i++)
        if (!match_part(model, a, i, err))
            return false;
    count_modules(a, counts);
    if (counts->matched > 0)
        return true;
    sl_adapter_facts(a->file, &facts);
    return sl_fail(
        err, SL_FORMAT,
        "%s: none of its %d modules (\"%s\", ...) is one of the weights of the model %s%s%s",
        sl_show_path(sl_adapter_path(a->file)).text, counts->modules, counts->unmatched,
        model->info.name, facts.base ? sl_words(": the file is for ") : "",
        facts.base ? facts.base : "");
}

static bool open_adapter(SlModel *model, SlModelAdapter *a, const char *name, const char *hash,
                         SlError *err)
{
    a->name = strdup(name);
    a->hash = strdup(hash);
    if (!a->name || !a->hash)
        return sl_fail(err, SL_MEMORY, "%s: out of memory", name);
    char *path = model->find_adapter ? model->find_adapter(name, hash, err) : strdup(name);
    if (!path)
        return model->find_adapter ? false : sl_fail(err, SL_MEMORY, "%s: out of memory", name);
    SlAdapterCounts counts;
    a->file = a->own = sl_adapter_open(path, err);
    free(path);
    return a->file && match_model(model, a, &counts, err);
}

int sl_model_find_adapter(SlModel *model, const char *name, const char *hash, SlError *err)
{
    for (int i = 0; i < model->adapters; i++)
        if (!strcmp(model->adapter[i].name, name) && !strcmp(model->adapter[i].hash, hash))
            return i;
    size_t bytes = (size_t)(model->adapters + 1) * sizeof *model->adapter;
    SlModelAdapter *grown = realloc(model->adapter, bytes), *a;
    if (!grown) {
        sl_fail(err, SL_MEMORY, "%s: out of memory", name);
        return -1;
    }
    model->adapter = grown;
    a = &grown[model->adapters];
    *a = (SlModelAdapter){0};
    if (open_adapter(model, a, name, hash, err))
        return model->adapters++;
    close_adapter(a);
    return -1;
}

bool sl_model_adapter(SlModel *model, const char *name, const char *hash, SlAdapterCounts *counts,
                      SlError *err)
{
    int i = sl_model_find_adapter(model, name, hash, err);
    if (i >= 0)
        count_modules(&model->adapter[i], counts);
    return i >= 0;
}

bool sl_model_info_adapter(const SlModelInfo *info, const SlAdapter *adapter,
                           SlAdapterCounts *counts, SlError *err)
{
    SlModel *model = calloc(1, sizeof *model); /* of which only the files' headers are read */
    SlModelAdapter a = {.file = adapter};
    *counts = (SlAdapterCounts){0};
    if (!model)
        return sl_fail(err, SL_MEMORY, "%s: out of memory", sl_adapter_path(adapter));
    model->info = *info;
    model->kind = (const SlPipelineClass *)info->pipeline; /* whose first member it is */
    for (const SlPartClass *const *kind = model->kind->parts; *kind; kind++)
        if (sl_model_has_part(info, *kind))
            model->part[model->parts++].kind = *kind;
    bool ok = match_model(model, &a, counts, err);
    free_matches(&a);
    sl_model_free_adapters(model);
    free(model);
    return ok;
}

void sl_model_free_adapters(SlModel *model)
{
    for (int i = 0; i < model->adapters; i++)
        close_adapter(&model->adapter[i]);
    for (int i = 0; i < model->parts; i++)
        sl_weights_close(model->part[i].pristine);
    free(model->adapter);
    free(model->mix);
}

/* ---- of a recipe ---- */

static bool add_tags(const SlPrompt *prompt, SlAdapterUses *uses, SlError *err)
{
    if (prompt->loras > 0 && !uses->use)
        uses->use = calloc(SL_ADAPTERS_MAX, sizeof *uses->use);
    if (prompt->loras > 0 && !uses->use)
        return sl_fail(err, SL_MEMORY, "out of memory for the LoRAs");
    for (int i = 0; i < prompt->loras; i++) {
        const SlPromptLora *lora = &prompt->lora[i];
        SlAdapterUse *use = &uses->use[uses->count];
        if (uses->count == SL_ADAPTERS_MAX)
            return sl_fail(err, SL_ARGUMENT, "there are more than %d LoRAs", SL_ADAPTERS_MAX);
        *use = (SlAdapterUse){.unet = lora->unet, .text = lora->text, .to = 1};
        if (strlen(lora->name) >= sizeof use->name)
            return sl_fail(err, SL_ARGUMENT, "the name of a LoRA in the prompt is too long");
        memcpy(use->name, lora->name, strlen(lora->name) + 1);
        uses->count++;
    }
    return true;
}

bool sl_recipe_adapters(const SlRecipe *recipe, SlAdapterUses *uses, int *said, SlError *err)
{
    const SlPromptAsk ask = {.mode = (SlPromptMode)recipe->prompt_mode,
                             .text = recipe->prompt,
                             .evaluations = recipe->steps};
    bool ok = sl_adapter_uses_parse(recipe->lora ? recipe->lora : "", uses, err);
    *said = uses->count;
    if (!ok || ask.mode == SL_PROMPT_PLAIN)
        return ok;
    SlPrompt *prompt = sl_prompt_read(&ask, err);
    ok = prompt && add_tags(prompt, uses, err);
    sl_prompt_free(prompt);
    return ok;
}

/* ---- sets of strengths ---- */

static bool same_mix(const SlMix *a, const SlMix *b)
{
    bool same = a->count == b->count;
    for (int i = 0; same && i < a->count; i++)
        same = a->use[i].adapter == b->use[i].adapter && a->use[i].strength == b->use[i].strength;
    return same;
}

bool sl_model_mix(SlModel *model, const SlMix *mix, unsigned *number, SlError *err)
{
    SlMix used = {.count = 0};
    for (int i = 0; i < mix->count; i++)
        if (mix->use[i].strength != 0)
            used.use[used.count++] = mix->use[i];
    *number = 0;
    if (used.count == 0)
        return true;
    while (*number < model->mixes && !same_mix(&model->mix[*number], &used))
        ++*number;
    if (*number == model->mixes) {
        SlMix *grown = realloc(model->mix, (model->mixes + 1) * sizeof *grown);
        if (!grown)
            return sl_fail(err, SL_MEMORY, "out of memory for the LoRAs");
        model->mix = grown;
        model->mix[model->mixes++] = used;
    }
    ++*number;
    return true;
}

void sl_model_want(SlModel *model, unsigned text_mix, unsigned denoise_mix, bool again)
{
    model->text_mix = text_mix;
    model->denoise_mix = denoise_mix;
    model->denoise_again = again;
}

static unsigned wanted(const SlModel *model, int part)
{
    SlAdapterPart which;
    if (!adapter_part(&model->part[part], &which))
        return 0;
    return which == SL_ADAPTER_UNET ? model->denoise_mix : model->text_mix;
}

/* ---- the change of weights ---- */

static const SlMix *mix_of(const SlMixState *s, unsigned number)
{
    static const SlMix none;
    return number ? &s->model->mix[number - 1] : &none;
}

static const SlAdapterMatch *match_of(const SlMixState *s, int adapter)
{
    return s->model->adapter[adapter].match[s->part];
}

static bool touches(const void *arg, const char *name)
{
    const SlMixState *s = arg;
    const SlMix *mix = mix_of(s, s->now);
    for (int i = 0; i < mix->count; i++)
        if (sl_adapter_touches(match_of(s, mix->use[i].adapter), name))
            return true;
    return false;
}

static bool apply(const void *arg, SlDevice *dev, const char *name, const SlTensor *values,
                  SlError *err)
{
    const SlMixState *s = arg;
    const SlMix *mix = mix_of(s, s->now);
    for (int i = 0; i < mix->count; i++) {
        const SlAdapterChange change = {name, mix->use[i].strength, values};
        int adapter = mix->use[i].adapter;
        if (!sl_adapter_apply(s->model->adapter[adapter].file, match_of(s, adapter), dev, &change,
                              err))
            return false;
    }
    return true;
}

/* The strengths of an adapter in a set, in their order, are those in another one. */
static bool same_strengths(const SlMix *a, const SlMix *b, int adapter)
{
    int i = 0, k = 0;
    for (;; i++, k++) {
        while (i < a->count && a->use[i].adapter != adapter)
            i++;
        while (k < b->count && b->use[k].adapter != adapter)
            k++;
        if (i == a->count || k == b->count)
            return i == a->count && k == b->count;
        if (a->use[i].strength != b->use[k].strength)
            return false;
    }
}

/* A weight that an adapter touches whose strength is another one. */
static bool stale(const void *arg, const char *name)
{
    const SlMixState *s = arg;
    const SlMix *mix[2] = {mix_of(s, s->before), mix_of(s, s->now)};
    for (int m = 0; m < 2; m++)
        for (int i = 0; i < mix[m]->count; i++) {
            int adapter = mix[m]->use[i].adapter;
            if (!same_strengths(mix[0], mix[1], adapter) &&
                sl_adapter_touches(match_of(s, adapter), name))
                return true;
        }
    return false;
}

SlWeightChange sl_model_change(const SlModel *model, int part, SlMixState *state)
{
    *state = (SlMixState){model, part, model->part[part].mix, wanted(model, part)};
    return (SlWeightChange){state->now ? touches : NULL, apply, state};
}

size_t sl_model_kept(const SlModel *model)
{
    size_t bytes = 0;
    for (int i = 0; model && i < model->parts; i++)
        bytes += sl_binder_kept(model->part[i].binder);
    return bytes;
}

bool sl_model_forget(SlModel *model)
{
    bool any = sl_model_kept(model) > 0;
    for (int i = 0; any && i < model->parts; i++)
        if (model->part[i].binder)
            sl_binder_forget(model->part[i].binder);
    return any;
}

bool sl_model_has_mix(const SlModel *model, int part)
{
    return model->part[part].mix == wanted(model, part);
}

bool sl_model_remix(SlModel *model, int i, size_t keep, SlError *err)
{
    SlPart *part = &model->part[i];
    SlMixState state;
    bool again = part->mix_again;
    part->mix_again = model->denoise_again && (part->kind->use & SL_USE_DENOISE);
    if (!part->net || sl_model_has_mix(model, i))
        return true;
    SlWeightChange change = sl_model_change(model, i, &state);
    if (!open_pristine(model, part, err))
        return false;
    const SlBinderRefill refill = {.weights = part->pristine,
                                   .change = change,
                                   .stale = stale,
                                   .before = state.before,
                                   .now = state.now,
                                   .keep = again ? keep : 0};
    if (!sl_binder_refill(part->binder, &refill, err))
        return false;
    part->mix = state.now;
    return true;
}
