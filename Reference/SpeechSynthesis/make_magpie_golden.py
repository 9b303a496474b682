"""Makes magpie-tiny.gguf and magpie-golden.safetensors with NeMo. See MAGPIE.md beside this file.

The weights are random numbers rounded to what the file stores; NeMo is given the same numbers. The codec is not part of
this: NeMo gets one that returns silence.
"""

import argparse
import contextlib
import io
import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")
import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "SpeechRecognition"))
from golden_data import Golden  # noqa: E402
from magpie_layout import F16, I32, Model, tensors, writer  # noqa: E402
from make_random_magpie import SIZES, Weights  # noqa: E402

from nemo.utils import logging
logging.set_verbosity(logging.ERROR)
from nemo.collections.tts.models import magpietts
from omegaconf import OmegaConf

SEED = 5
FRAMES = 40
TOKENS = 22  # of the text of the greedy run, its end included
SENTENCES = (22, 30, 9)  # ends included
SPEAKER = 1
MODEL = Model(name=f"golden tiny magpie seed {SEED}", text_vocabulary=60, codes=120, speakers=["First", "Second"],
              inference=dict(max_decoder_steps=FRAMES, topk=1, min_generated_frames=4, temperature=0.7, cfg_scale=2.5,
                             apply_attention_prior=True, attention_prior_epsilon=0.1,
                             attention_prior_lookahead_window=5, start_prior_after_n_audio_steps=0,
                             attention_prior_advance_threshold=8, attention_prior_decay_threshold=10,
                             estimate_alignment_from_layers=[0, 1], apply_prior_to_layers=[1, 2]),
              **(SIZES["tiny"] | {"positions": 96}))


class SilentCodec(nn.Module):
    """What MagpieTTSModel asks of its codec."""

    def __init__(self):
        super().__init__()
        self.discriminator = nn.Identity()
        self.sample_rate = self.output_sample_rate = 22050
        self.samples_per_frame, self.num_codebooks, self.codebook_size = 1024, MODEL.codebooks, MODEL.codes

    def freeze(self):
        pass

    def decode(self, tokens, tokens_len):
        return torch.zeros(tokens.shape[0], 1024 * tokens.shape[2]), 1024 * tokens_len


def stored(weights, name, shape, kind):
    """The numbers that a reader of the file gets."""
    if kind == I32:
        return np.frombuffer(weights(name, shape, kind), "<i4").reshape(shape)
    values = weights.values(name, shape)
    return values.astype("<f2").astype(np.float32) if kind == F16 else values


def nemo_model(weights):
    class Tokenizer:
        tokens, tokenizers, tokenizer_names, pad = list(range(MODEL.text_vocabulary - 2)), {"en": None}, ["en"], 0

    magpietts.setup_tokenizers = lambda **_: Tokenizer()
    magpietts.AudioCodecModel.from_pretrained = classmethod(lambda *_: SilentCodec())
    stack = dict(d_model=MODEL.width, d_ffn=MODEL.feed_forward, p_dropout=0.0, is_causal=True, use_learnable_pos_emb=True,
                 max_length_causal_mask=MODEL.positions, apply_norm_out=True)
    encoder = dict(stack, n_layers=MODEL.encoder_layers, sa_n_heads=MODEL.encoder_heads, kernel_size=MODEL.encoder_taps)
    decoder = dict(stack, n_layers=MODEL.decoder_layers, sa_n_heads=MODEL.decoder_heads, kernel_size=1, has_xattn=True,
                   xa_d_head=MODEL.cross_head_width, xa_d_memory=MODEL.width, xa_n_heads=MODEL.cross_heads)
    made = magpietts.MagpieTTSModel(OmegaConf.create(dict(
        model_type="decoder_ce", codecmodel_path="nvidia/none", text_tokenizers={"en": {}}, embedding_dim=MODEL.width,
        hidden_dim=MODEL.width, encoder=encoder, decoder=decoder, context_encoder=dict(encoder, n_layers=1),
        local_transformer_type="autoregressive", local_transformer_n_layers=1, local_transformer_n_heads=1,
        local_transformer_hidden_dim=MODEL.local_width, use_kv_cache_for_inference=True, prior_end_step=0,
        prior_scaledown_start_step=0, inference_parameters=MODEL.inference)))
    made.baked_context_embedding = nn.Embedding(len(MODEL.speakers), MODEL.context * MODEL.width)
    fill(made, weights)
    return made.eval()


@torch.no_grad()
def fill(made, weights):
    """Gives NeMo's parameters the numbers of the file."""
    parameters = dict(made.named_parameters())
    for name, shape, kind in tensors(MODEL):
        values = torch.from_numpy(stored(weights, name, shape, kind).copy())
        whole, _, tap = name.rpartition(".k")
        if ".conv.weight" in whole:
            parameters[whole][:, :, int(tap)] = values
        elif name in parameters:
            parameters[name].copy_(values)
        else:
            setattr(made, name, values.long())


class Recorder:
    """Collects what happens in a run of NeMo's, by wrapping methods of the model."""

    def __init__(self, made):
        self.made, self.steps, self.wrapped = made, [], []

    def __enter__(self):
        self.wrap(self.made, "forward", self.forward)
        self.wrap(self.made, "get_most_attended_text_timestep", self.pointer)
        self.wrap(self.made._lt_helper, "sample_autoregressive", self.sample)
        return self

    def __exit__(self, *_):
        for owner, name in self.wrapped:
            delattr(owner, name)

    def wrap(self, owner, name, wrapper):
        original = getattr(owner, name)
        setattr(owner, name, lambda *args, **kwargs: wrapper(original, *args, **kwargs))
        self.wrapped.append((owner, name))

    def forward(self, original, **kwargs):
        out = original(**kwargs)
        layer = MODEL.inference["apply_prior_to_layers"][0]
        prior = kwargs["attn_prior"][layer]
        self.steps.append(dict(prior=None if prior is None else prior[0, 0].clone(), hidden=out[2][:, -1].clone(),
                               logits=out[0][:, -1].clone()))
        return out

    def pointer(self, original, **kwargs):
        self.steps[-1]["attention"] = kwargs["alignment_attention_scores"][0].clone()
        out = original(**kwargs)
        self.steps[-1]["pointer"] = out[0][0]
        return out

    def sample(self, original, **kwargs):
        # Every projection's output, mixed as the sampler mixes it: by how much the end loses to the best code.
        margins = []
        hooks = [p.register_forward_hook(lambda _, __, out: margins.append(end_margin(mixed(out[0], out[1]))))
                 for p in self.made.local_transformer_out_projections]
        out = original(**kwargs)
        for hook in hooks:
            hook.remove()
        logits = self.steps[-1]["logits"]
        margins += [end_margin(row) for row in mixed(logits[0], logits[1]).view(MODEL.codebooks, -1)]
        self.steps[-1]["end_margin"] = min(margins)
        return out


def mixed(conditional, unconditional):
    scale = MODEL.inference["cfg_scale"]
    return scale * conditional + (1 - scale) * unconditional


def end_margin(logits):
    return float(logits[:MODEL.codes].max() - logits[MODEL.codes + 1])


@torch.no_grad()
def greedy(made, text):
    """NeMo's infer_batch with its cache of keys and values: codes [codebook, frame] and what happened at each step."""
    with Recorder(made) as recorder, contextlib.redirect_stdout(io.StringIO()):
        batch = dict(text=text[None], text_lens=torch.tensor([len(text)]), speaker_indices=SPEAKER)
        out = made.infer_batch(batch, use_cfg=True, use_local_transformer_for_inference=True)
    return out.predicted_codes[0, :, :int(out.predicted_codes_lens[0])], recorder.steps


@torch.no_grad()
def sentences(made, texts):
    """NeMo's generate_speech, sentence by sentence, with its cache begun anew for each."""
    state, codes, steps = made.create_chunk_state(batch_size=1), [], []
    made.use_kv_cache_for_inference = True
    for number, text in enumerate(texts):
        made.decoder.reset_cache(use_cache=True)
        with Recorder(made) as recorder:
            out = made.generate_speech(
                dict(text=text[None].clone(), text_lens=torch.tensor([len(text)]), speaker_indices=SPEAKER), state,
                end_of_text=[number == len(texts) - 1], beginning_of_text=number == 0, use_cfg=True,
                use_local_transformer_for_inference=True)
        codes.append(out.predicted_codes[0, :, :int(out.predicted_codes_lens[0])])
        steps.append((state.left_offset[0], recorder.steps))
    made.decoder.reset_cache(False)
    return codes, steps


def text_of(length, generator):
    text = torch.randint(0, MODEL.text_vocabulary - 2, (length,), generator=generator)
    text[-1] = MODEL.text_vocabulary - 1
    return text


def text_that_ends(made, weights, generator):
    """A text, and the bias of the code that ends speech with which its greedy run ends between a third and two thirds of
    the frames.

    Until the end comes its bias changes nothing, so one run without an end tells them all.
    """
    first = MODEL.inference["min_generated_frames"]
    for _ in range(100):
        text = text_of(TOKENS, generator)
        _, steps = greedy(made, text)
        margins = [step["end_margin"] for step in steps]
        for frame in range(FRAMES // 3, 2 * FRAMES // 3):
            gap = min(margins[first:frame]) - margins[frame]
            if gap > 0.1:
                return text, weights.end_bias + margins[frame] + gap / 2
    raise SystemExit("no text ends there")


@torch.no_grad()
def stages(golden, made, text, generator):
    """The parts by themselves."""
    hooks = [layer.register_forward_hook(lambda _, __, out, n=n: golden.add(f"encoder.layer{n}", out["output"][0],
                                                                            "output of an encoder layer"))
             for n, layer in enumerate(made.encoder.layers)]
    memory = made.encoder(made.text_embedding(text[None]), torch.ones(1, len(text)))["output"]
    for hook in hooks:
        hook.remove()
    golden.add("encoder.out", memory[0], "after the last norm")

    codes = torch.randint(0, MODEL.codes, (1, MODEL.codebooks, 12), generator=generator)
    begin = torch.full((1, MODEL.codebooks, 1), MODEL.codes)
    frames, _ = made.embed_audio_tokens(torch.cat([begin, codes], 2), torch.tensor([13]))
    voice, _ = made.get_baked_context_embeddings_batch(1, SPEAKER)
    x = torch.cat([torch.cat([voice, frames], 1), torch.cat([torch.zeros_like(voice), frames], 1)])
    mask = torch.ones(2, len(text), dtype=torch.bool)
    mask[1, 1:] = False
    out = made.decoder(x, torch.ones(2, x.shape[1]), cond=torch.cat([memory, torch.zeros_like(memory)]), cond_mask=mask)
    golden.add("forced.codes", codes[0].T, "frames fed to the decoder, after one of the code that begins")
    golden.add("forced.hidden", out["output"][:, MODEL.context:], "decoder output of the frames with and without text "
               "and voice, no prior")
    golden.add("forced.attention", torch.stack([layer["cross_attn_probabilities"][0][0, 0, MODEL.context:]
                                                for layer in out["attn_probabilities"]]),
               "attention to the text per layer and frame, with text")

    hidden, scores, shares = out["output"][:, -1].clone(), [], []
    golden.add("local.logits_head", made.final_proj(hidden), "the decoder's own scores of the last frame, both rows")
    hooks = [p.register_forward_hook(lambda _, __, out: scores.append(out.clone()))
             for p in made.local_transformer_out_projections]
    multinomial = torch.multinomial
    torch.multinomial = lambda p, n: (shares.append(p.clone()), p.argmax(-1, keepdim=True))[1]
    best = made._lt_helper.sample_autoregressive(hidden, temperature=0.6, topk=9, use_cfg=True, cfg_scale=2.5)
    torch.multinomial = multinomial
    for hook in hooks:
        hook.remove()
    golden.add("local.logits", torch.stack(scores), "scores per codebook, with and without text, the best codes chosen")
    golden.add("local.shares", torch.stack(shares)[:, 0], "probabilities that are drawn from: temperature 0.6, best 9, "
               "end allowed")
    golden.add("local.codes", best[0, :, 0], "the best codes")


@torch.no_grad()
def priors(golden, made, generator):
    """The state machine of the attention prior on random attention, with and without a token that draws it all."""
    for length, sink in ((4, None), (6, None), (9, 3), (22, None), (30, 3)):
        run_prior(golden, made, f"prior.{length}", length, 0, sink, generator)
    # A text after another: (length, tokens before it); shorter and longer than the limit for short ones.
    for length, history, sink in ((30, 10, None), (50, 20, None), (50, 20, 25)):
        run_prior(golden, made, f"prior.{length}.after.{history}" + ("" if sink is None else ".sink"), length, history,
                  sink, generator)


def run_prior(golden, made, name, length, history, sink, generator):
    # Positions are counted from the first text's first token, of which these were dropped.
    dropped = 7 if history else 0
    counts, last, unfinished, finished, rows = [{}], [[dropped + history - 4 if history else 1]], {}, {}, []
    lengths, offset = torch.tensor([length]), [dropped]
    for _ in range(48):
        attention = torch.rand(1, length, generator=generator)
        if sink is not None:
            attention[0, sink] += 2
        pointer, counts = made.get_most_attended_text_timestep(attention, last, lengths, 5, counts, 1, offset)
        last.append(pointer)
        common = (0.1, attention, lengths, pointer, counts, unfinished, finished, {})
        if history:
            prior, unfinished, finished = made.construct_multi_chunk_prior(*common, {}, 1, offset)
        else:
            prior, unfinished, finished = made.construct_inference_prior(*common, 5, 1)
        rows.append((attention[0], pointer[0] - dropped, prior[0, 0]))
    golden.add(f"{name}.attention", torch.stack([row[0] for row in rows]), "attention of each step")
    golden.add(f"{name}.pointer", np.array([row[1] for row in rows]), "pointer after each step")
    golden.add(f"{name}.weights", torch.stack([row[2] for row in rows]), "weights for the next step")


def add_run(golden, name, codes, steps, offset=0):
    golden.add(f"{name}.codes", codes.T, f"codes of the frames; {len(steps)} steps were computed")
    length = len(steps[0]["attention"])
    weights = [torch.ones(length) if step["prior"] is None else step["prior"] for step in steps]
    golden.add(f"{name}.weights", torch.stack(weights), "weights of the text in each step")
    golden.add(f"{name}.attention", torch.stack([step["attention"] for step in steps]), "attention to the text")
    golden.add(f"{name}.pointer", np.array([step["pointer"] - offset for step in steps]), "pointer after each step")
    golden.add(f"{name}.hidden", torch.stack([step["hidden"] for step in steps]), "decoder output, both rows")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(SEED)
    weights = Weights(MODEL, SEED, end_bias=-20.0)
    made = nemo_model(weights)
    text, bias = text_that_ends(made, weights, generator)
    weights = Weights(MODEL, SEED, bias)
    fill(made, weights)
    made.decoder.reset_cache(False)

    golden = Golden()
    golden.add("text", text, "tokens, the last is the end")
    stages(golden, made, text, generator)
    codes, steps = greedy(made, text)
    assert codes.shape[1] < FRAMES, "the run does not end"
    add_run(golden, "run", codes, steps)
    made.decoder.reset_cache(False)
    texts = [text_of(length, generator) for length in SENTENCES]
    for number, sentence in enumerate(texts):
        golden.add(f"sentences.{number}.text", sentence, "tokens, the last is the end")
    for number, (codes, (offset, steps)) in enumerate(zip(*sentences(made, texts))):
        add_run(golden, f"sentences.{number}", codes, steps, offset)
    priors(golden, made, generator)

    writer(MODEL, weights).write(arguments.out / "magpie-tiny.gguf")
    golden.write(arguments.out / "magpie-golden.safetensors")
    print(f"end bias {weights.end_bias:.3f}, frames {len(golden['run.codes'])}, pointer {golden['run.pointer'].tolist()}")
    for number in range(len(SENTENCES)):
        print(f"sentence {number}: frames {len(golden[f'sentences.{number}.codes'])}, pointer "
              f"{golden[f'sentences.{number}.pointer'].tolist()}")
    print(golden.table())


if __name__ == "__main__":
    main()
