/* adapter_private.h - the insides of an adapter, for the files of this room. */
#ifndef SL_ENGINE_ADAPTER_PRIVATE_H
#define SL_ENGINE_ADAPTER_PRIVATE_H

#include "engine/adapters/adapters.h"

/* What a tensor is in its module: the letters of the formulas in adapter_merge.c. */
typedef enum SlAdapterRole {
    SL_ROLE_DOWN, /* lora_down [r, in, k, k] */
    SL_ROLE_UP,   /* lora_up [out, r] */
    SL_ROLE_MID,  /* lora_mid [r, r, k, k]: down is 1x1 then */
    SL_ROLE_UP_BIAS,
    SL_ROLE_HADA_W1_A,
    SL_ROLE_HADA_W1_B,
    SL_ROLE_HADA_T1,
    SL_ROLE_HADA_W2_A,
    SL_ROLE_HADA_W2_B,
    SL_ROLE_HADA_T2,
    SL_ROLE_LOKR_W1,
    SL_ROLE_LOKR_W1_A,
    SL_ROLE_LOKR_W1_B,
    SL_ROLE_LOKR_W2,
    SL_ROLE_LOKR_W2_A,
    SL_ROLE_LOKR_W2_B,
    SL_ROLE_LOKR_T2,
    SL_ROLE_DIFF,      /* of the weight, as it is */
    SL_ROLE_DIFF_BIAS, /* of the bias */
    SL_ROLE_SET,       /* another weight instead */
    SL_ROLE_ALPHA,
    SL_ROLE_SCALE,     /* instead of alpha / r */
    SL_ROLE_DORA,      /* the axis by its shape */
    SL_ROLE_MAGNITUDE, /* the same, of each output */
    SL_ROLES
} SlAdapterRole;

typedef enum SlModuleKind {
    SL_MODULE_NONE, /* no change of the weight: of its bias only */
    SL_MODULE_LORA,
    SL_MODULE_LOHA,
    SL_MODULE_LOKR,
    SL_MODULE_DIFF,
    SL_MODULE_SET,
} SlModuleKind;

typedef struct SlAdapterModule {
    char *key; /* the names of its tensors, without what says the role */
    SlModuleKind kind;
    const SlTensorInfo *tensor[SL_ROLES];
    float alpha; /* NAN: the file has none */
    float scale; /* of the product: alpha / r, or what the file says instead */
} SlAdapterModule;

struct SlAdapter {
    SlWeightSource *file;
    char *path;
    SlAdapterModule *module;
    size_t count;
    int embeddings; /* names of bundle_emb */
    SlNameTable *keys;
};

/* Splits a tensor's name: the role, and how many of its first bytes are the module's. False: it
 * is no adapter's. */
bool sl_adapter_role(const char *name, SlAdapterRole *role, size_t *length);
/* Why a tensor is of a kind that is not supported: its name for people; NULL: it is not. */
const char *sl_adapter_refused_kind(const SlTensorInfo *info);

/* Axes behind the first as one; 0 for no axes. */
int64_t sl_adapter_columns(const SlTensorInfo *info);
/* The rank r of a module; 0: it has none. */
int64_t sl_adapter_rank(const SlAdapterModule *module);
/* Whether the module's tensors change a weight of this many rows and columns (the axes behind the
 * first as one), window: columns of one input channel. */
bool sl_module_fits(const SlAdapter *adapter, const SlAdapterModule *module, int64_t rows,
                    int64_t columns, int64_t window, SlError *err);
bool sl_module_fits_bias(const SlAdapter *adapter, const SlAdapterModule *module, int64_t rows,
                         SlError *err);

/* Adds the module's change of its weight or of its bias. */
bool sl_module_apply(const SlAdapter *adapter, const SlAdapterModule *module, bool bias,
                     SlDevice *dev, const SlAdapterChange *change, SlError *err);
/* The family that a file is for, by what it says and by its shapes; NULL: not known. */
const char *sl_adapter_base(const SlAdapter *adapter);

/* Which part a module's name says: a set of bits (1 << SlAdapterPart), and the rest of the name. */
unsigned sl_adapter_part_of(const char *key, const char **rest);

#endif
