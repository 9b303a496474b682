#!/usr/bin/env python3
"""Writes the tiny random ChatML models that the tests of the language engine run on.

  pip install gguf==0.19.0 numpy
  make_tiny_models.py DIRECTORY    tiny-attention.gguf (architecture llama)
                                   tiny-hybrid.gguf (architecture nemotron_h_moe: Mamba-2, attention, experts)
                                   tiny-thinking.gguf (the same, for prompts with thoughts and tools)

Random weights, scaled so that what comes next depends on everything before it. The vocabulary is byte-level BPE: 256
bytes, a few merges and control tokens; only printable ASCII is ever the most probable, so greedy replies are text and
never end by themselves. The files depend on nothing but this script.
"""
import pathlib
import sys

import gguf
import numpy as np

CONTROL = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
MERGES = ["t h", "i n", "e r", "a n", "Ġ t", "Ġ a", "th e", "Ġ th"]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Tokens of their own for the marks of thoughts and calls; some vocabularies call them control tokens, others do not.
MARKS = [("<think>", True), ("</think>", True), ("<tool_call>", False), ("</tool_call>", False),
         ("<tool_response>", False), ("</tool_response>", False)]
# Nothing but what Nemotron's template is recognised by: the engine does not run templates.
THINKING_TEMPLATE = "{# truncate_history_thinking <|im_start|> <|im_end|> <think></think> #}"
WIDTH, HEADS, KEY_HEADS, HEAD = 64, 2, 1, 32
EPSILON = 1e-5


def byte_alphabet():
    """GPT-2's characters for the 256 bytes."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b if b in kept else next(others)) for b in range(256)]


def writer(path, architecture, marks=(), template=TEMPLATE):
    w = gguf.GGUFWriter(path, architecture)
    tokens = CONTROL + byte_alphabet() + [m.replace(" ", "") for m in MERGES]
    kinds = [gguf.TokenType.CONTROL] * len(CONTROL) + [gguf.TokenType.NORMAL] * (len(tokens) - len(CONTROL))
    tokens += [name for name, _ in marks]
    kinds += [gguf.TokenType.CONTROL if control else gguf.TokenType.USER_DEFINED for _, control in marks]
    w.add_name(path.stem)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list(tokens)
    w.add_token_types(kinds)
    w.add_token_merges(MERGES)
    w.add_bos_token_id(1)
    w.add_eos_token_id(4)
    w.add_unk_token_id(0)
    w.add_add_bos_token(False)
    w.add_chat_template(template)
    w.add_context_length(4096)
    w.add_embedding_length(WIDTH)
    w.add_vocab_size(len(tokens))
    w.add_head_count(HEADS)
    w.add_key_length(HEAD)
    w.add_value_length(HEAD)
    w.add_layer_norm_rms_eps(EPSILON)
    return w, len(tokens)


class Weights:
    def __init__(self, w, seed):
        self.w, self.random = w, np.random.default_rng(seed)

    def matrix(self, name, *shape, gain=1.0):
        values = self.random.standard_normal(shape) * gain / np.sqrt(shape[-1])
        self.w.add_tensor(name, values.astype(np.float16))

    def plain(self, name, values):
        self.w.add_tensor(name, np.ascontiguousarray(values, dtype=np.float32))

    def norm(self, name, *shape):
        self.plain(name, 1 + 0.1 * self.random.standard_normal(shape))

    def ends(self, count):
        self.matrix("token_embd.weight", count, WIDTH, gain=np.sqrt(WIDTH))
        self.norm("output_norm.weight", WIDTH)
        output = self.random.standard_normal((count, WIDTH)) * 3 / np.sqrt(WIDTH)
        printable = [False] * len(CONTROL) + [32 <= b < 127 for b in range(256)] + [True] * len(MERGES)
        printable += [False] * (count - len(printable))
        output[~np.array(printable)] = 0
        self.w.add_tensor("output.weight", output.astype(np.float16))

    def attention(self, p):
        self.matrix(p + "attn_q.weight", HEADS * HEAD, WIDTH, gain=1.5)
        self.matrix(p + "attn_k.weight", KEY_HEADS * HEAD, WIDTH, gain=1.5)
        self.matrix(p + "attn_v.weight", KEY_HEADS * HEAD, WIDTH)
        self.matrix(p + "attn_output.weight", WIDTH, HEADS * HEAD)


def finish(w):
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def attention(path, layers=2, inner=96):
    w, count = writer(path, "llama")
    w.add_block_count(layers)
    w.add_feed_forward_length(inner)
    w.add_head_count_kv(KEY_HEADS)
    w.add_rope_dimension_count(HEAD)
    w.add_rope_freq_base(10000.0)
    m = Weights(w, seed=1)
    m.ends(count)
    for layer in range(layers):
        p = f"blk.{layer}."
        m.norm(p + "attn_norm.weight", WIDTH)
        m.attention(p)
        m.norm(p + "ffn_norm.weight", WIDTH)
        m.matrix(p + "ffn_gate.weight", inner, WIDTH)
        m.matrix(p + "ffn_up.weight", inner, WIDTH)
        m.matrix(p + "ffn_down.weight", WIDTH, inner)
    finish(w)


def hybrid(
    path, pattern="M*EM", inner=32, experts=4, used=2, state=16, groups=2, heads=4, head=32, kernel=4, seed=2, **vocabulary
):
    w, count = writer(path, "nemotron_h_moe", **vocabulary)
    width = heads * head
    w.add_block_count(len(pattern))
    # A layer without either is recurrent; with key heads it is attention, with an inner width a mixture of experts.
    w.add_feed_forward_length([inner if c == "E" else 0 for c in pattern])
    w.add_head_count_kv([KEY_HEADS if c == "*" else 0 for c in pattern])
    w.add_layer_norm_eps(EPSILON)
    w.add_ssm_conv_kernel(kernel)
    w.add_ssm_inner_size(width)
    w.add_ssm_state_size(state)
    w.add_ssm_time_step_rank(heads)
    w.add_ssm_group_count(groups)
    w.add_expert_count(experts)
    w.add_expert_used_count(used)
    w.add_expert_feed_forward_length(inner)
    w.add_expert_shared_feed_forward_length(2 * inner)
    w.add_expert_shared_count(1)
    w.add_expert_weights_norm(True)
    w.add_expert_weights_scale(2.5)
    w.add_expert_group_count(1)
    w.add_expert_group_used_count(1)
    m = Weights(w, seed=seed)
    m.ends(count)
    for layer, kind in enumerate(pattern):
        p = f"blk.{layer}."
        m.norm(p + "attn_norm.weight", WIDTH)
        if kind == "M":
            channels = width + 2 * groups * state
            m.matrix(p + "ssm_in.weight", width + channels + heads, WIDTH)
            m.plain(p + "ssm_conv1d.weight", 0.5 * m.random.standard_normal((channels, kernel)))
            m.plain(p + "ssm_conv1d.bias", 0.1 * m.random.standard_normal(channels))
            # Time steps of 0.01 to 0.3 after softplus and rates of -4 to -1/4: short and long memory.
            step = np.exp(m.random.uniform(np.log(0.01), np.log(0.3), heads))
            m.plain(p + "ssm_dt.bias", step + np.log(-np.expm1(-step)))
            m.plain(p + "ssm_a", -np.exp(m.random.uniform(np.log(0.25), np.log(4), (heads, 1))))
            m.plain(p + "ssm_d", 1 + 0.1 * m.random.standard_normal((heads, 1)))
            m.norm(p + "ssm_norm.weight", groups, width // groups)
            m.matrix(p + "ssm_out.weight", WIDTH, width)
        elif kind == "*":
            m.attention(p)
        else:
            m.plain(p + "ffn_gate_inp.weight", m.random.standard_normal((experts, WIDTH)) / np.sqrt(WIDTH))
            m.plain(p + "exp_probs_b.bias", 0.05 * m.random.standard_normal(experts))
            m.matrix(p + "ffn_up_exps.weight", experts, inner, WIDTH)
            m.matrix(p + "ffn_down_exps.weight", experts, WIDTH, inner)
            m.matrix(p + "ffn_up_shexp.weight", 2 * inner, WIDTH)
            m.matrix(p + "ffn_down_shexp.weight", WIDTH, 2 * inner)
    finish(w)


def main():
    folder = pathlib.Path(sys.argv[1])
    attention(folder / "tiny-attention.gguf")
    hybrid(folder / "tiny-hybrid.gguf")
    hybrid(folder / "tiny-thinking.gguf", seed=3, marks=MARKS, template=THINKING_TEMPLATE)


if __name__ == "__main__":
    main()
