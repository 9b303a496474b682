"""Holds loss.py to the definition: python3 check_loss.py

Sums the probability of every alignment of small random problems.
"""

import itertools
import math

import torch

from loss import transducer_loss


def by_enumeration(logits, targets):
    """-log of the summed probability of all ways through the lattice; logits [T, U + 1, vocabulary], blank last."""
    log_probability = logits.double().log_softmax(-1)
    frames, total = logits.shape[0], 0.0
    # An alignment says in which frame each token comes.
    for places in itertools.combinations_with_replacement(range(frames), len(targets)):
        score, told = 0.0, 0
        for frame in range(frames):
            while told < len(targets) and places[told] == frame:
                score += log_probability[frame, told, targets[told]].item()
                told += 1
            score += log_probability[frame, told, -1].item()
        total += math.exp(score)
    return -math.log(total)


def main():
    torch.manual_seed(1)
    logits = torch.randn(3, 5, 4, 7, requires_grad=True)
    targets, lengths = torch.tensor([[1, 2, 3], [4, 4, 0], [5, 0, 0]]), torch.tensor([3, 2, 1])
    wanted = sum(by_enumeration(logits[i, :, :n + 1], targets[i, :n].tolist()) for i, n in enumerate(lengths.tolist()))
    got = transducer_loss(logits, targets, lengths, 6)
    print(f"by enumeration {wanted / 6:.6f}, by the recursion {got.item():.6f}")
    assert abs(wanted / 6 - got.item()) < 1e-5
    got.backward()
    step, at = 1e-3, (0, 2, 1, 4)
    moved = logits.detach().clone()
    moved[at] += step
    slope = (transducer_loss(moved, targets, lengths, 6) - got.detach()).item() / step
    print(f"slope {slope:.4f}, gradient {logits.grad[at].item():.4f}")
    assert abs(slope - logits.grad[at].item()) < 1e-3


if __name__ == "__main__":
    main()
