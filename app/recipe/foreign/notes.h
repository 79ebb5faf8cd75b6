/* notes.h - what is said beside the settings that were found: what a file asks for and is not there
 * here, what was understood only nearly, what was not understood.
 *
 * One table of sentences, so that the window can show them in its language; the files themselves are
 * read where no gettext is. A sentence that was said is not said again.
 */
#ifndef SL_APP_NOTES_H
#define SL_APP_NOTES_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum SlNote {
    /* values */
    SL_NOTE_VALUE,     /* name, value, expected */
    SL_NOTE_LINKED,    /* name, node */
    SL_NOTE_NOT_TAKEN, /* names */
    SL_NOTE_NO_PROMPT,
    SL_NOTE_NO_SIZE,
    SL_NOTE_PROMPT_WORDS, /* words */
    SL_NOTE_LORA_WORDS,
    SL_NOTE_LORA_GONE,     /* name */
    SL_NOTE_LORA_NOT_HERE, /* name */
    SL_NOTE_LORA_STRENGTH, /* name, strength */
    /* samplers and noise */
    SL_NOTE_SAMPLER,     /* name */
    SL_NOTE_NO_SAMPLER,  /* program's word */
    SL_NOTE_NEAR,        /* name, ours */
    SL_NOTE_SCHEDULE,    /* name */
    SL_NOTE_NO_SIGMAS,   /* ours */
    SL_NOTE_ETA,         /* value, ours */
    SL_NOTE_NOISE,       /* program */
    SL_NOTE_SIGMA_RANGE, /* node */
    /* what else made the picture */
    SL_NOTE_SAMPLER_NODE, /* class */
    SL_NOTE_NODE,         /* class */
    SL_NOTE_VAE,          /* name */
    SL_NOTE_TEXT_ENCODER, /* name */
    SL_NOTE_BATCH,        /* size */
    SL_NOTE_PASSES,       /* number */
    SL_NOTE_SAMPLERS,     /* number */
    SL_NOTE_DENOISE,      /* value */
    SL_NOTE_START_STEP,   /* step */
    SL_NOTE_END_STEP,     /* step, steps */
    SL_NOTE_NO_NOISE,
    SL_NOTE_PICTURE,
    SL_NOTE_TWO_PROMPTS,
    SL_NOTE_CLIP_SKIPS,
    SL_NOTE_CLIP_LAYERS, /* clip skip */
    SL_NOTE_SUBGRAPH,
    SL_NOTE_WORKFLOW,
    SL_NOTE_LARGE,
    SL_NOTE_VARIATIONS,
    /* our own files */
    SL_NOTE_NEWER,   /* program */
    SL_NOTE_UNKNOWN, /* names */
    SL_NOTE_GIVEN_NOISE,
    SL_NOTES
} SlNote;

#define SL_NOTES_MAX 64 /* of a file; more are counted as one line at the end */

typedef struct SlNoteLine {
    SlNote note;
    char *arg[3]; /* owned, fit to be shown; NULL behind the last */
} SlNoteLine;

typedef struct SlNotes {
    int count;
    SlNoteLine line[SL_NOTES_MAX];
    bool more;   /* than there is room for */
    bool failed; /* memory ran out */
} SlNotes;

/* Arguments that a sentence has no place for are NULL. */
void sl_notes_add(SlNotes *notes, SlNote note, const char *a, const char *b, const char *c);
bool sl_notes_has(const SlNotes *notes, SlNote note);
/* A sentence a line, malloc'ed; NULL where there are none, or without memory (failed is set then).
 * translate gives a sentence of the table in another language; NULL: in English. */
char *sl_notes_text(SlNotes *notes, const char *(*translate)(const char *sentence));
void sl_notes_free(SlNotes *notes);

#ifdef __cplusplus
}
#endif

#endif
