/* font_faces.c - font.h with FreeType, Raqm (HarfBuzz and FriBidi) and Fontconfig.
 *
 * A text whose letters are all in our own font is laid out letter by letter and asks no library but
 * FreeType, whose failures are told; so the captions of most sheets are the same bytes on every
 * machine, and Fontconfig is not even started for them. Everything else (other scripts, marks, right
 * to left) is Raqm's, with the system's fonts for what ours does not have.
 *
 * Easy to get wrong: Fontconfig goes by the locale where it is not told a language, so the same sheet
 * would have other letters for another person; letters in colours are bitmaps of one size, so such
 * fonts are not asked; sizes are those of the face, which two scales share, so they are set for each
 * text; and the libraries behind Raqm, and FreeType's hinter, do not say that memory ran out, so it is known to
 * be there first.
 */
#include "app/image/font.h"
#include "app/image/font_bytes.h"

#include <fontconfig/fontconfig.h>
#include <ft2build.h>
#include <math.h>
#include <raqm.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>
#include FT_ADVANCES_H
#include FT_FREETYPE_H
#include FT_OUTLINE_H

#define OWN_CAP  (1493.0 / 2048) /* our font's capitals, of its size */
#define ABOVE    (7.0 / 6)       /* from a line's top to the base line, in capitals */
#define BOX      0x25A1          /* WHITE SQUARE, which our font has */
#define FACES    24              /* of the system, at a time */
#define LONGEST  1024            /* characters of a line */
#define ROOM     ((size_t)64 << 20)
#define UNHINTED (FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP)

struct SlFonts {
    FT_Library library;
    FT_Face own;
    FT_Face face[FACES]; /* of the system, in the order in which they were needed */
    int count;
    bool failed;
};

/* One letter where it stands, 26.6 pixels from the beginning of the base line. */
typedef struct Letter {
    FT_Face face;
    FT_UInt index;
    FT_Pos x, y;
} Letter;

typedef struct Laid {
    uint32_t character[LONGEST];
    FT_Face face[LONGEST];
    size_t characters;
    bool plain; /* all in our own font, from left to right, without marks */
    Letter *letter;
    size_t letters;
    FT_Pos width;
} Laid;

SlFonts *sl_fonts_open(SlError *err)
{
    SlFonts *fonts = calloc(1, sizeof *fonts);
    if (fonts && sl_host_has_room(ROOM) && FT_Init_FreeType(&fonts->library) == 0 &&
        FT_New_Memory_Face(fonts->library, font_bytes, sizeof font_bytes, 0, &fonts->own) == 0)
        return fonts;
    sl_fonts_free(fonts);
    sl_fail(err, SL_MEMORY, "memory ran out for letters");
    return NULL;
}

void sl_fonts_free(SlFonts *fonts)
{
    if (!fonts)
        return;
    for (int i = 0; i < fonts->count; i++)
        FT_Done_Face(fonts->face[i]);
    if (fonts->own)
        FT_Done_Face(fonts->own);
    if (fonts->library)
        FT_Done_FreeType(fonts->library);
    free(fonts);
}

bool sl_fonts_ok(const SlFonts *fonts, SlError *err)
{
    return !fonts->failed || sl_fail(err, SL_MEMORY, "memory ran out for letters");
}

/* ---- which font ---- */

static bool is_mark(uint32_t c)
{
    return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_M);
}

/* What is not seen by itself: joiners, variants, marks of direction. */
static bool is_unseen(uint32_t c)
{
    return uc_is_property_default_ignorable_code_point(c);
}

/* Whose letters a character has, where fonts differ in them. */
static const char *language_of(uint32_t c)
{
    if ((c >= 0x1100 && c < 0x1200) || (c >= 0x3130 && c < 0x3190) || (c >= 0xAC00 && c < 0xD7B0))
        return "ko";
    return c >= 0x3040 && c < 0x3100 ? "ja" : c >= 0x2E80 && c < 0xA000 ? "zh-cn" : "en";
}

/* The file of the font that the system has for a character, malloc'ed; NULL: none, or memory ran out, which
 * the fonts then say. */
static char *find_font(SlFonts *fonts, uint32_t c, int *place)
{
    FcPattern *pattern = FcPatternCreate(), *found = NULL;
    FcCharSet *set = FcCharSetCreate();
    FcChar8 *file;
    FcResult result;
    char *path = NULL;
    if (!pattern || !set || !FcCharSetAddChar(set, c)) {
        fonts->failed = true;
    } else {
        FcPatternAddCharSet(pattern, FC_CHARSET, set);
        FcPatternAddBool(pattern, FC_SCALABLE, FcTrue);
        FcPatternAddBool(pattern, FC_COLOR, FcFalse);
        FcPatternAddString(pattern, FC_FAMILY, (const FcChar8 *)"sans-serif");
        FcPatternAddString(pattern, FC_LANG, (const FcChar8 *)language_of(c));
        FcConfigSubstitute(NULL, pattern, FcMatchPattern);
        FcDefaultSubstitute(pattern);
        found = FcFontMatch(NULL, pattern, &result);
    }
    if (found && FcPatternGetString(found, FC_FILE, 0, &file) == FcResultMatch &&
        FcPatternGetInteger(found, FC_INDEX, 0, place) == FcResultMatch &&
        !(path = strdup((const char *)file)))
        fonts->failed = true;
    if (found)
        FcPatternDestroy(found);
    if (set)
        FcCharSetDestroy(set);
    if (pattern)
        FcPatternDestroy(pattern);
    return path;
}

/* NULL: the system has none. */
static FT_Face open_for(SlFonts *fonts, uint32_t c)
{
    int place = 0;
    FT_Face face = NULL;
    if (fonts->count == FACES)
        return NULL;
    if (!sl_host_has_room(ROOM)) {
        fonts->failed = true;
        return NULL;
    }
    char *path = find_font(fonts, c, &place);
    FT_Error status = path ? FT_New_Face(fonts->library, path, place, &face) : 0;
    if (status != 0) /* for want of memory it can be that of a damaged file, which is told again */
        status = FT_New_Face(fonts->library, path, place, &face);
    if (status != 0)
        face = NULL;
    fonts->failed = fonts->failed || status == FT_Err_Out_Of_Memory;
    free(path);
    if (face && (!FT_IS_SCALABLE(face) || FT_Get_Char_Index(face, c) == 0)) {
        FT_Done_Face(face);
        face = NULL;
    }
    if (face)
        fonts->face[fonts->count++] = face;
    return face;
}

static FT_Face face_for(SlFonts *fonts, uint32_t c)
{
    if (FT_Get_Char_Index(fonts->own, c))
        return fonts->own;
    for (int i = 0; i < fonts->count; i++)
        if (FT_Get_Char_Index(fonts->face[i], c))
            return fonts->face[i];
    return open_for(fonts, c);
}

/* A mark belongs to the letter before it, in that letter's font where it is there. */
static FT_Face face_beside(SlFonts *fonts, const Laid *laid, uint32_t c)
{
    FT_Face before = laid->characters ? laid->face[laid->characters - 1] : NULL;
    if (before && (is_unseen(c) || (is_mark(c) && FT_Get_Char_Index(before, c))))
        return before;
    return is_unseen(c) ? fonts->own : face_for(fonts, c);
}

/* ---- letters in their places ---- */

/* The characters with their fonts; what has none is a box, one for neighbours. */
static void take_text(SlFonts *fonts, const char *text, size_t bytes, Laid *laid)
{
    const uint8_t *p = (const uint8_t *)text, *end = p + bytes;
    bool box = false;
    laid->plain = true;
    while (p < end && laid->characters < LONGEST) {
        ucs4_t c = 0xFFFD;
        p += u8_mbtouc(&c, p, (size_t)(end - p));
        c = c < ' ' || c == 0x7F ? ' ' : c;
        FT_Face face = face_beside(fonts, laid, c);
        if (!face && box)
            continue;
        box = !face;
        laid->plain = laid->plain && (!face || face == fonts->own) && !is_mark(c) && !is_unseen(c);
        laid->character[laid->characters] = face ? c : BOX;
        laid->face[laid->characters++] = face ? face : fonts->own;
    }
}

static bool set_sizes(SlFonts *fonts, double scale)
{
    FT_F26Dot6 size = (FT_F26Dot6)lround(scale / OWN_CAP * 64);
    bool ok = FT_Set_Char_Size(fonts->own, 0, size, 72, 72) == 0;
    for (int i = 0; i < fonts->count; i++)
        ok = FT_Set_Char_Size(fonts->face[i], 0, size, 72, 72) == 0 && ok;
    return ok;
}

static bool place_plainly(Laid *laid)
{
    laid->letter = malloc((laid->characters + 1) * sizeof *laid->letter);
    if (!laid->letter)
        return false;
    for (size_t i = 0; i < laid->characters; i++) {
        FT_Fixed advance = 0;
        FT_UInt index = FT_Get_Char_Index(laid->face[i], laid->character[i]);
        if (FT_Get_Advance(laid->face[i], index, UNHINTED, &advance) != 0)
            return false;
        laid->letter[laid->letters++] = (Letter){laid->face[i], index, laid->width, 0};
        laid->width += advance >> 10;
    }
    return true;
}

static bool place_shaped(Laid *laid)
{
    size_t count = 0;
    raqm_t *raqm = sl_host_has_room(ROOM) ? raqm_create() : NULL;
    bool ok = raqm && raqm_set_text(raqm, laid->character, laid->characters) &&
              raqm_set_par_direction(raqm, RAQM_DIRECTION_DEFAULT) &&
              raqm_set_freetype_load_flags(raqm, UNHINTED);
    for (size_t i = 0; ok && i < laid->characters; i++)
        ok = raqm_set_freetype_face_range(raqm, laid->face[i], i, 1);
    ok = ok && raqm_layout(raqm);
    const raqm_glyph_t *glyph = ok ? raqm_get_glyphs(raqm, &count) : NULL;
    laid->letter = glyph ? malloc((count + 1) * sizeof *laid->letter) : NULL;
    ok = laid->letter != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        laid->letter[laid->letters++] = (Letter){
            glyph[i].ftface, glyph[i].index, laid->width + glyph[i].x_offset, glyph[i].y_offset};
        laid->width += glyph[i].x_advance;
    }
    if (raqm)
        raqm_destroy(raqm);
    return ok;
}

/* NULL where it failed, which the fonts then say; free it with free_laid. */
static Laid *lay_out(SlFonts *fonts, const char *text, size_t bytes, double scale)
{
    Laid *laid = fonts->failed ? NULL : calloc(1, sizeof *laid);
    if (!laid) {
        fonts->failed = true;
        return NULL;
    }
    take_text(fonts, text, bytes, laid);
    if (!set_sizes(fonts, scale) ||
        (laid->characters > 0 && !(laid->plain ? place_plainly(laid) : place_shaped(laid))))
        fonts->failed = true;
    return laid;
}

static void free_laid(Laid *laid)
{
    if (laid)
        free(laid->letter);
    free(laid);
}

int sl_font_width(SlFonts *fonts, const char *text, size_t bytes, double scale)
{
    Laid *laid = lay_out(fonts, text, bytes, scale);
    int width = laid ? (int)((laid->width + 63) >> 6) : 0;
    free_laid(laid);
    return width;
}

/* ---- drawing ---- */

static void blend(SlBitmap *canvas, int x, int y, const uint8_t color[3], unsigned cover)
{
    if (x < 0 || y < 0 || x >= canvas->width || y >= canvas->height)
        return;
    uint8_t *p = canvas->rgb + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
    for (int i = 0; i < 3; i++)
        p[i] = (uint8_t)((p[i] * (255 - cover) + color[i] * cover + 127) / 255);
}

static void draw_bitmap(SlBitmap *canvas, const FT_Bitmap *from, int x, int y,
                        const uint8_t color[3])
{
    if (from->pixel_mode != FT_PIXEL_MODE_GRAY)
        return;
    for (int row = 0; row < (int)from->rows; row++)
        for (int column = 0; column < (int)from->width; column++)
            blend(canvas, x + column, y + row, color, from->buffer[row * from->pitch + column]);
}

/* Sharp from top to bottom (TARGET_LIGHT), and at its place to a 64th from left to right. */
static bool draw_letter(SlBitmap *canvas, const Letter *l, int x, int base, const uint8_t color[3])
{
    FT_GlyphSlot slot = l->face->glyph;
    if (FT_Load_Glyph(l->face, l->index, FT_LOAD_TARGET_LIGHT | FT_LOAD_NO_BITMAP) != 0)
        return false;
    if (slot->format == FT_GLYPH_FORMAT_OUTLINE)
        FT_Outline_Translate(&slot->outline, l->x & 63, 0);
    if (FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL) != 0)
        return false;
    draw_bitmap(canvas, &slot->bitmap, x + (int)(l->x >> 6) + slot->bitmap_left,
                base - (int)((l->y + 32) >> 6) - slot->bitmap_top, color);
    return true;
}

void sl_font_draw(SlFonts *fonts, SlBitmap *canvas, const char *text, size_t bytes, int x, int y,
                  double scale, const uint8_t color[3])
{
    Laid *laid = lay_out(fonts, text, bytes, scale);
    int base = y + (int)lround(scale * ABOVE);
    if (laid && !sl_host_has_room(ROOM)) { /* FreeType's hinter does not check all of it */
        fonts->failed = true;
        laid->letters = 0;
    }
    for (size_t i = 0; laid && i < laid->letters; i++)
        fonts->failed = !draw_letter(canvas, &laid->letter[i], x, base, color) || fonts->failed;
    free_laid(laid);
}
