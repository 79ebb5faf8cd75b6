/* adapter_uses.c - the text in which a recipe says its adapters (see adapters.h).
 *
 * Easy to get wrong: names may hold any sign, so the text is read from its end, and only what is a
 * number there is taken for a strength; a German locale must not write or want commas.
 */
#include "engine/adapters/adapters.h"
#include "engine/adapters/uses_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

/* A decimal number that is the whole text up to end. */
static bool read_number(const char *p, const char *end, double *number)
{
    double digits = 0, divisor = 1;
    bool minus = p < end && *p == '-', point = false;
    int count = 0;
    for (p += p < end && (*p == '-' || *p == '+'); p < end && count < 16; p++) {
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (*p < '0' || *p > '9')
            break;
        digits = digits * 10 + (*p - '0');
        divisor *= point ? 10 : 1;
        count++;
    }
    *number = (minus ? -digits : digits) / divisor;
    return p == end && count > 0;
}

SlStrengthText sl_strength_text(double strength)
{
    SlStrengthText s;
    long long millionths = llround(fabs(strength) * 1e6);
    char part[8];
    int digits = snprintf(part, sizeof part, "%06u", (unsigned)(millionths % 1000000) % 1000000);
    while (digits > 0 && part[digits - 1] == '0')
        part[--digits] = 0;
    int used = snprintf(s.text, sizeof s.text, "%s%lld", strength < 0 && millionths ? "-" : "",
                        millionths / 1000000);
    if (digits > 0)
        snprintf(s.text + used, sizeof s.text - (size_t)used, ".%s", part);
    return s;
}

/* ---- one use ---- */

/* Takes what follows the last `sign` off the end of the text; NULL: there is none. */
static const char *find_last(const char *start, const char *end, char sign)
{
    return memrchr(start, sign, (size_t)(end - start));
}

static bool take_number(const char *start, const char **end, double *number)
{
    const char *at = find_last(start, *end, ':');
    double found;
    if (!at || at == start || !read_number(at + 1, *end, &found))
        return false;
    *number = found;
    *end = at;
    return true;
}

/* "@0.2-0.8" */
static bool take_range(const char *start, const char **end, SlAdapterUse *use)
{
    const char *at = find_last(start, *end, '@');
    const char *dash = at ? memchr(at, '-', (size_t)(*end - at)) : NULL;
    if (!dash || at == start || !read_number(at + 1, dash, &use->from) ||
        !read_number(dash + 1, *end, &use->to)) {
        use->from = 0;
        use->to = 1;
        return false;
    }
    *end = at;
    return true;
}

/* "0:1,0.5:0.3" up to the end */
static bool read_points(const char *p, const char *end, SlAdapterUse *use)
{
    while (use->points < SL_ADAPTER_POINTS) {
        const char *stop = memchr(p, ',', (size_t)(end - p));
        stop = stop ? stop : end;
        const char *colon = memchr(p, ':', (size_t)(stop - p));
        int i = use->points;
        if (!colon || !read_number(p, colon, &use->point[i].at) ||
            !read_number(colon + 1, stop, &use->point[i].factor))
            return false;
        use->points++;
        if (stop == end)
            return true;
        p = stop + 1;
    }
    return false;
}

/* "@0:1,0.5:0.3" */
static bool take_curve(const char *start, const char **end, SlAdapterUse *use)
{
    const char *at = find_last(start, *end, '@');
    if (!at || at == start || !read_points(at + 1, *end, use)) {
        use->points = 0;
        return false;
    }
    *end = at;
    return true;
}

static bool is_hash(size_t length)
{
    return length == 8 || length == 10 || length == 12 || length == 64;
}

static bool check_curve(const SlAdapterUse *use, SlError *err)
{
    for (int i = 0; i < use->points; i++) {
        double at = use->point[i].at;
        if (at < 0 || at > 1 || (i > 0 && at <= use->point[i - 1].at))
            return sl_fail(err, SL_ARGUMENT,
                           "the curve of the LoRA %.200s has a point at %s of the steps; expected "
                           "rising parts from 0 to 1, like @0:1,0.5:0.3",
                           use->name, sl_strength_text(at).text);
        if (fabs(use->point[i].factor * use->unet) > SL_ADAPTER_STRENGTH_MAX)
            return sl_fail(err, SL_ARGUMENT,
                           "the curve of the LoRA %.200s makes its strength %s; expected -%d to %d",
                           use->name, sl_strength_text(use->point[i].factor * use->unet).text,
                           SL_ADAPTER_STRENGTH_MAX, SL_ADAPTER_STRENGTH_MAX);
    }
    return true;
}

static bool check_use(const SlAdapterUse *use, SlError *err)
{
    double most = fmax(fabs(use->unet), fabs(use->text));
    if (most > SL_ADAPTER_STRENGTH_MAX)
        return sl_fail(err, SL_ARGUMENT,
                       "the LoRA %.200s has the strength %s; expected -%d to %d, where 1 is as "
                       "trained",
                       use->name, sl_strength_text(most).text, SL_ADAPTER_STRENGTH_MAX,
                       SL_ADAPTER_STRENGTH_MAX);
    if (use->from < 0 || use->to > 1 || use->from >= use->to)
        return sl_fail(err, SL_ARGUMENT,
                       "the LoRA %.200s is to count from %s to %s; expected parts of the steps, "
                       "like @0-0.5 for their first half",
                       use->name, sl_strength_text(use->from).text, sl_strength_text(use->to).text);
    return check_curve(use, err);
}

static bool read_use(const char *start, const char *end, void *to, SlError *err)
{
    SlAdapterUse *use = to;
    *use = (SlAdapterUse){.unet = 1, .text = 1, .to = 1};
    if (!take_range(start, &end, use))
        take_curve(start, &end, use);
    if (take_number(start, &end, &use->text)) {
        use->unet = use->text;
        take_number(start, &end, &use->unet);
    }
    sl_uses_take_hash(start, &end, is_hash, use->hash);
    if (end == start || *start == ':' || (size_t)(end - start) >= sizeof use->name)
        return sl_fail(err, SL_ARGUMENT,
                       "\"%.200s\" names no LoRA; expected something like NAME:0.8", start);
    memcpy(use->name, start, (size_t)(end - start));
    return check_use(use, err);
}

bool sl_adapter_curve_parse(const char *text, SlAdapterUse *use, SlError *err)
{
    const SlAdapterUse before = *use;
    char bare[2000];
    size_t n = 0;
    for (const char *p = text; *p && n < sizeof bare; p++)
        if (*p != ' ')
            bare[n++] = *p;
    use->points = 0;
    bool ok = n == 0 || (n < sizeof bare && read_points(bare, bare + n, use)) ||
              sl_fail(err, SL_ARGUMENT,
                      "\"%.100s\" is no curve; expected up to %d points like 0:1, 0.5:0.3, each a "
                      "part of the steps and by what the strength is multiplied there",
                      text, SL_ADAPTER_POINTS);
    ok = ok && check_curve(use, err);
    if (!ok)
        *use = before;
    return ok;
}

/* ---- all ---- */

bool sl_adapter_uses_parse(const char *text, SlAdapterUses *uses, SlError *err)
{
    static const SlUsesKind kind = {"LoRAs", SL_ADAPTERS_MAX, sizeof(SlAdapterUse), read_use};
    void *use;
    bool ok = sl_uses_parse(&kind, text, &use, &uses->count, err);
    uses->use = use;
    return ok;
}

void sl_adapter_uses_free(SlAdapterUses *uses)
{
    free(uses->use);
    *uses = (SlAdapterUses){0};
}

bool sl_adapter_uses_check(const char *text, SlError *err)
{
    SlAdapterUses uses;
    bool ok = sl_adapter_uses_parse(text, &uses, err);
    sl_adapter_uses_free(&uses);
    return ok;
}

/* Appends to a text that has room for it. */
__attribute__((format(printf, 2, 3))) static void add(char **end, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    *end += vsprintf(*end, format, args);
    va_end(args);
}

static void add_use(char **end, const SlAdapterUse *u)
{
    add(end, "%s%s%s:%s", u->name, *u->hash ? "#" : "", u->hash, sl_strength_text(u->unet).text);
    if (u->text != u->unet)
        add(end, ":%s", sl_strength_text(u->text).text);
    if (u->points == 0 && (u->from > 0 || u->to < 1))
        add(end, "@%s-%s", sl_strength_text(u->from).text, sl_strength_text(u->to).text);
    for (int i = 0; i < u->points; i++)
        add(end, "%c%s:%s", i ? ',' : '@', sl_strength_text(u->point[i].at).text,
            sl_strength_text(u->point[i].factor).text);
}

char *sl_adapter_uses_text(const SlAdapterUses *uses)
{
    const size_t numbers = (4 + 2 * SL_ADAPTER_POINTS) * (sizeof(SlStrengthText) + 1);
    const SlAdapterUse *u = uses->use;
    char *text =
        calloc((size_t)uses->count * (sizeof u->name + sizeof u->hash + numbers + 4) + 1, 1);
    char *end = text;
    for (int i = 0; text && i < uses->count; i++) {
        add(&end, "%s", i ? "; " : "");
        add_use(&end, &u[i]);
    }
    return text;
}

/* Before the first point and behind the last it stays what it is there. */
static double curve_at(const SlAdapterUse *use, double at)
{
    int i = 0;
    while (i < use->points && use->point[i].at <= at)
        i++;
    if (i == 0 || i == use->points)
        return use->point[i ? i - 1 : 0].factor;
    double from = use->point[i - 1].at, to = use->point[i].at, start = use->point[i - 1].factor;
    return start + (use->point[i].factor - start) * (at - from) / (to - from);
}

double sl_adapter_use_at(const SlAdapterUse *use, int i, int n)
{
    double at = n > 0 ? (double)i / n : 0;
    if (use->points > 0)
        return use->unet * curve_at(use, at);
    /* 6 of 20 are 0.3, though 0.3 is not among the numbers */
    return at >= use->from - 1e-9 && at < use->to - 1e-9 ? use->unet : 0;
}
