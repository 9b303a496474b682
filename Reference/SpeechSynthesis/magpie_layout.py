"""The layout of NVIDIA's Magpie TTS files (`magpietts`): metadata, names, shapes and types of tensors.

Source: NVIDIA/NeMo-Speech.cpp @ 4f9676226, conversion/tts.py. Shapes are numpy's, the fastest dimension last.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tools" / "convert"))
from gguf_writer import F16, F32, I32, Signed, Writer  # noqa: E402

SPECIAL_CODES = 8  # begin, end, begin and end of context, mask, three reserved


@dataclass
class Model:
    """Dimensions; the defaults are those of magpie_tts_multilingual_357m v2602."""

    name: str
    width: int = 768
    feed_forward: int = 3072
    positions: int = 2048
    text_vocabulary: int = 2362
    codebooks: int = 8
    codes: int = 2016
    encoder_layers: int = 6
    encoder_heads: int = 12
    encoder_taps: int = 3
    decoder_layers: int = 12
    decoder_heads: int = 12
    cross_heads: int = 1
    cross_head_width: int = 128
    local_width: int = 256
    context: int = 110
    speakers: list = field(default_factory=lambda: ["John", "Sofia", "Aria", "Jason", "Leo"])
    # Magpie's own; the two lists are those of a newer checkpoint.
    inference: dict = field(default_factory=lambda: dict(
        max_decoder_steps=500, topk=80, min_generated_frames=4, temperature=0.6, cfg_scale=2.5,
        apply_attention_prior=True, attention_prior_epsilon=0.1, attention_prior_lookahead_window=5,
        start_prior_after_n_audio_steps=0, attention_prior_advance_threshold=8, attention_prior_decay_threshold=10,
        estimate_alignment_from_layers=[4, 5, 8, 9], apply_prior_to_layers=[2, 3, 4, 5, 6, 7, 8, 9, 10]))

    @property
    def audio_vocabulary(self):
        return self.codes + SPECIAL_CODES


def metadata(model):
    """Key and value pairs, in the order of the file; integers are signed, as NVIDIA's."""
    yield "general.architecture", "magpietts"
    yield "general.name", model.name
    config = {"model_type": "decoder_ce", "inference_parameters": model.inference}
    values = {
        "nemo_target": "nemo.collections.tts.models.magpietts.MagpieTTSModel", "nemo_version": "random",
        "model_type": "decoder_ce", "codec_model": "nvidia/nemo-nano-codec-22khz-1.89kbps-21.5fps",
        "config_json": json.dumps(config, sort_keys=True), "speaker_names": model.speakers,
        "baked_context_lens": [model.context] * len(model.speakers), "text_vocab_size": model.text_vocabulary,
        "audio_codebooks": model.codebooks, "audio_codebook_size": model.codes,
        "audio_vocab_size": model.audio_vocabulary, "audio_bos_id": model.codes, "audio_eos_id": model.codes + 1,
        "context_audio_bos_id": model.codes + 2, "context_audio_eos_id": model.codes + 3,
        "mask_token_id": model.codes + 4, "frame_stacking_factor": 1, "embedding_dim": model.width,
        "ffn_dim": model.feed_forward, "context_length": model.positions, "encoder.layers": model.encoder_layers,
        "encoder.heads": model.encoder_heads, "encoder.kernel_size": model.encoder_taps,
        "decoder.layers": model.decoder_layers, "decoder.heads": model.decoder_heads,
        "decoder.cross_heads": model.cross_heads, "decoder.cross_head_dim": model.cross_head_width,
        "decoder.kernel_size": 1, "local_transformer.layers": 1, "local_transformer.heads": 1,
        "local_transformer.hidden_dim": model.local_width, "local_transformer.context_length": model.codebooks + 2,
        "baked_context_length": model.context, "baked_context_dim": model.width, "baked_speakers": len(model.speakers),
    }
    values |= {f"inference.{key}": value for key, value in model.inference.items()}
    for key, value in values.items():
        yield f"magpietts.{key}", Signed(value) if type(value) is int else value


def tensors(model):
    """Name, shape and type of every tensor."""
    width, vocabulary = model.width, model.audio_vocabulary
    yield "text_embedding.weight", (model.text_vocabulary, width), F16
    for codebook in range(model.codebooks):
        yield f"audio_embeddings.{codebook}.weight", (vocabulary, width), F16
    cross = model.cross_heads * model.cross_head_width
    stacks = (("encoder", model.encoder_layers, width, model.feed_forward, model.encoder_taps, model.positions),
              ("decoder", model.decoder_layers, width, model.feed_forward, 1, model.positions),
              ("local_transformer", 1, model.local_width, 4 * model.local_width, 1, model.codebooks + 2))
    for stack, layers, size, inner, taps, positions in stacks:
        yield f"{stack}.position_embeddings.weight", (positions, size), F16
        for number in range(layers):
            layer = f"{stack}.layers.{number}"
            yield f"{layer}.norm_self.weight", (size,), F32
            yield f"{layer}.self_attention.qkv_net.weight", (3 * size, size), F16
            yield f"{layer}.self_attention.o_net.weight", (size, size), F16
            if stack == "decoder":
                yield f"{layer}.norm_xattn_query.weight", (size,), F32
                yield f"{layer}.norm_xattn_memory.weight", (size,), F32
                yield f"{layer}.cross_attention.q_net.weight", (cross, size), F16
                yield f"{layer}.cross_attention.kv_net.weight", (2 * cross, size), F16
                yield f"{layer}.cross_attention.o_net.weight", (size, cross), F16
            yield f"{layer}.norm_pos_ff.weight", (size,), F32
            for tap in range(taps):
                yield f"{layer}.pos_ff.proj.conv.weight.k{tap}", (inner, size), F16
                yield f"{layer}.pos_ff.o_net.conv.weight.k{tap}", (size, inner), F16
        if stack != "local_transformer":
            yield f"{stack}.norm_out.weight", (size,), F32
    yield "final_proj.weight", (model.codebooks * vocabulary, width), F16
    yield "final_proj.bias", (model.codebooks * vocabulary,), F32
    yield "local_transformer_in_projection.weight", (model.local_width, width), F16
    yield "local_transformer_in_projection.bias", (model.local_width,), F32
    for codebook in range(model.codebooks):
        yield f"local_transformer_out_projections.{codebook}.weight", (vocabulary, model.local_width), F16
        yield f"local_transformer_out_projections.{codebook}.bias", (vocabulary,), F32
    yield "baked_context_embedding.weight", (len(model.speakers), model.context * width), F16
    yield "_baked_embedding_T", (), I32
    yield "_baked_embedding_D", (), I32
    yield "baked_context_embedding_len", (len(model.speakers),), I32


def writer(model, data):
    """A GGUF writer of the model; `data(name, shape, type)` gives a tensor's bytes."""
    out = Writer()
    for key, value in metadata(model):
        out.put(key, value)
    for name, shape, kind in tensors(model):
        out.tensor(name, kind, tuple(reversed(shape)), lambda name=name, shape=shape, kind=kind: data(name, shape, kind))
    return out
