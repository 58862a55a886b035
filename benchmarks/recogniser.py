"""Training speed of the default recogniser: the loop's own share, and beside SPOTER.

    python -m benchmarks.recogniser [--data SHARD.parquet]

Three trainings take turns on the same clips: `slr_ray.training.loop.train` with the preset
`modern`, the same with `spoter_small`, and the bare model: the recogniser's forward pass, loss,
gradient and optimiser on one batch that lies ready. What the first takes longer than the last is
the loop's own: reading, augmentation, features, averaged weights. Beside them, how much of what the
processor gives in one large matrix product each of them reaches: the operations of matrix products
and convolutions a step over those of the product in the same time. The last line is the bare
model's share of our loop: 0.8 is the goal.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from benchmarks.rates import best_rate, operations
from benchmarks.timing import in_turns
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.poses.reading import read
from slr_ray.records.measured import EpochRecord
from slr_ray.records.stages import Checkpoint
from slr_ray.training.batches import model_input
from slr_ray.training.loop import train
from slr_ray.training.optimisation import new_optimiser
from slr_ray.training.prediction import autocast
from slr_ray.training.problem import Problem, labelled_set
from slr_ray.training.round import Round
from slr_ray.workers.place import Place, this_place

_SEED = 0


def experiment(preset: str, data: str | None, training: Mapping[str, Any]) -> Experiment:
    """A preset on all labels, with these settings of training."""
    tree = {
        "preset": preset,
        "data": {"kind": "shards", "location": data} if data else {"kind": "embedded"},
        "pool": {"kind": "all"},
        "training": training,
    }
    return build_experiment(tree, "benchmark")


def opened(config: Experiment) -> Problem:
    """With two validation clips: an evaluation belongs to training, but not to its steps."""
    own = Opener().prepare(config).problem(_SEED)
    split = dataclasses.replace(own.split, validation=own.split.validation[:2])
    return dataclasses.replace(own, split=split)


def whole_loop(
    config: Experiment,
    own: Problem,
    place: Place,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> None:
    """A round as it is in use."""
    torch.manual_seed(_SEED)
    round_ = Round(number=0, seed=_SEED, training_set=labelled_set(own))
    model, training = own.new_recogniser(), config.training
    train(model, own, training, round_, place, checkpoint=checkpoint, on_epoch=on_epoch)


class BareModel:
    """Forward pass, loss, gradient and optimiser on one batch that lies ready."""

    def __init__(self, config: Experiment, own: Problem, place: Place, seed: int = _SEED) -> None:
        self.config = config
        training = config.training
        torch.manual_seed(seed)
        self.model = own.new_model().to(place.device).train()
        self.forward = torch.compile(self.model) if training.compile else self.model
        self.optimiser = new_optimiser(self.model.parameters(), training.optimiser)
        rows = np.random.default_rng(seed).permutation(own.labelled)[: training.batch_size]
        batch = read(own.clips, rows, training.max_frames).to(place.device)
        self.batch = model_input(batch, own.normalisation, None, None)
        self.glosses = torch.from_numpy(own.glosses(rows)).to(place.device)
        self.autocast = partial(autocast, place.device, training.precision)

    def step(self) -> Float[Tensor, ""]:
        """The loss before the step."""
        with self.autocast():
            logits = self.forward(*self.batch)
        loss = functional.cross_entropy(logits.float(), self.glosses)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimiser.step()
        return loss.detach()

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.step()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", help="pose shards to train on instead of the embedded corpus")
    parser.add_argument("--num-steps", type=int, default=20)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--num-threads", type=int, default=2)
    parser.add_argument("--num-repeats", type=int, default=3)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.num_threads)
    place = this_place()

    num_steps = given.num_steps
    training = {"num_epochs": 1, "steps_per_epoch": num_steps, "precision": given.precision}
    configs = {name: experiment(name, given.data, training) for name in ("modern", "spoter_small")}
    problems = {name: opened(config) for name, config in configs.items()}
    bare = {name: BareModel(config, problems[name], place) for name, config in configs.items()}
    modern, spoter = configs["modern"], configs["spoter_small"]
    calls: dict[str, Callable[[], None]] = {
        "modern": lambda: whole_loop(modern, problems["modern"], place),
        "spoter_small": lambda: whole_loop(spoter, problems["spoter_small"], place),
        "modern, bare model": lambda: bare["modern"].steps(num_steps),
    }
    taken = in_turns(calls, given.num_repeats, place.device)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    rate = best_rate(place.device, given.precision)
    counts = {name: operations(one.step) for name, one in bare.items()}
    print(
        f"{problems['modern'].corpus.name}, {given.precision}, {given.num_threads} thread(s), "
        f"{rate / 1e9:.0f} GFLOP/s in one product"
    )
    for name, median in medians.items():
        clips = modern.training.batch_size * num_steps / median
        reached = counts[name.split(",")[0]] * num_steps / median / rate
        print(
            f"{name}: {median / num_steps * 1e3:.1f} ms a step, {clips:.0f} clips/s, "
            f"{100 * reached:.0f} % of that product's rate"
        )
    print(f"ratio: {medians['modern, bare model'] / medians['modern']:.2f}")


if __name__ == "__main__":
    main()
