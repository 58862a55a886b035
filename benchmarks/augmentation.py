"""Clips a second through SPOTER's augmentation and normalisation: batched, and the release's way.

    python -m benchmarks.augmentation [--data SHARD.parquet]

The other side is `benchmarks.other_ways.dictionary_way`. Before timing, both normalise the same
clips and must agree.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch

from benchmarks.other_ways.dictionary_way import (
    augmented,
    normalise_body,
    normalise_hands,
    to_array,
    to_dictionary,
)
from benchmarks.timing import compare
from slr_ray.augmentation.config import SpoterAugmentation
from slr_ray.augmentation.pipeline import augment
from slr_ray.poses.batch import PoseBatch, pad
from slr_ray.poses.normalisation import SpoterNormalisation, features
from slr_ray.poses.shards import ShardReader
from slr_ray.poses.skeleton import BODY, INDEX, LEFT_HAND, NUM_JOINTS, RIGHT_HAND
from slr_ray.training.allocator import keep_freed_memory


def made_up_clips(seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions and confidence of clips of 30 to 60 frames: arms that swing, hands that vanish."""
    draw = np.random.default_rng(seed)
    body = np.array(
        [
            *[(0.5, 0.4), (0.5, 0.6), (0.47, 0.37), (0.53, 0.37), (0.44, 0.38), (0.56, 0.38)],
            *[(0.35, 0.6), (0.65, 0.6), (0.3, 0.8), (0.7, 0.8), (0.4, 0.7), (0.6, 0.7)],
        ]
    )
    while True:
        frames = int(draw.integers(30, 61))
        positions = np.zeros((frames, NUM_JOINTS, 2), np.float32)
        confidence = np.ones((frames, NUM_JOINTS), np.float32)
        positions[:, BODY] = body
        for hand, wrist in ((LEFT_HAND, INDEX["leftWrist"]), (RIGHT_HAND, INDEX["rightWrist"])):
            positions[:, wrist] += np.cumsum(draw.normal(0, 0.01, (frames, 2)), axis=0)
            shape = draw.normal(0, 0.04, (hand.stop - hand.start, 2))
            positions[:, hand] = positions[:, wrist, None] + shape
            begin, length = draw.integers(0, frames), draw.integers(0, frames // 2)
            confidence[begin : begin + length, hand] = 0
        positions += draw.normal(0, 0.002, positions.shape)
        positions[confidence == 0] = 0
        yield positions, confidence


def real_clips(location: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions and confidence of the clips of pose shards."""
    for clip in ShardReader(location):
        yield clip.positions, clip.confidence


def batched(batch: PoseBatch, generator: torch.Generator) -> torch.Tensor:
    return features(augment(batch, SpoterAugmentation(), generator), SpoterNormalisation())


def one_by_one(clips: list[np.ndarray], draw: random.Random | None) -> list[np.ndarray]:
    """The release's way; without `draw` only the normalisation."""
    done = []
    for positions in clips:
        sign = to_dictionary(positions)
        if draw is not None:
            sign = augmented(sign, draw)
        normalise_body(sign)
        normalise_hands(sign)
        done.append(to_array(sign) - 0.5)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", help="pose shards to take clips from instead of made-up ones")
    parser.add_argument("--num-clips", type=int, default=256)
    # One thread, as the other side has one: at this size more of them mostly wait for each other.
    parser.add_argument("--num-threads", type=int, default=1)
    parser.add_argument("--num-repeats", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(given.num_threads)
    keep_freed_memory()  # as every training process does

    source = real_clips(given.data) if given.data else made_up_clips(given.seed)
    clips = list(islice(source, given.num_clips))
    batch = pad([one for one, _ in clips], [one for _, one in clips], max_frames=256)
    arrays = [
        positions[: int(frames)].double().numpy()
        for positions, frames in zip(batch.positions, batch.num_frames, strict=True)
    ]
    for positions, found in zip(arrays, batch.joint_mask.numpy(), strict=True):
        # The release takes x = 0 for missing; a joint found just there would be lost.
        positions[found[: len(positions)] & (positions[..., 0] == 0), 0] = 1e-9
    num_frames = int(batch.num_frames.sum())
    print(f"{len(clips)} clips, {num_frames} frames, {torch.get_num_threads()} thread(s)")

    normalised = features(batch, SpoterNormalisation())
    for ours, theirs in zip(normalised, one_by_one(arrays, None), strict=True):
        np.testing.assert_allclose(
            ours[: len(theirs)].numpy(), theirs.reshape(len(theirs), -1), atol=1e-4
        )
    generator, draw = torch.Generator().manual_seed(given.seed), random.Random(given.seed)
    compare(
        lambda: batched(batch, generator),
        lambda: one_by_one(arrays, draw),
        names=("batched", "one clip and frame at a time"),
        num_items=len(clips),
        items="clips",
        num_repeats=given.num_repeats,
    )


if __name__ == "__main__":
    main()
