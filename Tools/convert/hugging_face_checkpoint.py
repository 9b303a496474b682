"""Reads a folder as Hugging Face's transformers writes it: config.json, safetensors, tokenizer, processor_config.json.

Names of weights and settings: models nemotron_asr_streaming and nemotron3_5_asr of transformers 5.23, and their
convert_*_to_hf.py.
"""

import json
import os
import re

import safetensors_reader
from checkpoint import CheckpointError, require, value
from nemotron_layout import Model
from sentencepiece_reader import pieces

ENGLISH, MULTILINGUAL = "nemotron_asr_streaming", "nemotron3_5_asr"
# transformers' name to NeMo's, in the order of application.
_NAMES = [(re.compile(pattern), name) for pattern, name in (
    (r"^encoder\.subsampling\.conv_in\.", "encoder.pre_encode.conv.0."),
    (r"^encoder\.subsampling\.layers\.0\.depthwise_conv\.", "encoder.pre_encode.conv.2."),
    (r"^encoder\.subsampling\.layers\.0\.pointwise_conv\.", "encoder.pre_encode.conv.3."),
    (r"^encoder\.subsampling\.layers\.1\.depthwise_conv\.", "encoder.pre_encode.conv.5."),
    (r"^encoder\.subsampling\.layers\.1\.pointwise_conv\.", "encoder.pre_encode.conv.6."),
    (r"^encoder\.subsampling\.linear\.", "encoder.pre_encode.out."),
    (r"\.conv\.norm\.", ".conv.batch_norm."),
    (r"\.self_attn\.([qkv])_proj\.", r".self_attn.linear_\1."),
    (r"\.self_attn\.o_proj\.", ".self_attn.linear_out."),
    (r"\.self_attn\.relative_k_proj\.", ".self_attn.linear_pos."),
    (r"\.self_attn\.bias_([uv])$", r".self_attn.pos_bias_\1"),
    (r"^decoder\.embedding\.", "decoder.prediction.embed."),
    (r"^decoder\.lstm\.(weight|bias)_(ih|hh)_l(\d+)$", r"decoder.prediction.dec_rnn.lstm.\2_l\3.\1"),
    (r"^decoder\.decoder_projector\.", "joint.pred."),
    (r"^encoder_projector\.", "joint.enc."),
    (r"^joint\.head\.", "joint.joint_net.2."),
    (r"^prompt_projector\.linear_1\.", "prompt_kernel.0."),
    (r"^prompt_projector\.linear_2\.", "prompt_kernel.2."),
)]


def read(folder):
    """(Model, tensors by the names of the layout)."""
    config = _json(folder, "config.json")
    kind = value(config, "model_type", str)
    if kind not in (ENGLISH, MULTILINGUAL):
        raise CheckpointError(f"it is a {kind}; only {ENGLISH} and {MULTILINGUAL} are supported")
    processor = _json(folder, "processor_config.json") if kind == MULTILINGUAL else _optional(folder)
    tensors = {layout_name(name): tensor for name, tensor in safetensors_reader.read_folder(folder).items()}
    return _model(config, processor, kind, *_tokenizer(folder, value(config, "vocab_size", int))), tensors


def _model(config, processor, kind, vocabulary, sentencepiece):
    _check(config)
    features = processor.get("feature_extractor", {})
    rate = value(features, "sampling_rate", int, 16000)
    hidden = value(config, "decoder_hidden_size", int)
    prompts = value(config, "num_prompts", int) if kind == MULTILINGUAL else 0
    return Model(
        name=str(config.get("_name_or_path") or kind).rstrip("/").rsplit("/", 1)[-1],
        d_model=value(config, "encoder_config.hidden_size", int),
        n_layers=value(config, "encoder_config.num_hidden_layers", int),
        n_heads=value(config, "encoder_config.num_attention_heads", int),
        d_ff=value(config, "encoder_config.intermediate_size", int),
        # The window counts the current frame too.
        left_context=value(config, "encoder_config.sliding_window", int) - 1,
        right_context=value(config, "encoder_config.default_num_lookahead_tokens", int),
        vocab_size=value(config, "vocab_size", int),
        pred_hidden=hidden,
        pred_rnn_layers=value(config, "num_decoder_layers", int),
        joint_hidden=hidden,
        pieces=vocabulary,
        conv_kernel_size=value(config, "encoder_config.conv_kernel_size", int),
        subsampling_factor=value(config, "encoder_config.subsampling_factor", int),
        subsampling_conv_channels=value(config, "encoder_config.subsampling_conv_channels", int),
        feat_in=value(config, "encoder_config.num_mel_bins", int),
        xscaling=value(config, "encoder_config.scale_input", bool),
        use_bias=value(config, "encoder_config.attention_bias", bool),
        pos_emb_max_len=value(config, "encoder_config.max_position_embeddings", int),
        max_symbols=value(config, "max_symbols_per_step", int),
        sample_rate=rate,
        n_fft=value(features, "n_fft", int, 512),
        window_size=value(features, "win_length", int, 400) / rate,
        window_stride=value(features, "hop_length", int, 160) / rate,
        preemph=value(features, "preemphasis", float, 0.97),
        num_prompts=prompts,
        prompt_hidden=value(config, "prompt_intermediate_size", int) if prompts else 0,
        prompt_dictionary=_prompts(processor) if prompts else {},
        sentencepiece=sentencepiece)


def _check(config):
    bias = value(config, "encoder_config.attention_bias", bool)
    require(config, "encoder_config.convolution_bias", bias)
    require(config, "encoder_config.hidden_act", "silu")
    require(config, "encoder_config.subsampling_conv_kernel_size", 3)
    require(config, "encoder_config.subsampling_conv_stride", 2)
    require(config, "hidden_act", "relu")
    require(config, "blank_token_id", value(config, "vocab_size", int) - 1)


def _prompts(processor):
    dictionary = value(processor, "prompt_dictionary", dict)
    if not all(isinstance(slot, int) for slot in dictionary.values()):
        raise CheckpointError("the prompt dictionary of processor_config.json is damaged")
    return dictionary


def _tokenizer(folder, vocab_size):
    """The pieces without blank, and the SentencePiece model where there is one."""
    path = os.path.join(folder, "tokenizer.model")
    if os.path.exists(path):
        with open(path, "rb") as file:
            data = file.read()
        return pieces(data), data
    tokenizer = _json(folder, "tokenizer.json")
    vocabulary = value(tokenizer, "model.vocab", (dict, list))
    if isinstance(vocabulary, list):  # of pieces with scores
        vocabulary = {entry[0]: number for number, entry in enumerate(vocabulary)
                      if isinstance(entry, list) and entry and isinstance(entry[0], str)}
    numbered = {number: text for text, number in vocabulary.items() if isinstance(number, int)}
    for entry in value(tokenizer, "added_tokens", list, []):
        numbered[value(entry, "id", int)] = value(entry, "content", str)
    missing = next((number for number in range(vocab_size - 1) if number not in numbered), None)
    if missing is not None:
        raise CheckpointError(f"tokenizer.json has no piece {missing} of {vocab_size - 1}")
    return [numbered[number] for number in range(vocab_size - 1)], None


def layout_name(name):
    """The name in the layout of a weight that transformers calls `name`."""
    for pattern, replacement in _NAMES:
        name = pattern.sub(replacement, name)
    return name


def _optional(folder):
    return _json(folder, "processor_config.json") if os.path.exists(os.path.join(folder, "processor_config.json")) else {}


def _json(folder, name):
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError as error:
        raise CheckpointError(f"it has no {name}") from error
    except ValueError as error:
        raise CheckpointError(f"{name} is no JSON") from error
    if not isinstance(found, dict):
        raise CheckpointError(f"{name} is no JSON object")
    return found
