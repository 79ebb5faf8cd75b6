/* test_safetensors.c - damaged and hostile safetensors files, each refused with the right sentence,
 * and odd but valid ones read. */
#include "tests/engine/files/util.h"

#include "engine/files/safetensors.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A header (as text) and how many bytes of data follow it. */
typedef struct Case {
    const char *id, *header;
    size_t data;
    const char *says; /* NULL: the file is valid */
} Case;

#define ENTRY(dtype, shape, offsets) \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define ONE(dtype, shape, offsets) "{\"t\":" ENTRY(dtype, shape, offsets) "}"
#define TWO(a, b)                  "{\"a\":" a ",\"b\":" b "}"
#define F32_4                      ENTRY("F32", "[1]", "[0,4]")

static const Case cases[] = {
    /* the text */
    {"no tensors", "{}", 0, "no tensors"},
    {"only metadata", "{\"__metadata__\":{\"format\":\"pt\"}}", 0, "no tensors"},
    {"leading spaces", "   \n\t\r " ONE("F32", "[1]", "[0,4]"), 4, NULL},
    {"trailing spaces", ONE("F32", "[1]", "[0,4]") "   \n  ", 4, NULL},
    {"BOM", "\xef\xbb\xbf" ONE("F32", "[1]", "[0,4]"), 4, "expected '{'"},
    {"invalid UTF-8 in a name", "{\"t\xff\":" F32_4 "}", 4, "not valid UTF-8"},
    {"cut character", "{\"t\xc3\":" F32_4 "}", 4, "not valid UTF-8"},
    {"overlong slash", "{\"t\xc0\xaf\":" F32_4 "}", 4, "not valid UTF-8"},
    {"overlong of three", "{\"t\xe0\x80\xaf\":" F32_4 "}", 4, "not valid UTF-8"},
    {"surrogate as bytes", "{\"t\xed\xa0\x80\":" F32_4 "}", 4, "not valid UTF-8"},
    {"above U+10FFFF", "{\"t\xf4\x90\x80\x80\":" F32_4 "}", 4, "not valid UTF-8"},
    {"lone high surrogate", "{\"\\ud800\":" F32_4 "}", 4, "valid escape"},
    {"lone low surrogate", "{\"\\udc00\":" F32_4 "}", 4, "valid escape"},
    {"surrogates in the wrong order", "{\"\\udc00\\ud800\":" F32_4 "}", 4, "valid escape"},
    {"two high surrogates", "{\"\\ud800\\ud800\":" F32_4 "}", 4, "valid escape"},
    {"a pair of surrogates", "{\"\\ud83d\\ude00\":" F32_4 "}", 4, NULL},
    {"a list as root", "[1,2,3]   ", 0, "expected '{'"},
    {"a text as root", "\"x\"        ", 0, "expected '{'"},
    {"a number as root", "1      ", 0, "expected '{'"},
    {"null as root", "null    ", 0, "expected '{'"},
    {"not closed", "{\"t\":" F32_4, 4, "'}' was expected"},
    {"closed twice", ONE("F32", "[1]", "[0,4]") "}", 4, "nothing but spaces"},
    {"text after the end", ONE("F32", "[1]", "[0,4]") "x", 4, "nothing but spaces"},
    {"trailing comma", "{\"t\":" F32_4 ",}", 4, "a tensor's name"},
    {"leading comma", "{,\"t\":" F32_4 "}", 4, "a tensor's name"},
    {"no comma", "{\"a\":" F32_4 "\"b\":" F32_4 "}", 8, "expected '}'"},
    {"no colon", "{\"t\"" F32_4 "}", 4, "expected ':'"},
    {"a comment", "{/**/\"t\":" F32_4 "}", 4, "a tensor's name"},
    {"single quotes", "{'t':" F32_4 "}", 4, "a tensor's name"},
    {"a bare name", "{t:" F32_4 "}", 4, "a tensor's name"},
    {"a name that does not end", "{\"t:" F32_4, 4, "expected"},
    {"a bad escape", "{\"\\x\":" F32_4 "}", 4, "valid escape"},
    {"a bad \\u", "{\"\\u12g4\":" F32_4 "}", 4, "valid escape"},
    {"a short \\u", "{\"\\u12\":" F32_4 "}", 4, "valid escape"},
    {"\\u0000 in a name", "{\"a\\u0000b\":" F32_4 "}", 4, NULL},
    {"a control character in a name", "{\"a\nb\":" F32_4 "}", 4, "the end of a name"},
    /* an entry's members */
    {"entry is null", "{\"t\":null}", 0, "\"t\" is not described by an object"},
    {"entry is a list", "{\"t\":[]}", 0, "\"t\" is not described by an object"},
    {"entry is a text", "{\"t\":\"F32\"}", 0, "\"t\" is not described by an object"},
    {"entry is empty", "{\"t\":{}}", 0, "a member's name"},
    {"no dtype", "{\"t\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"t\" has no dtype"},
    {"unknown dtype", ONE("Q5", "[1]", "[0,4]"), 4, "\"t\" has the unknown dtype \"Q5\""},
    {"lower case", ONE("f32", "[1]", "[0,4]"), 4, "\"t\" has the unknown dtype \"f32\""},
    {"torch's name", ONE("torch.float32", "[1]", "[0,4]"), 4, "unknown dtype \"torch.float32\""},
    {"empty dtype", ONE("", "[1]", "[0,4]"), 4, "unknown dtype \"\""},
    {"a number", "{\"t\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "\"t\" has a dtype that is not a text"},
    {"null", "{\"t\":{\"dtype\":null,\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "\"t\" has a dtype that is not a text"},
    {"no shape", "{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "\"t\" has no shape"},
    {"shape is a number", ONE("F32", "1", "[0,4]"), 4, "\"t\" has a shape that is not a list"},
    {"shape is a text", ONE("F32", "\"1\"", "[0,4]"), 4, "\"t\" has a shape that is not a list"},
    {"shape is null", ONE("F32", "null", "[0,4]"), 4, "\"t\" has a shape that is not a list"},
    {"shape is an object", ONE("F32", "{}", "[0,4]"), 4, "\"t\" has a shape that is not a list"},
    {"nested shape", ONE("F32", "[[1]]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"negative", ONE("F32", "[-1]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"minus zero", ONE("F32", "[-0]", "[0,0]"), 0, "\"t\" has a size that is not"},
    {"a fraction", ONE("F32", "[1.0]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"an exponent", ONE("F32", "[1e0]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"1E3", ONE("F32", "[1E3]", "[0,4000]"), 4000, "\"t\" has a size that is not"},
    {"a leading zero", ONE("F32", "[01]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"a plus sign", ONE("F32", "[+1]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"hexadecimal", ONE("F32", "[0x1]", "[0,4]"), 4, "expected ']'"},
    {"a text in it", ONE("F32", "[\"1\"]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"null in it", ONE("F32", "[null]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"true in it", ONE("F32", "[true]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"NaN in it", ONE("F32", "[NaN]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"trailing comma", ONE("F32", "[1,]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"only a comma", ONE("F32", "[,]", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"not closed", ONE("F32", "[1", "[0,4]"), 4, "\"t\" has a size that is not"},
    {"2^63", ONE("U8", "[9223372036854775808]", "[0,0]"), 0, "\"t\" has a size that is not"},
    {"2^64 - 1", ONE("U8", "[18446744073709551615]", "[0,0]"), 0, "\"t\" has a size that"},
    {"2^64", ONE("U8", "[18446744073709551616]", "[0,0]"), 0, "\"t\" has a size that is not"},
    {"100 digits",
     ONE("U8",
         "[1000000000000000000000000000000000000000000000000000000000000000000000000000000000]",
         "[0,0]"),
     0, "\"t\" has a size that is not"},
    {"2^63 - 1", ONE("U8", "[9223372036854775807]", "[0,0]"), 0, "larger than any file"},
    {"2^32 x 2^32", ONE("F32", "[4294967296,4294967296]", "[0,0]"), 0, "larger than any file"},
    {"2^62 x 4", ONE("U8", "[4611686018427387904,4]", "[0,0]"), 0, "larger than any file"},
    {"product fits, bytes do not", ONE("F32", "[4611686018427387904]", "[0,0]"), 0,
     "larger than any file"},
    {"F64 x 2^60", ONE("F64", "[1152921504606846976]", "[0,0]"), 0, "larger than any file"},
    {"a zero behind a wrap", ONE("U8", "[4611686018427387904,4611686018427387904,0]", "[0,0]"), 0,
     "larger than any file"},
    {"eight large sizes", ONE("U8", "[65536,65536,65536,65536,65536,65536,65536,65536]", "[0,0]"),
     0, "larger than any file"},
    {"rank 0", ONE("F32", "[]", "[0,4]"), 4, NULL},
    {"rank 8", ONE("F32", "[1,1,1,1,1,1,1,1]", "[0,4]"), 4, NULL},
    {"rank 9", ONE("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, NULL},
    {"rank 9, another size", ONE("F32", "[1,1,1,1,1,1,1,2,3]", "[0,24]"), 24, NULL},
    {"rank 9, too large", ONE("F32", "[1,1,1,1,1,1,1,4611686018427387904,4]", "[0,4]"), 4,
     "larger than any file"},
    {"a zero without data", ONE("F32", "[3,0,2]", "[0,0]"), 0, NULL},
    {"a zero with data", ONE("F32", "[3,0,2]", "[0,4]"), 4, "\"t\" has 4 bytes of data"},
    {"no offsets", "{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "\"t\" has no data_offsets"},
    {"empty", ONE("F32", "[1]", "[]"), 4, "\"t\" has data_offsets that are not"},
    {"one", ONE("F32", "[1]", "[0]"), 4, "\"t\" has data_offsets that are not"},
    {"three", ONE("F32", "[1]", "[0,4,8]"), 4, "\"t\" has data_offsets that are not"},
    {"a number", ONE("F32", "[1]", "4"), 4, "\"t\" has data_offsets that are not"},
    {"null", ONE("F32", "[1]", "null"), 4, "\"t\" has data_offsets that are not"},
    {"fractions", ONE("F32", "[1]", "[0.0,4.0]"), 4, "\"t\" has data_offsets that are not"},
    {"an exponent", ONE("F32", "[1]", "[0,4e0]"), 4, "\"t\" has data_offsets that are not"},
    {"texts", ONE("F32", "[1]", "[\"0\",\"4\"]"), 4, "\"t\" has data_offsets that are not"},
    {"negative", ONE("F32", "[1]", "[-4,0]"), 4, "\"t\" has data_offsets that are not"},
    {"nested", ONE("F32", "[1]", "[[0,4]]"), 4, "\"t\" has data_offsets that are not"},
    {"2^64", ONE("F32", "[1]", "[0,18446744073709551616]"), 4,
     "\"t\" has data_offsets that are not"},
    {"begin after end", ONE("F32", "[1]", "[4,0]"), 4, "\"t\" begins at 4 and ends at 0"},
    {"begin at 2^64 - 1", ONE("F32", "[1]", "[18446744073709551615,3]"), 4,
     "\"t\" begins at 18446744073709551615"},
    {"both at 2^64 - 1", ONE("F32", "[0]", "[18446744073709551615,18446744073709551615]"), 4,
     "\"t\" ends at byte 18446744073709551615"},
    {"end past the file", ONE("F32", "[2]", "[0,8]"), 4, "\"t\" ends at byte 8 of the data"},
    {"far past the file", ONE("U8", "[9007199254740993]", "[0,9007199254740993]"), 4,
     "\"t\" ends at byte 9007199254740993"},
    {"range past the file", ONE("F32", "[1]", "[4,8]"), 4, "\"t\" ends at byte 8"},
    {"the first does not begin at 0", ONE("F32", "[1]", "[4,8]"), 8,
     "\"t\" begins at byte 4 of the data, expected 0: there is a hole"},
    {"a hole of one byte", TWO(F32_4, ENTRY("F32", "[1]", "[5,9]")), 9,
     "\"b\" begins at byte 5 of the data, expected 4: there is a hole"},
    {"overlap of one byte", TWO(F32_4, ENTRY("F32", "[1]", "[3,7]")), 7,
     "\"b\" begins at byte 3 of the data, expected 4: it overlaps"},
    {"one inside another", TWO(ENTRY("F32", "[4]", "[0,16]"), ENTRY("F32", "[1]", "[4,8]")), 16,
     "\"b\" begins at byte 4 of the data, expected 16: it overlaps"},
    {"identical ranges", TWO(F32_4, F32_4), 4, "begins at byte 0 of the data, expected 4"},
    {"an empty one shares an offset", TWO(F32_4, ENTRY("F32", "[0]", "[4,4]")), 4, NULL},
    {"an empty one at the beginning", TWO(F32_4, ENTRY("F32", "[0]", "[0,0]")), 4, NULL},
    {"an empty one inside another", TWO(ENTRY("F32", "[2]", "[0,8]"), ENTRY("U8", "[0]", "[4,4]")),
     8, "\"b\" begins at byte 4"},
    {"another order than in the data", TWO(ENTRY("F32", "[1]", "[4,8]"), F32_4), 8, NULL},
    {"too short for its shape", ONE("F32", "[2]", "[0,4]"), 4,
     "\"t\" has 4 bytes of data; its shape and dtype F32 need 8"},
    {"too long for its shape", ONE("F32", "[1]", "[0,8]"), 8,
     "\"t\" has 8 bytes of data; its shape and dtype F32 need 4"},
    {"dtype lies", ONE("F64", "[4]", "[0,16]"), 16,
     "\"t\" has 16 bytes of data; its shape and dtype F64 need 32"},
    {"odd offset", TWO(ENTRY("U8", "[1]", "[0,1]"), ENTRY("F32", "[1]", "[1,5]")), 5, NULL},
    {"an extra member",
     "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"scale\":1}}", 4, NULL},
    {"extra members of all kinds",
     "{\"t\":{\"x\":{\"y\":[1,-2.5e3,null,true,false,{},[]],\"z\":\"\"},\"dtype\":\"F32\","
     "\"shape\":[1],\"x\":2,\"data_offsets\":[0,4]}}",
     4, NULL},
    {"an extra member without a value",
     "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"scale\":}}", 4, "a value"},
    {"an extra member cut off",
     "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"scale\":[1,", 4,
     "ends where"},
    {"an extra member 70 deep",
     "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":"
     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1",
     4, "64 levels"},
    {"a name twice", "{\"t\":" F32_4 ",\"t\":" ENTRY("F32", "[1]", "[4,8]") "}", 8,
     "\"t\" stands there twice"},
    {"a name twice, another dtype", "{\"t\":" F32_4 ",\"t\":" ENTRY("U8", "[4]", "[4,8]") "}", 8,
     "\"t\" stands there twice"},
    {"a name twice, once escaped", "{\"t\":" F32_4 ",\"\\u0074\":" ENTRY("U8", "[4]", "[4,8]") "}",
     8, "\"t\" stands there twice"},
    {"shape twice",
     "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "\"t\" has the member \"shape\" twice"},
    {"dtype twice",
     "{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "\"t\" has the member \"dtype\" twice"},
    {"offsets twice",
     "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"data_offsets\":[0,4]}}", 4,
     "\"t\" has the member \"data_offsets\" twice"},
    {"an empty name", "{\"\":" F32_4 "}", 4, "empty name"},
    {"names equal after NFC",
     "{\"\xc3\xa9\":" F32_4 ",\"e\xcc\x81\":" ENTRY("F32", "[1]", "[4,8]") "}", 8, NULL},
    {"a path as name", "{\"../../etc/passwd\":" F32_4 "}", 4, NULL},
    {"directives in a bad name", "{\"%s%n%s\":" ENTRY("F32", "[2]", "[0,4]") "}", 4,
     "\"%s%n%s\" has 4 bytes"},
    {"escape sequence in a bad name", "{\"\\u001b[31m\":" ENTRY("F32", "[2]", "[0,4]") "}", 4,
     "\"\\x1B[31m\" has 4 bytes"},
    {"newline in a bad name", "{\"a\\nb\":" ENTRY("F32", "[2]", "[0,4]") "}", 4,
     "\"a\\x0Ab\" has 4 bytes"},
    {"text that runs backwards", "{\"\xe2\x80\xaegnp\":" ENTRY("F32", "[2]", "[0,4]") "}", 4,
     "\\xE2\\x80\\xAEgnp\" has 4 bytes"},
    {"metadata twice", "{\"__metadata__\":{},\"__metadata__\":{},\"t\":" F32_4 "}", 4,
     "__metadata__ stands there twice"},
    {"metadata is a list", "{\"__metadata__\":[],\"t\":" F32_4 "}", 4,
     "__metadata__ is not an object"},
    {"metadata is null", "{\"__metadata__\":null,\"t\":" F32_4 "}", 4, NULL},
    {"a NUL in it", "{\"__metadata__\":{\"a\":\"b\\u0000c\"},\"t\":" F32_4 "}", 4, NULL},
    {"metadata is nul", "{\"__metadata__\":nul,\"t\":" F32_4 "}", 4, "is not an object"},
    {"a number in it", "{\"__metadata__\":{\"step\":1},\"t\":" F32_4 "}", 4,
     "\"step\" in __metadata__ is not a text"},
    {"an object in it", "{\"__metadata__\":{\"step\":{}},\"t\":" F32_4 "}", 4,
     "\"step\" in __metadata__ is not a text"},
    {"null in it", "{\"__metadata__\":{\"step\":null},\"t\":" F32_4 "}", 4,
     "\"step\" in __metadata__ is not a text"},
    {"not closed", "{\"__metadata__\":{\"a\":\"b\"", 0, "'}' was expected"},
    {"empty metadata", "{\"__metadata__\":{},\"t\":" F32_4 "}", 4, NULL},
    {"F4, whole bytes", ONE("F4", "[4]", "[0,2]"), 2, NULL},
    {"F4, half a byte", ONE("F4", "[3]", "[0,2]"), 2, "\"t\" ends inside a byte"},
    {"F6, whole bytes", ONE("F6_E2M3", "[4]", "[0,3]"), 3, NULL},
    {"F6, part of a byte", ONE("F6_E3M2", "[3]", "[0,3]"), 3, "\"t\" ends inside a byte"},
    {"F8", ONE("F8_E4M3", "[4]", "[0,4]"), 4, NULL},
    {"BOOL", ONE("BOOL", "[4]", "[0,4]"), 4, NULL},
    {"C64", ONE("C64", "[1]", "[0,8]"), 8, NULL},
    {"one byte more", ONE("F32", "[1]", "[0,4]"), 5, "its tensors use 4"},
    {"4096 bytes more", ONE("F32", "[1]", "[0,4]"), 4100, "its tensors use 4"},
    {"data without tensors", "{}", 4, "its tensors use 0"},
    {"one byte less", ONE("F32", "[1]", "[0,4]"), 3, "the file has 3: it is cut off"},
    {"half", ONE("F32", "[1]", "[0,4]"), 2, "the file has 2: it is cut off"},
    {"none", ONE("F32", "[1]", "[0,4]"), 0, "the file has 0: it is cut off"},
};

static void test_headers(void)
{
    const char *path = test_file("case.safetensors");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const Case *c = &cases[i];
        SlError err = {0};
        test_write_safetensors(path, c->header, strlen(c->header), NULL, c->data);
        if (c->says) {
            test_file_refused(c->id, path, SL_FORMAT, c->says);
            continue;
        }
        SlWeightSource *w = sl_weights_open_file(path, &err);
        if (!sl_test(w != NULL, "%s is read", c->id))
            sl_test_note("%s", err.message);
        sl_weights_close(w);
    }
}

/* ---- the eight bytes in front ---- */

static void write_length(const char *path, uint64_t n, size_t bytes)
{
    unsigned char file[400] = {0};
    for (int i = 0; i < 8; i++)
        file[i] = (unsigned char)(n >> (8 * i));
    memset(file + 8, ' ', sizeof file - 8);
    file[8] = '{';
    test_write(path, file, bytes);
}

static void test_lengths(void)
{
    static const struct {
        const char *id;
        uint64_t n;
        const char *says;
    } lengths[] = {
        {"0", 0, "0 bytes, expected at least 2"},
        {"1", 1, "1 bytes, expected at least 2"},
        {"file - 7", 393, "it is cut off"},
        {"100,000,000", 100000000, "it is cut off"},
        {"100,000,001", 100000001, "at most 100000000 are allowed"},
        {"2^31 - 1", 0x7fffffff, "at most 100000000"},
        {"2^31", 0x80000000, "at most 100000000"},
        {"2^32", 0x100000000, "at most 100000000"},
        {"2^63 - 1", 0x7fffffffffffffff, "at most 100000000"},
        {"2^63", 0x8000000000000000, "at most 100000000"},
        {"2^64 - 1", 0xffffffffffffffff, "at most 100000000"},
        {"2^64 - 8", 0xfffffffffffffff8, "at most 100000000"},
        {"big-endian", (uint64_t)100 << 56, "at most 100000000"},
        {"file - 8", 392, "was expected"},
    };
    const char *path = test_file("length.safetensors");
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char id[80];
        write_length(path, lengths[i].n, 400);
        snprintf(id, sizeof id, "header length %s", lengths[i].id);
        test_file_refused(id, path, SL_FORMAT, lengths[i].says);
    }
    test_write(path, "", 0);
    test_file_refused("an empty file", path, SL_FORMAT, "empty");
    for (size_t n = 1; n < 8; n++) {
        char id[40];
        snprintf(id, sizeof id, "%zu bytes", n);
        write_length(path, 2, n);
        test_file_refused(id, path, SL_FORMAT, "at least 10");
    }
    write_length(path, 2, 8);
    test_file_refused("only the length", path, SL_FORMAT, "it is cut off");
}

/* ---- bytes that no C string holds ---- */

static void test_raw_headers(void)
{
    static const char nul[] = "{\"a\0b\":" F32_4 "}", end[] = ONE("F32", "[1]", "[0,4]") "\0\0\0";
    static const char utf16[] = "{\0\"\0t\0\"\0:\0{\0}\0}\0";
    const char *path = test_file("raw.safetensors");
    test_write_safetensors(path, nul, sizeof nul - 1, NULL, 4);
    test_file_refused("NUL in the header", path, SL_FORMAT, "the end of a name");
    test_write_safetensors(path, end, sizeof end - 1, NULL, 4);
    test_file_refused("NULs after the header", path, SL_FORMAT, "nothing but spaces");
    test_write_safetensors(path, utf16, sizeof utf16 - 1, NULL, 0);
    test_file_refused("UTF-16", path, SL_FORMAT, "a tensor's name");

    enum { DEEP = 100000 };
    char *deep = malloc(DEEP + 8);
    memset(deep, '[', DEEP + 8);
    memcpy(deep, "{\"t\":", 5);
    test_write_safetensors(path, deep, DEEP, NULL, 0);
    test_file_refused("nested 100,000 deep", path, SL_FORMAT, "not described by an object");
    for (size_t i = 0; i + 5 <= DEEP; i += 5)
        memcpy(deep + i, "{\"a\":", 5);
    test_write_safetensors(path, deep, DEEP, NULL, 0);
    test_file_refused("objects in objects", path, SL_FORMAT, "no more than 64 levels");
    memset(deep, 'x', DEEP);
    memcpy(deep, "{\"", 2);
    memcpy(deep + DEEP - 8, "\":null}", 7);
    deep[DEEP - 1] = ' ';
    test_write_safetensors(path, deep, DEEP, NULL, 0);
    test_file_refused("a name of 100 KB", path, SL_FORMAT, "xxx...\" is not described");
    free(deep);
}

/* ---- other kinds of files, under a safetensors name ---- */

#define BYTES(text) text, sizeof text - 1

static void test_kinds(void)
{
    static const struct {
        const char *id, *bytes;
        size_t n;
        const char *says;
    } kinds[] = {
        {"a pickle of protocol 2", BYTES("\x80\x02}q\x00(X\x05\x00\x00\x00helloq\x01K\x01u."),
         "pickle"},
        {"a pickle of protocol 4", BYTES("\x80\x04\x95\x20\x00\x00\x00\x00\x00\x00\x00}\x94."),
         "pickle"},
        {"a pickle of protocol 0", BYTES("(dp0\nS'a'\np1\nI1\ns."), "pickle"},
        {"a PyTorch file",
         BYTES("PK\3\4\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\x12\0"
               "archive/data.pkl"),
         "PyTorch"},
        {"a zip archive", BYTES("PK\3\4\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0readme.txt"),
         "zip archive"},
        {"an empty zip archive", BYTES("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
         "zip archive"},
        {"gzip", BYTES("\x1f\x8b\x08\0\0\0\0\0\0\x03hello world"), "gzip"},
        {"xz",
         BYTES("\xfd"
               "7zXZ\0\0\x04hello world"),
         "xz archive"},
        {"7-Zip", BYTES("7z\xbc\xaf\x27\x1c\0\4hello world"), "7-Zip"},
        {"Zstandard", BYTES("\x28\xb5\x2f\xfd\x04hello world!"), "Zstandard"},
        {"RAR", BYTES("Rar!\x1a\x07\x01\0hello world"), "RAR"},
        {"GGUF", BYTES("GGUF\3\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"), "GGUF"},
        {"HDF5", BYTES("\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0"), "HDF5"},
        {"NumPy", BYTES("\x93NUMPY\x01\0v\0{'descr': '<f4'}"), "NumPy"},
        {"a Git LFS pointer",
         BYTES("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
         "git lfs pull"},
        {"a web page", BYTES("<!DOCTYPE html>\n<html><body>404 Not Found</body></html>"),
         "web page"},
        {"a web page after blanks", BYTES("\n\n  <HTML><head><title>Login</title>"), "web page"},
        {"an XML error", BYTES("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"),
         "web page"},
        {"PNG", BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "PNG picture"},
        {"JPEG", BYTES("\xff\xd8\xff\xe0\0\x10JFIF\0"), "JPEG picture"},
        {"WebP", BYTES("RIFF\x24\0\0\0WEBPVP8 "), "WebP picture"},
        {"PDF", BYTES("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "PDF"},
        {"a program",
         BYTES("\x7f"
               "ELF\2\1\1\0\0\0\0\0\0\0\0\0"),
         "program"},
        {"JSON", BYTES("{\"error\":\"Repository not found\"}"), "JSON"},
        {"text", BYTES("Access to this model is restricted.\n"), "text file"},
        {"zeros", BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
         "zeros"},
        {"random bytes", BYTES("\x9e\x37\x79\xb9\x7f\x4a\x7c\x15\xf3\x9c\xc0\x60\x5c\xed\xc8\x34"),
         "not a safetensors file"},
    };
    const char *path = test_file("kind.safetensors");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char id[80];
        snprintf(id, sizeof id, "%s", kinds[i].id);
        test_write(path, kinds[i].bytes, kinds[i].n);
        test_file_refused(id, path, SL_FORMAT, kinds[i].says);
    }
    char tar[512] = "unet/";
    memcpy(tar + 257, "ustar", 5);
    test_write(path, tar, sizeof tar);
    test_file_refused("tar", path, SL_FORMAT, "tar archive");
}

/* ---- things that are not regular files ---- */

static void test_no_files(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = test_file("folder");
    mkdir(path, 0700);
    test_file_refused("a folder", path, SL_IO, "this is a folder");
    path = test_file("fifo");
    mkfifo(path, 0600);
    test_file_refused("a pipe without a writer", path, SL_IO, "pipe");
    test_file_refused("/dev/zero", "/dev/zero", SL_IO, "device");
    test_file_refused("/dev/full", "/dev/full", SL_IO, "device");
    test_file_refused("/dev/random", "/dev/random", SL_IO, "device");
    path = test_file("socket");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof address))
        test_file_refused("a socket", path, SL_IO, "socket");
    close(fd);
    path = test_file("dangling");
    if (symlink("nowhere", path) == 0)
        test_file_refused("a dangling link", path, SL_IO, "no such file");
    path = test_file("loop");
    if (symlink("loop", path) == 0)
        test_file_refused("a link to itself", path, SL_IO, "circle");
    path = test_file("link");
    if (symlink("/dev/zero", path) == 0)
        test_file_refused("a link to a device", path, SL_IO, "device");
    path = test_file("locked");
    test_write(path, "x", 1);
    chmod(path, 0);
    if (geteuid() != 0)
        test_file_refused("no permission", path, SL_IO, "no permission");
    test_file_refused("no such file", test_file("%s%n%d"), SL_IO, "no such file");
    SlError err = {0};
    SlWeightSource *w = sl_weights_open_file("/nowhere/\xff\xfe\x1b[31m\n", &err);
    test_refused("a path that is no text", !w, &err, SL_IO,
                 (const char *const[]){"\\xFF\\xFE\\x1B[31m\\x0A", NULL});
    char longer[5000];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    w = sl_weights_open_file(longer, &err);
    test_refused("a path of 5,000 bytes", !w, &err, SL_IO,
                 (const char *const[]){"...aaa", "too long", NULL});
}

/* ---- size ---- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Many entries of one byte each; same: all on the same byte. */
static char *many(size_t count, bool same, size_t *bytes)
{
    char *header = malloc(count * 90 + 2), *to = header;
    if (!header)
        abort();
    *to++ = '{';
    for (size_t i = 0; i < count; i++) {
        size_t at = same ? 0 : i;
        to += sprintf(
            to, "%s\"model.t%zu\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%zu,%zu]}",
            i ? "," : "", i, at, at + 1);
    }
    *to++ = '}';
    *bytes = (size_t)(to - header);
    return header;
}

static void test_many(void)
{
    enum { MILLION = 1000000 };
    SlError err = {0};
    size_t bytes;
    char *header = many(MILLION, false, &bytes);
    double start = seconds();
    SlSafetensors *st = sl_safetensors_parse("many", header, bytes, MILLION, &err);
    double took = seconds() - start;
    free(header);
    sl_test(st && sl_safetensors_count(st) == MILLION && sl_safetensors_find(st, "model.t999999"),
            "a million tensors are read");
    sl_test_note("in %.2f s", took); /* told, not asserted: a busy machine is no defect */
    sl_safetensors_close(st);
    header = many(MILLION, true, &bytes);
    st = sl_safetensors_parse("many", header, bytes, 16, &err);
    free(header);
    test_refused("a million entries on the same byte", !st, &err, SL_FORMAT,
                 (const char *const[]){"many", "it overlaps another tensor", NULL});
}

int main(void)
{
    test_headers();
    test_lengths();
    test_raw_headers();
    test_kinds();
    test_no_files();
    test_many();
    return sl_test_done();
}
