"""Test folders as log-mel, to follow training by: python3 test_features.py FOLDER OUT.npz [--most 150]"""

import argparse
import wave
from pathlib import Path

import numpy as np

from features import log_mel


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--most", type=int, default=150)
    arguments = parser.parse_args()
    mels, texts = [], []
    for path in sorted(arguments.folder.glob("*.wav"), key=lambda path: path.stem[::-1])[:arguments.most]:
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
        mels.append(log_mel(np.pad(samples, (4000, 8000))))
        texts.append(path.with_suffix(".txt").read_text().strip())
    rows = -(-max(map(len, mels)) // 8) * 8
    padded = np.full((len(mels), rows, mels[0].shape[1]), -12, np.float16)
    for row, mel in zip(padded, mels):
        row[:len(mel)] = np.maximum(mel, -14)
    np.savez_compressed(arguments.out, mel=padded, texts=np.array(texts))


if __name__ == "__main__":
    main()
