#!/usr/bin/env python3
"""report.py PROGRAM TESTS - `compare --table` and `--report`: the page is whole and well nested, has everything in it, escapes
prompts, and says the same numbers as the CSV file and the JSON. TAP."""
import base64
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from html.parser import HTMLParser

VOID = {'meta', 'img', 'br', 'hr', 'link', 'input', 'wbr'}
PROMPT = '</p><script>alert("1")</script> & a \'red\' house, ö 집'


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.tags, self.links, self.images, self.cells, self.text = [], [], [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.wrong.append(f'<{tag}> has an attribute twice')
        for name, value in attrs:
            if name in ('src', 'href', 'srcset', 'data', 'action') or (name == 'style' and 'url(' in value):
                self.links.append(value)
        if tag == 'img':
            self.images.append(dict(attrs))
        if tag in ('td', 'th'):
            self.cells.append('')
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)  # of the curves

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f'</{tag}> closes something else')

    def handle_data(self, data):
        self.text.append(data)
        if 'td' in self.open or 'th' in self.open:
            self.cells[-1] += data


def tests(program, goldens, folder):
    model = os.path.join(goldens, 'goldens', 'model', 'sd1')
    names = {what: os.path.join(folder, 'lanes' + end)
             for what, end in (('table', '.csv'), ('report', '.html'), ('save', '.safelight'))}
    run = subprocess.run([program, 'compare', '--model', model, '--prompt', PROMPT, '--steps', '4', '--width', '32', '--height', '32',
                          '--schedulers', 'ddim,euler,heun', '--lane', 'scheduler=ddim', '--quiet', '--json', '--table', names['table'],
                          '--report', names['report'], '--save', names['save']], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    yield run.returncode == 0, 'a comparison with table and report ' + run.stderr.decode()
    said = json.loads(run.stdout)
    with open(names['table'], encoding='utf-8', newline='') as f:
        rows = list(csv.DictReader(f))
    with open(names['report'], encoding='utf-8') as f:
        source = f.read()
    page = Page()
    page.feed(source)
    page.close()
    yield source.startswith('<!DOCTYPE html>\n<html lang="en">'), 'it is HTML5 and says its language'
    yield not page.wrong and not page.open, 'elements are nested ' + ' '.join(page.wrong)
    yield page.tags.count('title') >= 1 and page.tags.count('h1') == 1 and page.tags.count('main') == 1, 'it has a title and a heading'
    yield 'script' not in page.tags and PROMPT in ''.join(page.text), 'a prompt is a text and no markup'
    yield (all(link.startswith('data:image/png;base64,') for link in page.links) and not re.search(r'https?://|url\(|@import', source),
           'it needs nothing else, of no place')
    pictures = [base64.b64decode(image['src'].split(',', 1)[1], validate=True) for image in page.images]
    # four pictures, and what differs of those that are not the reference
    yield (len(pictures) == 7 and all(p.startswith(b'\x89PNG') and p.endswith(b'IEND\xaeB`\x82') for p in pictures)
           and all(image['alt'] and image['width'] == '32' for image in page.images)), 'pictures are in it, with words for them'
    curves = re.findall(r'<svg.*?</svg>', source, re.S)
    try:
        drawn = [len(xml.fromstring(curve).findall('path')) for curve in curves]
    except xml.ParseError as error:
        drawn = str(error)
    yield drawn == [4, 4, 4], f'three charts with a curve for each lane: {drawn}'
    yield [row['lane'] for row in rows] == ['1', '2', '3', '4'], 'the table has a line for each lane'
    same = True
    for row, lane in zip(rows, said['lanes']):
        difference = lane['difference']
        same = (same and row['title'] == lane['title'] and int(row['evaluations']) == lane['evaluations']
                and row['seconds'] == f'{lane["seconds"]:.3f}'
                and row['psnr_db'] == ('inf' if difference['equal_pixels'] else f'{difference["psnr"]:.2f}')
                and row['ssim'] == f'{difference["ssim"]:.4f}' and row['distance'] == f'{difference["distance"]:.5f}'
                and row['differs_at_step'] == str(difference['differs_at_step'] or '')
                and row['parts_at_step'] == str(difference['parts_at_step'] or '')
                and row['settled_at_step'] == str(lane['settled_at_step'] or ''))
        for key, value in row.items():
            shown = {'': '–', 'inf': 'equal'}.get(value, value)
            same = same and shown in page.cells
    yield same, 'the table, the page and the JSON have the same numbers'
    yield rows[3]['psnr_db'] == 'inf' and rows[3]['ssim'] == '1.0000' and rows[3]['parts_at_step'] == '', 'equal lanes are equal'
    third = os.path.join(folder, 'third.csv')
    other = os.path.join(folder, 'third.safelight')
    subprocess.run([program, 'compare', '--open', names['save'], '--model', model, '--quiet', '--reference', '3', '--table', third, '--save', other],
                   stdout=subprocess.DEVNULL, check=True)
    with open(third, encoding='utf-8', newline='') as f:
        to_third = list(csv.DictReader(f))
    yield (to_third[2]['psnr_db'] == 'inf' and to_third[0]['psnr_db'] == rows[2]['psnr_db'] and to_third[0]['ssim'] == rows[2]['ssim'],
           'another lane as the reference')
    run = subprocess.run([program, 'compare', '--open', other, '--model', model, '--quiet', '--json'], stdout=subprocess.PIPE, check=True)
    yield json.loads(run.stdout)['reference'] == 2, 'which a saved comparison keeps'
    run = subprocess.run([program, 'compare', '--open', other, '--model', model, '--quiet', '--reference', '5'],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
    yield run.returncode == 2 and '--reference is 5; expected 1 to 4' in run.stderr, 'one that is not there is refused: ' + run.stderr.strip()
    again = os.path.join(folder, 'again.csv')
    subprocess.run([program, 'compare', '--open', names['save'], '--model', model, '--quiet', '--table', again], stdout=subprocess.DEVNULL, check=True)
    with open(again, 'rb') as f, open(names['table'], 'rb') as g:
        yield f.read() == g.read(), 'a saved comparison has the same table'
    run = subprocess.run([program, 'compare', '--open', names['save'], '--model', model, '--report', os.path.join(folder, 'no', 'x.html')],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
    yield run.returncode == 1 and 'x.html' in run.stderr and run.stderr.count('\n') == 1, 'a place that is not there is named: ' + run.stderr.strip()


def main():
    number = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for ok, what in tests(sys.argv[1], sys.argv[2], folder):
            number += 1
            failed += not ok
            print(f'{"" if ok else "not "}ok {number} - {what}')
    print(f'1..{number}')
    return 1 if failed else 0


sys.exit(main())
