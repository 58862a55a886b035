"""Poses without body joints, as hand detectors give them, through every use of a signing space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pose_factory import moved, padded, random_batch

from slr_ray.augmentation.boundary_estimate import estimate_batch
from slr_ray.augmentation.config import BoundaryEstimateConfig
from slr_ray.corpora.corpus import open_shards
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.body_normalisation import signing_space
from slr_ray.poses.handedness import canonical_hand, left_handed, mirrored
from slr_ray.poses.normalisation import (
    NormalisationConfig,
    SigningSpace,
    SpoterNormalisation,
    features,
)
from slr_ray.poses.reading import read
from slr_ray.poses.skeleton import BODY, INDEX, LEFT_HAND, RIGHT_HAND

SEEDS = st.integers(0, 10_000)


def hands_only(seed: int, missing: float = 0.0) -> PoseBatch:
    batch = random_batch(seed, missing=missing)
    confidence = batch.confidence.clone()
    confidence[:, :, BODY] = 0
    # One whole hand in every clip: without any size there is nothing to be invariant to.
    confidence[:, 0, RIGHT_HAND] = 1
    positions = torch.where(batch.confidence[..., None] > 0, batch.positions, 0.3)
    positions[:, 0, INDEX["wrist_1"]] = torch.tensor([0.2, 0.9])
    positions *= confidence[..., None] > 0
    return PoseBatch(positions, confidence, batch.num_frames)


@given(
    seed=SEEDS,
    shift=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    scale=st.floats(0.3, 3),
    missing=st.sampled_from([0.0, 0.3]),
)
@settings(max_examples=25, deadline=None)
def test_translation_and_uniform_scale_change_nothing(
    seed: int, shift: tuple[float, float], scale: float, missing: float
) -> None:
    batch = hands_only(seed, missing)
    elsewhere = moved(batch, shift, scale)
    config = SigningSpace()
    before, after = features(batch, config), features(elsewhere, config)
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3 * float(before.abs().max()))


def test_the_hands_stand_in_for_the_shoulders_by_hand() -> None:
    batch = hands_only(0)
    batch.confidence[0] = 0
    batch.positions[0] = 0
    for joint, place in (("wrist", (0.4, 0.8)), ("indexTip", (0.4, 0.4))):
        batch.positions[0, 0, INDEX[f"{joint}_1"]] = torch.tensor(place)
        batch.confidence[0, 0, INDEX[f"{joint}_1"]] = 1
    for finger in ("index", "middle", "ring", "little"):
        batch.positions[0, 0, INDEX[f"{finger}MCP_1"]] = torch.tensor([0.4, 0.6])
        batch.confidence[0, 0, INDEX[f"{finger}MCP_1"]] = 1
    centre, unit = signing_space(batch)
    assert centre[0].tolist() == pytest.approx([0.4, 0.6])
    assert float(unit[0]) == pytest.approx(2.4 * 0.2)


def test_without_a_whole_hand_the_picture_is_the_space() -> None:
    batch = hands_only(1)
    batch.confidence[:, :, INDEX["wrist_0"]] = 0
    batch.confidence[:, :, INDEX["wrist_1"]] = 0
    centre, unit = signing_space(
        batch.with_positions(batch.positions * batch.joint_mask[..., None])
    )
    assert (centre == 0.5).all()
    assert torch.allclose(unit, torch.tensor(1 / 3))


def test_padding_does_not_matter() -> None:
    batch = hands_only(2, 0.3)
    ours = features(batch, SigningSpace())
    assert torch.equal(features(padded(batch, 9), SigningSpace())[:, : ours.shape[1]], ours)


@pytest.mark.parametrize("config", [SigningSpace(canonical_hand=True), SpoterNormalisation()])
def test_every_normalisation_copes(config: NormalisationConfig) -> None:
    assert features(hands_only(3, 0.3), config).isfinite().all()


def test_the_signing_hand_is_found_without_a_body() -> None:
    batch = hands_only(4)
    batch.confidence[:, 1:, RIGHT_HAND] = 0
    batch.confidence[:, 0, LEFT_HAND] = 1
    batch = batch.with_positions(batch.positions * batch.joint_mask[..., None])
    longer = batch.num_frames > 1
    assert torch.equal(left_handed(batch), longer)
    turned = mirrored(batch, longer)
    assert torch.equal(canonical_hand(batch).positions, turned.positions)


def test_a_boundary_is_that_of_the_same_clips_nearer_to_the_camera() -> None:
    batch = hands_only(5)
    nearer = batch.with_positions(1.7 * batch.positions)
    far, near = (estimate_batch(one, BoundaryEstimateConfig()) for one in (batch, nearer))
    np.testing.assert_array_equal(far.head_fraction, near.head_fraction)
    np.testing.assert_array_equal(far.rises, near.rises)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["wlasl/wlasl100", "dgs/dgs30"])
def test_real_corpora_of_hands_have_a_space_of_their_own(real_data: Path, name: str) -> None:
    corpus = open_shards(str(real_data / f"{name}.parquet"))
    batch = read(corpus, np.arange(0, corpus.num_clips, 29), 200)
    _, unit = signing_space(batch)
    assert (unit != 1 / 3).float().mean() > 0.9
    assert features(batch, SigningSpace()).isfinite().all()
