"""Silero VAD, ONNX to GGUF: python3 silero_vad.py silero_vad.onnx silero-vad.gguf

Takes the 16 kHz branch of Silero VAD v6.2 (the file is unchanged up to v6.2.1), weights as they are (F32).
The model: https://github.com/snakers4/silero-vad, MIT licence.
"""

import conversion
from gguf_writer import F32, Writer
from onnx_reader import FLOAT, INT64, Graph, OnnxError

KNOWN_SHA256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"

SAMPLE_RATE = 16000
FILTER_LENGTH, HOP_LENGTH, BINS = 256, 128, 129
REFLECT_LENGTH = 64
CHANNELS, STRIDES, KERNEL = [128, 64, 64, 128], [1, 2, 2, 1], 3
HIDDEN = 128


def sixteen_kilohertz_branch(graph):
    """The sub-graph that runs when the input `sr` is 16000."""
    for node in graph.nodes:
        if node.op != "If" or "sr" not in graph.inputs:
            continue
        condition = next((n for n in graph.nodes if node.inputs[:1] == n.outputs and n.op == "Equal"), None)
        if condition is None or condition.inputs[:1] != ["sr"]:
            continue
        rate = graph.constant(condition.inputs[1])
        branch = node.attributes.get("then_branch")
        if rate.dtype == INT64 and rate.values(INT64, rate.dims).tolist() == [SAMPLE_RATE] and isinstance(branch, Graph):
            return branch
    raise OnnxError(f"no branch for sr == {SAMPLE_RATE}; is this silero_vad.onnx of version 5 or 6?")


def constant(branch, suffix):
    """The constant whose name is a prefix of the exporter and then `suffix`."""
    found = [t for name, t in branch.constants.items() if name.endswith("__" + suffix)]
    if len(found) != 1:
        raise OnnxError(f"{len(found)} tensors are called …__{suffix}, expected one")
    return found[0]


def check_structure(branch):
    """The strides and pads that the Swift graph is written for are those of the file."""
    wanted = [("stft.forward_basis_buffer", HOP_LENGTH, [0, 0])]
    wanted += [(f"encoder.{i}.reparam_conv.weight", stride, [1, 1]) for i, stride in enumerate(STRIDES)]
    wanted.append(("decoder.decoder.2.weight", 1, [0, 0]))
    convolutions = {node.inputs[1]: node for node in branch.nodes if node.op == "Conv"}
    for suffix, stride, pads in wanted:
        node = convolutions.get(constant(branch, suffix).name)
        if node is None:
            raise OnnxError(f"{suffix} is not the weight of a convolution")
        found = (node.attributes.get("strides"), node.attributes.get("pads"))
        if found != ([stride], pads):
            raise OnnxError(f"{suffix}: strides and pads are {found}, expected {([stride], pads)}")
    padding = constant(branch, "/stft/padding/Constant_1_output_0").values(INT64, [2]).tolist()
    if padding != [0, REFLECT_LENGTH]:
        raise OnnxError(f"the input is padded by {padding}, expected {[0, REFLECT_LENGTH]}")


def convert(graph, sha256):
    branch = sixteen_kilohertz_branch(graph)
    check_structure(branch)
    out = Writer()
    out.put("general.architecture", "silero-vad")
    out.put("general.name", "Silero VAD v6.2")
    out.put("general.license", "mit")
    out.put("general.source.url", "https://github.com/snakers4/silero-vad")
    out.put("general.source.file", "silero_vad.onnx")
    out.put("general.source.sha256", sha256)
    out.put("silero-vad.sample_rate", SAMPLE_RATE)
    out.put("silero-vad.window_length", 512)
    out.put("silero-vad.context_length", 64)
    out.put("silero-vad.reflect_length", REFLECT_LENGTH)
    out.put("silero-vad.stft.filter_length", FILTER_LENGTH)
    out.put("silero-vad.stft.hop_length", HOP_LENGTH)
    out.put("silero-vad.encoder.kernel_size", KERNEL)
    out.put("silero-vad.encoder.channels", CHANNELS)
    out.put("silero-vad.encoder.strides", STRIDES)
    out.put("silero-vad.lstm.hidden_size", HIDDEN)

    def copy(name, *dims):
        data = constant(branch, name).bytes(FLOAT, dims)
        out.tensor(name, F32, [d for d in reversed(dims) if d != 1] or [1], data)

    copy("stft.forward_basis_buffer", 2 * BINS, 1, FILTER_LENGTH)
    for i, (before, after) in enumerate(zip([BINS] + CHANNELS, CHANNELS)):
        copy(f"encoder.{i}.reparam_conv.weight", after, before, KERNEL)
        copy(f"encoder.{i}.reparam_conv.bias", after)
    for gate in ("ih", "hh"):
        copy(f"decoder.rnn.weight_{gate}", 4 * HIDDEN, HIDDEN)
        copy(f"decoder.rnn.bias_{gate}", 4 * HIDDEN)
    copy("decoder.decoder.2.weight", 1, HIDDEN, 1)
    copy("decoder.decoder.2.bias", 1)
    return out


if __name__ == "__main__":
    conversion.run("usage: silero_vad.py IN.onnx OUT.gguf", KNOWN_SHA256, convert)
