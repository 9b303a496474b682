"""Tests of llama_8bit.py with small files made here; standard library only.

usage: python3 Tools/convert/llama_8bit_test.py
"""

import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(FOLDER, "llama_8bit.py")
sys.path.insert(0, FOLDER)
import llama_8bit  # noqa: E402


def text(value):
    return struct.pack("<Q", len(value)) + value


def q4_1(values):
    """Blocks of numbers, as `quantize_row_q4_1_ref` of ggml-quants.c makes them."""
    out = b""
    for at in range(0, len(values), 32):
        block = values[at:at + 32]
        low, high = min(block), max(block)
        d, m = struct.unpack("<ee", struct.pack("<ee", (high - low) / 15, low))
        codes = [min(15, max(0, int((value - low) / (d or 1) + 0.5))) for value in block]
        out += struct.pack("<ee", d, m) + bytes(codes[i] | codes[i + 16] << 4 for i in range(16))
    return out


def numbers_of_q4_1(data):
    out = []
    for at in range(0, len(data), 20):
        d, m = struct.unpack_from("<ee", data, at)
        packed = data[at + 4:at + 20]
        out += [d * (byte & 15) + m for byte in packed] + [d * (byte >> 4) + m for byte in packed]
    return out


def numbers_of_q8_0(data):
    out = []
    for at in range(0, len(data), 34):
        scale, *codes = struct.unpack_from("<e32b", data, at)
        out += [scale * code for code in codes]
    return out


def model(tensors, values=(), alignment=None):
    """A file of tensors (name, shape, type, bytes) and metadata (key, type, bytes)."""
    values = list(values) + ([(b"general.alignment", 4, struct.pack("<I", alignment))] if alignment else [])
    step = alignment or 32
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    for key, kind, content in values:
        header += text(key) + struct.pack("<I", kind) + content
    content = b""
    for name, shape, kind, data in tensors:
        header += text(name) + struct.pack("<I%dQIQ" % len(shape), len(shape), *shape, kind, len(content))
        content += data + bytes(-len(data) % step)
    return header + bytes(-len(header) % step) + content


class Llama8BitTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source, self.target = (os.path.join(folder.name, name) for name in ("a.gguf", "b.gguf"))

    def convert(self, content):
        with open(self.source, "wb") as file:
            file.write(content)
        done = subprocess.run([sys.executable, PROGRAM, self.source, self.target], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.assertFalse(os.path.exists(self.target) or os.path.exists(self.target + ".partial"))
            return done.stderr
        with open(self.target, "rb") as file:
            return file.read()

    def test_values_stay_and_all_else_is_kept(self):
        chance = random.Random(1)
        matrix = q4_1([chance.gauss(0, 0.2) for _ in range(64 * 3)])
        norm = struct.pack("<5f", 1, 2, 3, 4, 5)
        table = struct.pack("<e32b", 0.5, *range(32))
        names = struct.pack("<IQ", 8, 2) + text(b"a") + text("\u00e9".encode())
        values = [(b"general.architecture", 8, text(b"llama")), (b"general.file_type", 4, struct.pack("<I", 3)),
                  (b"tokenizer.ggml.tokens", 9, names), (b"x.scores", 9, struct.pack("<IQ2f", 6, 2, 1, 2)), (b"x.flag", 7, b"\1")]
        for alignment in (None, 64):
            done = self.convert(model([(b"norm", [5], 0, norm), (b"matrix", [64, 3], 3, matrix), (b"table", [32], 8, table)],
                                      values, alignment))
            entries, tensors, start, step = llama_8bit.parse(done)
            self.assertEqual(step, alignment or 32)
            self.assertEqual(len(entries), 5 + bool(alignment))
            for key, kind, content in values:
                content = struct.pack("<I", 7) if key == b"general.file_type" else content
                self.assertIn(text(key) + struct.pack("<I", kind) + content, entries)
            self.assertEqual([tensor[:3] for tensor in tensors],
                             [("norm", [5], 0), ("matrix", [64, 3], 8), ("table", [32], 8)])
            self.assertTrue(all((start + tensor[3]) % step == 0 for tensor in tensors))
            at = start + tensors[1][3]
            self.assertEqual(done[start:start + 20], norm)
            self.assertEqual(done[start + tensors[2][3]:][:34], table)
            before, after = numbers_of_q4_1(matrix), numbers_of_q8_0(done[at:at + 34 * 6])
            error = sum((a - b) ** 2 for a, b in zip(before, after)) / sum(a * a for a in before)
            # Rounding each value to 8 bits by itself leaves 0.0054.
            self.assertLess(error ** 0.5, 0.0035)

    def test_unusual_blocks(self):
        blocks = [[0] * 32, [0.25] * 32, [-3] * 32, [1000 + i for i in range(32)], [i * 1e-6 for i in range(32)],
                  [0] * 31 + [7], [-8 if i % 2 else 8 for i in range(32)]]
        for block in blocks:
            data = q4_1(block)
            before, after = numbers_of_q4_1(data), numbers_of_q8_0(llama_8bit.convert(data))
            largest = max(map(abs, before))
            for a, b in zip(before, after):
                # Half a step of 8 bits, and the scale's own rounding, coarse below 6e-8.
                self.assertLessEqual(abs(a - b), largest * 0.0045 + 127 * 3e-8, block)

    def test_what_cannot_be_converted_is_said(self):
        matrix = q4_1([1.0, 2.0] * 16)
        whole = model([(b"matrix", [32], 3, matrix)])
        for content, words in [
            (b"", "empty"), (b"GGML" + whole[4:], "no GGUF file"), (whole[:40], "ends in the middle"), (whole[:-32], "is cut off"),
            (model([(b"m", [32], 2, bytes(18))]), "of type 2"), (model([(b"m", [31], 3, matrix)]), "not whole blocks"),
            (model([(b"m", [4], 0, bytes(16))]), "no matrices"), (model([(b"m", [32], 3, matrix)], [(b"k", 77, b"")]), "unknown type 77"),
            (model([(b"m", [32], 3, matrix)], [(b"general.alignment", 4, bytes(4))]), "aligned to 0 bytes"),
        ]:
            said = self.convert(content)
            self.assertIsInstance(said, str, words)
            self.assertIn(words, said)
            self.assertTrue(said.startswith("error: "), said)
        self.assertIn("usage", subprocess.run([sys.executable, PROGRAM], capture_output=True, text=True, check=False).stderr)


if __name__ == "__main__":
    unittest.main()
