/* strokes.c - see strokes.h. A glyph is a list of strokes, a stroke a list of points, a
 * point two digits: x 0..4 and y 0..8, where capitals lie between 0 and 6, small letters begin
 * at 2 and descenders reach 8. A point given twice is a dot. */
#include "app/image/strokes.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define CAP_UNITS 6.0
#define GAP_UNITS 1.6 /* between two glyphs */
#define PEN_UNITS 0.8 /* thickness of a stroke */

static const char *const glyphs[96] = {
    [' ' - 32] = "",
    ['!' - 32] = "2024 2626",
    ['"' - 32] = "1012 3032",
    ['#' - 32] = "1016 3036 0242 0444",
    ['$' - 32] = "413010010213334445361605 2026",
    ['%' - 32] = "4006 0010110100 3545463635",
    ['&' - 32] = "4612112030310405162644",
    ['\'' - 32] = "2022",
    ['(' - 32] = "30212536",
    [')' - 32] = "10212516",
    ['*' - 32] = "2125 0244 4204",
    ['+' - 32] = "2125 0343",
    [',' - 32] = "2617",
    ['-' - 32] = "1333",
    ['.' - 32] = "2626",
    ['/' - 32] = "4006",
    ['0' - 32] = "103041453616050110",
    ['1' - 32] = "112026 1636",
    ['2' - 32] = "01103041420646",
    ['3' - 32] = "01103041423313 334445361605",
    ['4' - 32] = "36300444",
    ['5' - 32] = "400002324345361605",
    ['6' - 32] = "413010010516364544331304",
    ['7' - 32] = "004026",
    ['8' - 32] = "13020110304142331304051636454433",
    ['9' - 32] = "051636454130100102133342",
    [':' - 32] = "2323 2626",
    [';' - 32] = "2323 2617",
    ['<' - 32] = "410345",
    ['=' - 32] = "0242 0444",
    ['>' - 32] = "014305",
    ['?' - 32] = "0110304142 2324 2626",
    ['@' - 32] = "42321314344244 41301001051646",
    ['A' - 32] = "062046 1434",
    ['B' - 32] = "003041423303 33444536 0600",
    ['C' - 32] = "4130100105163645",
    ['D' - 32] = "00304145360600",
    ['E' - 32] = "40000646 0333",
    ['F' - 32] = "400006 0333",
    ['G' - 32] = "41301001051636454323",
    ['H' - 32] = "0006 4046 0343",
    ['I' - 32] = "1030 2026 1636",
    ['J' - 32] = "4045361605",
    ['K' - 32] = "0006 400346",
    ['L' - 32] = "000646",
    ['M' - 32] = "0600234046",
    ['N' - 32] = "06004640",
    ['O' - 32] = "103041453616050110",
    ['P' - 32] = "06003041423303",
    ['Q' - 32] = "103041453616050110 2446",
    ['R' - 32] = "06003041423303 2346",
    ['S' - 32] = "413010010213334445361605",
    ['T' - 32] = "0040 2026",
    ['U' - 32] = "000516364540",
    ['V' - 32] = "002640",
    ['W' - 32] = "0016223640",
    ['X' - 32] = "0046 4006",
    ['Y' - 32] = "002340 2326",
    ['Z' - 32] = "00400646",
    ['[' - 32] = "30101636",
    ['\\' - 32] = "0046",
    [']' - 32] = "10303616",
    ['^' - 32] = "022042",
    ['_' - 32] = "0747",
    ['`' - 32] = "1021",
    ['a' - 32] = "12324346 441405163645",
    ['b' - 32] = "0006 0312324345361605",
    ['c' - 32] = "4332120305163645",
    ['d' - 32] = "4046 4332120305163645",
    ['e' - 32] = "04444332120305163645",
    ['f' - 32] = "40302126 1242",
    ['g' - 32] = "4247381807 4332120305163645",
    ['h' - 32] = "0006 0312324346",
    ['i' - 32] = "122226 1636 2020",
    ['j' - 32] = "22323718 3030",
    ['k' - 32] = "0006 4204 1346",
    ['l' - 32] = "102026 1636",
    ['m' - 32] = "0206 03122326 23324346",
    ['n' - 32] = "0206 0312324346",
    ['o' - 32] = "123243453616050312",
    ['p' - 32] = "0208 0312324345361605",
    ['q' - 32] = "4248 4332120305163645",
    ['r' - 32] = "0206 0413223243",
    ['s' - 32] = "43321203143445361605",
    ['t' - 32] = "20253646 0242",
    ['u' - 32] = "0205163645 4246",
    ['v' - 32] = "022642",
    ['w' - 32] = "0216233642",
    ['x' - 32] = "0246 4206",
    ['y' - 32] = "0205163645 4247381807",
    ['z' - 32] = "02420646",
    ['{' - 32] = "30212213242536",
    ['|' - 32] = "2007",
    ['}' - 32] = "10212233242516",
    ['~' - 32] = "03123342",
    [127 - 32] = "0040460600", /* what we cannot draw */
};

typedef struct Point {
    double x, y;
} Point;

/* The glyph of the next character; moves *text behind it. */
static const char *next_glyph(const char **text)
{
    unsigned char c = (unsigned char)*(*text)++;
    if (c < 0x80)
        return glyphs[(c >= 32 && c < 127 ? c : 127) - 32];
    while (((unsigned char)**text & 0xC0) == 0x80)
        (*text)++;
    return glyphs[127 - 32];
}

/* How far left and right its strokes go; a blank has a width of two units. */
static void extent(const char *glyph, double *left, double *right)
{
    *left = *glyph ? 9 : 0;
    *right = *glyph ? 0 : 1.4;
    for (const char *p = glyph; p[0] && p[1]; p += p[0] == ' ' ? 1 : 2) {
        if (p[0] == ' ')
            continue;
        *left = fmin(*left, p[0] - '0');
        *right = fmax(*right, p[0] - '0');
    }
}

int sl_strokes_width(const char *text, double scale)
{
    double units = 0, left, right;
    while (*text) {
        extent(next_glyph(&text), &left, &right);
        units += right - left + GAP_UNITS;
    }
    return (int)ceil(units * scale / CAP_UNITS);
}

static double distance(Point p, Point a, Point b)
{
    double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
    t = fmin(fmax(t, 0), 1);
    return hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

static void blend(SlBitmap *canvas, int x, int y, const uint8_t color[3], double cover)
{
    if (x < 0 || y < 0 || x >= canvas->width || y >= canvas->height)
        return;
    uint8_t *p = canvas->rgb + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
    for (int i = 0; i < 3; i++)
        p[i] = (uint8_t)(p[i] + (color[i] - p[i]) * cover + 0.5);
}

/* Every stroke of a glyph at once, so that where two meet nothing is drawn twice. */
static void draw_glyph(SlBitmap *canvas, const char *glyph, Point at, double unit,
                       const uint8_t color[3])
{
    double radius = PEN_UNITS * unit / 2;
    int x0 = (int)(at.x - unit), x1 = (int)(at.x + 6 * unit);
    int y0 = (int)(at.y - unit), y1 = (int)(at.y + 10 * unit);
    for (int y = y0; y <= y1; y++) {
        for (int x = x0; x <= x1; x++) {
            double nearest = 1e9;
            Point pixel = {x + 0.5, y + 0.5}, before = {0};
            bool open = false;
            for (const char *p = glyph; p[0] && p[1]; p += p[0] == ' ' ? 1 : 2) {
                Point here = {at.x + (p[0] - '0') * unit, at.y + (p[1] - '0') * unit};
                if (p[0] != ' ' && open)
                    nearest = fmin(nearest, distance(pixel, before, here));
                open = p[0] != ' ';
                before = here;
            }
            double cover = radius + 0.5 - nearest;
            if (cover > 0)
                blend(canvas, x, y, color, fmin(cover, 1));
        }
    }
}

void sl_strokes_draw(SlBitmap *canvas, const char *text, int x, int y, double scale,
                     const uint8_t color[3])
{
    double unit = scale / CAP_UNITS, pen = x, left, right;
    while (*text) {
        const char *glyph = next_glyph(&text);
        extent(glyph, &left, &right);
        draw_glyph(canvas, glyph, (Point){pen + (0.5 - left) * unit, y + unit}, unit, color);
        pen += (right - left + GAP_UNITS) * unit;
    }
}

void sl_strokes_fit(const char *text, double scale, int width, char *out, int out_size)
{
    snprintf(out, (size_t)out_size, "%s", text);
    size_t n = strlen(out);
    while (n > 0 && (sl_strokes_width(out, scale) > width || n + 4 > (size_t)out_size)) {
        n--;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
            n--;
        snprintf(out, (size_t)out_size, "%.*s...", (int)n, text);
    }
}
