"""A gloss's prototype: the mean of its labelled clips' latest representations."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class Prototypes(nn.Module):
    """The last `size` representations of each gloss, as many for rare glosses as for frequent ones.

    Holds `num_glosses` x `size` x `width` numbers, and so does a checkpoint.
    """

    memory: Tensor
    num_added: Tensor

    def __init__(self, num_glosses: int, size: int, width: int) -> None:
        super().__init__()
        self.register_buffer("memory", torch.zeros(num_glosses, size, width))
        self.register_buffer("num_added", torch.zeros(num_glosses, dtype=torch.int64))

    def add(
        self, represented: Float[Tensor, "clips width"], glosses: Int[Tensor, " clips"]
    ) -> None:
        """Remember clips in their order, each in place of its gloss's oldest."""
        num_glosses, size, _ = self.memory.shape
        of_gloss = glosses[:, None] == torch.arange(num_glosses, device=glosses.device)
        before = of_gloss.cumsum(dim=0).gather(1, glosses[:, None])[:, 0] - 1
        counts = of_gloss.sum(dim=0)
        # Of more than there is room for, the last.
        kept = counts[glosses] - before <= size
        places = (self.num_added[glosses] + before) % size
        self.memory[glosses[kept], places[kept]] = represented[kept].to(self.memory.dtype)
        self.num_added += counts

    def means(self) -> Float[Tensor, "glosses width"]:
        """The prototypes; 0 for a gloss of which no clip was added."""
        filled = self.num_added.clamp(min=1, max=self.memory.shape[1])
        return self.memory.sum(dim=1) / filled[:, None]
