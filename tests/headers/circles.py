#!/usr/bin/env python3
"""circles.py NM LIBRARIES... - files that call each other in a circle, found in the libraries of the build.

Two files that need each other are one file, or the border between them is in the wrong place. Every object file
is a point, every symbol that one needs and another defines an arrow; what lies on a circle is printed. Calls
through tables of functions make no arrow, and may go both ways.
"""
import os
import subprocess
import sys


def symbols(nm, library):
    """(file, symbols it defines, symbols it needs) of every object in a static library."""
    out = subprocess.run([nm, '-g', library], capture_output=True, text=True, check=True).stdout
    for line in out.split('\n'):
        words = line.split()
        if len(words) == 1 and words[0].endswith('.o:'):
            found = (os.path.basename(words[0])[:-len('.o:')], set(), set())
            yield found
        elif len(words) == 2 and words[0] == 'U':
            found[2].add(words[1])
        elif len(words) == 3 and words[1] in 'TDBRCV':
            found[1].add(words[2])


def circles(arrows):
    """Tarjan's strongly connected components with more than one member."""
    index, low, stack, on, found = {}, {}, [], set(), []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        on.add(v)
        for w in sorted(arrows[v]):
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in on:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            members = []
            while True:
                w = stack.pop()
                on.discard(w)
                members.append(w)
                if w == v:
                    break
            if len(members) > 1:
                found.append(sorted(members))

    sys.setrecursionlimit(10000)
    for v in sorted(arrows):
        if v not in index:
            visit(v)
    return found


def main():
    nm, libraries = sys.argv[1], sys.argv[2:]
    defined, needed = {}, {}
    for library in libraries:
        room = os.path.basename(library)[len('lib'):-len('.a')]
        for name, defines, needs in symbols(nm, library):
            defined[f'{room}: {name}'], needed[f'{room}: {name}'] = defines, needs
    owner = {symbol: file for file, symbols_ in defined.items() for symbol in symbols_}
    arrows = {file: {owner[s] for s in needed[file] if s in owner} - {file} for file in defined}
    found = circles(arrows)
    print(f'{len(defined)} files of {len(libraries)} libraries')
    for members in found:
        print(f'{len(members)} files call each other in a circle:')
        for v in members:
            for w in sorted(arrows[v] & set(members)):
                names = sorted(s for s in needed[v] if owner.get(s) == w)
                print(f'  {v} -> {w}: {", ".join(names[:6])}{", ..." if len(names) > 6 else ""}')
    if not defined:
        print('no object files were found')
    return 1 if found or not defined else 0


if __name__ == '__main__':
    sys.exit(main())
