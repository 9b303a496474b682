"""Training windows from waveforms, made on the device that trains: every window is new.

Utterances lie as int16 samples in the device's memory. A `Plan`, drawn on the host, says which utterances a window of 10.24 s holds,
where, and how much faster and higher each is played. The device then does what features.py and windows.py do on a host, but
sample by sample and anew each time: resampling, a room, a microphone, a telephone, noise, level, log-mel through warped vocal
tracts, masks.
"""

import json
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from features import BANDS, FFT, FILTERS, GUARD, HOP, RATE, WARPS, STRAIGHT, WINDOW

ROWS = 1024
SAMPLES = ROWS * HOP
SPECTRUM = 2**18  # long enough for a window and the room's echo behind it
BINS = SPECTRUM // 2 + 1
ECHO = int(0.6 * RATE)
MOST_UTTERANCES = 8
MOST_TOKENS = 80
TAPS = 8  # of the resampling filter


@dataclass
class Plan:
    """Where the utterances of some windows lie. Arrays are [windows, MOST_UTTERANCES], but for `tokens` [windows, MOST_TOKENS] and
    `lengths` [windows]."""

    source: np.ndarray  # the first sample in the corpus
    count: np.ndarray  # samples there; 0 for none
    place: np.ndarray  # the first sample in the window
    speed: np.ndarray  # source samples per sample: tempo, pitch and formants together
    gain: np.ndarray
    tokens: np.ndarray
    lengths: np.ndarray


class Index:
    """What a planner knows about the utterances so far: places, lengths and tokens."""

    def __init__(self):
        self.starts, self.counts, self.tokens = [], [], []

    def add(self, starts, counts, tokens):
        self.starts += starts
        self.counts += counts
        self.tokens += tokens

    def plan(self, seed, windows):
        random = np.random.default_rng(seed)
        shape = (windows, MOST_UTTERANCES)
        plan = Plan(np.zeros(shape, np.int64), np.zeros(shape, np.int32), np.full(shape, SAMPLES, np.int32), np.ones(shape, np.float32),
                    np.ones(shape, np.float32), np.zeros((windows, MOST_TOKENS), np.int64), np.zeros(windows, np.int64))
        tries = 3 * MOST_UTTERANCES
        drawn = random.integers(len(self.starts), size=(windows, tries)).tolist()
        speeds = np.exp(random.uniform(math.log(0.85), math.log(1.18), (windows, tries))).tolist()
        gaps = (random.exponential(0.3 * RATE, (windows, tries + 1)) + 0.04 * RATE).astype(int).tolist()
        stops = (random.random((windows, tries)) < 0.1).tolist()
        empty = random.random(windows) < 0.02
        plan.gain[:] = 10 ** (random.uniform(-4, 4, shape) / 20)
        for window in np.flatnonzero(~empty).tolist():
            place, told, filled = gaps[window][tries], 0, 0
            for draw in range(tries):
                u, speed = drawn[window][draw], speeds[window][draw]
                length = int(self.counts[u] / speed)
                tokens = self.tokens[u]
                if place + length > SAMPLES - 0.1 * RATE or told + len(tokens) > MOST_TOKENS or not fits(tokens, length):
                    continue
                plan.source[window, filled], plan.count[window, filled] = self.starts[u], self.counts[u]
                plan.place[window, filled], plan.speed[window, filled] = place, speed
                plan.tokens[window, told:told + len(tokens)] = tokens
                told, filled, place = told + len(tokens), filled + 1, place + length + gaps[window][draw]
                if filled == MOST_UTTERANCES or stops[window][draw]:
                    break
            plan.lengths[window] = told
        return plan


def fits(tokens, length):
    """CTC needs a frame per token, and one more between equal ones."""
    return len(tokens) + int((tokens[1:] == tokens[:-1]).sum()) < length // (8 * HOP)


class Corpus:
    """The samples of all shards that `synthesise.py` has finished, on the device."""

    def __init__(self, device, hours, tokenizer):
        self.samples = torch.zeros(int(hours * 3600 * RATE), dtype=torch.int16, device=device)
        self.used, self.tokenizer, self.seen = 0, tokenizer, set()

    def take_up(self, folders):
        """Loads new shards; returns (starts, counts, tokens) of their utterances."""
        starts, counts, tokens = [], [], []
        for index in sorted(path for folder in folders for path in folder.glob("*.jsonl")):
            if index in self.seen:
                continue
            self.seen.add(index)
            samples = np.fromfile(index.with_suffix(".pcm"), np.int16)
            if self.used + len(samples) > len(self.samples):
                break
            self.samples[self.used:self.used + len(samples)] = torch.from_numpy(samples).to(self.samples.device)
            for line in open(index, encoding="utf-8"):
                u = json.loads(line)
                starts.append(self.used + u["offset"])
                counts.append(u["length"])
                tokens.append(np.array(self.tokenizer.encode(u["text"]), np.int64))
            self.used += len(samples)
        return starts, counts, tokens

    @property
    def hours(self):
        return self.used / RATE / 3600


def assemble(samples, source, count, place, speed, gain):
    """[windows, SAMPLES] float32 in [-1, 1], and where utterances are: played at their speed through a windowed sinc of TAPS taps."""
    at = torch.arange(SAMPLES, device=samples.device, dtype=torch.int32).unsqueeze(0)
    which = sum((at >= place[:, k:k + 1]).to(torch.int64) for k in range(1, MOST_UTTERANCES))
    first, total = source.gather(1, which), count.gather(1, which)
    rate, loud = speed.gather(1, which), gain.gather(1, which)
    position = (at - place.gather(1, which)).to(torch.float32) * rate
    inside = (position >= 0) & (position < total)
    whole = torch.floor(position)
    fraction = position - whole
    cutoff = (1 / rate).clamp(max=1) * 0.97
    out = torch.zeros_like(position)
    for tap in range(1 - TAPS // 2, TAPS // 2 + 1):
        distance = tap - fraction
        kernel = cutoff * torch.sinc(distance * cutoff) * (0.5 + 0.5 * torch.cos(distance * (2 * math.pi / TAPS)))
        index = whole.to(torch.int64) + tap
        there = inside & (index >= 0) & (index < total)
        value = samples[torch.where(there, first + index, 0)].to(torch.float32)
        out = out + torch.where(there, value * kernel, 0.0)
    return out * loud / 32768, inside


class Studio:
    """Everything between utterances and log-mel."""

    def __init__(self, device, seed, compiled):
        self.device = device
        self.random = torch.Generator(device).manual_seed(seed)
        self.warps = torch.from_numpy(np.stack(WARPS)).to(device).transpose(1, 2).contiguous()
        self.window = torch.from_numpy(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))).float().to(device)
        self.frequencies = torch.linspace(0, RATE / 2, BINS, device=device)
        self.assemble = torch.compile(assemble, dynamic=False) if compiled else assemble

    def uniform(self, low, high, *shape):
        return torch.rand(shape, generator=self.random, device=self.device) * (high - low) + low

    def chance(self, share, count):
        return self.uniform(0, 1, count, 1) < share

    def normal(self, *shape):
        return torch.randn(shape, generator=self.random, device=self.device)

    @torch.no_grad()
    def log_mel(self, samples, filters):
        """[windows, SAMPLES] -> [windows, ROWS, BANDS]; `filters` [FFT / 2 + 1, BANDS], or one for each window."""
        emphasised = torch.cat((samples[:, :1], samples[:, 1:] - 0.97 * samples[:, :-1]), 1)
        spectrum = torch.stft(emphasised, FFT, HOP, WINDOW, self.window, center=True, pad_mode="constant", return_complex=True)
        power = spectrum.real**2 + spectrum.imag**2
        return torch.log(power[..., :ROWS].transpose(1, 2) @ filters + GUARD)

    @torch.no_grad()
    def record(self, corpus, plan, difficulty):
        """The plan's windows as log-mel [windows, ROWS, BANDS]; `difficulty` from 0, clean speech, to 1."""
        parts = [torch.from_numpy(part).to(self.device, non_blocking=True)
                 for part in (plan.source, plan.count, plan.place, plan.speed, plan.gain)]
        dry, spoken = self.assemble(corpus.samples, *parts)
        wet = self.through_room_and_microphone(dry)
        loud = ((wet**2 * spoken).sum(1, keepdim=True) / spoken.sum(1, keepdim=True).clamp(min=1)).sqrt()
        # Windows without speech hear noise about as loud as speech would be.
        loud = torch.where(spoken.any(1, keepdim=True), loud, 0.05)
        count = len(dry)
        drawn = self.uniform(0, 1, count, 1)
        noisy = self.uniform(40 - 38 * difficulty, 40, count, 1)
        ratio = torch.where(drawn < 0.6 * difficulty, noisy, self.uniform(35, 60, count, 1))
        noise = self.noise(dry)
        sound = wet + noise * loud * 10 ** (-ratio / 20) * (drawn < 0.85)
        sound = sound * (10 ** (self.uniform(-26, 3, count, 1) / 20) * 0.1 / loud.clamp(min=1e-4))
        # A converter's own noise: never the exact silence that no microphone gives.
        sound = self.telephone(sound) + self.normal(count, SAMPLES) * 10 ** (-self.uniform(75, 95, count, 1) / 20)
        warps = torch.randint(len(WARPS), (count,), generator=self.random, device=self.device)
        warps = torch.where(self.chance(0.25, count)[:, 0], STRAIGHT, warps)
        mel = self.log_mel(sound, self.warps[warps])
        return self.masked(mel, self.chance(0.8 * difficulty, count))

    def curve(self, count, points, deviation):
        """[count, BINS]: the exponential of a random walk over the frequencies, in decibels `deviation` a step."""
        walk = torch.cumsum(self.normal(count, points) * deviation, 1)
        walk = (walk - walk.mean(1, keepdim=True)).clamp(-24, 24)
        return 10 ** (F.interpolate(walk.unsqueeze(1), BINS, mode="linear", align_corners=True)[:, 0] / 20)

    def through_room_and_microphone(self, dry):
        """Rooms of 0.1 to 0.6 s reverberation time for a third of the windows, and frequency responses for half of them."""
        count = len(dry)
        time = torch.arange(ECHO, device=self.device)
        length = self.uniform(0.1, 0.6, count, 1) * RATE
        echo = self.normal(count, ECHO) * torch.exp(-6.9 * time / length) * (time < length)
        echo = echo * (time > self.uniform(0.001, 0.008, count, 1) * RATE)
        energy = (echo**2).sum(1, keepdim=True) * 10 ** self.uniform(-0.3, 1.2, count, 1)
        echo = echo / energy.clamp(min=1e-9).sqrt() * self.chance(0.35, count)
        echo[:, 0] = 1
        response = torch.where(self.chance(0.5, count), self.curve(count, 24, 2.5), 1.0)
        # Some microphones hear nothing above 3.5 to 8 kHz.
        edge = torch.where(self.chance(0.1, count), self.uniform(3500, 8000, count, 1), 1e5)
        response = response * torch.sigmoid((edge - self.frequencies) / 60)
        spectrum = torch.fft.rfft(dry, SPECTRUM) * torch.fft.rfft(echo, SPECTRUM) * response
        return torch.fft.irfft(spectrum, SPECTRUM)[:, :SAMPLES]

    def noise(self, dry):
        """[windows, SAMPLES] with a root mean square of 1: coloured noise, babble, clicks and hum, swelling or steady."""
        count = len(dry)
        kind = self.uniform(0, 1, count, 1)
        source = self.normal(count, SAMPLES)
        sparse = source * (self.uniform(0, 1, count, SAMPLES) < 10 ** self.uniform(-4.5, -3, count, 1)) * 30
        source = torch.where(kind < 0.15, sparse, source)
        # Babble: other windows, mixed.
        others = self.uniform(0, 1, count, count)
        others = torch.where(others < torch.clamp(self.uniform(1, 8, count, 1) / count, max=0.5), others * count / 4 + 0.3, 0.0)
        others.fill_diagonal_(0)
        crowd = others @ torch.roll(dry, int(SAMPLES * float(np.random.default_rng(count).random())), 1)
        crowd = crowd / (crowd.std(1, keepdim=True) + 1e-5)
        babble = (kind > 0.7).float()
        source = source * (1 - babble) + crowd * babble
        shape = torch.where(kind > 0.7, self.curve(count, 24, 1.0), self.curve(count, 24, 5.0) * self.tilt(count))
        out = torch.fft.irfft(torch.fft.rfft(source, SPECTRUM) * shape, SPECTRUM)[:, :SAMPLES]
        out = out / (out.std(1, keepdim=True) + 1e-6)
        tones = max(1, count // 8)
        out[:tones] = out[:tones] * 0.1 + self.tones(tones)
        swell = F.interpolate(torch.exp(self.normal(count, 1, 24) * self.uniform(0, 0.8, count, 1, 1)), SAMPLES, mode="linear")[:, 0]
        out = out * swell
        out = out / (out.std(1, keepdim=True) + 1e-6)
        # The first windows have the tones, whoever speaks in them.
        return out[torch.randperm(count, generator=self.random, device=self.device)]

    def tilt(self, count):
        """White, pink, brown and between."""
        return (self.frequencies.clamp(min=40) / 1000) ** -self.uniform(0, 1, count, 1)

    def tones(self, count):
        """Hum, drones and chords: harmonics of three notes that change now and then, root mean square 1."""
        steps = 12
        notes = 55 * 2 ** (self.uniform(0, 48, count, 3, steps) / 12)
        hum = self.chance(0.4, count).unsqueeze(-1)
        notes = torch.where(hum, notes[..., :1].clamp(max=130).expand_as(notes), notes)
        pitch = F.interpolate(notes, SAMPLES, mode="nearest")
        phase = torch.cumsum(pitch.double() / RATE, -1)
        out = torch.zeros(count, SAMPLES, device=self.device)
        for harmonic in range(1, 9):
            strength = self.uniform(0, 1, count, 3, 1) / harmonic**0.7
            audible = pitch * harmonic < 7500
            out += (torch.sin(2 * math.pi * torch.frac(phase * harmonic).float()) * strength * audible).sum(1)
        return out / (out.std(1, keepdim=True) + 1e-6)

    def telephone(self, sound):
        """300-3400 Hz and mu-law (ITU-T G.711, mu = 255) for one window in seven."""
        few = max(1, len(sound) // 7)
        order = torch.randperm(len(sound), generator=self.random, device=self.device)[:few]
        x = sound[order]
        low, high = self.uniform(150, 350, few, 1), self.uniform(3200, 3700, few, 1)
        band = torch.sigmoid((self.frequencies - low) / 25) * torch.sigmoid((high - self.frequencies) / 50)
        x = torch.fft.irfft(torch.fft.rfft(x, SPECTRUM) * band, SPECTRUM)[:, :SAMPLES]
        peak = x.abs().amax(1, keepdim=True) + 1e-6
        compressed = torch.sign(x) * torch.log1p(255 * x.abs() / peak) / math.log(256)
        coarse = torch.round(compressed * 127) / 127
        x = torch.sign(coarse) * torch.expm1(coarse.abs() * math.log(256)) / 255 * peak
        return sound.index_copy(0, order, x)

    def masked(self, mel, which):
        """SpecAugment (Park et al. 2019): two bands and four moments replaced by the mean, where `which` [windows, 1] says."""
        count = len(mel)
        mean = mel.mean((1, 2), keepdim=True)
        hidden = torch.zeros(count, ROWS, BANDS, dtype=torch.bool, device=self.device)
        for axis, size, widest, times in ((2, BANDS, 14, 2), (1, ROWS, 30, 4)):
            at = torch.arange(size, device=self.device)
            for _ in range(times):
                width = self.uniform(0, widest, count, 1)
                low = self.uniform(0, 1, count, 1) * (size - width)
                band = (at >= low) & (at < low + width) & which
                hidden |= band.unsqueeze(1 if axis == 2 else 2)
        return torch.where(hidden, mean, mel)
