"""Notes in which frame each token of an utterance is spoken: python3 align.py CHECKPOINT FEATURES_DIR --tokenizer FILE

Writes SHARD.frames beside each shard: the frames of its utterances' tokens, one after another, int16. `windows.py` cuts
utterances there, so that the recogniser learns to write only what it heard. The alignment is the likeliest path through
the CTC head's scores (Graves et al. 2006), with the largest lookahead, so that a token's frame is near its sound.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import sentencepiece
import torch

from evaluate import TRAILING
from model import Configuration, Recognizer
from windows import Corpus

BATCH = 24


def token_frames(scores, tokens, blank):
    """The frame of each token on the likeliest path: `scores` [frames, vocabulary], log probabilities."""
    path = np.full(2 * len(tokens) + 1, blank)
    path[1::2] = tokens
    skips = np.zeros(len(path), bool)
    skips[3::2] = tokens[1:] != tokens[:-1]
    best = np.full(len(path), -np.inf)
    best[:2] = scores[0, path[:2]]
    steps = np.zeros((len(scores), len(path)), np.int8)
    for frame in range(1, len(scores)):
        options = np.stack((best, np.r_[-np.inf, best[:-1]], np.where(skips, np.r_[-np.inf, -np.inf, best[:-2]], -np.inf)))
        steps[frame] = options.argmax(0)
        best = options.max(0) + scores[frame, path]
    state = len(path) - 1 if best[-1] >= best[-2] else len(path) - 2
    frames = np.zeros(len(tokens), np.int16)
    for frame in range(len(scores) - 1, -1, -1):
        if state % 2:
            frames[state // 2] = frame
        state -= int(steps[frame, state])
    return frames


@torch.no_grad()
def align(model, corpus, utterances):
    rows = max(-(-u[2] // 8) * 8 + 2 * TRAILING for u in utterances)
    mel = np.full((len(utterances), rows, 80), -12, np.float32)
    for row, utterance in zip(mel, utterances):
        row[:utterance[2]] = np.maximum(corpus.mel(utterance), -12)
    with torch.autocast("cpu", torch.bfloat16):
        encoded = model.encoder(torch.from_numpy(mel), model.c.right_context)
        scores = model.ctc_decoder(encoded).float().log_softmax(-1).numpy()
    return [token_frames(scores[i, :-(-u[2] // 8)], u[3], model.blank) for i, u in enumerate(utterances)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("features", type=Path, nargs="+")
    parser.add_argument("--tokenizer", type=Path, required=True)
    arguments = parser.parse_args()
    saved = torch.load(arguments.checkpoint, weights_only=True)
    model = Recognizer(Configuration(**saved["configuration"]))
    model.load_state_dict(saved["average"], strict=False)
    model.eval()
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(arguments.tokenizer))
    for folder in arguments.features:
        for shard in sorted(folder.glob("*.mel")):
            target = shard.with_suffix(".frames")
            if target.exists():
                continue
            corpus = Corpus([shard], tokenizer)
            order = sorted(range(len(corpus.utterances)), key=lambda i: corpus.utterances[i][2])
            frames = [None] * len(order)
            for first in range(0, len(order), BATCH):
                chosen = order[first:first + BATCH]
                for index, found in zip(chosen, align(model, corpus, [corpus.utterances[i] for i in chosen])):
                    frames[index] = found
            np.concatenate(frames).tofile(f"{target}.tmp")
            os.replace(f"{target}.tmp", target)
            print(f"{shard.stem}: {len(order)} utterances", flush=True)


if __name__ == "__main__":
    main()
