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
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.poses.reading import read
from slr_ray.training.batches import model_input
from slr_ray.training.labels.sampling import true_labels
from slr_ray.training.loop import train
from slr_ray.training.optimisation import new_optimiser
from slr_ray.training.prediction import autocast
from slr_ray.training.problem import Problem
from slr_ray.training.round import Round
from slr_ray.workers.place import Place

_SEED = 0
_PLACE = Place(torch.device("cpu"))
_SIDE = 2048
"""Of the matrices whose product tells the processor's best."""


def experiment(preset: str, data: str | None, precision: str, num_steps: int) -> Experiment:
    """A preset on all labels, one epoch of so many steps."""
    tree = {
        "preset": preset,
        "data": {"kind": "shards", "location": data} if data else {"kind": "embedded"},
        "pool": {"kind": "all"},
        "training": {"num_epochs": 1, "steps_per_epoch": num_steps, "precision": precision},
    }
    return build_experiment(tree, "benchmark")


def opened(config: Experiment) -> Problem:
    """With two validation clips: an evaluation belongs to training, but not to its steps."""
    own = Opener().prepare(config).problem(_SEED)
    split = dataclasses.replace(own.split, validation=own.split.validation[:2])
    return dataclasses.replace(own, split=split)


def whole_loop(config: Experiment, own: Problem) -> None:
    """An epoch as it is in use."""
    torch.manual_seed(_SEED)
    labels = true_labels(own.labelled, own.glosses(own.labelled))
    round_ = Round(number=0, seed=_SEED, training_set=labels)
    train(own.new_model(), own, config.training, round_, _PLACE)


def bare_model(config: Experiment, own: Problem) -> None:
    """As many steps on one batch that lies ready."""
    training = config.training
    torch.manual_seed(_SEED)
    model = own.new_model().train()
    optimiser = new_optimiser(model.parameters(), training.optimiser)
    rows = np.random.default_rng(_SEED).permutation(own.labelled)[: training.batch_size]
    inputs, mask = model_input(
        read(own.clips, rows, training.max_frames), own.normalisation, None, None
    )
    glosses = torch.from_numpy(own.glosses(rows))
    for _ in range(training.steps_per_epoch or 1):
        with autocast(_PLACE.device, training.precision):
            logits = model(inputs, mask)
        optimiser.zero_grad(set_to_none=True)
        functional.cross_entropy(logits.float(), glosses).backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def best_rate(precision: str) -> float:
    """Operations a second of one large matrix product, the best of ten."""
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    left, right = torch.randn(2, _SIDE, _SIDE).to(dtype)
    taken = []
    for _ in range(10):
        start = time.perf_counter()
        left @ right
        taken.append(time.perf_counter() - start)
    return 2 * _SIDE**3 / min(taken)


def operations(config: Experiment, own: Problem) -> int:
    """Of one step's matrix products and convolutions, gradients included."""
    once = config.training.model_copy(update={"steps_per_epoch": 1})
    with FlopCounterMode(display=False) as counter:
        bare_model(config.model_copy(update={"training": once}), own)
    return int(counter.get_total_flops())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", help="pose shards to train on instead of the embedded corpus")
    parser.add_argument("--num-steps", type=int, default=20)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--num-threads", type=int, default=2)
    parser.add_argument("--num-repeats", type=int, default=3)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.num_threads)

    configs = {
        name: experiment(name, given.data, given.precision, given.num_steps)
        for name in ("modern", "spoter_small")
    }
    problems = {name: opened(config) for name, config in configs.items()}
    modern, spoter = configs["modern"], configs["spoter_small"]
    calls: dict[str, Callable[[], None]] = {
        "modern": lambda: whole_loop(modern, problems["modern"]),
        "spoter_small": lambda: whole_loop(spoter, problems["spoter_small"]),
        "modern, bare model": lambda: bare_model(modern, problems["modern"]),
    }
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(given.num_repeats + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if repeat:
                taken[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    rate = best_rate(given.precision)
    counts = {name: operations(configs[name], problems[name]) for name in configs}
    print(
        f"{problems['modern'].corpus.name}, {given.precision}, {given.num_threads} thread(s), "
        f"{rate / 1e9:.0f} GFLOP/s in one product"
    )
    for name, median in medians.items():
        clips = modern.training.batch_size * given.num_steps / median
        reached = counts[name.split(",")[0]] * given.num_steps / median / rate
        print(
            f"{name}: {median / given.num_steps * 1e3:.1f} ms a step, {clips:.0f} clips/s, "
            f"{100 * reached:.0f} % of that product's rate"
        )
    print(f"ratio: {medians['modern, bare model'] / medians['modern']:.2f}")


if __name__ == "__main__":
    main()
