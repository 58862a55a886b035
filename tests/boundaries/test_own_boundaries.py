"""Clips by their own boundary: figures 5 and 6 of SSL-SLR, from trainings and from the estimate."""

from __future__ import annotations

import numpy as np
import pytest

from slr_ray.boundaries.algorithms import FoundBoundary, algorithm_1, most_trainings
from slr_ray.boundaries.own import own_boundaries
from slr_ray.boundaries.plot import estimate_drawing, own_drawing
from slr_ray.boundaries.trainings import Training

# Two repeats a boundary; four clips. The last is never recognised.
HEADS = {0.0: "1000", 0.25: "0110", 0.5: "0010"}


def training(head: float, tail: float, repeat: int, correct: str) -> Training:
    return Training(head, tail, repeat, correct.count("1") / 4, 0.0, 1.0, 1.0, correct)


def found(head: float = 0.25, tail: float = 0.0) -> FoundBoundary:
    return FoundBoundary(head, tail, ())


def trainings() -> list[Training]:
    heads = [training(head, 0.0, repeat, text) for head, text in HEADS.items() for repeat in (0, 1)]
    # Both ends at once belong to neither; a single tail was tried once.
    return [*heads, training(0.5, 0.5, 0, "1111")]


def test_clips_are_counted_by_their_own_head() -> None:
    (own,) = own_boundaries(trainings(), found())
    assert (own.end, own.fractions) == ("head", (0.0, 0.25, 0.5))
    # The first clip needs its head; the next two, and the hopeless one, have the one for all.
    assert own.loss.own.tolist() == [0, 1, 1, 1]
    assert own.described() == {
        "fractions": (0.0, 0.25, 0.5),
        "share_of_clips": [0.25, 0.75, 0.0],
        "loss_by_own": [1.0, 0.0, None],
        "mean_loss": 0.25,
    }


def test_tails_come_from_trainings_with_an_untouched_head() -> None:
    tails = [training(0.0, tail, repeat, "1100") for tail in (0.25, 0.5) for repeat in (0, 1)]
    head, tail = own_boundaries([*trainings(), *tails], found(tail=0.5))
    assert (head.end, tail.end) == ("head", "tail")
    assert tail.fractions == (0.0, 0.25, 0.5)
    assert tail.loss.share_own(2) == 1.0


def test_without_repeats_or_a_second_boundary_nothing_is_told() -> None:
    assert own_boundaries([one for one in trainings() if not one.repeat], found()) == []
    assert own_boundaries([one for one in trainings() if not one.head_fraction], found()) == []


def test_the_drawing_has_a_bar_for_each_boundary_and_its_count() -> None:
    svg = own_drawing(own_boundaries(trainings(), found()), "test").svg()
    assert "Clips by their own head" in svg
    for bar in ("-0.125 to 0.125: 1 clips", "0.125 to 0.375: 3 clips", "0.375 to 0.625: 0 clips"):
        assert bar in svg
    assert "Loss by one for all" in svg


def test_estimates_are_counted_over_the_whole_clip_beside_the_truth() -> None:
    fractions = np.array([[0.12, 0.0], [0.13, 1.0], [0.5, 0.3]])
    svg = estimate_drawing(fractions, fractions[::-1] / 2, "test").svg()
    assert "0.1 to 0.15: 2 estimate" in svg
    assert "0.05 to 0.1: 2 truth" in svg
    assert "0.95 to 1: 1 estimate" in svg
    assert "truth" not in estimate_drawing(fractions, None, "test").svg()


def test_going_on_to_the_end_trains_every_step_and_gives_the_same_answer() -> None:
    asked: list[tuple[float, float]] = []

    def score(head: float, tail: float, repeat: int) -> float:
        asked.append((head, tail))
        # Falls after 0.2 and rises again, higher than before, where nobody looks any more.
        return {0.0: 0.3, 0.2: 0.5, 0.4: 0.4, 0.6: 0.9, 0.8: 0.1, 1.0: 0.0}[round(head + tail, 1)]

    stopping = algorithm_1(score, num_frames=10, step_frames=2, num_repeats=1)
    assert len(asked) == 5
    asked.clear()
    whole = algorithm_1(score, num_frames=10, step_frames=2, num_repeats=1, to_the_end=True)
    assert len(asked) == most_trainings(10, 2, 1) == 11
    assert (whole.head_fraction, whole.tail_fraction) == pytest.approx((0.2, 0.2))
    assert whole.head_fraction == stopping.head_fraction
