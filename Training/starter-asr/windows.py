"""Windows of training features: utterances from the corpus with pauses between, in noise, at some level.

Speech and noise are added as power in each mel band, which is what they amount to on average; so a window costs a
fraction of a millisecond, and no two are alike. All frames of a window are real: what is not speech is the pause or the
noise that a recogniser hears before, between and after utterances.
"""

import json
from pathlib import Path

import numpy as np
import torch

from features import BANDS, GUARD, LEAD_IN, LEAD_OUT

# So many utterances are cut off at one end.
CUT_SHARE = 0.08
# Rows by which a guess comes after the sound.
GUESS_DELAY = 16


class Corpus:
    """Everything that `features.py` has written so far in these folders or shards, with the tokens of each utterance."""

    def __init__(self, folders, tokenizer):
        self.folders, self.tokenizer = [Path(folder) for folder in folders], tokenizer
        self.shards, self.utterances, self.seen = [], [], set()
        pieces = tokenizer.id_to_piece(list(range(tokenizer.vocab_size())))
        self.begins_word = np.array([piece.startswith("\u2581") for piece in pieces])
        self.refresh()

    def refresh(self):
        """Takes up new shards."""
        for path in sorted(path for folder in self.folders
                           for path in ([folder] if folder.suffix == ".mel" else folder.glob("*.mel"))):
            if path in self.seen:
                continue
            self.seen.add(path)
            aligned = path.with_suffix(".frames")
            frames = np.fromfile(aligned, np.int16) if aligned.exists() else None
            self.shards.append(np.memmap(path, np.float16, "r").reshape(-1, BANDS))
            for u in json.load(open(path.with_suffix(".json"))):
                tokens = np.array(self.tokenizer.encode(u["text"]), np.int64)
                # CTC needs a frame per token, and one more between equal ones.
                needed = len(tokens) + int((tokens[1:] == tokens[:-1]).sum())
                if needed < u["frames"] // 8:
                    pieces = self.tokenizer.id_to_piece(tokens.tolist())
                    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.float32)
                    spoken = None
                    if frames is not None:
                        spoken, frames = frames[:len(tokens)], frames[len(tokens):]
                    self.utterances.append((len(self.shards) - 1, u["start"], u["frames"], tokens, u["voice"],
                                            u["text"], ends / ends[-1], spoken))

    def mel(self, utterance):
        shard, start, frames = utterance[:3]
        return self.shards[shard][start:start + frames].astype(np.float32)

    @property
    def hours(self):
        return sum(utterance[2] for utterance in self.utterances) / 360000


class Noise:
    """The pool of `noises.py`: log-mel of noise with a root mean square of 0.1."""

    def __init__(self, path):
        self.pool = np.concatenate([kind for kind in np.load(path).values()])

    def power(self, random, rows):
        """[rows, 80], root mean square 1, one or two kinds at once."""
        out = self._one(random, rows)
        if random.random() < 0.3:
            out = out + random.uniform(0.1, 1) * self._one(random, rows)
        return out

    def _one(self, random, rows):
        noise = self.pool[random.integers(len(self.pool))]
        first = random.integers(len(noise))
        return np.exp(noise[np.arange(first, first + rows) % len(noise)].astype(np.float32)) * 100


def decibels(value):
    return np.float32(10 ** (value / 10))


def window(corpus, noise, random, rows, difficulty):
    """(log-mel [rows, 80], tokens, a guess [rows / 8] of the token that is spoken in each frame, -100 for none).

    `difficulty` from 0, clean speech, to 1, the noise and the gaps that the finished recogniser shall cope with.
    """
    power, tokens = np.zeros((rows, BANDS), np.float32), []
    guess = np.full(rows // 8, -100, np.int64)
    level = decibels(random.uniform(-26, 6))
    loudness = []
    place = int(random.exponential(25))
    if random.random() < 0.03:
        place = rows
    while place < rows:
        candidates = (corpus.utterances[random.integers(len(corpus.utterances))] for _ in range(6))
        fitting = next((u for u in candidates if place + u[2] <= rows), None)
        if fitting is None:
            break
        if random.random() < CUT_SHARE:
            fitting = cut(corpus, random, fitting)
        speech = np.exp(corpus.mel(fitting)) * level * decibels(random.uniform(-3, 3))
        power[place:place + len(speech)] += speech
        total = speech.sum(1)
        loudness.append(total[total > total.mean() * 0.1].mean())
        tokens.append(fitting[3])
        if fitting[6] is not None:
            guess_tokens(guess, fitting, place)
        if random.random() < 0.1:
            break
        place += len(speech) + int(random.exponential(30))
    drawn = random.random()
    if drawn < 0.7:
        background = noise.power(random, rows)
        reference = np.mean(loudness) if loudness else level * 100
        snr = 40 - random.uniform(0, 40) * difficulty if drawn < 0.6 * difficulty else random.uniform(40, 60)
        power += background * (reference / background.sum(1).mean() / decibels(snr))
    elif drawn < 0.9:
        # The hiss of a converter, from -80 to -50 dB of full scale.
        power += noise.power(random, rows) * decibels(random.uniform(-80, -50))
    mel = np.log(power + np.float32(GUARD))
    if random.random() < difficulty:
        mask(random, mel)
    return mel, np.concatenate(tokens) if tokens else np.zeros(0, np.int64), guess


def cut(corpus, random, utterance):
    """The utterance without its end, as when a speaker breaks off in a word, or without its beginning, as when a
    microphone opens late; words that are not whole are not written. As it was where `align.py` has not been."""
    shard, start, rows, tokens, voice, text, ends, spoken = utterance
    borders = np.flatnonzero(corpus.begins_word[tokens])[1:]
    if spoken is None or len(borders) == 0:
        return utterance
    border = random.choice(borders)
    # The frames of the last token before the border and of the first one after it.
    before, after = int(spoken[border - 1]), int(spoken[border])
    if random.random() < 0.7:
        row = 8 * int(random.integers(before + 2, max(before + 3, after)))
        return shard, start, min(rows, row), tokens[:border], voice, text, None, None
    row = 8 * max(0, int(random.integers(before - 1, max(before, after - 1))))
    return shard, start + row, rows - row, tokens[border:], voice, text, None, None


def guess_tokens(guess, utterance, place):
    """Notes which token each frame of an utterance would hold if all letters took the same time, a little late: without
    lookahead the encoder has to have heard it."""
    start, end = place + LEAD_IN + GUESS_DELAY, place + utterance[2] - LEAD_OUT + GUESS_DELAY
    frames = np.arange(-(-start // 8), min(len(guess), end // 8 + 1))
    spoken = np.searchsorted(utterance[6], (frames * 8 - start) / (end - start))
    guess[frames] = utterance[3][np.minimum(spoken, len(utterance[3]) - 1)]


def mask(random, mel):
    """SpecAugment (Park et al. 2019): bands and moments replaced by the mean."""
    mean = mel.mean()
    for _ in range(2):
        width = random.integers(0, 13)
        low = random.integers(0, BANDS - width)
        mel[:, low:low + width] = mean
    for _ in range(len(mel) // 250):
        length = random.integers(0, 25)
        start = random.integers(0, len(mel) - length)
        mel[start:start + length] = mean


def batch(corpus, noise, seed, count, rows, difficulty):
    """(mel [count, rows, 80], tokens [count, U] padded with 0, lengths [count], guesses [count, rows / 8]), all of it
    decided by `seed`."""
    random = np.random.default_rng(seed)
    made = [window(corpus, noise, random, rows, difficulty) for _ in range(count)]
    lengths = torch.tensor([len(tokens) for _, tokens, _ in made])
    targets = torch.zeros(count, max(1, int(lengths.max())), dtype=torch.long)
    for row, (_, tokens, _) in enumerate(made):
        targets[row, :len(tokens)] = torch.from_numpy(tokens)
    mel, guesses = (torch.from_numpy(np.stack([row[part] for row in made])) for part in (0, 2))
    return mel, targets, lengths, guesses
