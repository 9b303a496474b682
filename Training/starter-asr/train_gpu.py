"""Trains the recogniser on one GPU while speech is still being made: python3 train_gpu.py --speech DIR [DIR ...] --run DIR ...

Windows come from waveforms (waves.py); shards that `synthesise.py` finishes meanwhile are taken up every few seconds. The schedule
follows the clock, not the number of steps: a rate that stays where it is until --cooldown-from of the time is over; CTC alone until
--transducer-from, then RNN-T's own network beside it, then, from --transducer-through on, RNN-T's gradient into the encoder with a
weight that grows over a tenth of the time. What one window gives is limited, and so is what RNN-T gives its own network: now and then
a window's gradient is tens of times as long as others'. When gradients grow all the same, training goes back to weights of some seconds
before, with smaller rates. RUN/average.pt is written every minute and at the end, RUN/best-ctc.pt and RUN/best.pt when CTC or RNN-T
hears more words right than ever before.
"""

import argparse
import math
import os
import queue
import time
from pathlib import Path

import numpy as np
import sentencepiece
import torch
import torch.multiprocessing as mp
import torch.nn.functional as F

from evaluate import edit_distance, words
from loss import blanks_and_emits, recursions
from model import Configuration, Recognizer, begin_with_frequencies, hidden_frames, initialise, position_table
from muon import Muon
from waves import MOST_TOKENS, ROWS, Corpus, Index, Studio

LOOKAHEADS = (1, 0, 6, 1, 3, 13)
FRAMES = ROWS // 8


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, nargs="+", required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--init", type=Path, help="weights to begin with, as RUN/average.pt; layers that it lacks begin as nothing")
    parser.add_argument("--tests", type=Path, nargs="*", default=[], help="folders of test_sets.py as .npz, see test_features.py")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--windows", type=int, default=256, help="in a step")
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--rate", type=float, default=4e-4, help="of AdamW: biases, norms, embeddings, heads, RNN-T's network")
    parser.add_argument("--matrix-rate", type=float, default=8e-4, help="of Muon: the encoder's matrices")
    parser.add_argument("--longest-gradient", type=float, default=5, help="steps whose gradient's norm is greater are left out")
    parser.add_argument("--warmup", type=int, default=300, help="steps")
    parser.add_argument("--cooldown-from", type=float, default=0.5)
    parser.add_argument("--transducer-from", type=float, default=0.6)
    parser.add_argument("--transducer-through", type=float, default=0.7)
    parser.add_argument("--transducer-share", type=float, default=0.5, help="of the windows that the RNN-T loss sees")
    parser.add_argument("--ctc-weight", type=float, default=0.4)
    parser.add_argument("--hard-from", type=float, default=0.3, help="of the time, until which noise grows")
    parser.add_argument("--hours", type=float, default=120, help="of speech that memory is set aside for")
    parser.add_argument("--at-least", type=float, default=1, help="hours of speech to wait for")
    parser.add_argument("--evaluate-every", type=float, default=60, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--compile", action="store_true")
    return parser.parse_args()


def draw_plans(fresh, plans, windows, seed):
    """A process of its own: draws plans ahead from what it was told about."""
    os.nice(1)
    index, step = Index(), 0
    index.add(*fresh.get())
    while True:
        try:
            index.add(*fresh.get_nowait())
        except queue.Empty:
            pass
        plans.put(index.plan([seed, step], windows))
        step += 1


class Replayed:
    """The RNN-T recursions as a CUDA graph: hundreds of small kernels that would otherwise wait for the host."""

    def __init__(self, windows, device):
        shape = (windows, FRAMES, MOST_TOKENS + 1)
        self.blanks, self.emits = torch.full(shape, -1.0, device=device), torch.full(shape, -3.0, device=device)
        self.lengths = torch.full((windows,), 5, device=device)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):
                recursions(self.blanks, self.emits, self.lengths)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.out = recursions(self.blanks, self.emits, self.lengths)

    def __call__(self, blanks, emits, lengths):
        self.blanks.copy_(blanks)
        self.emits.copy_(emits)
        self.lengths.copy_(lengths)
        self.graph.replay()
        return [part.clone() for part in self.out]


class Summed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, blanks, emits, lengths, recurse):
        total, *gradients = recurse(blanks, emits, lengths)
        ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    def backward(ctx, gradient):
        return *(gradient * saved for saved in ctx.saved_tensors), None, None


def alignments(joint, encoded, predicted, targets, blank):
    return blanks_and_emits(joint(encoded, predicted), targets, blank)


class Training:
    def __init__(self, o):
        self.o, self.device = o, torch.device(o.device)
        torch.manual_seed(o.seed)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        self.tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(o.tokenizer))
        self.began = time.monotonic()
        context = mp.get_context("spawn")
        self.plans, self.fresh = context.Queue(6), [context.Queue() for _ in range(2)]
        for number, told in enumerate(self.fresh):
            context.Process(target=draw_plans, args=(told, self.plans, o.windows, o.seed * 100 + number), daemon=True).start()
        self.corpus = Corpus(self.device, o.hours, self.tokenizer)
        self.studio = Studio(self.device, o.seed, o.compile)
        c = Configuration(vocab_size=self.tokenizer.vocab_size() + 1, n_layers=o.layers, dropout=o.dropout)
        self.model = Recognizer(c).to(self.device)
        self.watch = Recognizer(c).to(self.device).eval()
        self.positions = position_table(FRAMES, c.d_model).to(self.device, torch.bfloat16)
        self.hidden = {n: hidden_frames(FRAMES, n, c.left_context).to(self.device) for n in set(LOOKAHEADS)}
        self.joint = alignments
        self.recurse = Replayed(self.share(), self.device) if self.device.type == "cuda" else recursions
        if o.compile:
            self.model.encoder.pre_encode.compile(dynamic=False)
            for layer in self.model.encoder.layers:
                layer.compile(dynamic=False)
            self.joint = torch.compile(alignments, dynamic=False)
        named = dict(self.model.named_parameters())
        matrices = [name for name, p in named.items() if name.startswith("encoder.") and p.dim() == 2 and "pos_bias" not in name]
        decays = {name: p.dim() > 1 and "embed" not in name and "pos_bias" not in name for name, p in named.items()}
        groups = [{"params": [p for name, p in named.items() if decays[name] == decay and name not in matrices],
                   "weight_decay": 0.02 if decay else 0.0} for decay in (True, False)]
        self.optimizer = torch.optim.AdamW(groups, lr=o.rate, betas=(0.9, 0.98), fused=True)
        self.muon = Muon([named[name] for name in matrices])
        # What RNN-T alone trains is clipped apart, lest a long gradient there take everything else's step.
        self.own = [p for name, p in named.items() if name.startswith(("decoder.", "joint."))]
        self.others = [p for name, p in named.items() if not name.startswith(("decoder.", "joint."))]
        self.fewest = {"best-ctc.pt": math.inf, "best.pt": math.inf}
        self.kept, self.usual, self.courage = None, math.inf, 1.0
        self.tests = {path.stem: load_test(path, self.device) for path in o.tests}

    def share(self):
        return max(1, int(self.o.windows * self.o.transducer_share))

    def take_up(self):
        new = self.corpus.take_up(self.o.speech)
        if new[0]:
            for told in self.fresh:
                told.put(new)
        return new

    def begin(self):
        tokens = []
        while self.corpus.hours < self.o.at_least:
            tokens += self.take_up()[2]
            time.sleep(0.5)
        print(f"{time.monotonic() - self.began:.0f} s: {self.corpus.hours:.1f} h of speech to begin with", flush=True)
        if self.o.init:
            begin_with(self.model, torch.load(self.o.init, map_location=self.device, weights_only=True)["average"])
        else:
            initialise(self.model.encoder.pre_encode, self.studio.record(self.corpus, self.plans.get(), 0.0)[:32])
            begin_with_frequencies(self.model, torch.from_numpy(np.concatenate(tokens)).to(self.device))
        self.average = [value.detach().clone() for value in self.model.parameters()]

    def learn(self, mel, plan, lookahead, through):
        """Gradients of all parameters; `through` is the weight of RNN-T in the encoder's, None for none at all. Returns losses."""
        o, m = self.o, self.model
        targets = torch.from_numpy(plan.tokens).to(self.device, non_blocking=True)
        lengths = torch.from_numpy(plan.lengths)
        total = max(1, int(plan.lengths.sum()))
        with torch.autocast(self.device.type, torch.bfloat16):
            encoded = m.encoder.run(mel, self.positions, self.hidden[lookahead])
            ctc = m.ctc_decoder(encoded)
        ctc = ctc.float().log_softmax(-1).transpose(0, 1)
        losses = {"ctc": F.ctc_loss(ctc, targets, torch.full((len(mel),), FRAMES), lengths, m.blank, "sum", zero_infinity=True) / total}
        whole = losses["ctc"]
        if through is not None:
            few = self.share()
            heard = encoded[:few].detach().requires_grad_()
            with torch.autocast(self.device.type, torch.bfloat16):
                between = self.joint(m.joint, heard, m.predict(targets[:few]), targets[:few], m.blank)
            summed = Summed.apply(*between, lengths[:few].to(self.device, non_blocking=True), self.recurse)
            losses["rnnt"] = summed / max(1, int(plan.lengths[:few].sum()))
            losses["rnnt"].backward()
            if through > 0:
                # The sum's gradient by `encoded` is RNN-T's, limited window by window.
                whole = whole * (1 - (1 - o.ctc_weight) * through) + through * (encoded[:few].float() * limited(heard.grad)).sum()
        whole.backward()
        return losses

    def run(self):
        o, parameters = self.o, list(self.model.parameters())
        self.begin()
        started = reported = evaluated = looked = time.monotonic()
        begun, step, sums, heard = started, 0, {}, 0.0
        while True:
            now = time.monotonic()
            progress = (now - self.began) / o.seconds
            if progress >= 1:
                break
            if now - looked > 4:
                self.take_up()
                looked = now
            plan = self.plans.get()
            mel = self.studio.record(self.corpus, plan, 0.3 + 0.7 * min(1, progress / o.hard_from))
            through = min(1, max(0, progress - o.transducer_through) / 0.1) if progress >= o.transducer_from else None
            losses = self.learn(mel, plan, LOOKAHEADS[step % len(LOOKAHEADS)], through)
            norm = torch.nn.utils.clip_grad_norm_(self.others, 1.0)
            own = torch.nn.utils.clip_grad_norm_(self.own, 1.0) if through is not None else torch.zeros_like(norm)
            # Not `norm > longest`: that would let a gradient pass that is no number.
            fine = (norm <= o.longest_gradient) & (own <= o.longest_gradient)
            share = self.courage * self.rate(step, progress)
            for group in self.optimizer.param_groups:
                group["lr"] = o.rate * share
            self.optimizer.grad_scale, self.optimizer.found_inf = None, (~fine).float()
            self.optimizer.step()
            self.muon.step(o.matrix_rate * share, fine)
            self.model.zero_grad(set_to_none=True)
            step, heard = step + 1, heard + o.windows * ROWS / 100
            torch._foreach_lerp_(self.average, [p.detach() for p in parameters], 1 - min(0.998, step / (step + 20)))
            for name, value in (losses | {"norm": norm, "own": own, "left out": (~fine).float()}).items():
                sums.setdefault(name, []).append(value.detach())
            if now - reported > 10:
                means = " ".join(f"{name} {torch.stack(values).nanmean().item():.3f}" for name, values in sums.items())
                print(f"{now - self.began:.0f} s: step {step} {means} {(now - started) / step:.4f} s/step "
                      f"{heard / 3600:.0f} h heard of {self.corpus.hours:.1f} h", flush=True)
                if step > o.warmup:
                    self.keep_or_go_back(torch.stack(sums["norm"]).mean().item(), torch.stack(sums["left out"]).mean().item())
                reported, sums = now, {}
            if now - evaluated > o.evaluate_every:
                self.evaluate_and_save(step, through is not None)
                evaluated = time.monotonic()
        self.evaluate_and_save(step, True)
        print(f"{step} steps, {heard / 3600:.0f} h in {time.monotonic() - begun:.0f} s", flush=True)

    @torch.no_grad()
    def keep_or_go_back(self, norm, left_out):
        """Keeps the weights while gradients are as long as usual. When they have grown, the kept ones before the last come back, and
        the rates shrink: a norm of 1.9 after 0.7 was 3 ten seconds later and 300 after twenty, and nothing was left."""
        parameters = list(self.model.parameters())
        if norm < 2 * self.usual and left_out < 0.1:
            self.usual = min(self.usual, norm)
            self.kept = ((self.kept or [None])[-1], [p.detach().clone() for p in parameters])
            return
        if self.kept is None:
            return
        self.courage *= 0.6
        good = self.kept[0] or self.kept[1]
        for p, average, value in zip(parameters, self.average, good):
            p.copy_(value)
            average.copy_(value)
        self.optimizer.state.clear()
        self.muon.forget()
        print(f"gradients of {norm:.1f}: back to earlier weights, rates times {self.courage:.2f}", flush=True)

    def rate(self, step, progress):
        """A share of the rates."""
        if step < self.o.warmup:
            return (step + 1) / self.o.warmup
        over = max(0, progress - self.o.cooldown_from) / (1 - self.o.cooldown_from)
        return max(0.005, 0.5 + 0.5 * math.cos(math.pi * min(1, over)))

    def evaluate_and_save(self, step, transducer):
        for value, average in zip(self.watch.parameters(), self.average):
            value.data.copy_(average)
        self.save(step, "average.pt")
        for head, best in (("ctc", "best-ctc.pt"), *([("rnnt", "best.pt")] if transducer else [])):
            shares, errors = [], 0
            for name, test in self.tests.items():
                wrong, count = word_errors(self.watch, self.tokenizer, test, self.device, head)
                shares.append(f"{name} {100 * wrong / count:.1f}")
                errors += wrong
            print(f"wrong words, {head}, lookahead 1: {', '.join(shares)}", flush=True)
            if errors < self.fewest[best]:
                self.fewest[best] = errors
                self.save(step, best)

    def save(self, step, name):
        self.o.run.mkdir(parents=True, exist_ok=True)
        names = [name for name, _ in self.model.named_parameters()]
        state = {"configuration": self.model.c.to_dict() | {"dropout": 0.0}, "step": step,
                 "average": {name: value.half().cpu() for name, value in zip(names, self.average)}}
        torch.save(state, self.o.run / f"{name}.tmp")
        os.replace(self.o.run / f"{name}.tmp", self.o.run / name)


def limited(gradient):
    """[windows, T, d_model] with no window's longer than three times what is usual in the batch."""
    gradient = torch.nan_to_num(gradient.float())
    long = gradient.flatten(1).norm(dim=1)
    return gradient * ((3 * long.median() + 1e-12) / (long + 1e-12)).clamp(max=1).view(-1, 1, 1)


@torch.no_grad()
def begin_with(model, weights):
    """Takes the weights; a layer that they lack begins as one that lets everything through, nearly."""
    state = model.state_dict()
    for name, value in weights.items():
        if name in state and state[name].shape == value.shape:
            state[name].copy_(value)
    known = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layers."))
    for layer in model.encoder.layers[known:]:
        for last in (layer.feed_forward1.linear2, layer.self_attn.linear_out, layer.conv.pointwise_conv2, layer.feed_forward2.linear2):
            last.weight.zero_()
        layer.norm_out.load_state_dict(model.encoder.layers[known - 1].norm_out.state_dict())


def load_test(path, device):
    """(log-mel [n, rows, bands], texts) of what test_features.py wrote."""
    stored = np.load(path)
    return torch.from_numpy(stored["mel"].astype(np.float32)).to(device), stored["texts"].tolist()


@torch.no_grad()
def word_errors(model, tokenizer, test, device, head):
    """(errors, words) at lookahead 1 by CTC's best path or RNN-T's greedy one."""
    mel, texts = test
    wrong = count = 0
    with torch.autocast(device.type, torch.bfloat16):
        encoded = torch.cat([model.encoder(part, 1) for part in mel.split(64)])
    encoded = encoded.float()
    if head == "ctc":
        best = model.ctc_decoder(encoded).argmax(-1).tolist()
        heard = [[t for t, before in zip(row, [-1, *row]) if t not in (before, model.blank)] for row in best]
    else:
        heard = greedy(model, encoded)
    for tokens, text in zip(heard, texts):
        wanted = words(text)
        wrong, count = wrong + edit_distance(wanted, words(tokenizer.decode(tokens))), count + len(wanted)
    return wrong, max(1, count)


def greedy(model, encoded, most=4):
    """Tokens of every row, all rows at once; at most `most` a frame."""
    rows, device = len(encoded), encoded.device
    network, joint = model.decoder["prediction"], model.joint
    frames = joint.enc(encoded)
    state = tuple(torch.zeros(model.c.pred_rnn_layers, rows, model.c.pred_hidden, device=device) for _ in range(2))
    last = torch.full((rows, 1), model.blank, device=device)
    said = []
    out, after = network(last, state)
    predicted = joint.pred(out[:, 0])
    for frame in frames.unbind(1):
        open_ = torch.ones(rows, dtype=torch.bool, device=device)
        for _ in range(most):
            token = joint.joint_net(frame + predicted).argmax(-1)
            open_ = open_ & (token != model.blank)
            said.append(torch.where(open_, token, -1))
            last = torch.where(open_, token, model.blank).unsqueeze(1)
            out, next_ = network(last, after)
            predicted = torch.where(open_.unsqueeze(1), joint.pred(out[:, 0]), predicted)
            after = tuple(torch.where(open_.view(1, -1, 1), new.to(old.dtype), old) for new, old in zip(next_, after))
    return [[token for token in row if token >= 0] for row in torch.stack(said, 1).tolist()]


if __name__ == "__main__":
    Training(parse()).run()
