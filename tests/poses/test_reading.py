"""Reading clips as batches: frames without a hand may stay out."""

from __future__ import annotations

import numpy as np

from slr_ray.poses.clip import Clip
from slr_ray.poses.reading import ClipsInMemory, in_batches, read
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


def numbers(row: int, **options: object) -> list[int]:
    batch = read(CLIPS, np.array([row]), 8, **options)  # type: ignore[arg-type]
    return (batch.positions[0, :, INDEX["nose"], 0] * 100).round().int().tolist()


def test_frames_without_a_hand_are_left_out_where_that_is_asked_for() -> None:
    assert numbers(0) == [0, 1, 2, 3, 4, 5]
    assert numbers(0, drop_handless=True) == [1, 2, 4]


def test_a_clip_without_any_hand_stays_whole() -> None:
    assert numbers(1, drop_handless=True) == [0, 1, 2, 3]


def test_thinning_is_over_the_frames_that_are_left() -> None:
    batch = read(CLIPS, np.array([0]), 2, drop_handless=True)
    assert (batch.positions[0, :, INDEX["nose"], 0] * 100).round().int().tolist() == [1, 4]


def test_batches_do_as_they_are_told() -> None:
    found = [
        int(frames)
        for _, batch in in_batches(CLIPS, np.array([0, 1]), 1, 8, drop_handless=True)
        for frames in batch.num_frames
    ]
    assert sorted(found) == [3, 4]
