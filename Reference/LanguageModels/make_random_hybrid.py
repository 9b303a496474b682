#!/usr/bin/env python3
"""Writes a hybrid language model with random weights, architecture nemotron_h_moe: Mamba-2, attention, mixtures of experts.

  pip install gguf==0.19.0 numpy
  make_random_hybrid.py OUT.gguf --tokenizer MODEL.gguf [--size nano|small] [--type q4_0|q8_0|f16|f32]
                        [--experts N] [--seed 1] [--threads 8]

Size nano has the dimensions of Nemotron 3 Nano 30B-A3B (its 52 layers, 31.6 billion parameters), small has as many layers and a
width of 1024. With q4_0 the experts have four bits and all other matrices eight; NVIDIA's own files mix other types, of about
the same size. With --experts there are so many in a layer and all of them are used, so that routers choose nothing (32 are too
many: llama.cpp makes room for eight operations for each tensor of a file, and ends the process where a graph has more). The
tokenizer, with its chat template, is another model's; the vocabulary is filled up with made-up words, and only those are ever said.
Values are drawn evenly, not normally, so that 18 GB take seconds. The same arguments give the same file.
"""

import argparse
import itertools
from concurrent.futures import ThreadPoolExecutor

import gguf
import numpy as np

PATTERN = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"
SIZES = {
    "nano": dict(width=2688, heads=32, key_heads=2, head=128, vocabulary=131072, inner=1856, shared=3712, experts=128, used=6,
                 mamba_heads=64, mamba_head=64, groups=8, state=128),
    "small": dict(width=1024, heads=16, key_heads=2, head=64, vocabulary=65536, inner=256, shared=512, experts=32, used=4,
                  mamba_heads=32, mamba_head=64, groups=4, state=128),
}
TAPS, EPSILON = 4, 1e-5
TYPES = {name: gguf.GGMLQuantizationType[name.upper()] for name in ("q4_0", "q8_0", "f16", "f32")}
CHUNK = 1 << 24


class Matrices:
    """Adds matrices by name first, then writes their values in the same order, so that only a few are in memory."""

    def __init__(self, writer, seed, threads):
        self.writer, self.seed, self.pool, self.makers = writer, seed, ThreadPoolExecutor(threads), []

    def matrix(self, name, *shape, kind, gain=1.0, silent=0):
        """`shape` has the inputs last; the first `silent` rows are zeros."""
        kind = TYPES[kind]
        block, size = gguf.GGML_QUANT_SIZES[kind]
        scale, count = gain / np.sqrt(shape[-1]), int(np.prod(shape))
        number = len(self.makers)
        if kind in (TYPES["f16"], TYPES["f32"]):
            dtype = np.float16 if kind == TYPES["f16"] else np.float32
            self.writer.add_tensor_info(name, shape, np.dtype(dtype), count * size)
        else:
            stored = (*shape[:-1], shape[-1] // block * size)
            self.writer.add_tensor_info(name, stored, np.dtype(np.uint8), count // block * size, raw_dtype=kind)

        def part(first, length):
            random = np.random.default_rng([self.seed, number, first])
            if kind in (TYPES["f16"], TYPES["f32"]):
                return ((random.random(length, np.float32) - 0.5) * np.float32(scale * np.sqrt(12))).astype(dtype)
            # Four bits are -8 ... 7, eight bits -128 ... 127.
            deviation = 4.61 if kind == TYPES["q4_0"] else 73.9
            blocks = np.frombuffer(random.bytes(length // block * size), np.uint8).reshape(-1, size).copy()
            blocks[:, :2] = np.frombuffer(np.float16(scale / deviation).tobytes(), np.uint8)
            return blocks.reshape(-1)

        def values():
            parts = self.pool.map(lambda first: part(first, min(CHUNK, count - first)), range(0, count, CHUNK))
            whole = np.concatenate(list(parts)).reshape(shape[0], -1)
            whole[:silent] = 0
            return whole

        self.makers.append(values)

    def plain(self, name, values):
        values = np.ascontiguousarray(values, np.float32)
        self.writer.add_tensor_info(name, values.shape, values.dtype, values.nbytes)
        self.makers.append(lambda: values)

    def write(self):
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_ti_data_to_file()
        for make in self.makers:
            self.writer.write_tensor_data(make())
        self.writer.close()


def words():
    """Made-up words, each with a space in front, in GPT-2's spelling."""
    syllables = [a + b for a in "bdfgjklmnprstvz" for b in "aeiou"]
    for length in itertools.count(2):
        for word in itertools.product(syllables, repeat=length):
            yield "Ġ" + "".join(word)


def add_tokenizer(writer, path, vocabulary):
    """Takes another model's tokenizer over. Returns how many tokens it has."""
    reader = gguf.GGUFReader(path)
    fields = {name: field for name, field in reader.fields.items() if name.startswith("tokenizer.")}
    tokens = fields.pop("tokenizer.ggml.tokens").contents()
    kinds = fields.pop("tokenizer.ggml.token_type").contents()
    known, extra = set(tokens), []
    for word in words():
        if len(tokens) + len(extra) == vocabulary:
            break
        if word not in known:
            extra.append(word)
    writer.add_token_list(tokens + extra)
    writer.add_token_types(kinds + [gguf.TokenType.NORMAL] * len(extra))
    for name, field in fields.items():
        kind = field.types[0]
        writer.add_key_value(name, field.contents(), kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    return len(tokens)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--size", choices=SIZES, default="nano")
    parser.add_argument("--type", choices=TYPES, default="q4_0")
    parser.add_argument("--experts", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=8)
    arguments = parser.parse_args()
    d = argparse.Namespace(**SIZES[arguments.size])
    if arguments.experts:
        d.experts = d.used = arguments.experts
    layers, channels = len(PATTERN), d.mamba_heads * d.mamba_head + 2 * d.groups * d.state
    inner_width = d.mamba_heads * d.mamba_head
    few, many = arguments.type, "q8_0" if arguments.type == "q4_0" else arguments.type
    w = gguf.GGUFWriter(arguments.out, "nemotron_h_moe")
    w.add_name(f"random hybrid, {arguments.size}, {arguments.type}, {d.used} of {d.experts} experts")
    w.add_block_count(layers)
    w.add_context_length(131072)
    w.add_embedding_length(d.width)
    w.add_vocab_size(d.vocabulary)
    # A layer without either is recurrent; with key heads it is attention, with an inner width a mixture of experts.
    w.add_feed_forward_length([d.inner if kind == "E" else 0 for kind in PATTERN])
    w.add_head_count(d.heads)
    w.add_head_count_kv([d.key_heads if kind == "*" else 0 for kind in PATTERN])
    w.add_key_length(d.head)
    w.add_value_length(d.head)
    w.add_layer_norm_eps(EPSILON)
    w.add_layer_norm_rms_eps(EPSILON)
    w.add_ssm_conv_kernel(TAPS)
    w.add_ssm_inner_size(inner_width)
    w.add_ssm_state_size(d.state)
    w.add_ssm_time_step_rank(d.mamba_heads)
    w.add_ssm_group_count(d.groups)
    w.add_expert_count(d.experts)
    w.add_expert_used_count(d.used)
    w.add_expert_feed_forward_length(d.inner)
    w.add_expert_shared_feed_forward_length(d.shared)
    w.add_expert_shared_count(1)
    w.add_expert_weights_norm(True)
    w.add_expert_weights_scale(2.5)
    w.add_expert_group_count(1)
    w.add_expert_group_used_count(1)
    taken = add_tokenizer(w, arguments.tokenizer, d.vocabulary)
    random = np.random.default_rng(arguments.seed)
    m = Matrices(w, arguments.seed, arguments.threads)

    def norm(name, *shape):
        m.plain(name, 1 + 0.1 * random.standard_normal(shape))

    m.matrix("token_embd.weight", d.vocabulary, d.width, kind=many, gain=np.sqrt(d.width))
    norm("output_norm.weight", d.width)
    m.matrix("output.weight", d.vocabulary, d.width, kind=many, gain=3, silent=taken)
    for layer, kind in enumerate(PATTERN):
        p = f"blk.{layer}."
        norm(p + "attn_norm.weight", d.width)
        if kind == "M":
            m.matrix(p + "ssm_in.weight", inner_width + channels + d.mamba_heads, d.width, kind=many)
            m.plain(p + "ssm_conv1d.weight", 0.5 * random.standard_normal((channels, TAPS)))
            m.plain(p + "ssm_conv1d.bias", 0.1 * random.standard_normal(channels))
            # Time steps of 0.01 to 0.3 after softplus and rates of -4 to -1/4: short and long memory.
            step = np.exp(random.uniform(np.log(0.01), np.log(0.3), d.mamba_heads))
            m.plain(p + "ssm_dt.bias", step + np.log(-np.expm1(-step)))
            m.plain(p + "ssm_a", -np.exp(random.uniform(np.log(0.25), np.log(4), (d.mamba_heads, 1))))
            m.plain(p + "ssm_d", 1 + 0.1 * random.standard_normal((d.mamba_heads, 1)))
            norm(p + "ssm_norm.weight", d.groups, inner_width // d.groups)
            m.matrix(p + "ssm_out.weight", d.width, inner_width, kind=many)
        elif kind == "*":
            m.matrix(p + "attn_q.weight", d.heads * d.head, d.width, kind=many, gain=1.5)
            m.matrix(p + "attn_k.weight", d.key_heads * d.head, d.width, kind=many, gain=1.5)
            m.matrix(p + "attn_v.weight", d.key_heads * d.head, d.width, kind=many)
            m.matrix(p + "attn_output.weight", d.width, d.heads * d.head, kind=many)
        else:
            m.plain(p + "ffn_gate_inp.weight", random.standard_normal((d.experts, d.width)) / np.sqrt(d.width))
            m.plain(p + "exp_probs_b.bias", 0.05 * random.standard_normal(d.experts))
            m.matrix(p + "ffn_up_exps.weight", d.experts, d.inner, d.width, kind=few)
            m.matrix(p + "ffn_down_exps.weight", d.experts, d.width, d.inner, kind=few)
            m.matrix(p + "ffn_up_shexp.weight", d.shared, d.width, kind=many)
            m.matrix(p + "ffn_down_shexp.weight", d.width, d.shared, kind=many)
    m.write()
    print(f"{arguments.out}: {len(m.makers)} tensors")


if __name__ == "__main__":
    main()
