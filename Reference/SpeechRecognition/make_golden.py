"""Makes nemotron-tiny-{f32,q8_0}.gguf and nemotron-golden.safetensors with NeMo. See README.md beside this file.

The random weights are first rounded to what a Q8_0 file stores and loaded back, so that both files and the golden
values describe the same numbers.
"""

import argparse
import math
import os
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")
import numpy as np
import torch
from torch import nn

from golden_data import Golden, make_audio, rounded  # also finds Tools/convert
from element_types import FLOAT32, encode
from nemotron_layout import TYPES, Model, tensors, writer

from nemo.utils import logging
logging.set_verbosity(logging.ERROR)
from nemo.collections.asr.modules import AudioToMelSpectrogramPreprocessor, RNNTDecoder, RNNTJoint
from nemo.collections.asr.modules.conformer_encoder import ConformerEncoder
from nemo.collections.asr.parts.submodules.rnnt_greedy_decoding import GreedyRNNTInfer

# The left context is small, so that frames are evicted; NeMo wants it to be a multiple of every lookahead + 1.
LEFT, LOOKAHEADS = 28, (0, 1, 3, 6, 13)
VOCABULARY, HIDDEN = 64, 64
FRAMES = 421
SEED = 1
BLANK_BIAS = 1.5
CACHES_AFTER = (0, 1, 18)  # chunks at lookahead 1
LENGTHS = (1, 2, 7, 8, 9, 16, 17, 24, 25, 100, 233)
PARTS = {"feed_forward1": "before the half and the sum", "self_attn": "before the sum", "conv": "before the sum",
         "feed_forward2": "before the half and the sum", "norm_out": "the layer's output"}

PIECES = ["<unk>"] + [("\u2581" if i % 3 == 1 else "") + chr(97 + i % 26) + (str(i // 26) if i > 25 else "")
                      for i in range(1, VOCABULARY)]
MODEL = Model(name=f"golden tiny asr seed {SEED}", d_model=64, n_layers=2, n_heads=4, d_ff=256, left_context=LEFT,
              right_context=13, vocab_size=VOCABULARY + 1, pred_hidden=HIDDEN, pred_rnn_layers=2, joint_hidden=64,
              pieces=PIECES, subsampling_conv_channels=32, pos_emb_max_len=128)


def modules():
    encoder = ConformerEncoder(
        feat_in=MODEL.feat_in, n_layers=MODEL.n_layers, d_model=MODEL.d_model, subsampling="dw_striding",
        subsampling_factor=8, subsampling_conv_channels=MODEL.subsampling_conv_channels, causal_downsampling=True,
        ff_expansion_factor=MODEL.d_ff // MODEL.d_model, self_attention_model="rel_pos", n_heads=MODEL.n_heads,
        att_context_size=[[LEFT, lookahead] for lookahead in reversed(LOOKAHEADS)],
        att_context_style="chunked_limited", xscaling=MODEL.xscaling, use_bias=MODEL.use_bias,
        conv_kernel_size=MODEL.conv_kernel_size, conv_norm_type="layer_norm", conv_context_size="causal", dropout=0,
        dropout_pre_encoder=0, dropout_emb=0, dropout_att=0)
    decoder = RNNTDecoder(prednet=dict(pred_hidden=HIDDEN, pred_rnn_layers=2, dropout=0.0), vocab_size=VOCABULARY)
    joint = RNNTJoint(jointnet=dict(joint_hidden=MODEL.joint_hidden, encoder_hidden=MODEL.d_model, pred_hidden=HIDDEN,
                                    activation="relu", dropout=0.1), num_classes=VOCABULARY)
    return encoder.eval(), decoder.eval(), joint.eval()


def log_mel(audio):
    features = AudioToMelSpectrogramPreprocessor(
        sample_rate=16000, window_size=0.025, window_stride=0.01, window="hann", features=MODEL.feat_in, n_fft=512,
        dither=0.0, pad_to=0, normalize="NA").eval()
    wave = torch.from_numpy(audio.astype(np.float32) / 32768)[None]
    mel, length = features(input_signal=wave, length=torch.tensor([wave.shape[1]]))
    return mel, int(length[0])


def randomise(encoder, decoder, joint):
    """Weights with which every part matters: what comes next depends on all frames and symbols before it."""
    generator = torch.Generator().manual_seed(SEED)
    for module in (encoder, decoder, joint):
        for name, parameter in module.named_parameters():
            x = torch.randn(parameter.shape, generator=generator)
            if "pos_bias" in name:
                x = 0.4 * x
            elif parameter.dim() == 1:
                x = (1 + 0.1 * x) if "norm" in name and name.endswith("weight") else 0.1 * x
            elif "embed" not in name:
                gain = 0.5 if any(s in name for s in ("linear2", "linear_out", "pointwise_conv2")) else 1.4
                if name.startswith("pred.") or "lstm" in name:
                    gain = 4.0
                x = gain / math.sqrt(math.prod(parameter.shape[1:])) * x
                if name.endswith("pre_encode.conv.0.weight"):
                    x = x - x.mean((2, 3), keepdim=True)
            parameter.copy_(x)
    decoder.prediction["embed"].weight[VOCABULARY] = 0  # blank, the start symbol
    joint.joint_net[2].bias[VOCABULARY] += BLANK_BIAS


def layout_name(module, name):
    """A parameter's name in the GGUF: `lstm.weight_ih_l0` is `lstm.ih_l0.weight` there."""
    head, _, tail = name.rpartition(".")
    if head.endswith("lstm"):
        part, _, place = tail.partition("_")
        name = f"{head}.{place}.{part}"
    return f"{module}.{name}"


def parameters(encoder, decoder, joint):
    """Yields (name in the GGUF, parameter)."""
    for module, prefix in ((encoder, "encoder"), (decoder, "decoder"), (joint, "joint")):
        for name, parameter in module.named_parameters():
            yield layout_name(prefix, name), parameter


def round_to_q8_0(encoder, decoder, joint):
    specifications = {name: (shape, kind) for name, shape, kind in tensors(MODEL)}
    for name, parameter in parameters(encoder, decoder, joint):
        shape, kind = specifications[name]
        values = rounded(parameter.detach().numpy().reshape(shape), TYPES["q8_0"][kind])
        parameter.copy_(torch.from_numpy(values).view(parameter.shape))


def whole_chunks(frames, lookahead):
    """The mel frames of as many whole chunks as there are."""
    return 1 + 8 * lookahead + 8 * (lookahead + 1) * ((frames - 1 - 8 * lookahead) // (8 * (lookahead + 1)))


def windows(frames, lookahead):
    """NeMo's chunks: (first mel frame of the window, end, frames dropped after the subsampling)."""
    start = 0
    while start < frames:
        end = min(start + (1 + 8 * lookahead if start == 0 else 8 * (lookahead + 1)), frames)
        yield (0, end, 0) if start == 0 else (start - 9, end, 2)
        start = end


def stream(encoder, mel, lookahead):
    """The encoder's output by NeMo's streaming, and its caches after each chunk."""
    cache, outputs, caches = encoder.get_initial_cache_state(1), [], []
    for begin, end, drop in windows(mel.shape[2], lookahead):
        x = mel[:, :, max(begin, 0):end]
        if begin < 0:  # only at lookahead 0: NeMo puts frames of zeros in front of the second chunk
            x = torch.cat([x.new_zeros(1, MODEL.feat_in, -begin), x], 2)
        output, length, *cache = encoder.cache_aware_stream_step(
            processed_signal=x, processed_signal_length=torch.tensor([x.shape[2]]), cache_last_channel=cache[0],
            cache_last_time=cache[1], cache_last_channel_len=cache[2], keep_all_outputs=end == mel.shape[2],
            drop_extra_pre_encoded=drop)
        outputs.append(output[:, :, :int(length[0])])
        caches.append([t.clone() for t in cache])
    return torch.cat(outputs, 2), caches


def add_subsampling(golden, encoder, mel):
    subsampling, taps = encoder.pre_encode, []
    hooks = [module.register_forward_hook(lambda m, i, output: taps.append(output))
             for module in subsampling.conv.modules() if isinstance(module, nn.ReLU)]
    out, _ = subsampling(x=mel[:, :, :33].transpose(1, 2), lengths=torch.tensor([33]))
    for hook in hooks:
        hook.remove()
    for index, tap in enumerate(taps):
        golden.add(f"sub33.relu{index}", tap[0].permute(1, 2, 0),
                   f"the first 33 mel frames after rectifier {index}: time, frequency, channel")
    golden.add("sub33.out", out[0], "after the projection; its input is channel * 17 + frequency")
    golden.add("pre_encode", subsampling(x=mel.transpose(1, 2), lengths=torch.tensor([mel.shape[2]]))[0][0],
               "all frames, before xscaling")


def add_lookahead(golden, encoder, greedy, mel, lookahead):
    """One lookahead: encoder output, tokens; at lookahead 1 the parts of the layers and the caches too."""
    encoder.set_default_att_context_size([LEFT, lookahead])
    x = mel[:, :, :whole_chunks(mel.shape[2], lookahead)]
    taps, hooks = {}, []
    for index, layer in enumerate(encoder.layers if lookahead == 1 else ()):
        for part in PARTS:
            def keep(module, inputs, output, name=f"R1.layer{index}.{part}"):
                taps[name] = output[0] if isinstance(output, tuple) else output
            hooks.append(getattr(layer, part).register_forward_hook(keep))
    offline, _ = encoder(audio_signal=x, length=torch.tensor([x.shape[2]]))
    for hook in hooks:
        hook.remove()
    for name, tap in taps.items():
        golden.add(name, tap[0], PARTS[name.rsplit(".", 1)[1]])
    streamed, caches = stream(encoder, x, lookahead)
    print(f"lookahead {lookahead}: NeMo's streaming differs from offline by {float((streamed - offline).abs().max()):.1e}")
    golden.add(f"R{lookahead}.mel_frames", np.array([x.shape[2]]), "mel frames used: whole chunks")
    golden.add(f"R{lookahead}.enc", offline[0].T, "encoder output, offline, which exact streaming equals")
    if lookahead == 0:
        golden.add("R0.enc_nemo_stream", streamed[0].T, "NeMo's own streaming, wrong from frame 1 on: not to be followed")
    for chunk in CACHES_AFTER if lookahead == 1 else ():
        channel, time, length = caches[chunk]
        golden.add(f"R1.cache{chunk}.channel", channel[:, 0], f"after chunk {chunk}: input of attention, newest last")
        golden.add(f"R1.cache{chunk}.time", time[:, 0], "input of the depthwise convolution")
        golden.add(f"R1.cache{chunk}.len", length, "valid rows of `channel`, the last ones")
    hypothesis = greedy(encoder_output=offline, encoded_lengths=torch.tensor([offline.shape[2]]))[0][0]
    frames = hypothesis.timestamp["timestep"] if isinstance(hypothesis.timestamp, dict) else hypothesis.timestamp
    golden.add(f"R{lookahead}.tokens", np.array([int(t) for t in hypothesis.y_sequence]), "greedy symbols")
    golden.add(f"R{lookahead}.token_frames", np.array([int(t) for t in frames]), "the encoder frame of each")


def add_decoder(golden, decoder, joint):
    start, state = decoder.predict(None, None, add_sos=False, batch_size=1)
    golden.add("rnnt.pred_start", start[0, 0], "prediction network at the start")
    first, state = decoder.predict(torch.tensor([[5]]), state, add_sos=False)
    second, state = decoder.predict(torch.tensor([[7]]), state, add_sos=False)
    golden.add("rnnt.pred_5_7", torch.cat([first, second], 1)[0], "after symbol 5, then 7")
    golden.add("rnnt.state_5_7", torch.stack([state[0][:, 0], state[1][:, 0]]), "h and c after both, per layer")
    scores = joint.joint(torch.from_numpy(golden["R1.enc"])[None, :8], start)
    golden.add("rnnt.joint_start", scores[0, :, 0], "log-softmax of the joint network, frames 0 to 7 at the start")


def tune_blank(encoder, joint, greedy, mel):
    """Raises the bias of blank until there is less than one symbol in a frame."""
    encoder.set_default_att_context_size([LEFT, 1])
    encoded, _ = encoder(audio_signal=mel, length=torch.tensor([mel.shape[2]]))
    for _ in range(300):
        symbols = greedy(encoder_output=encoded, encoded_lengths=torch.tensor([encoded.shape[2]]))[0][0].y_sequence
        if len(symbols) <= 0.9 * encoded.shape[2]:
            break
        joint.joint_net[2].bias[VOCABULARY] += 0.05


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    encoder, decoder, joint = modules()
    golden = Golden()
    audio = make_audio(160 * FRAMES + 37, SEED)
    padded, frames = log_mel(audio)
    mel = padded[:, :, :frames]
    randomise(encoder, decoder, joint)
    subsampling = encoder.pre_encode
    length = torch.tensor([frames])
    embedded, _ = subsampling(x=mel.transpose(1, 2), lengths=length)
    subsampling.out.weight.mul_(1.0 / embedded.std(1).mean())
    round_to_q8_0(encoder, decoder, joint)
    embedded, _ = subsampling(x=mel.transpose(1, 2), lengths=length)
    subsampling.out.bias.sub_(embedded.mean((0, 1)))

    golden.add("audio", audio, "16 kHz; divide by 32768")
    golden.add("mel", padded[0], f"log-mel; {frames} frames are valid, the rest is 0")
    add_subsampling(golden, encoder, mel)
    greedy = GreedyRNNTInfer(decoder, joint, blank_index=VOCABULARY, max_symbols_per_step=10, preserve_alignments=False)
    tune_blank(encoder, joint, greedy, mel)
    for lookahead in LOOKAHEADS:
        add_lookahead(golden, encoder, greedy, mel, lookahead)
    encoder.set_default_att_context_size([LEFT, 1])
    add_decoder(golden, decoder, joint)
    for count in LENGTHS:
        encoded, valid = encoder(audio_signal=mel[:, :, :count], length=torch.tensor([count]))
        golden.add(f"len{count}.enc", encoded[0, :, :int(valid[0])].T, "lookahead 1, the first mel frames only")
    golden.write(out / "nemotron-golden.safetensors")
    values = {name: parameter.detach().numpy() for name, parameter in parameters(encoder, decoder, joint)}
    for file_type in ("f32", "q8_0"):
        writer(MODEL, file_type, lambda name, shape, stored: encode(values[name].tobytes(), FLOAT32, stored)).write(
            out / f"nemotron-tiny-{file_type}.gguf")
    print(golden.table())


if __name__ == "__main__":
    main()
