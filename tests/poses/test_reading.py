"""Reading clips as batches: frames without a hand may stay out."""

from __future__ import annotations

import numpy as np
import torch

from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.clip import Clip
from slr_ray.poses.reading import ClipsInMemory, WithHands, in_batches, num_frames_read, read
from slr_ray.poses.skeleton import INDEX, NUM_JOINTS


def clip(name: str, with_hand: list[bool]) -> Clip:
    """Each frame's positions are its number; the body is always found."""
    frames = len(with_hand)
    positions = np.full((frames, NUM_JOINTS, 2), np.arange(frames)[:, None, None] / 100, np.float32)
    confidence = np.zeros((frames, NUM_JOINTS), np.float32)
    confidence[:, INDEX["nose"]] = 1
    confidence[:, INDEX["indexTip_1"]] = with_hand
    return Clip(name, None, None, None, positions, confidence)


CLIPS = ClipsInMemory(
    [clip("some", [False, True, True, False, True, False]), clip("none", [False] * 4)]
)


def numbers(row: int, *, with_hands: bool = False) -> list[int]:
    return shown(read(WithHands(CLIPS) if with_hands else CLIPS, np.array([row]), 8))


def shown(batch: PoseBatch) -> list[int]:
    found: list[int] = (batch.positions[0, :, INDEX["nose"], 0] * 100).round().int().tolist()
    return found


def test_frames_without_a_hand_are_left_out_where_that_is_asked_for() -> None:
    assert numbers(0) == [0, 1, 2, 3, 4, 5]
    assert numbers(0, with_hands=True) == [1, 2, 4]


def test_a_clip_without_any_hand_stays_whole() -> None:
    assert numbers(1, with_hands=True) == [0, 1, 2, 3]


def test_frames_are_counted_as_they_are_read() -> None:
    rows = np.array([1, 0])
    for clips in (CLIPS, WithHands(CLIPS)):
        for longest in (2, 8, None):
            read_one_by_one = [
                int(read(clips, rows[i : i + 1], longest).num_frames) for i in (0, 1)
            ]
            assert num_frames_read(clips, rows, longest).tolist() == read_one_by_one


def test_thinning_is_over_the_frames_that_are_left() -> None:
    assert shown(read(WithHands(CLIPS), np.array([0]), 2)) == [1, 4]
    found = [
        int(frames)
        for _, batch in in_batches(WithHands(CLIPS), np.array([0, 1]), 1, 8)
        for frames in batch.num_frames
    ]
    assert sorted(found) == [3, 4]


def test_drawn_frames_are_one_of_each_part_and_follow_the_seed() -> None:
    long = ClipsInMemory([clip("long", [True] * 20)])
    seen = set()
    for seed in range(30):
        one, again = (
            shown(read(long, np.array([0]), 4, torch.Generator().manual_seed(seed)))
            for _ in range(2)
        )
        assert one == again
        assert [frame // 5 for frame in one] == [0, 1, 2, 3]
        seen.update(one)
    assert seen == set(range(20))


def test_short_clips_are_never_drawn_from() -> None:
    assert shown(read(CLIPS, np.array([0]), 8, torch.Generator().manual_seed(0))) == list(range(6))
