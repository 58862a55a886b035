"""Small trainings through the product, and how far two results are apart."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.recogniser import BareModel, whole_loop
from benchmarks.timing import finish
from slr_ray.experiment.experiment import Experiment
from slr_ray.models.config import with_dropout
from slr_ray.records.measured import EpochRecord
from slr_ray.records.stages import Checkpoint
from slr_ray.training.problem import Problem
from slr_ray.workers.place import Place

PRESETS = ("published", "spoter_small", "modern", "ssl_slr")


@dataclass(frozen=True)
class Epoch:
    """An epoch of the product's loop."""

    loss: float
    seconds: float


def trained(
    config: Experiment, own: Problem, place: Place, checkpoint: Checkpoint | None = None
) -> list[Epoch]:
    """The epochs of a round; the first one's time includes what is only done once."""
    epochs: list[Epoch] = []
    last = time.perf_counter()

    def on_epoch(record: EpochRecord) -> None:
        nonlocal last
        finish(place.device)
        now = time.perf_counter()
        epochs.append(Epoch(record.training_loss, now - last))
        last = now

    whole_loop(config, own, place, on_epoch, checkpoint)
    return epochs


def without_dropout(config: Experiment) -> Experiment:
    """Dropout draws other numbers on another device, in another precision, and compiled."""
    return config.model_copy(update={"model": with_dropout(config.model, 0.0)})


def gradient(bare: BareModel) -> Float[Tensor, " weights"]:
    """Of one step, on the processor."""
    bare.step()
    parts = [one.grad.flatten() for one in bare.model.parameters() if one.grad is not None]
    return torch.cat(parts).float().cpu()


def difference(found: Float[Tensor, "*axes"], expected: Float[Tensor, "*axes"]) -> float:
    """The norm of the difference over that of what is expected."""
    return float((found.cpu() - expected.cpu()).norm() / expected.norm().cpu())


def apart(found: float, expected: float) -> float:
    """As `difference`, of two numbers."""
    return abs(found - expected) / abs(expected) if expected else math.inf


def times(taken: Mapping[str, list[float]]) -> str:
    """The medians of `in_turns` in words."""
    medians = {name: statistics.median(own) for name, own in taken.items()}
    return ", ".join(f"{name} {1e3 * median:.2f} ms" for name, median in medians.items())
