/* template.h - a text that stands for many prompts: choices, and lines of wildcard files.
 *
 *     {a|b|c}             one of them                    {0.5::a|b}     a half as often as b
 *     {2$$a|b|c}          two, "a,b"; in any order       {1-2$$ and $$a|b}   one or two, with " and " between
 *     __colour__          a line of colour.txt           __animals/ *__, __**__   of all files there
 *     # to the end        a comment                      \{ \} \| \# \_ \$   the sign itself
 *
 * Choices and wildcards may stand within one another; what a wildcard's line says is a template again. Mirrors
 * the dynamicprompts library's grammar (sd-dynamic-prompts), without its variables ${} and other samplers, which
 * are refused by name. Easy to get wrong: blanks after "{" and "|" are no text, those before "|" and "}" are; two
 * of a choice are different ones, in every order; a line that begins with "#" is none.
 */
#ifndef SL_APP_TEMPLATE_H
#define SL_APP_TEMPLATE_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlTemplate SlTemplate;

#define SL_TEMPLATE_MAX_ALL 1000 /* prompts that sl_template_all makes */

/* folders: where wildcard files are looked for, in this order, ended by NULL; the first with a match counts.
 * NULL and *err where a brace is not closed, a file is missing, includes itself, or is too large. */
SlTemplate *sl_template_read(const char *text, const char *const *folders, SlError *err);
void sl_template_free(SlTemplate *t); /* NULL is fine */
/* Whether a text has any of these signs. */
bool sl_template_has_choices(const char *text);
/* How many prompts it stands for, equal ones counted as often as they come; may be infinite. */
double sl_template_count(const SlTemplate *t);
/* The prompt number n of them, below sl_template_count. malloc'ed; NULL and *err. */
char *sl_template_nth(const SlTemplate *t, uint64_t n, SlError *err);
/* One at random: the same for the same seed and stream, on every machine. malloc'ed; NULL and *err. */
char *sl_template_draw(const SlTemplate *t, uint64_t seed, uint64_t stream, SlError *err);

/* Two templates, for prompt and negative prompt, to be made into prompts together. */
typedef struct SlTemplatePair {
    char *prompt, *negative;
} SlTemplatePair;

/* Each combination of both, no two alike, for sl_template_pairs_free. NULL and *err where there are more than
 * SL_TEMPLATE_MAX_ALL. */
SlTemplatePair *sl_template_all(const SlTemplate *prompt, const SlTemplate *negative, int *count,
                                SlError *err);
void sl_template_pairs_free(SlTemplatePair *pairs, int count);

#ifdef __cplusplus
}
#endif

#endif
