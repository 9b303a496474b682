"""Writes GGUF version 3 files. Python standard library only.

Layout: docs/gguf.md of ggml. Little endian; the same calls give the same bytes.
Shapes are given in ggml order: the fastest dimension first.
"""

import os
import struct

F32, I8 = 0, 24
_ITEM_SIZE = {F32: 4, I8: 1}
_ALIGNMENT = 32
_U32, _FLOAT32, _STRING, _ARRAY = 4, 6, 8, 9


def _string(text):
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _value(value):
    """A value with its type in front. int -> u32, float -> f32, str, list of int -> array of u32."""
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _string(value)
    if isinstance(value, float):
        return struct.pack("<If", _FLOAT32, value)
    if isinstance(value, list):
        return struct.pack(f"<IIQ{len(value)}I", _ARRAY, _U32, len(value), *value)
    return struct.pack("<II", _U32, value)


def _padding(size):
    return -size % _ALIGNMENT


class Writer:
    """Collects metadata and tensors, then writes the file in one go."""

    def __init__(self):
        self._metadata = []
        self._tensors = []

    def put(self, key, value):
        """Adds a metadata value."""
        self._metadata.append(_string(key) + _value(value))

    def tensor(self, name, kind, shape, data):
        """Adds a tensor: `kind` F32 or I8, `shape` fastest dimension first, `data` little-endian bytes."""
        count = 1
        for extent in shape:
            count *= extent
        if len(data) != count * _ITEM_SIZE[kind]:
            raise ValueError(f"{name}: {len(data)} bytes do not fill {shape}")
        self._tensors.append((name, kind, shape, data))

    def write(self, path):
        """Writes the file under a temporary name and renames it, so that a half-written file never counts."""
        header = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(self._tensors), len(self._metadata)))
        for entry in self._metadata:
            header += entry
        offset = 0
        for name, kind, shape, data in self._tensors:
            header += _string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
            offset += len(data) + _padding(len(data))
        header += bytes(_padding(len(header)))
        partial = f"{path}.partial"
        with open(partial, "wb") as file:
            file.write(header)
            for _, _, _, data in self._tensors:
                file.write(data)
                file.write(bytes(_padding(len(data))))
        os.replace(partial, path)
