"""Trains the recogniser: python3 train.py --features DIR [DIR ...] --dev DIR --noise FILE --run DIR [options]

RUN/last.pt is written every few minutes and at the end, and training goes on from it when started again. Each step is
decided by the seed and its number. The learning rate stays where it is until the last --cooldown steps; RUN/warm.pt is
the state before them, from which a longer run goes on (copy it to last.pt and raise --steps). Processes share the work
of a step (--processes, one thread each on a CPU, where that is faster than threads).

  --transducer-from STEP   before it only the CTC loss trains the encoder, which is cheaper and starts faster
  --guess-until STEP       until then, fading, a frame also learns which token would be spoken in it if all letters took
                           the same time; roughly right, it ends the long plateau that CTC training begins with
  --long-from STEP         before it windows have --short seconds, from then on 10.24
  --init FILE              starts from the weights of a checkpoint or an exported GGUF file, with a new schedule
"""

import argparse
import math
import os
import shutil
import time
from pathlib import Path

import sentencepiece
import torch
import torch.multiprocessing as mp
import torch.nn.functional as F

import export
from evaluate import word_errors
from loss import transducer_loss
from model import Configuration, Recognizer, begin_with_frequencies, hidden_frames, initialise, position_table
from windows import Corpus, Noise, batch

LOOKAHEADS = (0, 1, 6, 1, 13)
LONG = 1024  # rows of a long window: 10.24 s


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, nargs="+", required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--noise", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--init", type=Path)
    parser.add_argument("--steps", type=int, default=60000)
    parser.add_argument("--until", type=int, help="the step to stop at, to go on later with the same --steps")
    parser.add_argument("--warmup", type=int, default=150)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--cooldown", type=int, default=8000, help="steps at the end in which the rate goes to nothing")
    parser.add_argument("--seconds", type=float, default=82, help="of audio in a step, over all processes")
    parser.add_argument("--short", type=float, default=5.12)
    parser.add_argument("--long-from", type=int, default=10000)
    parser.add_argument("--transducer-from", type=int, default=10000)
    parser.add_argument("--guess-until", type=int, default=1800)
    parser.add_argument("--clean-until", type=int, default=20000, help="the step from which noise is as loud as it gets")
    parser.add_argument("--transducer-share", type=float, default=0.5, help="of the windows that the RNN-T loss sees")
    parser.add_argument("--ctc-weight", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--compile", action="store_true")
    return parser.parse_args()


class Gradients:
    """Averages gradients over processes through shared memory."""

    def __init__(self, processes, count):
        self.shared = torch.zeros(processes, count).share_memory_()
        self.barrier = mp.get_context("spawn").Barrier(processes)

    def average(self, rank, parameters):
        flat = self.shared[rank]
        offset = 0
        for p in parameters:
            flat[offset:offset + p.numel()] = 0 if p.grad is None else p.grad.flatten()
            offset += p.numel()
        self.barrier.wait()
        mean = self.shared.mean(0)
        self.barrier.wait()
        offset = 0
        for p in parameters:
            p.grad = mean[offset:offset + p.numel()].view_as(p)
            offset += p.numel()


def learning_rate(step, o):
    if step < o.warmup:
        return o.rate * (step + 1) / o.warmup
    return o.rate * min(1, max(0.01, (o.steps - step) / max(1, o.cooldown)))


class Training:
    def __init__(self, rank, o, gradients):
        self.rank, self.o, self.gradients = rank, o, gradients
        self.tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(o.tokenizer))
        torch.manual_seed(o.seed)
        self.model = Recognizer(Configuration(vocab_size=self.tokenizer.vocab_size() + 1))
        decays = {name: p.dim() > 1 and "embed" not in name and "pos_bias" not in name
                  for name, p in self.model.named_parameters()}
        groups = [{"params": [p for name, p in self.model.named_parameters() if decays[name] == decay],
                   "weight_decay": 0.02 if decay else 0} for decay in (True, False)]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
        self.step = 0
        self.corpus = Corpus(o.features, self.tokenizer)
        self.noise = Noise(o.noise)
        if not self.load():
            initialise(self.model.encoder.pre_encode, batch(self.corpus, self.noise, [o.seed], 16, LONG, 1)[0])
            tokens = torch.cat([torch.from_numpy(utterance[3]) for utterance in self.corpus.utterances])
            begin_with_frequencies(self.model, tokens)
            self.average = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.dev = Corpus([o.dev], self.tokenizer)
        self.encode = torch.compile(self.model.encoder.run, dynamic=False) if o.compile else self.model.encoder.run

    def load(self):
        last = self.o.run / "last.pt"
        source = last if last.exists() else self.o.init
        if source is None:
            return False
        if source.suffix == ".gguf":
            export.load(self.model, source)
            self.average = {name: value.clone() for name, value in self.model.state_dict().items()}
            return True
        saved = torch.load(source, weights_only=True)
        self.average = saved["average"]
        if last.exists():
            self.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.step = saved["step"]
        else:
            self.model.load_state_dict(saved["average"], strict=False)
        return True

    def save(self):
        state = {"configuration": self.model.c.to_dict(), "model": self.model.state_dict(), "average": self.average,
                 "optimizer": self.optimizer.state_dict(), "step": self.step}
        torch.save(state, self.o.run / "last.pt.tmp")
        if self.step <= self.o.steps - self.o.cooldown:
            shutil.copy(self.o.run / "last.pt.tmp", self.o.run / "warm.pt")
        os.replace(self.o.run / "last.pt.tmp", self.o.run / "last.pt")

    def losses(self, mel, targets, lengths, guesses, lookahead, transducer):
        frames = mel.shape[1] // 8
        with torch.autocast("cpu", torch.bfloat16):
            c = self.model.c
            positions, hidden = position_table(frames, c.d_model), hidden_frames(frames, lookahead, c.left_context)
            encoded = self.encode(mel, positions.bfloat16(), hidden)
            ctc = self.model.ctc_decoder(encoded).float().log_softmax(-1).transpose(0, 1)
            share = max(1, int(len(mel) * self.o.transducer_share)) if transducer else 0
            if share:
                most = max(1, int(lengths[:share].max()))
                logits = self.model.joint(encoded[:share], self.model.predict(targets[:share, :most]))
            guessed = self.model.guess_decoder(encoded) if self.step < self.o.guess_until else None
        tokens = lengths.sum().clamp(min=1)
        ctc_loss = F.ctc_loss(ctc, targets, torch.full((len(mel),), frames), lengths, self.model.blank, "sum") / tokens
        losses = {"ctc": (ctc_loss, self.o.ctc_weight if share else 1)}
        if guessed is not None:
            weight = 2 * (1 - self.step / self.o.guess_until)
            losses["guess"] = F.cross_entropy(guessed.float().flatten(0, 1), guesses.flatten()), weight
        if share:
            losses["rnnt"] = transducer_loss(logits, targets[:share, :most], lengths[:share], self.model.blank), 1
        return losses

    def run(self):
        o, parameters = self.o, list(self.model.parameters())
        started, saved, report = time.monotonic(), time.monotonic(), []
        last = min(o.steps, o.until or o.steps)
        while self.step < last:
            long, transducer = self.step >= o.long_from, self.step >= o.transducer_from
            rows = LONG if long else int(o.short * 100) // 8 * 8
            count = max(1, round(o.seconds * 100 / rows / o.processes))
            data = batch(self.corpus, self.noise, [o.seed, self.step, self.rank], count, rows,
                         min(1, self.step / o.clean_until) ** 2)
            lookahead = LOOKAHEADS[self.step % len(LOOKAHEADS)]
            losses = self.losses(*data, lookahead, transducer)
            sum(value * weight for value, weight in losses.values()).backward()
            self.gradients.average(self.rank, parameters)
            norm = float(torch.nn.utils.clip_grad_norm_(parameters, 1.0))
            if math.isfinite(norm):
                for group in self.optimizer.param_groups:
                    group["lr"] = learning_rate(self.step, o)
                self.optimizer.step()
            self.optimizer.zero_grad()
            self.step += 1
            keep = min(0.998, self.step / (self.step + 20))
            for name, value in self.model.state_dict().items():
                self.average[name].lerp_(value, 1 - keep)
            report.append({name: value.item() for name, (value, _) in losses.items()} | {"norm": norm})
            if self.step % 50 == 0 and self.rank == 0:
                means = " ".join(f"{name} {sum(r[name] for r in report) / len(report):.3f}" for name in report[-1]
                                 if all(name in r for r in report))
                print(f"step {self.step} {means} {(time.monotonic() - started) / len(report):.2f} s/step "
                      f"{self.corpus.hours:.1f} h", flush=True)
                report, started = [], time.monotonic()
            elif self.step % 50 == 0:
                report = []
            if self.step % 200 == 0:
                self.corpus.refresh()
            if self.step % 500 == 0 and self.rank == 0:
                self.evaluate(transducer)
                started = time.monotonic()
            if self.rank == 0 and (time.monotonic() - saved > 240 or self.step == last):
                self.save()
                saved = time.monotonic()

    def evaluate(self, transducer):
        current = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        self.model.eval()
        heads = ("ctc", "rnnt") if transducer else ("ctc",)
        for head in heads:
            errors, words = word_errors(self.model, self.tokenizer, self.dev, lookahead=1, head=head, most=60)
            print(f"dev {head} word error rate {100 * errors / words:.1f} %", flush=True)
        self.model.train()
        self.model.load_state_dict(current)


def work(rank, o, gradients):
    torch.set_num_threads(max(1, os.cpu_count() // o.processes))
    torch._dynamo.config.cache_size_limit = 16
    Training(rank, o, gradients).run()


def main():
    o = parse()
    o.run.mkdir(parents=True, exist_ok=True)
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(o.tokenizer))
    count = sum(p.numel() for p in Recognizer(Configuration(vocab_size=tokenizer.vocab_size() + 1)).parameters())
    print(f"{count / 1e6:.1f} M parameters, the heads that only training has included", flush=True)
    mp.spawn(work, (o, Gradients(o.processes, count)), o.processes)


if __name__ == "__main__":
    main()
