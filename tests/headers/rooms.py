#!/usr/bin/env python3
"""rooms.py SOURCE [STAMP] - which folder may include what of which other folder. Run in every build.

A room is a folder with one public header; other rooms include that header and none of its others. A room may
use the rooms that stand before it in its list, never those behind it. Tests may include everything.
"""
import os
import re
import sys

# Lowest first: (room, public header, rooms it may use; None: all before it).
ROOMS = [
    ('kernels', 'kernels/kernels.h', []),
    ('engine/files', 'engine/files/files.h', ['kernels']),
    ('engine/adapters', 'engine/adapters/adapters.h', ['kernels', 'engine/files']),
    ('engine/noise', 'engine/noise/noise.h', ['kernels']),
    ('engine/schedulers', 'engine/schedulers/schedulers.h', ['kernels', 'engine/files', 'engine/noise']),
    ('engine/recipe', 'engine/recipe/recipe.h',
     ['kernels', 'engine/files', 'engine/adapters', 'engine/noise', 'engine/schedulers']),
    ('engine/nets', 'engine/nets/nets.h', ['kernels', 'engine/files']),
    ('engine/text', 'engine/text/text.h', ['kernels', 'engine/files', 'engine/nets']),
    ('engine/pipelines', 'engine/pipelines/pipelines.h', None),
    ('engine/run', 'engine/run/run.h', None),
    ('engine', 'engine/engine.h', None),  # engine.h: what app/ sees
    ('app/files', 'app/files/files.h', ['kernels', 'engine']),
    ('app/image', 'app/image/image.h', ['kernels', 'engine', 'app/files']),
    ('app/recipe', 'app/recipe/recipe.h', ['kernels', 'engine', 'app/files', 'app/image']),
    ('app/record', 'app/record/record.h', ['kernels', 'engine', 'app/files', 'app/image', 'app/recipe']),
    ('app/cli', 'app/cli/cli.h', ['kernels', 'engine', 'app/files', 'app/image', 'app/recipe', 'app/record']),
    ('app/objects', 'app/objects/objects.h',
     ['kernels', 'engine', 'app/files', 'app/image', 'app/recipe', 'app/record']),
    ('ui', 'ui/ui.h', ['app/objects']),
    ('app', None, ['app/cli', 'ui']),  # main.c
]
# engine.h belongs to the rooms that it describes.
ENGINE_H = ('engine/recipe', 'engine/pipelines', 'engine/run')
# Includes that are wrong today; this list only ever gets shorter.
WRONG_TODAY = {
}
PUBLIC = {room: header for room, header, _ in ROOMS}
MAY = {}
for i, (room, _, uses) in enumerate(ROOMS):
    MAY[room] = [r for r, _, _ in ROOMS[:i]] if uses is None else uses
GLIB = re.compile(r'#\s*include\s*<(glib|gio|gtk|gdk|adwaita|pango)')


def room_of(path):
    while path:
        path = os.path.dirname(path)
        if path in PUBLIC:
            return path
    return None


def complaints(path, text):
    room = room_of(path)
    for number, line in enumerate(text.split('\n'), 1):
        where = f'{path}:{number}'
        if room not in ('ui', 'app/objects') and GLIB.match(line):
            yield f'{where}: only ui/ and app/objects/ know GLib'
        if path.startswith('engine/') and re.match(r'#\s*include\s*[<"]cuda', line):
            yield f'{where}: engine/ knows no CUDA'
        found = re.match(r'#\s*include\s*"([^"]+)"', line)
        if not found or '/' not in found[1]:
            continue
        other = room_of(found[1])
        if other is None or other == room:
            continue
        if (path, found[1]) in WRONG_TODAY:
            continue
        if found[1] == 'engine/engine.h' and room in ENGINE_H:
            continue
        if other not in MAY[room]:
            yield f'{where}: {room} may not use {other}'
        elif found[1] != PUBLIC[other]:
            yield f'{where}: {found[1]} is not what {other} shows; include {PUBLIC[other]}'


def main():
    root = sys.argv[1]
    wrong = []
    for top in ('kernels', 'engine', 'app', 'ui'):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith(('.c', '.h', '.cu', '.cuh', '.cpp')):
                    path = os.path.relpath(os.path.join(folder, name), root)
                    with open(os.path.join(root, path), encoding='utf-8') as file:
                        wrong += complaints(path, file.read())
    for line in wrong:
        print(line, file=sys.stderr)
    if not wrong and len(sys.argv) > 2:
        with open(sys.argv[2], 'w', encoding='utf-8') as stamp:
            stamp.write('every include is allowed\n')
    return 1 if wrong else 0


sys.exit(main())
