"""Clips a second through a training epoch of SPOTER's published model: ours, and the release's way.

    python -m benchmarks.training [--data SHARD.parquet]

Ours is `slr_ray.training.loop.train` with padded batches. The other side is the release's loop: a
clip is augmented and normalised as a dictionary of joints (`other_ways.dictionary_way`), then comes
one gradient step on it alone, unpadded. Both train the same class of model from the same weights on
the same clips by SGD, without an evaluation worth the name: ours can't go without one, so it gets
the fewest validation clips it can, and they count against it.
"""

from __future__ import annotations

import argparse
import dataclasses
import random

import numpy as np
import torch
from torch import nn

from benchmarks.other_ways.dictionary_way import (
    augmented,
    normalise_body,
    normalise_hands,
    to_array,
    to_dictionary,
)
from benchmarks.timing import compare
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.models.model import Model
from slr_ray.poses.batch import thinned
from slr_ray.training.labels.sampling import TrainingSet, true_labels
from slr_ray.training.loop import train
from slr_ray.training.problem import Problem
from slr_ray.training.round import Round
from slr_ray.workers.place import Place

_SEED = 0


def published(data: str | None, batch_size: int, precision: str) -> Experiment:
    """The published preset, in batches, with every training clip labelled."""
    tree = {
        "preset": "published",
        "data": {"kind": "shards", "location": data} if data else {"kind": "embedded"},
        "pool": {"kind": "all"},
        "training": {"batch_size": batch_size, "num_epochs": 1, "precision": precision},
    }
    return build_experiment(tree, "benchmark")


def one_by_one(model: Model, clips: list[tuple[np.ndarray, int]], draw: random.Random) -> nn.Module:
    """An epoch of the release's loop over frames x 54 x 2 with their glosses."""
    model.train()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.001)
    loss_function = nn.CrossEntropyLoss()
    for positions, gloss in draw.sample(clips, len(clips)):
        sign = augmented(to_dictionary(positions), draw)
        normalise_body(sign)
        normalise_hands(sign)
        inputs = torch.from_numpy(to_array(sign) - 0.5).float().flatten(1)[None]
        inputs = inputs + 0.001 * torch.randn_like(inputs)
        optimiser.zero_grad()
        logits = model(inputs, torch.ones(inputs.shape[:2], dtype=torch.bool))
        loss_function(logits, torch.tensor([gloss])).backward()
        optimiser.step()
    return model


def chosen(own: Problem, num_clips: int) -> tuple[Problem, TrainingSet]:
    """The problem with two validation clips, and a training set of random clips."""
    draw = np.random.default_rng(_SEED)
    clips = np.sort(draw.permutation(own.labelled)[:num_clips])
    split = dataclasses.replace(own.split, validation=own.split.validation[:2])
    return dataclasses.replace(own, split=split), true_labels(clips, own.glosses(clips))


def release_clips(
    own: Problem, training_set: TrainingSet, max_frames: int | None
) -> list[tuple[np.ndarray, int]]:
    """The same clips as the release keeps them: missing joints are 0, long clips thinned."""
    clips = []
    for index, gloss in zip(training_set.clips, training_set.glosses, strict=True):
        clip = own.corpus.clip(int(index))
        frames = thinned(clip.num_frames, max_frames)
        positions = np.where(clip.confidence[..., None] > 0, clip.positions, 0)[frames]
        clips.append((positions.astype(np.float64), int(gloss)))
    return clips


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", help="pose shards to train on instead of the embedded corpus")
    parser.add_argument("--num-clips", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument(
        "--precision",
        choices=["float32", "bfloat16"],
        default="bfloat16",
        help="ours; the release's loop is float32 (in bfloat16 it gains nothing)",
    )
    parser.add_argument("--num-threads", type=int, default=2)
    parser.add_argument("--num-repeats", type=int, default=3)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.num_threads)

    config = published(given.data, given.batch_size, given.precision)
    own, training_set = chosen(Opener().prepare(config).problem(_SEED), given.num_clips)
    clips = release_clips(own, training_set, config.training.max_frames)
    torch.manual_seed(_SEED)
    model, other = own.new_model(), own.new_model()
    other.load_state_dict(model.state_dict())
    lengths = [len(positions) for positions, _ in clips]
    print(
        f"{own.corpus.name}: {len(clips)} clips of {min(lengths)} to {max(lengths)} frames, "
        f"{sum(one.numel() for one in model.parameters()):,} weights, batches of "
        f"{given.batch_size} in {given.precision}, {torch.get_num_threads()} thread(s)"
    )
    place, draw = Place(torch.device("cpu")), random.Random(_SEED)
    round_ = Round(number=0, seed=_SEED, training_set=training_set)
    compare(
        lambda: train(model, own, config.training, round_, place),
        lambda: one_by_one(other, clips, draw),
        names=("slr_ray.training.loop", "one clip a step"),
        num_items=len(clips),
        items="clips",
        num_repeats=given.num_repeats,
    )


if __name__ == "__main__":
    main()
