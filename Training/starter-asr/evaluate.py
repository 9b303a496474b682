"""Word error rate of a checkpoint: python3 evaluate.py RUN/last.pt FEATURES_DIR --tokenizer FILE [--lookahead 1]

Case and punctuation are ignored. `repartee bench asr --wer` measures the exported model in the engine; this is for
training.
"""

import argparse
import re
from pathlib import Path

import numpy as np
import torch

TRAILING = 40  # rows of near silence behind an utterance


def words(text):
    return re.sub(r"[^a-z' ]", " ", text.lower()).split()


def edit_distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def padded(mel):
    """An utterance with a second of faint noise around it, a whole number of frames."""
    rows = -(-(len(mel) + 2 * TRAILING) // 8) * 8
    out = np.full((rows, mel.shape[1]), -12, np.float32)
    out[TRAILING:TRAILING + len(mel)] = np.maximum(mel, -12)
    return torch.from_numpy(out)[None]


@torch.no_grad()
def transcribe(model, tokenizer, mel, lookahead, head):
    encoded = model.encoder(padded(mel), lookahead)
    if head == "rnnt":
        tokens = model.greedy(encoded)[0]
    else:
        best = model.ctc_decoder(encoded)[0].argmax(-1).tolist()
        tokens = [t for t, before in zip(best, [-1, *best]) if t not in (before, model.blank)]
    return tokenizer.decode(tokens)


def word_errors(model, tokenizer, corpus, lookahead, head="rnnt", most=None, show=0):
    """(errors, words) over the corpus's utterances, or the first `most`."""
    errors = count = 0
    for utterance in corpus.utterances[:most]:
        wanted = words(utterance[5])
        text = transcribe(model, tokenizer, corpus.mel(utterance), lookahead, head)
        wrong = edit_distance(wanted, words(text))
        errors, count = errors + wrong, count + len(wanted)
        if show:
            print(f"{utterance[4]:24} {wrong} | {utterance[5]} | {text}")
    return errors, max(1, count)


def main():
    import sentencepiece

    from model import Configuration, Recognizer
    from windows import Corpus

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("features", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--lookahead", type=int, nargs="+", default=[1])
    parser.add_argument("--head", choices=("rnnt", "ctc"), default="rnnt")
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()
    saved = torch.load(arguments.checkpoint, weights_only=True)
    model = Recognizer(Configuration(**saved["configuration"]))
    model.load_state_dict(saved["average"], strict=False)
    model.eval()
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(arguments.tokenizer))
    corpus = Corpus([arguments.features], tokenizer)
    for lookahead in arguments.lookahead:
        errors, count = word_errors(model, tokenizer, corpus, lookahead, arguments.head, show=arguments.show)
        print(f"lookahead {lookahead}: {100 * errors / count:.2f} % of {count} words wrong")


if __name__ == "__main__":
    main()
