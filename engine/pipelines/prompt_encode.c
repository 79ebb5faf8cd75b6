/* prompt_encode.c - hidden states of a prompt with weights (engine/text/prompt_tokens.h), each mode as
 * its program computes them. Private to engine/; declared in latent_parts.h.
 *
 * A1111 (sd_hijack_clip.py, sd_emphasis.py "Original"): states times weights, then as much larger as
 * the mean became smaller - the mean over one chunk of all texts of the schedule; "No norm" leaves the
 * mean as it becomes. ComfyUI
 * (sd1_clip.py): states move from the empty prompt's by the weight. compel
 * (embeddings_provider.py): the same, and pieces below 1 are mixed with what they are with nothing
 * attending to them. Easy to get wrong: the pooled state is the first chunk's, and nobody weighs it;
 * compel's is that of the text as it was typed, signs and all.
 */
#include "engine/pipelines/latent_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What one text encoder is to do with the texts of a prompt. */
typedef struct Encoding {
    const char *part; /* "text_encoder" */
    const SlPromptTokens *tokens;
    SlTextState state;
    SlConditionTensor **states; /* of each text: [rows, columns] */
    int64_t column;             /* from which on this encoder's own lie */
    SlConditionTensor **pooled; /* of each text, [D]; NULL: not wanted */
    bool vectors_end;           /* as SlTextExtras' */
} Encoding;

typedef struct Encoder {
    SlModel *model;
    const Encoding *e;
    int length, width;
    int *ids;     /* [length] */
    float *chunk; /* [length, width]: the last encoded one */
    float *empty; /* [length, width]: of the empty prompt; NULL: not encoded yet */
} Encoder;

static bool no_memory(SlError *err)
{
    return sl_fail(err, SL_MEMORY, "There is not enough memory for the prompt");
}

/* ids to out [length, width], and to a pooled state where it is wanted. mask: as SlTextExtras'. */
static bool encode_ids(Encoder *c, const int mask[2], float *out, SlConditionTensor *pooled,
                       SlError *err)
{
    const SlEncodeIds e = {.part = c->e->part,
                           .ids = c->ids,
                           .length = c->length,
                           .state = c->e->state,
                           .mask = {mask[0], mask[1]},
                           .vectors_end = c->e->vectors_end};
    return sl_encode_ids(c->model, &e, out, pooled, err);
}

/* A chunk of a term to c->chunk. */
static bool encode_chunk(Encoder *c, const SlTokenTerm *term, int chunk, SlConditionTensor *pooled,
                         SlError *err)
{
    const SlTokenRow *row = term->row + chunk * c->length;
    int mask[2] = {term->mask[0] - chunk * c->length, term->mask[1] - chunk * c->length};
    mask[0] = mask[0] < 1 ? 1 : mask[0];
    mask[1] = mask[1] > c->length - 1 ? c->length - 1 : mask[1];
    if (mask[1] <= mask[0])
        mask[0] = mask[1] = 0;
    for (int i = 0; i < c->length; i++)
        c->ids[i] = row[i].id;
    return encode_ids(c, mask, c->chunk, pooled, err);
}

static bool need_empty(Encoder *c, SlError *err)
{
    static const int no_mask[2];
    if (c->empty)
        return true;
    c->empty = calloc((size_t)(c->length * c->width) + 1, sizeof *c->empty);
    if (!c->empty)
        return no_memory(err);
    for (int i = 0; i < c->length; i++)
        c->ids[i] = c->e->tokens->empty[i];
    return encode_ids(c, no_mask, c->empty, NULL, err);
}

/* Row i of a text's states, from this encoder's column on. */
static float *row_of(const Encoder *c, int text, int i)
{
    SlConditionTensor *states = c->e->states[text];
    return states->values + i * states->size[1] + c->e->column;
}

/* ---- a1111 ---- */

/* Weighs chunk `chunk` of all texts, whose states are there. */
static void weigh_by_mean(Encoder *c, int chunk)
{
    const SlPromptTokens *tokens = c->e->tokens;
    double before = 0, after = 0;
    if (tokens->emphasis == SL_EMPHASIS_IGNORE)
        return;
    for (int t = 0; t < tokens->texts; t++)
        for (int i = 0; i < c->length; i++) {
            const SlTokenRow *row = &tokens->text[t].section[0].term[0].row[chunk * c->length + i];
            float *state = row_of(c, t, chunk * c->length + i);
            double sum = 0, weighed = 0;
            for (int k = 0; k < c->width; k++) {
                sum += state[k];
                state[k] *= row->weight;
                weighed += state[k];
            }
            before += sum * tokens->text[t].turns;
            after += weighed * tokens->text[t].turns;
        }
    if (before == after || tokens->emphasis == SL_EMPHASIS_NO_NORM)
        return;
    float ratio = (float)(before / after);
    for (int t = 0; t < tokens->texts; t++)
        for (int i = 0; i < c->length; i++) {
            float *state = row_of(c, t, chunk * c->length + i);
            for (int k = 0; k < c->width; k++)
                state[k] *= ratio;
        }
}

static bool encode_a1111(Encoder *c, SlError *err)
{
    const SlPromptTokens *tokens = c->e->tokens;
    for (int chunk = 0; chunk < tokens->text[0].section[0].chunks; chunk++) {
        for (int t = 0; t < tokens->texts; t++) {
            SlConditionTensor *pooled = chunk == 0 && c->e->pooled ? c->e->pooled[t] : NULL;
            if (!encode_chunk(c, &tokens->text[t].section[0].term[0], chunk, pooled, err))
                return false;
            for (int i = 0; i < c->length; i++)
                memcpy(row_of(c, t, chunk * c->length + i), c->chunk + i * c->width,
                       (size_t)c->width * sizeof *c->chunk);
        }
        weigh_by_mean(c, chunk);
    }
    return true;
}

/* ---- comfyui and compel ---- */

/* Moves the rows of c->chunk from the empty prompt's on. */
static bool weigh_from_empty(Encoder *c, const SlTokenRow *row, SlError *err)
{
    for (int i = 0; i < c->length; i++) {
        if (row[i].weight == 1)
            continue;
        if (!need_empty(c, err))
            return false;
        for (int k = 0; k < c->width; k++) {
            float from = c->empty[i * c->width + k], *state = &c->chunk[i * c->width + k];
            *state = from + (*state - from) * row[i].weight;
        }
    }
    return true;
}

/* A term of a section, times its factor, into the rows from `first` on. */
static bool add_term(Encoder *c, const SlTokenSection *section, int which, int first, SlError *err)
{
    const SlTokenTerm *term = &section->term[which];
    float factor = (float)term->factor;
    for (int chunk = 0; chunk < section->chunks; chunk++) {
        SlConditionTensor *pooled =
            first + chunk + which == 0 && c->e->pooled && !c->e->tokens->whole ? c->e->pooled[0]
                                                                               : NULL;
        if (!encode_chunk(c, term, chunk, pooled, err) ||
            !weigh_from_empty(c, term->row + chunk * c->length, err))
            return false;
        for (int i = 0; i < c->length; i++) {
            float *state = row_of(c, 0, (first + chunk) * c->length + i);
            for (int k = 0; k < c->width; k++)
                state[k] += factor * c->chunk[i * c->width + k];
        }
    }
    return true;
}

static bool encode_sections(Encoder *c, SlError *err)
{
    static const int no_mask[2];
    const SlPromptTokens *tokens = c->e->tokens;
    int first = 0;
    for (int s = 0; s < tokens->text[0].sections; s++) {
        const SlTokenSection *section = &tokens->text[0].section[s];
        for (int i = 0; i < section->terms; i++)
            if (!add_term(c, section, i, first, err))
                return false;
        first += section->chunks;
    }
    if (!tokens->whole || !c->e->pooled)
        return true;
    for (int i = 0; i < c->length; i++)
        c->ids[i] = tokens->whole[i];
    return encode_ids(c, no_mask, c->chunk, c->e->pooled[0], err);
}

static const SlTextEncoderConfig *config_of(SlModel *model, const char *part)
{
    return sl_text_encoder_get_config(sl_model_net(model, part));
}

/* Fills states and pooled with what the prompt's mode makes of the encoder's output. */
static bool encode(SlModel *model, const Encoding *e, SlError *err)
{
    Encoder c = {.model = model, .e = e, .length = e->tokens->length};
    c.width = config_of(model, e->part)->hidden_size;
    c.ids = calloc((size_t)c.length + 1, sizeof *c.ids);
    c.chunk = calloc((size_t)(c.length * c.width) + 1, sizeof *c.chunk);
    bool ok = c.ids && c.chunk ? e->tokens->mode == SL_PROMPT_A1111 ? encode_a1111(&c, err)
                                                                    : encode_sections(&c, err)
                               : no_memory(err);
    free(c.ids);
    free(c.chunk);
    free(c.empty);
    return ok;
}

/* Room for the conditions: states first, then pooled texts. */
static bool add_tensors(SlModel *model, const SlAsk *ask, const SlPromptEncoders *encoders,
                        SlCondition *conditions, SlConditionTensor **tensors, SlError *err)
{
    const SlTextEncoderConfig *first = config_of(model, encoders->part[0]), *last = first;
    int texts = ask->tokens[0]->texts;
    int64_t columns = first->hidden_size;
    if (encoders->part[1]) {
        last = config_of(model, encoders->part[1]);
        columns += last->hidden_size;
    }
    const int64_t pooled = last->projection_dim;
    for (int i = 0; i < texts; i++) {
        const int64_t size[] = {sl_prompt_tokens_rows(ask->tokens[0], i), columns};
        tensors[i] = sl_condition_add(&conditions[i], "hidden_states", 2, size, err);
        if (!tensors[i])
            return false;
        if (encoders->pooled && !(tensors[texts + i] = sl_condition_add(
                                      &conditions[i], "text_embeds", 1, &pooled, err)))
            return false;
    }
    return true;
}

bool sl_encode_prompt(SlModel *model, const SlAsk *ask, const SlPromptEncoders *encoders,
                      SlCondition *conditions, SlError *err)
{
    int texts = ask->tokens[0]->texts, count = encoders->part[1] ? 2 : 1;
    SlConditionTensor **tensors = calloc(2 * (size_t)texts + 1, sizeof *tensors);
    bool ok =
        tensors ? add_tensors(model, ask, encoders, conditions, tensors, err) : no_memory(err);
    for (int i = 0; ok && i < count; i++) {
        const Encoding e = {.part = encoders->part[i],
                            .tokens = ask->tokens[i],
                            .state = encoders->state,
                            .states = tensors,
                            .column = i ? config_of(model, encoders->part[0])->hidden_size : 0,
                            .pooled = encoders->pooled && i == count - 1 ? tensors + texts : NULL,
                            .vectors_end = ask->vectors_end};
        ok = encode(model, &e, err);
    }
    for (int i = 0; ok && i < texts; i++)
        ok = sl_check_finite_text(tensors[i], err);
    free(tensors);
    return ok;
}
