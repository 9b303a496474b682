"""A pool of noise as log-mel features: python3 noises.py PCM_DIR OUT.npz [--seed 1] [--heldout]

Kinds: white, pink and brown noise, hum, drones, music-like chords, clicks and taps, and babble of several utterances at
once, the last ten seconds each. Held out for tests: babble of other voices, and a fan (noise with moving resonances).
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from features import RATE, log_mel

SECONDS = 10


def coloured(random, exponent, count):
    """Noise whose power falls with frequency ** exponent."""
    spectrum = random.standard_normal(count // 2 + 1) + 1j * random.standard_normal(count // 2 + 1)
    return np.fft.irfft(spectrum / np.maximum(np.arange(count // 2 + 1), 8) ** (exponent / 2), count)


def hum(random, count):
    t = np.arange(count) / RATE
    base = random.choice([50, 60, 100, 120]) * random.uniform(0.99, 1.01)
    return sum(random.uniform(0, 1) / n * np.sin(2 * np.pi * (base * n * t + random.random())) for n in range(1, 20))


def chords(random, count):
    """Notes of random chords with attack and decay, a few harmonics each."""
    out, t = np.zeros(count), np.arange(count) / RATE
    place = 0
    while place < count:
        length = int(random.uniform(0.15, 1.0) * RATE)
        root = 110 * 2 ** (random.integers(0, 36) / 12)
        for step in random.choice([0, 3, 4, 5, 7, 9, 12], random.integers(1, 4), replace=False):
            end = min(count, place + 2 * length)
            s = t[:end - place]
            envelope = np.minimum(1, s * 100) * np.exp(-s * random.uniform(1, 6))
            note = root * 2 ** (step / 12)
            harmonics = [n for n in range(1, 6) if note * n < 7500]
            out[place:end] += envelope * sum(np.sin(2 * np.pi * note * n * s) / n**1.5 for n in harmonics)
        place += length
    return out


def clicks(random, count):
    """Keys, taps and knocks: short resonant bursts."""
    out = np.zeros(count)
    for place in random.integers(0, count - 4000, random.integers(5, 60)):
        s = np.arange(4000) / RATE
        burst = np.exp(-s * random.uniform(40, 400)) * (np.sin(2 * np.pi * random.uniform(100, 4000) * s)
                                                        + random.standard_normal(4000) * random.uniform(0, 1))
        out[place:place + 4000] += random.uniform(0.1, 1) * burst
    return out + 1e-3 * random.standard_normal(count)


def fan(random, count):
    out = coloured(random, 1, count)
    for _ in range(4):
        angle, radius = 2 * np.pi * random.uniform(80, 2500) / RATE, random.uniform(0.9, 0.995)
        out /= out.std()
        out += 3 * lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], out)
    return out * (1 + 0.3 * np.sin(2 * np.pi * random.uniform(0.2, 8) * np.arange(count) / RATE))


def babble(random, count, speech):
    samples, utterances = speech
    out = np.zeros(count)
    for _ in range(random.integers(3, 9)):
        place = int(-random.uniform(0, 3) * RATE)
        while place < count:
            u = utterances[random.integers(len(utterances))]
            voice = samples[u["offset"]:u["offset"] + u["length"]].astype(float)
            begin, end = max(0, place), min(count, place + len(voice))
            if end > begin:
                out[begin:end] += voice[begin - place:end - place] / (voice.std() + 1)
            place += len(voice) + int(random.uniform(0, 0.5) * RATE)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pcm", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--heldout", action="store_true")
    arguments = parser.parse_args()
    shard = sorted(arguments.pcm.glob("*.pcm"))[0]
    speech = np.memmap(shard, np.int16, "r"), [json.loads(line) for line in open(shard.with_suffix(".jsonl"))]
    kinds = {"babble": lambda r, n: babble(r, n, speech)}
    if arguments.heldout:
        kinds["fan"] = fan
    else:
        kinds |= {"white": lambda r, n: r.standard_normal(n), "pink": lambda r, n: coloured(r, 1, n),
                  "brown": lambda r, n: coloured(r, 2, n), "hum": hum, "chords": chords, "clicks": clicks}
    random = np.random.default_rng(arguments.seed)
    waves = {kind: np.stack([normal(make(random, SECONDS * RATE)) for _ in range(arguments.each)])
             for kind, make in kinds.items()}
    if arguments.heldout:
        np.savez(arguments.out, **{kind: (w * 3000).astype(np.int16) for kind, w in waves.items()})
    else:
        np.savez(arguments.out, **{kind: np.stack([log_mel(x * np.float32(0.1)) for x in w]).astype(np.float16)
                                   for kind, w in waves.items()})


def normal(x):
    return (x / (x.std() + 1e-9)).astype(np.float32)


if __name__ == "__main__":
    main()
