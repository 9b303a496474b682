"""Muon (Jordan 2024, kellerjordan.github.io/posts/muon): momentum made orthogonal, for the matrices of a network.

The root mean square of an update is 0.2 of the rate, whatever the shape (Liu et al. 2025, arXiv:2502.16982, section 2.2), so that rates
are like AdamW's. Matrices of one shape are worked on together.
"""

import torch

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan's quintic: five times bring singular values near 1


class Muon:
    def __init__(self, matrices, momentum=0.95, weight_decay=0.05):
        self.momentum, self.weight_decay, self.shapes = momentum, weight_decay, {}
        for matrix in matrices:
            self.shapes.setdefault(matrix.shape, []).append(matrix)
        self.buffers = {shape: torch.zeros(len(group), *shape, device=group[0].device) for shape, group in self.shapes.items()}

    def forget(self):
        """No momentum any more."""
        for buffer in self.buffers.values():
            buffer.zero_()

    @torch.no_grad()
    def step(self, rate, fine):
        """Moves all matrices by their gradients if `fine`, a tensor of one truth; else by what was known before."""
        for shape, group in self.shapes.items():
            gradient = torch.nan_to_num(torch.stack([matrix.grad for matrix in group])) * fine
            buffer = self.buffers[shape].mul_(self.momentum).add_(gradient, alpha=1 - self.momentum)
            update = orthogonal(torch.lerp(gradient, buffer, self.momentum))
            torch._foreach_mul_(group, 1 - rate * self.weight_decay)
            torch._foreach_add_(group, list(update.unbind(0)), alpha=-rate * 0.2 * max(shape) ** 0.5)


def orthogonal(x):
    """[matrices, rows, columns]: the same singular vectors, singular values near 1."""
    wide = x.shape[1] > x.shape[2]
    y = (x.transpose(1, 2) if wide else x).bfloat16()
    y = y / (y.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(5):
        product = y @ y.transpose(1, 2)
        y = a * y + (b * product + c * product @ product) @ y
    return (y.transpose(1, 2) if wide else y).float()
