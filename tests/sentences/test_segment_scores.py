"""Segment scores against loops over frames, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from every_path import random_log_probs

from slr_ray.sentences.segment_scores import (
    OVERLAPS,
    count_segments,
    figures_in_time,
    in_frames,
    non_blank_share,
    rates_in_time,
)


def random_segments(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    count = int(rng.integers(0, 6))
    ends = np.sort(rng.choice(40, 2 * count, replace=False))
    return rng.integers(0, 3, count), ends.reshape(count, 2)


def by_frame(glosses: np.ndarray, bounds: np.ndarray) -> list[int | None]:
    """The number of the segment at each frame."""
    found: list[int | None] = [None] * 40
    for place, (start, end) in enumerate(bounds.tolist()):
        found[start:end] = [place] * (end - start)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_against_a_loop_over_frames(seed: int) -> None:
    rng = np.random.default_rng(seed)
    said, true = random_segments(rng), random_segments(rng)
    counts = count_segments(*said, *true)
    ours, theirs = by_frame(*said), by_frame(*true)
    pairs = list(zip(ours, theirs, strict=True))
    for place, least in enumerate(OVERLAPS):
        for with_gloss, found in ((True, counts.hits), (False, counts.boundary_hits)):
            taken: set[int] = set()
            for one, gloss in enumerate(said[0]):
                overlaps = []
                for other, true_gloss in enumerate(true[0]):
                    both = pairs.count((one, other))
                    either = ours.count(one) + theirs.count(other) - both
                    is_possible = gloss == true_gloss or not with_gloss
                    overlaps.append(both / either if is_possible else 0.0)
                best = max(overlaps, default=0.0)
                if best >= least:
                    taken.add(overlaps.index(best))
            assert found[place] == len(taken)
    right = [
        one is not None and other is not None and said[0][one] == true[0][other]
        for one, other in pairs
    ]
    assert counts.right_frames == sum(right)
    assert counts.true_frames == sum(one is not None for one in theirs)
    assert (counts.num_predicted, counts.num_true) == (len(said[0]), len(true[0]))


def test_by_hand() -> None:
    # The first is right, the second has another gloss, the third overlaps by 2 of 10 frames.
    counts = count_segments(
        np.array([0, 1, 2]),
        np.array([[0, 10], [10, 20], [28, 34]]),
        np.array([0, 3, 2]),
        np.array([[0, 10], [10, 20], [24, 30]]),
    )
    assert counts.hits.tolist() == [2, 1, 1]
    assert counts.boundary_hits.tolist() == [3, 2, 2]
    scores = {"segment": [2 / 3, 1 / 3, 1 / 3], "boundary": [1, 2 / 3, 2 / 3]}
    assert figures_in_time([counts]) == pytest.approx(
        {
            f"{name}_f1_{overlap}": score
            for name, own in scores.items()
            for overlap, score in zip((10, 25, 50), own, strict=True)
        }
        | {"frame_accuracy": 12 / 26}
    )


def test_two_on_one_are_one_hit() -> None:
    counts = count_segments(
        np.array([0, 0]), np.array([[0, 5], [5, 10]]), np.array([0]), np.array([[0, 10]])
    )
    assert counts.hits.tolist() == [1, 1, 1]
    assert figures_in_time([counts])["segment_f1_10"] == 2 / 3


def test_together_adds_up() -> None:
    nothing = np.empty(0, np.int64), np.empty((0, 2), np.int64)
    one = np.array([0]), np.array([[2, 6]])
    counts = [count_segments(*one, *one), count_segments(*nothing, *one)]
    both = figures_in_time(counts)
    assert [both[f"segment_f1_{overlap}"] for overlap in (10, 25, 50)] == [2 / 3] * 3
    assert both["frame_accuracy"] == 0.5
    assert figures_in_time([]) == {}
    # Of several sums at once, as of one; nothing to find is no figure.
    sums = np.stack([counts[0].numbers, counts[0].numbers + counts[1].numbers, np.zeros(9)])
    several = rates_in_time(sums)
    assert [several[name][1] for name in both] == list(both.values())
    assert np.isnan([several[name][2] for name in both]).all()


def test_steps_in_frames_end_with_the_clip() -> None:
    bounds = in_frames(np.array([[0, 2], [2, 4]]), 14)
    assert bounds.tolist() == [[0, 8], [8, 14]]


def test_non_blank_share_leaves_padding_out() -> None:
    log_probs = random_log_probs(0, 4, 9, 3)
    num_steps = np.array([9, 1, 4, 7])
    said = [
        log_probs[row, step].argmax() != 0 for row in range(4) for step in range(num_steps[row])
    ]
    assert non_blank_share(log_probs, num_steps) == pytest.approx(sum(said) / 21)
