"""The network: a cache-aware streaming FastConformer with an RNN-T head and, in training only, two others.

It computes whole windows at once, with the mask that streaming gives; parameters have NeMo's names, so that `export.py`
only has to write them down. Source of every formula: Sources/SpeechRecognition/Nemotron/MODEL.md, which was checked
against NeMo 3.0.0; `check_model.py` holds this file to the same golden data.
"""

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Configuration:
    """Dimensions, named as in NeMo's model_config.yaml."""

    feat_in: int = 80
    d_model: int = 256
    n_layers: int = 8
    n_heads: int = 4
    d_ff: int = 768
    conv_kernel_size: int = 9
    subsampling_conv_channels: int = 64
    left_context: int = 70
    right_context: int = 13
    vocab_size: int = 513  # with blank, which is the last
    pred_hidden: int = 256
    pred_rnn_layers: int = 1
    joint_hidden: int = 256
    dropout: float = 0.0
    # Log-mel is far from zero mean and unit variance, and the layout has no place for that: the first convolution takes
    # it in when the model is exported.
    mel_mean: float = -10.0
    mel_deviation: float = 4.0

    def to_dict(self):
        return asdict(self)


class Subsampling(nn.Module):
    """Log-mel [batch, 8 T, bands] -> [batch, T, d_model]: three causal convolutions of stride 2."""

    def __init__(self, c):
        super().__init__()
        channels = c.subsampling_conv_channels
        self.mean, self.deviation = c.mel_mean, c.mel_deviation

        def kernel(inputs, extent):
            return nn.Conv2d(inputs, channels, extent, groups=channels if extent > 1 and inputs > 1 else 1)

        # Indices as in NeMo's Sequential, where 1, 4 and 7 are the ReLUs. Only the parameters of these are used.
        self.conv = nn.ModuleDict({"0": kernel(1, 3), "2": kernel(channels, 3), "3": kernel(channels, 1),
                                   "5": kernel(channels, 3), "6": kernel(channels, 1)})
        bins = c.feat_in
        for _ in range(3):
            bins = bins // 2 + 1
        self.out = nn.Linear(channels * bins, c.d_model)

    def forward(self, mel):
        frames = mel.shape[1] // 8
        first = self.conv["0"]
        # Padding comes before: what pads is a feature of 0 in the engine, too.
        x = (torch.stack(taps(mel), -1) - self.mean) / self.deviation
        x = F.relu(x @ first.weight.flatten(1).t() + first.bias)
        for depthwise, pointwise in (("2", "3"), ("5", "6")):
            kernel, mix = self.conv[depthwise], self.conv[pointwise]
            weights = kernel.weight.flatten(1)
            x = sum(tap * weights[:, index] for index, tap in enumerate(taps(x))) + kernel.bias
            x = F.relu(F.linear(x, mix.weight.flatten(1), mix.bias))
        # One frame more comes out, which has seen padding in place of the window's continuation.
        return self.out(x[:, :frames].transpose(2, 3).flatten(2))


@torch.no_grad()
def initialise(subsampling, mel):
    """Gives the convolutions He's initialisation (arXiv:1502.01852) and makes what comes out for `mel` have mean 0 and
    variance 1 in every channel. With PyTorch's defaults the signal fades beside a constant, and the layers need tens of
    hours of speech to dig it out."""
    for name, module in subsampling.conv.items():
        fan_in = module.weight[0].numel()
        module.weight.normal_(0, math.sqrt((1 if name == "0" else 2) / fan_in))
        module.bias.zero_()
    first = subsampling.conv["0"].weight
    first -= first.mean((2, 3), keepdim=True)
    subsampling.out.weight.normal_(0, 1 / math.sqrt(subsampling.out.in_features))
    subsampling.out.bias.zero_()
    out = subsampling(mel).flatten(0, 1)
    mean, deviation = out.mean(0), out.std(0)
    subsampling.out.weight /= deviation.unsqueeze(1)
    subsampling.out.bias -= mean / deviation


@torch.no_grad()
def begin_with_frequencies(model, tokens):
    """Sets the output biases to how often each token comes, so that the encoder need not become a constant first."""
    share = torch.bincount(tokens, minlength=model.c.vocab_size).float() + 1
    share[model.blank] = 0
    share /= share.sum()
    for head in (model.ctc_decoder, model.guess_decoder):
        head.weight.normal_(0, 0.01)
    model.guess_decoder.bias.copy_(share.clamp(min=1e-6).log())
    blank = 0.7  # of the frames, roughly
    with_blank = share * (1 - blank)
    with_blank[model.blank] = blank
    for head in (model.ctc_decoder, model.joint.joint_net[2]):
        head.bias.copy_(with_blank.log())


def taps(x):
    """The nine inputs of a 3 x 3 kernel of stride 2 on [batch, time, bins, ...]: two zeros before, one behind on both
    axes. Sums of shifted products are faster than PyTorch's depthwise convolutions on a CPU."""
    x = F.pad(x, (0, 0) * (x.dim() - 3) + (2, 1, 2, 1))
    time, bins = ((extent - 3) // 2 + 1 for extent in x.shape[1:3])
    return [x[:, i:i + 2 * time - 1:2, j:j + 2 * bins - 1:2] for i in range(3) for j in range(3)]


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.linear1 = nn.Linear(c.d_model, c.d_ff, bias=False)
        self.linear2 = nn.Linear(c.d_ff, c.d_model, bias=False)
        self.dropout = c.dropout

    def forward(self, x):
        return self.linear2(F.dropout(F.silu(self.linear1(x)), self.dropout, self.training))


class Attention(nn.Module):
    """Self-attention with relative positions (Transformer-XL, as in NeMo's RelPositionMultiHeadAttention)."""

    def __init__(self, c):
        super().__init__()
        self.heads, self.width, self.dropout = c.n_heads, c.d_model // c.n_heads, c.dropout
        for part in ("q", "k", "v", "out", "pos"):
            setattr(self, f"linear_{part}", nn.Linear(c.d_model, c.d_model, bias=False))
        self.pos_bias_u = nn.Parameter(torch.zeros(self.heads, self.width))
        self.pos_bias_v = nn.Parameter(torch.zeros(self.heads, self.width))

    def forward(self, x, positions, hidden):
        """`positions` [2 T - 1, d_model], row r for the distance T - 1 - r; `hidden` [T, T], true where not to look."""
        batch, time, _ = x.shape

        def split(y):
            return y.view(batch, time, self.heads, self.width).transpose(1, 2)

        q, k, v = split(self.linear_q(x)), split(self.linear_k(x)), split(self.linear_v(x))
        p = self.linear_pos(positions).view(-1, self.heads, self.width).transpose(0, 1)
        by_content = (q + self.pos_bias_u.unsqueeze(1)) @ k.transpose(-1, -2)
        by_distance = shifted((q + self.pos_bias_v.unsqueeze(1)) @ p.transpose(-1, -2))
        scores = ((by_content + by_distance) / math.sqrt(self.width)).masked_fill(hidden, -1e4)
        weights = F.dropout(torch.softmax(scores.float(), -1).to(v.dtype), self.dropout, self.training)
        return self.linear_out((weights @ v).transpose(1, 2).reshape(batch, time, -1))


def shifted(x):
    """[..., T, 2 T - 1] by distance -> [..., T, T] by key: out[i, j] = x[i, T - 1 - i + j]."""
    time = x.shape[-2]
    x = F.pad(x, (1, 0))
    x = x.reshape(*x.shape[:-2], 2 * time, time)[..., 1:, :].reshape(*x.shape[:-2], time, 2 * time - 1)
    return x[..., :time]


class Convolution(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.pointwise_conv1 = nn.Linear(c.d_model, 2 * c.d_model, bias=False)
        self.depthwise_conv = nn.Conv1d(c.d_model, c.d_model, c.conv_kernel_size, groups=c.d_model, bias=False)
        self.batch_norm = nn.LayerNorm(c.d_model)  # the name is what NeMo left
        self.pointwise_conv2 = nn.Linear(c.d_model, c.d_model, bias=False)
        self.taps = c.conv_kernel_size

    def forward(self, x):
        x = F.glu(self.pointwise_conv1(x), dim=-1)
        # A sum of shifted products: on a CPU faster than a depthwise convolution, and the compiler fuses it.
        padded, kernel = F.pad(x, (0, 0, self.taps - 1, 0)), self.depthwise_conv.weight[:, 0]
        x = sum(padded[:, tap:tap + x.shape[1]] * kernel[:, tap] for tap in range(self.taps))
        return self.pointwise_conv2(F.silu(self.batch_norm(x)))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        for part in ("feed_forward1", "self_att", "conv", "feed_forward2", "out"):
            setattr(self, f"norm_{part}", nn.LayerNorm(c.d_model))
        self.feed_forward1, self.feed_forward2 = FeedForward(c), FeedForward(c)
        self.self_attn, self.conv = Attention(c), Convolution(c)
        self.dropout = c.dropout

    def forward(self, x, positions, hidden):
        def added(y):
            return F.dropout(y, self.dropout, self.training)

        x = x + 0.5 * added(self.feed_forward1(self.norm_feed_forward1(x)))
        x = x + added(self.self_attn(self.norm_self_att(x), positions, hidden))
        x = x + added(self.conv(self.norm_conv(x)))
        x = x + 0.5 * added(self.feed_forward2(self.norm_feed_forward2(x)))
        return self.norm_out(x)


class Encoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.pre_encode = Subsampling(c)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.n_layers))

    def forward(self, mel, lookahead):
        """`mel` [batch, 8 T, bands] -> [batch, T, d_model]; `lookahead` in frames of 80 ms."""
        time = mel.shape[1] // 8
        positions = position_table(time, self.c.d_model).to(mel)
        return self.run(mel, positions, hidden_frames(time, lookahead, self.c.left_context).to(mel.device))

    def run(self, mel, positions, hidden):
        """What can be compiled once for all lookaheads."""
        x = self.pre_encode(mel)
        for layer in self.layers:
            x = layer(x, positions, hidden)
        return x


def position_table(time, width):
    """[2 time - 1, width], row r for the distance time - 1 - r: even columns sine, odd ones cosine."""
    distance = torch.arange(time - 1, -time, -1.0).unsqueeze(1)
    rates = torch.exp(torch.arange(0, width, 2.0) * (-math.log(10000) / width))
    return torch.stack((torch.sin(distance * rates), torch.cos(distance * rates)), -1).flatten(1)


def hidden_frames(time, lookahead, left_context):
    """[time, time] bool: chunks of lookahead + 1 frames see themselves and those within the left context."""
    chunk = torch.arange(time) // (lookahead + 1)
    back = chunk.unsqueeze(1) - chunk.unsqueeze(0)
    return (back < 0) | (back > left_context // (lookahead + 1))


class Prediction(nn.Module):
    """Tokens so far -> state. A zero embedding stands for the beginning, as in NeMo."""

    def __init__(self, c):
        super().__init__()
        self.embed = nn.Embedding(c.vocab_size, c.pred_hidden, padding_idx=c.vocab_size - 1)
        lstm = nn.LSTM(c.pred_hidden, c.pred_hidden, c.pred_rnn_layers, batch_first=True)
        self.dec_rnn = nn.ModuleDict({"lstm": lstm})

    def forward(self, tokens, state=None):
        return self.dec_rnn["lstm"](self.embed(tokens), state)


class Joint(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.pred = nn.Linear(c.pred_hidden, c.joint_hidden)
        self.enc = nn.Linear(c.d_model, c.joint_hidden)
        self.joint_net = nn.Sequential(nn.ReLU(), nn.Dropout(c.dropout), nn.Linear(c.joint_hidden, c.vocab_size))

    def forward(self, encoded, predicted):
        """[batch, T, d_model], [batch, U, pred_hidden] -> logits [batch, T, U, vocab_size]."""
        return self.joint_net(self.enc(encoded).unsqueeze(2) + self.pred(predicted).unsqueeze(1))


class Recognizer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c, self.blank = c, c.vocab_size - 1
        self.encoder = Encoder(c)
        self.decoder = nn.ModuleDict({"prediction": Prediction(c)})
        self.joint = Joint(c)
        # In training only: the CTC head, and one that learns which token is spoken when.
        self.ctc_decoder = nn.Linear(c.d_model, c.vocab_size)
        self.guess_decoder = nn.Linear(c.d_model, c.vocab_size)

    def predict(self, targets):
        """`targets` [batch, U] -> states before each token and after the last, [batch, U + 1, pred_hidden]."""
        return self.decoder["prediction"](F.pad(targets, (1, 0), value=self.blank))[0]

    @torch.no_grad()
    def greedy(self, encoded, most=10):
        """Tokens of each row by greedy search, at most `most` per frame, as the engine does it."""
        return [self._greedy(row, most) for row in self.joint.enc(encoded)]

    def _greedy(self, frames, most):
        prediction, tokens = self.decoder["prediction"], []
        last, state = torch.tensor([[self.blank]]), None
        out, after = prediction(last, state)
        predicted = self.joint.pred(out[0, 0])
        for frame in frames:
            for _ in range(most):
                token = int(self.joint.joint_net(frame + predicted).argmax())
                if token == self.blank:
                    break
                tokens.append(token)
                out, after = prediction(torch.tensor([[token]]), after)
                predicted = self.joint.pred(out[0, 0])
        return tokens
