"""Writes a NanoCodec decoder with random weights, in NVIDIA's GGUF layout. Needs numpy. See CODEC.md.

  make_random_codec.py OUT.gguf [--size full|tiny] [--seed 1]

Full size is that of nemo-nano-codec-22khz-1.89kbps-21.5fps. What is decoded is noise; it takes as long as sound does. The
same arguments give the same file.
"""

import argparse
import zlib
from pathlib import Path

import numpy as np

from codec_layout import Codec, dense, tensors, writer

CHANNELS = {"full": 864, "tiny": 96}


class Weights:
    """Random values by name, the same whenever they are asked for; only one tensor is in memory at a time."""

    def __init__(self, codec, seed):
        self.seed = seed
        self.shapes = {name: shape for name, shape, _ in tensors(codec)}

    def __call__(self, name):
        shape = self.shapes[name]
        if name.endswith("alpha_inv"):
            return 1 / (self(name.removesuffix("_inv")) + 1e-9)
        random = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        if name.startswith("dec.up") and name.endswith(".w"):
            return dense(random.normal(0, 0.5, (shape[0], shape[2])))
        x = random.standard_normal(shape)
        if name.endswith("alpha"):
            return np.exp(0.3 * x).astype(np.float32)
        if name.endswith(".b"):
            return 0.02 * x
        # Residuals are small, so that the sound stays within bounds.
        gain = 0.4 if name.endswith("sc.w") else 0.2 if name.startswith("dec.post") else 1
        return gain * x / np.sqrt(shape[1] * shape[2])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", choices=CHANNELS, default="full")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    codec = Codec(f"random {arguments.size} NanoCodec decoder", channels=CHANNELS[arguments.size])
    writer(codec, Weights(codec, arguments.seed)).write(arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
