"""A self-supervised objective of one's own, pre-trained: `python examples/objective.py`.

To keep it: move both classes into a file of slr_ray/objectives/ and add the configuration to the
union in slr_ray/objectives/objectives.py; `pretrain --objective` and the contract suite take it
from there.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from slr_ray.config import Config
from slr_ray.experiment.experiment import build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.pretraining import pretraining_task
from slr_ray.models.heads import perceptron
from slr_ray.objectives.objective import Objective, Outcome, View
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.training.pretraining.loop import PretrainingTask, pretrain
from slr_ray.workers.place import this_place


class BarlowTwinsConfig(Config):
    """Barlow Twins (Zbontar et al. 2021): the views' embeddings agree, their dimensions do not."""

    title: ClassVar[str] = "Barlow Twins"

    kind: Literal["barlow_twins"] = "barlow_twins"
    embedding_width: int = Field(64, ge=2)
    redundancy: float = Field(0.005, gt=0)
    """Weight of the second term, lambda of equation 1."""

    @property
    def mixes_clips(self) -> bool:
        """Whether a clip's loss depends on the others of its batch."""
        return True

    def build(self, encoder: nn.Module, width: int) -> BarlowTwins:
        return BarlowTwins(self, encoder, width)


class BarlowTwins(Objective):
    """The cross-correlation of two views' embeddings is to be the identity (equation 1)."""

    def __init__(self, config: BarlowTwinsConfig, encoder: nn.Module, width: int) -> None:
        super().__init__(encoder)
        self.redundancy = config.redundancy
        sizes = (width, 2 * config.embedding_width, config.embedding_width)
        self.projector = perceptron(sizes, batch_norm=True)

    def forward(self, anchor: View | None, view1: View, view2: View) -> Outcome:
        z1, z2 = (self.projector(one).float() for one in self.represented(view1, view2))
        a, b = ((one - one.mean(0)) / (one.std(0) + 1e-6) for one in (z1, z2))
        correlation = a.T @ b / len(a)
        diagonal = correlation.diagonal()
        others = correlation - torch.diag(diagonal)
        loss = (1 - diagonal).square().sum() + self.redundancy * others.square().sum()
        return loss, z1


class WithBarlowTwins(PretrainingConfig):
    """Pre-training with this objective instead of one of the union."""

    objective: BarlowTwinsConfig = BarlowTwinsConfig()  # type: ignore[assignment]  # as above


def main() -> None:
    settings = {
        "preset": "ssl_slr_small",
        "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8},
        "model": {"width": 32, "num_layers": 1, "hidden": 32},
    }
    prepared = Opener().prepare(build_experiment(settings, "example"))
    task = pretraining_task(prepared, seed=0)
    own = WithBarlowTwins(num_epochs=3, batch_size=64, optimiser=prepared.pretraining.optimiser)
    task = PretrainingTask(
        task.clips, task.model, task.normalisation, own, task.max_frames, task.seed
    )
    for epoch in pretrain(task, this_place()).epochs:
        print(f"epoch {epoch.epoch}: loss {epoch.loss:.3f}, spread {epoch.embedding_std:.2f}")


if __name__ == "__main__":
    main()
