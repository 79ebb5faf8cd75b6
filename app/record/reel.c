/* reel.c - see reel.h.
 *
 * Easy to get wrong: nothing that differs from run to run (seconds) may stand on a picture, or the
 * same lanes would not give the same bytes.
 */
#include "app/record/reel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- pictures ---- */

static void hash_pictures(SlReel *r, const SlSheet *sheet)
{
    size_t bytes = (size_t)sheet->width * (size_t)sheet->height * 3;
    for (int i = 0; i < sheet->count; i++)
        if (sheet->tile[i].rgb)
            sl_film_add(&r->pictures, sheet->tile[i].rgb, bytes);
}

/* Once for all pictures: with the longest details. */
static bool lay_out(SlReel *r, const SlReelPicture *p, SlError *err)
{
    SlSheet sheet = p->sheet;
    bool plain = sheet.count == 1 && !r->look.captions && r->look.side == 0;
    if (r->first_edition) {
        r->layout = sl_sheet_first_layout(&sheet);
        return true;
    }
    r->layout.factor = plain ? 1 : sl_sheet_factor(&sheet, r->look.side);
    if (!r->look.captions)
        return true;
    SlSheetTile *tile = malloc((size_t)sheet.count * sizeof *tile);
    if (!tile)
        return sl_fail(err, SL_MEMORY, "memory ran out for an animation");
    memcpy(tile, sheet.tile, (size_t)sheet.count * sizeof *tile);
    for (int i = 0; i < sheet.count; i++)
        snprintf(tile[i].detail, sizeof tile[i].detail, "%s", p->widest);
    sheet.tile = tile;
    sheet.layout = r->layout;
    bool ok = sl_sheet_lay_out(&sheet, &r->layout, err);
    free(tile);
    return ok;
}

static int ms_of(const SlReel *r, bool last)
{
    int ms = r->look.ms > 0 ? r->look.ms : SL_ANIMATION_MS;
    return last && ms < SL_ANIMATION_LAST_MS ? SL_ANIMATION_LAST_MS : ms;
}

bool sl_reel_add(SlReel *r, const SlReelPicture *p, SlError *err)
{
    SlSheet sheet = p->sheet;
    int width, height;
    hash_pictures(r, &sheet);
    if (!r->path && !r->first_edition)
        return true;
    if (r->layout.factor == 0 && !lay_out(r, p, err))
        return false;
    sheet.layout = r->layout;
    sheet.first_edition = r->first_edition;
    uint8_t *rgb = sl_sheet_render(&sheet, &width, &height, err);
    if (!rgb)
        return false;
    sl_film_add(&r->drawn, rgb, (size_t)width * (size_t)height * 3);
    if (r->path && !r->animation)
        r->animation = sl_animation_new(r->path, width, height, err);
    if (r->animation)
        sl_animation_add(r->animation, rgb, ms_of(r, p->last));
    free(rgb);
    return r->animation || !r->path;
}

SlReelSum sl_reel_sum(const SlReel *r)
{
    SlReelSum shown = {.layout = r->layout};
    memcpy(shown.pictures, r->pictures.pixels, sizeof shown.pictures);
    memcpy(shown.drawn, r->drawn.pixels, sizeof shown.drawn);
    return shown;
}

bool sl_reel_save(SlReel *r, const char *text, SlError *err)
{
    return sl_animation_save(r->animation, r->path, text, err);
}

void sl_reel_free(SlReel *r)
{
    sl_animation_free(r->animation);
    r->animation = NULL;
}

/* ---- what is said on them ---- */

bool sl_text_into(SlText *text, char *out, size_t size, SlError *err)
{
    bool ok = !text->failed || sl_fail(err, SL_MEMORY, "memory ran out for the words of a lane");
    size_t n = ok && text->data ? text->length : 0;
    if (n >= size) {
        n = size - 1;
        while (n > 0 && ((unsigned char)text->data[n] & 0xC0) == 0x80)
            n--;
    }
    if (n > 0)
        memcpy(out, text->data, n);
    out[n] = '\0';
    sl_text_free(text);
    return ok;
}

bool sl_step_caption(const SlStepCaption *c, char *out, size_t size, SlError *err)
{
    SlText text = {0};
    sl_text_addf(&text, "step %d of %d, sigma %.3g", c->step, c->steps, c->sigma);
    if (c->evaluations > 0)
        sl_text_addf(&text, ", %d evaluation%s", c->evaluations, c->evaluations == 1 ? "" : "s");
    return sl_text_into(&text, out, size, err);
}

bool sl_step_caption_widest(int steps, int evaluations, char *out, size_t size, SlError *err)
{
    const SlStepCaption widest = {steps, steps, 0.00888, evaluations};
    return sl_step_caption(&widest, out, size, err);
}

/* As much of a prompt as leaves room for the rest. */
static void add_beginning(SlText *text, const char *prompt)
{
    size_t n = strlen(prompt), most = 400;
    if (n > most)
        for (n = most; n > 0 && ((unsigned char)prompt[n] & 0xC0) == 0x80;)
            n--;
    sl_text_append(text, prompt, n);
}

static bool all_have(SlSetting id, const SlRecipe *const *recipes, int count)
{
    for (int i = 1; i < count; i++)
        if (!sl_setting_equal(sl_setting(id), recipes[i], recipes[0]))
            return false;
    return true;
}

bool sl_reel_heading(const SlRecipe *const *recipes, int count, char *out, size_t size,
                     SlError *err)
{
    const SlRecipe *r = recipes[0];
    SlText text = {0};
    if (*r->prompt && all_have(SL_SETTING_PROMPT, recipes, count))
        add_beginning(&text, r->prompt);
    if (all_have(SL_SETTING_SEED, recipes, count))
        sl_text_addf(&text, "%sseed %" PRIu64, text.length ? " - " : "", r->seed);
    if (all_have(SL_SETTING_GUIDANCE, recipes, count))
        sl_text_addf(&text, "%sguidance %g", text.length ? ", " : "", r->guidance);
    return sl_text_into(&text, out, size, err);
}
