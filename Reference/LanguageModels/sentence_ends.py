"""How likely sentences end, by SmolLM2's weights in NumPy: what SmolLM2Tests compares with.

    pip install numpy gguf tokenizers
    python3 sentence_ends.py SmolLM2-135M-Instruct.Q4_1.gguf

Weights are dequantised and everything is computed in float32; llama.cpp also rounds activations to 8 bits. The architecture is
Llama's (Touvron et al. 2023): RMS norm, rotary positions on neighbouring pairs, grouped queries, SwiGLU, tied embeddings.
"""

import re
import sys

import numpy as np
from gguf import GGUFReader, dequantize
from tokenizers import Tokenizer, models, pre_tokenizers

INSTRUCTIONS = "You are a helpful voice assistant. Answer in one short sentence."
TEXTS = ("what is the capital of france", "what is the capital of", "Set a timer for ten minutes", "Set a timer for")

file = GGUFReader(sys.argv[1])
weights = {t.name: dequantize(t.data, t.tensor_type).astype(np.float32) for t in file.tensors}


def field(name):
    return file.fields[name].contents()


pieces = field("tokenizer.ggml.tokens")
numbers = {piece: number for number, piece in enumerate(pieces)}
merges = [tuple(merge.split(" ", 1)) for merge in field("tokenizer.ggml.merges")]
tokenizer = Tokenizer(models.BPE(vocab=numbers, merges=merges))
tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
)
layers, heads, groups = (field(f"llama.{key}") for key in ("block_count", "attention.head_count", "attention.head_count_kv"))
epsilon = np.float32(field("llama.attention.layer_norm_rms_epsilon"))
width = field("llama.embedding_length") // heads


def norm(x, name):
    return (x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * weights[name]).astype(np.float32)


def turned(x):
    angles = np.arange(len(x))[:, None] * field("llama.rope.freq_base") ** (-np.arange(0, width, 2) / width)
    cos, sin = (f(angles)[:, None].astype(np.float32) for f in (np.cos, np.sin))
    even, odd = x[..., 0::2], x[..., 1::2]
    return np.stack([even * cos - odd * sin, even * sin + odd * cos], -1).reshape(x.shape)


def scores(tokens):
    """Of what comes after the last token."""
    x, count = weights["token_embd.weight"][tokens], len(tokens)
    mask = np.triu(np.full((count, count), -1e9, np.float32), 1)
    for layer in range(layers):
        def matrix(name):
            return weights[f"blk.{layer}.{name}.weight"].T

        y = norm(x, f"blk.{layer}.attn_norm.weight")
        q = turned((y @ matrix("attn_q")).reshape(count, heads, width))
        k = np.repeat(turned((y @ matrix("attn_k")).reshape(count, groups, width)), heads // groups, 1)
        v = np.repeat((y @ matrix("attn_v")).reshape(count, groups, width), heads // groups, 1)
        share = np.einsum("qhd,khd->hqk", q, k) * np.float32(width**-0.5) + mask
        share = np.exp(share - share.max(-1, keepdims=True))
        share /= share.sum(-1, keepdims=True)
        x = x + np.einsum("hqk,khd->qhd", share, v).reshape(count, -1) @ matrix("attn_output")
        y = norm(x, f"blk.{layer}.ffn_norm.weight")
        gate = y @ matrix("ffn_gate")
        x = x + (gate / (1 + np.exp(-gate)) * (y @ matrix("ffn_up"))) @ matrix("ffn_down")
    return norm(x[-1:], "output_norm.weight")[0] @ weights["token_embd.weight"].T


def written(text):
    return tokenizer.encode(text, add_special_tokens=False).ids


begin, end = numbers["<|im_start|>"], numbers["<|im_end|>"]
# A full stop, a question or exclamation mark, perhaps a quotation mark behind it; line breaks; the end of the message.
ends = [number for number, piece in enumerate(pieces) if re.fullmatch("Ġ?(\\.|[?!]+)[\"']?|Ċ+", piece)]
ends += [end, numbers["<|endoftext|>"]]
head = [begin, *written("system\n" + INSTRUCTIONS), end, *written("\n"), begin]
for text in TEXTS:
    z = scores(head + written("user\n" + text))
    p = np.exp(z - z.max())
    print(f"{p[ends].sum() / p.sum():.5f}  {text}")
