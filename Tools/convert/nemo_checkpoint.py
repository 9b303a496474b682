"""Reads a .nemo archive: a tar, compressed or not, of model_config.yaml, model_weights.ckpt and a tokenizer.

What the configuration says is explained in NeMo's conf/fastconformer/cache_aware_streaming (NVIDIA-NeMo/NeMo 8cfedd72).
PyYAML is needed, unless the configuration happens to be JSON, which is YAML too.
"""

import json
import os
import re
import tarfile
import tempfile
import zlib
from contextlib import contextmanager

import torch_reader
from checkpoint import CheckpointError, require, value
from nemotron_layout import Model
from sentencepiece_reader import pieces

_LSTM = re.compile(r"(.*\.lstm)\.(weight|bias)_(ih|hh)_l(\d+)")


class YAMLMissing(ImportError):
    """The configuration is YAML, and PyYAML is not installed."""


@contextmanager
def opened(path):
    """Gives (Model, tensors by the names of the layout); they can be read until the block ends."""
    with tempfile.TemporaryFile() as spare:
        try:
            with tarfile.open(path, "r:*") as archive:
                members = {os.path.basename(m.name): m for m in archive if m.isfile()}
                if "model_config.yaml" not in members or "model_weights.ckpt" not in members:
                    raise CheckpointError("it lacks model_config.yaml or model_weights.ckpt; is it a .nemo archive?")
                config = _configuration(archive.extractfile(members["model_config.yaml"]).read())
                tokenizer = _tokenizer(archive, members)
                weights = archive.extractfile(members["model_weights.ckpt"])
                if _is_compressed(path):
                    # Going back in a compressed file means to start again from its beginning.
                    for block in iter(lambda: weights.read(1 << 20), b""):
                        spare.write(block)
                    weights = spare
                tensors = {_layout_name(name): tensor for name, tensor in torch_reader.read(weights).items()}
                yield _model(config, tensors, tokenizer), tensors
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise CheckpointError(f"it is no tar archive, or is cut off: {error}") from error


def _is_compressed(path):
    with open(path, "rb") as file:
        file.seek(257)
        return file.read(5) != b"ustar"


def _configuration(data):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError("model_config.yaml is not UTF-8") from error
    try:
        config = json.loads(text)
    except ValueError:
        try:
            import yaml
        except ImportError as error:
            raise YAMLMissing("a .nemo archive needs PyYAML: install it (pip install pyyaml)") from error
        try:
            config = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise CheckpointError(f"model_config.yaml is no YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(config, dict):
        raise CheckpointError("model_config.yaml is no mapping")
    return config


def _tokenizer(archive, members):
    names = [name for name in members if name.endswith(".model") and "tokenizer" in name.lower()]
    if len(names) != 1:
        raise CheckpointError(f"it has {len(names)} SentencePiece models, not one")
    return archive.extractfile(members[names[0]]).read()


def _layout_name(name):
    """`….lstm.weight_ih_l0` is `….lstm.ih_l0.weight` in the layout."""
    found = _LSTM.fullmatch(name)
    return f"{found[1]}.{found[3]}_l{found[4]}.{found[2]}" if found else name


def _model(config, tensors, tokenizer):
    _check(config)
    left, right = _context(value(config, "encoder.att_context_size", list))
    width = value(config, "encoder.d_model", int)
    number = (int, float)
    prompts = value(config, "model_defaults.num_prompts", int, 0)
    dictionary = value(config, "model_defaults.prompt_dictionary", dict, {}) if prompts else {}
    kernel = tensors.get("prompt_kernel.0.weight")
    return Model(
        name=str(config.get("name") or "nemotron-speech"),
        d_model=width,
        n_layers=value(config, "encoder.n_layers", int),
        n_heads=value(config, "encoder.n_heads", int),
        d_ff=width * value(config, "encoder.ff_expansion_factor", int, 4),
        left_context=left,
        right_context=right,
        vocab_size=len(pieces(tokenizer)) + 1,
        pred_hidden=value(config, "decoder.prednet.pred_hidden", int),
        pred_rnn_layers=value(config, "decoder.prednet.pred_rnn_layers", int),
        joint_hidden=value(config, "joint.jointnet.joint_hidden", int),
        pieces=pieces(tokenizer),
        conv_kernel_size=value(config, "encoder.conv_kernel_size", int),
        subsampling_factor=value(config, "encoder.subsampling_factor", int, 8),
        subsampling_conv_channels=value(config, "encoder.subsampling_conv_channels", int, 256),
        feat_in=value(config, "encoder.feat_in", int),
        # Both are on unless the configuration says otherwise, as in ConformerEncoder's initialiser.
        xscaling=value(config, "encoder.xscaling", bool, True),
        use_bias=value(config, "encoder.use_bias", bool, True),
        pos_emb_max_len=value(config, "encoder.pos_emb_max_len", int, 5000),
        max_symbols=value(config, "decoding.greedy.max_symbols", int, 10),
        sample_rate=value(config, "preprocessor.sample_rate", int, 16000),
        n_fft=value(config, "preprocessor.n_fft", int, 512),
        window_size=value(config, "preprocessor.window_size", number, 0.025),
        window_stride=value(config, "preprocessor.window_stride", number, 0.01),
        preemph=value(config, "preprocessor.preemph", number, 0.97),
        dither=value(config, "preprocessor.dither", number, 1e-5),
        num_prompts=prompts,
        prompt_hidden=kernel.shape[0] if kernel and kernel.shape else 0,
        prompt_dictionary={_language(name): _slot(slot) for name, slot in dictionary.items()},
        sentencepiece=tokenizer)


def _check(config):
    """Refuses other architectures: those that NeMo builds from the same classes with another configuration."""
    if not isinstance(config.get("joint"), dict):
        raise CheckpointError("it has no joint network: only RNN-T models are supported")
    durations = value(config, "decoding", dict, {}).get("durations")
    if durations or config["joint"].get("num_extra_outputs"):
        raise CheckpointError("it is a token-and-duration transducer; only RNN-T models are supported")
    for path, wanted in (("subsampling", "dw_striding"), ("self_attention_model", "rel_pos"),
                         ("conv_norm_type", "layer_norm"), ("conv_context_size", "causal"),
                         ("att_context_style", "chunked_limited"), ("causal_downsampling", True)):
        require(config, f"encoder.{path}", wanted)
    require(config, "joint.jointnet.activation", "relu", "relu")
    require(config, "preprocessor.normalize", "NA")


def _context(sizes):
    """The first pair of left and right context, which is the one used when none is chosen."""
    pair = sizes[0] if sizes and isinstance(sizes[0], list) else sizes
    if len(pair) != 2 or not all(isinstance(size, int) for size in pair):
        raise CheckpointError(f"encoder.att_context_size in its configuration is {str(sizes)[:80]}")
    return pair


def _language(name):
    # YAML 1.1 reads the Norwegian `no` as false.
    return "no" if name is False else str(name)


def _slot(slot):
    if not isinstance(slot, int):
        raise CheckpointError(f"the prompt dictionary maps a language to {str(slot)[:80]!r}")
    return slot
