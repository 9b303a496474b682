"""Makes nemotron-{biased,prompt}.gguf and their golden data with Hugging Face's transformers. See README.md.

The models have what the one of make_golden.py lacks: biases, scaled embeddings, a language prompt, a joint network of
another width. Their weights reach the GGUF by Tools/convert/nemotron_asr.py, which is checked thereby too.
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer, models
from transformers import (DynamicCache, Nemotron3_5AsrConfig, Nemotron3_5AsrForRNNT, Nemotron3_5AsrProcessor,
                          NemotronAsrStreamingConfig, NemotronAsrStreamingFeatureExtractor, NemotronAsrStreamingForRNNT,
                          NemotronAsrStreamingProcessor, ParakeetTokenizer)

from golden_data import Golden  # also finds Tools/convert
from hugging_face_checkpoint import layout_name
from make_random_model import Weights, pieces
from nemotron_asr import convert, opened

LOOKAHEADS = (0, 1, 3, 6, 13)
VOCABULARY = 64
MELS = 128
# With these, every lookahead gives between a sixth of a symbol and one in a frame, and many different ones.
SEED = {"biased": 6, "prompt": 4}
BLANK_BIAS = {"biased": 3.7, "prompt": 4.1}
PROMPTS, AUTO, GERMAN = {"en-US": 0, "en": 0, "de-DE": 1, "de": 1, "auto": 7}, 7, 1
# The encoder frames of the prompt model: more than its cache of 56 and a chunk of 14.
PROMPT_FRAMES = 84


def encoder_settings(**changed):
    return dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_mel_bins=MELS,
                subsampling_conv_channels=32, max_position_embeddings=128, **changed)


def biased_model():
    encoder = encoder_settings(intermediate_size=128, attention_bias=True, convolution_bias=True, scale_input=True,
                               sliding_window=29, default_num_lookahead_tokens=13)
    return NemotronAsrStreamingForRNNT(NemotronAsrStreamingConfig(
        vocab_size=VOCABULARY + 1, blank_token_id=VOCABULARY, decoder_hidden_size=64, encoder_config=encoder)).eval()


def prompt_model():
    encoder = encoder_settings(intermediate_size=96, attention_bias=False, convolution_bias=False, scale_input=False,
                               sliding_window=57, default_num_lookahead_tokens=3)
    return Nemotron3_5AsrForRNNT(Nemotron3_5AsrConfig(
        vocab_size=VOCABULARY + 1, blank_token_id=VOCABULARY, decoder_hidden_size=32, encoder_config=encoder,
        num_prompts=8, prompt_intermediate_size=96, default_prompt_id=AUTO)).eval()


def save(model, folder):
    """What transformers writes for a released model."""
    names = {piece: number for number, piece in enumerate(pieces(VOCABULARY, PROMPTS))}
    tokenizer = ParakeetTokenizer(tokenizer_object=Tokenizer(models.BPE(vocab=names, merges=[])),
                                  clean_up_tokenization_spaces=False)
    settings = dict(supported_num_lookahead_tokens=list(reversed(LOOKAHEADS)),
                    default_num_lookahead_tokens=model.config.encoder_config.default_num_lookahead_tokens)
    features = NemotronAsrStreamingFeatureExtractor(feature_size=MELS)
    if isinstance(model, Nemotron3_5AsrForRNNT):
        processor = Nemotron3_5AsrProcessor(features, tokenizer, prompt_dictionary=PROMPTS, num_prompts=8, **settings)
    else:
        processor = NemotronAsrStreamingProcessor(features, tokenizer, **settings)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def randomise(model, folder, seed, blank_bias):
    """Weights with which every part matters, norms and biases included. Blank is the start symbol: its row is zero."""
    save(model, folder)
    with opened(str(folder)) as (dimensions, _):
        weights = Weights(dimensions, seed, blank_bias)
    for name, parameter in model.named_parameters():
        known = layout_name(name)
        x = torch.from_numpy(weights.values(known)).reshape(parameter.shape)
        if "pos_bias" in known or "lstm" in known:
            x = 4 * x
        elif known.endswith("bias") and "pre_encode" not in known and "joint_net" not in known:
            x = 4 * x
        parameter.copy_(x)


class Recogniser:
    """A model as transformers runs it, offline and in chunks."""

    def __init__(self, model):
        self.model = model
        self.model.generation_config.decoder_start_token_id = model.config.blank_token_id
        self.prompts = {}

    def choose_prompt(self, number):
        self.prompts = {} if number is None else {"prompt_ids": torch.tensor([number])}

    def offline(self, mel, lookahead):
        """Encoder output before and after the prompt network, [1, frames, width]."""
        seen = []
        hook = self.model.encoder_projector.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
        out = self.model.get_audio_features(mel, num_lookahead_tokens=lookahead, **self.prompts)
        hook.remove()
        return out.last_hidden_state, seen[0]

    @staticmethod
    def chunks(mel, lookahead):
        first, others = 1 + 8 * lookahead, 8 * (lookahead + 1)
        yield mel[:, :first]
        for start in range(first, mel.shape[1], others):
            yield mel[:, start:start + others]

    def streamed(self, mel, lookahead):
        encoder = self.model.encoder
        attention, convolution, outputs = DynamicCache(config=encoder.config), None, []
        for chunk in self.chunks(mel, lookahead):
            out = encoder(chunk, num_lookahead_tokens=lookahead, use_cache=True, past_key_values=attention,
                          padding_cache=convolution)
            attention, convolution = out.past_key_values, out.padding_cache
            outputs.append(out.last_hidden_state)
        return torch.cat(outputs, 1)

    def symbols(self, mel, lookahead):
        """Greedy symbols and the encoder frame of each, by generate() on a stream of chunks."""
        out = self.model.generate(input_features=self.chunks(mel, lookahead), num_lookahead_tokens=lookahead,
                                  **self.prompts)
        found, frame = [], 0
        for symbol, step in zip(out.sequences[0, 1:].tolist(), out.durations[0, 1:].tolist()):
            if symbol != self.model.config.blank_token_id:
                found.append((symbol, frame))
            frame += step
        return [np.array(column, np.int32) for column in zip(*found)]


def settle(recogniser, mel):
    """Takes out what is the same in all frames or after all symbols, so that what is recognised depends on both."""
    model = recogniser.model
    subsampling = model.encoder.subsampling
    out = subsampling(mel)[0]
    scale = 1 / (out.std(0).mean() * model.encoder.input_scale)
    subsampling.linear.weight.mul_(scale)
    subsampling.linear.bias.copy_(scale * (subsampling.linear.bias - out.mean(0)))
    encoded = recogniser.offline(mel, 1)[1][0]
    spread(model.encoder_projector, encoded)
    after_each, _ = model.decoder.lstm(model.decoder.embedding(torch.arange(VOCABULARY)[:, None]))
    spread(model.decoder.decoder_projector, after_each[:, 0])


def spread(linear, inputs):
    """Scales and shifts a layer, so that its outputs for these inputs have mean 0 and deviation 1."""
    linear.weight.mul_(1 / (inputs @ linear.weight.T).std(0).mean())
    linear.bias.sub_(linear(inputs).mean(0))


def whole_chunks(frames, lookahead):
    return 1 + 8 * lookahead + 8 * (lookahead + 1) * ((frames - 1 - 8 * lookahead) // (8 * (lookahead + 1)))


def add_lookahead(golden, recogniser, mel, lookahead, prefix, raw):
    x = mel[:, :whole_chunks(mel.shape[1], lookahead)]
    before, after = recogniser.offline(x, lookahead)
    difference = float((recogniser.streamed(x, lookahead) - before).abs().max())
    assert difference < 1e-4, f"lookahead {lookahead}: streaming differs by {difference}"
    golden.add(f"{prefix}.mel_frames", np.array([x.shape[1]]), "mel frames used: whole chunks")
    if raw:
        golden.add(f"{prefix}.raw", before[0], "encoder output before the prompt network")
    golden.add(f"{prefix}.enc", after[0], "encoder output, after the prompt network where there is one")
    symbols, frames = recogniser.symbols(x, lookahead)
    golden.add(f"{prefix}.tokens", symbols, "greedy symbols")
    golden.add(f"{prefix}.token_frames", frames, "the encoder frame of each")
    print(f"{prefix}: {after.shape[1]} frames, {len(symbols)} symbols, {len(set(symbols.tolist()))} different; "
          f"streaming differs from offline by {difference:.1e}")


def make(model, name, mel, prompts, out):
    with tempfile.TemporaryDirectory() as folder:
        randomise(model, Path(folder), SEED[name], BLANK_BIAS[name])
        recogniser, golden = Recogniser(model), Golden()
        recogniser.choose_prompt(AUTO if prompts else None)
        settle(recogniser, mel)
        if prompts:
            golden.add("mel", mel[0].T, "log-mel of the samples of nemotron-golden's `audio`, played twice")
        for lookahead in LOOKAHEADS:
            add_lookahead(golden, recogniser, mel, lookahead, f"R{lookahead}", raw=prompts and lookahead == 1)
        if prompts:
            recogniser.choose_prompt(GERMAN)
            add_lookahead(golden, recogniser, mel, 3, "R3.de", raw=False)
        save(model, folder)
        convert(folder, out / f"nemotron-{name}.gguf", "f32")
    golden.write(out / f"nemotron-{name}-golden.safetensors")
    print(golden.table())


def log_mel(audio):
    """[1, frames, mels]; the frames that NeMo counts."""
    features = NemotronAsrStreamingFeatureExtractor(feature_size=MELS)
    found = features(audio.astype(np.float32) / 32768, sampling_rate=16000, return_tensors="pt").input_features
    return found[:, :len(audio) // 160]


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--golden", type=Path, required=True, help="nemotron-golden.safetensors, for its audio")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    nemo = load_file(arguments.golden)
    mel = torch.from_numpy(nemo["mel"][:, :len(nemo["audio"]) // 160].T.copy())[None]
    print(f"log-mel differs from NeMo's by {float((log_mel(nemo['audio']) - mel).abs().max()):.1e}")
    make(biased_model(), "biased", mel, False, arguments.out)
    count = 160 * whole_chunks(8 * PROMPT_FRAMES, 13)
    make(prompt_model(), "prompt", log_mel(np.tile(nemo["audio"], 2)[:count]), True, arguments.out)


if __name__ == "__main__":
    main()
