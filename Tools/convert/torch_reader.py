"""Reads the tensors of a PyTorch checkpoint: the zip archive that torch.save writes since 1.6. Standard library only.

The archive has a pickle and one entry per storage. A pickle can name any function to be called, so only those that put a
state dictionary together are known here (torch/_utils.py, torch/serialization.py of PyTorch 2.13); a checkpoint that
names another is refused before anything of it runs.
"""

import io
import pickle
import zipfile
import zlib
from collections import OrderedDict

from checkpoint import CheckpointError, StoredTensor
from element_types import BFLOAT16, FLOAT16, FLOAT32

# Storage classes: what their elements are called here, and bytes of one.
_STORAGES = {"FloatStorage": (FLOAT32, 4), "HalfStorage": (FLOAT16, 2), "BFloat16Storage": (BFLOAT16, 2),
             "DoubleStorage": ("float64", 8), "LongStorage": ("int64", 8), "IntStorage": ("int32", 4),
             "ShortStorage": ("int16", 2), "CharStorage": ("int8", 1), "ByteStorage": ("uint8", 1),
             "BoolStorage": ("bool", 1)}


class _Storage:
    def __init__(self, key, kind, item_size, count):
        self.key, self.kind, self.item_size, self.count = key, kind, item_size, count


class _View:
    def __init__(self, storage, offset, shape, strides):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides


def _rebuild_tensor(storage, offset, shape, strides, *_):
    if not isinstance(storage, _Storage):
        raise CheckpointError("a tensor of the checkpoint has no storage")
    return _View(storage, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(data, *_):
    return data


_KNOWN = {("collections", "OrderedDict"): OrderedDict,
          ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
          ("torch._utils", "_rebuild_parameter"): _rebuild_parameter}
_KNOWN.update({("torch", name): name for name in _STORAGES})


# The one in Python, because the one in C sizes its memo by a number in the file.
class _Unpickler(pickle._Unpickler):
    def find_class(self, module, name):
        if (module, name) not in _KNOWN:
            raise CheckpointError(f"the checkpoint wants to call {module}.{name}, which no state dictionary needs")
        return _KNOWN[module, name]

    def persistent_load(self, identifier):
        kind, storage, key, _, count = identifier
        if kind != "storage" or storage not in _STORAGES:
            raise CheckpointError(f"the checkpoint refers to {str(identifier)[:80]}")
        return _Storage(str(key), *_STORAGES[storage], count)


# What zipfile raises for damaged archives.
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error)


def read(file):
    """The tensors by name of an open checkpoint, a seekable binary file that must stay open while they are read."""
    try:
        return _read(zipfile.ZipFile(file))
    except _DAMAGED as error:
        raise CheckpointError("the checkpoint is no zip archive: it is cut off, or older than PyTorch 1.6") from error


def _read(archive):
    pickles = [name for name in archive.namelist() if name.endswith("/data.pkl") or name == "data.pkl"]
    if len(pickles) != 1:
        raise CheckpointError("the checkpoint is a zip archive, but none of torch.save")
    folder = pickles[0][:-len("data.pkl")]
    if folder + "byteorder" in archive.namelist() and archive.read(folder + "byteorder") != b"little":
        raise CheckpointError("the checkpoint is big-endian")
    try:
        state = _Unpickler(io.BytesIO(archive.read(pickles[0]))).load()
    except CheckpointError:
        raise
    except Exception as error:  # a damaged pickle fails in every way there is
        raise CheckpointError(f"the checkpoint's pickle is damaged: {error}") from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict):
        raise CheckpointError("the checkpoint holds no state dictionary")
    return {str(name): _stored(archive, folder, str(name), view) for name, view in state.items()
            if isinstance(view, _View)}


def _stored(archive, folder, name, view):
    count, strides = 1, []
    for extent in reversed(view.shape):
        strides.append(count)
        count *= extent
    dense = all(extent == 1 or found == wanted
                for extent, found, wanted in zip(view.shape, view.strides, reversed(strides)))
    storage = view.storage
    try:
        size = archive.getinfo(f"{folder}data/{storage.key}").file_size
    except KeyError as error:
        raise CheckpointError(f"the checkpoint lacks the values of {name}") from error
    first, length = view.offset * storage.item_size, count * storage.item_size
    if not dense:
        raise CheckpointError(f"{name} is not stored row by row in the checkpoint")
    if not 0 <= first <= first + length <= size or storage.count * storage.item_size > size:
        raise CheckpointError(f"{name} lies outside the checkpoint's values")

    def read_values():
        try:
            with archive.open(f"{folder}data/{storage.key}") as entry:
                entry.seek(first)
                return entry.read(length)
        except _DAMAGED as error:
            raise CheckpointError(f"the values of {name} are damaged: {error}") from error

    return StoredTensor(view.shape, storage.kind, read_values)
