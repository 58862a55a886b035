"""The boundary augmentation and the standard ones that it is compared with."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from slr_ray.augmentation.blur import blur
from slr_ray.augmentation.boundary import permute_ends
from slr_ray.augmentation.config import (
    AugmentationConfig,
    BoundaryAugmentation,
    StandardAugmentation,
)
from slr_ray.augmentation.pipeline import augment
from slr_ray.poses.batch import PoseBatch, pad
from slr_ray.poses.skeleton import NUM_JOINTS


def counted(num_frames: list[int]) -> PoseBatch:
    """Frame i of every clip has i + 1 everywhere."""
    positions = [
        np.broadcast_to(
            np.arange(1, num + 1, dtype=np.float32)[:, None, None], (num, NUM_JOINTS, 2)
        )
        for num in num_frames
    ]
    confidence = [one[..., 0] / 1000 for one in positions]
    return pad(positions, confidence, 1000)


def order(batch: PoseBatch) -> Tensor:
    """Which frame stands where; 0 is padding."""
    numbers = batch.positions[..., 0, 0]
    assert (batch.positions == numbers[..., None, None]).all()
    torch.testing.assert_close(batch.confidence, (numbers / 1000)[..., None].expand(-1, -1, 54))
    return numbers.long()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(deadline=None, max_examples=40)
@given(
    num_frames=st.lists(st.integers(1, 70), min_size=1, max_size=4),
    head=st.floats(0, 1),
    share=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_frames_stay_in_their_part(
    num_frames: list[int], head: float, share: float, seed: int
) -> None:
    """Head and tail keep their frames, the middle keeps its order, padding stays behind."""
    tail = (1 - head) * share
    batch = counted(num_frames)
    clips = len(num_frames)
    moved = order(
        permute_ends(batch, torch.full((clips,), head), torch.full((clips,), tail), generator(seed))
    )
    for row, num in zip(moved, num_frames, strict=True):
        # Halves to even, in single precision: as torch rounds.
        num_head = int((torch.tensor(head) * num).round())
        num_tail = min(int((torch.tensor(tail) * num).round()), num - num_head)
        found = row.tolist()
        assert sorted(found[:num_head]) == list(range(1, num_head + 1))
        assert found[num_head : num - num_tail] == list(range(num_head + 1, num - num_tail + 1))
        assert sorted(found[num - num_tail : num]) == list(range(num - num_tail + 1, num + 1))
        assert not any(found[num:])


def test_published_fractions() -> None:
    """Of 60 frames the first 20 and the last 15."""
    batch = counted([60])
    found = order(augment(batch, BoundaryAugmentation(), generator()))[0]
    changed = (found != order(batch)[0]).nonzero().squeeze(1)
    assert changed.min() < 5
    assert changed.max() > 55
    assert not ((changed >= 20) & (changed < 45)).any()


def test_views_differ_and_the_seed_decides() -> None:
    batch, config, draws = counted([60, 40]), BoundaryAugmentation(), generator()
    first, second = (order(augment(batch, config, draws)) for _ in range(2))
    assert (first != second).any()
    assert (first[0, :20] != first[1, :20]).any()
    assert torch.equal(first, order(augment(batch, config, generator())))


def test_padding_changes_no_draw() -> None:
    config = BoundaryAugmentation(standard=StandardAugmentation(joint_dropout_probability=1))
    short = counted([12, 9])
    longer = PoseBatch(
        torch.nn.functional.pad(short.positions, (0, 0, 0, 0, 0, 7)),
        torch.nn.functional.pad(short.confidence, (0, 0, 0, 7)),
        short.num_frames,
    )
    one, other = (augment(batch, config, generator(3)) for batch in (short, longer))
    torch.testing.assert_close(other.positions[:, :12], one.positions)
    assert torch.equal(other.confidence[:, :12], one.confidence)
    assert not other.positions[:, 12:].any()


def test_every_order_is_equally_likely() -> None:
    """Three frames of a head have six orders; 6,000 clips, 5 standard deviations."""
    batch = counted([6] * 6000)
    third = torch.full((6000,), 0.5)
    found = order(permute_ends(batch, third, 0 * third, generator()))[:, :3]
    _, counts = torch.unique(found, dim=0, return_counts=True)
    assert len(counts) == 6
    assert (counts - 1000).abs().max() < 5 * math.sqrt(6000 * 5 / 36)


def test_own_boundaries_for_each_clip() -> None:
    batch = counted([20, 20])
    head, tail = torch.tensor([0.5, 0.0]), torch.tensor([0.0, 0.5])
    found = order(permute_ends(batch, head, tail, generator()))
    assert found[0, 10:].tolist() == list(range(11, 21))
    assert found[1, :10].tolist() == list(range(1, 11))
    assert (found[0, :10] != found[1, :10]).any()


def test_more_than_a_clip() -> None:
    with pytest.raises(ValueError, match=r"head_fraction 0\.7 and tail_fraction 0\.4"):
        BoundaryAugmentation(head_fraction=0.7, tail_fraction=0.4)


class TestBlur:
    def test_against_loops(self) -> None:
        draws = np.random.default_rng(0)
        positions = draws.random((2, 7, NUM_JOINTS, 2)).astype(np.float32)
        confidence = (draws.random((2, 7, NUM_JOINTS)) < 0.7).astype(np.float32)
        confidence[1, 4:] = 0
        batch = PoseBatch(
            torch.from_numpy(positions * confidence[..., None]),
            torch.from_numpy(confidence),
            torch.tensor([7, 4]),
        )
        sigma = (1.5, 0.7)
        found = blur(batch, torch.tensor(sigma)).positions
        for clip in range(2):
            for joint in (0, 9, 33):
                for frame in range(7):
                    if not confidence[clip, frame, joint]:
                        assert not found[clip, frame, joint].any()
                        continue
                    total, weight = np.zeros(2), 0.0
                    for other in range(7):
                        share = math.exp(-((frame - other) ** 2) / (2 * sigma[clip] ** 2))
                        share *= confidence[clip, other, joint]
                        total += share * positions[clip, other, joint]
                        weight += share
                    expected = torch.from_numpy((total / weight).astype(np.float32))
                    torch.testing.assert_close(found[clip, frame, joint], expected)

    def test_sigma_zero_and_rest(self) -> None:
        batch = counted([9])
        torch.testing.assert_close(blur(batch, torch.zeros(1)).positions, batch.positions)
        still = batch.with_positions(torch.full_like(batch.positions, 0.4))
        torch.testing.assert_close(blur(still, torch.ones(1)).positions, still.positions)


@pytest.mark.parametrize(
    "config", [StandardAugmentation(), BoundaryAugmentation(standard=StandardAugmentation())]
)
def test_missing_joints_stay_missing(config: AugmentationConfig) -> None:
    batch = counted([12, 7])
    batch.positions[:, 2, 40], batch.confidence[:, 2, 40] = 0, 0
    found = augment(batch, config, generator())
    assert not found.positions[found.confidence == 0].any()
    assert int((found.confidence == 0).sum()) == int((batch.confidence == 0).sum())


def test_a_flip_alone_is_a_mirror() -> None:
    config = StandardAugmentation(flip_probability=1, rotation_probability=0, blur_probability=0)
    batch = counted([5])
    torch.testing.assert_close(
        augment(batch, config, generator()).positions[..., 0], 1 - batch.positions[..., 0]
    )


def test_speed_and_crop_change_the_length() -> None:
    config = StandardAugmentation(
        speed_probability=1, crop_probability=1, crop_fraction=0.4, speed=2.0
    )
    found = augment(counted([40, 40, 40]), config, generator())
    assert found.positions.shape[1] == 40
    assert (found.num_frames < 40).any()
