/* notes.c - see notes.h. */
#include "app/recipe/foreign/notes.h"
#include "app/files/files.h"
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#define N_(text)      text
#define MAX_ARG_BYTES 900

/* "%s" is the next argument, as often as there are any. */
static const char *const sentences[SL_NOTES] = {
    [SL_NOTE_VALUE] = N_("%s is \"%s\"; expected %s: it stays as it was"),
    [SL_NOTE_LINKED] = N_("%s comes from the node %s, which is not understood"),
    [SL_NOTE_NOT_TAKEN] = N_("not taken over: %s"),
    [SL_NOTE_NO_PROMPT] = N_("the prompt was not found in the graph"),
    [SL_NOTE_NO_SIZE] = N_("the size was not found in the graph"),
    [SL_NOTE_PROMPT_WORDS] = N_("these have no special meaning in a prompt here: %s"),
    [SL_NOTE_LORA_WORDS] = N_("the prompt names a LoRA, which has no effect here"),
    [SL_NOTE_LORA_GONE] = N_("the LoRA %s, which the prompt names, was not found here"),
    [SL_NOTE_LORA_NOT_HERE] = N_("the LoRA %s, with which it was made, was not found here"),
    [SL_NOTE_LORA_STRENGTH] =
        N_("the LoRA %s has the strength %s; expected -100 to 100: it was not taken over"),
    [SL_NOTE_SAMPLER] = N_("scheduler is \"%s\"; there is none like it here: it stays as it was"),
    [SL_NOTE_NO_SAMPLER] = N_("the sampler is \"%s\", which names none: it stays as it was"),
    [SL_NOTE_NEAR] = N_("the sampler \"%s\" is only near to %s here"),
    [SL_NOTE_SCHEDULE] = N_("the schedule \"%s\" has no counterpart here; the model's is taken"),
    [SL_NOTE_NO_SIGMAS] = N_("%s has no choice of sigmas here; the model's are taken"),
    [SL_NOTE_ETA] = N_("eta %s has no effect with %s here and was not taken over"),
    [SL_NOTE_NOISE] =
        N_("where %s drew the noise is not known: the same seed can give another picture"),
    [SL_NOTE_SIGMA_RANGE] = N_("the sigmas that the node %s sets were not taken over"),
    [SL_NOTE_SAMPLER_NODE] =
        N_("the sampler node %s is not known; its inputs were taken by their names"),
    [SL_NOTE_NODE] = N_("the node %s has no counterpart here"),
    [SL_NOTE_VAE] = N_("it was decoded by another VAE, %s; here the model's own does it"),
    [SL_NOTE_TEXT_ENCODER] =
        N_("the text encoder was a file of its own, %s; here it is the model's"),
    [SL_NOTE_BATCH] = N_("it was made in a batch of %s: the picture can be any of them, and only "
                         "the first has this seed here"),
    [SL_NOTE_PASSES] = N_("the graph has %s samplers in a row; the first was taken, and the "
                          "picture is not the one that it made"),
    [SL_NOTE_SAMPLERS] =
        N_("the graph has %s samplers; the one before the saved picture was taken"),
    [SL_NOTE_DENOISE] = N_("denoise %s was not taken over"),
    [SL_NOTE_START_STEP] = N_("it started at step %s; the steps before are not left out here"),
    [SL_NOTE_END_STEP] = N_("it stopped at step %s of %s; here all steps are made"),
    [SL_NOTE_NO_NOISE] = N_("no noise was added at its start; this cannot be repeated"),
    [SL_NOTE_PICTURE] = N_("the picture did not start from noise alone; this cannot be repeated"),
    [SL_NOTE_TWO_PROMPTS] =
        N_("several prompts were put together in the graph; only the first was taken"),
    [SL_NOTE_CLIP_SKIPS] = N_("the negative prompt has another clip skip; the prompt's was taken"),
    [SL_NOTE_CLIP_LAYERS] =
        N_("clip skip was counted from the last layer: if the model is of Stable "
           "Diffusion XL, it is %s here"),
    [SL_NOTE_SUBGRAPH] = N_("parts of the graph are in subgraphs, which are not read"),
    [SL_NOTE_WORKFLOW] = N_("only the drawing of the graph is there, not the graph that was run: "
                            "values can have been changed since"),
    [SL_NOTE_LARGE] = N_("the graph is too large; it was not followed to its end"),
    [SL_NOTE_VARIATIONS] =
        N_("the noise was mixed with that of other seeds; this was not taken over"),
    [SL_NOTE_NEWER] = N_("it was written by a newer Safelight (%s)"),
    [SL_NOTE_UNKNOWN] = N_("unknown here and not taken over: %s"),
    [SL_NOTE_GIVEN_NOISE] = N_("its noise came from a file, not from the seed"),
};

static const char *const more = N_("and more that was not understood");

/* One line of characters that may be shown; NULL without memory. */
static char *shown(const char *text)
{
    SlText out = {0};
    size_t length = strlen(text);
    char one[5];
    for (size_t i = 0; i < length; sl_text_add(&out, one)) {
        if (out.length > MAX_ARG_BYTES) {
            sl_text_add(&out, "...");
            break;
        }
        i += sl_show_char(text + i, length - i, one);
    }
    return sl_text_take(&out);
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void free_line(SlNoteLine *line)
{
    for (int i = 0; i < 3; i++)
        free(line->arg[i]);
}

static bool is_there(const SlNotes *notes, const SlNoteLine *line)
{
    for (int i = 0; i < notes->count; i++) {
        const SlNoteLine *other = &notes->line[i];
        if (other->note == line->note && same(other->arg[0], line->arg[0]) &&
            same(other->arg[1], line->arg[1]) && same(other->arg[2], line->arg[2]))
            return true;
    }
    return false;
}

void sl_notes_add(SlNotes *notes, SlNote note, const char *a, const char *b, const char *c)
{
    const char *const args[] = {a, b, c};
    SlNoteLine line = {.note = note};
    for (int i = 0; i < 3; i++)
        if (args[i] && !(line.arg[i] = shown(args[i])))
            notes->failed = true;
    bool known = notes->failed || is_there(notes, &line);
    if (known || notes->count == SL_NOTES_MAX) {
        notes->more |= !known;
        free_line(&line);
        return;
    }
    notes->line[notes->count++] = line;
}

bool sl_notes_has(const SlNotes *notes, SlNote note)
{
    for (int i = 0; i < notes->count; i++)
        if (notes->line[i].note == note)
            return true;
    return false;
}

static void add_line(SlText *out, const char *sentence, const SlNoteLine *line)
{
    int arg = 0;
    if (out->length)
        sl_text_add(out, "\n");
    for (const char *p = sentence; *p;) {
        size_t n = strcspn(p, "%");
        sl_text_append(out, p, n);
        p += n;
        if (p[0] == '%' && p[1] == 's') {
            sl_text_add(out, line && arg < 3 && line->arg[arg] ? line->arg[arg] : "");
            arg++;
            p += 2;
        } else if (*p) {
            sl_text_append(out, p++, 1);
        }
    }
}

char *sl_notes_text(SlNotes *notes, const char *(*translate)(const char *sentence))
{
    SlText out = {0};
    for (int i = 0; i < notes->count; i++) {
        const char *sentence = sentences[notes->line[i].note];
        add_line(&out, translate ? translate(sentence) : sentence, &notes->line[i]);
    }
    if (notes->more)
        add_line(&out, translate ? translate(more) : more, NULL);
    notes->failed |= out.failed;
    if (out.length && !out.failed)
        return sl_text_take(&out);
    sl_text_free(&out);
    return NULL;
}

void sl_notes_free(SlNotes *notes)
{
    for (int i = 0; i < notes->count; i++)
        free_line(&notes->line[i]);
    *notes = (SlNotes){0};
}
