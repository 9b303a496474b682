"""Shards of speech -> shards of log-mel features: python3 features.py PCM_DIR OUT_DIR [--seed 1] [--clean] [--watch]

Features are the engine's (Sources/SpeechRecognition/Nemotron/MODEL.md, section 1), with 80 bands. Unless --clean, each
utterance is heard through a channel of its own: a longer or shorter vocal tract (VTLP, Jaitly and Hinton 2013: the
spectrum is warped), a room (an impulse response of exponentially decaying noise), a telephone (300-3400 Hz, mu-law)
or Opus, a narrow or tilted microphone. Noise, level and silence come later, anew whenever an utterance is drawn:
`windows.py`.

OUT_DIR/NAME.mel holds float16 [frames, 80]; OUT_DIR/NAME.json its utterances. With --watch, waits for new shards.
"""

import argparse
import io
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve, firwin, lfilter

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tools" / "convert"))
from nemotron_tables import mel_filters  # noqa: E402

RATE, HOP, WINDOW, FFT, BANDS = 16000, 160, 400, 512, 80
GUARD = 2.0**-24
# Rows of silence before and behind an utterance, so that words do not begin and end with the file.
LEAD_IN, LEAD_OUT = 5, 10
HANN = np.zeros(FFT, np.float32)
HANN[(FFT - WINDOW) // 2:(FFT + WINDOW) // 2] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
FILTERS = np.frombuffer(mel_filters(RATE, FFT, BANDS), np.float32).reshape(BANDS, FFT // 2 + 1)
TELEPHONE = firwin(129, (300, 3400), pass_zero=False, fs=RATE).astype(np.float32)


def power_spectrum(samples):
    """[len(samples) // 160, 257]: the power of each frame."""
    emphasised = np.append(samples[:1], samples[1:] - np.float32(0.97) * samples[:-1])
    padded = np.pad(emphasised, FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:len(samples) // HOP]
    spectrum = np.fft.rfft(frames * HANN)
    return (spectrum.real**2 + spectrum.imag**2).astype(np.float32)


def log_mel(samples, filters=FILTERS):
    """float32 samples in [-1, 1] at 16 kHz -> [frames, 80], natural logarithms."""
    return np.log(power_spectrum(samples) @ filters.T + np.float32(GUARD))


def warped_filters(factor):
    """Filters that hear every frequency `factor` times as high; beyond 4.8 kHz the warp bends back to reach 8 kHz."""
    bins = np.arange(FFT // 2 + 1)
    knee = 4800 * min(1, 1 / factor) / RATE * FFT
    top = FFT // 2
    to = np.where(bins <= knee, bins * factor, top - (top - knee * factor) * (top - bins) / (top - knee))
    # Where each bin's energy goes; split between the two bins that it falls between.
    low = np.clip(np.floor(to).astype(int), 0, top - 1)
    share = (to - low).astype(np.float32)
    return FILTERS[:, low] * (1 - share) + FILTERS[:, low + 1] * share


WARPS = [warped_filters(factor) for factor in np.linspace(0.84, 1.2, 19)]
STRAIGHT = 8  # the index of 1.0


def room(random, samples):
    """The utterance in a room of 0.1 to 0.6 s reverberation time, 0.5 to 10 times as much direct sound as echo."""
    decay = random.uniform(0.1, 0.6)
    length = int(decay * RATE)
    echo = random.standard_normal(length, np.float32) * np.exp(-6.9 * np.arange(length, dtype=np.float32) / length)
    echo[:int(random.uniform(0.001, 0.008) * RATE)] = 0
    echo *= np.float32(1 / np.sqrt(np.sum(echo**2) * 10 ** random.uniform(-0.3, 1.2)))
    echo[0] = 1
    return fftconvolve(samples, echo)[:len(samples)].astype(np.float32)


def telephone(samples):
    """300-3400 Hz, and mu-law as in ITU-T G.711 (mu = 255, 8 bits)."""
    x = lfilter(TELEPHONE, 1, samples)
    peak = np.abs(x).max() + 1e-6
    compressed = np.sign(x) * np.log1p(255 * np.abs(x) / peak) / np.log(256)
    coarse = np.round(compressed * 127) / 127
    return (np.sign(coarse) * np.expm1(np.abs(coarse) * np.log(256)) / 255 * peak).astype(np.float32)


def opus(random, samples):
    """Through Opus, as a browser's call has it, from the best to the worst quality that libsndfile offers."""
    import soundfile  # here, because training on a GPU does without it

    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="OGG", subtype="OPUS", compression_level=random.uniform(0.5, 1))
    file.seek(0)
    decoded = soundfile.read(file, dtype="float32")[0][:len(samples)]
    return np.pad(decoded, (0, len(samples) - len(decoded)))


def microphone(random, samples):
    """A random smooth frequency response, given at 24 points: within 12 dB, linear phase."""
    gains = 10 ** (np.cumsum(random.normal(0, 2.5, 24)) / 20)
    gains /= np.exp(np.log(gains).mean())
    response = np.interp(np.arange(129), np.linspace(0, 128, 24), np.clip(gains, 0.25, 4))
    kernel = np.fft.irfft(response)[np.r_[128:256, 0:128]] * np.hanning(256)
    return fftconvolve(samples, kernel, "same").astype(np.float32)


def heard(random, samples):
    """The utterance through a random channel -> log-mel."""
    if random.random() < 0.3:
        samples = room(random, samples)
    if random.random() < 0.4:
        samples = microphone(random, samples)
    codec = random.random()
    if codec < 0.15:
        samples = telephone(samples)
    elif codec < 0.3:
        samples = opus(random, samples)
    warp = STRAIGHT if random.random() < 0.25 else random.integers(len(WARPS))
    return log_mel(samples, WARPS[warp])


def convert(shard, out, seed, clean):
    samples = np.memmap(shard, np.int16, "r")
    random = np.random.default_rng([seed, *shard.stem.encode()])
    entries, frames = [], 0
    target = out / f"{shard.stem}-{seed}.mel"
    with open(f"{target}.tmp", "wb") as file:
        for line in open(shard.with_suffix(".jsonl")):
            utterance = json.loads(line)
            start, length = utterance["offset"], utterance["length"]
            speech = np.pad(samples[start:start + length].astype(np.float32) / 32768, (LEAD_IN * HOP, LEAD_OUT * HOP))
            mel = log_mel(speech) if clean else heard(random, speech)
            file.write(mel.astype(np.float16).tobytes())
            entries.append({"start": frames, "frames": len(mel), **{key: utterance[key] for key in ("voice", "text")}})
            frames += len(mel)
    json.dump(entries, open(f"{target}.json.tmp", "w"))
    os.replace(f"{target}.json.tmp", target.with_suffix(".json"))
    os.replace(f"{target}.tmp", target)
    return frames / 100 / 3600


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pcm", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--watch", action="store_true")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    while True:
        waiting = [shard for shard in sorted(arguments.pcm.glob("*.pcm")) if shard.with_suffix(".jsonl").exists()
                   and not (arguments.out / f"{shard.stem}-{arguments.seed}.mel").exists()]
        for shard in waiting:
            hours = convert(shard, arguments.out, arguments.seed, arguments.clean)
            print(f"{shard.stem}: {hours:.2f} h", flush=True)
        if not arguments.watch:
            return
        time.sleep(10)


if __name__ == "__main__":
    main()
