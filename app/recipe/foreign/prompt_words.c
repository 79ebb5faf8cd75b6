/* prompt_words.c - see prompt_words.h. */
#include "app/recipe/foreign/prompt_words.h"

#include <string.h>

#define MAX_EXAMPLE 40
#define MAX_BRACKET 400 /* that is looked into, so that a hostile text stays linear */

typedef struct Found {
    unsigned kinds; /* that have an example */
    int loras;
    SlText list;
} Found;

static void add(Found *found, unsigned kind, const char *text, size_t n)
{
    if (found->kinds & kind)
        return;
    found->kinds |= kind;
    if (found->list.length)
        sl_text_add(&found->list, ", ");
    if (n > MAX_EXAMPLE) {
        n = MAX_EXAMPLE;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
            n--;
        sl_text_append(&found->list, text, n);
        sl_text_add(&found->list, "...");
    } else {
        sl_text_append(&found->list, text, n);
    }
}

/* From a bracket to its partner; as far as it is looked for when there is none. */
static size_t bracketed(const char *text, char open, char close)
{
    size_t i = 0;
    int depth = 0;
    for (; text[i] && i < MAX_BRACKET; i++) {
        if (text[i] == '\\' && text[i + 1])
            i++;
        else if (text[i] == open)
            depth++;
        else if (text[i] == close && --depth == 0)
            return i + 1;
    }
    return i;
}

static void look_at(Found *found, const char *start, const char *p, unsigned words)
{
    static const struct {
        unsigned kind;
        char open, close;
    } brackets[] = {{SL_WORD_SQUARE, '[', ']'}, {SL_WORD_CURLY, '{', '}'}};
    unsigned left = words & ~found->kinds;
    for (int i = 0; i < 2; i++)
        if (*p == brackets[i].open && (left & brackets[i].kind))
            add(found, brackets[i].kind, p, bracketed(p, brackets[i].open, brackets[i].close));
    if ((left & SL_WORD_COLONS) && p > start && p[-1] >= '0' && p[-1] <= '9' &&
        strncmp(p, "::", 2) == 0)
        add(found, SL_WORD_COLONS, p, 2);
    if ((words & SL_WORD_TAGS) && *p == '<' && (p[1] >= 'a' && p[1] <= 'z')) {
        size_t n = 1 + strspn(p + 1, "abcdefghijklmnopqrstuvwxyz");
        bool lora = strncmp(p, "<lora:", 6) == 0 || strncmp(p, "<lyco:", 6) == 0;
        found->loras += lora;
        if (!lora && (left & SL_WORD_TAGS) && (p[n] == ':' || p[n] == '[')) {
            size_t length = strnlen(p, MAX_BRACKET);
            const char *end = memchr(p, '>', length);
            add(found, SL_WORD_TAGS, p, end ? (size_t)(end + 1 - p) : length);
        }
    }
}

static void look(Found *found, const char *text, unsigned words)
{
    for (const char *p = text; p && *p; p++) {
        if (*p == '\\' && strchr("()[]{}", p[1]) && p[1]) {
            p++;
            continue;
        }
        look_at(found, text, p, words);
    }
}

void sl_prompt_words_note(SlImporter *im, unsigned words)
{
    Found found = {0};
    look(&found, im->recipe.prompt, words);
    look(&found, im->recipe.negative_prompt, words);
    if (found.loras > im->loras_gone)
        sl_importer_note(im, SL_NOTE_LORA_WORDS, NULL);
    if (found.list.length)
        sl_importer_note(im, SL_NOTE_PROMPT_WORDS, found.list.data);
    im->failed |= found.list.failed;
    sl_text_free(&found.list);
}
