"""Smart Turn v3.2, ONNX to GGUF: python3 smart_turn.py smart-turn-v3.2-cpu.onnx smart-turn-v3.2.gguf

The shipped file is a quantised graph (weights int8 with one scale per output channel, activations quantised too). Only
the weights are taken: int8 values and scales as they are, to be multiplied out once at load. The activations' rounding
is left out. Matrices are turned from [in, out] to ggml's order, in fastest.
The model: https://github.com/pipecat-ai/smart-turn, BSD 2-clause licence; its encoder starts from Whisper tiny (MIT).
"""

import sys
from array import array

import conversion
from gguf_writer import F32, I8, Writer
from onnx_reader import FLOAT, INT8, INT32, OnnxError

KNOWN_SHA256 = "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f"

MELS, KERNEL = 80, 3
HIDDEN, LAYERS, HEADS, FEED_FORWARD = 384, 4, 6, 1536
POSITIONS = 400
POOL, CLASSIFIER = 256, [256, 64]
PREFIX = "inner."
# The operations that the Swift graph computes, and how often.
OPERATIONS = {"Conv": 2, "MatMul": 34, "Gemm": 3, "LayerNormalization": 10, "Softmax": 5, "Erf": 8, "Tanh": 1, "Sigmoid": 1}


class Source:
    """The graph, with its weights found by the names they have in PyTorch."""

    def __init__(self, graph):
        self.graph = graph
        self._by_output = {name: node for node in graph.nodes for name in node.outputs}
        self._anonymous = self._name_matrices()

    def check_operations(self):
        """Refuses a graph with more or fewer operations of a kind than Smart Turn v3 has."""
        for op, count in OPERATIONS.items():
            found = sum(node.op == op for node in self.graph.nodes)
            if found != count:
                raise OnnxError(f"{found} operations are {op}, expected {count}; is this Smart Turn v3?")

    def _name_matrices(self):
        """The exporter dropped the names of matrices. A matrix is called after the bias added to its product.

        Only a key projection has no bias: it is the matrix product without an addition, in order of the layers.
        """
        adds = {}
        for node in self.graph.nodes:
            if node.op == "Add" and len(node.inputs) == 2 and node.inputs[1].endswith(".bias"):
                adds[self._unquantised(node.inputs[0])] = node.inputs[1]
        names, layer = {}, 0
        for node in self.graph.nodes:
            if node.op != "MatMul":
                continue
            dequantise = self._by_output.get(node.inputs[1])
            if dequantise is None or dequantise.op != "DequantizeLinear" or dequantise.inputs[0] not in self.graph.constants:
                continue  # a product of two activations: attention
            bias = adds.get(node.outputs[0])
            if bias is None:
                bias, layer = f"{PREFIX}encoder.layers.{layer}.self_attn.k_proj.bias", layer + 1
            name = bias.removeprefix(PREFIX).removesuffix("bias") + "weight"
            if name in names:
                raise OnnxError(f"two matrices would be called {name}")
            names[name] = dequantise
        return names

    def _unquantised(self, name):
        """The name of an activation before it was quantised and dequantised."""
        for expected in ("DequantizeLinear", "QuantizeLinear"):
            node = self._by_output.get(name)
            if node is not None and node.op == expected:
                name = node.inputs[0]
        return name

    def plain(self, name, dims):
        """A tensor stored as F32, as bytes."""
        return self.graph.constant(PREFIX + name).bytes(FLOAT, dims)

    def _quantised(self, node, dims, axis):
        constants = [self.graph.constant(name) for name in node.inputs]
        if len(constants) != 3 or node.attributes.get("axis") != axis:
            raise OnnxError(f"{node.outputs[0]}: expected one scale for each index of dimension {axis}")
        values, scale, zero = constants
        if any(zero.values(INT8, [dims[axis]])):
            raise OnnxError(f"{zero.name}: a zero point is not zero")
        return values.bytes(INT8, dims), scale.bytes(FLOAT, [dims[axis]])

    def convolution(self, name, dims):
        """int8 values and scales of a weight stored output channel first."""
        node = self._by_output.get(f"{PREFIX}{name}_DequantizeLinear_Output")
        if node is None or node.op != "DequantizeLinear":
            raise OnnxError(f"tensor {PREFIX}{name} is missing")
        return self._quantised(node, dims, 0)

    def matrix(self, name, rows_in, columns_out):
        """int8 values turned to output channel first, and scales, of a weight stored [in, out]."""
        node = self._anonymous.get(name)
        if node is None:
            raise OnnxError(f"no matrix product goes with {name}")
        values, scale = self._quantised(node, [rows_in, columns_out], 1)
        return b"".join(values[column::columns_out] for column in range(columns_out)), scale

    def quantised_bias(self, name, count):
        """An int32 bias times its scales, rounded as F32 arithmetic does it, as bytes."""
        values = self.graph.constant(f"{PREFIX}{name}_quantized").values(INT32, [count])
        scales = self.graph.constant(f"{PREFIX}{name}_quantized_scale").values(FLOAT, [count])
        product = array("f", (v * s for v, s in zip(array("f", values), scales)))
        if sys.byteorder == "big":
            product.byteswap()
        return product.tobytes()


def metadata(out, sha256):
    out.put("general.architecture", "smart-turn")
    out.put("general.name", "Smart Turn v3.2")
    out.put("general.license", "bsd-2-clause")
    out.put("general.source.url", "https://github.com/pipecat-ai/smart-turn")
    out.put("general.source.file", "smart-turn-v3.2-cpu.onnx")
    out.put("general.source.sha256", sha256)
    out.put("smart-turn.sample_rate", 16000)
    out.put("smart-turn.max_seconds", 8)
    out.put("smart-turn.mel.bins", MELS)
    out.put("smart-turn.mel.fft_length", 400)
    out.put("smart-turn.mel.hop_length", 160)
    out.put("smart-turn.mel.frames", 2 * POSITIONS)
    out.put("smart-turn.encoder.kernel_size", KERNEL)
    out.put("smart-turn.encoder.hidden_size", HIDDEN)
    out.put("smart-turn.encoder.layers", LAYERS)
    out.put("smart-turn.encoder.heads", HEADS)
    out.put("smart-turn.encoder.feed_forward_size", FEED_FORWARD)
    out.put("smart-turn.encoder.positions", POSITIONS)
    out.put("smart-turn.pool.hidden_size", POOL)
    out.put("smart-turn.classifier.hidden_sizes", CLASSIFIER)
    out.put("smart-turn.layer_norm_epsilon", 1e-5)
    out.put("smart-turn.threshold", 0.5)


def convert(graph, sha256):
    source, out = Source(graph), Writer()
    source.check_operations()
    metadata(out, sha256)

    def scaled(name, shape, pair):
        values, scale = pair
        out.tensor(name, I8, shape, values)
        out.tensor(f"{name}.scale", F32, [len(scale) // 4], scale)

    def matrix(name, rows_in, columns_out):
        scaled(name, [rows_in, columns_out], source.matrix(name, rows_in, columns_out))

    def plain(name, *dims):
        out.tensor(name, F32, list(reversed(dims)), source.plain(name, dims))

    def norm(name, size):
        plain(f"{name}.weight", size)
        plain(f"{name}.bias", size)

    for name, channels in (("encoder.conv1", MELS), ("encoder.conv2", HIDDEN)):
        dims = [HIDDEN, channels, KERNEL]
        scaled(f"{name}.weight", dims[::-1], source.convolution(f"{name}.weight", dims))
        out.tensor(f"{name}.bias", F32, [HIDDEN], source.quantised_bias(f"{name}.bias", HIDDEN))
    plain("encoder.embed_positions.weight", POSITIONS, HIDDEN)
    for index in range(LAYERS):
        layer = f"encoder.layers.{index}"
        norm(f"{layer}.self_attn_layer_norm", HIDDEN)
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            matrix(f"{layer}.self_attn.{part}.weight", HIDDEN, HIDDEN)
            if part != "k_proj":
                plain(f"{layer}.self_attn.{part}.bias", HIDDEN)
        norm(f"{layer}.final_layer_norm", HIDDEN)
        matrix(f"{layer}.fc1.weight", HIDDEN, FEED_FORWARD)
        plain(f"{layer}.fc1.bias", FEED_FORWARD)
        matrix(f"{layer}.fc2.weight", FEED_FORWARD, HIDDEN)
        plain(f"{layer}.fc2.bias", HIDDEN)
    norm("encoder.layer_norm", HIDDEN)
    matrix("pool_attention.0.weight", HIDDEN, POOL)
    plain("pool_attention.0.bias", POOL)
    matrix("pool_attention.2.weight", POOL, 1)
    plain("pool_attention.2.bias", 1)
    for index, before, after in ((0, HIDDEN, CLASSIFIER[0]), (4, *CLASSIFIER), (6, CLASSIFIER[1], 1)):
        name = f"classifier.{index}"
        scaled(f"{name}.weight", [before, after], source.convolution(f"{name}.weight", [after, before]))
        out.tensor(f"{name}.bias", F32, [after], source.quantised_bias(f"{name}.bias", after))
        if index == 0:
            norm("classifier.1", after)
    return out


if __name__ == "__main__":
    conversion.run("usage: smart_turn.py IN.onnx OUT.gguf", KNOWN_SHA256, convert)
