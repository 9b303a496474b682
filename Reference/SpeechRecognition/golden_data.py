"""What the programs that make golden data share: the audio, named arrays in a safetensors file, rounding of weights."""

import json
import struct
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tools" / "convert"))
from element_types import FLOAT32, encode  # noqa: E402
from gguf_writer import F16, Q8_0  # noqa: E402

_CODES = {"float32": "F32", "int32": "I32", "int16": "I16"}


def make_audio(count, seed):
    """`count` int16 samples at 16 kHz: gliding harmonics in bursts, noise, a stretch of exact zeros."""
    t = np.arange(count) / 16000
    pitch = 120 + 60 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / 16000
    bursts = (0.5 + 0.5 * np.sin(2 * np.pi * 3.1 * t)) ** 2
    x = 5000 * bursts * sum(np.sin(k * phase + k) / k for k in range(1, 12))
    x = x + 200 * np.random.default_rng(seed).standard_normal(count)
    x[int(0.45 * count):int(0.5 * count)] = 0
    return np.clip(np.rint(x), -32768, 32767).astype(np.int16)


def rounded(values, stored):
    """The values that a reader gets back after they were stored as the GGUF type `stored`."""
    values = np.ascontiguousarray(values, np.float32)
    data = encode(values.tobytes(), FLOAT32, stored)
    if stored == F16:
        return np.frombuffer(data, "<f2").astype(np.float32).reshape(values.shape)
    if stored == Q8_0:
        blocks = np.frombuffer(data, np.uint8).reshape(-1, 34)
        scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
        return (scales * blocks[:, 2:].copy().view(np.int8)).reshape(values.shape)
    return values


class Golden:
    """Arrays by name, written as one safetensors file. `table` is their description for the README."""

    def __init__(self):
        self._arrays, self._notes = {}, {}

    def add(self, name, values, note):
        if hasattr(values, "detach"):
            values = values.detach().numpy()
        values = np.ascontiguousarray(values)
        if values.dtype not in (np.float32, np.int16):
            values = values.astype(np.int32 if values.dtype.kind in "iub" else np.float32)
        self._arrays[name], self._notes[name] = values, note

    def __getitem__(self, name):
        return self._arrays[name]

    def write(self, path):
        header, data = {}, bytearray()
        for name, values in self._arrays.items():
            start = len(data)
            data += values.tobytes()
            header[name] = {"dtype": _CODES[str(values.dtype)], "shape": list(values.shape),
                            "data_offsets": [start, len(data)]}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        path.write_bytes(struct.pack("<Q", len(text)) + text + data)
        print(f"{path}: {len(header)} arrays, {path.stat().st_size} bytes")

    def table(self):
        rows = [f"| `{name}` | {'x'.join(map(str, values.shape))} | {values.dtype} | {self._notes[name]} |"
                for name, values in self._arrays.items()]
        return "\n".join(["| array | shape | type | what |", "|---|---|---|---|"] + rows)
