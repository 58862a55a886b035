"""Dense labels: true segments from clean input, and each step against plain loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from every_path import random_log_probs, sequences

from slr_ray.sentences.alignment import align
from slr_ray.sentences.config import DenseLabelsConfig
from slr_ray.sentences.decoding import Spikes, best_paths
from slr_ray.sentences.dense_labels import dense_labels, refined
from slr_ray.sentences.segments import segments_of

NUM_GLOSSES = 6
TRUTH = [
    [(2, 3, 9), (0, 9, 14), (2, 14, 16), (5, 16, 23)],
    [(1, 0, 4), (1, 4, 8), (3, 8, 17)],
    [(4, 5, 6)],
]
"""Gloss, first step and the one behind the last."""
NUM_STEPS = np.array([25, 17, 8])


def clean_log_probs(say: list[list[tuple[int, int, int]]] = TRUTH) -> np.ndarray:
    """Blank everywhere but for one spike a gloss, and under the blank the gloss that is signed."""
    logits = np.zeros((len(say), 25, NUM_GLOSSES + 1))
    for row, segments in enumerate(say):
        logits[row, :, 0] = 12.0
        for gloss, start, end in segments:
            logits[row, start:end, gloss + 1] = 6.0
            logits[row, (start + end) // 2, gloss + 1] = 20.0
    found: np.ndarray = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    return found


def sequences_of(segments: list[list[tuple[int, int, int]]] = TRUTH) -> list[np.ndarray]:
    return sequences(*(tuple(gloss for gloss, _, _ in one) for one in segments))


def signing() -> np.ndarray:
    return np.array([(one[0][1], one[-1][2]) for one in TRUTH])


def expected_labels() -> np.ndarray:
    labels = np.full((3, 25), -1)
    for row, segments in enumerate(TRUTH):
        for gloss, start, end in segments:
            labels[row, start:end] = gloss
    return labels


@pytest.mark.parametrize("source", ["refined", "forced"])
class TestCleanInput:
    def test_true_segments(self, source: str) -> None:
        config = DenseLabelsConfig(source=source, max_extension=9)
        found = dense_labels(clean_log_probs(), NUM_STEPS, sequences_of(), config, signing())
        np.testing.assert_array_equal(found.glosses, expected_labels())
        for own, truth in zip(found.segments, TRUTH, strict=True):
            bounds = [(start, end) for _, start, end in truth]
            assert own.bounds.tolist() == [list(one) for one in bounds]
            assert (own.confidence > 0.99).all()
        np.testing.assert_array_equal(found.weights > 0, found.glosses >= 0)

    def test_true_segments_from_a_wrong_hypothesis(self, source: str) -> None:
        log_probs = clean_log_probs()
        # A substitution: at its spike gloss 0 looks like gloss 1.
        log_probs[0, 11, [1, 2]] = log_probs[0, 11, [2, 1]]
        # A deletion: the second gloss 2 is under the blank everywhere, a little less so at step 15.
        log_probs[0, 15] = log_probs[0, 14]
        log_probs[0, 15, 3] += 0.1
        # An insertion: a spike of gloss 5 that nobody signed.
        log_probs[1, 5, [0, 6]] = log_probs[1, 5, [6, 0]]
        said = [one.glosses.tolist() for one in best_paths(log_probs, NUM_STEPS)]
        assert said == [[2, 1, 5], [1, 5, 1, 3], [4]]
        config = DenseLabelsConfig(source=source, max_extension=9)
        found = dense_labels(log_probs, NUM_STEPS, sequences_of(), config, signing())
        np.testing.assert_array_equal(found.glosses, expected_labels())

    def test_every_end_is_ignored(self, source: str) -> None:
        config = DenseLabelsConfig(source=source, ends="ignored")
        found = dense_labels(clean_log_probs(), NUM_STEPS, sequences_of(), config, signing())
        for row, truth in enumerate(TRUTH):
            first, last = ((start + end) // 2 for _, start, end in (truth[0], truth[-1]))
            labelled = np.flatnonzero(found.glosses[row] >= 0)
            assert labelled.tolist() == list(range(first, last + 1))

    def test_only_what_is_kept(self, source: str) -> None:
        config = DenseLabelsConfig(source=source, max_extension=9)
        keep = [np.array([True, False, True, False]), np.zeros(3, bool), np.ones(1, bool)]
        found = dense_labels(clean_log_probs(), NUM_STEPS, sequences_of(), config, signing(), keep)
        labels = expected_labels()
        labels[0, 9:14] = labels[0, 16:23] = labels[1] = -1
        np.testing.assert_array_equal(found.glosses, labels)


def test_no_source_gives_no_label() -> None:
    found = dense_labels(
        clean_log_probs(), NUM_STEPS, sequences_of(), DenseLabelsConfig(source="none")
    )
    assert (found.glosses == -1).all()
    assert not found.weights.any()


@pytest.mark.parametrize("extension", [0, 1, 2, 30])
def test_ends_go_so_far_and_no_further(extension: int) -> None:
    spikes = [Spikes(np.array([0, 1]), np.array([6, 9]))] * 3
    log_probs = random_log_probs(0, 3, 25, 7)
    config = DenseLabelsConfig(max_extension=extension)
    for limits in (None, np.array([[5, 11], [8, 9], [0, 25]])):
        found = segments_of(log_probs, NUM_STEPS, spikes, config, limits)
        for row, own in enumerate(found):
            start, end = 6, 10
            first, behind = (0, NUM_STEPS[row]) if limits is None else limits[row]
            for _ in range(extension):
                start -= start - 1 >= first
                end += end + 1 <= min(behind, NUM_STEPS[row])
            assert own.bounds[0, 0] == start
            assert own.bounds[1, 1] == end


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("boundary", ["likelihood", "midpoint"])
def test_boundaries_against_a_loop(seed: int, boundary: str) -> None:
    rng = np.random.default_rng(seed)
    log_probs = random_log_probs(seed, 4, 30, 7)
    spikes = []
    for _ in range(4):
        count = int(rng.integers(0, 7))
        steps = np.sort(rng.choice(30, count, replace=False))
        spikes.append(Spikes(rng.integers(0, 3, count), steps))
    config = DenseLabelsConfig(boundary=boundary, ends="ignored")
    found = segments_of(log_probs, np.full(4, 30), spikes, config)
    for row, (own, given) in enumerate(zip(found, spikes, strict=True)):
        without_blank = log_probs[row, :, 1:]
        without_blank = without_blank - np.log(np.exp(without_blank).sum(axis=1, keepdims=True))
        assert own.glosses.tolist() == given.glosses.tolist()
        for place, (gloss, step) in enumerate(zip(given.glosses, given.steps, strict=True)):
            assert own.confidence[place] == pytest.approx(np.exp(without_blank[step, gloss]))
        if len(given.steps):
            assert own.bounds[0, 0] == given.steps[0]
            assert own.bounds[-1, 1] == given.steps[-1] + 1
        for place in range(len(given.steps) - 1):
            one, other = given.glosses[place : place + 2]
            start, end = (int(step) for step in given.steps[place : place + 2])
            meet = start + (end - start + 1) // 2
            if boundary == "likelihood" and one != other:
                costs = {
                    last: -without_blank[start : last + 1, one].sum()
                    - without_blank[last + 1 : end + 1, other].sum()
                    for last in range(start, end)
                }
                meet = min(costs, key=lambda last: costs[last]) + 1
            assert own.bounds[place, 1] == own.bounds[place + 1, 0] == meet


@pytest.mark.parametrize("seed", range(30))
def test_refinement_against_a_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    num_steps = int(rng.integers(6, 12))
    log_probs = random_log_probs(seed, 1, num_steps, 5, 2.0)
    # From as many glosses as are meant down to none.
    log_probs[:, :, 0] += seed % 3 * 4.0
    said = best_paths(log_probs, np.array([num_steps]))[0]
    true = rng.integers(0, 4, rng.integers(1, 6))
    edits = align(said.glosses, true)
    found = refined(said, true, edits, log_probs[0])

    fixed = {
        edit.reference: int(said.steps[edit.hypothesis])
        for edit in edits
        if edit.hypothesis is not None and edit.reference is not None
    }
    expected = [fixed.get(place, -1) for place in range(len(true))]
    for is_fixed, group in itertools.groupby(range(len(true)), key=lambda place: place in fixed):
        if is_fixed:
            continue
        missing = list(group)
        left = expected[missing[0] - 1] if missing[0] else -1
        right = expected[missing[-1] + 1] if missing[-1] + 1 < len(true) else num_steps
        free = range(left + 1, right)
        missing = missing[: len(free)]
        ways = itertools.combinations(free, len(missing))
        best = max(
            ways,
            key=lambda way: sum(
                log_probs[0, step, true[place] + 1]
                for step, place in zip(way, missing, strict=True)
            ),
        )
        for step, place in zip(best, missing, strict=True):
            expected[place] = step
    assert found.tolist() == expected


def test_many_errors_are_forced() -> None:
    log_probs = clean_log_probs()
    wanted = sequences((2, 0, 3, 1), (1, 1, 3), (4,))
    refine, force = (
        dense_labels(log_probs, NUM_STEPS, wanted, DenseLabelsConfig(forced_above=share))
        for share in (0.5, 0.4)
    )
    always = dense_labels(log_probs, NUM_STEPS, wanted, DenseLabelsConfig(source="forced"))
    spikes = best_paths(log_probs, NUM_STEPS)[0]
    assert (refine.glosses[0][spikes.steps] == wanted[0]).all()
    np.testing.assert_array_equal(force.glosses, always.glosses)
    assert (force.glosses[0] != refine.glosses[0]).any()


def test_too_few_steps_have_no_label() -> None:
    log_probs = random_log_probs(0, 1, 3, 4)
    for source in ("refined", "forced"):
        found = dense_labels(
            log_probs, np.array([3]), sequences((1, 1, 1)), DenseLabelsConfig(source=source)
        )
        assert found.glosses.shape == (1, 3)
        assert set(found.glosses[0].tolist()) <= {-1, 1}
