/* adapters.h - LoRA files and their relatives: what is in one, which weights of a model it changes,
 * and by how much.
 *
 * An adapter is a safetensors file of modules; each changes one weight (and perhaps its bias) of a
 * UNet or a text encoder. Nothing is computed beside the model: the change is added to the weight
 * in f32, from the weight as its file has it (never by taking an earlier change back), and the sum
 * takes the type that the run computes in.
 *
 * Kinds: LoRA of linear layers and convolutions (with or without a core, lora_mid), LoHa, LoKr,
 * each also as DoRA, and differences as they are. Layouts: kohya, LyCORIS, PEFT, diffusers old and
 * new. Mirrors diffusers loaders/lora_pipeline.py and lora_conversion_utils.py, peft
 * tuners/lora/layer.py and lycoris/modules, which take fewer of them each.
 */
#ifndef SL_ENGINE_ADAPTERS_H
#define SL_ENGINE_ADAPTERS_H

#include "engine/adapters/embedding.h"
#include "engine/files/files.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- which are used, as text ---- */

#define SL_ADAPTERS_MAX         16  /* of a recipe */
#define SL_ADAPTER_STRENGTH_MAX 100 /* and as much below 0 */

#define SL_ADAPTER_POINTS 16 /* of a curve */

/* "NAME#HASH:UNET:TEXT@FROM-TO", or with a curve in place of the range: "NAME:UNET@0:1,0.5:0.3". All but the
 * name may be left out. */
typedef struct SlAdapterUse {
    char name[1024];   /* of the file, without folder and ending; or a path */
    char hash[65];     /* "": none was said; else 8, 10, 12 or 64 digits (sl_adapter_has_hash) */
    double unet, text; /* strengths: 1 as trained, 0 not at all */
    double from, to;   /* which part of the steps the UNet's counts in, 0 .. 1 */
    int points;        /* 0: no curve. Else the UNet's strength is multiplied by what it says: */
    struct {
        double at, factor; /* at this part of the steps, rising; straight lines between them */
    } point[SL_ADAPTER_POINTS];
} SlAdapterUse;

typedef struct SlAdapterUses {
    int count;
    SlAdapterUse *use; /* malloc'ed */
} SlAdapterUses;

/* "a:0.8; b:1:0@0-0.5; c:1@0:1,0.5:0.3", "" for none: one strength is for both, none is 1. Free in any case. */
bool sl_adapter_uses_parse(const char *text, SlAdapterUses *uses, SlError *err);
void sl_adapter_uses_free(SlAdapterUses *uses);
/* The text of it, malloc'ed; NULL without memory. */
char *sl_adapter_uses_text(const SlAdapterUses *uses);
/* Whether a text is one, for validators. */
bool sl_adapter_uses_check(const char *text, SlError *err);
/* The curve "0:1,0.5:0.3" (blanks do not count; "": none) into *use, which it must suit; else *use is as it was. */
bool sl_adapter_curve_parse(const char *text, SlAdapterUse *use, SlError *err);
/* A strength as it is written, with a point in every locale. */
typedef struct SlStrengthText {
    char text[24];
} SlStrengthText;
SlStrengthText sl_strength_text(double strength);
/* The UNet's strength at evaluation i of n. */
double sl_adapter_use_at(const SlAdapterUse *use, int i, int n);

/* ---- a file ---- */

typedef struct SlAdapter SlAdapter;

/* Reads the header, and puts its tensors together to modules. NULL and *err, which names what the
 * file is instead where it is something else (a model, a pickle, a kind that is not supported). */
SlAdapter *sl_adapter_open(const char *path, SlError *err);
void sl_adapter_close(SlAdapter *adapter); /* NULL is fine */
const char *sl_adapter_path(const SlAdapter *adapter);
int sl_adapter_modules(const SlAdapter *adapter);
/* Whether a file's tensors are an adapter's at all: for whoever asks what a file is. */
bool sl_adapter_recognise(const SlWeightSource *file);

/* What a file says about itself. Texts are borrowed from the adapter, NULL where it says nothing. */
typedef struct SlAdapterFacts {
    char kinds[120];        /* "LoRA", "LoHa, DoRA" */
    const char *base;       /* the family that it is for: "Stable Diffusion XL"; NULL: not known */
    int rank_min, rank_max; /* 0: it has none */
    double alpha_min, alpha_max; /* NAN: it has none */
    int modules, unet, text;     /* how many change what, by their names */
    uint64_t parameters;
    int embeddings; /* textual inversions that come with it (bundle_emb) */
    const char *title, *output_name, *trigger, *usage_hint, *base_model, *network, *clip_skip;
    const char *tags; /* JSON: how often which words were trained (ss_tag_frequency) */
} SlAdapterFacts;
void sl_adapter_facts(const SlAdapter *adapter, SlAdapterFacts *facts);
/* The words that were trained most, most often first, ", " between them. */
void sl_adapter_words(const SlAdapter *adapter, int most, char *out, size_t size);

/* What other programs know a file by. */
typedef struct SlAdapterHashes {
    char sha256[65];  /* of the whole file; its first 10 digits are "AutoV2" */
    char tensors[65]; /* of all behind the header; its first 12 digits are "AutoV3" */
    char stated[65];  /* what the file says of itself (sshs_model_hash); "": nothing */
    char old[9];      /* of 64 KiB in the middle, as the first programs had it; "": too short */
} SlAdapterHashes;
/* Any thread; *cancel (may be NULL) is polled. */
bool sl_adapter_hash(const char *path, SlAdapterHashes *hashes, const int *cancel, SlError *err);
/* Whether a hash of 8 to 64 digits is one of a file's. */
bool sl_adapter_has_hash(const SlAdapterHashes *hashes, const char *hash);

/* ---- a file and a part of a model ---- */

typedef enum SlAdapterPart { SL_ADAPTER_UNET, SL_ADAPTER_TEXT, SL_ADAPTER_TEXT_2 } SlAdapterPart;

/* The weights of a part, under all names that adapters have for them. */
typedef struct SlAdapterTargets SlAdapterTargets;
/* NULL and *err without memory. Nothing is borrowed. */
SlAdapterTargets *sl_adapter_targets_new(SlAdapterPart part, const SlWeightSource *weights,
                                         SlError *err);
void sl_adapter_targets_free(SlAdapterTargets *targets); /* NULL is fine */

/* Which weights of a part a file changes. */
typedef struct SlAdapterMatch SlAdapterMatch;
/* Checks every shape: NULL and *err, which names the first tensor that does not fit. A match with
 * nothing in it is no error here: the file may change other parts. */
SlAdapterMatch *sl_adapter_match(const SlAdapter *adapter, const SlAdapterTargets *targets,
                                 SlError *err);
void sl_adapter_match_free(SlAdapterMatch *match);   /* NULL is fine */
int sl_adapter_matched(const SlAdapterMatch *match); /* modules of the file */
/* The file's modules that are in none of the matches; the first one's name. */
int sl_adapter_unmatched(const SlAdapter *adapter, const SlAdapterMatch *const *matches, int count,
                         const char **first);
/* Whether the weight of this diffusers name ("conv_in.weight") changes. */
bool sl_adapter_touches(const SlAdapterMatch *match, const char *name);

/* A weight in f32 on the host, in the file's order, to be changed. */
typedef struct SlAdapterChange {
    const char *name;
    double strength;
    const SlTensor *values;
} SlAdapterChange;
/* Adds the file's change, by all threads of the device; does nothing where it has none. */
bool sl_adapter_apply(const SlAdapter *adapter, const SlAdapterMatch *match, SlDevice *dev,
                      const SlAdapterChange *change, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
