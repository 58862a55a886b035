"""Best path, prefix beam search and the lattice of a known sequence, against enumeration."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from every_path import Path, every_path, every_sequence, random_log_probs, sequences

from slr_ray.sentences.beam_search import beam_search
from slr_ray.sentences.decoding import Hypothesis, best_paths
from slr_ray.sentences.lattice import forced_alignment, log_likelihoods

NUM_STEPS = np.array([6, 4, 1])
SEEDS = pytest.mark.parametrize("seed", range(8))


def said(hypothesis: Hypothesis) -> tuple[int, ...]:
    return tuple(hypothesis.glosses.tolist())


def spikes_by_hand(path: Path, log_probs: np.ndarray) -> list[int]:
    """The most probable step of each gloss of a path."""
    found = []
    for place in range(len(path.glosses)):
        own = [step for step, owner in enumerate(path.owner) if owner == place]
        found.append(max(own, key=lambda step: (log_probs[step, path.classes[step]], -step)))
    return found


@SEEDS
class TestAgainstEnumeration:
    def test_best_path(self, seed: int) -> None:
        log_probs = random_log_probs(seed, 3, 6, 4)
        for row, found in enumerate(best_paths(log_probs, NUM_STEPS)):
            own = log_probs[row, : NUM_STEPS[row]]
            best = max(every_path(own), key=lambda one: one.log_probability)
            assert said(found) == best.glosses
            assert found.steps.tolist() == spikes_by_hand(best, own)
            assert found.log_probability == pytest.approx(best.log_probability)

    def test_a_wide_beam_is_exact(self, seed: int) -> None:
        log_probs = random_log_probs(seed, 3, 6, 3)
        for row, found in enumerate(beam_search(log_probs, NUM_STEPS, 200, 200)):
            own = log_probs[row, : NUM_STEPS[row]]
            expected = every_sequence(own)
            assert {said(one) for one in found} == set(expected)
            assert len(found) == len(expected)
            values = [one.log_probability for one in found]
            assert values == sorted(values, reverse=True)
            for one in found:
                assert one.log_probability == pytest.approx(expected[said(one)])

    def test_spikes_of_a_beam_are_those_of_the_best_path_of_its_sequence(self, seed: int) -> None:
        log_probs = random_log_probs(seed, 3, 6, 3)
        for row, (found,) in enumerate(beam_search(log_probs, NUM_STEPS, 50)):
            own = log_probs[row, : NUM_STEPS[row]]
            own_paths = [one for one in every_path(own) if one.glosses == said(found)]
            best = max(own_paths, key=lambda one: one.log_probability)
            assert found.steps.tolist() == spikes_by_hand(best, own)

    def test_likelihood(self, seed: int) -> None:
        log_probs = random_log_probs(seed, 3, 6, 3)
        for glosses in ((), (0,), (1, 1), (0, 1, 0)):
            found = log_likelihoods(log_probs, NUM_STEPS, sequences(glosses, glosses, glosses))
            for row in range(3):
                expected = every_sequence(log_probs[row, : NUM_STEPS[row]])
                assert found[row] == pytest.approx(expected.get(glosses, -np.inf))

    def test_forced_alignment(self, seed: int) -> None:
        log_probs = random_log_probs(seed, 3, 6, 3)
        wanted = sequences((0, 1, 1), (1, 0), ())
        found = forced_alignment(log_probs, NUM_STEPS, wanted)
        for row in range(3):
            own = log_probs[row, : NUM_STEPS[row]]
            paths = [one for one in every_path(own) if one.glosses == tuple(wanted[row])]
            best = max(paths, key=lambda one: one.log_probability)
            assert found.owner[row, : NUM_STEPS[row]].tolist() == list(best.owner)
            assert (found.owner[row, NUM_STEPS[row] :] == -1).all()
            assert found.log_probability[row] == pytest.approx(best.log_probability)
            assert found.spikes[row].glosses.tolist() == list(best.glosses)
            assert found.spikes[row].steps.tolist() == spikes_by_hand(best, own)


def pruned_search(log_probs: np.ndarray, beam: int) -> dict[tuple[int, ...], float]:
    """Algorithm 1 of Graves and Jaitly with dictionaries, one sentence: the final beam."""
    now = {(): (1.0, 0.0)}
    for row in np.exp(log_probs):
        blanks: defaultdict[tuple[int, ...], float] = defaultdict(float)
        glosses: defaultdict[tuple[int, ...], float] = defaultdict(float)
        for prefix, (blank, gloss) in now.items():
            blanks[prefix] += (blank + gloss) * row[0]
            if prefix:
                glosses[prefix] += gloss * row[prefix[-1] + 1]
            for one in range(len(row) - 1):
                is_repeat = bool(prefix) and prefix[-1] == one
                glosses[(*prefix, one)] += (blank if is_repeat else blank + gloss) * row[one + 1]
        then = {prefix: (blanks[prefix], glosses[prefix]) for prefix in {*blanks, *glosses}}
        best = sorted(then.items(), key=lambda item: -sum(item[1]))
        now = dict(best[:beam])
    return {prefix: float(np.log(sum(both))) for prefix, both in now.items()}


@pytest.mark.parametrize("beam", [1, 2, 3, 5])
@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
def test_a_narrow_beam_keeps_what_the_algorithm_keeps(beam: int, sharpness: float) -> None:
    log_probs = random_log_probs(beam, 20, 15, 9, sharpness)
    num_steps = np.arange(20) % 15 + 1
    for row, found in enumerate(beam_search(log_probs, num_steps, beam, beam)):
        expected = pruned_search(log_probs[row, : num_steps[row]], beam)
        assert {said(one): one.log_probability for one in found} == pytest.approx(expected)


def test_a_beam_finds_what_the_best_path_misses() -> None:
    # Blank has 0.6 x 0.6 = 0.36 as a path, A in any place 1 - 0.36 - 0.04 ... summed: 0.64.
    log_probs = np.log(np.array([[[0.6, 0.4], [0.6, 0.4]]]))
    num_steps = np.array([2])
    assert said(best_paths(log_probs, num_steps)[0]) == ()
    assert said(beam_search(log_probs, num_steps, 4)[0][0]) == (0,)
    assert beam_search(log_probs, num_steps, 4)[0][0].log_probability == pytest.approx(np.log(0.64))


@SEEDS
def test_padding_and_neighbours_change_nothing(seed: int) -> None:
    log_probs = random_log_probs(seed, 5, 7, 4)
    num_steps = np.array([7, 3, 5, 1, 2])
    together = beam_search(log_probs, num_steps, 3), best_paths(log_probs, num_steps)
    for row, steps in enumerate(num_steps):
        alone = log_probs[row : row + 1, :steps], num_steps[row : row + 1]
        for found, expected in (
            (together[0][row][0], beam_search(*alone, 3)[0][0]),
            (together[1][row], best_paths(*alone)[0]),
        ):
            assert said(found) == said(expected)
            assert found.steps.tolist() == expected.steps.tolist()
            assert found.log_probability == pytest.approx(expected.log_probability)


def test_what_is_impossible_is_not_found() -> None:
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.array([[[0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]]))
    found = beam_search(log_probs, np.array([3]), 10, 10)[0]
    assert {said(one): one.log_probability for one in found} == {(0, 1): pytest.approx(0.0)}


def test_too_few_steps_have_no_alignment() -> None:
    log_probs = random_log_probs(0, 2, 2, 3)
    found = forced_alignment(log_probs, np.array([2, 2]), sequences((1, 1), (0, 1)))
    assert found.log_probability[0] == -np.inf
    assert (found.owner[0] == -1).all()
    assert len(found.spikes[0].steps) == 0
    assert found.owner[1].tolist() == [0, 1]
