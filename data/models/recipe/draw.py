"""Draws a scene of scenes.py as a small illustration: sky, place, subjects, weather, then the style over all.

Everything is drawn by cairo in a unit square with the origin at the top left; `Painter` holds what the parts share.
"""
import json
import math
import random
import sys

import cairo
import numpy as np

import scenes

SKY = {  # light: (colours from the top of the sky to the horizon), tint of the land, tint of the subjects
    "dawn": (("#7f97d6", "#e9b3cf", "#ffe2c0"), (0.98, 0.86, 0.90), (1.0, 0.95, 0.95)),
    "noon": (("#3f9be3", "#8ccbf2", "#e2f3fa"), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
    "sunset": (("#54307a", "#e2587a", "#ffc35a"), (0.80, 0.58, 0.56), (0.97, 0.85, 0.80)),
    "night": (("#080d2b", "#16245a", "#3b5a96"), (0.26, 0.33, 0.56), (0.66, 0.68, 0.84)),
}
GRASS = {"spring": "#8fce5a", "summer": "#5fae4c", "autumn": "#cf9b3e", "winter": "#f0f5fb"}
LEAF = {"spring": "#f5a9c4", "summer": "#3f9348", "autumn": "#e0742a", "winter": "#c9d8e4"}
PAINT = {"red": "#e0312d", "blue": "#2f6fe0", "yellow": "#fbd024", "green": "#2fae4e", "white": "#fdfdfd",
         "orange": "#fb8a1e", "purple": "#8a3fc4", "pink": "#fb86b8"}
GREY_SKY = {"dawn": "#c9bcc6", "noon": "#b4c3cd", "sunset": "#b3858c", "night": "#252d47"}
HORIZON = 0.6
SPOT = {"left": 0.24, "centre": 0.5, "right": 0.76}


def rgb(colour):
    """'#rrggbb' as three numbers in 0..1."""
    return tuple(int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5))


def mix(a, b, t):
    """The colour t of the way from a to b."""
    return tuple(x + (y - x) * t for x, y in zip(a, b))


def times(a, b):
    """One colour filtered by another."""
    return tuple(x * y for x, y in zip(a, b))


class Painter:
    """The canvas with the scene's light: colours handed to it are lit before they are laid on."""

    def __init__(self, scene, size, seed):
        self.scene, self.rng, self.size = scene, random.Random(seed), size
        self.surface = cairo.ImageSurface(cairo.FORMAT_RGB24, size, size)
        self.cr = cairo.Context(self.surface)
        self.cr.scale(size, size)
        self.cr.set_antialias(cairo.ANTIALIAS_GOOD)
        self.cr.set_line_join(cairo.LINE_JOIN_ROUND)
        sky, self.land_tint, self.subject_tint = SKY[scene["light"]]
        dull = {"clear": 0.0, "cloudy": 0.30, "rain": 0.62, "snow": 0.45, "fog": 0.5}[scene["weather"]]
        self.sky = [mix(rgb(c), rgb(GREY_SKY[scene["light"]]), dull) for c in sky]
        self.night = scene["light"] == "night"

    def fill(self, colour, alpha=1.0):
        self.cr.set_source_rgba(*colour, alpha)
        self.cr.fill()

    def land(self, colour, far=0.0):
        """A colour of the land in this light; far (0..1) takes it into the haze of the horizon."""
        return mix(times(rgb(colour), self.land_tint), self.sky[2], far)

    def lit(self, colour):
        """A subject's colour in this light."""
        return times(rgb(colour), self.subject_tint)

    def polygon(self, points, colour, alpha=1.0):
        self.cr.move_to(*points[0])
        for point in points[1:]:
            self.cr.line_to(*point)
        self.cr.close_path()
        self.fill(colour, alpha)

    def rect(self, x, y, w, h, colour, alpha=1.0):
        self.cr.rectangle(x, y, w, h)
        self.fill(colour, alpha)

    def disc(self, x, y, rx, colour, alpha=1.0, ry=None):
        self.cr.save()
        self.cr.translate(x, y)
        self.cr.scale(rx, ry or rx)
        self.cr.arc(0, 0, 1, 0, 2 * math.pi)
        self.cr.restore()
        self.fill(colour, alpha)

    def gradient(self, y0, y1, top, bottom):
        """A band over the whole width whose colour runs from top to bottom."""
        paint = cairo.LinearGradient(0, y0, 0, y1)
        paint.add_color_stop_rgb(0, *top)
        paint.add_color_stop_rgb(1, *bottom)
        self.cr.set_source(paint)
        self.cr.rectangle(0, y0, 1, 1 - y0)
        self.cr.fill()

    def glow(self, x, y, radius, colour, alpha):
        paint = cairo.RadialGradient(x, y, 0, x, y, radius)
        paint.add_color_stop_rgba(0, *colour, alpha)
        paint.add_color_stop_rgba(1, *colour, 0)
        self.cr.set_source(paint)
        self.cr.paint()

    def waves(self, y, height, colour, bumps=1.4):
        """A layer of land with a soft upper edge, down to the lower border."""
        phase, other = self.rng.uniform(0, 6.3), self.rng.uniform(0, 6.3)
        points = [(0, 1)]
        for i in range(25):
            x = i / 24
            curve = math.sin(x * 6.28 * bumps + phase) + 0.5 * math.sin(x * 6.28 * bumps * 1.9 + other)
            points.append((x, y - height * curve / 1.5))
        self.polygon(points + [(1, 1)], colour)


# ---- the sky -------------------------------------------------------------------------------------

def draw_sky(p):
    """The gradient of the light, stars, sun or moon, clouds."""
    paint = cairo.LinearGradient(0, 0, 0, HORIZON + 0.04)
    for stop, colour in zip((0, 0.58, 1), p.sky):
        paint.add_color_stop_rgb(stop, *colour)
    p.cr.set_source(paint)
    p.cr.paint()
    if p.night:
        draw_night(p)
    else:
        draw_sun(p)
    draw_clouds(p)


def draw_night(p):
    """Stars and a moon, hidden by bad weather."""
    covered = p.scene["weather"] in ("rain", "snow", "fog")
    for _ in range(6 if covered else 34):
        p.disc(p.rng.random(), p.rng.uniform(0, 0.5), p.rng.choice((0.004, 0.006, 0.0085)), (1, 1, 0.92))
    if not covered:
        x, y = p.rng.uniform(0.12, 0.88), p.rng.uniform(0.10, 0.22)
        p.glow(x, y, 0.25, (0.75, 0.82, 1), 0.4)
        p.disc(x, y, 0.062, rgb("#fdf6d8"))
        if p.rng.random() < 0.5:
            p.disc(x + 0.028, y - 0.012, 0.052, mix(p.sky[0], p.sky[1], 0.35))


def draw_sun(p):
    """High at noon, half below the horizon at dawn and sunset; its glow stays in fog."""
    light, weather = p.scene["light"], p.scene["weather"]
    x = p.rng.uniform(0.14, 0.86)
    y = p.rng.uniform(0.1, 0.2) if light == "noon" else HORIZON - p.rng.uniform(0.07, 0.15)
    radius = 0.055 if light == "noon" else 0.085
    colour = {"noon": "#fff3a6", "dawn": "#fff0c8", "sunset": "#fff0a0"}[light]
    shine = 0.25 if weather in ("rain", "snow", "fog") else 0.85
    p.glow(x, y, 0.42, rgb(colour), shine * 0.8)
    if shine > 0.5:
        p.disc(x, y, radius, rgb(colour))


def draw_clouds(p):
    """Heaps of discs with a flat base; more of them the worse the weather."""
    count = {"clear": p.rng.choice((0, 0, 1)), "cloudy": 5, "rain": 6, "snow": 4, "fog": 1}[p.scene["weather"]]
    white = {"dawn": "#fff0ee", "noon": "#ffffff", "sunset": "#f7a58f", "night": "#4a5a8c"}[p.scene["light"]]
    colour = rgb(white)
    if p.scene["weather"] in ("rain", "snow"):
        colour = mix(mix(colour, p.sky[1], 0.5), (0.3, 0.33, 0.38), 0.25)
    for _ in range(count):
        x, y, s = p.rng.random(), p.rng.uniform(0.06, 0.34), p.rng.uniform(0.7, 1.3)
        for dx, r in ((-0.085, 0.034), (-0.035, 0.052), (0.03, 0.062), (0.085, 0.038)):
            p.cr.save()
            p.cr.rectangle(0, 0, 1, y + 0.02 * s)
            p.cr.clip()
            p.disc(x + dx * s, y, r * s, colour, 0.93, ry=r * s * 0.85)
            p.cr.restore()


# ---- the places ----------------------------------------------------------------------------------

def ground(p):
    """The colour of the grass (or snow) of the season."""
    return GRASS[p.scene["season"]]


def draw_ridge(p, base, height, peaks, colour, cap):
    """A row of pointed mountains with lit flanks, some with a cap of snow."""
    for i in range(peaks):
        x = (i + p.rng.uniform(0.2, 0.8)) / peaks
        top = base - height * p.rng.uniform(0.65, 1.0)
        w = p.rng.uniform(0.85, 1.2) * (base - top)
        p.polygon([(x - w, base), (x, top), (x + w, base)], colour)
        p.polygon([(x, top), (x + w, base), (x + w * 0.12, base)], mix(colour, (0, 0, 0.05), 0.2))
        if cap:
            s = 0.34
            mid = top + (base - top) * s
            p.polygon([(x - w * s, mid), (x, top), (x + w * s, mid), (x + w * s * 0.4, mid - 0.02),
                       (x, mid + 0.025), (x - w * s * 0.45, mid - 0.015)], cap)


def draw_mountains(p):
    snow = p.land("#ffffff")
    draw_ridge(p, HORIZON + 0.06, 0.40, 3, p.land("#8492b4", 0.28), mix(snow, p.sky[2], 0.15))
    draw_ridge(p, HORIZON + 0.10, 0.24, 4, p.land("#66769a", 0.05), snow if p.scene["season"] == "winter" else None)
    p.waves(0.70, 0.02, p.land(ground(p)))
    p.waves(0.84, 0.02, mix(p.land(ground(p)), p.land("#2b5a35"), 0.12))


def draw_hills(p):
    for y, far, bumps in ((0.56, 0.5, 1.3), (0.63, 0.28, 1.0), (0.73, 0.05, 0.8)):
        p.waves(y, 0.055, p.land(ground(p), far), bumps)
    draw_bushes(p, 0.72, 5)
    p.waves(0.86, 0.025, mix(p.land(ground(p)), p.land("#2b5a35"), 0.14), 0.7)


def draw_bushes(p, y, count):
    """Small round trees in the colour of the season."""
    for _ in range(count):
        x, r = p.rng.random(), p.rng.uniform(0.02, 0.035)
        p.rect(x - 0.004, y, 0.008, 0.035, p.land("#6b4a34"))
        p.disc(x, y - r * 0.5, r, p.land(LEAF[p.scene["season"]], 0.1))


def draw_water(p, top, bottom):
    """Water that mirrors the sky, with glints."""
    deep = times(mix(p.sky[0], rgb("#1f7fb0"), 0.45), mix(p.land_tint, (1, 1, 1), 0.35))
    p.gradient(top, bottom, mix(p.sky[2], deep, 0.35), deep)
    for _ in range(22):
        y = p.rng.uniform(top + 0.015, bottom)
        w = 0.03 + 0.12 * (y - top) / (bottom - top) * p.rng.random()
        p.rect(p.rng.random() - w / 2, y, w, 0.006, mix(p.sky[2], (1, 1, 1), 0.3), 0.55)


def draw_sea(p):
    draw_water(p, HORIZON, 1.0)
    if any(s["kind"] in ("house", "lighthouse") for s in p.scene["subjects"]):
        for s in p.scene["subjects"]:
            if s["kind"] in ("house", "lighthouse"):
                for x in places_of(s):
                    p.disc(x, 0.80, 0.20, p.land("#7b6a58"), ry=0.055)
                    p.disc(x, 0.785, 0.185, p.land("#7fae5c"), ry=0.035)


def draw_lake(p):
    p.waves(0.555, 0.03, p.land("#7f9a8e", 0.45), 1.6)
    p.waves(0.585, 0.02, p.land(ground(p), 0.2), 1.1)
    draw_water(p, 0.615, 0.9)
    p.waves(0.855, 0.015, p.land(ground(p)), 0.6)
    for _ in range(7):
        x = p.rng.choice((p.rng.uniform(0, 0.14), p.rng.uniform(0.86, 1)))
        p.polygon([(x - 0.006, 0.9), (x + 0.01, 0.77), (x + 0.006, 0.9)], p.land("#4f7f43"))


def draw_desert(p):
    p.waves(0.58, 0.03, p.land("#e8b878", 0.3), 1.2)
    p.waves(0.66, 0.045, p.land("#e9b165"), 0.9)
    for _ in range(2):
        draw_cactus(p, p.rng.choice((p.rng.uniform(0.03, 0.14), p.rng.uniform(0.86, 0.97))), p.rng.uniform(0.7, 0.78))
    p.waves(0.83, 0.035, p.land("#d99a4e"), 0.7)


def draw_cactus(p, x, y):
    """A cactus with two arms that stands at y."""
    p.cr.set_line_cap(cairo.LINE_CAP_ROUND)
    p.cr.set_source_rgb(*p.land("#4d8f4f"))
    p.cr.set_line_width(0.022)
    for points in (((x, y + 0.04), (x, y - 0.11)), ((x, y - 0.01), (x - 0.035, y - 0.02), (x - 0.035, y - 0.06)),
                   ((x, y - 0.03), (x + 0.035, y - 0.04), (x + 0.035, y - 0.08))):
        p.cr.move_to(*points[0])
        for point in points[1:]:
            p.cr.line_to(*point)
        p.cr.stroke()


def draw_forest(p):
    trees = {"spring": "#6fae5a", "summer": "#2f7a4a", "autumn": "#c8742c", "winter": "#7fa0a4"}[p.scene["season"]]
    for y, far, count, h in ((0.63, 0.55, 15, 0.26), (0.68, 0.3, 12, 0.30), (0.73, 0.06, 9, 0.34)):
        p.rect(0, y - 0.02, 1, 0.4, p.land(trees, far))
        for i in range(count):
            x = (i + p.rng.uniform(0.1, 0.9)) / count
            if far < 0.1 and 0.3 < x < 0.7 and p.rng.random() < 0.7:
                continue
            draw_fir(p, x, y, h * p.rng.uniform(0.65, 1.1), p.land(trees, far), trunk=False)
    p.waves(0.79, 0.015, p.land(ground(p)), 0.8)


def draw_city(p):
    p.rect(0, 0.66, 1, 0.34, p.land("#8c93a6"))
    for far, low, high, w in ((0.5, 0.18, 0.42, 0.075), (0.12, 0.08, 0.28, 0.10)):
        x = -p.rng.uniform(0, w)
        while x < 1:
            h, width = p.rng.uniform(low, high), w * p.rng.uniform(0.8, 1.35)
            tone = p.rng.choice(("#7d88a8", "#8f86a0", "#6d7f9c", "#a08f92"))
            p.rect(x, 0.70 - h, width, h + 0.05, p.land(tone, far))
            draw_windows(p, x, 0.70 - h, width, h, far)
            x += width + 0.006
    p.rect(0, 0.72, 1, 0.28, p.land("#b4b0ac"))
    p.waves(0.80, 0.006, p.land(ground(p)), 0.6)


def draw_windows(p, x, y, w, h, far):
    """Rows of windows; at night some are lit."""
    lit, dark = mix(rgb("#ffd978"), p.sky[2], far * 0.6), p.land("#55617d", far)
    chance = {"night": 0.6, "sunset": 0.35, "dawn": 0.2, "noon": 0.0}[p.scene["light"]]
    rows, columns = int(h / 0.042), max(2, int(w / 0.036))
    for row in range(rows):
        for column in range(columns):
            shade = lit if p.rng.random() < chance else dark
            p.rect(x + w * (column + 0.3) / columns, y + 0.014 + row * 0.042, w * 0.4 / columns, 0.02, shade)


# ---- the subjects --------------------------------------------------------------------------------

def places_of(subject):
    """The x of each copy of a subject."""
    if subject["number"] == 1:
        return [SPOT[subject["pos"]]]
    return {2: [0.28, 0.72], 3: [0.2, 0.5, 0.8]}[subject["number"]]


def draw_fir(p, x, y, h, colour, trunk=True):
    """A fir of three tiers that stands at y."""
    if trunk:
        p.rect(x - h * 0.04, y - h * 0.15, h * 0.08, h * 0.15, p.land("#6b4a34"))
    for i in range(3):
        low, w = y - h * (0.1 + 0.27 * i), h * (0.30 - 0.07 * i)
        p.polygon([(x - w, low), (x, low - h * 0.38), (x + w, low)], colour)


def draw_pine_tree(p, x, y, s, paint):
    h = 0.42 * s
    colour = p.lit("#1f7a45")
    draw_fir(p, x, y, h, mix(colour, (0, 0, 0.1), 0.12))
    for i in range(3):
        low, w = y - h * (0.1 + 0.27 * i), h * (0.30 - 0.07 * i)
        p.polygon([(x - w, low), (x, low - h * 0.38), (x, low)], mix(colour, (1, 1, 1), 0.1))
        if p.scene["season"] == "winter":
            p.polygon([(x - w * 0.5, low - h * 0.19), (x, low - h * 0.38), (x + w * 0.5, low - h * 0.19)], p.lit("#f4f8ff"))


def draw_house(p, x, y, s, paint):
    """Walls in the house's colour, a dark roof, a door and two windows."""
    w, h = 0.26 * s, 0.17 * s
    left = x - w / 2
    roof = p.lit("#5b4048") if p.scene["season"] != "winter" else p.lit("#e8eef6")
    p.rect(left + w * 0.72, y - h * 1.75, w * 0.1, h * 0.6, p.lit("#7a5a52"))
    p.rect(left, y - h, w, h, paint)
    p.rect(left + w * 0.62, y - h, w * 0.38, h, (0, 0, 0.1), 0.13)
    p.polygon([(left - w * 0.1, y - h), (left + w * 0.2, y - h * 1.75), (left + w * 0.8, y - h * 1.75),
               (left + w * 1.1, y - h)], roof)
    pane = rgb("#ffe08a") if p.scene["light"] in ("night", "sunset") else rgb("#d9eefa")
    for dx in (0.12, 0.7):
        p.rect(left + w * dx, y - h * 0.72, w * 0.18, h * 0.34, pane)
    p.rect(left + w * 0.42, y - h * 0.58, w * 0.17, h * 0.58, p.lit("#4a342e"))


def draw_sailboat(p, x, y, s, paint):
    """Two sails in the boat's colour over a brown hull, and a pale reflection."""
    p.polygon([(x - 0.10 * s, y), (x + 0.10 * s, y), (x + 0.02 * s, y + 0.12 * s)], paint, 0.3)
    p.polygon([(x - 0.008 * s, y - 0.05 * s), (x - 0.008 * s, y - 0.33 * s), (x - 0.13 * s, y - 0.05 * s)],
              mix(paint, (0, 0, 0.1), 0.14))
    p.polygon([(x + 0.01 * s, y - 0.05 * s), (x + 0.01 * s, y - 0.37 * s), (x + 0.16 * s, y - 0.05 * s)], paint)
    p.polygon([(x - 0.15 * s, y - 0.04 * s), (x + 0.17 * s, y - 0.04 * s), (x + 0.11 * s, y + 0.02 * s),
               (x - 0.10 * s, y + 0.02 * s)], p.lit("#7a4a32"))


def draw_lighthouse(p, x, y, s, paint):
    """A tower with bands in its colour (grey bands on a white one) and a lamp with beams after dark."""
    h, w = 0.46 * s, 0.055 * s
    bands = [paint, p.lit("#f6f3ea")]
    if p.night or p.scene["light"] == "sunset":
        for side in (-1, 1):
            p.polygon([(x, y - h * 0.93), (x + side * 0.5, y - h * 1.1), (x + side * 0.5, y - h * 0.76)], (1, 0.95, 0.6), 0.28)
    for i in range(5):
        y0, y1 = y - h * 0.17 * i, y - h * 0.17 * (i + 1)
        w0, w1 = w * (1 - 0.08 * i), w * (1 - 0.08 * (i + 1))
        p.polygon([(x - w0, y0), (x + w0, y0), (x + w1, y1), (x - w1, y1)], bands[i % 2])
    p.polygon([(x, y), (x + w, y), (x + w * 0.6, y - h * 0.85), (x, y - h * 0.85)], (0, 0, 0.1), 0.12)
    p.rect(x - w * 0.75, y - h * 0.88, w * 1.5, h * 0.03, p.lit("#3c3a44"))
    p.rect(x - w * 0.42, y - h * 0.97, w * 0.84, h * 0.1, (1, 0.93, 0.6))
    p.polygon([(x - w * 0.6, y - h * 0.97), (x, y - h * 1.08), (x + w * 0.6, y - h * 0.97)], p.lit("#3c3a44"))


def draw_balloon(p, x, y, s, paint):
    """A hot-air balloon in the sky: a striped envelope, ropes, a basket."""
    y = 0.30 + p.rng.uniform(-0.05, 0.04)
    r = 0.135 * s
    p.polygon([(x - r * 0.78, y + r * 0.62), (x - r * 0.2, y + r * 1.3), (x + r * 0.2, y + r * 1.3),
               (x + r * 0.78, y + r * 0.62)], paint)
    p.disc(x, y, r, paint, ry=r * 1.05)
    p.disc(x, y, r * 0.42, mix(paint, (1, 1, 1), 0.32), ry=r * 1.05)
    p.disc(x + r * 0.62, y, r * 0.3, mix(paint, (0, 0, 0.1), 0.18), ry=r * 0.72)
    for side in (-1, 1):
        p.polygon([(x + side * r * 0.2, y + r * 1.3), (x + side * r * 0.16, y + r * 1.62),
                   (x + side * r * 0.12, y + r * 1.62), (x + side * r * 0.15, y + r * 1.3)], p.lit("#5a4636"))
    p.rect(x - r * 0.2, y + r * 1.6, r * 0.4, r * 0.28, p.lit("#8a5a34"))


def draw_windmill(p, x, y, s, paint):
    """A tower in its colour with four white sails."""
    h = 0.3 * s
    p.polygon([(x - h * 0.26, y), (x + h * 0.26, y), (x + h * 0.16, y - h), (x - h * 0.16, y - h)], paint)
    p.polygon([(x + h * 0.04, y), (x + h * 0.26, y), (x + h * 0.16, y - h), (x + h * 0.04, y - h)], (0, 0, 0.1), 0.13)
    p.polygon([(x - h * 0.2, y - h), (x, y - h * 1.3), (x + h * 0.2, y - h)], p.lit("#5b4048"))
    p.rect(x - h * 0.07, y - h * 0.28, h * 0.14, h * 0.28, p.lit("#4a342e"))
    turn = p.rng.uniform(0.3, 1.2)
    for i in range(4):
        a = turn + i * math.pi / 2
        dx, dy = math.cos(a), math.sin(a)
        cx, cy = x, y - h * 1.02
        p.polygon([(cx, cy), (cx + dx * h * 0.72 - dy * h * 0.02, cy + dy * h * 0.72 + dx * h * 0.02),
                   (cx + dx * h * 0.72 - dy * h * 0.16, cy + dy * h * 0.72 + dx * h * 0.16),
                   (cx + dx * h * 0.2 - dy * h * 0.16, cy + dy * h * 0.2 + dx * h * 0.16)], p.lit("#fbf6ea"))
    p.disc(x, y - h * 1.02, h * 0.05, p.lit("#4a342e"))


def draw_tent(p, x, y, s, paint):
    """A ridge tent with an open flap; lit from inside after dark."""
    w, h = 0.17 * s, 0.22 * s
    p.polygon([(x - w, y), (x - w * 0.1, y - h), (x + w, y)], paint)
    p.polygon([(x - w * 0.1, y - h), (x + w, y), (x + w * 0.35, y)], mix(paint, (0, 0, 0.1), 0.2))
    door = rgb("#ffd978") if p.night or p.scene["light"] == "sunset" else p.lit("#43382f")
    p.polygon([(x - w * 0.5, y), (x - w * 0.1, y - h * 0.7), (x + w * 0.12, y)], door)


def draw_subjects(p):
    """Every copy of every subject; on water the boats, on the ground of the foreground the rest."""
    for subject in p.scene["subjects"]:
        paint = p.lit(PAINT[subject["colour"]]) if subject["colour"] else None
        scale = {1: 1.25, 2: 1.0, 3: 0.85}[subject["number"]] * p.rng.uniform(0.92, 1.06)
        if len(p.scene["subjects"]) > 1:
            scale *= 0.88
        for x in places_of(subject):
            y = {"sea": 0.785, "lake": 0.88}.get(p.scene["place"], 0.86)
            if subject["kind"] == "sailboat":
                y = 0.78 if p.scene["place"] == "sea" else 0.76
            x += p.rng.uniform(-0.025, 0.025)
            globals()["draw_" + subject["kind"].replace(" ", "_")](p, x, y + p.rng.uniform(-0.01, 0.01), scale, paint)


# ---- the weather ---------------------------------------------------------------------------------

def draw_weather(p):
    weather = p.scene["weather"]
    if weather == "rain":
        p.cr.set_line_width(0.006)
        p.cr.set_source_rgba(0.85, 0.9, 1, 0.5)
        for _ in range(70):
            x, y = p.rng.uniform(-0.05, 1.05), p.rng.uniform(-0.05, 1)
            p.cr.move_to(x, y)
            p.cr.line_to(x - 0.02, y + 0.075)
        p.cr.stroke()
    elif weather == "snow":
        for _ in range(75):
            p.disc(p.rng.random(), p.rng.random(), p.rng.choice((0.006, 0.009, 0.012)), (1, 1, 1), 0.9)
    elif weather == "fog":
        haze = mix(p.sky[2], (1, 1, 1), 0.12 if p.night else 0.4)
        for y in (0.48, 0.6, 0.72, 0.9):
            p.disc(p.rng.uniform(0.2, 0.8), y + p.rng.uniform(-0.02, 0.02), 0.8, haze, 0.27, ry=0.075)


# ---- the styles ----------------------------------------------------------------------------------

def smooth_noise(rng, size, cells):
    """Smooth noise in -1..1 of the given number of cells along a side."""
    grid = rng.uniform(-1, 1, (cells + 1, cells + 1))
    at = np.linspace(0, cells - 1e-6, size)
    i, f = at.astype(int), at - at.astype(int)
    f = f * f * (3 - 2 * f)
    rows = grid[i] * (1 - f)[:, None] + grid[i + 1] * f[:, None]
    return rows[:, i] * (1 - f) + rows[:, i + 1] * f


def edges(picture):
    """How strongly the colour changes at each pixel, 0..1."""
    down, across = np.zeros(picture.shape[:2]), np.zeros(picture.shape[:2])
    down[1:] = np.abs(np.diff(picture, axis=0)).max(2)
    across[:, 1:] = np.abs(np.diff(picture, axis=1)).max(2)
    return np.maximum(down, across)


def wobble(rng, picture, amount):
    """The picture with its edges led astray by a few pixels, as by a brush."""
    size = picture.shape[0]
    grid = np.arange(size)
    dx, dy = (smooth_noise(rng, size, 12) * amount * size for _ in range(2))
    rows = np.clip(np.rint(grid[:, None] + dy), 0, size - 1).astype(int)
    columns = np.clip(np.rint(grid[None] + dx), 0, size - 1).astype(int)
    return picture[rows, columns]


def watercolour(rng, picture):
    """Uneven washes with darker rims on white paper that shows at the border."""
    size = picture.shape[0]
    picture = wobble(rng, picture, 0.012)
    rim = np.clip(edges(picture) * 2, 0, 1)[..., None]
    wash = 0.10 * smooth_noise(rng, size, 5) + 0.07 * smooth_noise(rng, size, 11)
    picture = np.clip(picture * 0.86 + 0.13 - 0.14 * rim + wash[..., None], 0, 1)
    at = np.linspace(-1, 1, size)
    border = np.maximum(np.abs(at)[:, None], np.abs(at)[None]) + 0.05 * smooth_noise(rng, size, 9)
    paper = np.clip((border - 0.9) / 0.05, 0, 1)[..., None]
    return picture * (1 - paper) + np.array([0.985, 0.97, 0.94]) * paper


def draw(scene, seed, size=128):
    """The picture of a scene: uint8, size x size x 3. The seed decides all that the scene leaves open."""
    p = Painter(scene, size, seed)
    draw_sky(p)
    globals()["draw_" + scene["place"]](p)
    draw_subjects(p)
    draw_weather(p)
    p.surface.flush()
    pixels = np.ndarray((size, size, 4), np.uint8, p.surface.get_data())[..., 2::-1]
    if scene["style"] == "flat":
        return pixels.copy()
    return np.rint(watercolour(np.random.default_rng(seed), pixels / 255.0) * 255).astype(np.uint8)


def sheet(pictures, columns):
    """Pictures of one size side by side, as one picture."""
    rows = [np.concatenate(pictures[i:i + columns], 1) for i in range(0, len(pictures), columns)]
    return np.concatenate(rows, 0)


if __name__ == "__main__":  # draw.py FILE.png [SEED]: a sheet of 48 scenes
    from PIL import Image
    lot = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    drawn = [scenes.pick_scene(lot) for _ in range(48)]
    Image.fromarray(sheet([draw(s, i) for i, s in enumerate(drawn)], 8)).save(sys.argv[1])
    print("\n".join(json.dumps(s) for s in drawn[:8]))
