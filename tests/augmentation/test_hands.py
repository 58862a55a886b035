"""Hands turned, stretched and bent: against plain loops, and what must stay."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pose_factory import random_batch

from slr_ray.augmentation.hands import NUM_FINGERS, reshape_hands
from slr_ray.poses.skeleton import BODY, INDEX

FINGERS = (
    *(tuple(f"{f}{part}" for part in ("MCP", "PIP", "DIP", "Tip")) for f in ("index", "middle")),
    *(tuple(f"{f}{part}" for part in ("MCP", "PIP", "DIP", "Tip")) for f in ("ring", "little")),
    ("thumbCMC", "thumbMP", "thumbIP", "thumbTip"),
)


def _turned(point: np.ndarray, about: np.ndarray, degrees: float) -> np.ndarray:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = point - about
    return about + np.array([cos * x - sin * y, sin * x + cos * y])


def _expected(
    places: np.ndarray,
    seen: np.ndarray,
    degrees: float,
    stretch: float,
    bend: np.ndarray,
    hand: int,
) -> np.ndarray:
    """One frame's joints after its hand was reshaped."""
    new = places.copy()
    for finger, angle in zip(FINGERS, bend, strict=True):
        knuckle, *beyond = (INDEX[f"{one}_{hand}"] for one in finger)
        for joint in beyond:
            if seen[joint] and seen[knuckle]:
                new[joint] = _turned(places[joint], places[knuckle], angle)
    wrist = INDEX[f"wrist_{hand}"]
    for joint in range(wrist, wrist + 21):
        if seen[joint] and seen[wrist]:
            way = (new[joint] - places[wrist]) * np.array([stretch, 1 / stretch])
            new[joint] = _turned(places[wrist] + way, places[wrist], degrees)
    return new


@given(seed=st.integers(0, 10_000), missing=st.sampled_from([0.0, 0.3]))
@settings(max_examples=15, deadline=None)
def test_agrees_with_plain_loops(seed: int, missing: float) -> None:
    batch = random_batch(seed, missing=missing)
    draw = torch.Generator().manual_seed(seed)
    shape = (batch.num_clips, 2)
    degrees = torch.rand(shape, generator=draw) * 60 - 30
    stretch = torch.rand(shape, generator=draw) * 0.4 + 0.8
    bend = torch.rand((*shape, NUM_FINGERS), generator=draw) * 40 - 20
    before = batch.positions.clone()
    ours = reshape_hands(batch, degrees, stretch, bend)
    assert torch.equal(batch.positions, before)
    assert torch.equal(ours.positions[:, :, BODY], before[:, :, BODY])
    assert not ours.positions[~batch.joint_mask].any()
    for clip, length in enumerate(batch.num_frames.tolist()):
        for t in range(length):
            wanted = before[clip, t].double().numpy()
            seen = batch.joint_mask[clip, t].numpy()
            for hand in (0, 1):
                angle, factor = float(degrees[clip, hand]), float(stretch[clip, hand])
                bent = bend[clip, hand].double().numpy()
                wanted = _expected(wanted, seen, angle, factor, bent, hand)
            assert np.abs(ours.positions[clip, t].numpy() - wanted).max() < 1e-4


def test_without_strength_nothing_moves() -> None:
    batch = random_batch(1)
    still = torch.zeros(batch.num_clips, 2)
    ours = reshape_hands(batch, still, still + 1, torch.zeros(batch.num_clips, 2, NUM_FINGERS))
    torch.testing.assert_close(ours.positions, batch.positions)
