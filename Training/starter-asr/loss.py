"""The RNN-T loss (Graves 2012, arXiv:1211.3711, section 2.4), exact in float32, with its gradient written out.

Within the row of u emitted tokens time passes by blanks alone. With B(t, u) the log-probability of the blanks before frame t in
that row, the forward variables of a row follow from those of the row before by one cumulative log-sum-exp over time,
  alpha(t, u) = B(t, u) + logcumsumexp_t(alpha(t, u-1) + emit(t, u-1) - B(t, u)),
and the backward variables likewise from the end; so that as many small steps do as there are tokens. `check_loss.py` sums every
alignment instead.
"""

import torch
import torch.nn.functional as F

NEVER = -1e30  # the logarithm of a probability of nothing; infinities would give 0 times infinity in the gradient


def transducer_loss(logits, targets, target_lengths, blank):
    """Mean negative log-probability per token.

    logits [batch, T, U + 1, vocabulary]; targets [batch, U], padded with anything; target_lengths [batch]. All frames
    count: windows have no padding.
    """
    return alignment_loss(*blanks_and_emits(logits, targets, blank), target_lengths)


def blanks_and_emits(logits, targets, blank):
    """[batch, T, U + 1] each: the log-probability of blank and of the token that comes next; of the last column's there is none."""
    total = torch.logsumexp(logits.float(), -1)
    index = F.pad(targets, (0, 1)).clamp(min=0)[:, None, :, None].expand(-1, logits.shape[1], -1, 1)
    return logits[..., blank].float() - total, logits.gather(-1, index).squeeze(-1).float() - total


def alignment_loss(blanks, emits, target_lengths):
    """As `transducer_loss`, of float32 log-probabilities."""
    return Alignments.apply(blanks, emits, target_lengths) / target_lengths.sum().clamp(min=1)


class Alignments(torch.autograd.Function):
    @staticmethod
    def forward(ctx, blanks, emits, lengths):
        total, *gradients = recursions(blanks, emits, lengths)
        ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    def backward(ctx, gradient):
        return *(gradient * saved for saved in ctx.saved_tensors), None


def recursions(blanks, emits, lengths):
    """(the sum over the batch of negative log-probabilities, its gradients by blanks and by emits)."""
    # Time last, where the scans run.
    blanks, emits = blanks.transpose(1, 2), emits.transpose(1, 2)
    rows = blanks.shape[1]
    through = F.pad(blanks.cumsum(-1), (1, 0))  # [batch, U + 1, T + 1]
    before, whole = through[..., :-1], through[..., -1:]

    alphas = [before[:, 0]]
    for row in range(1, rows):
        entered = alphas[-1] + emits[:, row - 1]
        alphas.append(before[:, row] + torch.logcumsumexp(entered - before[:, row], -1))

    is_last = [(lengths == row).unsqueeze(1) for row in range(rows)]
    never = torch.full_like(before[:, 0], NEVER)
    # left[u](t) = B(t, u) + beta(t, u)
    left, betas, later = [None] * rows, [None] * rows, never
    for row in reversed(range(rows)):
        leaving = before[:, row] + emits[:, row] + later
        onwards = torch.logcumsumexp(leaving.flip(-1), -1).flip(-1)
        left[row] = torch.where(is_last[row], whole[:, row].expand_as(onwards), onwards)
        later = (left[row] - before[:, row]).clamp(min=NEVER)
        betas[row] = later

    alpha, beta = torch.stack(alphas, 1), torch.stack(betas, 1)
    likelihood = beta[:, 0, :1].unsqueeze(1)
    # After a blank at t comes beta(t + 1, u); after the last frame's, the end if all tokens are out.
    at_end = torch.where(torch.stack(is_last, 1), 0.0, NEVER).to(beta.dtype)
    after_blank = torch.cat((beta[..., 1:], at_end), -1)
    after_emit = torch.cat((beta[:, 1:], never.unsqueeze(1)), 1)
    by_blanks = -torch.exp((alpha + blanks + after_blank - likelihood).clamp(max=0))
    by_emits = -torch.exp((alpha + emits + after_emit - likelihood).clamp(max=0))
    return -likelihood.sum(), by_blanks.transpose(1, 2), by_emits.transpose(1, 2)
