/* file_kind.c - see file_kind.h. */
#include "engine/files/file_kind.h"

#include "engine/files/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Magic {
    SlFileKind kind;
    size_t offset, length;
    const char *bytes;
} Magic;

static const Magic magics[] = {
    {SL_FILE_ZIP, 0, 4, "PK\3\4"},
    {SL_FILE_ZIP, 0, 4, "PK\5\6"},
    {SL_FILE_GZIP, 0, 2, "\x1f\x8b"},
    {SL_FILE_XZ, 0, 6, "\xfd\x37\x7a\x58\x5a\x00"},
    {SL_FILE_SEVEN_ZIP, 0, 6, "7z\xbc\xaf\x27\x1c"},
    {SL_FILE_ZSTD, 0, 4, "\x28\xb5\x2f\xfd"},
    {SL_FILE_RAR, 0, 4, "Rar!"},
    {SL_FILE_TAR, 257, 5, "ustar"},
    {SL_FILE_GGUF, 0, 4, "GGUF"},
    {SL_FILE_GGML, 0, 4, "tjgg"}, /* GGUF's predecessors, read as little-endian words */
    {SL_FILE_GGML, 0, 4, "lmgg"},
    {SL_FILE_HDF5, 0, 8, "\x89HDF\r\n\x1a\n"},
    {SL_FILE_NUMPY, 0, 6, "\x93NUMPY"},
    {SL_FILE_LFS, 0, 24, "version https://git-lfs."},
    {SL_FILE_LFS, 0, 24, "version http://git-media"},
    {SL_FILE_PNG, 0, 8, "\x89PNG\r\n\x1a\n"},
    {SL_FILE_JPEG, 0, 3, "\xff\xd8\xff"},
    {SL_FILE_WEBP, 8, 4, "WEBP"},
    {SL_FILE_PDF, 0, 5, "%PDF-"},
    {SL_FILE_ELF, 0, 4,
     "\x7f"
     "ELF"},
};

/* What each is called, and what is to be done where that helps more than what was expected. */
static const struct {
    const char *what, *advice;
} kinds[] = {
    [SL_FILE_UNKNOWN] = {NULL, NULL},
    [SL_FILE_EMPTY] = {SL_WORDS("an empty file"),
                       SL_WORDS("the file is empty (0 bytes): download it again")},
    [SL_FILE_ZIP_PICKLE] =
        {SL_WORDS("a PyTorch file with a pickle"),
         SL_WORDS("this is a PyTorch file (.pt, .ckpt, .bin) that contains a pickle, a Python "
                  "program that could do anything when it is opened; it is never loaded: look for "
                  "the same as .safetensors, or convert it with a tool that you trust")},
    [SL_FILE_ZIP] =
        {SL_WORDS("a zip archive"),
         SL_WORDS("this is a zip archive; if it is a PyTorch file (.pt, .ckpt, .bin), it contains "
                  "a pickle and is never loaded: look for the same as .safetensors; otherwise "
                  "unpack it first")},
    [SL_FILE_PICKLE] =
        {SL_WORDS("a pickle"),
         SL_WORDS("this is a pickle, a Python program that could do anything when it is opened; it "
                  "is never loaded: look for the same as .safetensors, or convert it with a tool "
                  "that you trust")},
    [SL_FILE_GZIP] = {SL_WORDS("a gzip archive, which is to be unpacked first"), NULL},
    [SL_FILE_XZ] = {SL_WORDS("an xz archive, which is to be unpacked first"), NULL},
    [SL_FILE_SEVEN_ZIP] = {SL_WORDS("a 7-Zip archive, which is to be unpacked first"), NULL},
    [SL_FILE_ZSTD] = {SL_WORDS("a Zstandard archive, which is to be unpacked first"), NULL},
    [SL_FILE_RAR] = {SL_WORDS("a RAR archive, which is to be unpacked first"), NULL},
    [SL_FILE_TAR] = {SL_WORDS("a tar archive, which is to be unpacked first"), NULL},
    [SL_FILE_GGUF] = {SL_WORDS("a GGUF file"), NULL},
    [SL_FILE_GGML] = {SL_WORDS("a GGML file"),
                      SL_WORDS("this is a GGML file, the format before GGUF, which this program "
                               "cannot read: look for the same as .safetensors or .gguf")},
    [SL_FILE_HDF5] = {SL_WORDS("an HDF5 file"),
                      SL_WORDS("this is an HDF5 file (Keras), which this program cannot read: look "
                               "for the same as .safetensors")},
    [SL_FILE_NUMPY] = {SL_WORDS("a NumPy array"), NULL},
    [SL_FILE_HTML] = {SL_WORDS("a web page"),
                      SL_WORDS("this is a web page: the download was answered with an error or a "
                               "login page; download it again")},
    [SL_FILE_LFS] = {SL_WORDS("a Git LFS pointer"),
                     SL_WORDS("this is a Git LFS pointer, not the file itself: run \"git lfs "
                              "pull\" in its folder or download the file")},
    [SL_FILE_PNG] = {SL_WORDS("a PNG picture"), NULL},
    [SL_FILE_JPEG] = {SL_WORDS("a JPEG picture"), NULL},
    [SL_FILE_WEBP] = {SL_WORDS("a WebP picture"), NULL},
    [SL_FILE_PDF] = {SL_WORDS("a PDF document"), NULL},
    [SL_FILE_ELF] = {SL_WORDS("a program"), NULL},
    [SL_FILE_JSON] = {SL_WORDS("a JSON file"), NULL},
    [SL_FILE_TEXT] = {SL_WORDS("a text file"), NULL},
    [SL_FILE_ZEROS] = {SL_WORDS("zeros"),
                       SL_WORDS("the file begins with zeros only: its download was never finished; "
                                "download it again")},
};

static const char *const wanted_words[] = {
    [SL_WANT_MODEL] =
        SL_WORDS("a model: a folder with model_index.json, or a .safetensors or .gguf file"),
    [SL_WANT_UNET] = SL_WORDS("a UNet: its file, its folder, or a whole model"),
    [SL_WANT_VAE] = SL_WORDS("a VAE: its file, its folder, or a whole model"),
    [SL_WANT_TEXT_ENCODER] = SL_WORDS("a text encoder: its file, its folder, or a whole model"),
    [SL_WANT_TEXT_ENCODER_2] = SL_WORDS("the second text encoder of Stable Diffusion XL: its file, "
                                        "its folder, or a whole model"),
    [SL_WANT_TINY_VAE] = SL_WORDS("a tiny VAE (TAESD): its file or its folder"),
    [SL_WANT_LORA] = SL_WORDS("a LoRA or one of its relatives: a .safetensors file"),
    [SL_WANT_EMBEDDING] =
        SL_WORDS("an embedding (textual inversion): a .safetensors, .pt or .bin file"),
    [SL_WANT_LATENTS] = SL_WORDS("a .safetensors file with the tensor \"latents\""),
    [SL_WANT_NOISE] = SL_WORDS("a .safetensors file with the tensor \"noise\""),
    [SL_WANT_COMPARISON] = SL_WORDS("a comparison that Safelight saved: a .safelight file"),
};

const char *sl_file_kind_what(SlFileKind kind)
{
    return sl_words(kinds[kind].what);
}

const char *sl_wanted_words(SlWanted wanted)
{
    return sl_words(wanted_words[wanted]);
}

SlWanted sl_wanted_part(const char *part)
{
    static const struct {
        const char *part;
        SlWanted wanted;
    } parts[] = {{"unet", SL_WANT_UNET},
                 {"vae", SL_WANT_VAE},
                 {"text_encoder", SL_WANT_TEXT_ENCODER},
                 {"text_encoder_2", SL_WANT_TEXT_ENCODER_2}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strcmp(parts[i].part, part))
            return parts[i].wanted;
    return SL_WANT_MODEL;
}

static bool contains(const char *head, size_t length, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = 0; i + n <= length; i++)
        if (!memcmp(head + i, what, n))
            return true;
    return false;
}

static bool looks_like_html(const char *head, size_t length)
{
    static const char *const tags[] = {"<!doctype html", "<html", "<head", "<?xml"};
    size_t i = 0;
    while (i < length && strchr(" \t\r\n\xef\xbb\xbf", head[i]))
        i++;
    for (size_t k = 0; k < sizeof tags / sizeof tags[0]; k++)
        if (length - i >= strlen(tags[k]) && !strncasecmp(head + i, tags[k], strlen(tags[k])))
            return true;
    return false;
}

/* At least 16 bytes of UTF-8 (the last character may be cut) without control characters. */
static bool looks_like_text(const char *head, size_t length)
{
    size_t n;
    for (size_t i = 0; i < length; i += n) {
        n = sl_utf8_char(head + i, length - i);
        if (n == 0 && length - i < 4)
            break;
        unsigned char c = (unsigned char)head[i];
        if (n == 0 || c == 0x7f || (c < 0x20 && !isspace(c)))
            return false;
    }
    return length >= 16;
}

/* Protocol 2 and newer begin with PROTO n; protocols 0 and 1 with the opening of a container. */
static bool looks_like_pickle(const unsigned char *head, size_t length)
{
    if (length >= 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5)
        return length < 3 || head[2] != 0;
    return length >= 4 && (!memcmp(head, "(dp0", 4) || !memcmp(head, "ccol", 4));
}

SlFileKind sl_file_kind(const void *data, size_t length)
{
    const char *head = data;
    if (length == 0)
        return SL_FILE_EMPTY;
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        const Magic *m = &magics[i];
        if (length < m->offset + m->length || memcmp(head + m->offset, m->bytes, m->length))
            continue;
        if (m->kind == SL_FILE_ZIP &&
            (contains(head, length, "data.pkl") || contains(head, length, "archive/")))
            return SL_FILE_ZIP_PICKLE;
        return m->kind;
    }
    if (looks_like_pickle(data, length))
        return SL_FILE_PICKLE;
    if (looks_like_html(head, length))
        return SL_FILE_HTML;
    if (head[0] == '{' || head[0] == '[')
        return SL_FILE_JSON;
    if (looks_like_text(head, length))
        return SL_FILE_TEXT;
    for (size_t i = 0; i < length; i++)
        if (head[i])
            return SL_FILE_UNKNOWN;
    return length >= 16 ? SL_FILE_ZEROS : SL_FILE_UNKNOWN;
}

/* ---- refusing ---- */

static bool refuse_what(const char *path, const char *what, SlWanted wanted, SlError *err)
{
    return sl_fail(err, SL_FORMAT, "%s: this is %s; expected %s", sl_show_path(path).text, what,
                   sl_wanted_words(wanted));
}

bool sl_file_unless_known(const char *path, SlFileKind kind, SlWanted wanted, SlError *err)
{
    const char *advice = sl_words(kinds[kind].advice), *what = sl_file_kind_what(kind);
    if (advice)
        return sl_fail(err, SL_FORMAT, "%s: %s", sl_show_path(path).text, advice);
    return !what || refuse_what(path, what, wanted, err);
}

static bool has_file(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           stat(path, &st) == 0;
}

static const char *folder_what(const char *path)
{
    return has_file(path, "model_index.json") ? sl_words("the folder of a model")
           : has_file(path, "config.json")    ? sl_words("the folder of a part of a model")
                                              : sl_words("a folder");
}

/* Not what is in a file is wrong, but that there is none: as where one is opened. */
static bool refuse_folder(const char *path, SlWanted wanted, SlError *err)
{
    SlError problem = {0};
    refuse_what(path, folder_what(path), wanted, &problem);
    return sl_fail(err, SL_IO, "%s", problem.message);
}

/* Of an embedding, which may be a pickle, and of a GGUF file the reader says what it thinks of it. */
static bool check_head(const char *path, int fd, uint64_t size, SlWanted wanted, SlError *err)
{
    char head[SL_FILE_HEAD];
    size_t length = size < sizeof head ? (size_t)size : sizeof head;
    SlError ignored = {0};
    if (!sl_file_read(fd, path, head, length, 0, &ignored))
        return true;
    SlFileKind kind = sl_file_kind(head, length);
    bool pickle = kind == SL_FILE_ZIP_PICKLE || kind == SL_FILE_ZIP || kind == SL_FILE_PICKLE;
    if (kind == SL_FILE_GGUF || (pickle && wanted == SL_WANT_EMBEDDING))
        return true;
    return sl_file_unless_known(path, kind, wanted, err);
}

bool sl_file_check(const char *path, SlWanted wanted, SlError *err)
{
    struct stat st;
    uint64_t size;
    SlError ignored = {0};
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return refuse_folder(path, wanted, err);
    int fd = sl_file_open(path, &size, &ignored);
    if (fd < 0)
        return true;
    bool ok = check_head(path, fd, size, wanted, err);
    close(fd);
    return ok;
}

/* ---- opening ---- */

static int refuse(int fd, const char *path, const char *why, SlError *err)
{
    close(fd);
    sl_fail(err, SL_IO, "%s: %s", sl_show_path(path).text, why);
    return -1;
}

int sl_file_open(const char *path, uint64_t *size, SlError *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        const char *why = errno == ENOENT   ? sl_words("there is no such file")
                          : errno == EACCES ? sl_words("no permission to read it")
                          : errno == ELOOP  ? sl_words("its symbolic links lead in a circle")
                          : errno == ENXIO
                              ? sl_words("this is a socket or a device, not a regular file")
                              : strerror(errno);
        sl_fail(err, SL_IO, "%s: %s", sl_show_path(path).text, why);
        return -1;
    }
    if (fstat(fd, &st))
        return refuse(fd, path, strerror(errno), err);
    if (S_ISDIR(st.st_mode))
        return refuse(fd, path, sl_words("this is a folder, expected a file"), err);
    if (S_ISFIFO(st.st_mode))
        return refuse(fd, path, sl_words("this is a pipe (FIFO), expected a regular file"), err);
    if (!S_ISREG(st.st_mode))
        return refuse(fd, path, sl_words("this is a device, expected a regular file"), err);
    *size = (uint64_t)st.st_size;
    return fd;
}

bool sl_file_read(int fd, const char *path, void *out, uint64_t size, uint64_t offset, SlError *err)
{
    char *to = out;
    while (size > 0) {
        size_t chunk = size < (1u << 30) ? (size_t)size : (size_t)1 << 30;
        ssize_t n = pread(fd, to, chunk, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sl_fail(err, SL_IO, "%s: reading at byte %llu failed: %s",
                           sl_show_path(path).text, (unsigned long long)offset, strerror(errno));
        if (n == 0)
            return sl_fail(err, SL_IO,
                           "%s: the file ended at byte %llu while %llu more were expected: it "
                           "became shorter while it was read",
                           sl_show_path(path).text, (unsigned long long)offset,
                           (unsigned long long)size);
        to += n;
        offset += (uint64_t)n;
        size -= (uint64_t)n;
    }
    return true;
}
