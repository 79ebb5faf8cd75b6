#!/usr/bin/env python3
"""man.py PROGRAM OUT - the man page safelight(1), from what the program prints with --help.

Commands and options come from the program's own tables, so that the page cannot say otherwise. The build runs it.
"""
import re
import subprocess
import sys

HEAD = r'''.TH SAFELIGHT 1 "" "%s" "User Commands"
.SH NAME
safelight \- watch a picture come up out of the noise
.SH SYNOPSIS
.nf
.B safelight
.BR safelight " FILE.png|MODEL"
.BI "safelight " COMMAND " [" OPTION "...]"
.fi
.SH DESCRIPTION
Runs diffusion models as Hugging Face diffusers does and shows every step of the denoising.
Without a command the window is opened, with a picture or a model if one is named.
Results go to standard output, progress to standard error.
'''

TAIL = r'''.SH ENVIRONMENT
.TP
.B SAFELIGHT_MODELS
folders with models, separated by colons
.TP
.B SAFELIGHT_CUDA_MODULE
the CUDA module to open, instead of the one beside the program
.TP
.B SAFELIGHT_AUTO_DTYPE
what \-\-dtype auto is on the processor (f32, bf16, bf16,decode=f32), instead of what is measured to be faster
.SH FILES
.TP
.I $XDG_DATA_HOME/safelight/models
models that are found by their names
.TP
.I $XDG_CACHE_HOME/safelight/hashes
the SHA\-256 of large model files
.TP
.I $XDG_CACHE_HOME/safelight/types
what operations took in f32 and in bf16 on this machine
'''


def escaped(text):
    text = text.replace('\\', r'\e').replace('-', r'\-')
    return r'\&' + text if text.startswith(('.', "'")) else text


def helped(program, *words):
    run = subprocess.run([program, *words, '--help'], stdout=subprocess.PIPE, check=True, encoding='utf-8')
    return run.stdout


def entries(text, start):
    """The two columns of the help: (left, right); a right column that had no room is on the next line."""
    found = []
    for line in text.split('\n'):
        two = re.match(start + r'(.*?)(?:  +(.*))?$', line)
        if two:
            found.append([two[1], two[2] or ''])
        elif found and line.startswith('      '):
            found[-1][1] = (found[-1][1] + ' ' + line.strip()).strip()
    return found


def main():
    program, out = sys.argv[1:]
    usage = helped(program)
    version = subprocess.run([program, '--version'], stdout=subprocess.PIPE, encoding='utf-8')
    page = HEAD % escaped(version.stdout.strip() if version.returncode == 0 else 'safelight')
    page += '.SH COMMANDS\n'
    listed = usage[usage.index('Commands:'):usage.index('`safelight COMMAND')]
    for left, right in entries(listed, '  (?=[a-z])'):
        name, _, argument = left.partition(' ')
        page += f'.SS "{escaped(left)}"\n{escaped(right[:1].upper() + right[1:])}.\n'
        for option, what in entries(helped(program, name), '  (?=--)'):
            option, _, value = option.partition(' ')
            page += f'.TP\n.BI "{escaped(option)}" "{" " + escaped(value) if value else ""}"\n{escaped(what)}\n'
    page += '.SH EXIT STATUS\n.nf\n' + ''.join(
        escaped(line) + '\n' for line in usage[usage.index('Exit status:') + 12:].strip().split('\n')) + '.fi\n'
    with open(out, 'w', encoding='utf-8') as f:
        f.write(page + TAIL)


main()
