#!/usr/bin/env python3
"""sweep.py SAFELIGHT FAULTS_SO TESTS [--all | --once] [--only WORDS] [--each N] - fails one call after another and looks at what is left.

Every command is run once with the shim (faults.c) taking down all its calls, then again and again with one of them failing:
memory, opening, reading, writing, ... also short and interrupted. After each run must hold:

* it ended in time and by no signal; short and interrupted calls are no failures, so they change nothing;
* status 0: the same files and the same standard output as without a fault;
* status 1: one sentence on standard error, which tells memory that ran out as that;
* every file is as it was before or whole, and nothing else lies beside it.

Calls from the same place (the same eight innermost frames) are one case, of which the first and the last call is tried. In the
suite only some of the cases of each kind (--each N); --all: every case, some 75,000 runs, more than an hour of one core; --once: every case
but those at places that a command further up has, too, some 18,000, twenty minutes. --only compare or --only compare,write: one command,
one kind. TAP; a case that fails is told with the stack of the call. Places where a failing call once did harm are always tried.
"""
import argparse
import bisect
import collections
import csv
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

OLD = b'what was there before\n'
MODE = 0o640  # its permissions
MODEL = ['--threads', '1', '--device', 'cpu', '--quiet']
PICTURE = ['--prompt', 'a red house', '--steps', '2', '--width', '16', '--height', '16', *MODEL]
FULL = ['--output', 'o.png', '--dump', 'd.safetensors', '--animation', 'a.webp', '--previews', 'p']

# Words of the command ({sd1}: the model, {bad}: one whose weights are cut, {made}: files made before), what it writes: "a>b" a link to b.
COMMANDS = {
    'generate': (['generate', '--model', '{sd1}', *PICTURE, *FULL], ['o.png', 'd.safetensors', 'a.webp', 'p/']),
    'compare': (['compare', '--model', '{sd1}', *PICTURE, '--schedulers', 'euler,ddim', '--sheet', 's.png', '--save', 'c.safelight',
                 '--animation', 'a.webp'], ['s.png', 'c.safelight', 'a.webp']),
    'open': (['compare', '--open', '{made}/c.safelight', '--model', '{sd1}', '--sheet', 's.png', '--animation', 'a.webp', *MODEL],
             ['s.png', 'a.webp']),
    'branch': (['branch', '{made}/o.png', '--model', '{sd1}', '--step', '1', '--scheduler', 'euler', '--output', 'o.png', *MODEL], ['o.png']),
    'replay': (['replay', '{made}/o.png', '--model', '{sd1}', '--verify', '--output', 'o.png', *MODEL], ['o.png']),
    'replay-lanes': (['replay', '{made}/c.safelight', '--model', '{sd1}', '--verify', *MODEL], []),
    'info-model': (['info', '{sd1}', '--json'], []),
    'info-picture': (['info', '{made}/o.png'], []),
    'onednn': (['generate', '--model', '{sd1}', *PICTURE, '--output', 'o.png'], ['o.png']),
    'words': (['generate', '--model', '{sd1}', '--lora', '{goldens}/adapters/sd1_kohya_lora.safetensors:0.8@0-0.5', '--lora',
               '{goldens}/adapters/sd1_peft_lora.safetensors', '--prompt-mode', 'a1111', '--prompt',
               'a (red:1.3) [house:lake:0.5] AND snow', *PICTURE[2:], '--output', 'o.png'], ['o.png']),
    'refiner': (['generate', '--model', '{goldens}/model/sdxl', '--refiner', '{goldens}/model/sdxl_refiner', '--refine-from', '0.5', *PICTURE,
                 '--output', 'o.png'], ['o.png']),
    'embedding': (['generate', '--model', '{sd1}', '--embedding', '{goldens}/embeddings/sd1.pt', '--embedding',
                   '{goldens}/embeddings/two.safetensors:<bird>', '--prompt', 'a <cat> and a <bird>', *PICTURE[2:], '--output', 'o.png'], ['o.png']),
    'info-embedding': (['info', '{goldens}/embeddings/sd1_old.pt'], []),
    'info-lora': (['info', '{goldens}/adapters/sd1_kohya_lora.safetensors'], []),
    'tokenize': (['tokenize', '--model', '{sd1}', '--prompt-mode', 'compel', '("a cat", "a dog++").blend(0.7, 0.3)'], []),
    'caching': (['generate', '--model', '{sd1}', *PICTURE, '--steps', '3', '--caching', 'deep', '--caching-interval', '2', '--output', 'o.png'],
                ['o.png']),
    'caching-lanes': (['compare', '--model', '{sd1}', *PICTURE, '--steps', '3', '--scheduler', 'euler', '--lane', 'caching=off', '--lane',
                       'caching=first-block,caching-threshold=1', '--save', 'c.safelight', '--save-words', '--table', 't.csv', '--report', 'r.html'],
                      ['c.safelight', 't.csv', 'r.html']),
    'word-maps': (['generate', '--model', '{sd1}', *PICTURE, '--word-maps', 'w'], ['w/']),
    'grid': (['compare', '--model', '{sd1}', *PICTURE, '--grid', 'x=scheduler:euler,ddim', 'y=steps:1,2', '--sheet', 's.png'], ['s.png']),
    'bad-model': (['generate', '--model', '{bad}', *PICTURE, '--output', 'o.png'], ['o.png']),
    'replay-sheet': (['replay', '{made}/s.png', '--model', '{sd1}', '--verify', '--output', 's.png', *MODEL], ['s.png']),
    'replay-animation': (['replay', '{made}/a.webp', '--model', '{sd1}', '--verify', *MODEL], []),
    'info-comparison': (['info', '{made}/c.safelight'], []),
    'info-animation': (['info', '{made}/a.webp', '--json'], []),
    'info-foreign': (['info', '{fixtures}/foreign/comfy-emphasis.png'], []),
    'info-infotext': (['info', '{fixtures}/foreign/a1111-neo.png'], []),
    'exports': (['compare', '--open', '{made}/c.safelight', '--model', '{sd1}', '--align', 'sigma', '--table', 't.csv', '--report', 'r.html',
                 '--animation', 'a.gif', *MODEL], ['t.csv', 'r.html', 'a.gif']),
    'film': (['generate', '--model', '{sd1}', *PICTURE, '--animation', 'a.mp4', '--animation-captions', 'yes', '--output', 'o.png'],
             ['a.mp4', 'o.png']),
    'series': (['generate', '--model', '{sd1}', *PICTURE[2:], '--prompt', 'a {{big|small}} __thing__', '--dynamic', '2', '--wildcards', '{work}/words',
                '--output', 'o.png'], ['o-0001.png', 'o-0002.png']),
    'gguf': (['generate', '--model', '{sd1}', '--unet', '{work}/unet.gguf', *PICTURE, '--output', 'o.png'], ['o.png']),
    'q8': (['generate', '--model', '{sd1}', '--dtype', 'q8', *PICTURE, '--output', 'o.png'], ['o.png']),
    'given': (['generate', '--model', '{sd1}', '--latents', '{work}/latents.safetensors', *PICTURE, '--scheduler', 'ddim', '--output', 'o.png'],
              ['o.png']),
    'ddpm': (['generate', '--model', '{goldens}/model/ddpm', '--steps', '2', *MODEL, '--animation', 'a.apng', '--output', 'o.png'],
             ['a.apng', 'o.png']),
    'info-embedding-zip': (['info', '{goldens}/embeddings/sd1.pt'], []),
    'named': (['tokenize', '--model', 'sd1', 'a cat'], []),
    'link': (['generate', '--model', '{sd1}', *PICTURE, '--output', 'l.png'], ['o.png', 'l.png>o.png']),
}
# Of these the suite tries places that no command before has.
FEW = list(COMMANDS)[list(COMMANDS).index('replay-sheet'):]

# Kinds of calls in functions where one that failed once did harm: each is tried in the suite. A function may be a part of the next one.
MENDED = {
    'info-comparison': [('alloc', ('read_rows',)), ('alloc', ('sl_json_parse_bounded',))],
    'info-foreign': [('alloc', ('reserve', 'sl_text_append'))],
    'info-embedding-zip': [('alloc', ('load', 'check_order', 'open_zip', 'sl_torch_file_open'))],
    'info-lora': [('alloc', ('new_safetensors', 'sl_safetensors_open'))],
    'replay-animation': [('alloc', ('take_text', 'walk', 'sl_webp_read'))],
    'replay-sheet': [('alloc', ('encode', 'write_picture'))],
    'named': [('alloc', ('in_folder', 'sl_model_find'))],
    'link': [('stat', ('check_target', 'open_all', 'sl_atomic_open'))],
    'generate': [('alloc', ('dump_start', 'on_frame')), ('alloc', ('make_room', 'upload_sample', 'download_picture', 'sl_decode')), ('alloc', ('add',))],
}

# Kind of call (faults.c): how it fails. "forever": all later ones of the kind, too.
FAULTS = {
    'alloc': ['ENOMEM', 'ENOMEM forever'],
    'onednn': ['ENOMEM', 'ENOMEM forever'],
    'open': ['EACCES', 'EMFILE forever'],
    'read': ['EIO', 'short', 'EINTR', 'end'],
    'pread': ['EIO', 'short', 'EINTR', 'end'],
    'write': ['ENOSPC', 'ENOSPC forever', 'short', 'EINTR'],
    'fsync': ['EIO'],
    'rename': ['EACCES'],
    'close': ['EIO'],
    'stat': ['EACCES'],
    'mkdir': ['EROFS'],
    'truncate': ['EIO'],
    'chmod': ['EACCES'],
    'unlink': ['EACCES'],
    'thread': ['EAGAIN'],
    'folder': ['EACCES'],
    'realpath': ['ENOMEM'],
    'lock': ['EINTR'],
}
HARMLESS = ('short', 'EINTR')

Result = collections.namedtuple('Result', 'status out err files modes')
Case = collections.namedtuple('Case', 'command kind error n')


# ---- files ----

def is_whole_png(data):
    at, ended = 8, False
    while at + 12 <= len(data) and not ended:
        length, name = struct.unpack('>I4s', data[at:at + 8])
        ended = name == b'IEND'
        if data[at + 8 + length:at + 12 + length] != struct.pack('>I', zlib.crc32(data[at + 4:at + 8 + length])):
            return False
        at += 12 + length
    return data[:8] == b'\x89PNG\r\n\x1a\n' and ended and at == len(data)


def safetensors(data):
    """Header and bytes of the tensors; None where the file is not whole."""
    length = int.from_bytes(data[:8], 'little')
    try:
        header = json.loads(data[8:8 + length])
        end = max(t['data_offsets'][1] for name, t in header.items() if name != '__metadata__')
    except (ValueError, KeyError):
        return None
    return (header, data[8 + length:]) if end == len(data) - 8 - length else None


def is_whole_mp4(data):
    at, found = 0, set()
    while at + 8 <= len(data):
        length, name = struct.unpack('>I4s', data[at:at + 8])
        found.add(name)
        at += max(length, 8)
    return at == len(data) and found >= {b'ftyp', b'moov', b'mdat'}


def is_whole(name, data):
    if isinstance(data, str):  # where a link leads
        return True
    if name.endswith('.mp4'):
        return is_whole_mp4(data)
    if name.endswith('.gif'):
        return data[:6] == b'GIF89a' and data[-1:] == b';'
    if name.endswith(('.png', '.apng')):
        return is_whole_png(data)
    if name.endswith('.html'):
        return data.endswith(b'</html>\n')
    if name.endswith('.csv'):
        return data.endswith(b'\n') and len({len(row) for row in csv.reader(data.decode().splitlines())}) == 1
    if name.endswith('.json'):
        return data.rstrip().endswith(b'}')
    if name.endswith('.webp'):
        return data[:4] == b'RIFF' and int.from_bytes(data[4:8], 'little') + 8 == len(data)
    return safetensors(data) is not None


def comparable(name, data):
    """What has to be equal in two runs: of a comparison all but the seconds, the last of a moment's figures, and of its table and
    report, which have the seconds among others, nothing."""
    if name.endswith(('.csv', '.html')):
        return None
    if isinstance(data, str) or not name.endswith('.safelight') or safetensors(data) is None:
        return data
    header, tensors = safetensors(data)
    lanes = json.loads(header['__metadata__']['safelight'])
    for lane in lanes['lanes']:
        for figures in lane['frames']:
            figures.pop()
    header['__metadata__']['safelight'] = lanes
    return header, tensors


def files_in(folder):
    """Of each its bytes, or where a link leads to; and the permissions of all but links."""
    found, modes = {}, {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            short = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[short] = os.readlink(path)
                continue
            with open(path, 'rb') as f:
                found[short] = f.read()
            modes[short] = os.stat(path).st_mode & 0o777
    return found, modes


def functions_of(program):
    """(beginning, name) of each, sorted; a part that a compiler made of one has its name."""
    found = subprocess.run(['nm', '--defined-only', program], stdout=subprocess.PIPE, encoding='utf-8', check=True).stdout
    lines = (line.split() for line in found.splitlines())
    return sorted((int(at, 16), name.partition('.')[0]) for at, kind, name in lines if kind in 'tT')


# ---- running ----

class Sweep:
    def __init__(self, program, shim, tests, work):
        self.program, self.work = program, work
        # The loader takes a space in LD_PRELOAD for the end of a name, and a checkout may lie in a folder with one.
        self.shim = shutil.copy(shim, os.path.join(work, 'faults.so'))
        self.places = {'sd1': os.path.join(tests, 'goldens', 'model', 'sd1'), 'goldens': os.path.join(tests, 'goldens'),
                       'fixtures': os.path.join(tests, 'fixtures'), 'bad': os.path.join(work, 'bad'), 'made': os.path.join(work, 'made'),
                       'work': work}
        self.checkpoint = os.path.join(tests, 'engine', 'files', 'make_checkpoint.py')
        self.good = {}
        self.cases = {}
        self.tried = set()  # kind and stack
        self.functions = functions_of(self.program)
        self.environment = dict({'SAFELIGHT_AUTO_DTYPE': 'f32'}, **os.environ, LC_ALL='C.UTF-8')

    def run(self, command, **fault):
        words, writes = COMMANDS[command]
        folder = os.path.join(self.work, 'run')
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for name in writes:
            name, _, target = name.partition('>')
            if target:
                os.symlink(target, os.path.join(folder, name))
            elif name.endswith('/'):
                os.mkdir(os.path.join(folder, name))
            else:
                with open(os.path.join(folder, name), 'wb') as f:
                    f.write(OLD)
                os.chmod(os.path.join(folder, name), MODE)
        words = [self.program, *(w.format(**self.places) for w in words)]
        if command == 'onednn':  # on processors where it would not be used, too
            fault['SAFELIGHT_ISA'] = 'v3+onednn'
        if command == 'named':
            fault['SAFELIGHT_MODELS'] = os.path.join(self.places['goldens'], 'model')
        environment = dict(self.environment, LD_PRELOAD=self.shim, XDG_CACHE_HOME=os.path.join(self.work, 'cache'), **fault)
        with open(os.path.join(self.work, 'out'), 'wb+') as out, open(os.path.join(self.work, 'err'), 'wb+') as err:
            try:
                status = subprocess.run(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=60).returncode
            except subprocess.TimeoutExpired:
                status = None
            out.seek(0)
            err.seek(0)
            return Result(status, out.read().decode('utf-8', 'replace'), err.read().decode('utf-8', 'replace'), *files_in(folder))

    def make_fixtures(self):
        shutil.copytree(self.places['sd1'], self.places['bad'])
        weights = os.path.join(self.places['bad'], 'unet', 'diffusion_pytorch_model.safetensors')
        os.chmod(weights, 0o644)
        os.truncate(weights, os.path.getsize(weights) // 2)
        os.mkdir(self.places['made'])
        for command, names in (('generate', ['o.png', 'd.safetensors']), ('compare', ['c.safelight', 's.png', 'a.webp'])):
            files = self.run(command).files
            for name in names:
                with open(os.path.join(self.places['made'], name), 'wb') as f:
                    f.write(files[name])
        self.make_latents()
        subprocess.run([sys.executable, self.checkpoint, self.places['sd1'], os.path.join(self.work, 'unet.gguf'), '--unet'], check=True)
        os.mkdir(os.path.join(self.work, 'words'))
        with open(os.path.join(self.work, 'words', 'thing.txt'), 'w', encoding='ascii') as f:
            f.write('house\nlake\n')

    def make_latents(self):
        """What the run with a dump began with, as a file for --latents."""
        with open(os.path.join(self.places['made'], 'd.safetensors'), 'rb') as f:
            header, data = safetensors(f.read())
        begin, end = header['latents.0']['data_offsets']
        text = json.dumps({'latents': dict(header['latents.0'], data_offsets=[0, end - begin])}).encode()
        with open(os.path.join(self.work, 'latents.safetensors'), 'wb') as f:
            f.write(struct.pack('<Q', len(text)) + text + data[begin:end])

    def function(self, place):
        """The name of the function of the program that an address lies in, or ''."""
        at = bisect.bisect_right(self.functions, (place, 'zz')) - 1
        return self.functions[at][1] if at >= 0 else ''

    def record(self, command, kinds, once):
        """Runs the command without a fault and lists its cases: the first and the last call of every stack; once: of every one that no
        command before had."""
        taken = os.path.join(self.work, 'record')
        self.good[command] = self.run(command, FAULT_RECORD=taken)
        stacks = {}
        self.mended = collections.defaultdict(dict)
        with open(taken, encoding='ascii') as f:
            for line in f:
                kind, n, stack, place = line.split()
                if kind in kinds and not (once and (kind, stack) in self.tried):
                    stacks.setdefault((kind, stack), []).append(int(n))
                for of, names in MENDED.get(command, []):
                    if of == kind and kind in kinds and self.function(int(place, 16)) in names:
                        self.mended[of, names].setdefault(stack, Case(command, kind, FAULTS[kind][0], int(n)))
        self.tried.update(stacks)
        cases = {Case(command, kind, error, n) for (kind, _), calls in stacks.items() for error in FAULTS[kind] for n in (calls[0], calls[-1])}
        self.cases[command] = sorted(cases)

    # ---- judging ----

    def complaints(self, case, got):
        good = self.good[case.command]
        if got.status is None:
            return ['it did not end within a minute']
        if got.status < 0:
            return [f'it died of signal {-got.status}']
        found = []
        if got.status not in (good.status, 1):
            found.append(f'status {got.status}')
        if got.status != good.status and case.error in HARMLESS:
            found.append('a short or interrupted call was taken for a failure')
        sentences = [line for line in got.err.splitlines() if line.strip()]
        if got.status != 0 and (len(sentences) != 1 or not sentences[0].startswith('safelight: ')):
            found.append(f'{len(sentences)} lines on standard error')
        if got.status == 1 and good.status != 1 and case.kind in ('alloc', 'onednn') and 'memory' not in got.err.lower():
            found.append('it does not say that memory ran out')
        if got.status == 0:
            found += self.compare_all(case, good, got)
        for name, data in got.files.items():
            if name not in good.files and case.kind != 'unlink':  # what cannot be removed stays
                found.append(f'{name} is left behind')
            elif name in good.files and data != OLD and not is_whole(name, data):
                found.append(f'{name} is damaged')
        written = [name.partition('>')[0] for name in COMMANDS[case.command][1] if not name.endswith('/')]
        found += [f'{name} is gone' for name in written if name not in got.files]
        found += [f'{name} has the permissions {got.modes[name]:o}' for name in written if got.modes.get(name, MODE) != MODE]
        return found

    @staticmethod
    def said(case, out):
        # With a thread less, the line about the device says so.
        if case.kind == 'thread' and case.command == 'info-model':
            return re.sub(r'\d+ threads?( \(instead of [^)]*\))?', 'THREADS', out if isinstance(out, str) else out.decode())
        return out

    @staticmethod
    def has_seconds(command):
        words, _ = COMMANDS[command]
        return words[0] == 'compare' and '--open' not in words

    @classmethod
    def compare_all(cls, case, good, got):
        # The table of a comparison that was computed now has seconds in it.
        differs = cls.said(case, got.out) != cls.said(case, good.out)
        found = ['standard output differs'] if differs and not cls.has_seconds(case.command) else []
        for name, data in good.files.items():
            if name in got.files and comparable(name, got.files[name]) != comparable(name, data):
                found.append(f'{name} differs')
            elif name not in got.files:
                found.append(f'{name} is missing')
        return found

    def stack(self, log):
        """The program's frames of a stack as function and line, one text."""
        with open(log, encoding='utf-8', errors='replace') as f:
            at = re.findall(r'^' + re.escape(self.program) + r'\(.*\+(0x[0-9a-f]+)\)', f.read(), re.M) if f else []
        if not at:
            return ''
        lines = subprocess.run(['addr2line', '-f', '-p', '-e', self.program, *at], stdout=subprocess.PIPE, encoding='utf-8', check=False).stdout
        return ' < '.join(re.sub(r'(\S+) at .*?([^/]+/[^/]+)$', r'\1 \2', line) for line in lines.splitlines()[:8])

    def try_case(self, case):
        """The complaints, and whether the fault was reached."""
        log = os.path.join(self.work, 'log')
        if os.path.exists(log):
            os.remove(log)
        error, _, forever = case.error.partition(' ')
        fault = {'FAULT_CALL': case.kind, 'FAULT_N': str(case.n), 'FAULT_ERROR': error, 'FAULT_LOG': log}
        if forever:
            fault['FAULT_FOREVER'] = '1'
        got = self.run(case.command, **fault)
        reached = os.path.exists(log)
        found = self.complaints(case, got)
        for line in found:
            print(f'# {case.command}, {case.kind} {case.n} {case.error}: {line}')
        if found:
            print(f'#     status {got.status}: {" / ".join(got.err.splitlines())[:300]}')
            print(f'#     {self.stack(log) if reached else "the fault was not reached"}')
        return found, reached


# ---- choosing ----

def kinds_of(command):
    """As `onednn` counts all that is written in C++, and what films are encoded with ends the process where its memory runs out. What
    makes an MP4 also writes about it."""
    if command == 'onednn':
        return ['onednn']
    return [kind for kind in FAULTS if not (kind == 'onednn' and command in FEW) and not (kind == 'alloc' and command == 'film')]


def every_so_many(cases, most):
    return cases if len(cases) <= most else [cases[i * len(cases) // most] for i in range(most)]


def choose(cases, options):
    """At most so many of each kind, of memory, which has the most places, eight times as many."""
    if options.all or options.once or not cases:
        return cases
    return every_so_many(cases, options.each * (8 if cases[0].kind in ('alloc', 'onednn') else 1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('program')
    parser.add_argument('shim')
    parser.add_argument('tests')
    parser.add_argument('--all', action='store_true')
    parser.add_argument('--once', action='store_true')
    parser.add_argument('--only', default='')
    parser.add_argument('--each', type=int, default=1)
    options = parser.parse_args()
    number, failed = 0, 0
    with tempfile.TemporaryDirectory(prefix='safelight-faults.') as work:
        sweep = Sweep(os.path.abspath(options.program), os.path.abspath(options.shim), os.path.abspath(options.tests), work)
        sweep.make_fixtures()
        only, *kinds = options.only.split(',')
        for command in [c for c in COMMANDS if only in ('', c)]:
            these = kinds or kinds_of(command)
            sweep.record(command, these, options.once or (command in FEW and not options.all))
            groups = []
            for kind in these:
                known = [c for c in sweep.cases[command] if c.kind == kind]
                groups.append((choose(known, options), f'of {len(known)} cases of {kind}'))
            for (kind, names), cases in sweep.mended.items():
                groups.append((list(cases.values()), f'cases of {kind} in {names[0]}'))
            for cases, what in groups:
                tried = [sweep.try_case(case) for case in cases]
                if not tried:
                    continue
                number += 1
                bad = sum(bool(found) for found, _ in tried)
                failed += bad > 0
                print(f'{"not " if bad else ""}ok {number} - {command}: {len(cases)} {what}, {bad} bad', flush=True)
    print(f'1..{number}')
    return 1 if failed or not number else 0


sys.exit(main())
