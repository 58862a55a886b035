"""Views that are replayed are those that are made; how an H100 replays only a GPU can tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from pose_factory import random_batch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from slr_ray.augmentation import recorded
from slr_ray.augmentation.boundary_estimate import BoundaryEstimateConfig, ends_finder
from slr_ray.augmentation.config import (
    AugmentationConfig,
    BoundaryAugmentation,
    NoAugmentation,
    SpoterAugmentation,
    StandardAugmentation,
    StrongAugmentation,
)
from slr_ray.augmentation.recorded import Made, RecordedViews
from slr_ray.experiment.experiment import build_experiment
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.normalisation import (
    NoNormalisation,
    NormalisationConfig,
    SigningSpace,
    SpoterNormalisation,
)
from slr_ray.training.batches import model_input

CLIPS, FRAMES = 6, 16
MODERN = build_experiment({"preset": "modern"}, "test")
ALL_GEOMETRY = SigningSpace(canonical_hand=True, distances=True, directions=True, velocities=True)
NORMALISATIONS = [SpoterNormalisation(canonical_hand=True), ALL_GEOMETRY, NoNormalisation()]
AUGMENTATIONS = [
    MODERN.augmentation,
    NoAugmentation(),
    StrongAugmentation(noise_std=0.01),
    StandardAugmentation(blur_probability=0.5, joint_dropout_probability=0.5),
    BoundaryAugmentation(standard=StandardAugmentation()),
    BoundaryAugmentation(per_clip=BoundaryEstimateConfig()),
]


def computed_again(
    make: Callable[[], Made], device: torch.device
) -> tuple[Made, Callable[[], None]]:
    """In the place of `captured`: what is read and written lies where a graph would have it."""
    made = make()

    def replay() -> None:
        for there, one in zip(made, make(), strict=True):
            there.copy_(one)

    return made, replay


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "captured", computed_again)


def new_views(augmentation: AugmentationConfig, normalisation: NormalisationConfig) -> Any:
    make = partial(views, augmentation, normalisation)
    needs_ends = ends_finder(augmentation) is not None
    return RecordedViews(make, CLIPS, FRAMES, torch.device("cpu"), needs_ends=needs_ends)


def views(
    augmentation: AugmentationConfig,
    normalisation: NormalisationConfig,
    batch: PoseBatch,
    source: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    return model_input(batch, normalisation, augmentation, source)


def clips(seed: int, lengths: tuple[int, ...]) -> PoseBatch:
    ends = torch.rand((len(lengths), 2), generator=seeded(seed)) * 0.4
    return replace(random_batch(seed, lengths), ends=ends)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_replayed_views_are_those_that_are_made(
    augmentation: AugmentationConfig, normalisation: NormalisationConfig
) -> None:
    ours, generators = new_views(augmentation, normalisation), (seeded(3), seeded(3))
    # Of other sizes, one after the other: nothing may be left of the batch before.
    for seed, lengths in enumerate([(FRAMES,) * CLIPS, (7, 1, 12, 5), (9, 3), (16, 2, 8)]):
        batch = clips(seed, lengths)
        found = ours(batch, generators[0])
        expected = views(augmentation, normalisation, batch, generators[1])
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    assert torch.equal(*(one.get_state() for one in generators))


@pytest.mark.parametrize("lengths", [(5,) * (CLIPS + 1), (FRAMES + 1,)])
def test_larger_batches_are_made(lengths: tuple[int, ...]) -> None:
    batch, ours = clips(0, lengths), new_views(MODERN.augmentation, MODERN.normalisation)
    ours._replay = None
    found = ours(batch, seeded(0))
    expected = views(MODERN.augmentation, MODERN.normalisation, batch, seeded(0))
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_views_stay_when_the_next_are_made() -> None:
    ours = new_views(MODERN.augmentation, MODERN.normalisation)
    features, _ = ours(clips(0, (5, 9)), seeded(0))
    before = features.clone()
    ours(clips(1, (9, 7)), seeded(1))
    assert torch.equal(features, before)


def test_clips_without_their_ends_are_refused_as_ever() -> None:
    per_clip = BoundaryAugmentation(per_clip=BoundaryEstimateConfig())
    with pytest.raises(ValueError, match="ends_finder"):
        new_views(per_clip, ALL_GEOMETRY)(random_batch(0), seeded(0))


class _OnlyMeta(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in tree_leaves(made):
            if isinstance(one, torch.Tensor):
                assert one.device.type == "meta", f"{func} gives a tensor on {one.device}"
        return made


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_views_ask_nothing_of_the_device(
    augmentation: AugmentationConfig, normalisation: NormalisationConfig
) -> None:
    # What a recording can't do, "meta" can't either: it holds no numbers.
    batch = PoseBatch(
        *(torch.zeros((4, 8, 54, *more), device="meta") for more in ((2,), ())),
        torch.ones(4, dtype=torch.long, device="meta"),
        torch.zeros((4, 2), device="meta"),
    )
    again = partial(
        views,
        augmentation,
        normalisation,
        batch,
        lambda draw: torch.zeros(draw.shape, device="meta"),
    )
    # As before a recording: what a first call sets up stays.
    again()
    with _OnlyMeta():
        again()


def test_transforms_that_pick_clips_are_refused() -> None:
    with pytest.raises(TypeError, match="need a generator"):
        new_views(SpoterAugmentation(), SpoterNormalisation())
