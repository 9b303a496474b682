"""VITS as a Piper voice runs it, in numpy and double precision, from the tensors of our GGUF layout. See PIPER.md.

Written from the papers and jaywalnut310/vits @ 2e561ba; `make_piper_golden.py` checks it against onnxruntime on a released voice.
Arrays are [channels, columns].
"""

import math

import numpy as np


def splitmix(seed, count):
    """The first numbers of SplitMix64 (Steele, Lea and Flood 2014, figure 14)."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, count + 1, dtype=np.uint64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def gaussian(seed, count):
    """The normal deviates that the engine draws (Box and Muller 1958)."""
    uniform = (splitmix(seed, count + count % 2) >> np.uint64(11)).astype(np.float64) / 2**53
    radius, angle = np.sqrt(-2 * np.log(1 - uniform[0::2])), 2 * np.pi * uniform[1::2]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return pairs.reshape(-1)[:count].astype(np.float32)


def numbers(h, phonemes):
    """A sentence's symbols as numbers: the beginning, each symbol followed by the padding, the end."""
    ids = [h["begin_id"], h["pad_id"]]
    for phoneme in phonemes:
        ids += [h["symbol_ids"][h["symbols"].index(phoneme)], h["pad_id"]]
    return ids + [h["end_id"]]


class Voice:
    """`h` has the metadata without the prefix `piper.`, `tensors` arrays in the order of the file, slowest dimension first."""

    def __init__(self, h, tensors):
        self.h = h
        self.t = {name: np.asarray(values, np.float64) for name, values in tensors.items()}

    def convolve(self, x, name, dilation=1):
        """A centred convolution; zeros beyond the ends."""
        weight = self.t[f"{name}.weight"]
        bias = self.t.get(f"{name}.bias", np.zeros(weight.shape[0]))
        taps = weight.shape[2]
        reach = (taps - 1) // 2 * dilation
        padded = np.pad(x, ((0, 0), (reach, reach)))
        return bias[:, None] + sum(weight[:, :, k] @ padded[:, k * dilation:k * dilation + x.shape[1]] for k in range(taps))

    def norm(self, x, name):
        x = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
        return x * self.t[f"{name}.weight"][:, None] + self.t[f"{name}.bias"][:, None]

    # The text encoder.

    def layer(self, x, i):
        h, name, width, count = self.h, f"text.{i}", x.shape[0], x.shape[1]
        heads, window = h["text.heads"], h["text.window"]
        q, k, v = (self.convolve(x, f"{name}.{part}").reshape(heads, width // heads, count) for part in "qkv")
        q = q / math.sqrt(width // heads)
        keys, values = self.t[f"{name}.near_keys"], self.t[f"{name}.near_values"].T
        scores = np.einsum("hdi,hdj->hij", q, k)
        near = np.einsum("hdi,rd->hir", q, keys)
        for r in range(2 * window + 1):
            for i_ in range(count):
                if 0 <= i_ + r - window < count:
                    scores[:, i_, i_ + r - window] += near[:, i_, r]
        shares = np.exp(scores - scores.max(2, keepdims=True))
        shares /= shares.sum(2, keepdims=True)
        out = np.einsum("hij,hdj->hdi", shares, v)
        for r in range(2 * window + 1):
            for i_ in range(count):
                if 0 <= i_ + r - window < count:
                    out[:, :, i_] += shares[:, i_, i_ + r - window, None] * values[r]
        x = self.norm(x + self.convolve(out.reshape(width, count), f"{name}.o"), f"{name}.norm1")
        inner = np.maximum(self.convolve(x, f"{name}.ff1"), 0)
        return self.norm(x + self.convolve(inner, f"{name}.ff2"), f"{name}.norm2")

    def encode(self, ids):
        """The text's vectors, means and logarithms of deviations."""
        x = self.t["text.embedding"][np.asarray(ids)].T * math.sqrt(self.h["width"])
        for i in range(self.h["text.layers"]):
            x = self.layer(x, i)
        return x, self.convolve(x, "text.mean"), self.convolve(x, "text.deviation")

    # Durations.

    def separable(self, x, name):
        taps, dilation = self.h["duration.taps"], 1
        for i in range(self.h["duration.layers"]):
            part, reach = f"{name}.{i}", (taps - 1) // 2 * dilation
            padded = np.pad(x, ((0, 0), (reach, reach)))
            kernel = self.t[f"{part}.depthwise.weight"]
            y = self.t[f"{part}.depthwise.bias"][:, None] + sum(
                kernel[k][:, None] * padded[:, k * dilation:k * dilation + x.shape[1]] for k in range(taps))
            y = gelu(self.norm(y, f"{part}.norm1"))
            x = x + gelu(self.norm(self.convolve(y, f"{part}.pointwise"), f"{part}.norm2"))
            dilation *= taps
        return x

    def logarithms(self, text, noise):
        """Logarithms of durations; noise has two rows."""
        h = self.h
        condition = self.convolve(self.separable(self.convolve(text, "duration.pre"), "duration"), "duration.proj")
        first, second = (np.asarray(row, np.float64) for row in noise)
        for i in range(h["duration.flows"]):
            first, second = second, first
            name = f"duration.flow.{i}"
            x = self.separable(self.convolve(first[None], f"{name}.pre") + condition, name)
            second = spline(self.convolve(x, f"{name}.proj"), second, h["duration.bins"], h["duration.tail"], h["width"])
        return (second - self.t["duration.shift"][0]) * self.t["duration.scale"][0]

    # Sound.

    def flow(self, z):
        h, half = self.h, self.h["width"] // 2
        parts = [z[:half], z[half:]]
        for i in range(h["flow.couplings"]):
            target, source = i % 2, 1 - i % 2
            name, x, total = f"flow.{i}", self.convolve(parts[source], f"flow.{i}.pre"), 0
            for j, dilation in enumerate(h["flow.dilations"]):
                inner = self.convolve(x, f"{name}.{j}.in", dilation)
                gated = np.tanh(inner[:2 * half]) / (1 + np.exp(-inner[2 * half:]))
                total = total + self.convolve(gated, f"{name}.{j}.skip")
                if j + 1 < h["flow.layers"]:
                    x = x + self.convolve(gated, f"{name}.{j}.residual")
            parts[target] = parts[target] - self.convolve(total, f"{name}.post")
        return np.concatenate(parts)

    def decode(self, z):
        h = self.h
        x = self.convolve(z, "decoder.pre")
        for i, rate in enumerate(h["decoder.rates"]):
            x = self.upsample(leaky(x, h["decoder.slope"]), i, rate)
            depth, total = h["decoder.block_depth"], 0
            for j in range(len(h["decoder.block_taps"])):
                y = x
                for k in range(depth):
                    dilation = h["decoder.block_dilations"][j * depth + k]
                    y = y + self.convolve(leaky(y, h["decoder.slope"]), f"decoder.{i}.block.{j}.{k}", dilation)
                total = total + y
            x = total / len(h["decoder.block_taps"])
        return np.tanh(self.convolve(leaky(x, h["decoder.last_slope"]), "decoder.post"))[0]

    def upsample(self, x, stage, rate):
        weight, bias = self.t[f"decoder.{stage}.up.weight"], self.t[f"decoder.{stage}.up.bias"]
        earlier, later = np.pad(x, ((0, 0), (1, 0))), np.pad(x, ((0, 0), (0, 1)))
        phases = weight[:, :, 0] @ earlier + weight[:, :, 1] @ later
        y = phases.reshape(rate, len(bias), -1).transpose(1, 2, 0).reshape(len(bias), -1) + bias[:, None]
        return y[:, rate // 2:rate // 2 + rate * x.shape[1]]

    def speak(self, ids, seed):
        """Every stage of a sentence, as the engine computes it with this seed."""
        h, count = self.h, len(ids)
        random = gaussian(seed, 2 * count)
        text, means, deviations = self.encode(ids)
        logarithms = self.logarithms(text, random.reshape(2, count) * np.float32(h["noise_w"]))
        exact = np.exp(logarithms) * h["length_scale"]
        durations = np.ceil(exact).astype(int)
        frames = int(durations.sum())
        noise = gaussian(seed, 2 * count + frames * h["width"])[2 * count:].reshape(frames, h["width"]).T
        symbols = np.repeat(np.arange(count), durations)
        z = means[:, symbols] + np.exp(deviations[:, symbols]) * noise * h["noise_scale"]
        flowed = self.flow(z)
        return {"text": text, "means": means, "deviations": deviations, "logarithms": logarithms, "exact": exact,
                "durations": durations, "noise": noise, "frames": flowed, "samples": self.decode(flowed)}


def leaky(x, slope):
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def spline(parameters, values, bins, tail, width):
    """The inverse of a monotonic rational quadratic spline at each value (arXiv 1906.04032, appendix A.2)."""
    def borders(logits):
        shares = np.exp(logits - logits.max(0))
        shares = 1e-3 + (1 - 1e-3 * bins) * shares / shares.sum(0)
        edges = np.concatenate([np.zeros((1, shares.shape[1])), np.cumsum(shares, 0)]) * 2 * tail - tail
        edges[-1] = tail
        return edges

    x, y = borders(parameters[:bins] / math.sqrt(width)), borders(parameters[bins:2 * bins] / math.sqrt(width))
    inner = 1e-3 + np.logaddexp(0, parameters[2 * bins:])
    ends = np.ones((1, inner.shape[1]))
    slopes = np.concatenate([ends, inner, ends])
    out = values.copy()
    for i, value in enumerate(values):
        if abs(value) > tail:
            continue
        b = min(int((y[:, i] <= value).sum()) - 1, bins - 1)
        w, high = x[b + 1, i] - x[b, i], y[b + 1, i] - y[b, i]
        slope, rise = high / w, value - y[b, i]
        bend = slopes[b, i] + slopes[b + 1, i] - 2 * slope
        qa, qb, qc = rise * bend + high * (slope - slopes[b, i]), high * slopes[b, i] - rise * bend, -slope * rise
        out[i] = 2 * qc / (-qb - math.sqrt(qb * qb - 4 * qa * qc)) * w + x[b, i]
    return out
