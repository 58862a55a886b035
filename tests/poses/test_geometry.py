"""Distances, directions and velocities against plain loops, and what must not change them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pose_factory import moved, random_batch

from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.geometry import LAGS, NUM_DIRECTIONS, NUM_DISTANCES
from slr_ray.poses.hand_normalisation import hand_sizes
from slr_ray.poses.normalisation import SigningSpace, features, normalise, num_channels
from slr_ray.poses.skeleton import BONES, INDEX, JOINTS, NUM_JOINTS

SEEDS = st.integers(0, 10_000)
PLAIN = {"hand_shape": False, "found_flags": False}
FINGERS = ("index", "middle", "ring", "little")


def _channels(batch: PoseBatch, part: str) -> np.ndarray:
    config = SigningSpace.model_validate({**PLAIN, part: True})
    found = features(batch, config)
    assert found.shape[-1] == num_channels(config)
    return found[..., 2 * NUM_JOINTS :].double().numpy()


def _pairs() -> list[tuple[str, str, int | None]]:
    """Names of two joints, and the hand in whose units they are measured."""
    shape = ["wrist", "thumbTip", *(f"{f}Tip" for f in FINGERS), *(f"{f}MCP" for f in FINGERS)]
    reach = ["middleMCP", "thumbTip", "indexTip", "middleTip"]
    body = ["nose", "neck", "leftEar", "rightEar", "leftShoulder", "rightShoulder"]
    pairs: list[tuple[str, str, int | None]] = [
        (f"{one}_{hand}", f"{two}_{hand}", hand)
        for hand in (0, 1)
        for one, two in combinations(shape, 2)
    ]
    pairs += [(f"{one}_0", f"{two}_1", None) for one in reach for two in reach]
    return pairs + [
        (f"{one}_{hand}", two, None) for hand in (0, 1) for one in reach for two in body
    ]


@given(seed=SEEDS, missing=st.sampled_from([0.0, 0.2, 0.9]))
@settings(max_examples=5, deadline=None)
def test_agrees_with_plain_loops(seed: int, missing: float) -> None:
    batch = random_batch(seed, missing=missing)
    space = normalise(batch, SigningSpace()).positions.double().numpy()
    found = batch.joint_mask.numpy()
    # Hand sizes in shoulder widths: those of the normalised clip.
    sizes = hand_sizes(normalise(batch, SigningSpace())).double().numpy()
    lengths, bones, speeds = (
        _channels(batch, part) for part in ("distances", "directions", "velocities")
    )
    hand_bones = [pair for pair in BONES if pair[0] >= INDEX["wrist_0"]]
    for clip, length in enumerate(batch.num_frames.tolist()):
        for t in range(length):
            at, seen = space[clip, t], found[clip, t]
            for channel, (one, two, hand) in enumerate(_pairs()):
                a, b = INDEX[one], INDEX[two]
                wanted = 0.0
                if seen[a] and seen[b]:
                    wanted = float(np.linalg.norm(at[a] - at[b]))
                    if hand is not None:
                        size = sizes[clip, hand]
                        wanted = 0.0 if np.isnan(size) else wanted / size
                assert lengths[clip, t, channel] == pytest.approx(wanted, rel=1e-3, abs=1e-4)
            for channel, (a, b) in enumerate(hand_bones):
                way = at[b] - at[a]
                wanted_way = way / np.linalg.norm(way) if seen[a] and seen[b] else np.zeros(2)
                ours = bones[clip, t, [channel, channel + len(hand_bones)]]
                np.testing.assert_allclose(ours, wanted_way, rtol=1e-3, atol=1e-3)
            for number, lag in enumerate(LAGS):
                ours = speeds[clip, t].reshape(len(LAGS), NUM_JOINTS, 2)[number]
                both = seen & found[clip, t - lag] if t >= lag else np.zeros(NUM_JOINTS, bool)
                wanted_speed = (at - space[clip, t - lag]) / lag * both[:, None]
                scale = 1 + np.abs(wanted_speed).max()
                assert np.abs(ours - wanted_speed).max() < 1e-4 * scale


def test_values_worked_out_by_hand() -> None:
    batch = random_batch(0, (2,), missing=0)
    for joint, x, y in (
        ("leftShoulder", 0.7, 0.6),
        ("rightShoulder", 0.5, 0.6),
        ("neck", 0.6, 0.6),
    ):
        batch.positions[:, :, INDEX[joint]] = torch.tensor([x, y])
    batch.positions[:, :, INDEX["indexTip_0"]] = torch.tensor([0.9, 1.0])
    batch.positions[0, 1, INDEX["wrist_1"]] = batch.positions[0, 0, INDEX["wrist_1"]]
    batch.positions[0, 1, INDEX["wrist_1"], 0] += 0.4
    names = [(one, two) for one, two, _ in _pairs()]
    # From (0.6, 0.6) to (0.9, 1.0) it is 0.5, or 2.5 shoulder widths of 0.2.
    apart = _channels(batch, "distances")[0, 0, names.index(("indexTip_0", "neck"))]
    assert apart == pytest.approx(2.5, rel=1e-4)
    speed = _channels(batch, "velocities")[0, 1].reshape(2, NUM_JOINTS, 2)
    np.testing.assert_allclose(speed[0, INDEX["wrist_1"]], [2.0, 0.0], atol=1e-4)
    assert not speed[1].any()
    assert len(names) == NUM_DISTANCES
    assert NUM_DIRECTIONS == 80


@given(
    seed=SEEDS,
    shift=st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    scale=st.floats(0.4, 2.5),
)
@settings(max_examples=10, deadline=None)
@pytest.mark.parametrize("part", ["distances", "directions", "velocities"])
def test_where_and_how_near_a_signer_is_changes_nothing(
    part: str, seed: int, shift: tuple[float, float], scale: float
) -> None:
    # All joints: a clip without shoulders and whole hands has the image as its space.
    batch = random_batch(seed, missing=0.0)
    ours = _channels(moved(batch, shift, scale), part)
    wanted = _channels(batch, part)
    assert np.abs(ours - wanted).max() <= 2e-3 * (1 + np.abs(wanted).max())


def test_a_clip_without_hands_or_of_one_frame_has_no_geometry() -> None:
    batch = random_batch(3, (4, 1), missing=0)
    hands = slice(INDEX["wrist_0"], len(JOINTS))
    batch.confidence[:, :, hands] = 0
    batch.positions[:, :, hands] = 0
    assert not _channels(batch, "distances").any()
    assert not _channels(batch, "directions").any()
    assert not _channels(batch, "velocities")[1].any()
