#!/usr/bin/env python3
"""terminal.py PROGRAM TESTS - what a terminal shows before the first evaluation: that the prompt is being read.

TAP. Each command that computes runs on a pseudo terminal; only that is shown progress.
"""
import os
import pathlib
import pty
import re
import sys
import tempfile


def shown(program, *words):
    """The exit status and all that came to the terminal, standard output and error together."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(program, [program, *map(str, words)])
    text = b''
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # as the end of a pseudo terminal reads
            break
        if not part:
            break
        text += part
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text.decode(errors='replace')


def main():
    program, tests = os.path.realpath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    model = ['--model', tests / 'goldens/model/sd1']
    unconditional = ['--model', tests / 'goldens/model/ddpm']
    device = ['--device', 'cpu', '--threads', 1]
    picture = [*model, *device, '--prompt', 'a red house', '--steps', 3, '--width', 32, '--height', 32]
    # the command, the words before its first evaluation, whether its evaluations are counted
    cases = [
        (['generate', *picture, '--output', 'a.png'], 'reading the prompt', True),
        (['compare', *picture, '--schedulers', 'ddim,euler', '--sheet', 's.png'], 'reading the prompt', True),
        (['replay', 'a.png', *model], 'reading the prompt', True),
        (['replay', 's.png', *model], 'reading the prompt', True),
        (['branch', 'a.png', *model, '--step', 1, '--guidance', 3, '--output', 'b.png'], 'earlier steps', True),
        (['generate', *picture, '--quiet', '--output', 'c.png'], None, False),
        (['generate', *unconditional, *device, '--steps', 2, '--output', 'd.png'], None, True),
    ]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for number, (words, wait, counted) in enumerate(cases, 1):
            code, text = shown(program, *words)
            bars = [bar.strip() for bar in re.findall(r'\[[= ]+\]([^\r\x1b]*)', text)]
            waits = [i for i, bar in enumerate(bars) if bar.startswith(('reading the prompt', 'earlier steps'))]
            counts = [i for i, bar in enumerate(bars) if re.match(r'(lanes )?\d+/\d', bar)]
            said = waits and all(bars[i].startswith(wait or ' ') for i in waits) and max(waits) < min(counts, default=0)
            ok = code == 0 and bool(counts) == counted and (said if wait else not waits)
            failed += not ok
            print(f'{"" if ok else "not "}ok {number} - {words[0]}: {wait or "nothing"} before the first evaluation')
            if not ok:
                print(f'# {code} {bars} {text[-300:]!r}')
    print(f'1..{len(cases)}')
    return 1 if failed else 0


sys.exit(main())
