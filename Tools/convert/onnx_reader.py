"""Reads the parts of an ONNX file that a converter needs. Python standard library only.

ONNX is one protobuf message. Field numbers: onnx/onnx.proto of ONNX 1.18; wire types: protobuf encoding guide.
Malformed bytes raise OnnxError, nothing else.
"""

import struct
import sys
from array import array

FLOAT, UINT8, INT8, INT32, INT64 = 1, 2, 3, 6, 7
_TYPES = {FLOAT: ("float32", "f", 4), UINT8: ("uint8", "B", 1), INT8: ("int8", "b", 1),
          INT32: ("int32", "i", 4), INT64: ("int64", "q", 8)}


class OnnxError(ValueError):
    """The file is not the ONNX model that the converter expects."""


def _varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data):
            raise OnnxError("truncated: a varint runs past the end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise OnnxError("not protobuf: a varint is longer than ten bytes")


def _signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def fields(data):
    """Yields (field number, value); the value of a length-delimited field is a memoryview."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = data[at:at + size], at + size
        elif wire == 2:
            size, at = _varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            raise OnnxError(f"not protobuf: wire type {wire}")
        if at > len(data):
            raise OnnxError("truncated: a field runs past the end")
        yield number, value


def _text(value):
    if isinstance(value, int):
        raise OnnxError("not ONNX: a number where a text belongs")
    return bytes(value).decode("utf-8", "replace")


def _view(value):
    if isinstance(value, int):
        raise OnnxError("not ONNX: a number where a message belongs")
    return value


def _repeated_ints(into, value):
    """A repeated integer field comes packed or one by one."""
    if isinstance(value, int):
        into.append(_signed(value))
        return
    at = 0
    while at < len(value):
        item, at = _varint(value, at)
        into.append(_signed(item))


class Tensor:
    """A constant: `name`, `dims` (slowest first), `dtype` (an ONNX type number) and its values."""

    def __init__(self, data):
        self.name, self.dims, self.dtype, self._raw = "", [], 0, None
        floats, ints = bytearray(), []
        for number, value in fields(data):
            if number == 1:
                _repeated_ints(self.dims, value)
            elif number == 2:
                self.dtype = value
            elif number == 4:
                floats += _view(value)
            elif number in (5, 7):
                _repeated_ints(ints, value)
            elif number == 8:
                self.name = _text(value)
            elif number == 9:
                self._raw = _view(value)
            elif number == 14 and value == 1:
                raise OnnxError("the weights are in a second file; a single-file model is needed")
        if any(d < 0 or d > 1 << 31 for d in self.dims):
            raise OnnxError(f"tensor {self.name}: impossible shape {self.dims}")
        if self._raw is None and self.dtype in _TYPES:
            code = _TYPES[self.dtype][1]
            try:
                self._raw = bytes(floats) if self.dtype == FLOAT else struct.pack(f"<{len(ints)}{code}", *ints)
            except struct.error as error:
                raise OnnxError(f"tensor {self.name}: {error}") from error

    @property
    def count(self):
        """The number of values."""
        count = 1
        for d in self.dims:
            count *= d
        return count

    def bytes(self, dtype, dims):
        """The values as little-endian bytes, last dimension fastest; refuses another type or shape."""
        if self.dtype != dtype:
            name = _TYPES.get(self.dtype, (self.dtype,))[0]
            raise OnnxError(f"tensor {self.name}: type is {name}, expected {_TYPES[dtype][0]}")
        if list(self.dims) != list(dims):
            raise OnnxError(f"tensor {self.name}: shape is {self.dims}, expected {list(dims)}")
        expected = self.count * _TYPES[dtype][2]
        if len(self._raw) != expected:
            raise OnnxError(f"tensor {self.name}: {len(self._raw)} bytes of values, expected {expected}")
        return bytes(self._raw)

    def values(self, dtype, dims):
        """The values as an `array`."""
        out = array(_TYPES[dtype][1], self.bytes(dtype, dims))
        if sys.byteorder == "big":
            out.byteswap()
        return out


class Node:
    """One operation: `op`, `inputs`, `outputs` (names) and `attributes`."""

    def __init__(self, data):
        self.op, self.inputs, self.outputs, self.attributes = "", [], [], {}
        for number, value in fields(data):
            if number == 1:
                self.inputs.append(_text(value))
            elif number == 2:
                self.outputs.append(_text(value))
            elif number == 4:
                self.op = _text(value)
            elif number == 5:
                self._attribute(_view(value))

    def _attribute(self, data):
        name, value, ints = "", None, []
        for number, field in fields(data):
            if number == 1:
                name = _text(field)
            elif number == 2:
                value = struct.unpack("<f", field)[0]
            elif number == 3:
                value = _signed(field)
            elif number == 4:
                value = _text(field)
            elif number == 5:
                value = Tensor(_view(field))
            elif number == 6:
                value = Graph(_view(field))
            elif number == 8:
                _repeated_ints(ints, field)
        self.attributes[name] = ints or value


class Graph:
    """Operations in execution order and the constants by name."""

    def __init__(self, data):
        self.nodes, self.constants, self.inputs, self.outputs = [], {}, [], []
        for number, value in fields(data):
            if number == 1:
                node = Node(_view(value))
                self.nodes.append(node)
                constant = node.attributes.get("value")
                if node.op == "Constant" and isinstance(constant, Tensor) and node.outputs:
                    constant.name = node.outputs[0]
                    self.constants[constant.name] = constant
            elif number == 5:
                tensor = Tensor(_view(value))
                self.constants[tensor.name] = tensor
            elif number in (11, 12):
                names = [_text(v) for n, v in fields(_view(value)) if n == 1]
                (self.inputs if number == 11 else self.outputs).extend(names)

    def constant(self, name):
        """The constant called `name`."""
        if name not in self.constants:
            raise OnnxError(f"tensor {name} is missing")
        return self.constants[name]


def read(data):
    """The graph of an ONNX file given as bytes."""
    view = memoryview(data)
    graphs = [_view(value) for number, value in fields(view) if number == 7]
    if len(graphs) != 1:
        raise OnnxError(f"not an ONNX model: {len(graphs)} graphs in {len(data)} bytes")
    return Graph(graphs[0])
