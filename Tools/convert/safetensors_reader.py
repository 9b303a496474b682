"""Reads safetensors, in one file or in several with an index. Standard library only.

Format: 8 bytes of length, a JSON header with type, shape and offsets of each tensor, the values; little-endian
(huggingface/safetensors, README). An index maps names to files.
"""

import json
import os
import struct

from checkpoint import CheckpointError, StoredTensor
from element_types import BFLOAT16, FLOAT16, FLOAT32, ITEM_SIZE

_TYPES = {"F32": FLOAT32, "F16": FLOAT16, "BF16": BFLOAT16}
# The limit of the reference implementation.
_MAXIMUM_HEADER = 100_000_000


def read_folder(folder):
    """The tensors by name of `model.safetensors`, or of the files that `model.safetensors.index.json` names."""
    single = os.path.join(folder, "model.safetensors")
    index = single + ".index.json"
    if os.path.exists(single):
        return _read_file(single)
    if not os.path.exists(index):
        raise CheckpointError("it has neither model.safetensors nor model.safetensors.index.json")
    with open(index, encoding="utf-8") as file:
        try:
            names = json.load(file)["weight_map"]
            parts = sorted(set(names.values()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError("model.safetensors.index.json is not an index") from error
    found = {}
    for part in parts:
        if not isinstance(part, str) or os.path.basename(part) != part:
            raise CheckpointError(f"the index names the file {str(part)[:80]!r}, which is not beside it")
        if not os.path.exists(os.path.join(folder, part)):
            raise CheckpointError(f"{part} is missing")
        found.update(_read_file(os.path.join(folder, part)))
    missing = next((name for name in names if name not in found), None)
    if missing:
        raise CheckpointError(f"the index promises {missing}, which no file has")
    return found


def _read_file(path):
    size, name = os.path.getsize(path), os.path.basename(path)
    with open(path, "rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else _MAXIMUM_HEADER
        if length >= min(size, _MAXIMUM_HEADER):
            raise CheckpointError(f"{name} is no safetensors file, or is cut off")
        try:
            header = json.loads(file.read(length))
            header.pop("__metadata__", None)
            return {key: _tensor(path, entry, key, 8 + length, size) for key, entry in header.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(f"{name} has a damaged header") from error


def _tensor(path, entry, name, base, size):
    kind, shape, (begin, end) = _TYPES.get(entry["dtype"]), tuple(entry["shape"]), entry["data_offsets"]
    if kind is None:
        # Its values cannot be read; whether that matters is known when somebody asks for them.
        kind, expected = entry["dtype"], end - begin
    else:
        expected = ITEM_SIZE[kind]
        for extent in shape:
            expected *= extent
    if not 0 <= begin <= end <= size - base or end - begin != expected:
        raise CheckpointError(f"{os.path.basename(path)} is cut off or damaged at {name}")

    def read():
        with open(path, "rb") as file:
            file.seek(base + begin)
            return file.read(end - begin)

    return StoredTensor(shape, kind, read)
