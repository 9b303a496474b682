"""Writes a Nemotron Speech model with random weights, in NVIDIA's GGUF layout. Needs numpy. See README.md.

  make_random_model.py OUT.gguf [--size full|tiny] [--type q8_0|f16|f32] [--multilingual] [--seed 1] [--blank-bias B]

Full size is that of nemotron-speech-streaming-en-0.6b, with --multilingual of nemotron-3.5-asr-streaming-0.6b (left
context 56, 13087 symbols, language prompt). What is recognised is nonsense; the bias of blank decides how much of it.

The same arguments give the same file.
"""

import argparse
import sys
import zlib
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tools" / "convert"))
from element_types import FLOAT32, encode  # noqa: E402
from nemotron_layout import Model, tensors, writer  # noqa: E402

SIZES = {
    "full": dict(d_model=1024, n_layers=24, n_heads=8, d_ff=4096, pred_hidden=640, joint_hidden=640, prompt_hidden=2048),
    "tiny": dict(d_model=64, n_layers=2, n_heads=2, d_ff=256, pred_hidden=64, joint_hidden=64, prompt_hidden=128,
                 subsampling_conv_channels=32, pos_emb_max_len=512),
}
SYMBOLS = {("full", False): 1024, ("full", True): 13087, ("tiny", False): 64, ("tiny", True): 96}
# Chosen by running the models with transformers; README.md has what came out.
BLANK_BIAS = {("full", False): 8.0, ("full", True): 9.3, ("tiny", False): 3.0, ("tiny", True): 6.0}
PROMPTS = {"full": 128, "tiny": 8}
# Standard deviation times the square root of the inputs, by the end of the name: each part of a layer then adds a
# little to the residual stream, and what comes out depends on everything that went in.
GAINS = {"pre_encode.out": 3.0, "linear1": 1.4, "linear2": 0.4, "pointwise_conv1": 1.4, "pointwise_conv2": 0.4,
         "depthwise_conv": 1.4, "linear_q": 1.4, "linear_k": 1.4, "linear_v": 1.4, "linear_out": 0.5, "joint.pred": 2.5,
         "joint.enc": 1.5, "joint_net.2": 1.4, "conv.2": 1.2, "conv.5": 1.2, "conv.3": 1.4, "conv.6": 1.4,
         "prompt_kernel.0": 1.4, "prompt_kernel.2": 1.4}


def pieces(count, languages):
    """`count` different SentencePiece pieces: <unk>, language tags, then syllables with and without a word's start."""
    out = ["<unk>"] + [f"<{language}>" for language in languages if "-" in language]
    letters = "etaoinshrdlucmfwypvbgkqjxz'"
    open_ones = [a + b for a in letters for b in "aeiou"]
    closed_ones = [syllable + c for syllable in open_ones for c in letters]
    for syllable in [*letters, *open_ones, *closed_ones, *(a + b for a in open_ones for b in open_ones)]:
        out += ["\u2581" + syllable, syllable]
    assert len(out) >= count == len(set(out[:count]))
    return out[:count]


def model(size, multilingual, name):
    tiny_dictionary = {"en-US": 0, "en": 0, "de-DE": 1, "de": 1, "auto": PROMPTS[size] - 1}
    full_dictionary = {"en-US": 0, "en": 0, "es-US": 3, "es": 3, "fr-FR": 8, "fr": 8, "de-DE": 9, "de": 9, "auto": 101}
    dictionary = {"full": full_dictionary, "tiny": tiny_dictionary}[size] if multilingual else {}
    symbols = SYMBOLS[size, multilingual]
    dimensions = dict(SIZES[size])
    if not multilingual:
        dimensions["prompt_hidden"] = 0
    return Model(name=name, left_context=56 if multilingual else 70, right_context=3 if multilingual else 13,
                 vocab_size=symbols + 1, pred_rnn_layers=2, pieces=pieces(symbols, dictionary),
                 num_prompts=PROMPTS[size] if multilingual else 0, prompt_dictionary=dictionary, **dimensions)


class Weights:
    """Random values by name, the same whenever they are asked for; only one tensor is in memory at a time."""

    def __init__(self, model, seed, blank_bias):
        self.model, self.seed, self.blank_bias = model, seed, blank_bias
        self.shapes = {name: shape for name, shape, _ in tensors(model)}

    def __call__(self, name, shape, stored):
        return encode(self.values(name).tobytes(), FLOAT32, stored)

    def values(self, name):
        """float32 of the tensor's shape."""
        shape = self.shapes[name]
        x = np.random.default_rng([self.seed, zlib.crc32(name.encode())]).standard_normal(shape, dtype=np.float32)
        layer, _, part = name.rpartition(".")
        if part in ("pos_bias_u", "pos_bias_v"):
            return x * np.float32(0.1)
        if name == "encoder.pre_encode.out.bias":
            return -(self.values(f"{layer}.weight") @ self.level_before_projection())
        if "norm" in layer:
            return np.float32(1) + x * np.float32(0.1) if part == "weight" else x * np.float32(0.02)
        if part == "bias":
            x *= np.float32(0.1 if "pre_encode" in layer else 0.05)
            if layer == "joint.joint_net.2":
                x[-1] = self.blank_bias
            return x
        if layer.endswith("embed"):
            x[-1] = 0  # blank, the start symbol
            return x
        gain = next((gain for end, gain in GAINS.items() if layer.endswith(end)), 1.0)
        x *= np.float32(gain / np.sqrt(np.prod(shape[1:])))
        if layer.endswith("pre_encode.conv.0"):
            # The level of log-mel is far from zero and must not drown the signal.
            x -= x.mean(axis=(2, 3), keepdims=True)
        return x

    def level_before_projection(self):
        """The mean of what goes into pre_encode.out, over 96 frames of noise like log-mel; [channels * frequencies]."""
        noise = np.random.default_rng(0).standard_normal((1, 96, self.model.feat_in)).astype(np.float32)
        x = strided(-8 + 3 * noise, *self.convolution(0))
        for depthwise, pointwise in ((2, 3), (5, 6)):
            x = strided(np.maximum(x, 0), *self.convolution(depthwise))
            weight, bias = self.convolution(pointwise)
            x = np.tensordot(weight[:, :, 0, 0], x, 1) + bias[:, None, None]
        return np.maximum(x, 0)[:, 2:-1].mean(axis=1).reshape(-1)

    def convolution(self, index):
        return tuple(self.values(f"encoder.pre_encode.conv.{index}.{part}") for part in ("weight", "bias"))


def strided(x, weight, bias):
    """3 x 3 with stride 2 on [channels, time, frequency], two zeros before and one behind on both axes."""
    x = np.pad(x, ((0, 0), (2, 1), (2, 1)))
    time, bins = ((extent - 3) // 2 + 1 for extent in x.shape[1:])
    taps = weight[:, 0, :, :, None, None]
    windows = (taps[:, i, j] * x[:, i:i + 2 * time - 1:2, j:j + 2 * bins - 1:2] for i in range(3) for j in range(3))
    return sum(windows) + bias[:, None, None]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--type", choices=("q8_0", "f16", "f32"), default="q8_0")
    parser.add_argument("--multilingual", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--blank-bias", type=float)
    arguments = parser.parse_args()
    name = f"random {arguments.size} Nemotron Speech{', multilingual' if arguments.multilingual else ''}"
    made = model(arguments.size, arguments.multilingual, name)
    bias = BLANK_BIAS[arguments.size, arguments.multilingual] if arguments.blank_bias is None else arguments.blank_bias
    writer(made, arguments.type, Weights(made, arguments.seed, bias)).write(arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
