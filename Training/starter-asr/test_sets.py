"""Folders of WAV and text files for `repartee bench asr --wer`: python3 test_sets.py HELDOUT_PCM_DIR OUT_DIR [--seed 1]

OUT_DIR/clean     utterances of held-out voices saying held-out text
OUT_DIR/noisy     the same at a signal-to-noise ratio of 10 dB, in kinds of noise that training does not have
OUT_DIR/real      people: LibriVox (public domain) and cards from Debian's pocketsphinx-testdata, and two_cities.wav of
                  the wheel moonshine-voice (MIT)
"""

import argparse
import importlib.util
import json
import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from features import RATE

TESTDATA = Path("/usr/share/pocketsphinx/test/data")
# Charles Dickens, A Tale of Two Cities, 1859, the first paragraph.
TWO_CITIES = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of "
    "foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it "
    "was the season of Darkness, it was the spring of hope, it was the winter of despair, we had everything "
    "before us, we had nothing before us, we were all going direct to Heaven, we were all going direct the "
    "other way. In short, the period was so far like the present period, that some of its noisiest "
    "authorities insisted on its being received, for good or for evil, in the superlative degree of "
    "comparison only."
)


def write(folder, name, samples, text):
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / f"{name}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())
    (folder / f"{name}.txt").write_text(text + "\n")


def heldout(pcm, noise, out, random):
    for shard in sorted(pcm.glob("*.pcm")):
        samples = np.memmap(shard, np.int16, "r")
        for number, line in enumerate(open(shard.with_suffix(".jsonl"))):
            u = json.loads(line)
            speech = np.pad(samples[u["offset"]:u["offset"] + u["length"]].astype(np.float32), (RATE // 4, RATE // 4))
            name = f"{u['voice'].replace('+', '-')}-{number:03d}"
            write(out / "clean", name, speech, u["text"])
            kind = noise[random.choice(list(noise.files))]
            background = np.resize(np.roll(kind[random.integers(len(kind))], random.integers(RATE)), len(speech))
            loud = np.abs(speech) > np.abs(speech).max() * 0.02
            ratio = np.sqrt(np.mean(speech[loud]**2) / 10 / np.mean(background.astype(np.float32)**2))
            write(out / "noisy", name, speech + background * ratio, u["text"])


def people(out):
    for folder, transcription in (("librivox", "transcription"), ("cards", "cards.transcription")):
        for line in open(TESTDATA / folder / transcription):
            text, name = re.fullmatch(r"<s> (.*?) *</s> \((.*)\)\s*", line).groups()
            samples, rate = soundfile.read(TESTDATA / folder / f"{name}.wav", dtype="int16")
            write(out / "real", f"{folder}-{name}", resample_poly(samples.astype(np.float32), RATE, rate), text)
    wheel = Path(importlib.util.find_spec("moonshine_voice").origin).parent
    samples, rate = soundfile.read(wheel / "assets" / "two_cities.wav", dtype="int16")
    write(out / "real", "two-cities", resample_poly(samples.astype(np.float32), RATE, rate), TWO_CITIES)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pcm", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    noise_file = arguments.out / "noise.npz"
    arguments.out.mkdir(parents=True, exist_ok=True)
    program = Path(__file__).parent / "noises.py"
    subprocess.run([sys.executable, program, arguments.pcm, noise_file, "--heldout"], check=True)
    heldout(arguments.pcm, np.load(noise_file), arguments.out, np.random.default_rng(arguments.seed))
    people(arguments.out)


if __name__ == "__main__":
    main()
