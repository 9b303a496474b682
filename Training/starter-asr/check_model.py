"""Holds model.py and features.py to NeMo's numbers: python3 check_model.py

Loads the tiny model of the engine's tests (Tests/SpeechRecognitionTests/Fixtures, made with NeMo 3.0.0 by
Reference/SpeechRecognition/make_golden.py) and compares log-mel, encoder frames at every lookahead, and tokens.
"""

from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.numpy import load_file

import features
from export import load
from model import Configuration, Recognizer

FIXTURES = Path(__file__).resolve().parents[2] / "Tests" / "SpeechRecognitionTests" / "Fixtures"
TINY = Configuration(feat_in=128, d_model=64, n_layers=2, n_heads=4, d_ff=256, subsampling_conv_channels=32,
                     left_context=28, vocab_size=65, pred_hidden=64, pred_rnn_layers=2, joint_hidden=64,
                     mel_mean=0, mel_deviation=1)


def loaded():
    model = Recognizer(TINY).eval()
    path = FIXTURES / "nemotron-tiny-f32.gguf"
    load(model, path)
    filters = next(t for t in gguf.GGUFReader(path).tensors if t.name == "preprocessor.fb")
    return model, np.array(filters.data, np.float32)


def main():
    golden = load_file(FIXTURES / "nemotron-golden.safetensors")
    model, filters = loaded()
    wanted = golden["mel"].T
    mel = features.log_mel(golden["audio"].astype(np.float32) / 32768, filters)
    worst = np.abs(mel - wanted[:len(mel)]).max()
    print(f"log-mel: largest difference {worst:.1e}")
    assert worst < 1e-3
    for lookahead in (0, 1, 3, 6, 13):
        frames = golden[f"R{lookahead}.enc"]
        with torch.no_grad():
            rows = 8 * (len(frames) - 1) + 1
            padded = torch.from_numpy(np.ascontiguousarray(wanted[:rows]))[None]
            padded = torch.nn.functional.pad(padded, (0, 0, 0, 8 * len(frames) - rows))
            encoded = model.encoder(padded, lookahead)
            worst = float((encoded[0] - torch.from_numpy(frames)).abs().max() / np.abs(frames).max())
            tokens = model.greedy(torch.from_numpy(frames)[None])[0]
        print(f"lookahead {lookahead}: largest difference of {len(frames)} frames {worst:.1e}, {len(tokens)} tokens")
        assert worst < 1e-4 and tokens == golden[f"R{lookahead}.tokens"].tolist()


if __name__ == "__main__":
    main()
