"""The two tables that NVIDIA's layout stores although they follow from the dimensions. Standard library only."""

import math
import struct
from array import array


def position_table(width, length):
    """NeMo's RelPositionalEncoding, [2 * length - 1, width] F32: row r is position length - 1 - r, even columns sine,
    odd ones cosine, computed in 64 bits."""
    rates = [math.exp(-math.log(10000) * column / width) for column in range(0, width, 2)]
    out = bytearray()
    for position in range(length - 1, -length, -1):
        angles = [position * rate for rate in rates]
        row = [0.0] * width
        row[0::2], row[1::2] = map(math.sin, angles), map(math.cos, angles)
        out += struct.pack(f"<{width}f", *row)
    return bytes(out)


def mel_filters(rate, n_fft, count):
    """Slaney's mel filters of equal area, [count, n_fft // 2 + 1] F32 (librosa.filters.mel with its defaults)."""
    step = math.log(6.4) / 27

    def hertz(mel):
        return mel * 200 / 3 if mel < 15 else 1000 * math.exp(step * (mel - 15))

    top = 15 + math.log(rate / 2000) / step if rate > 2000 else rate / 2 * 3 / 200
    edges = [hertz(top * index / (count + 1)) for index in range(count + 2)]
    bins = [rate / n_fft * index for index in range(n_fft // 2 + 1)]
    values = array("f")
    for low, middle, high in zip(edges, edges[1:], edges[2:]):
        values.extend(max(0, min((f - low) / (middle - low), (high - f) / (high - middle))) * 2 / (high - low) for f in bins)
    return struct.pack(f"<{len(values)}f", *values)
