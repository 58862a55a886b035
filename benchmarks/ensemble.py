"""Several models in one training step (torch.func), against a step of each in turn.

    python -m benchmarks.ensemble [--num-models 1 4]

The models have one shape, other seeds, and a batch each. One side takes the bare step of each; the
other stacks weights and batches and maps one step over them (`vmap`). Both do without dropout: vmap
can't map its cheap draws (`models/dropout.py`). Both compute attention as plain products: training
does so on a processor while it has dropout, and a GPU's fused kernel refuses the axis of models.
The last line is the default recogniser's ratio with the most models: below 1, the stacked step is
the slower way.
"""

from __future__ import annotations

import argparse
import copy
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from unittest import mock

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, func
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.recogniser import BareModel, experiment, opened
from benchmarks.timing import in_turns
from slr_ray.experiment.experiment import Experiment
from slr_ray.models.config import with_dropout
from slr_ray.models.frame_norm import FrameNorm
from slr_ray.training.batches import joined
from slr_ray.training.config import AdamW
from slr_ray.workers.place import Place, this_place

PRESETS = ("spoter_small", "modern")


class Stacked:
    """The same models as one, every weight with a first axis of models."""

    def __init__(self, models: Sequence[BareModel]) -> None:
        settings = models[0].config.training.optimiser
        if not isinstance(settings, AdamW):
            raise TypeError(f"only AdamW is stacked here, not {settings.kind}")
        modules = [one.model for one in models]
        self.model = copy.deepcopy(modules[0]).to("meta")
        self.weights, self.buffers = func.stack_module_state(modules)
        inputs, masks = joined([one.batch for one in models])
        self.batch = [
            torch.stack(part.chunk(len(models)))
            for part in (inputs, masks, torch.cat([one.glosses for one in models]))
        ]
        # As in training.optimisation: vectors, matrices here, do not decay.
        weights = self.weights.values()
        self.optimiser = torch.optim.AdamW(
            [
                {
                    "params": [one for one in weights if one.ndim > 2],
                    "weight_decay": settings.weight_decay,
                },
                {"params": [one for one in weights if one.ndim <= 2], "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
            fused=True,
        )

    def step(self) -> Float[Tensor, " models"]:
        """The losses before the step."""
        # Which frames are real differs from model to model: they can't be picked out.
        with mock.patch.object(FrameNorm, "forward", FrameNorm.by_weight):
            losses: Tensor = func.vmap(self._loss)(self.weights, self.buffers, *self.batch)
        self.optimiser.zero_grad(set_to_none=True)
        losses.sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimiser.step()
        return losses.detach()

    def _loss(
        self,
        weights: dict[str, Tensor],
        buffers: dict[str, Tensor],
        inputs: Float[Tensor, "clips frames channels"],
        mask: Bool[Tensor, "clips frames"],
        glosses: Int[Tensor, " clips"],
    ) -> Float[Tensor, ""]:
        logits = func.functional_call(self.model, (weights, buffers), (inputs, mask))
        return functional.cross_entropy(logits, glosses)


@dataclass(frozen=True)
class Compared:
    """Both ways of a step."""

    difference: float
    """Of the losses of their second step, at most, as a share."""
    in_turn_s: float
    stacked_s: float

    @property
    def ratio(self) -> float:
        return self.in_turn_s / self.stacked_s

    @property
    def text(self) -> str:
        return (
            f"{self.in_turn_s * 1e3:.1f} ms in turn, {self.stacked_s * 1e3:.1f} ms stacked: "
            f"{self.ratio:.2f} times as fast"
        )


def compared(config: Experiment, count: int, place: Place, num_repeats: int) -> Compared:
    """So many models of one experiment, which differ in their seeds, trained both ways."""
    plain = config.model_copy(update={"model": with_dropout(config.model, 0.0)})
    own = opened(plain)
    models = [BareModel(plain, own, place, seed) for seed in range(count)]
    stacked = Stacked(models)
    with sdpa_kernel(SDPBackend.MATH):
        # The second: it sees what the first step did to the weights.
        _, losses = ([one.step() for one in models] for _ in range(2))
        _, others = (stacked.step() for _ in range(2))
        calls = {"in turn": lambda: [one.step() for one in models], "stacked": stacked.step}
        taken = in_turns(calls, num_repeats, place.device)
    apart = (torch.stack(losses) - others).abs() / others.abs()
    return Compared(float(apart.max()), *(statistics.median(times) for times in taken.values()))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--num-models", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--batch-size", type=int, default=48)
    parser.add_argument("--num-threads", type=int, default=2)
    parser.add_argument("--num-repeats", type=int, default=5)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.num_threads)
    place = this_place()
    for preset in PRESETS:
        config = experiment(preset, None, {"batch_size": given.batch_size})
        for count in given.num_models:
            found = compared(config, count, place, given.num_repeats)
            print(f"{preset}, {count} models, batches of {given.batch_size}: {found.text}")
    print(f"ratio: {found.ratio:.2f}")


if __name__ == "__main__":
    main()
