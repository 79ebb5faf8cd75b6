/* embedding.h - textual inversions (embeddings): words that a file teaches a text encoder.
 *
 * A file holds vectors that take the place of a word's rows behind the token lookup, as many as it was
 * trained with. Layouts: AUTOMATIC1111's .pt and .safetensors (emb_params), diffusers' (the word itself
 * is the tensor's name), Stable Diffusion XL's with rows for both encoders (clip_l, clip_g), a tensor
 * alone, and those inside LoRA files (bundle_emb). Mirrors diffusers loaders/textual_inversion.py,
 * A1111's modules/textual_inversion and extensions-builtin/Lora/networks.py, ComfyUI's comfy/sd1_clip.py.
 */
#ifndef SL_ENGINE_EMBEDDING_H
#define SL_ENGINE_EMBEDDING_H

#include "engine/files/files.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- which are used, as text ---- */

#define SL_EMBEDDINGS_MAX 32 /* of a recipe */

/* "FILE#HASH:WORD": all but the file may be left out. */
typedef struct SlEmbeddingUse {
    char name[1024]; /* of the file, without folder and ending; or a path */
    char hash[65];   /* the beginning of its SHA-256, 8 to 64 digits; "": none was said */
    char word[256];  /* that stands for it in prompts; "": its own */
} SlEmbeddingUse;

typedef struct SlEmbeddingUses {
    int count;
    SlEmbeddingUse *use; /* malloc'ed, room for SL_EMBEDDINGS_MAX */
} SlEmbeddingUses;

/* "cat#0123456789:<cat>; style", "" for none. Free in any case. */
bool sl_embedding_uses_parse(const char *text, SlEmbeddingUses *uses, SlError *err);
void sl_embedding_uses_free(SlEmbeddingUses *uses);
/* The text of it, malloc'ed; NULL without memory. */
char *sl_embedding_uses_text(const SlEmbeddingUses *uses);
/* Whether a text is one, for validators. */
bool sl_embedding_uses_check(const char *text, SlError *err);
/* Whether hexadecimal digits are the beginning of a file's SHA-256. */
bool sl_embedding_has_hash(const char sha256[65], const char *hash);

/* ---- a file ---- */

#define SL_EMBEDDING_MAX_VECTORS 75 /* that find room in a text */

typedef struct SlEmbeddingFile SlEmbeddingFile;

/* One embedding of a file. Texts are the file's. */
typedef struct SlEmbedding {
    const char *word; /* as the file has it: "<cat>", the name that it was trained under; NULL */
    int vectors;
    int width[2]; /* numbers of a vector for the first and the second text encoder; 0: none */
    bool bundled; /* comes with a LoRA */
    bool named;   /* word is the tensor's own name: several can be in a file */
    const SlTensorInfo *tensor[2];
} SlEmbedding;

/* safetensors, or a file of torch.save, whose pickle is read without being run. NULL and *err, which says
 * what the file is instead. */
SlEmbeddingFile *sl_embedding_open(const char *path, SlError *err);
void sl_embedding_close(SlEmbeddingFile *file); /* NULL is fine */
const char *sl_embedding_path(const SlEmbeddingFile *file);
int sl_embedding_count(const SlEmbeddingFile *file); /* at least 1 */
const SlEmbedding *sl_embedding_get(const SlEmbeddingFile *file, int i);
/* The vectors for encoder 0 or 1, [vectors, width]. */
bool sl_embedding_read(const SlEmbeddingFile *file, const SlEmbedding *of, int encoder, float *out,
                       SlError *err);
/* Whether a file is one of embeddings and nothing else, for whoever asks what a file is. *err only without
 * memory. */
bool sl_embedding_recognise(const char *path, SlError *err);

/* What a file says about its training. Borrowed; NULL where it says nothing. */
typedef struct SlEmbeddingFacts {
    const char *layout; /* "AUTOMATIC1111", "diffusers", ... */
    const char *base;   /* the family that it is for, by its width; NULL: not known */
    bool pickled;
    const char *name, *step, *checkpoint;
} SlEmbeddingFacts;
void sl_embedding_facts(const SlEmbeddingFile *file, SlEmbeddingFacts *facts);

#ifdef __cplusplus
}
#endif

#endif
