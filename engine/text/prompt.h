/* prompt.h - what a prompt says in the language of the program that it was written for: weights,
 * parts, texts that change on the way, LoRA tags.
 *
 * A prompt is plain text for diffusers. Other programs read brackets in it, each in its own way, so
 * whoever reads one has to know whose it is: the prompt mode, a setting. Reading is a pure function of
 * the text, for any thread; nothing of a model is needed. What comes out is one kind of result for
 * all modes:
 *
 *     prompt    parts, weighed against the negative prompt (AND of a1111)
 *     part      texts, each up to an evaluation of the run ([a:b:0.5] of a1111)
 *     text      sections, whose hidden states stand one behind the other (.and() of compel)
 *     section   phrases, whose hidden states are added (.blend() of compel)
 *     phrase    pieces: stretches of one weight
 *
 * prompt_tokens.h makes tokens in chunks of it. Mirrors A1111's modules/prompt_parser.py and
 * extra_networks.py, ComfyUI's comfy/sd1_clip.py, compel's prompt_parser.py; one file each. */
#ifndef SL_ENGINE_PROMPT_H
#define SL_ENGINE_PROMPT_H

#include "kernels/kernels.h"

/* Whose language a prompt is in. In the order of the setting's words (engine/recipe/settings.c). */
typedef enum SlPromptMode {
    SL_PROMPT_PLAIN, /* diffusers': every character is text */
    SL_PROMPT_A1111,
    SL_PROMPT_COMFYUI,
    SL_PROMPT_COMPEL,
    SL_PROMPT_MODES
} SlPromptMode;

/* What a1111 does with weights. In the order of the setting's words. */
typedef enum SlEmphasis {
    SL_EMPHASIS_ORIGINAL, /* states times the weight, then the chunk's mean as it was */
    SL_EMPHASIS_NO_NORM,  /* states times the weight, and no more */
    SL_EMPHASIS_IGNORE,   /* weights are read and not used */
    SL_EMPHASIS_NONE,     /* brackets of weights are text, and so is BREAK */
} SlEmphasis;

/* A longer prompt is refused in all modes but plain; so are brackets nested deeper than this. */
#define SL_PROMPT_MAX_BYTES ((size_t)64 << 10)
#define SL_PROMPT_MAX_DEPTH 200

typedef enum SlPromptPieceKind {
    SL_PIECE_TEXT,
    SL_PIECE_BREAK, /* the chunk ends here */
} SlPromptPieceKind;

typedef struct SlPromptPiece {
    SlPromptPieceKind kind;
    char *text; /* UTF-8, a 0 behind the end; brackets and escapes are resolved */
    int *from;  /* of each byte of text: where in the prompt it stands; -1: nowhere */
    double weight;
} SlPromptPiece;

typedef struct SlPromptPhrase {
    SlPromptPiece *piece;
    int pieces;
    double factor; /* in the sum of its section; those of a section add up to 1 unless the prompt
                      says no_normalize */
} SlPromptPhrase;

typedef struct SlPromptSection {
    SlPromptPhrase *phrase;
    int phrases;
    double weight; /* 1: as it is; else from the empty prompt's hidden states on */
} SlPromptSection;

typedef struct SlPromptText {
    SlPromptSection *section;
    int sections;
} SlPromptText;

/* A text of a part's schedule. */
typedef struct SlPromptTurn {
    int last; /* evaluation, counted from 0, that it still holds in; the last turn holds on */
    int text; /* which of the part's texts */
} SlPromptTurn;

typedef struct SlPromptPart {
    double weight;
    SlPromptText *text; /* each once */
    int texts;
    SlPromptTurn *turn; /* in the order of time */
    int turns;
} SlPromptPart;

/* A LoRA that the prompt asks for: <lora:NAME:text:unet> of a1111, withLora(NAME, weight) of compel. */
typedef struct SlPromptLora {
    char *name;
    double unet, text; /* strengths; 1 where nothing is said */
    int at, length;    /* of the tag, in bytes of the prompt */
} SlPromptLora;

/* What is odd about a prompt. It is read nevertheless, as its program reads it. */
typedef enum SlPromptFault {
    SL_FAULT_UNCLOSED, /* a bracket has no partner behind it */
    SL_FAULT_UNOPENED, /* a bracket has no partner before it */
    SL_FAULT_NUMBER,   /* a weight is no number */
    SL_PROMPT_FAULTS
} SlPromptFault;

#define SL_PROMPT_MAX_FAULTS 64 /* of a prompt; more are not listed */

typedef struct SlPromptFaultAt {
    SlPromptFault fault;
    int at; /* byte of the prompt */
} SlPromptFaultAt;

typedef struct SlPrompt {
    SlPromptMode mode;
    SlEmphasis emphasis; /* of a1111; of the others SL_EMPHASIS_ORIGINAL */
    SlPromptPart *part;  /* at least one */
    int parts;
    SlPromptLora *lora;
    int loras;
    SlPromptFaultAt *fault; /* in the order of the text */
    int faults;
} SlPrompt;

typedef struct SlPromptAsk {
    SlPromptMode mode;
    const char *text;    /* NULL is "" */
    bool negative;       /* A1111 looks for neither AND nor tags in a negative prompt */
    int evaluations;     /* of the run, that schedules are counted in; at least 1 */
    SlEmphasis emphasis; /* counts in a1111 */
} SlPromptAsk;

/* NULL and *err where memory is out, the text is too long or too deep, or compel itself would refuse
 * it. */
SlPrompt *sl_prompt_read(const SlPromptAsk *ask, SlError *err);
void sl_prompt_free(SlPrompt *prompt); /* NULL is fine */

/* What is wrong, in a few words: "this bracket is not closed". English, to be translated. */
const char *sl_prompt_fault_text(SlPromptFault fault);

/* Whether a text has what looks like weights: "(word:1.2)", "((word))". */
bool sl_prompt_has_weights(const char *text);

#endif
