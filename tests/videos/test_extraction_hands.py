"""Whose hand is whose: trajectories with a known answer, and what detectors do to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slr_ray.videos.detection.hands import LEFT, NOBODY, RIGHT, Hand, assign_hands

ASPECT = 16 / 9
SHOULDERS = 0.4
"""Shoulder width in image heights."""
NUM_FRAMES = 40
_SHAPE = np.random.default_rng(3).uniform(-1, 1, (21, 2)) * [1, 2]
_SHAPE[0] = 0


def hand(wrist: np.ndarray, is_left: bool, *, sure: float = 0.95, size: float = 0.06) -> Hand:
    """A hand above its wrist; the other side's is its mirror image."""
    shape = (_SHAPE * [1 if is_left else -1, 1] - [0, 2]) * size / 2 / [ASPECT, 1]
    shape[0] = 0
    positions = (wrist + shape).astype(np.float32)
    return Hand(positions, sure if is_left else 1 - sure)


@dataclass(frozen=True)
class Scene:
    """Two hands with their pose; `truth` gives each frame's left and right detection."""

    hands: list[list[Hand]]
    wrists: np.ndarray
    confidence: np.ndarray
    shoulders: np.ndarray
    truth: list[tuple[int, int]]


def scene(paths: np.ndarray, seed: int = 0, *, sure: float = 0.95) -> Scene:
    """Hands along `paths` (frames x left and right x 2), detected in random order each frame.

    The pose's wrists are off by about a sixteenth of the shoulders, as measured on real videos.
    """
    draw = np.random.default_rng(seed)
    hands, truth = [], []
    for left, right in paths:
        pair = [hand(left, True, sure=sure), hand(right, False, sure=sure)]
        is_swapped = bool(draw.integers(2))
        hands.append(pair[::-1] if is_swapped else pair)
        truth.append((1, 0) if is_swapped else (0, 1))
    noise = draw.normal(0, 0.06 * SHOULDERS / 1.5, paths.shape) / [ASPECT, 1]
    frames = len(paths)
    ones = np.ones((frames, 2))
    return Scene(hands, paths + noise, ones, np.full(frames, SHOULDERS), truth)


def assign(one: Scene) -> list[tuple[int, int]]:
    return assign_hands(one.hands, one.wrists, one.confidence, one.shoulders, ASPECT)


def apart() -> np.ndarray:
    """The left hand on the right of the picture, as in an unmirrored one; both circle."""
    angle = np.linspace(0, 2 * np.pi, NUM_FRAMES)
    circle = 0.05 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.stack([np.array([0.62, 0.6]) + circle, np.array([0.38, 0.6]) - circle], axis=1)


def crossing() -> np.ndarray:
    """Both hands go to the other side and back, one a little above the other."""
    way = np.sin(np.linspace(0, np.pi, NUM_FRAMES))[:, None]
    left = np.array([0.62, 0.62]) + way * [-0.24, 0.0]
    right = np.array([0.38, 0.55]) + way * [0.24, 0.0]
    return np.stack([left, right], axis=1)


@pytest.mark.parametrize("paths", [apart(), crossing()], ids=["apart", "crossing"])
@pytest.mark.parametrize("seed", range(5))
def test_both_hands_are_found_whatever_their_order(paths: np.ndarray, seed: int) -> None:
    one = scene(paths, seed)
    assert assign(one) == one.truth


def test_wrong_labels_in_some_frames_do_not_swap_hands() -> None:
    one = scene(crossing())
    hands = [list(found) for found in one.hands]
    for frame in range(0, NUM_FRAMES, 5):
        hands[frame] = [
            replace(found, left_probability=1 - found.left_probability) for found in hands[frame]
        ]
    assert assign(replace(one, hands=hands)) == one.truth


def test_labels_that_are_always_the_wrong_way_round_are_seen_through() -> None:
    """As a landmarker's are that expects mirrored pictures; the hands still go with their arms."""
    one = scene(crossing())
    hands = [[replace(h, left_probability=1 - h.left_probability) for h in f] for f in one.hands]
    assert assign(replace(one, hands=hands)) == one.truth


def test_a_mirrored_camera_exchanges_both_hands_and_arms() -> None:
    """In a mirrored picture the networks call everything by the other name, consistently."""
    one = scene(crossing())
    hands = [
        [Hand((h.positions * [-1, 1] + [1, 0]).astype(np.float32), 1 - h.left_probability)
         for h in found]
        for found in one.hands
    ]  # fmt: skip
    wrists = (one.wrists * [-1, 1] + [1, 0])[:, ::-1]
    mirrored = replace(one, hands=hands, wrists=wrists)
    assert assign(mirrored) == [(right, left) for left, right in one.truth]


def test_hands_without_a_pose_go_by_label_and_path() -> None:
    one = scene(apart())
    blind = replace(one, confidence=np.zeros((NUM_FRAMES, 2)), shoulders=np.zeros(NUM_FRAMES))
    assert assign(blind) == one.truth


@pytest.mark.parametrize("gap", [slice(0, 6), slice(17, 23), slice(34, 40)])
def test_a_pose_lost_for_a_while_does_not_swap_hands(gap: slice) -> None:
    one = scene(crossing(), sure=0.7)
    confidence, shoulders = one.confidence.copy(), one.shoulders.copy()
    confidence[gap], shoulders[gap] = 0, 0
    assert assign(replace(one, confidence=confidence, shoulders=shoulders)) == one.truth


@pytest.mark.parametrize("lost", [LEFT, RIGHT])
def test_one_lost_hand_leaves_the_other_where_it_was(lost: int) -> None:
    one = scene(crossing())
    hands, truth = [], []
    for frame, (found, pair) in enumerate(zip(one.hands, one.truth, strict=True)):
        if 10 <= frame < 30:
            hands.append([found[pair[1 - lost]]])
            truth.append((NOBODY, 0) if lost == LEFT else (0, NOBODY))
        else:
            hands.append(found)
            truth.append(pair)
    assert assign(replace(one, hands=hands)) == truth


def test_one_hand_found_twice_counts_once() -> None:
    one = scene(apart())
    hands, truth = [], []
    for found, pair in zip(one.hands, one.truth, strict=True):
        right = found[pair[RIGHT]]
        hands.append([right, Hand(right.positions + np.float32(0.002), 0.6)])
        truth.append((NOBODY, 0))
    assert assign(replace(one, hands=hands)) == truth


def test_the_better_of_two_detections_of_a_hand_is_taken() -> None:
    """A detection that trails behind a quick hand lies farther from the wrist."""
    one = scene(apart() + np.array([[0.08, 0], [-0.08, 0]]))
    hands = [
        [Hand(f[p[RIGHT]].positions + np.float32(0.05), 0.1), f[p[RIGHT]]]
        for f, p in zip(one.hands, one.truth, strict=True)
    ]
    assert assign(replace(one, hands=hands)) == [(NOBODY, 1)] * NUM_FRAMES


def test_hands_of_a_bystander_are_nobodys() -> None:
    """Somebody walks through the background: far from both wrists, with both labels."""
    one = scene(apart())
    hands = []
    for frame, found in enumerate(one.hands):
        place = np.array([0.05 + 0.9 * frame / NUM_FRAMES, 0.12])
        hands.append([*found, hand(place, frame % 2 == 0, size=0.03)])
    assert assign(replace(one, hands=hands)) == one.truth


def test_a_face_taken_for_a_hand_while_the_hands_rest_is_nobodys() -> None:
    wrists = np.tile([[0.6, 1.06], [0.4, 1.06]], (NUM_FRAMES, 1, 1))
    face = [[hand(np.array([0.5, 0.36]), True)] for _ in range(NUM_FRAMES)]
    unsure = np.full((NUM_FRAMES, 2), 0.4)
    found = assign_hands(face, wrists, unsure, np.full(NUM_FRAMES, SHOULDERS), ASPECT)
    assert found == [(NOBODY, NOBODY)] * NUM_FRAMES


def test_wrists_on_top_of_each_other_are_told_apart_by_what_comes_before_and_after() -> None:
    """As in a sign with crossed wrists: the pose is no help in the middle of it."""
    one = scene(crossing())
    wrists = one.wrists.copy()
    wrists[15:25] = wrists[15:25].mean(axis=1, keepdims=True)
    assert assign(replace(one, wrists=wrists)) == one.truth


def test_frames_without_hands_and_clips_without_frames() -> None:
    nothing = np.zeros((3, 2, 2))
    found = assign_hands([[], [], []], nothing, np.zeros((3, 2)), np.zeros(3), ASPECT)
    assert found == [(NOBODY, NOBODY)] * 3
    assert assign_hands([], nothing[:0], np.zeros((0, 2)), np.zeros(0), ASPECT) == []


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), zoom=st.floats(0.3, 1.5), shift=st.floats(-0.5, 0.5))
def test_place_and_size_in_the_picture_do_not_matter(seed: int, zoom: float, shift: float) -> None:
    one = scene(crossing(), seed)
    hands = [
        [Hand((h.positions * zoom + shift).astype(np.float32), h.left_probability) for h in found]
        for found in one.hands
    ]
    moved = replace(
        one, hands=hands, wrists=one.wrists * zoom + shift, shoulders=one.shoulders * zoom
    )
    assert assign(moved) == one.truth


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_no_hand_is_given_twice(data: st.DataObject) -> None:
    draw = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    frames = 12
    hands = [
        [hand(draw.uniform(0, 1, 2), bool(draw.integers(2))) for _ in range(draw.integers(0, 4))]
        for _ in range(frames)
    ]
    wrists, sure = draw.uniform(0, 1, (frames, 2, 2)), draw.uniform(0, 1, (frames, 2))
    found = assign_hands(hands, wrists, sure, np.full(frames, SHOULDERS), ASPECT)
    for (left, right), seen in zip(found, hands, strict=True):
        assert left == NOBODY or left != right
        assert {left, right} <= {NOBODY, *range(len(seen))}
