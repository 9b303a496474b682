#!/usr/bin/env python3
"""Makes a GGUF file of llama.cpp with 8-bit matrices (Q8_0) of one with 4-bit matrices (Q4_1). Python standard library only.

usage: llama_8bit.py SOURCE.gguf TARGET.gguf

ggml multiplies many columns by Q8_0 in tiles and has no such kernels for Q4_1 (docs/performance.md). The values stay what they are to
within some thousandths: a block of Q4_1 holds d * q + m with q from 0 to 15, a block of Q8_0 scale * code, so for scale = d / k with a
whole k the codes k * q + c differ as the values do, and only the offset is rounded. Of the largest k the one that rounds it least is taken.

Blocks: `block_q4_1` and `block_q8_0` of ggml/src/ggml-common.h, llama.cpp commit 0c1e57098. File layout: docs/gguf.md of ggml.
The same source gives the same bytes on every machine.
"""

import functools
import hashlib
import mmap
import multiprocessing
import struct
import sys

from gguf_writer import ALIGNMENT, F32, Q4_1, Q8_0, Writer, byte_count

# Bytes of a metadata value by its type; 8 is a string, 9 an array.
VALUES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
FILE_TYPE = b"general.file_type"
MOSTLY_Q8_0 = 7  # `LLAMA_FTYPE_MOSTLY_Q8_0` of llama.h
# So many k below the largest are tried, too. More gain little, because the scale is rounded to 16 bits as well (docs/log.md).
TRIES = 4
LOW = bytes(byte & 15 for byte in range(256))
HIGH = bytes(byte >> 4 for byte in range(256))


class Refusal(Exception):
    """A file that this cannot convert, in a sentence."""


class Reader:
    """Walks through the header of a GGUF file."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, layout):
        try:
            values = struct.unpack_from("<" + layout, self.data, self.at)
        except struct.error as error:
            raise Refusal("it ends in the middle of its header") from error
        self.at += struct.calcsize("<" + layout)
        return values if len(values) > 1 else values[0]

    def string(self):
        size = self.take("Q")
        if size > len(self.data) - self.at:
            raise Refusal("it ends in the middle of a name")
        self.at += size
        return bytes(self.data[self.at - size:self.at])

    def skip(self, kind):
        if kind == 8:
            self.string()
        elif kind == 9:
            element, count = self.take("IQ")
            if element == 8:
                for _ in range(count):
                    self.string()
            else:
                self.at += count * self.size(element)
        else:
            self.at += self.size(kind)

    @staticmethod
    def size(kind):
        if kind not in VALUES:
            raise Refusal("it holds a value of the unknown type %d" % kind)
        return VALUES[kind]


def parse(data):
    """The metadata's entries as they are to be written, the tensors as (name, shape, type, offset), where the first begins, and their alignment."""
    reader = Reader(data)
    magic, version, tensor_count, value_count = reader.take("4sIQQ")
    if magic != b"GGUF" or version not in (2, 3):
        raise Refusal("it is no GGUF file of version 2 or 3")
    entries, alignment = [], ALIGNMENT
    for _ in range(value_count):
        start = reader.at
        key, kind = reader.string(), reader.take("I")
        value = reader.at
        reader.skip(kind)
        if key == b"general.alignment":
            alignment = int.from_bytes(data[value:reader.at], "little")
            if not 0 < alignment <= 65536:
                raise Refusal("its tensors are aligned to %d bytes" % alignment)
        entries.append(data[start:value] + struct.pack("<I", MOSTLY_Q8_0) if key == FILE_TYPE else data[start:reader.at])
    tensors = []
    for _ in range(tensor_count):
        name, dimensions = reader.string().decode(), reader.take("I")
        if not 1 <= dimensions <= 4:
            raise Refusal("a tensor has %d dimensions" % dimensions)
        shape = [reader.take("Q") for _ in range(dimensions)]
        kind, offset = reader.take("IQ")
        if kind not in (F32, Q4_1, Q8_0):
            raise Refusal("the tensor %s is of type %d: only Q4_1 becomes Q8_0, and F32 and Q8_0 stay" % (name, kind))
        tensors.append((name, shape, kind, offset))
    start = reader.at + -reader.at % alignment
    for name, shape, kind, offset in tensors:
        if start + offset + byte_count(kind, shape) > len(data):
            raise Refusal("the tensor %s is cut off: fetch the file again" % name)
    return entries, tensors, start, alignment


# The scales d / k as they are stored, by d. A model has some thousand different d.
_scales = {}


def scales(d):
    known = _scales.get(d)
    if known is None:
        known = _scales[d] = [struct.unpack("<e", struct.pack("<e", d / k))[0] for k in range(1, 128)]
    return known


def nearest(number):
    """The code nearest to a number; those for values that are not used may be far off."""
    return max(-127, min(127, round(number)))


def encode(d, m, low, high):
    """The scale and the codes of the values for 0 to 15, where those from `low` to `high` are used."""
    largest = max(abs(d * low + m), abs(d * high + m))
    if 127 * d < largest or low == high or largest == 0:
        # Even k = 1 goes beyond 127: every value is rounded by itself, as ggml does it.
        scale = struct.unpack("<e", struct.pack("<e", largest / 127))[0]
        return scale, bytes((nearest((d * q + m) / scale) if scale else 0) & 255 for q in range(16))
    best = None
    most = min(127, int(127 * d / largest))
    stored = scales(d)
    for k in range(max(1, most - TRIES), most + 1):
        scale = stored[k - 1]
        if scale == 0:
            continue
        offset = (d * (low + high) / 2 + m) / scale - k * (low + high) / 2
        code = round(offset)
        error = abs((offset - code) * scale) + abs(d - scale * k) * (high - low) / 2
        if best is None or error < best[0]:
            best = error, scale, k, code
    if best is None:
        raise Refusal("a scale of %g is too small for 16 bits" % d)
    _, scale, k, code = best
    return scale, bytes(nearest(k * q + code) & 255 for q in range(16))


def convert(blocks):
    """Blocks of Q4_1 as blocks of Q8_0."""
    out, known, rest = [], {}, bytes(240)
    for at in range(0, len(blocks), 20):
        head, packed = blocks[at:at + 4], blocks[at + 4:at + 20]
        # The low halves are the first 16 values, the high halves the others.
        values = packed.translate(LOW) + packed.translate(HIGH)
        key = head, min(values), max(values)
        entry = known.get(key)
        if entry is None:
            scale, codes = encode(*struct.unpack("<ee", head), *key[1:])
            entry = known[key] = struct.pack("<e", scale), codes + rest
        out.append(entry[0] + values.translate(entry[1]))
    return b"".join(out)


def write(data, path):
    entries, tensors, start, alignment = parse(data)
    if not any(kind == Q4_1 for _, _, kind, _ in tensors):
        raise Refusal("it has no matrices of type Q4_1")
    parts = converted_parts(
        (kind, data[start + offset:start + offset + byte_count(kind, shape)]) for _, shape, kind, offset in tensors)
    writer = Writer(alignment)
    for entry in entries:
        writer.copy(entry)
    for name, shape, kind, _ in tensors:
        writer.tensor(name, Q8_0 if kind == Q4_1 else kind, shape, functools.partial(next, parts))
    writer.write(path)


def converted_parts(parts):
    """By all processors, or by one where processes cannot share semaphores (a folder without /dev/shm)."""
    try:
        workers = multiprocessing.Pool()
    except (OSError, ImportError):
        yield from map(converted, parts)
        return
    with workers:
        yield from workers.imap(converted, parts)


def converted(part):
    kind, content = part
    return convert(content) if kind == Q4_1 else content


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.split("\n\n")[1])
    source, target = sys.argv[1:]
    try:
        with open(source, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            write(data, target)
    except Refusal as refusal:
        sys.exit("error: cannot convert %s: %s" % (source, refusal))
    except (OSError, ValueError) as error:
        sys.exit("error: %s" % error)
    with open(target, "rb") as file:
        print("%s  %s" % (hashlib.sha256(file.read()).hexdigest(), target))


if __name__ == "__main__":
    main()
