#!/usr/bin/env python3
"""documented.py PROGRAM MAN_PAGE COMMAND_LINE_MD - every command and option is in the man page and in docs/command-line.md.

TAP. The man page is made from --help (packaging/man.py); the text for people is written by hand and could forget one.
"""
import re
import subprocess
import sys


def helped(program, *words):
    return subprocess.run([program, *words, '--help'], stdout=subprocess.PIPE, check=True, encoding='utf-8').stdout


def main():
    program, page, guide = sys.argv[1:]
    with open(page, encoding='utf-8') as f:
        page = f.read().replace('\\-', '-')
    with open(guide, encoding='utf-8') as f:
        guide = f.read()
    usage = helped(program)
    commands = re.findall(r'^  ([a-z]+)', usage[usage.index('Commands:'):usage.index('`safelight COMMAND')], re.M)
    tests = [(len(commands) >= 8, f'{len(commands)} commands are listed')]
    for command in commands:
        options = re.findall(r'^  (--[a-z0-9-]+)', helped(program, command), re.M)
        section = page[page.find(f'.SS "{command}'):].split('\n.SS ')[0].split('\n.SH ')[0] if f'.SS "{command}' in page else ''
        missing = [o for o in options if f'.BI "{o}"' not in section]
        tests.append((options and not missing, f'{command}: the man page has its options {" ".join(missing)}'))
        missing = [o for o in options if not re.search(rf'`{o}[ `|]', guide) and o != '--help']
        tests.append((f'`{command}' in guide and not missing, f'{command}: so does docs/command-line.md {" ".join(missing)}'))
    for number, (ok, what) in enumerate(tests, 1):
        print(f'{"" if ok else "not "}ok {number} - {what}')
    print(f'1..{len(tests)}')
    return 0 if all(ok for ok, _ in tests) else 1


sys.exit(main())
