/* xmp.c - see xmp.h. */
#include "app/image/xmp.h"
#include "app/files/files.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *keyword;
} elements[] = {
    {"exif:UserComment", "XMP UserComment"},
    {"dc:description", "XMP description"},
    {"xmp:CreatorTool", "XMP CreatorTool"},
};

typedef struct Span {
    const char *start, *end;
} Span;

static const char *find(Span in, const char *what)
{
    return in.end > in.start ? memmem(in.start, (size_t)(in.end - in.start), what, strlen(what))
                             : NULL;
}

/* "&quot;" or "&#34;" at p; gives the bytes that it takes, 0 when it is none. */
static size_t entity(const char *p, const char *end, uint32_t *is)
{
    static const struct {
        const char *name;
        char is;
    } entities[] = {
        {"&quot;", '"'}, {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&apos;", '\''}};
    size_t left = (size_t)(end - p);
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        size_t n = strlen(entities[i].name);
        if (left >= n && memcmp(p, entities[i].name, n) == 0) {
            *is = (uint8_t)entities[i].is;
            return n;
        }
    }
    if (left < 4 || p[1] != '#')
        return 0;
    uint32_t base = p[2] == 'x' ? 16 : 10, value = 0;
    size_t first = base == 16 ? 3 : 2, i = first;
    for (; i < left && i < 10; i++) {
        char c = sl_lower(p[i]);
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                                                : 16;
        if (digit >= base)
            break;
        value = value * base + digit;
    }
    *is = value;
    return i > first && i < left && p[i] == ';' && value ? i + 1 : 0;
}

/* Characters without tags, and without the blanks at their ends. */
static bool add_characters(SlPictureTexts *texts, const char *keyword, Span in)
{
    SlText out = {0};
    for (const char *p = in.start; p < in.end;) {
        uint32_t code = 0;
        size_t n = *p == '&' ? entity(p, in.end, &code) : 0;
        if (n) {
            sl_text_add_character(&out, code);
            p += n;
        } else if (*p == '<') {
            const char *close = memchr(p, '>', (size_t)(in.end - p));
            p = close ? close + 1 : in.end;
        } else {
            sl_text_append(&out, p++, 1);
        }
    }
    size_t start = 0, end = out.length;
    while (start < end && strchr(" \t\r\n", out.data[start]))
        start++;
    while (end > start && strchr(" \t\r\n", out.data[end - 1]))
        end--;
    bool ok = !out.failed;
    if (ok && end > start)
        ok = sl_picture_texts_add(texts, keyword, out.data + start, end - start, false);
    sl_text_free(&out);
    return ok;
}

/* What stands between <name ...> and </name>, or in name="..."; an empty span when it is not there. */
static Span content(Span packet, const char *name)
{
    Span none = {packet.end, packet.end}, rest = packet;
    size_t n = strlen(name);
    const char *at;
    while ((at = find(rest, name))) {
        rest.start = at + n;
        if (at == packet.start || rest.start == packet.end)
            continue;
        if (at[-1] == '<') {
            char tag[64] = "</";
            const char *open = memchr(at, '>', (size_t)(packet.end - at));
            strncat(tag, name, sizeof tag - 4);
            Span inner = {open ? open + 1 : packet.end, packet.end};
            const char *close = open && open[-1] != '/' ? find(inner, tag) : NULL;
            return close ? (Span){inner.start, close} : none;
        }
        if (*rest.start == '=' && rest.start + 1 < packet.end &&
            (rest.start[1] == '"' || rest.start[1] == '\'')) {
            const char *value = rest.start + 2;
            const char *close = memchr(value, rest.start[1], (size_t)(packet.end - value));
            return close ? (Span){value, close} : none;
        }
    }
    return none;
}

bool sl_xmp_texts(const char *bytes, size_t length, SlPictureTexts *texts)
{
    Span packet = {bytes, bytes + length};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof elements / sizeof elements[0]; i++)
        ok = add_characters(texts, elements[i].keyword, content(packet, elements[i].name));
    return ok;
}
