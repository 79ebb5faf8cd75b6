#!/usr/bin/python3
"""Drives the real program as a person with a screen reader and a keyboard does: drive.py PROGRAM MODELS FIXTURE.

Runs under headless.sh. MODELS is a folder that holds `starter`, FIXTURE a
model to make a broken one from. What is on the screen is read through AT-SPI, buttons are pressed
and texts typed through it; the keyboard pass presses real keys with xdotool. Prints TAP.

Easy to get wrong: GTK 4.8 tells of a widget only whether it is visible, not whether it is showing, and of a widget of our own no
value; where the film strip stands is read from its description.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

BUS = ["gdbus", "call", "--session", "--timeout", "20", "--dest", "org.safelight.Safelight",
       "--object-path", "/org/safelight/Safelight", "--method"]
done = failed = 0


def check(good, what):
    global done, failed
    done += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {done} - {what}", flush=True)
    return good


def wait_for(question, seconds=20):
    """The first true answer to the question, or the last one."""
    end = time.time() + seconds
    while not (answer := question()) and time.time() < end:
        time.sleep(0.02)
    return answer


# ---- what is on the screen -----------------------------------------------------------------------

def children(node):
    return [c for c in (node.get_child_at_index(i) for i in range(node.get_child_count())) if c]


def everything(node):
    """The node and all below it; what goes away while we look is passed over."""
    try:
        yield node
        for child in children(node):
            yield from everything(child)
    except GLib.Error:
        return


def has(node, *states):
    found = node.get_state_set()
    return all(found.contains(s) for s in states)


def role_of(node):
    """Its role's name; newer versions of AT-SPI and GTK call a push button a button, and some a toggle button."""
    name = node.get_role_name()
    return "push button" if name in ("button", "toggle button") else name


def is_it(node, role, name):
    try:
        return role_of(node) == role and node.get_name() == name and not has(node, Atspi.StateType.DEFUNCT)
    except GLib.Error:
        return False


STEPS = 40  # of the picture that most is tried with: its first steps are gone when the strip is found in a newer GTK's tree

known = {}  # what was found before: each question about a widget is a message to the program, and the window has hundreds


def find(role, name):
    """The first object of the role with that name."""
    node = known.get((role, name))
    if node is None or not is_it(node, role, name):
        known[role, name] = node = next((n for n in everything(app) if is_it(n, role, name)), None)
    return node


def reads(node, text):
    """Whether the node is a visible label that came up with the text (GTK 4.8 does not tell of a text that changes)."""
    try:
        return node.get_role_name() == "label" and has(node, Atspi.StateType.VISIBLE) and text in (node.get_name() or "")
    except GLib.Error:
        return False


def shown(text):
    """Whether a visible label says the text."""
    return any(reads(node, text) for node in everything(app))


def find_app():
    return next((a for a in children(Atspi.get_desktop(0)) if a.get_name() == "safelight"), None)


# ---- what a person does --------------------------------------------------------------------------

def press(name):
    Atspi.Action.do_action(find("push button", name), 0)


def type_into(name, text):
    Atspi.EditableText.set_text_contents(find("text", name), text)


def text_of(name):
    node = find("text", name)
    return Atspi.Text.get_text(node, 0, -1)


def spin(name, value):
    Atspi.Value.set_current_value(find("spin button", name), value)


def spun(name):
    return Atspi.Value.get_current_value(find("spin button", name))


def strip():
    return find("slider", "Steps")


def step():
    """Where the film strip stands, as it is read out: (step, steps); (0, 0) while it is empty."""
    node = strip()  # newer GTKs leave out what is not visible
    said = node.get_description() or "" if node else ""
    words = [w for w in said.replace(":", " ").split() if w.isdigit()]
    return (int(words[0]), int(words[1])) if len(words) == 2 else (0, 0)


def keys(*names):
    subprocess.run(["xdotool", "key", "--delay", "40", *names], check=True)


def focus_window():
    """There is no window manager under Xvfb: the window has to be given the keyboard."""
    window = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "^Safelight$"], capture_output=True, text=True)
    subprocess.run(["xdotool", "windowfocus", "--sync", window.stdout.split()[-1]], check=True)


heard = []  # what a screen reader would say by itself: announcements, and before GTK 4.14 the names of windows


def announced(event):
    try:
        if event.type.startswith("object:announcement"):
            heard.append(str(event.any_data))
        elif event.source.get_role_name() == "frame":
            heard.append(event.source.get_name())
    except GLib.Error:  # it is gone already
        pass


def hears(text, seconds=5):
    """Whether it was said since the last question."""
    def said():
        while GLib.MainContext.default().iteration(False):
            pass
        return any(text in h for h in heard)
    answer = wait_for(said, seconds)
    heard.clear()
    return answer


def is_old():
    """Whether it is a GTK that says less by itself, and of a widget only the description that it was given."""
    return [int(n) for n in app.get_toolkit_version().split(".")[:2]] < [4, 14]


latest = None  # what told last that it has the keyboard


def focus_changed(event):
    global latest
    if event.detail1:
        latest = event.source


def focused():
    """Role and name of what has the keyboard: of what says so within a moment, or else of all that there is."""
    end = time.time() + 0.2
    while latest is None and time.time() < end:
        GLib.MainContext.default().iteration(False)
        time.sleep(0.005)
    try:
        if latest is not None and has(latest, Atspi.StateType.FOCUSED):
            return f"{role_of(latest)} {latest.get_name()}"
    except GLib.Error:
        pass
    return next((f"{role_of(n)} {n.get_name()}" for n in everything(app) if has(n, Atspi.StateType.FOCUSED)), "")


def tab(key="Tab"):
    """Presses Tab, and what has the keyboard then."""
    global latest
    while GLib.MainContext.default().iteration(False):
        pass
    latest = None
    keys(key)
    return focused()


def tab_to(what):
    """Presses Tab until the keyboard is there."""
    return any(tab() == what for _ in range(60))


def called(method, *arguments):
    return subprocess.run([*BUS, method, *arguments], stdout=subprocess.DEVNULL).returncode == 0


def pictures():
    return sorted(glob.glob(os.environ["HOME"] + "/**/*.png", recursive=True))


# ---- the tests -----------------------------------------------------------------------------------

def is_nameless(node):
    """Something for the keyboard that is called nothing, or after its class."""
    name = node.get_name() or ""
    if not has(node, Atspi.StateType.VISIBLE, Atspi.StateType.FOCUSABLE):
        return False
    if role_of(node) in ("push button", "table cell", "text", "entry", "slider", "combo box") or name == "GtkPaned":
        return re.match("(Gtk|Adw|Sl)[A-Z]", name) or (not name and role_of(node) != "table cell")
    return not name and role_of(node) not in ("list item", "list", "panel", "scroll pane")


def labels_of(node):
    return [relation.get_target(i).get_name() for relation in node.get_relation_set()
            if relation.get_relation_type() == Atspi.RelationType.LABELLED_BY for i in range(relation.get_n_targets())]


def ancestors(node):
    while node := node and node.get_parent():
        yield node


def test_spoken():
    """What a screen reader says beside the name of what has the keyboard."""
    around = [n for what in (find("combo box", "Scheduler"), find("push button", "Show Me How It _Works Show Me How It Works"))
              for n in ancestors(what) if role_of(n) in ("list", "panel")]
    classes = [n.get_name() for n in around if re.match("(Gtk|Adw)[A-Z]", n.get_name() or "")]
    check(around and not classes, f"what a control is in is not called after its class {classes}")
    check("GtkImage" not in labels_of(find("push button", "Roll a new seed")), "nor is a button's icon said with its name")
    said = find("combo box", "Scheduler").get_description() or ""
    check(not is_old() or said.startswith("PNDM"), f"a list to choose from says what is chosen ({said})")


def test_words():
    check(tab_to("slider Steps"), "Tab comes to the film strip once more")
    heard.clear()
    keys("w")
    check(hears("This run was made without maps"), "the words' bar says what it is when it comes up")
    keys("g")
    check(hears("What if"), "and so does the bar for other guidance")
    keys("g")
    check(any(tab("shift+Tab") == "push button Hide the words" for _ in range(8)), "Shift+Tab comes to the words' bar")
    keys("Return")
    check(wait_for(lambda: focused() == "push button Play the steps"),
          f"when it is closed the keyboard is beside where it was ({focused()})")


def test_preferences():
    keys("ctrl+comma")
    shows = wait_for(lambda: find("combo box", "Device"))
    check(shows and (not is_old() or shows.get_description()), "the preferences say what is chosen, too")
    check(not is_old() or not any(w.get_role_name() == "frame" and w.get_name() == "Preferences" for w in children(app)),
          "their window is a dialog: in another window over the first one Orca says nothing")
    keys("Escape")
    focus_window()


def test_names():
    nameless = [f"{role_of(n)} {n.get_name()}" for n in everything(app) if is_nameless(n)]
    check(not nameless, f"every control has a name {nameless}")
    check(find("push button", "Develop") is not None, "the main button is called Develop")


def test_develop():
    type_into("Prompt", "two yellow balloons in the mountains at dawn")
    spin("Steps", STEPS)
    spin("Guidance", 5)
    strip()
    press("Develop")
    seen = set()
    wait_for(lambda: seen.add(now := step()) or now == (STEPS, STEPS))
    check(step() == (STEPS, STEPS), f"the film strip follows to its last step ({step()})")
    check(len(seen) > 2, f"and the steps came one by one: {sorted(seen)}")
    check(hears("The picture is ready"), "a screen reader says that the picture is ready")
    check(wait_for(lambda: len(pictures()) == 1), "the finished picture is in the gallery's folder")
    keys("alt+3")                                             # a newer GTK's tree has what is shown only
    check(wait_for(lambda: any(is_nameless(n) is False and has(n, Atspi.StateType.FOCUSABLE) and role_of(n) != "text"
                               and (n.get_name() or "").startswith("two yellow balloons") for n in everything(app))),
          "its place in the gallery is called by its prompt")
    check(not any(n.get_name() == "SlPrint" for n in everything(app)), "and so is what is in that place, which is what is said")
    keys("alt+1")
    test_names()


def test_scrub():
    check(tab_to("slider Steps"), "Tab comes to the film strip")
    keys("Home")
    check(wait_for(lambda: step() == (0, STEPS)), f"Home is step 0, the noise {step()}")
    keys("Right", "Right", "Right", "Right", "Right")         # PNDM evaluates its first step twice
    check(wait_for(lambda: step() == (4, STEPS)), f"and five times right is step 4 {step()}")
    heard.clear()
    press("Save this step")
    check(hears("This step goes to the gallery"), "a toast is said")
    check(wait_for(lambda: len(pictures()) == 2), "a step that is saved is a picture of its own")


def mouse(*words):
    subprocess.run(["xdotool", *map(str, words)], check=True)


def test_mouse():
    at = Atspi.Component.get_extents(strip(), Atspi.CoordType.WINDOW)
    y = at.y + at.height // 2
    mouse("mousemove", at.x + 20, y, "mousedown", 1)
    check(wait_for(lambda: step() == (0, STEPS)), f"a press at the left end of the strip goes to step 0 {step()}")
    for k in range(1, 6):
        mouse("mousemove", at.x + 20 + (at.width - 40) * k // 5, y)
        time.sleep(0.05)
    mouse("mouseup", 1)
    check(wait_for(lambda: step() == (STEPS, STEPS)), f"dragged to the right end it is the last step {step()}")


def seen():
    """The pixels of a part of the tray, above the middle of the film strip."""
    at = Atspi.Component.get_extents(strip(), Atspi.CoordType.WINDOW)
    part = f"{at.width // 3}x200+{at.x + at.width // 3}+{at.y - 400}"
    return subprocess.run(["import", "-window", "root", "-crop", part, "rgb:-"], capture_output=True, check=True).stdout


def settled():
    """The same when three looks in a row agree."""
    looks = [b"", b"", seen()]
    while len(set(looks)) > 1:
        time.sleep(0.15)
        looks = [*looks[1:], seen()]
    return looks[0]


def alike(a, b):
    """Cairo's smallest steps of a colour depend on how much is drawn at once, as under a toast that goes."""
    return len(a) == len(b) and all(abs(x - y) <= 1 for x, y in zip(a, b))


def test_pan():
    keys("0")
    keys(*["plus"] * 8)
    start = settled()
    keys("shift+Left", "shift+Left")
    check(wait_for(lambda: not alike(seen(), start)), "Shift+Left moves an enlarged picture")
    settled()
    keys("shift+Right", "shift+Right")
    check(wait_for(lambda: alike(seen(), start)), "Shift+Right moves it back")
    keys("shift+Up")
    check(wait_for(lambda: not alike(seen(), start)), "Shift+Up moves it up")
    settled()
    keys("shift+Down")
    check(wait_for(lambda: alike(seen(), start)), "and Shift+Down down again")
    check(step() == (STEPS, STEPS), f"the film strip stays where it is {step()}")
    keys("0")


def start_long_run(steps=150):
    spin("Steps", steps)
    keys("ctrl+Return")
    wait_for(lambda: step()[1] == steps and step()[0] > 5)


def test_stop():
    start_long_run()
    begun = time.time()
    press("Stop")
    stopped = wait_for(lambda: shown("Stopped at step"))
    check(stopped, f"Stop answers ({time.time() - begun:.1f} s)")
    check(1 <= step()[0] < 150, f"and keeps what there is {step()}")


def test_settings_come_back():
    saved = pictures()[0]
    type_into("Prompt", "something else")
    spin("Steps", 40)
    spin("Guidance", 1)
    check(called("org.freedesktop.Application.Open", f"['file://{saved.replace(' ', '%20')}']", "{}"), "the file is opened")
    check(wait_for(lambda: text_of("Prompt") == "two yellow balloons in the mountains at dawn"), "its prompt comes back")
    check(spun("Steps") == STEPS, "and its steps")
    check(spun("Guidance") == 5, "and its guidance")


def test_broken_model():
    folder = os.environ["HOME"] + "/broken"
    shutil.copytree(fixture, folder)
    with open(folder + "/unet/config.json", "w") as f:
        f.write('{"in_channels": ')
    check(called("org.freedesktop.Application.Open", f"['file://{folder}']", "{}"), "a broken model's folder is opened")
    check(wait_for(lambda: shown(folder)), "a sentence names it")
    check(not is_old() or wait_for(lambda: any(folder in (n.get_description() or "") for n in everything(app)
                                               if role_of(n) == "push button")), "and it is said with the dialog's button")
    keys("Escape")
    before = len(pictures())
    press("Develop")
    check(wait_for(lambda: len(pictures()) > before), "the model before it still works")


def make_loras():
    """Files that a prompt may name, among the person's own."""
    folder = os.path.join(os.environ["XDG_DATA_HOME"], "safelight", "models", "loras")
    os.makedirs(folder)
    for name in ("catfur", "wildcat", "dog"):
        open(os.path.join(folder, name + ".safetensors"), "w").close()


def offered():
    """The names under the prompt, and which of them Tab would take. GTK 4.8 does not tell that they went."""
    names = find("list", "Names that fit")
    rows = children(names) if names else []
    words = [" ".join(n.get_name() for n in everything(row) if n.get_role_name() == "label") for row in rows]
    return words, [w for w, row in zip(words, rows) if has(row, Atspi.StateType.SELECTED)]


def test_completion():
    before = text_of("Prompt")
    type_into("Prompt", "a red house ")
    check(tab_to("text Prompt"), "Tab comes to the prompt")
    keys("ctrl+End")
    subprocess.run(["xdotool", "type", "--delay", "60", "<lora:cat"], check=True)
    check(wait_for(lambda: offered() == (["catfur", "wildcat"], ["catfur"])), f"LoRAs are offered while one is typed {offered()}")
    keys("Down")
    check(wait_for(lambda: offered()[1] == ["wildcat"]), f"Down chooses the next {offered()}")
    check(has(find("text", "Prompt"), Atspi.StateType.FOCUSED), "the keyboard stays in the text")
    keys("Tab")
    check(wait_for(lambda: text_of("Prompt") == "a red house <lora:wildcat:1>"), f"Tab takes it: {text_of('Prompt')}")
    subprocess.run(["xdotool", "type", "--delay", "60", " <lora:do"], check=True)
    check(wait_for(lambda: offered()[0] == ["dog"]), "another one is offered")
    keys("Escape")  # else Tab took the name
    check(tab() != "text Prompt" and text_of("Prompt").endswith(" <lora:do"), "after Escape Tab goes on, and what was typed stays")
    type_into("Prompt", "a red house ")
    start_long_run(900)
    tab_to("text Prompt")
    keys("ctrl+End")
    subprocess.run(["xdotool", "type", "--delay", "60", "<lora:cat"], check=True)
    check(wait_for(lambda: offered()[0] == ["catfur", "wildcat"]), "LoRAs are offered in a run, too")
    keys("Escape")
    reached = step()
    check(wait_for(lambda: step()[0] > reached[0], 3), f"Escape closes them; it does not stop the run {reached}")
    keys("Escape")
    check(wait_for(lambda: find("push button", "Develop")), "the next one does")
    spin("Steps", STEPS)
    type_into("Prompt", before)


def test_keyboard():
    wanted = ("text Prompt", "text Negative prompt", "spin button Steps", "spin button Guidance", "combo box Scheduler", "text Seed",
              "push button Roll a new seed", "push button Develop", "push button Main menu", "page tab ", "slider Steps")
    visited = []
    while len(visited) < 150 and not all(any(v.startswith(name) for v in visited) for name in wanted):
        visited.append(tab())
    for name in wanted:
        check(any(v.startswith(name) for v in visited), f"Tab comes to: {name}")
    before = len(pictures())
    keys("ctrl+Return")
    check(wait_for(lambda: len(pictures()) > before), "Ctrl+Enter develops a picture")
    panel = find("push button", "Show the settings")
    keys("F9")
    check(wait_for(lambda: not has(panel, Atspi.StateType.PRESSED)), "F9 hides the settings")
    keys("F9")
    check(wait_for(lambda: has(panel, Atspi.StateType.PRESSED)), "and shows them again")
    start_long_run()
    keys("Escape")
    before = step()
    time.sleep(1)
    check(step() == before and before[0] < 150, f"Esc stops {before}")
    keys("ctrl+question")
    check(wait_for(lambda: len([w for w in children(app) if has(w, Atspi.StateType.SHOWING)]) > 1), "the shortcuts can be seen")
    keys("Escape")


program, models, fixture = sys.argv[1:4]
Atspi.init()
listener = Atspi.EventListener.new(focus_changed)
listener.register("object:state-changed:focused")
ear = Atspi.EventListener.new(announced)
for kind in ("object:property-change:accessible-name", "object:announcement"):
    ear.register(kind)
os.environ["SAFELIGHT_MODELS"] = models
make_loras()
process = subprocess.Popen([program])
app = wait_for(find_app)
if check(app is not None and wait_for(lambda: find("combo box", "Scheduler")), "the program is on the screen"):
    wait_for(lambda: has(find("push button", "Develop"), Atspi.StateType.SENSITIVE))
    focus_window()
    test_names()
    test_spoken()
    test_develop()
    test_scrub()
    test_words()
    test_preferences()
    test_mouse()
    test_pan()
    test_stop()
    test_settings_come_back()
    test_broken_model()
    test_completion()
    test_keyboard()
    called("org.freedesktop.Application.ActivateAction", "quit", "[]", "{}")
check(wait_for(lambda: process.poll() is not None) is True and process.returncode == 0, f"it ends well ({process.poll()})")
print(f"1..{done}")
sys.exit(failed > 0)
