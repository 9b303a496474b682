"""The layout of NVIDIA's NanoCodec decoder files (`nemo-nano-codec`): metadata, names, shapes and types of tensors.

Source: NVIDIA/NeMo-Speech.cpp @ 4f9676226, conversion/codec.py. Shapes are numpy's, the fastest dimension last.
"""

import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tools" / "convert"))
from gguf_writer import F16, F32, Signed, Writer  # noqa: E402

_MODULES = "nemo.collections.tts.modules.audio_codec_modules"


@dataclass
class Codec:
    """Dimensions; the defaults are those of nemo-nano-codec-22khz-1.89kbps-21.5fps."""

    name: str
    sample_rate: int = 22050
    codebooks: int = 8
    levels: list = field(default_factory=lambda: [8, 7, 6, 6])
    channels: int = 864
    first_taps: int = 7
    last_taps: int = 3
    rates: list = field(default_factory=lambda: [8, 8, 4, 2, 2])
    kernels: list = field(default_factory=lambda: [3, 7, 11])
    dilations: list = field(default_factory=lambda: [1, 3, 5])

    @property
    def frame(self):
        return math.prod(self.rates)

    @property
    def codes(self):
        return math.prod(self.levels)

    @property
    def bases(self):
        return [math.prod(self.levels[:index]) for index in range(len(self.levels))]

    @property
    def latents(self):
        return self.codebooks * len(self.levels)


def metadata(codec):
    """Key and value pairs, in the order of the file; integers are signed, as NVIDIA's."""
    yield "general.architecture", "nemo-nano-codec"
    yield "general.name", codec.name
    yield "general.tensor_data_layout", "ggml.conv1d/conv_transpose1d short names"
    halves = [level // 2 for level in codec.levels]
    values = {
        "nemo_target": "nemo.collections.tts.models.audio_codec.AudioCodecModel", "nemo_version": "random",
        "config_json": "{}", "decoder.target": f"{_MODULES}.CausalHiFiGANDecoder", "decoder.activation": "half_snake",
        "decoder.output_activation": "clamp", "decoder.pad_mode": "zeros",
        "quantizer.target": f"{_MODULES}.GroupFiniteScalarQuantizer", "sample_rate": codec.sample_rate,
        "samples_per_frame": codec.frame, "num_codebooks": codec.codebooks, "codebook_size": codec.codes,
        "codebook_dim_per_group": len(codec.levels), "latent_dim": codec.latents, "decoder.input_dim": codec.latents,
        "decoder.base_channels": codec.channels, "decoder.in_kernel_size": codec.first_taps,
        "decoder.out_kernel_size": codec.last_taps, "frame_rate": codec.sample_rate / codec.frame,
        "decoder.n_groups_equal_to_out_channels": True, "quantizer.num_levels_per_group": codec.levels,
        "quantizer.dim_base_index": codec.bases, "quantizer.scale": halves, "quantizer.offset": halves,
        "decoder.up_sample_rates": codec.rates, "decoder.resblock_kernel_sizes": codec.kernels,
        "decoder.resblock_dilation_sizes": codec.dilations,
    }
    for key, value in values.items():
        yield f"nano_codec.{key}", Signed(value) if type(value) is int else value


def _convolution(name, inputs, outputs, taps):
    yield f"{name}.w", (outputs, inputs, taps), F16
    yield f"{name}.b", (1, outputs, 1), F32


def _snake(name, channels):
    yield f"{name}.alpha", (1, channels // 2, 1), F32
    yield f"{name}.alpha_inv", (1, channels // 2, 1), F32


def tensors(codec):
    """Name, shape and type of every tensor."""
    channels = codec.channels
    yield from _convolution("dec.pre", codec.latents, channels, codec.first_taps)
    for stage, rate in enumerate(codec.rates):
        yield from _snake(f"dec.act.{stage}", channels)
        yield f"dec.up.{stage}.w", (channels, channels // 2, 2 * rate), F16
        channels //= 2
        yield f"dec.up.{stage}.b", (1, channels, 1), F32
        for stack, taps in enumerate(codec.kernels):
            for block in range(len(codec.dilations)):
                for first, second in (("ia", "ic"), ("sa", "sc")):
                    name = f"dec.res.{stage}.{stack}.{block}"
                    yield from _snake(f"{name}.{first}", channels)
                    yield from _convolution(f"{name}.{second}", channels, channels, taps)
    yield from _snake("dec.post_act", channels)
    yield from _convolution("dec.post", channels, 1, codec.last_taps)
    yield "q.fsq.codebook", (codec.codebooks, codec.codes, len(codec.levels)), F32


def codebook(codec):
    """The values that each code stands for, the same for every group."""
    codes = np.arange(codec.codes)[:, None]
    halves = np.array([level // 2 for level in codec.levels])
    values = (codes // np.array(codec.bases) % np.array(codec.levels) - halves) / halves
    return np.repeat(values[None].astype(np.float32), codec.codebooks, 0)


def dense(weights):
    """The weights (inputs, taps) of a transposed convolution whose output c sees the inputs 2c and 2c + 1, with zeros between
    all others: (inputs, outputs, taps)."""
    inputs = len(weights)
    full = np.zeros((inputs, inputs // 2, weights.shape[1]), np.float32)
    full[np.arange(inputs), np.arange(inputs) // 2] = weights
    return full


def writer(codec, values):
    """A GGUF writer with everything in it. `values` gives a tensor's numbers by name, when the file is written."""
    out = Writer()
    for key, value in metadata(codec):
        out.put(key, value)
    for name, shape, kind in tensors(codec):
        def data(name=name, shape=shape, kind=kind):
            x = np.asarray(codebook(codec) if name == "q.fsq.codebook" else values(name), np.float32).reshape(shape)
            return x.astype("<f2" if kind == F16 else "<f4").tobytes()

        out.tensor(name, kind, tuple(reversed(shape)), data)
    return out
