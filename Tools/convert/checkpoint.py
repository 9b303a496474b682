"""What readers of checkpoints hand on: tensors whose values are read when they are needed."""

from dataclasses import dataclass
from typing import Callable, Tuple


class CheckpointError(ValueError):
    """The checkpoint is damaged or of another model; the message is one sentence without its full stop."""


@dataclass
class StoredTensor:
    """A tensor of a checkpoint. `kind` is a type of element_types; `read` returns its little-endian bytes."""

    shape: Tuple[int, ...]
    kind: str
    read: Callable[[], bytes]


def value(mapping, path, kinds, default=None):
    """The value at a dotted path in nested dictionaries, of one of `kinds`; `default` where there is none."""
    found = mapping
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    if found is None:
        if default is None:
            raise CheckpointError(f"its configuration has no {path}")
        return default
    if not isinstance(found, kinds) or isinstance(found, bool) != (kinds is bool):
        raise CheckpointError(f"{path} in its configuration is {str(found)[:80]!r}")
    return found


def require(mapping, path, wanted, default=None):
    """Refuses a configuration that says something else than `wanted` at a dotted path."""
    found = value(mapping, path, type(wanted), default)
    if found != wanted:
        raise CheckpointError(f"{path} in its configuration is {str(found)[:80]!r}; only {wanted!r} is supported")
