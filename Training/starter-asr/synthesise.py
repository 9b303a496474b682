"""Speaks lines of text with many voices and writes shards of 16 kHz audio.

    python synthesise.py --texts texts/train.txt --out pcm --hours 14 [--seed 1] [--voices train|heldout]
                         [--mix hibari=40,espeak=10] [--utterances N] [--worker K/N]

A shard is a pair of files: shard-SEED-NNN.pcm, utterances one after another as int16 little endian, and
shard-SEED-NNN.jsonl, one object a line: {"offset": samples, "length": samples, "voice": name, "text": text}.
A shard appears whole or not at all. Shards that exist are kept, so a run can be stopped and started again; what
is drawn for an utterance depends on (seed, shard, utterance) alone. (The noise inside Piper and Kokoro is not
drawn here.) One process keeps one core busy; start N with --worker 0/N ... N-1/N to use more.
"""
import argparse
import collections
import itertools
import json
import math
import os
import pathlib
import time

import numpy as np

from voices import SAMPLE_RATE, Voice, registry

PEAK = 0.5
WARP = (0.92, 1.08)  # resampling of each utterance: moves tempo, pitch and formants together
EDGE = 0.06  # seconds of silence left at either end
SILENCE = 0.01  # of the peak (-40 dB), in frames of 10 ms
FRAME = SAMPLE_RATE // 100
CHARACTERS_PER_SECOND = (5, 30)  # speech outside this range is taken for a failure

# How often a group of voices is drawn; voices of one group share evenly.
TRAINING_MIX = {"hibari": 40, "piper-joe": 20, "flite-slt": 9, "flite-awb": 5, "flite-kal16": 2,
                "festival-slt-hts": 7, "festival-kal": 2, "espeak": 10, "kokoro": 5}
HELDOUT_MIX = {"flite-rms": 1, "festival-ked": 1, "espeak": 1, "kokoro": 1}


class Casting:
    """Draws a voice for an utterance: the group by weight, then any of its voices."""

    def __init__(self, mix: dict[str, float], heldout: bool):
        self.groups: dict[str, list[Voice]] = {group: [] for group in mix}
        for voice in registry():
            if voice.heldout == heldout and voice.group in mix:
                self.groups[voice.group].append(voice)
        unvoiced = [group for group, voices in self.groups.items() if not voices]
        if unvoiced:
            raise SystemExit(f"no voices in {', '.join(unvoiced)}")
        self.weights = np.array([*mix.values()]) / sum(mix.values())

    def draw(self, rng: np.random.Generator) -> Voice:
        voices = [*self.groups.values()][rng.choice(len(self.weights), p=self.weights)]
        return voices[rng.integers(len(voices))]


def trim(samples: np.ndarray) -> np.ndarray:
    """Cuts silence at both ends to at most EDGE seconds."""
    frames = np.abs(samples[:len(samples) // FRAME * FRAME]).reshape(-1, FRAME).max(axis=1)
    loud = np.flatnonzero(frames > SILENCE * frames.max())
    edge = round(EDGE * SAMPLE_RATE)
    return samples[max(0, loud[0] * FRAME - edge):(loud[-1] + 1) * FRAME + edge]


def utterance(voice: Voice, text: str, rng: np.random.Generator) -> np.ndarray | None:
    """int16 samples of the spoken text, or None when the voice failed."""
    try:
        samples = voice.speak(text, rng, warp=rng.uniform(*WARP))
    except (RuntimeError, ValueError, OSError) as error:
        print(f"{voice.name} failed: {error}: {text}", flush=True)
        return None
    if len(samples) < FRAME or not np.isfinite(samples).all() or samples.max() == samples.min():
        return None
    samples = trim(samples - samples.mean())
    if not CHARACTERS_PER_SECOND[0] <= len(text) / (len(samples) / SAMPLE_RATE) <= CHARACTERS_PER_SECOND[1]:
        return None
    return np.round(samples * (PEAK / np.abs(samples).max()) * 32767).astype("<i2")


class Tally:
    """Seconds of audio and of work per engine."""

    def __init__(self):
        self.audio, self.work, self.skipped = (collections.Counter() for _ in range(3))

    def line(self) -> str:
        parts = [f"{engine} {self.audio[engine] / 3600:.2f} h, {self.audio[engine] / work:.0f}x real time, "
                 f"{self.skipped[engine]} skipped" for engine, work in self.work.most_common()]
        return f"{sum(self.audio.values()) / 3600:.2f} h in {sum(self.work.values()) / 60:.1f} min: " + "; ".join(parts)


def write_shard(path: pathlib.Path, lines: list[str], casting: Casting, seed: tuple[int, int], tally: Tally,
                hours: float,
                limit: int | None):
    """Fills one shard to so many hours, or to `limit` utterances, and puts it in place."""
    pending = {suffix: path.with_suffix(f"{suffix}.tmp") for suffix in (".pcm", ".jsonl")}
    offset, count = 0, 0
    with open(pending[".pcm"], "wb") as pcm, open(pending[".jsonl"], "w", encoding="utf-8") as index:
        for draw in itertools.count():
            if count == limit or (limit is None and offset >= hours * 3600 * SAMPLE_RATE):
                break
            rng = np.random.default_rng((*seed, draw))
            text, voice = lines[rng.integers(len(lines))], casting.draw(rng)
            start = time.perf_counter()
            samples = utterance(voice, text, rng)
            tally.work[voice.engine] += time.perf_counter() - start
            if samples is None:
                tally.skipped[voice.engine] += 1
                continue
            tally.audio[voice.engine] += len(samples) / SAMPLE_RATE
            pcm.write(samples.tobytes())
            record = {"offset": offset, "length": len(samples), "voice": voice.name, "text": text}
            index.write(json.dumps(record, ensure_ascii=False) + "\n")
            offset, count = offset + len(samples), count + 1
    for suffix, temporary in pending.items():  # the index last: a reader lists indices
        os.replace(temporary, path.with_suffix(suffix))


def parse_mix(text: str) -> dict[str, float]:
    return {group: float(weight) for group, weight in (pair.split("=") for pair in text.split(","))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    amount = parser.add_mutually_exclusive_group(required=True)
    amount.add_argument("--hours", type=float)
    amount.add_argument("--utterances", type=int, help="one shard of this many utterances")
    parser.add_argument("--shard-hours", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--voices", choices=("train", "heldout"), default="train")
    parser.add_argument("--mix", type=parse_mix, help="group=weight,... instead of the table in this file")
    parser.add_argument("--worker", default="0/1", help="K/N: this process makes every Nth shard, from K on")
    options = parser.parse_args()

    heldout = options.voices == "heldout"
    casting = Casting(options.mix or (HELDOUT_MIX if heldout else TRAINING_MIX), heldout)
    lines = [line.strip() for line in options.texts.read_text(encoding="utf-8").splitlines() if line.strip()]
    options.out.mkdir(parents=True, exist_ok=True)
    worker, workers = map(int, options.worker.split("/"))
    shards = 1 if options.utterances else math.ceil(options.hours / options.shard_hours)
    tally = Tally()
    for shard in range(worker, shards, workers):
        path = options.out / f"shard-{options.seed}-{shard:03d}"
        if not path.with_suffix(".jsonl").exists():
            write_shard(path, lines, casting, (options.seed, shard), tally, options.shard_hours,
                        options.utterances)
            print(f"{path.name}: {tally.line()}", flush=True)


if __name__ == "__main__":
    main()
