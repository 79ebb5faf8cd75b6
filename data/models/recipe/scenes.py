"""What a scene is: its attributes, how they are drawn by lot, and how they are put into words.

A scene is a plain dict, so that it can be stored as one line of JSON:
  light, place, weather, season, style  one word each of the lists below
  subjects                              a list of one or two dicts: kind, colour ('' where it has none), number, pos
"""
import hashlib
import random

LIGHTS = ("dawn", "noon", "sunset", "night")
PLACES = ("mountains", "hills", "sea", "lake", "desert", "forest", "city")
WEATHERS = ("clear", "cloudy", "rain", "snow", "fog")
SEASONS = ("spring", "summer", "autumn", "winter")
STYLES = ("flat", "watercolour")
COLOURS = ("red", "blue", "yellow", "green", "white", "orange", "purple", "pink")
KINDS = ("house", "sailboat", "lighthouse", "pine tree", "balloon", "windmill", "tent")
PLAIN = ("pine tree",)                       # kinds that keep their own colour
POSITIONS = ("left", "centre", "right")
WHERE = {                                    # the kinds that can stand in a place
    "mountains": ("house", "pine tree", "balloon", "tent", "windmill"),
    "hills": ("house", "pine tree", "balloon", "tent", "windmill"),
    "sea": ("sailboat", "lighthouse", "balloon", "house"),
    "lake": ("sailboat", "house", "pine tree", "tent", "balloon", "lighthouse"),
    "desert": ("tent", "balloon", "house", "windmill"),
    "forest": ("house", "tent", "balloon", "pine tree", "windmill"),
    "city": ("balloon", "house", "pine tree", "windmill"),
}
HELD_OUT = 10                                # percent of combinations that training never sees


def combination(scene):
    """The stated combination that the split is made by: light, place and the first subject with its colour."""
    first = scene["subjects"][0]
    return f'{scene["light"]}/{scene["place"]}/{first["kind"]}/{first["colour"]}'


def held_out(scene):
    """True where the scene's combination belongs to the unseen part (a hash decides, so it never changes)."""
    digest = hashlib.sha256(combination(scene).encode()).digest()
    return digest[0] * 100 // 256 < HELD_OUT


def pick_subject(rng, place, taken=()):
    """One subject that suits the place, at a position that is still free."""
    kind = rng.choice(WHERE[place])
    number = rng.choices((1, 2, 3), (70, 16, 14))[0] if not taken else 1
    if kind in ("lighthouse", "windmill"):
        number = 1
    pos = rng.choice([p for p in POSITIONS if p not in taken])
    if number > 1:
        pos = "centre"
    colour = "" if kind in PLAIN else rng.choice(COLOURS)
    return {"kind": kind, "colour": colour, "number": number, "pos": pos}


def pick_scene(rng):
    """A scene drawn by lot, from all combinations."""
    place = rng.choice(PLACES)
    light = rng.choice(LIGHTS)
    season = rng.choices(SEASONS, (20, 45, 18, 17))[0]
    if place in ("desert", "sea"):
        season = "summer"
    weather = rng.choices(WEATHERS, (52, 20, 9, 9, 10))[0]
    if weather == "snow":
        season = "winter" if place not in ("desert", "sea") else season
        weather = "snow" if season == "winter" else "clear"
    subjects = [pick_subject(rng, place)]
    if subjects[0]["number"] == 1 and rng.random() < 0.25:
        other = pick_subject(rng, place, taken=(subjects[0]["pos"],))
        if other["kind"] != subjects[0]["kind"]:
            subjects.append(other)
    return {"light": light, "place": place, "weather": weather, "season": season,
            "style": rng.choices(STYLES, (66, 34))[0], "subjects": subjects}


def pick_scene_of(rng, unseen):
    """A scene of the training part (unseen False) or of the held-out part (unseen True)."""
    while True:
        scene = pick_scene(rng)
        if held_out(scene) == unseen:
            return scene


# ---- words ---------------------------------------------------------------------------------------

NAMES = {
    "house": (("house", "houses"), ("cottage", "cottages"), ("cabin", "cabins")),
    "sailboat": (("sailboat", "sailboats"), ("sailing boat", "sailing boats"), ("boat", "boats")),
    "lighthouse": (("lighthouse", "lighthouses"),),
    "pine tree": (("pine tree", "pine trees"), ("fir tree", "fir trees"), ("tree", "trees")),
    "balloon": (("hot-air balloon", "hot-air balloons"), ("hot air balloon", "hot air balloons"),
                ("balloon", "balloons")),
    "windmill": (("windmill", "windmills"),),
    "tent": (("tent", "tents"),),
}
PLACE_WORDS = {
    "mountains": ("in the mountains", "in front of mountains", "with mountains", "below the mountains"),
    "hills": ("in the hills", "on the hills", "among rolling hills", "with hills"),
    "sea": ("at the sea", "by the sea", "by the ocean", "on the coast"),
    "lake": ("by a lake", "at a lake", "by the lake", "beside a quiet lake"),
    "desert": ("in the desert", "in a desert", "among sand dunes"),
    "forest": ("in a forest", "in the forest", "in the woods"),
    "city": ("in the city", "in a city", "in front of a city skyline"),
}
AFLOAT = ("on the", "on a")
LIGHT_WORDS = {
    "dawn": ("at dawn", "at sunrise", "in the early morning"),
    "noon": ("at noon", "at midday", "in daylight", "by day"),
    "sunset": ("at sunset", "at dusk", "in the evening"),
    "night": ("at night", "under the stars", "by moonlight", "on a starry night"),
}
WEATHER_WORDS = {
    "clear": ("under a clear sky", "in clear weather"),
    "cloudy": ("under a cloudy sky", "with clouds", "in cloudy weather"),
    "rain": ("in the rain", "on a rainy day", "with rain"),
    "snow": ("in falling snow", "while it snows", "with snowflakes"),
    "fog": ("in the fog", "in mist", "on a foggy day"),
}
SEASON_WORDS = {"spring": ("in spring", "in springtime"), "summer": ("in summer", "in summertime"),
                "autumn": ("in autumn", "in fall"), "winter": ("in winter", "in the snow")}
STYLE_WORDS = {
    "flat": ("flat illustration", "flat design", "poster"),
    "watercolour": ("watercolour", "watercolor", "watercolour painting"),
}
NUMBERS = {2: ("two", "2"), 3: ("three", "3")}
POSITION_WORDS = {"left": "on the left", "centre": "in the middle", "right": "on the right"}


def subject_words(rng, subject, colour=True, position=True):
    """'a red house', 'three pine trees on the left' ..."""
    one, many = rng.choice(NAMES[subject["kind"]])
    paint = subject["colour"] + " " if colour and subject["colour"] else ""
    if subject["number"] > 1:
        words = f'{rng.choice(NUMBERS[subject["number"]])} {paint}{many}'
    else:
        article = "an" if (paint or one)[0] in "aeiou" else "a"
        words = f"{article} {paint}{one}"
    if position and subject["number"] == 1:
        words += " " + POSITION_WORDS[subject["pos"]]
    return words


def place_words(rng, scene):
    """'by a lake', and for a boat also 'on the lake'."""
    place = scene["place"]
    if scene["subjects"][0]["kind"] == "sailboat" and rng.random() < 0.6:
        return f"{rng.choice(AFLOAT)} {place}" if place == "lake" else "on the sea"
    return rng.choice(PLACE_WORDS[place])


def caption(rng, scene, leave_out=True):
    """A caption of the scene. With leave_out, any part may be missing; otherwise light, place and subject are said."""
    def says(chance):
        return not leave_out or rng.random() < chance
    subjects = [subject_words(rng, s, says(0.9), rng.random() < 0.25) for s in scene["subjects"] if says(0.92)]
    parts = [" and ".join(subjects) or rng.choice(("a landscape", "a view"))]
    if says(0.85):
        parts.append(place_words(rng, scene))
    tail = []
    if says(0.85):
        tail.append(rng.choice(LIGHT_WORDS[scene["light"]]))
    if rng.random() < (0.15 if scene["weather"] == "clear" else 0.6):
        tail.append(rng.choice(WEATHER_WORDS[scene["weather"]]))
    if rng.random() < (0.15 if scene["season"] == "summer" else 0.5):
        tail.append(rng.choice(SEASON_WORDS[scene["season"]]))
    rng.shuffle(tail)
    text = " ".join(parts + tail)
    if rng.random() < 0.5:
        style = rng.choice(STYLE_WORDS[scene["style"]])
        text = f"{style} of {text}" if rng.random() < 0.4 else f"{text}, {style}"
    return text


if __name__ == "__main__":
    lot = random.Random(1)
    for _ in range(20):
        print(caption(lot, pick_scene(lot)))
