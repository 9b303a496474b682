"""Writes GGUF version 3 files. Python standard library only.

Layout: docs/gguf.md of ggml. Little endian; the same calls give the same bytes.
Shapes are given in ggml order: the fastest dimension first.
"""

import os
import struct

F32, F16, Q8_0, I8, I32 = 0, 1, 8, 24, 26
# Elements of a block and bytes that it takes: `GGML_QUANT_SIZES` of ggml's gguf package.
_BLOCK = {F32: (1, 4), F16: (1, 2), Q8_0: (32, 34), I8: (1, 1), I32: (1, 4)}
_ALIGNMENT = 32
_U32, _I32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9


def _string(text):
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


class Signed(int):
    """An integer to be stored as i32; others are stored as u32."""


def _value(value):
    """A value with its type in front. int -> u32, Signed -> i32, float -> f32, bool, str, lists of str or of int."""
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _string(value)
    if isinstance(value, bool):
        return struct.pack("<IB", _BOOL, value)
    if isinstance(value, float):
        return struct.pack("<If", _FLOAT32, value)
    if isinstance(value, Signed):
        return struct.pack("<Ii", _I32, value)
    if isinstance(value, list) and value and isinstance(value[0], str):
        return struct.pack("<IIQ", _ARRAY, _STRING, len(value)) + b"".join(map(_string, value))
    if isinstance(value, list):
        return struct.pack(f"<IIQ{len(value)}I", _ARRAY, _U32, len(value), *value)
    return struct.pack("<II", _U32, value)


def _padding(size):
    return -size % _ALIGNMENT


def byte_count(kind, shape):
    """The bytes that a tensor takes; refuses rows that are not whole blocks."""
    elements, size = _BLOCK[kind]
    count = 1
    for extent in shape:
        count *= extent
    if shape and shape[0] % elements:
        raise ValueError(f"rows of {shape[0]} are not whole blocks of {elements}")
    return count // elements * size


class Writer:
    """Collects metadata and tensors, then writes the file in one go."""

    def __init__(self):
        self._metadata = []
        self._tensors = []

    def put(self, key, value):
        """Adds a metadata value."""
        self._metadata.append(_string(key) + _value(value))

    def tensor(self, name, kind, shape, data):
        """Adds a tensor: `kind` F32, F16, Q8_0, I8 or I32, `shape` fastest dimension first, `data` little-endian bytes.

        `data` may be a function that returns the bytes; it is called while the file is written, so that a large model
        is never in memory as a whole.
        """
        if not callable(data):
            _check_size(name, kind, shape, data)
        self._tensors.append((name, kind, shape, data))

    def write(self, path):
        """Writes the file under a temporary name and renames it, so that a half-written file never counts."""
        header = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(self._tensors), len(self._metadata)))
        for entry in self._metadata:
            header += entry
        offset = 0
        for name, kind, shape, _ in self._tensors:
            size = byte_count(kind, shape)
            header += _string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
            offset += size + _padding(size)
        header += bytes(_padding(len(header)))
        partial = f"{path}.partial"
        try:
            with open(partial, "wb") as file:
                file.write(header)
                for name, kind, shape, data in self._tensors:
                    if callable(data):
                        data = data()
                        _check_size(name, kind, shape, data)
                    file.write(data)
                    file.write(bytes(_padding(len(data))))
            os.replace(partial, path)
        except BaseException:
            if os.path.exists(partial):
                os.remove(partial)
            raise


def _check_size(name, kind, shape, data):
    if len(data) != byte_count(kind, shape):
        raise ValueError(f"{name}: {len(data)} bytes do not fill {shape}")
