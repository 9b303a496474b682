"""Golden data for the resampler: scipy's resample_poly with a filter designed here, and soxr as a second opinion.

    pip install numpy scipy soxr
    python3 Reference/Audio/resampler_goldens.py Tests/AudioTests/Fixtures

Writes `noise.f32` (400 samples of white noise) and, for each pair of rates, `resampler_IN_OUT.f32` with three runs of
little-endian float32, whose lengths follow from the rates:
  1. resample_poly of the noise with the Kaiser-windowed sinc that PolyphaseFilter documents, designed here from numpy's
     own functions. Must agree to float rounding.
  2. a 40 ms sweep below 0.85 of the lower Nyquist frequency, faded in and out, at the input rate;
  3. the same as soxr VHQ converts it. Must agree to the pass band's ripple: delay, gain and count are right.
"""
import sys
from math import gcd, ceil

import numpy as np
import scipy.signal as sig
import soxr

PAIRS = [(8000, 16000), (16000, 8000), (16000, 48000), (48000, 16000), (24000, 16000), (44100, 16000), (16000, 22050),
         (11025, 48000), (96000, 44100)]
REACH, ATTENUATION, PASS = 40, 72.0, 0.9


def prototype(up, down):
    """Sampled at up * input rate; odd length, symmetric."""
    low = min(1.0, up / down)
    half = ceil(REACH / low * up)
    t = np.arange(-half, half + 1) / up  # input samples
    beta = sig.kaiser_beta(ATTENUATION)
    transition = (ATTENUATION - 7.95) / (14.36 * 2 * REACH)  # cycles per sample of the lower rate
    cutoff = low * (PASS / 2 + transition / 2)
    inside = np.clip(1 - (t / (REACH / low)) ** 2, 0, None)
    h = np.sinc(2 * cutoff * t) * np.i0(beta * np.sqrt(inside)) / np.i0(beta)
    h[np.abs(t) >= REACH / low] = 0
    for phase in range(up):  # each phase passes a constant unchanged
        h[(half + phase) % up::up] /= h[(half + phase) % up::up].sum()
    return h


def main(folder):
    rng = np.random.default_rng(7)
    noise = rng.uniform(-0.5, 0.5, 400).astype(np.float32)
    noise.astype("<f4").tofile(f"{folder}/noise.f32")
    for a, b in PAIRS:
        up, down = b // gcd(a, b), a // gcd(a, b)
        y = sig.resample_poly(noise.astype(np.float64), up, down, window=prototype(up, down) / up)
        assert len(y) == -(-400 * up // down)
        n = a * 40 // 1000
        t = np.arange(n) / a
        chirp = 0.5 * sig.chirp(t, 100, 0.04, 0.85 * min(a, b) / 2) * sig.windows.tukey(n, 0.5)
        expected = soxr.resample(chirp, a, b, quality="VHQ")
        np.concatenate([y, chirp, expected]).astype("<f4").tofile(f"{folder}/resampler_{a}_{b}.f32")


main(sys.argv[1])
