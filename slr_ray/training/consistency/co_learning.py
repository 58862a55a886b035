"""CoSSL: a second classifier for glosses alike (Fan et al. 2022, arXiv 2112.04564)."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.config import Config
from slr_ray.training.optimisation import averaging_step


class CoLearningConfig(Config):
    """The last part of a training also teaches a classifier on balanced, blended representations.

    From then on it gives pseudo-labels and answers; encoder and classifier share no gradient. The
    release trains it alone for ten epochs first; here it starts from the teacher's classifier.
    """

    start_fraction: float = Field(0.8, ge=0, lt=1)
    """Share of the steps before it begins (published: 0.8)."""
    learning_rate: float = Field(0.002, gt=0)
    """Of its Adam (published: 0.002)."""
    weight_decay: float = Field(5e-4, ge=0)
    """On its matrix (release: 0.0005)."""
    smallest_share: float = Field(0.6, ge=0, le=1)
    """A representation is blended with an unlabelled one in a share from this to 1 (published: 0.6;
    the release's default is 0.8)."""


class CoLearning(nn.Module):
    """The classifier in training, its average, and its optimiser."""

    begun: Tensor
    num_learnt: Tensor
    blend_probability: Tensor

    def __init__(
        self,
        config: CoLearningConfig,
        classifier: nn.Module,
        labelled_counts: Int[Tensor, " glosses"],
        ema_decay: float,
    ) -> None:
        super().__init__()
        self.config, self.ema_decay = config, ema_decay
        self.head, self.average = copy.deepcopy(classifier), copy.deepcopy(classifier)
        self.average.requires_grad_(False)
        most = labelled_counts.max()
        # The rarer a gloss, the more often its clips are blended (section 4.3).
        self.register_buffer("blend_probability", (most - labelled_counts) / most)
        self.register_buffer("begun", torch.tensor(False))
        self.register_buffer("num_learnt", torch.zeros((), dtype=torch.int64))
        matrices = [one for one in self.head.parameters() if one.ndim >= 2]
        vectors = [one for one in self.head.parameters() if one.ndim < 2]
        self.optimiser = torch.optim.Adam(
            [
                {"params": matrices, "weight_decay": config.weight_decay},
                {"params": vectors, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
        )

    def begin(self, classifier: nn.Module) -> None:
        """Start from the teacher's classifier, once."""
        if not bool(self.begun):
            self.head.load_state_dict(classifier.state_dict())
            self.average.load_state_dict(classifier.state_dict())
            self.begun.fill_(True)

    def learn(
        self,
        represented: Float[Tensor, "clips width"],
        glosses: Int[Tensor, " clips"],
        others: Float[Tensor, "others width"],
        generator: torch.Generator,
    ) -> None:
        """One step on labelled clips, each gloss as often, blended with unlabelled `others`.

        With probability (N_max - N_i) / N_max of its gloss i a clip becomes s f(x) + (1 - s) f(u),
        s uniform from `smallest_share` to 1, and keeps its label (equations 3 and 4).
        """
        size = len(represented)
        there = partial(Tensor.to, device=represented.device, non_blocking=True)
        draws, shares = there(torch.rand(2, size, generator=generator))
        picks = there(torch.randint(len(others), (size,), generator=generator))
        shares = self.config.smallest_share + (1 - self.config.smallest_share) * shares
        shares = torch.where(draws < self.blend_probability[glosses], shares, 1.0)[:, None]
        blended = shares * represented + (1 - shares) * others[picks]
        with torch.enable_grad():
            loss = functional.cross_entropy(self.head(blended), glosses)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimiser.step()
        self.num_learnt += 1
        step = averaging_step(self.ema_decay, int(self.num_learnt))
        with torch.no_grad():
            for slow, own in zip(self.average.parameters(), self.head.parameters(), strict=True):
                slow.lerp_(own, step)

    def get_extra_state(self) -> dict[str, Any]:
        """The optimiser's state, for checkpoints."""
        return self.optimiser.state_dict()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.optimiser.load_state_dict(state)
