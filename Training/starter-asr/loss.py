"""The RNN-T loss (Graves 2012, arXiv:1211.3711, section 2.4), in plain PyTorch, exact in float32.

The forward variables of one frame follow from those of the frame before by a cumulative log-sum-exp over the tokens:
with E(u) the log-probability of emitting the first u tokens within frame t,
  alpha(t, u) = E(u) + logcumsumexp_u(alpha(t-1, u) + blank(t-1, u) - E(u)),
so that T small steps do, and autograd gives the gradient.
"""

import torch
import torch.nn.functional as F


def transducer_loss(logits, targets, target_lengths, blank):
    """Mean negative log-probability per token.

    logits [batch, T, U + 1, vocabulary]; targets [batch, U], padded with anything; target_lengths [batch]. All frames
    count: windows have no padding.
    """
    total = torch.logsumexp(logits.float(), -1)
    blanks = logits[..., blank].float() - total
    index = F.pad(targets, (0, 1)).clamp(min=0)[:, None, :, None].expand(-1, logits.shape[1], -1, 1)
    emits = logits.gather(-1, index).squeeze(-1).float() - total
    emitted = F.pad(emits[..., :-1].cumsum(-1), (1, 0))
    alpha = emitted[:, 0]
    for frame in range(1, logits.shape[1]):
        alpha = emitted[:, frame] + torch.logcumsumexp(alpha + blanks[:, frame - 1] - emitted[:, frame], -1)
    last = (alpha + blanks[:, -1]).gather(1, target_lengths.unsqueeze(1)).squeeze(1)
    return -last.sum() / target_lengths.sum().clamp(min=1)
