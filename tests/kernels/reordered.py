#!/usr/bin/env python3
"""reordered.py HEADER OUT - kernels.h with two slots of SlOps, of one type, the other way round."""
import sys

with open(sys.argv[1], encoding='utf-8') as f:
    text = f.read()
upsample, avg_pool2 = '(*upsample)(', '(*avg_pool2)('
assert text.count(upsample) == 1 and text.count(avg_pool2) == 1
text = text.replace(upsample, '(*other)(').replace(avg_pool2, upsample).replace('(*other)(', avg_pool2)
with open(sys.argv[2], 'w', encoding='utf-8') as f:
    f.write(text)
