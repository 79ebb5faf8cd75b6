#!/usr/bin/env python3
"""words.py SOURCE - every sentence that a person can see in the window is one that a translator can see.

Formats are looked up where they are filled in (kernels/kernels.h, "sentences in the person's language"). xgettext finds
them if they stand as one literal where it looks (data/po/keywords): here every format that is given to sl_fail or
sl_device_fail, and every argument of sl_words and SL_WORDS, is a literal, or its choices are marked by SL_WORDS, what a
GError is told goes through one of them, and the file is in data/po/POTFILES. What a format merely repeats ("%s") is left
to those who made it, but words that stand as literals among what is filled in are marked as well.
"""
import pathlib
import re
import sys

# What says things on a terminal alone, and what only tests see.
NOT_SEEN = ('app/cli/', 'kernels/cuda/emu/')
FUNCTIONS = {'sl_fail': 2, 'sl_device_fail': 2, 'sl_words': 0, 'SL_WORDS': 0, 'g_set_error': 3, 'g_set_error_literal': 3}
GERROR = ('g_set_error', 'g_set_error_literal')
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\n[ \t]*#(?:\\\n|[^\n])*|\s+|\w+|.', re.S)


def tokens(text):
    """(line, token) of what the compiler sees but for directives."""
    line = 1
    for m in TOKEN.finditer(text):
        t = m.group()
        if not (t.isspace() or t.startswith(('/*', '//')) or re.match(r'\n\s*#', t)):
            yield line, t
        line += t.count('\n')


WORDS = re.compile(r'[A-Za-z]{2,} [A-Za-z]{2,}')


def unmarked(of):
    """Words among what is filled into a format that no translator sees."""
    return [t for i, t in enumerate(of) if WORDS.search(t) and t.startswith('"') and not (i and of[i - 1].startswith('"'))
            and not (i >= 2 and of[i - 2] in ('sl_words', 'SL_WORDS'))]


def arguments(seen, at):
    """The arguments of the call whose bracket is at `at`, each a list of tokens."""
    depth, all_of, one = 0, [], []
    for _, t in seen[at:]:
        depth += t in '([{'
        depth -= t in ')]}'
        if depth == 0:
            break
        if t == ',' and depth == 1:
            all_of.append(one)
            one = []
        elif not (t == '(' and depth == 1 and not one and not all_of):
            one.append(t)
    return all_of + [one]


def is_open(function, of):
    """Why a translator does not see these tokens; None if there is nothing to complain of."""
    literals = [t for t in of if t.startswith('"')]
    if not literals:
        return None  # it came from elsewhere, where it is marked
    if function in GERROR:
        return None if of[0] in ('sl_words', '_') else 'is in English alone: ' + ' '.join(of)[:90]
    if len(literals) == len(of):
        return None
    marked = sum(1 for a, b in zip(of, of[2:]) if a in ('SL_WORDS', 'sl_words') and b.startswith('"'))
    first = [t for i, t in enumerate(of) if t.startswith('"') and not of[i - 1].startswith('"')]
    if function in ('sl_fail', 'sl_device_fail') and marked == len(first):
        return None
    return 'is no single literal: ' + ' '.join(of)[:90]


def check(path, name, listed):
    seen = list(tokens(path.read_text(encoding='utf-8')))
    bad, says = [], False
    for i, (line, t) in enumerate(seen[:-1]):
        if t not in FUNCTIONS or seen[i + 1][1] != '(' or (i and re.match(r'\w', seen[i - 1][1]) and
                                                          seen[i - 1][1] not in ('return', 'else')):
            continue
        given = arguments(seen, i + 1)
        if len(given) <= FUNCTIONS[t]:
            continue
        of = given[FUNCTIONS[t]]
        says = says or any(x.startswith('"') for x in of)
        why = is_open(t, of)
        if why:
            bad.append(f'{name}:{line}: what {t} is told {why}')
        behind = given[FUNCTIONS[t] + 1:] if t in ('sl_fail', 'sl_device_fail') else []
        bad += [f'{name}:{line}: {w} is filled in in English alone' for one in behind for w in unmarked(one)]
    names = {t for _, t in seen}
    says = says or ('glib/gi18n.h' in path.read_text(encoding='utf-8') and names & {'_', 'N_', 'ngettext'})
    if says and name not in listed:
        bad.append(f'{name}: is not in data/po/POTFILES')
    return bad


def main():
    source = pathlib.Path(sys.argv[1])
    listed = set((source / 'data/po/POTFILES').read_text(encoding='utf-8').split())
    bad = []
    for room in ('app', 'engine', 'kernels', 'ui'):
        for path in sorted((source / room).rglob('*.c*')):
            name = path.relative_to(source).as_posix()
            if path.suffix in ('.c', '.cpp') and not name.startswith(NOT_SEEN):
                bad += check(path, name, listed)
    for path in sorted((source / 'ui').rglob('*.ui')):
        name = path.relative_to(source).as_posix()
        if 'translatable="yes"' in path.read_text(encoding='utf-8') and name not in listed:
            bad.append(f'{name}: is not in data/po/POTFILES')
    for line in bad:
        print(line)
    sys.exit(bool(bad))


main()
