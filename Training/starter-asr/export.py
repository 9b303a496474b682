"""Writes a checkpoint as a GGUF file in NVIDIA's layout.

  python3 export.py RUN/last.pt OUT.gguf --tokenizer FILE [--type q8_0|f16|f32]

`load` goes the other way, so that training can go on from a model that was shipped.
"""

import argparse
import sys
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tools" / "convert"))
from element_types import FLOAT32, encode  # noqa: E402
from nemotron_layout import Model, writer  # noqa: E402


def model_name(name):
    """A parameter's name in the layout: `lstm.weight_ih_l0` is `lstm.ih_l0.weight` there."""
    head, _, tail = name.rpartition(".")
    if head.endswith("lstm"):
        part, _, place = tail.partition("_")
        return f"{head}.{place}.{part}"
    return name


def absorb_normalisation(weights, c):
    """Makes the first convolution take log-mel as it is: w (x - m) / d + b = (w / d) x + (b - m / d * sum of w)."""
    name = "encoder.pre_encode.conv.0"
    kernel = weights[f"{name}.weight"] / c["mel_deviation"]
    weights[f"{name}.bias"] = weights[f"{name}.bias"] - c["mel_mean"] * kernel.sum((1, 2, 3))
    weights[f"{name}.weight"] = kernel


@torch.no_grad()
def load(model, path):
    """Takes all weights that the file has; the heads that only training has stay as they are."""
    stored = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    for name, parameter in model.named_parameters():
        if name.split(".")[0] in ("encoder", "decoder", "joint"):
            tensor = stored[model_name(name)]
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            parameter.copy_(torch.from_numpy(np.array(values, np.float32)).view(parameter.shape))
    first, c = model.encoder.pre_encode.conv["0"], model.c
    first.bias += c.mel_mean * first.weight.sum((1, 2, 3))
    first.weight *= c.mel_deviation


def layout(c, tokenizer_file):
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer_file))
    return Model(name="Repartee starter, English", d_model=c["d_model"], n_layers=c["n_layers"], n_heads=c["n_heads"],
                 d_ff=c["d_ff"], left_context=c["left_context"], right_context=c["right_context"],
                 vocab_size=c["vocab_size"], pred_hidden=c["pred_hidden"], pred_rnn_layers=c["pred_rnn_layers"],
                 joint_hidden=c["joint_hidden"], conv_kernel_size=c["conv_kernel_size"],
                 subsampling_conv_channels=c["subsampling_conv_channels"], feat_in=c["feat_in"], pos_emb_max_len=512,
                 pieces=[tokenizer.id_to_piece(i) for i in range(tokenizer.vocab_size())],
                 sentencepiece=tokenizer_file.read_bytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--type", choices=("q8_0", "f16", "f32"), default="q8_0")
    arguments = parser.parse_args()
    saved = torch.load(arguments.checkpoint, weights_only=True)
    weights = {model_name(name): value.float() for name, value in saved["average"].items()}

    absorb_normalisation(weights, saved["configuration"])

    def values(name, shape, stored):
        return encode(weights[name].reshape(shape).numpy().tobytes(), FLOAT32, stored)

    writer(layout(saved["configuration"], arguments.tokenizer), arguments.type, values).write(arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
