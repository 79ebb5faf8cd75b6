/* test_prompt.c - the prompt languages against what the programs' own parsers read
 * (goldens/prompt/make.py), and texts that nobody would write. */
#include "engine/text/text.h"
#include "tests/test.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

static const char *const modes[SL_PROMPT_MODES] = {"plain", "a1111", "comfyui", "compel"};

static SlPromptMode mode_of(const char *name)
{
    SlPromptMode mode = 0;
    while (strcmp(modes[mode], name))
        mode++;
    return mode;
}

/* ---- vectors ---- */

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

static const cJSON *item(const cJSON *array, int i)
{
    return cJSON_GetArrayItem(array, i);
}

static bool same_pieces(const SlPromptPhrase *phrase, const cJSON *want)
{
    int n = cJSON_GetArraySize(want);
    /* a program gives nothing for an empty text, or one empty piece */
    if (n == 0 || phrase->pieces == 0)
        return n == phrase->pieces || (n + phrase->pieces == 1);
    bool same = n == phrase->pieces;
    for (int i = 0; same && i < n; i++)
        same = !strcmp(phrase->piece[i].text, item(item(want, i), 0)->valuestring) &&
               near(phrase->piece[i].weight, item(item(want, i), 1)->valuedouble);
    return same;
}

static bool same_part(const SlPromptPart *part, const cJSON *want)
{
    const cJSON *turns = item(want, 1);
    bool same =
        near(part->weight, item(want, 0)->valuedouble) && part->turns == cJSON_GetArraySize(turns);
    for (int i = 0; same && i < part->turns; i++) {
        const SlPromptText *text = &part->text[part->turn[i].text];
        same = part->turn[i].last == item(item(turns, i), 0)->valueint && text->sections == 1 &&
               same_pieces(&text->section[0].phrase[0], item(item(turns, i), 1));
    }
    return same;
}

static bool same_sections(const SlPromptText *text, const cJSON *want)
{
    bool same = text->sections == cJSON_GetArraySize(want);
    if (cJSON_GetArraySize(want) == 0) /* nothing but LoRAs: here it is the empty prompt */
        return text->sections == 1 && !*text->section[0].phrase[0].piece[0].text;
    for (int s = 0; same && s < text->sections; s++) {
        const SlPromptSection *section = &text->section[s];
        const cJSON *phrases = item(item(want, s), 1);
        same = near(section->weight, item(item(want, s), 0)->valuedouble) &&
               section->phrases == cJSON_GetArraySize(phrases);
        for (int i = 0; same && i < section->phrases; i++)
            same = near(section->phrase[i].factor, item(item(phrases, i), 0)->valuedouble) &&
                   same_pieces(&section->phrase[i], item(item(phrases, i), 1));
    }
    return same;
}

static bool same_prompt(const SlPrompt *prompt, const cJSON *want)
{
    if (!prompt || cJSON_IsNull(want))
        return !prompt && cJSON_IsNull(want);
    if (prompt->mode == SL_PROMPT_COMFYUI)
        return same_pieces(&prompt->part[0].text[0].section[0].phrase[0], want);
    if (prompt->mode == SL_PROMPT_COMPEL)
        return same_sections(&prompt->part[0].text[0], want);
    bool same = prompt->parts == cJSON_GetArraySize(want);
    for (int i = 0; same && i < prompt->parts; i++)
        same = same_part(&prompt->part[i], item(want, i));
    return same;
}

static char *read_file(const char *relative)
{
    char *path = sl_test_path(relative), *text = NULL;
    FILE *f = fopen(path, "rb");
    if (f && fseek(f, 0, SEEK_END) == 0) {
        long n = ftell(f);
        text = calloc((size_t)n + 1, 1);
        rewind(f);
        if (fread(text, 1, (size_t)n, f) != (size_t)n)
            text[0] = '\0';
    }
    if (f)
        fclose(f);
    free(path);
    return text;
}

static void test_vectors(void)
{
    int count[SL_PROMPT_MODES] = {0}, same[SL_PROMPT_MODES] = {0};
    char *text = read_file("goldens/prompt/vectors.json");
    cJSON *vectors = text ? cJSON_Parse(text) : NULL, *vector;
    cJSON_ArrayForEach(vector, vectors)
    {
        SlError err = {0};
        int steps = item(vector, 2)->valueint;
        SlPromptMode mode = mode_of(item(vector, 0)->valuestring);
        const SlPromptAsk ask = {mode, item(vector, 1)->valuestring, false, steps ? steps : 1};
        SlPrompt *prompt = sl_prompt_read(&ask, &err);
        bool ok = same_prompt(prompt, item(vector, 3));
        count[mode]++;
        same[mode] += ok;
        if (!ok) {
            char *shown = cJSON_PrintUnformatted(vector);
            sl_test_note("differs: %s %s", shown, err.message);
            free(shown);
        }
        sl_prompt_free(prompt);
    }
    for (int m = SL_PROMPT_A1111; m < SL_PROMPT_MODES; m++)
        sl_test(count[m] > 100 && same[m] == count[m], "%s: %d of %d prompts", modes[m], same[m],
                count[m]);
    cJSON_Delete(vectors);
    free(text);
}

/* ---- tags, faults, places ---- */

static void test_loras(void)
{
    SlPromptAsk ask = {SL_PROMPT_A1111,
                       "a <lora:fur:0.5> cat<lora:film grain:.2:0.9><lora:x:unet=2:te=0><lora:y>"
                       "<hypernet:z:1> <3",
                       false, 20};
    SlPrompt *p = sl_prompt_read(&ask, NULL);
    bool ok = p && p->loras == 4 && !strcmp(p->lora[0].name, "fur") && p->lora[0].unet == 0.5 &&
              p->lora[0].text == 0.5 && p->lora[0].at == 2 && p->lora[0].length == 14 &&
              !strcmp(p->lora[1].name, "film grain") && p->lora[1].text == 0.2 &&
              p->lora[1].unet == 0.9 && p->lora[2].unet == 2 && p->lora[2].text == 0 &&
              p->lora[3].unet == 1 && p->lora[3].text == 1;
    sl_test(ok && !strcmp(p->part[0].text[0].section[0].phrase[0].piece[0].text, "a  cat <3"),
            "a1111's tags are taken out and read");
    sl_prompt_free(p);
    ask.negative = true;
    p = sl_prompt_read(&ask, NULL);
    sl_test(p && p->loras == 0 && p->parts == 1, "but not those of a negative prompt");
    sl_prompt_free(p);
    ask = (SlPromptAsk){SL_PROMPT_COMPEL, "a cat withLora(fur, 0.5)", false, 20};
    p = sl_prompt_read(&ask, NULL);
    sl_test(p && p->loras == 1 && p->lora[0].unet == 0.5 && p->lora[0].text == 0.5 &&
                p->lora[0].at == 15,
            "compel's are read, too");
    sl_prompt_free(p);
}

static void expect_faults(SlPromptMode mode, const char *text, const char *want)
{
    char got[200] = "";
    SlPrompt *p = sl_prompt_read(&(SlPromptAsk){mode, text, false, 20}, NULL);
    for (int i = 0; p && i < p->faults; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%d %s", i ? ", " : "",
                 p->fault[i].at, sl_prompt_fault_text(p->fault[i].fault));
    sl_test(p && !strcmp(got, want), "%s \"%s\": %s", modes[mode], text, got);
    sl_prompt_free(p);
}

static void test_faults(void)
{
    expect_faults(SL_PROMPT_A1111, "a (b [c",
                  "2 this bracket is not closed, 5 this bracket is not closed");
    expect_faults(SL_PROMPT_A1111, "<lora:x:1>a) b] [c:d:0.5]",
                  "11 this bracket closes nothing, 14 this bracket closes nothing");
    expect_faults(SL_PROMPT_A1111, "(a:1.2.3) <lora:x:y>",
                  "3 this weight is not a number, 18 this weight is not a number");
    expect_faults(SL_PROMPT_A1111, "(a:1.2) \\( [b]", "");
    expect_faults(SL_PROMPT_COMFYUI, "\\( (a [b", "3 this bracket is not closed");
    expect_faults(SL_PROMPT_COMPEL, "a) (b",
                  "1 this bracket closes nothing, 3 this bracket is not closed");
    expect_faults(SL_PROMPT_PLAIN, "a) (b", "");
}

static void test_places(void)
{
    SlPromptAsk ask = {SL_PROMPT_A1111, "é [a:(bee:2):4] \\(", false, 20};
    SlPrompt *p = sl_prompt_read(&ask, NULL);
    const SlPromptPhrase *late = p ? &p->part[0].text[1].section[0].phrase[0] : NULL;
    sl_test(late && late->pieces == 3 && !strcmp(late->piece[1].text, "bee") &&
                late->piece[1].from[0] == 7 && late->piece[1].weight == 2 &&
                !strcmp(late->piece[2].text, " (") && late->piece[2].from[1] == 18,
            "every byte of a piece knows its place in the prompt");
    sl_prompt_free(p);
    sl_test(sl_prompt_has_weights("a (cat:1.2)") && sl_prompt_has_weights("((cat))") &&
                !sl_prompt_has_weights("a cat (sitting): 3 o'clock") &&
                !sl_prompt_has_weights("\\(cat:1.2\\), 16:9") && !sl_prompt_has_weights(NULL),
            "weights are seen where they are");
}

/* ---- hostile ---- */

static void test_hostile(void)
{
    static const char *const units[] = {
        "(",  "[",   "((",  "[a|",      "[a:",    "(a:",       "\"",    "a|[", ")",
        "\\", "<a:", "(\"", "a:1 AND ", "BREAK(", "withLora(", "[a|b:", "[(:"};
    char *text = malloc(SL_PROMPT_MAX_BYTES + 2);
    int read = 0, refused = 0;
    for (size_t u = 0; u < sizeof units / sizeof *units; u++)
        for (int size = 0; size < 2; size++) {
            size_t n = strlen(units[u]), length = 0, most = size ? SL_PROMPT_MAX_BYTES : 600;
            for (; length + n <= most; length += n)
                memcpy(text + length, units[u], n);
            text[length] = '\0';
            for (int m = 0; m < SL_PROMPT_MODES; m++) {
                SlError err = {0};
                SlPrompt *p = sl_prompt_read(&(SlPromptAsk){m, text, false, 50}, &err);
                read += p != NULL;
                refused += !p && *err.message;
                sl_prompt_free(p);
            }
        }
    sl_test(read + refused == (int)(sizeof units / sizeof *units) * 2 * SL_PROMPT_MODES && refused,
            "%d hostile texts are read, %d refused", read, refused);
    SlError err = {0};
    memset(text, 'a', SL_PROMPT_MAX_BYTES + 1);
    text[SL_PROMPT_MAX_BYTES + 1] = '\0';
    sl_test(!sl_prompt_read(&(SlPromptAsk){SL_PROMPT_A1111, text, false, 1}, &err) &&
                strstr(err.message, "65537 bytes"),
            "%s", err.message);
    err = (SlError){0};
    sl_test(!sl_prompt_read(&(SlPromptAsk){SL_PROMPT_COMPEL, "a \xff", false, 1}, &err), "%s",
            err.message);
    free(text);
}

int main(void)
{
    test_vectors();
    test_loras();
    test_faults();
    test_places();
    test_hostile();
    return sl_test_done();
}
