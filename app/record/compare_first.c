/* compare_first.c - see compare_first.h. Nothing here may change. */
#include "app/record/compare_first.h"
#include "app/recipe/recipe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIRST_TITLE 64 /* bytes that a title had */

static bool put(SlText *text, char *out, size_t size, SlError *err)
{
    bool ok = !text->failed || sl_fail(err, SL_MEMORY, "memory ran out for a sheet");
    snprintf(out, size, "%s", ok ? text->data : "");
    sl_text_free(text);
    return ok;
}

bool sl_first_heading(const SlCompare *c, char *out, size_t size, SlError *err)
{
    const SlRecipe *r = c->picture[0].metadata.recipe;
    SlText text = {0};
    sl_text_addf(&text, "%.300s%sseed %" PRIu64 ", guidance %g", r->prompt, *r->prompt ? " - " : "",
                 r->seed, r->guidance);
    return put(&text, out, size, err);
}

/* A phrase of the table with the setting's value in it. */
static void add_phrase(SlText *text, const SlSettingInfo *s, const SlRecipe *r)
{
    const char *value = strstr(s->title, "%s");
    if (s->title_unset && sl_setting_is_unset(s, r)) {
        sl_text_addf(text, ", %s", s->title_unset);
        return;
    }
    sl_text_addf(text, ", %.*s", (int)(value - s->title), s->title);
    if (s->kind == SL_KIND_TEXT)
        sl_text_add(text, sl_setting_text(s, r));
    else if (s->kind == SL_KIND_REAL)
        sl_text_addf(text, "%g", sl_setting_number(s, r));
    else
        sl_setting_add_value(text, s, r);
    sl_text_add(text, value + 2);
}

static bool title(const SlCompare *c, int i, char *out, size_t size, SlError *err)
{
    const SlRecipe *r = c->picture[i].metadata.recipe, *first = c->picture[0].metadata.recipe;
    SlText text = {0};
    sl_text_add(&text, sl_scheduler_find(r->scheduler)->name);
    for (int turn = 0; turn <= SL_SETTING_TURNS; turn++)
        for (int k = 0; k < SL_N_SETTINGS; k++)
            if (sl_setting(k)->title && sl_setting(k)->turn == turn &&
                !sl_setting_equal(sl_setting(k), r, first))
                add_phrase(&text, sl_setting(k), r);
    return put(&text, out, size, err);
}

bool sl_first_end(const SlCompare *c, int i, SlSheetTile *tile, SlError *err)
{
    const SlGenerated *p = &c->picture[i];
    const SlMetadata *m = &p->metadata;
    if (m->partial)
        snprintf(tile->detail, sizeof tile->detail, "stopped at step %d of %d", m->step, m->steps);
    else
        snprintf(tile->detail, sizeof tile->detail, "%d step%s, %d evaluation%s", m->steps,
                 m->steps == 1 ? "" : "s", p->evaluations, p->evaluations == 1 ? "" : "s");
    return title(c, i, tile->title, FIRST_TITLE, err);
}

bool sl_first_moment(const SlCompare *c, int i, SlPlace place, SlSheetTile *tile, SlError *err)
{
    SlText text = {0};
    if (!title(c, i, tile->title, FIRST_TITLE, err))
        return false;
    if (place.moment < 0)
        return true;
    const SlTimeline *t = sl_lanes_timeline(c->lanes, place.lane);
    SlMoment m = sl_timeline_planned(t, place.moment);
    /* the level after the step, where all else says the one before it */
    double level = m.last ? 0 : sl_timeline_planned(t, place.moment + 1).sigma;
    sl_text_addf(&text, "step %d of %d, sigma %.3g, %d evaluation%s", m.step + 1,
                 c->picture[i].metadata.steps, level, m.work, m.work == 1 ? "" : "s");
    return put(&text, tile->detail, sizeof tile->detail, err);
}
