/* importer.h - private to the readers of foreign settings: values arrive as text, are checked one
 * by one and collected over a base recipe. One that is not understood is noted and changes nothing,
 * neither its setting nor any other.
 */
#ifndef SL_APP_IMPORTER_H
#define SL_APP_IMPORTER_H

#include "app/files/files.h"
#include "app/recipe/foreign/notes.h"
#include "engine/engine.h"

typedef struct SlImporter {
    const char *source;
    const SlModelInfo *info;   /* NULL: not known */
    SlRecipe recipe;           /* strings borrowed from the base or owned below */
    char *text[SL_N_SETTINGS]; /* of the settings that are texts */
    char *model, *model_hash;
    SlNotes notes;
    int loras_gone;     /* tags of LoRAs in the prompt of which was said why they are not taken */
    bool counts_layers; /* clip skip counts from the last layer there, whatever model it is */
    bool failed;        /* memory ran out: nothing is taken over then */
} SlImporter;

void sl_importer_init(SlImporter *im, const SlRecipe *base, const SlModelInfo *info);
void sl_importer_free(SlImporter *im);
/* A NULL value is one that the file does not have. Of the scheduler there is
 * sl_importer_take_sampler. */
void sl_importer_take(SlImporter *im, SlSetting setting, const char *value);
/* The same for a whole number that the file counts from `first` on. */
void sl_importer_take_from(SlImporter *im, SlSetting setting, const char *value, int first);
/* From where Fooocus counts clip skip, in both its forms: it knows models of Stable Diffusion XL alone, of which
 * 2 is what every one is trained with, none skipped. */
#define SL_FOOOCUS_SKIP 2
/* The model as the file names it, and its hash. */
void sl_importer_take_model(SlImporter *im, const char *name, const char *hash);
/* The sampler with its schedule (may be NULL), in any dialect. Eta, if there is any, comes after. */
void sl_importer_take_sampler(SlImporter *im, const char *sampler, const char *schedule);
/* The same of a program that runs diffusers. */
void sl_importer_take_diffusers_sampler(SlImporter *im, const char *sampler);
/* Eta (may be NULL), where the recipe's scheduler has it; else it is noted, but for a value that
 * changes nothing there. */
void sl_importer_take_eta(SlImporter *im, const char *value);
/* "-2" as ComfyUI and SwarmUI count the layer of the text encoder to stop at: the last is -1. */
void sl_importer_take_last_layer(SlImporter *im, const char *value);
/* Where clip skip counts so, once all is taken: what it is to be for a model whose texts are usually taken before the
 * last layer, if the picture may be of one. */
void sl_importer_note_layers(SlImporter *im);
/* A note with at most one word in it, and with two. */
void sl_importer_note(SlImporter *im, SlNote note, const char *word);
void sl_importer_note_two(SlImporter *im, SlNote note, const char *a, const char *b);

#endif
