"""Writes a Magpie TTS model with random weights, in NVIDIA's GGUF layout. Needs numpy. See MAGPIE.md.

  make_random_magpie.py OUT.gguf [--size full|tiny] [--seed 1] [--end-bias -8]

Full size is that of magpie_tts_multilingual_357m v2602 (F16). What is spoken is noise. The bias of the code that ends
speech decides how long: at -8 it never comes, and a text has as many frames as it may have. The same arguments give the
same file.
"""

import argparse
import zlib
from pathlib import Path

import numpy as np

from magpie_layout import F16, F32, I32, Model, tensors, writer

SIZES = {
    "full": dict(),
    "tiny": dict(width=64, feed_forward=128, positions=256, encoder_layers=2, encoder_heads=4, decoder_layers=3,
                 decoder_heads=4, cross_head_width=32, local_width=32, context=6),
}
# Standard deviation times the square root of the inputs: what each part adds stays small beside what it is added to, and
# scores are sharp enough to depend on everything that went in.
GAINS = {"qkv_net": 1.4, "kv_net": 1.4, "q_net": 1.4, "o_net": 0.7, "proj.conv": 1.2, "final_proj": 1.5,
         "in_projection": 1.0, "out_projections": 1.5}


class Weights:
    """Random values by name, the same whenever they are asked for; only one tensor is in memory at a time."""

    def __init__(self, model, seed, end_bias):
        self.model, self.seed, self.end_bias = model, seed, end_bias

    def __call__(self, name, shape, kind):
        if kind == I32:
            value = self.model.width if name.endswith("_D") else self.model.context
            return np.full(shape, value, "<i4").tobytes()
        return self.values(name, shape).astype({F16: "<f2", F32: "<f4"}[kind]).tobytes()

    def values(self, name, shape):
        x = np.random.default_rng([self.seed, zlib.crc32(name.encode())]).standard_normal(shape, dtype=np.float32)
        if "norm" in name:
            return 1 + x * np.float32(0.1)
        if name.endswith(".bias"):
            x *= np.float32(0.05)
            if "final_proj" in name or "out_projections" in name:
                x[self.model.codes + 1::self.model.audio_vocabulary] += np.float32(self.end_bias)
            return x
        if "embedding" in name:
            return x * np.float32(0.2 if "position" in name else 0.5)
        gain = next(gain for part, gain in GAINS.items() if part in name)
        taps = self.model.encoder_taps if name.startswith("encoder") and ".conv." in name else 1
        return x * np.float32(gain / np.sqrt(shape[-1] * taps))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--end-bias", type=float, default=-8.0)
    arguments = parser.parse_args()
    model = Model(name=f"random {arguments.size} Magpie", **SIZES[arguments.size])
    if arguments.size == "tiny":
        model.inference |= dict(estimate_alignment_from_layers=[0, 1], apply_prior_to_layers=[1, 2])
    writer(model, Weights(model, arguments.seed, arguments.end_bias)).write(arguments.out)
    print(f"{arguments.out}: {len(list(tensors(model)))} tensors, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
