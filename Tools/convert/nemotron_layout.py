"""The GGUF layout of Nemotron Speech: metadata, and name, shape and type of every tensor.

It is NVIDIA's: NVIDIA/NeMo-Speech.cpp 4f967622, conversion/asr.py (what is written) and src/asr/model.cpp (what is
read). Shapes here are PyTorch's, slowest dimension first; GGUF has them the other way round.
"""

import base64
from dataclasses import dataclass, field
from typing import Dict, List, Optional

from gguf_writer import F16, F32, Q8_0, Signed, Writer, byte_count
from nemotron_tables import mel_filters, position_table

# What a tensor is decides its type: matrices have the type of the file, kernels and embeddings are F16, the rest is
# F32. The prompt network is no matrix in this sense: NVIDIA's files have it in F32.
MATRIX, KERNEL, PLAIN = "matrix", "kernel", "plain"
TYPES = {
    "f32": {MATRIX: F32, KERNEL: F32, PLAIN: F32},
    "f16": {MATRIX: F16, KERNEL: F16, PLAIN: F32},
    "q8_0": {MATRIX: Q8_0, KERNEL: F16, PLAIN: F32},
}
# `general.file_type`: llama_ftype of llama.h.
_FILE_TYPE = {"f32": 0, "f16": 1, "q8_0": 7}


# Far above every model, so that a damaged configuration does not ask for terabytes.
_MOST = {"d_model": 1 << 14, "n_layers": 1 << 9, "n_heads": 1 << 10, "d_ff": 1 << 16, "left_context": 1 << 14,
         "vocab_size": 1 << 20, "pred_hidden": 1 << 14, "pred_rnn_layers": 1 << 6, "joint_hidden": 1 << 14,
         "conv_kernel_size": 1 << 8, "subsampling_conv_channels": 1 << 14, "feat_in": 1 << 12,
         "pos_emb_max_len": 1 << 16, "max_symbols": 1 << 16, "sample_rate": 1 << 20, "n_fft": 1 << 14}


class LayoutError(ValueError):
    """The model cannot be stored in this layout; the message says why."""


@dataclass
class Model:
    """Every dimension of a model, named as in NeMo's model_config.yaml where it has a name there."""

    name: str
    d_model: int
    n_layers: int
    n_heads: int
    d_ff: int
    left_context: int
    # The lookahead used when none is chosen, in frames of 80 ms.
    right_context: int
    vocab_size: int  # with blank, which is the last
    pred_hidden: int
    pred_rnn_layers: int
    joint_hidden: int
    pieces: List[str]
    conv_kernel_size: int = 9
    subsampling_factor: int = 8
    subsampling_conv_channels: int = 256
    feat_in: int = 128
    xscaling: bool = False
    use_bias: bool = False
    pos_emb_max_len: int = 5000
    max_symbols: int = 10
    sample_rate: int = 16000
    n_fft: int = 512
    window_size: float = 0.025
    window_stride: float = 0.01
    preemph: float = 0.97
    dither: float = 1e-5
    num_prompts: int = 0
    prompt_hidden: int = 0
    prompt_dictionary: Dict[str, int] = field(default_factory=dict)
    # The SentencePiece model as it is, where there is one.
    sentencepiece: Optional[bytes] = None

    def check(self):
        """Refuses dimensions that no model of this kind has, before anything is computed from them."""
        for name, most in _MOST.items():
            if not 0 < getattr(self, name) <= most:
                raise LayoutError(f"{name} is {getattr(self, name)}, not from 1 to {most}")
        for name in ("window_size", "window_stride", "preemph", "dither"):
            if not 0 <= getattr(self, name) <= 1:
                raise LayoutError(f"{name} is {getattr(self, name)}, not from 0 to 1")
        if self.subsampling_factor != 8:
            raise LayoutError(f"the subsampling factor is {self.subsampling_factor}, not 8")
        if self.d_model % self.n_heads or self.d_model % 2:
            raise LayoutError(f"d_model {self.d_model} cannot be shared by {self.n_heads} heads")
        for name in ("right_context", "num_prompts", "prompt_hidden"):
            if not 0 <= getattr(self, name) <= 1 << 14:
                raise LayoutError(f"{name} is {getattr(self, name)}, not from 0 to {1 << 14}")
        if len(self.pieces) != self.vocab_size - 1:
            raise LayoutError(f"the tokenizer has {len(self.pieces)} pieces, the network {self.vocab_size - 1} symbols "
                              "and blank")
        wrong = [f"{k}:{v}" for k, v in self.prompt_dictionary.items() if not 0 <= v < self.num_prompts]
        if wrong:
            raise LayoutError(f"the prompt {wrong[0]} is not one of {self.num_prompts}")

    @property
    def frequencies(self):
        """Bins left of `feat_in` after the convolutions: each makes n // 2 + 1 of n."""
        bins = self.feat_in
        for _ in range(3):
            bins = bins // 2 + 1
        return bins


def tensors(model):
    """Yields (name, shape, kind) of every tensor that comes from the checkpoint."""
    d, channels, hidden = model.d_model, model.subsampling_conv_channels, model.pred_hidden

    def linear(name, rows, columns, bias=True, kind=MATRIX):
        yield f"{name}.weight", (rows, columns), kind
        if bias:
            yield f"{name}.bias", (rows,), PLAIN

    def kernel(name, shape, bias=True):
        yield f"{name}.weight", shape, KERNEL
        if bias:
            yield f"{name}.bias", shape[:1], PLAIN

    def norm(name):
        yield f"{name}.weight", (d,), PLAIN
        yield f"{name}.bias", (d,), PLAIN

    conv = "encoder.pre_encode.conv"
    yield from kernel(f"{conv}.0", (channels, 1, 3, 3))
    for depthwise, pointwise in ((2, 3), (5, 6)):
        yield from kernel(f"{conv}.{depthwise}", (channels, 1, 3, 3))
        yield from kernel(f"{conv}.{pointwise}", (channels, channels, 1, 1))
    yield from linear("encoder.pre_encode.out", d, channels * model.frequencies)
    for index in range(model.n_layers):
        layer, bias = f"encoder.layers.{index}", model.use_bias
        for part in ("feed_forward1", "self_att", "conv", "feed_forward2", "out"):
            yield from norm(f"{layer}.norm_{part}")
        for part in ("feed_forward1", "feed_forward2"):
            yield from linear(f"{layer}.{part}.linear1", model.d_ff, d, bias)
            yield from linear(f"{layer}.{part}.linear2", d, model.d_ff, bias)
        for part in ("q", "k", "v", "out"):
            yield from linear(f"{layer}.self_attn.linear_{part}", d, d, bias)
        yield from linear(f"{layer}.self_attn.linear_pos", d, d, bias=False)
        for part in ("u", "v"):
            yield f"{layer}.self_attn.pos_bias_{part}", (model.n_heads, d // model.n_heads), PLAIN
        # Kernels of width 1 are stored as matrices.
        yield from linear(f"{layer}.conv.pointwise_conv1", 2 * d, d, bias)
        yield from kernel(f"{layer}.conv.depthwise_conv", (d, 1, model.conv_kernel_size), bias)
        # A layer norm; the name is what NeMo left.
        yield from norm(f"{layer}.conv.batch_norm")
        yield from linear(f"{layer}.conv.pointwise_conv2", d, d, bias)
    yield "decoder.prediction.embed.weight", (model.vocab_size, hidden), KERNEL
    for index in range(model.pred_rnn_layers):
        for part in ("ih", "hh"):
            yield from linear(f"decoder.prediction.dec_rnn.lstm.{part}_l{index}", 4 * hidden, hidden)
    yield from linear("joint.pred", model.joint_hidden, hidden)
    yield from linear("joint.enc", model.joint_hidden, d)
    yield from linear("joint.joint_net.2", model.vocab_size, model.joint_hidden)
    if model.num_prompts:
        yield from linear("prompt_kernel.0", model.prompt_hidden, d + model.num_prompts, kind=PLAIN)
        yield from linear("prompt_kernel.2", d, model.prompt_hidden, kind=PLAIN)


def writer(model, file_type, values):
    """A Writer of the whole model; `values(name, shape, type)` returns a tensor's bytes and is called when needed."""
    model.check()
    out = Writer()
    _put_metadata(out, model, file_type)
    table = (2 * model.pos_emb_max_len - 1, model.d_model)
    out.tensor("encoder.pos_enc.pe", F32, table[::-1], lambda: position_table(model.d_model, model.pos_emb_max_len))
    filters = mel_filters(model.sample_rate, model.n_fft, model.feat_in)
    out.tensor("preprocessor.fb", F32, (model.n_fft // 2 + 1, model.feat_in), filters)
    for name, shape, kind in tensors(model):
        stored = TYPES[file_type][kind]
        try:
            byte_count(stored, shape[::-1])
        except ValueError as error:
            raise LayoutError(f"{name} cannot be {file_type}: {error}; choose f16 or f32") from error
        out.tensor(name, stored, shape[::-1],
                   lambda name=name, shape=shape, stored=stored: values(name, shape, stored))
    return out


def _put_metadata(out, model, file_type):
    encoder, features, decoder, tokenizer = (f"asr.{part}." for part in ("encoder", "preprocessor", "rnnt", "tokenizer"))
    out.put("general.architecture", "asr")
    out.put("general.name", model.name)
    out.put("general.file_type", _FILE_TYPE[file_type])
    out.put("asr.head_type", "rnnt")
    for name in ("d_model", "n_layers", "n_heads", "d_ff", "conv_kernel_size", "subsampling_factor",
                 "subsampling_conv_channels", "feat_in", "xscaling", "use_bias"):
        out.put(encoder + name, getattr(model, name))
    for name in ("q8_layout", "qkv_q8_layout"):
        out.put(encoder + name, "block_q8_0")
    out.put(encoder + "pos_emb_max_len", model.pos_emb_max_len)
    out.put(encoder + "cache_supported", True)
    out.put(encoder + "train_left_ctx", model.left_context)
    out.put(encoder + "train_right_ctx", model.right_context)
    out.put(encoder + "offline_left_ctx", Signed(model.left_context))
    out.put(encoder + "offline_right_ctx", Signed(model.right_context))
    out.put(encoder + "conv_norm", "layer_norm")
    out.put(encoder + "conv_context", "causal")
    out.put(encoder + "att_context_style", "chunked_limited")
    out.put(features + "sample_rate", model.sample_rate)
    out.put(features + "window_size", float(model.window_size))
    out.put(features + "window_stride", float(model.window_stride))
    out.put(features + "n_fft", model.n_fft)
    out.put(features + "features", model.feat_in)
    out.put(features + "normalize", "NA")
    out.put(features + "preemph", float(model.preemph))
    out.put(features + "dither", float(model.dither))
    out.put(features + "stft_center_window", True)
    out.put(features + "hann_periodic", False)
    out.put(features + "mask_invalid_frames", True)
    out.put(decoder + "vocab_size", model.vocab_size)
    out.put(decoder + "blank_id", model.vocab_size - 1)
    out.put(decoder + "pred_embed_dim", model.pred_hidden)
    out.put(decoder + "pred_hidden", model.pred_hidden)
    out.put(decoder + "pred_num_layers", model.pred_rnn_layers)
    out.put(decoder + "joint_dim", model.joint_hidden)
    out.put(decoder + "max_symbols_per_step", model.max_symbols)
    out.put(decoder + "num_prompts", model.num_prompts)
    if model.prompt_dictionary:
        out.put(decoder + "prompt_dictionary", [f"{name}:{slot}" for name, slot in model.prompt_dictionary.items()])
    out.put(tokenizer + "type", "sentencepiece_bpe")
    out.put(tokenizer + "vocab", model.pieces)
    if model.sentencepiece is not None:
        out.put(tokenizer + "spm_model", base64.b64encode(model.sentencepiece).decode("ascii"))
