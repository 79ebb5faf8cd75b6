/* test_sentences.c - what is said, in English and through a translation: the order of what is filled in,
 * the form of numbers, and where a text that is too long is cut. */
#include "kernels/kernels.h"
#include "test.h"

#include <string.h>

/* What a catalogue would give; what it does not know comes back as it is. */
static const char *look_up(const char *english)
{
    static const char *const known[][2] = {
        {"%s has %d parts of %.1f", "%3$.1f-mal je %2$d: %1$s"},
        {"nothing", "nichts"},
        {"%s", "가나다라%s"},
        {"%d part%s", "Teile: %1$d%2$.0s"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(known[i][0], english))
            return known[i][1];
    return english;
}

static void fill(char *to, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sl_sentence_v(to, room, format, args);
    va_end(args);
}

static void test_english(void)
{
    SlError err = {0};
    bool given = sl_fail(&err, SL_FORMAT, "%s has %d parts of %.1f", "it", 3, 0.5);
    sl_test(!given && err.code == SL_FORMAT && !strcmp(err.message, "it has 3 parts of 0.5"),
            "English and its numbers, in any locale: %s", err.message);
    sl_test(!sl_fail(NULL, SL_FORMAT, "%s", "it"), "who does not ask is not told");
    sl_test(!strcmp(sl_words("nothing"), "nothing"), "words stay as they are");
}

static void test_translated(void)
{
    SlError err = {0};
    sl_set_translate(look_up);
    sl_fail(&err, SL_FORMAT, "%s has %d parts of %.1f", sl_words("nothing"), 3, 0.5);
    const char *comma = getenv("SAFELIGHT_DECIMAL");
    char expected[100];
    snprintf(expected, sizeof expected, "0%s5-mal je 3: nichts", comma ? comma : ".");
    sl_test(!strcmp(err.message, expected), "another order, and the language's numbers: %s",
            err.message);
    sl_fail(&err, SL_FORMAT, "%d part%s", 2, "s");
    sl_test(!strcmp(err.message, "Teile: 2"), "what only English needs is left out: %s",
            err.message);
    sl_fail(&err, SL_FORMAT, "%d of %.1f, untranslated", 1, 1.5);
    sl_test(!strcmp(err.message, "1 of 1.5, untranslated"), "what nobody translated is English: %s",
            err.message);
    sl_test(!strcmp(sl_words(""), ""), "nothing stays nothing");
    sl_test(sl_get_translate() == look_up, "a module is told the same");
}

/* 12 bytes of four characters, and what is filled in. */
static void test_cut(void)
{
    char text[32];
    const char *expected[] = {"", "", "가", "가", "가", "가나", "가나", "가나", "가나다"};
    bool right = true;
    for (size_t room = 2; room <= 10; room++) {
        fill(text, room, "%s", "x");
        right = right && !strcmp(text, expected[room - 2]);
    }
    sl_test(right, "a text is cut between two characters");
    fill(text, sizeof text, "%s", "x");
    sl_test(!strcmp(text, "가나다라x"), "and not where it fits: %s", text);
    fill(text, 14, "%s", "x");
    sl_test(!strcmp(text, "가나다라x"), "exactly: %s", text);
    sl_set_translate(NULL);
}

int main(void)
{
    test_english();
    test_translated();
    test_cut();
    return sl_test_done();
}
