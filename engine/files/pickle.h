/* pickle.h - what a pickle of torch.save says, read without being run.
 *
 * A pickle is a program for a small stack machine that may import and call anything. Here only the
 * instructions that torch.save writes (protocol 2) are understood, and of what they import only the names
 * that stand for tensors and their containers: these are not called but put down as what they stand for.
 * Everything else is refused with its opcode and where it stands. Nothing grows beyond what the bytes of
 * the pickle can say, and nothing is recursive. */
#ifndef SL_ENGINE_PICKLE_H
#define SL_ENGINE_PICKLE_H

#include "kernels/kernels.h"

/* The largest pickle that is looked at; the one of an embedding has a thousandth. */
#define SL_PICKLE_MAX_BYTES ((size_t)1 << 20)
#define SL_PICKLE_MAX_RANK  8

typedef enum SlPickleKind {
    SL_PICKLE_NONE,
    SL_PICKLE_BOOL,
    SL_PICKLE_INT,
    SL_PICKLE_BIG, /* a whole number of more than 64 bits; its bytes, little endian, are the text */
    SL_PICKLE_REAL,
    SL_PICKLE_TEXT,
    SL_PICKLE_TUPLE,
    SL_PICKLE_LIST,
    SL_PICKLE_DICT, /* items: key, value, key, value, ... */
    SL_PICKLE_NAME, /* something imported */
    SL_PICKLE_STORAGE,
    SL_PICKLE_TENSOR,
} SlPickleKind;

typedef struct SlPickleValue SlPickleValue;

/* The numbers of a tensor or of several. */
typedef struct SlPickleStorage {
    const char *type; /* "FloatStorage" */
    const char *key;
    int64_t elements;
} SlPickleStorage;

typedef struct SlPickleTensor {
    const SlPickleValue *storage;
    int64_t offset; /* elements */
    int rank;
    int64_t size[SL_PICKLE_MAX_RANK], stride[SL_PICKLE_MAX_RANK]; /* elements */
} SlPickleTensor;

struct SlPickleValue {
    SlPickleKind kind;
    int64_t whole;    /* of INT and BOOL; of NAME which one (pickle.c) */
    double real;      /* of REAL */
    const char *text; /* of TEXT and BIG; a 0 behind it */
    size_t length;
    SlPickleValue **item; /* of TUPLE, LIST, DICT */
    size_t count, room;
    bool parameters; /* DICT: it is a ParameterDict, whose state is to come */
    SlPickleStorage storage;
    SlPickleTensor tensor;
    SlPickleValue *next; /* in the order in which they were made, last first */
};

typedef struct SlPickle {
    const SlPickleValue *root;
    SlPickleValue *values; /* all, for freeing; also those that nothing leads to */
    size_t used;           /* bytes of the pickle, to the end of its STOP */
} SlPickle;

typedef struct SlPickleBytes {
    const char *path; /* for messages */
    uint64_t at;      /* where in that file the bytes stand */
    const unsigned char *data;
    size_t length; /* at most SL_PICKLE_MAX_BYTES; more than the pickle may be there */
} SlPickleBytes;

/* False and *err, which names file, opcode and offset. sl_pickle_free in any case. */
bool sl_pickle_read(const SlPickleBytes *bytes, SlPickle *out, SlError *err);
void sl_pickle_free(SlPickle *pickle);

/* The value of a text key; NULL where the value is no dict or has none. */
const SlPickleValue *sl_pickle_member(const SlPickleValue *dict, const char *key);

#endif
