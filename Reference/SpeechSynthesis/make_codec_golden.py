"""Makes the golden data of the NanoCodec decoder with NeMo 3.0.0, and the tiny model that belongs to it. See CODEC.md.

  make_codec_golden.py --out FOLDER [--seed 11]

Writes codec-tiny.gguf and codec-golden.safetensors. Weights are rounded to the file's types before NeMo computes with them.
"""

import argparse
import json
import math
import struct
from pathlib import Path

import numpy as np
import torch
from nemo.collections.tts.modules import audio_codec_modules as nemo

from codec_layout import Codec, dense, writer

# The last stage has three channels: one goes through the snake, two through the leaky ReLU.
CODEC = Codec("tiny random NanoCodec decoder", levels=[5, 4, 3, 2], channels=96)
FRAMES = 26
# Above 1, so that some samples are clamped.
PEAK = 1.3


def parts(decoder):
    """Pairs of a name in the file and NeMo's module, convolutions and activations apart."""
    convolutions = {"dec.pre": decoder.pre_conv, "dec.post": decoder.post_conv}
    activations = {"dec.post_act": decoder.post_activation}
    for stage, activation in enumerate(decoder.activations):
        activations[f"dec.act.{stage}"] = activation
        convolutions[f"dec.up.{stage}"] = decoder.up_sample_conv_layers[stage]
        for stack, blocks in enumerate(decoder.res_layers[stage].res_blocks):
            for index, block in enumerate(blocks.res_blocks):
                name = f"dec.res.{stage}.{stack}.{index}"
                convolutions |= {f"{name}.ic": block.input_conv, f"{name}.sc": block.skip_conv}
                activations |= {f"{name}.ia": block.input_activation, f"{name}.sa": block.skip_activation}
    return convolutions, activations


def rounded(x):
    return torch.from_numpy(x.numpy().astype(np.float16).astype(np.float32))


@torch.no_grad()
def make_decoder(seed):
    torch.manual_seed(seed)
    decoder = nemo.CausalHiFiGANDecoder(
        input_dim=CODEC.latents, up_sample_rates=CODEC.rates, base_channels=CODEC.channels,
        in_kernel_size=CODEC.first_taps, out_kernel_size=CODEC.last_taps, resblock_kernel_sizes=CODEC.kernels,
        resblock_dilation_sizes=CODEC.dilations, activation="half_snake", output_activation="clamp", pad_mode="zeros",
        n_groups_equal_to_out_channels=True).requires_grad_(False).eval()
    for module in list(decoder.modules()):
        # The file has plain weights: what weight normalisation computes.
        if isinstance(module, (torch.nn.Conv1d, torch.nn.ConvTranspose1d)):
            torch.nn.utils.parametrize.remove_parametrizations(module, "weight")
    convolutions, activations = parts(decoder)
    for activation in activations.values():
        alpha = activation.activation.snake_act.alpha
        alpha.copy_(torch.exp(0.3 * torch.randn(alpha.shape)))
    for name, module in convolutions.items():
        weight, bias = module.conv.weight, module.conv.bias
        inputs = math.prod(weight.shape[1:])
        # An output of an upsampling sees two inputs in two columns.
        gain = 0.6 if ".up." in name else math.sqrt((0.3 if name.endswith("sc") else 1.0) / inputs)
        weight.copy_(rounded(gain * torch.randn(weight.shape)))
        bias.copy_(0.05 * torch.randn(bias.shape))
    return decoder


@torch.no_grad()
def run(decoder, latents):
    """The samples of `latents` (channels, frames), those before the clamp, and the output of every stage."""
    stages, hooks, raw = {}, [], []

    def keep(name, module):
        hooks.append(module.register_forward_hook(lambda _, __, output: stages.update({name: output[0].T})))

    keep("pre", decoder.pre_conv)
    for stage in range(len(CODEC.rates)):
        keep(f"up{stage}", decoder.up_sample_conv_layers[stage])
        keep(f"res{stage}", decoder.res_layers[stage])
    hooks.append(decoder.post_conv.register_forward_hook(lambda _, __, output: raw.append(output.flatten())))
    samples, _ = decoder(inputs=latents[None], input_len=torch.tensor([latents.shape[1]]))
    for hook in hooks:
        hook.remove()
    return samples[0], raw[0], stages


@torch.no_grad()
def scale(decoder, latents):
    """Makes the loudest sample of `latents` PEAK."""
    factor = PEAK / run(decoder, latents)[1].abs().max()
    decoder.post_conv.conv.weight.copy_(rounded(decoder.post_conv.conv.weight * factor))
    decoder.post_conv.conv.bias.mul_(factor)


def file_values(decoder):
    values = {}
    convolutions, activations = parts(decoder)
    for name, module in convolutions.items():
        weight = module.conv.weight.numpy()
        values[f"{name}.w"] = dense(weight[:, 0]) if ".up." in name else weight
        values[f"{name}.b"] = module.conv.bias.numpy()
    for name, activation in activations.items():
        alpha = activation.activation.snake_act.alpha.numpy()
        values[f"{name}.alpha"], values[f"{name}.alpha_inv"] = alpha, 1 / (alpha + 1e-9)
    return values


def write_arrays(path, arrays):
    codes, header, data = {"float32": "F32", "int32": "I32"}, {}, bytearray()
    for name, values in arrays.items():
        values = np.ascontiguousarray(values)
        header[name] = {"dtype": codes[str(values.dtype)], "shape": list(values.shape),
                        "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    print(f"{path}: {len(arrays)} arrays, {path.stat().st_size} bytes")


def official_values():
    """What each code of the released codec stands for."""
    quantizer = nemo.GroupFiniteScalarQuantizer(num_groups=8, num_levels_per_group=[8, 7, 6, 6])
    codes = torch.arange(2016).repeat(8, 1, 1)
    values = quantizer.decode(indices=codes, input_len=torch.tensor([2016]))[0]
    groups = values.reshape(8, 4, 2016)
    assert all(torch.equal(group, groups[0]) for group in groups)
    return groups[0].T


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    decoder = make_decoder(arguments.seed)
    quantizer = nemo.GroupFiniteScalarQuantizer(num_groups=CODEC.codebooks, num_levels_per_group=CODEC.levels)
    codes = torch.randint(0, CODEC.codes, (CODEC.codebooks, 1, FRAMES))
    latents = quantizer.decode(indices=codes, input_len=torch.tensor([FRAMES]))[0]
    scale(decoder, latents)
    samples, raw, _ = run(decoder, latents)
    print(f"{int((raw.abs() > 1).sum())} of {len(raw)} samples are clamped")
    values = file_values(decoder)
    path = arguments.out / "codec-tiny.gguf"
    writer(CODEC, values.__getitem__).write(path)
    print(f"{path}: {path.stat().st_size} bytes")
    arrays = {"codes": codes[:, 0].T.to(torch.int32), "latents": latents.T, "samples": samples,
              "official": official_values()}
    arrays |= {f"two.{name}": output for name, output in run(decoder, latents[:, :2])[2].items()}
    write_arrays(arguments.out / "codec-golden.safetensors", {name: x.numpy() for name, x in arrays.items()})


if __name__ == "__main__":
    main()
