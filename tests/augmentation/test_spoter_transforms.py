"""SPOTER's transforms as a list: one of those that are named, and none of the others."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from pose_factory import random_batch
from pydantic import ValidationError

from slr_ray.augmentation.config import SpoterAugmentation, SpoterTransform
from slr_ray.augmentation.draws import chance
from slr_ray.augmentation.noise import add_noise
from slr_ray.augmentation.pipeline import augment
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.skeleton import BODY

NAMES: tuple[SpoterTransform, ...] = get_args(SpoterTransform)
BATCH = random_batch(5, (3,) * 400, missing=0)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def moved(*transforms: SpoterTransform) -> torch.Tensor:
    config = SpoterAugmentation(transforms=transforms, arm_joint_probability=1.0)
    after = augment(BATCH, config, seeded())
    return (after.positions - BATCH.positions).abs() > 1e-7


def ways(by_clip: torch.Tensor) -> set[SpoterTransform]:
    """What was done, told by which joints and coordinates moved."""
    hands, legs = by_clip[:, :, BODY.stop :].flatten(1).any(1), by_clip[:, :, 0].flatten(1).any(1)
    body, heights = by_clip[:, :, BODY].flatten(1).any(1), by_clip[:, :, BODY, 1].flatten(1).any(1)
    found = {
        "rotate": hands,
        "rotate_arms": body & ~legs,
        "squeeze": legs & ~heights,
        "perspective": legs & heights & ~hands,
    }
    return {name for name in NAMES if found[name].any()}


@pytest.mark.parametrize("name", NAMES)
def test_one_that_is_left_out_is_not_drawn_and_its_share_goes_to_the_others(
    name: SpoterTransform,
) -> None:
    left = tuple(one for one in NAMES if one != name)
    without, alone = moved(*left), moved(name)
    assert ways(without) == set(left)
    assert ways(alone) == {name}
    for by_clip in (without, alone, moved(*NAMES)):
        # As many clips as ever: a transform of no strength would leave some of them alone.
        assert by_clip.flatten(1).any(1).sum() == chance((400,), 0.5, seeded()).sum()


def test_without_a_name_all_four_are_drawn_as_before() -> None:
    drawn = seeded()
    augmented = chance((400,), 0.5, drawn)
    which = torch.randint(4, (400,), generator=drawn)
    by_clip = moved(*NAMES)
    assert torch.equal(by_clip.flatten(1).any(1), augmented)
    assert torch.equal(by_clip[:, :, BODY.stop :].flatten(1).any(1), augmented & (which == 0))
    assert SpoterAugmentation().transforms == NAMES


def test_the_order_of_names_means_nothing() -> None:
    assert SpoterAugmentation(transforms=NAMES[::-1]) == SpoterAugmentation()
    with pytest.raises(ValidationError, match="name each transform once"):
        SpoterAugmentation(transforms=("rotate", "rotate"))
    with pytest.raises(ValidationError, match="'rotate', 'perspective', 'squeeze' or 'rotate_arms"):
        SpoterAugmentation(transforms=("shear",))  # type: ignore[arg-type]


def test_no_transform_and_the_noise_are_two_things() -> None:
    batch = PoseBatch(BATCH.positions, BATCH.confidence, BATCH.num_frames)
    none = SpoterAugmentation(transforms=())
    assert augment(batch, none, seeded()) is batch
    features = batch.positions.flatten(2)
    assert none.noise_std == 0.001
    noisy = add_noise(features, batch.frame_mask, none.noise_std, seeded())
    assert not torch.equal(noisy, features)
    silent = SpoterAugmentation(noise_std=0.0)
    assert add_noise(features, batch.frame_mask, silent.noise_std, seeded()) is features
