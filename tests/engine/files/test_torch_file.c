/* test_torch_file.c - files of torch.save: both forms against what was saved
 * (tests/goldens/embeddings/make.py), and every way in which a pickle or an archive can lie, or want more
 * than to hold tensors. */
#include "engine/files/files.h"
#include "tests/engine/files/util.h"
#include "tests/engine/run/golden.h"

#include <stdlib.h>

/* ---- good files ---- */

static SlWeightSource *open_golden(const char *name, SlError *err)
{
    char relative[200];
    snprintf(relative, sizeof relative, "goldens/embeddings/%s", name);
    char *path = sl_test_path(relative);
    SlWeightSource *w = sl_torch_file_is(path) ? sl_torch_file_open(path, err) : NULL;
    free(path);
    return w;
}

typedef struct Good {
    const char *file, *tensor, *dtype;
    const char *golden; /* in vectors.safetensors */
    int first, rank;    /* of its rows */
    double most;        /* difference */
    const char *name;   /* metadata */
} Good;

static const Good good[] = {
    {"sd1.pt", "string_to_param.*", "F32", "sd1", 0, 2, 0, "<cat>"},
    {"sd1_old.pt", "string_to_param.*", "F32", "sd1", 0, 2, 0, "<cat>"},
    {"sd1_row.bin", "<cat>", "F32", "sd1", 2, 1, 0, NULL},
    {"sd2.bin", "<dog>", "F16", "sd2", 0, 1, 0, NULL},
    {"alone.pt", "", "BF16", "sd2", 0, 1, 1e-2, NULL},
};

static void test_good(const Golden *golden, const Good *g)
{
    SlError err = {0};
    size_t n = 0;
    SlWeightSource *w = open_golden(g->file, &err);
    const SlTensorInfo *info = w ? sl_weights_find(w, g->tensor) : NULL;
    float *expected = golden_read(golden, g->golden, &n);
    if (!sl_test(info && expected && sl_weights_count(w) == 1, "%s opens: %s", g->file,
                 err.message))
        return;
    size_t count = g->rank == 2 ? n : (size_t)info->size[0];
    float *values = calloc(n, sizeof *values);
    bool ok = !strcmp(info->dtype_name, g->dtype) && info->rank == g->rank &&
              sl_weights_read_f32(w, info, values, &err);
    double worst = ok ? golden_worst(values, expected + (size_t)g->first * count, count) : INFINITY;
    sl_test(worst <= g->most, "%s: its vectors, off by %g %s", g->file, worst, err.message);
    const char *name = sl_weights_metadata(w, "name"), *step = sl_weights_metadata(w, "step");
    sl_test(g->name ? name && step && !strcmp(name, g->name) && !strcmp(step, "499") : !name,
            "%s: what it says of itself", g->file);
    free(values);
    free(expected);
    sl_weights_close(w);
}

/* ---- pickles by hand, in the old form ---- */

typedef struct File {
    unsigned char *bytes;
    size_t size, room;
} File;

static void put(File *f, const void *data, size_t bytes)
{
    if (f->size + bytes > f->room) {
        f->room = 2 * (f->size + bytes);
        f->bytes = realloc(f->bytes, f->room);
    }
    if (!f->bytes)
        abort();
    memcpy(f->bytes + f->size, data, bytes);
    f->size += bytes;
}

#define HEAD                                        \
    "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19." \
    "\x80\x02M\xe9\x03."                            \
    "\x80\x02}."

/* A pickle in place of what was saved, then a list of storages. */
static const char *write_old(const void *pickle, size_t bytes, const void *behind,
                             size_t behind_bytes)
{
    File f = {0};
    const char *path = test_file("hand.pt");
    put(&f, HEAD, sizeof HEAD - 1);
    put(&f, pickle, bytes);
    put(&f, behind, behind_bytes);
    test_write(path, f.bytes, f.size);
    free(f.bytes);
    return path;
}

static void refuse(const char *id, const char *path, SlCode code, const char *says,
                   const char *says_too)
{
    SlError err = {0};
    SlWeightSource *w = sl_torch_file_open(path, &err);
    const char *slash = strrchr(path, '/');
    test_refused(id, !w, &err, code, (const char *const[]){says, slash + 1, says_too, NULL});
    sl_weights_close(w);
}

#define BYTES(text) text, sizeof(text) - 1
#define STORAGE(elements)                                \
    "(X\x07\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" \
    "0X\3\0\0\0cpuK" elements "tQ"
#define TENSOR(offset, size, stride)                                                   \
    "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE("\4") "K" offset size stride "\x89" \
                                                         "ccollections\nOrderedDict\n)RtR"
#define WHOLE(offset, size, stride) "\x80\2}X\1\0\0\0a" TENSOR(offset, size, stride) "s."
#define KEYS           \
    "\x80\2]X\1\0\0\0" \
    "0a."
#define FOUR           \
    "\4\0\0\0\0\0\0\0" \
    "\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40"

static void test_by_hand(void)
{
    SlError err = {0};
    float values[2] = {0};
    const char *path = write_old(BYTES(WHOLE("\2", "K\2\x85", "K\1\x85")), BYTES(KEYS FOUR));
    SlWeightSource *w = sl_torch_file_open(path, &err);
    sl_test(w && sl_weights_read_f32(w, sl_weights_info(w, 0), values, &err) && values[0] == 3 &&
                values[1] == 4,
            "a pickle by hand is read: %g %g %s", values[0], values[1], err.message);
    sl_weights_close(w);
}

/* Programs that would do something; none of it is done. */
static void test_programs(void)
{
    static const struct {
        const char *id, *pickle;
        size_t bytes;
        const char *says;
    } cases[] = {
        {"a call of os.system", BYTES("\x80\2cos\nsystem\nX\4\0\0\0true\x85R."),
         "GLOBAL at byte 27 imports \"os.system\""},
        {"posix.system", BYTES("\x80\2cposix\nsystem\n."), "imports \"posix.system\""},
        {"eval", BYTES("\x80\2c__builtin__\neval\n."), "imports \"__builtin__.eval\""},
        {"INST", BYTES("\x80\2(X\4\0\0\0trueios\nsystem\n."), "INST"},
        {"OBJ", BYTES("\x80\2(ccollections\nOrderedDict\no."), "OBJ"},
        {"STACK_GLOBAL", BYTES("\x80\2X\2\0\0\0osX\6\0\0\0system\x93."), "STACK_GLOBAL"},
        {"NEWOBJ_EX", BYTES("\x80\2ccollections\nOrderedDict\n)}\x92."), "NEWOBJ_EX"},
        {"EXT1", BYTES("\x80\2\x82\1."), "EXT1"},
        {"an opcode of nobody", BYTES("\x80\2\xff."), "0xFF at byte 27"},
        {"another protocol", BYTES("\x80\4N."), "PROTO"},
        {"an object that is no ParameterDict", BYTES("\x80\2ccollections\nOrderedDict\n)\x81."),
         "NEWOBJ"},
        {"an OrderedDict of arguments", BYTES("\x80\2ccollections\nOrderedDict\nN\x85R."),
         "REDUCE"},
        {"a storage that is called", BYTES("\x80\2ctorch\nFloatStorage\n)R."), "REDUCE"},
        {"a persistent id that is no storage", BYTES("\x80\2X\1\0\0\0aQ."), "BINPERSID"},
        {"a state of a list", BYTES("\x80\2]}b."), "BUILD"},
        {"a name of control characters", BYTES("\x80\2cos\x1b[31m\nsystem\n."), "os\\x1B[31m"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(cases[i].id, write_old(cases[i].pickle, cases[i].bytes, "", 0), SL_UNSUPPORTED,
               cases[i].says, "none of it run");
}

static void test_damaged(void)
{
    static const struct {
        const char *id, *pickle;
        size_t bytes;
        const char *says;
    } cases[] = {
        {"nothing", BYTES(""), "STOP"},
        {"an empty stack", BYTES("\x80\2."), "STOP"},
        {"two values", BYTES("\x80\2NN."), "STOP"},
        {"a mark that stays", BYTES("\x80\2N(."), "STOP"},
        {"a value below a mark", BYTES("\x80\2}X\1\0\0\0a(s."), "SETITEM"},
        {"a tuple without a mark", BYTES("\x80\2Nt."), "TUPLE"},
        {"three of two", BYTES("\x80\2NN\x87."), "TUPLE3"},
        {"a memo place that is empty", BYTES("\x80\2h\7."), "BINGET"},
        {"a memo place of four billions", BYTES("\x80\2Nr\xff\xff\xff\xff."), "LONG_BINPUT"},
        {"a memo far off", BYTES("\x80\2j\xff\xff\xff\x7f."), "LONG_BINGET"},
        {"a text of four billion bytes",
         BYTES("\x80\2X\xff\xff\xff\xff"
               "a."),
         "BINUNICODE"},
        {"a text that is no UTF-8", BYTES("\x80\2X\1\0\0\0\xff."), "BINUNICODE"},
        {"a number of 200 bytes",
         BYTES("\x80\2\x8a\xc8"
               "1."),
         "LONG1"},
        {"a key without a value", BYTES("\x80\2}(Nu."), "SETITEMS"},
        {"an item of a tuple", BYTES("\x80\2)Na."), "APPEND"},
        {"an import without an end", BYTES("\x80\2ccollections\nOrderedDict"), "GLOBAL"},
        {"a tensor without a storage", BYTES("\x80\2ctorch._utils\n_rebuild_tensor_v2\n)R."),
         "REDUCE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(cases[i].id, write_old(cases[i].pickle, cases[i].bytes, "", 0), SL_FORMAT,
               cases[i].says, "hand.pt");
}

static void test_layouts(void)
{
    static const struct {
        const char *id, *pickle;
        size_t bytes;
        const char *says;
    } cases[] = {
        {"more than its storage", BYTES(WHOLE("\2", "K\3\x85", "K\1\x85")), "more elements"},
        {"an offset behind it", BYTES(WHOLE("\5", "K\1\x85", "K\1\x85")), "more elements"},
        {"every second element", BYTES(WHOLE("\0", "K\2\x85", "K\2\x85")), "one behind the other"},
        {"no elements", BYTES(WHOLE("\0", "K\0\x85", "K\1\x85")), "no elements"},
        {"more axes than strides", BYTES(WHOLE("\0", "K\2K\2\x86", "K\1\x85")), "REDUCE"},
        {"a product past 64 bits",
         BYTES(WHOLE("\0",
                     "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x3f\x8a\x08\xff\xff\xff\xff\xff\xff\xff"
                     "\x3f\x86",
                     "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x3fK\1\x86")),
         "larger than any file"},
        {"a size below zero", BYTES(WHOLE("\0", "J\xff\xff\xff\xff\x85", "K\1\x85")), "REDUCE"},
        {"the same key twice",
         BYTES("\x80\2}(X\1\0\0\0a" TENSOR("\0", "K\1\x85", "K\1\x85") "X\1\0\0\0a" TENSOR(
             "\0", "K\1\x85", "K\1\x85") "u."),
         "twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(cases[i].id, write_old(cases[i].pickle, cases[i].bytes, BYTES(KEYS FOUR)), SL_FORMAT,
               cases[i].says, "hand.pt");
    refuse("no tensor", write_old(BYTES("\x80\2}X\1\0\0\0aNs."), BYTES("\x80\2].")), SL_FORMAT,
           "no tensors", "hand.pt");
    refuse("a list", write_old(BYTES("\x80\2]."), BYTES("\x80\2].")), SL_FORMAT,
           "neither a tensor nor a dict", "hand.pt");
    static const char whole[] = WHOLE("\0", "K\2\x85", "K\1\x85");
    refuse("another number of elements", write_old(BYTES(whole), BYTES(KEYS "\5" FOUR)), SL_FORMAT,
           "storage 1 is not what its pickle says", "hand.pt");
    refuse("a storage that is cut off", write_old(BYTES(whole), KEYS FOUR, sizeof(KEYS FOUR) - 2),
           SL_FORMAT, "cut off", "hand.pt");
    refuse("no storages", write_old(BYTES(whole), BYTES("\x80\2].")), SL_FORMAT, "not in the file",
           "hand.pt");
    refuse("storages of a dict", write_old(BYTES(whole), BYTES("\x80\2}.")), SL_FORMAT,
           "list of its storages", "hand.pt");
}

/* What costs more than it says: it is refused, and soon. */
static void test_bombs(void)
{
    File f = {0};
    put(&f, BYTES("\x80\2]q\0"));
    for (int i = 0; i < 60000; i++) /* lists in lists in lists */
        put(&f, BYTES("]"));
    for (int i = 0; i < 60000; i++)
        put(&f, BYTES("a"));
    put(&f, BYTES("h\0a."));
    refuse("a list in itself, 60000 deep", write_old(f.bytes, f.size, BYTES("\x80\2].")), SL_FORMAT,
           "neither", "hand.pt");
    f.size = 0;
    put(&f, BYTES("\x80\2}q\0("));
    for (int i = 0; i < 2000; i++) /* a dict that stands in itself */
        put(&f, BYTES("X\1\0\0\0ah\0"));
    put(&f, BYTES("u."));
    refuse("a dict that is all its members", write_old(f.bytes, f.size, BYTES("\x80\2].")),
           SL_FORMAT, "more than it holds", "hand.pt");
    f.size = 0;
    put(&f, BYTES("\x80\2}X\x0b\0\0\0_parameters}("));
    for (int i = 0; i < 20000; i++)
        put(&f, BYTES("NN"));
    put(&f, BYTES("usq\0"
                  "ctorch.nn.modules.container\nParameterDict\nq\1"));
    for (int i = 0; i < 20000; i++) /* each takes the 20000 over */
        put(&f, BYTES("h\1)\x81h\0b"));
    put(&f, BYTES("."));
    refuse("a state copied without end", write_old(f.bytes, f.size, "", 0), SL_FORMAT, "BUILD",
           "hand.pt");
    f.size = 0;
    for (size_t i = 0; i < ((size_t)1 << 20); i += 8)
        put(&f, BYTES("(((((((("));
    refuse("marks past the end of what is read", write_old(f.bytes, f.size, "", 0), SL_FORMAT,
           "cut off", "hand.pt");
    free(f.bytes);
}

/* ---- archives ---- */

static unsigned char *find(unsigned char *bytes, size_t size, const char *what, size_t length)
{
    for (size_t i = 0; i + length <= size; i++)
        if (!memcmp(bytes + i, what, length))
            return bytes + i;
    abort();
}

/* One byte of the n-th record with this mark. */
static void test_archive(const char *id, const char *mark, int at, int value, const char *says)
{
    size_t size;
    char *path = sl_test_path("goldens/embeddings/sd1.pt");
    unsigned char *bytes = test_read(path, &size);
    find(bytes, size, mark, 4)[at] = (unsigned char)value;
    test_write(test_file("archive.pt"), bytes, size);
    refuse(id, test_file("archive.pt"), SL_FORMAT, says, "archive.pt");
    free(bytes);
    free(path);
}

static void test_archives(void)
{
    test_archive("a compressed file", "PK\1\2", 10, 8, "compressed");
    test_archive("a file that is larger than it is stored", "PK\1\2", 26, 1, "compressed");
    test_archive("an encrypted file", "PK\1\2", 8, 1, "encrypted");
    test_archive("a file behind the end", "PK\1\2", 44, 1, "outside it");
    test_archive("a header that is none", "PK\3\4", 0, 'X', "did not make this file");
    test_archive("a name of 60000 bytes", "PK\1\2", 29, 0xea, "damaged directory");
    test_archive("a directory elsewhere", "PK\5\6", 16, 1, "damaged directory");
    test_archive("more files than there are", "PK\5\6", 10, 200, "damaged directory");
    test_archive("60000 files", "PK\5\6", 11, 0xea, "too many");
    test_archive("no end", "PK\5\6", 0, 'X', "no directory at its end");
}

/* Cut off anywhere: refused with a sentence, or whole. */
static void test_cut(const char *name)
{
    size_t size, bad = 0;
    char relative[100];
    snprintf(relative, sizeof relative, "goldens/embeddings/%s", name);
    char *path = sl_test_path(relative);
    unsigned char *bytes = test_read(path, &size);
    const char *cut = test_file("cut.pt");
    for (size_t n = 16; n < size; n += n < 700 ? 1 : 13) {
        SlError err = {0};
        test_write(cut, bytes, n);
        SlWeightSource *w = sl_torch_file_open(cut, &err);
        bad += w || !strstr(err.message, "cut.pt");
        sl_weights_close(w);
    }
    sl_test(bad == 0, "%s, cut off anywhere, is refused by name", name);
    free(bytes);
    free(path);
}

int main(void)
{
    Golden golden = golden_open("goldens/embeddings/vectors.safetensors");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        test_good(&golden, &good[i]);
    golden_close(&golden);
    test_by_hand();
    test_programs();
    test_damaged();
    test_layouts();
    test_bombs();
    test_archives();
    test_cut("sd1.pt");
    test_cut("sd2.bin");
    return sl_test_done();
}
