/* test_sass.c - whether nvcc made of our inline assembly what it is for: every kernel for tensor
 * cores has HMMA (the product), LDSM (ldmatrix) and LDGSTS (cp.async) in its machine code, for
 * every architecture.
 *
 *     test_sass OBJECT.o KERNEL ARCH...      KERNEL is a part of the kernels' names
 *     test_sass REASON                       there is no object: skips
 *
 * Reads the machine code itself, as not every toolkit has a disassembler. An object of nvcc holds
 * an ELF file for each architecture, whose sections .text.NAME are instructions of 16 bytes with
 * the operation in the lowest 12 bits. The numbers are the same from sm_80 to sm_120 (found by
 * compiling kernels that differ in one instruction).
 */
#include "test.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>

#define CUDA_MACHINE 190

enum { HMMA, LDSM, LDGSTS, OPERATIONS };
static const unsigned codes[OPERATIONS] = {0x23c, 0x83b, 0xfae};

typedef struct Bytes {
    unsigned char *data;
    size_t size;
} Bytes;

static Bytes read_file(const char *path)
{
    Bytes b = {0};
    FILE *f = fopen(path, "rb");
    if (f && fseek(f, 0, SEEK_END) == 0 && ftell(f) > 0) {
        b.size = (size_t)ftell(f);
        b.data = malloc(b.size);
        rewind(f);
        if (!b.data || fread(b.data, 1, b.size, f) != b.size)
            b.size = 0;
    }
    if (f)
        fclose(f);
    return b;
}

/* The ELF file for a GPU at or behind `at`; false when there is none. */
static bool next_image(const Bytes *b, size_t *at, Elf64_Ehdr *head)
{
    for (; *at + sizeof *head <= b->size; (*at)++) {
        if (memcmp(b->data + *at, ELFMAG, SELFMAG) != 0)
            continue;
        memcpy(head, b->data + *at, sizeof *head);
        if (head->e_machine == CUDA_MACHINE && head->e_shentsize == sizeof(Elf64_Shdr) &&
            *at + head->e_shoff + head->e_shnum * sizeof(Elf64_Shdr) <= b->size)
            return true;
    }
    return false;
}

/* 80 for sm_80: in the lowest byte of the flags until toolkit 12, in the second from 13 on. */
static int architecture(const Elf64_Ehdr *head)
{
    int low = (int)(head->e_flags & 255), second = (int)(head->e_flags >> 8 & 255);
    return low >= 50 ? low : second;
}

static Elf64_Shdr section(const unsigned char *image, const Elf64_Ehdr *head, int i)
{
    Elf64_Shdr s;
    memcpy(&s, image + head->e_shoff + (size_t)i * sizeof s, sizeof s);
    return s;
}

static bool has_all(const unsigned char *code, size_t bytes)
{
    long count[OPERATIONS] = {0};
    for (size_t i = 0; i + 16 <= bytes; i += 16)
        for (int o = 0; o < OPERATIONS; o++)
            count[o] += (code[i] | (code[i + 1] & 15u) << 8) == codes[o];
    return count[HMMA] > 0 && count[LDSM] > 0 && count[LDGSTS] > 0;
}

/* How many of the kernels there are, and how many have what they should. */
static void count_kernels(const Bytes *b, size_t at, const Elf64_Ehdr *head, const char *kernel,
                          int found[2])
{
    const unsigned char *image = b->data + at;
    Elf64_Shdr names = section(image, head, head->e_shstrndx);
    found[0] = found[1] = 0;
    if (at + names.sh_offset + names.sh_size > b->size || names.sh_size == 0 ||
        image[names.sh_offset + names.sh_size - 1])
        return;
    for (int i = 0; i < head->e_shnum; i++) {
        Elf64_Shdr s = section(image, head, i);
        if (s.sh_name >= names.sh_size || at + s.sh_offset + s.sh_size > b->size)
            continue;
        const char *name = (const char *)image + names.sh_offset + s.sh_name;
        if (strncmp(name, ".text.", 6) != 0 || !strstr(name, kernel))
            continue;
        found[0]++;
        found[1] += has_all(image + s.sh_offset, s.sh_size);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        printf("1..0 # SKIP %s\n", argc > 1 ? argv[1] : "there is no object");
        return 0;
    }
    Bytes b = read_file(argv[1]);
    const char *slash = strrchr(argv[1], '/'), *file = slash ? slash + 1 : argv[1];
    for (int a = 3; a < argc; a++) {
        Elf64_Ehdr head;
        int found[2] = {0};
        size_t at = 0;
        while (next_image(&b, &at, &head) && architecture(&head) != atoi(argv[a]))
            at++;
        if (at + sizeof head <= b.size)
            count_kernels(&b, at, &head, argv[2], found);
        sl_test(found[0] > 0 && found[1] == found[0],
                "%s for sm_%s: %d of %d have HMMA, LDSM and LDGSTS", file, argv[a], found[1],
                found[0]);
    }
    free(b.data);
    return sl_test_done();
}
