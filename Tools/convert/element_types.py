"""Turns stored values into F32, F16 and Q8_0. Needs numpy only where a conversion takes place.

Q8_0 is `quantize_row_q8_0_ref` of ggml-quants.c (llama.cpp 0c1e57098): per 32 values an F16 factor d = max|x| / 127 and
32 int8 of x / d, halves rounded away from zero.
"""

import sys

from gguf_writer import F16, F32, Q8_0

FLOAT32, FLOAT16, BFLOAT16 = "float32", "float16", "bfloat16"
ITEM_SIZE = {FLOAT32: 4, FLOAT16: 2, BFLOAT16: 2}
_SAME = {(FLOAT32, F32), (FLOAT16, F16)}


class NumpyMissing(ImportError):
    """The conversion of values needs numpy, which is not installed."""


def _numpy():
    try:
        import numpy
    except ImportError as error:
        raise NumpyMissing(f"{sys.executable} has no numpy: install it (pip install numpy)") from error
    return numpy


def encode(data, source, target):
    """Little-endian values of type `source` as bytes of the GGUF type `target`, in the same order.

    A Q8_0 block is 32 consecutive values: the caller sees to it that rows are whole blocks.
    """
    if (source, target) in _SAME:
        return data
    np = _numpy()
    if source == BFLOAT16:
        # The upper half of a float32.
        values = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    else:
        values = np.frombuffer(data, "<f4" if source == FLOAT32 else "<f2").astype("<f4", copy=False)
    if target == F32:
        return values.tobytes()
    if target == F16:
        with np.errstate(over="ignore"):
            halves = values.astype("<f2")
        if not np.isfinite(halves).all():
            raise ValueError("a value is beyond the range of F16, or not a number")
        return halves.tobytes()
    if target == Q8_0:
        return _q8_0(np, values)
    raise ValueError(f"no conversion from {source} to type {target}")


def _q8_0(np, values):
    blocks = values.reshape(-1, 32)
    scales = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    inverse = np.divide(np.float32(1), scales, out=np.zeros_like(scales), where=scales > 0)
    scaled = blocks * inverse
    whole = np.floor(np.abs(scaled))
    # Like C's roundf; numpy's rint would round halves to even.
    rounded = np.copysign(whole + np.floor(2 * (np.abs(scaled) - whole)), scaled)
    with np.errstate(over="ignore"):
        halves = scales.astype("<f2")
    if not np.isfinite(halves).all():
        raise ValueError("a value is beyond the range of Q8_0, or not a number")
    out = np.empty((len(blocks), 34), np.uint8)
    out[:, :2] = halves.view(np.uint8)
    out[:, 2:] = rounded.astype(np.int8).view(np.uint8)
    return out.tobytes()
