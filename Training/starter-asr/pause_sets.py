"""Recordings with pauses in the middle, for `repartee bench endpointing`:

    python3 pause_sets.py PCM_DIR OUT_DIR --checkpoint FILE --tokenizer FILE [--seed 1] [--people SETS/real]

PCM_DIR holds shards of `synthesise.py` with held-out voices and texts. Three in four utterances get one or two pauses of 0.3
to 1.5 s at a word border inside the utterance, so that what comes before sounds as in the middle of a sentence. Borders are
found by forced alignment (`align.py`) and taken where the voice is low, so that no sound is cut; an utterance without such a
border is left out, so that about half have pauses. All get a level, faint room noise throughout, half a second before and
four seconds behind. Texts are whole and have no punctuation inside.

OUT_DIR/NAME.wav are the recordings, OUT_DIR/set.json what is in them: `end` is when the last audible sound ends, `pauses`
when the sound stops and goes on, all in seconds; `part` is tune, test or people. Which text is where depends on the text
alone, so tune and test share none. `people` (of `test_sets.py`) are recordings of persons: as they are, and with pauses,
and the pauses that a reader made in "A Tale of Two Cities".
"""

import argparse
import json
import re
import wave
import zlib
from pathlib import Path

import numpy as np
import sentencepiece
import soundfile
import torch

from align import align
from features import HOP, LEAD_IN, LEAD_OUT, RATE, log_mel
from model import Configuration, Recognizer
from noises import coloured

LEAD, TRAIL = 0.5, 4.0  # seconds of room before and behind
PAUSES = (0.3, 1.5)  # seconds
SECOND_PAUSE = 0.3  # this share of the long enough utterances with pauses has two
PEAK = (0.08, 0.5)
ROOM = (35, 55)  # dB below the speech's root mean square
AUDIBLE = 500 / 32768  # `audible_threshold` of the session
LOW = 12  # dB below the speech's root mean square: a border where it may be cut
FADE = RATE // 100
TOKEN = 8 * HOP  # samples of one frame of the encoder
WORDS = (5, 18)


class Mels:
    """What `align` wants of a corpus."""

    def __init__(self, mels):
        self.mels = mels

    def mel(self, utterance):
        return self.mels[utterance[0]]


def load(checkpoint):
    saved = torch.load(checkpoint, weights_only=True)
    model = Recognizer(Configuration(**saved["configuration"]))
    model.load_state_dict(saved["average"], strict=False)
    return model.eval()


def borders(model, tokenizer, samples, text):
    """[(index of the word after it, sample)] of the word borders at which `samples` may be cut."""
    tokens = np.array(tokenizer.encode(text), np.int64)
    mel = log_mel(np.pad(samples, (LEAD_IN * HOP, LEAD_OUT * HOP)))
    if len(tokens) * 2 > len(mel) // 8:
        return []
    frames = align(model, Mels([mel]), [(0, 0, len(mel), tokens)])[0]
    begins = [tokenizer.id_to_piece(int(token)).startswith("\u2581") for token in tokens]
    energy = np.convolve(samples**2, np.ones(2 * FADE) / (2 * FADE), "same")
    limit = np.mean(samples[np.abs(samples) > AUDIBLE]**2) / 10 ** (LOW / 10)
    found, word = [], 0
    for token in range(1, len(tokens)):
        if not begins[token]:
            continue
        word += 1
        first = int(frames[token - 1]) * TOKEN - LEAD_IN * HOP
        last = int(frames[token] + 1) * TOKEN - LEAD_IN * HOP
        first, last = max(first, FADE), min(last, len(samples) - FADE)
        if last <= first:
            continue
        place = first + int(np.argmin(energy[first:last]))
        if energy[place] < limit:
            found.append((word, place))
    return found


def chosen(found, words, random):
    """One or two of the borders, with two words at either side of each."""
    fit = [(word, place) for word, place in found if 2 <= word <= words - 2]
    if not fit:
        return []
    first = fit[random.integers(len(fit))]
    others = [border for border in fit if abs(border[0] - first[0]) >= 3]
    if others and random.random() < SECOND_PAUSE:
        return sorted((first, others[random.integers(len(others))]))
    return [first]


def faded(samples, starts, ends):
    samples, ramp = samples.copy(), np.linspace(0, 1, FADE, dtype=np.float32)
    if starts:
        samples[:FADE] *= ramp
    if ends:
        samples[-FADE:] *= ramp[::-1]
    return samples


def last_audible(samples):
    return int(np.flatnonzero(np.abs(samples) > AUDIBLE)[-1]) + 1


def first_audible(samples):
    return int(np.flatnonzero(np.abs(samples) > AUDIBLE)[0])


def room(random, samples, speech):
    """Faint noise under all of it, a level of its own for each recording."""
    noise = coloured(random, random.uniform(0.5, 1.5), len(samples)).astype(np.float32)
    loud = np.sqrt(np.mean(speech[np.abs(speech) > AUDIBLE]**2))
    return samples + noise * (loud / 10 ** (random.uniform(*ROOM) / 20) / np.sqrt(np.mean(noise**2)))


def pieces_of(samples, cuts):
    """The pieces between the cuts, or all of it where a piece would not be audible."""
    edges = [0, *(place for _, place in cuts), len(samples)]
    pieces = [faded(samples[start:end], start > 0, end < len(samples)) for start, end in zip(edges, edges[1:])]
    return pieces if all(np.abs(piece).max() > AUDIBLE for piece in pieces) else [samples]


def recording(samples, cuts, random):
    """(samples, end, pauses): the utterance with silence at the cuts, in its room."""
    samples = samples * np.float32(random.uniform(*PEAK) / np.abs(samples).max())
    out, at, pauses = [np.zeros(int(LEAD * RATE), np.float32)], int(LEAD * RATE), []
    for index, piece in enumerate(pieces_of(samples, cuts)):
        if index:
            silence = int(random.uniform(*PAUSES) * RATE)
            out.append(np.zeros(silence, np.float32))
            at += silence
            pauses.append({"word": cuts[index - 1][0], "start": over, "end": round((at + first_audible(piece)) / RATE, 4)})
        out.append(piece)
        over = round((at + last_audible(piece)) / RATE, 4)
        at += len(piece)
    out.append(np.zeros(int(TRAIL * RATE), np.float32))
    return room(random, np.concatenate(out), samples), over, pauses


def natural(samples):
    """The pauses that the speaker made: at least 0.3 s without an audible sample."""
    loud = np.flatnonzero(np.abs(samples) > AUDIBLE)
    gaps = np.flatnonzero(np.diff(loud) >= PAUSES[0] * RATE)
    return [{"start": round(LEAD + (loud[gap] + 1) / RATE, 4), "end": round(LEAD + loud[gap + 1] / RATE, 4)}
            for gap in gaps]


def write(out, name, samples):
    with wave.open(str(out / f"{name}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(np.round(samples * 32767), -32768, 32767).astype("<i2").tobytes())


def utterances(folder):
    """(name, voice, text, samples) of the utterances whose text is one whole sentence, each text and voice once."""
    seen = set()
    for shard in sorted(folder.glob("*.pcm")):
        samples = np.memmap(shard, np.int16, "r")
        for number, line in enumerate(open(shard.with_suffix(".jsonl"))):
            u = json.loads(line)
            text = u["text"]
            words = len(text.split())
            if not WORDS[0] <= words <= WORDS[1] or not re.fullmatch(r"[^.?!;:,]*[.?!]", text):
                continue
            if (text, u["voice"]) in seen:
                continue
            seen.add((text, u["voice"]))
            speech = samples[u["offset"]:u["offset"] + u["length"]].astype(np.float32) / 32768
            yield f"{shard.stem}-{number:03d}", u["voice"], text, speech


def synthetic(arguments, model, tokenizer):
    for name, voice, text, speech in utterances(arguments.pcm):
        random = np.random.default_rng([arguments.seed, *name.encode()])
        digest = zlib.crc32(text.encode())
        cuts = []
        if digest % 4:
            cuts = chosen(borders(model, tokenizer, speech, text), len(text.split()), random)
            if not cuts:
                continue
        samples, end, pauses = recording(speech, cuts, random)
        part = "test" if digest // 4 % 2 else "tune"
        yield name, samples, {"voice": voice, "text": text, "part": part, "end": end, "pauses": pauses}


def people(arguments, model, tokenizer):
    for path in sorted(arguments.people.glob("*.wav")):
        text = path.with_suffix(".txt").read_text().strip()
        speech = soundfile.read(path, dtype="float32")[0]
        random = np.random.default_rng([arguments.seed, *path.stem.encode()])
        entry = {"voice": "person", "text": text, "part": "people"}
        if len(text.split()) > WORDS[1] + 10:
            # Long: with the reader's own pauses, and his own room.
            silence = [np.zeros(int(seconds * RATE), np.float32) for seconds in (LEAD, TRAIL)]
            samples = room(random, np.concatenate((silence[0], speech, silence[1])), speech)
            end = round(LEAD + last_audible(speech) / RATE, 4)
            yield path.stem, samples, {**entry, "end": end, "pauses": natural(speech)}
            continue
        for suffix, cuts in (("", []), ("-paused", chosen(borders(model, tokenizer, speech, text), len(text.split()),
                                                          random))):
            if suffix and not cuts:
                continue
            samples, end, pauses = recording(speech, cuts, random)
            yield path.stem + suffix, samples, {**entry, "end": end, "pauses": pauses}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pcm", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--people", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = load(arguments.checkpoint)
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(arguments.tokenizer))
    arguments.out.mkdir(parents=True, exist_ok=True)
    entries = []
    sources = [synthetic(arguments, model, tokenizer)]
    if arguments.people:
        sources.append(people(arguments, model, tokenizer))
    for source in sources:
        for name, samples, entry in source:
            write(arguments.out, name, samples)
            entries.append({"file": f"{name}.wav", **entry})
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (arguments.out / "set.json").write_text(f"[\n{lines}\n]\n")
    for part in ("tune", "test", "people"):
        chosen_part = [entry for entry in entries if entry["part"] == part]
        pauses = sum(len(entry["pauses"]) for entry in chosen_part)
        print(f"{part}: {len(chosen_part)} recordings, {pauses} pauses in "
              f"{sum(bool(entry['pauses']) for entry in chosen_part)}")


if __name__ == "__main__":
    main()
