"""Refinements, calibration and weights: one suite over each kind, then their formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from pool_factory import LABELLED, alike, pool, softmax, taken

from slr_ray.config import alternatives
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.selection import blocks
from slr_ray.selection.calibration import apply_temperature, fit_temperature, undo_smoothing
from slr_ray.selection.evidence import Evidence, Needs
from slr_ray.selection.refine.debias import Debias
from slr_ray.selection.refine.distribution_alignment import DistributionAlignment
from slr_ray.selection.refine.refine import Refine, apply_refinements
from slr_ray.selection.refine.refinement import Refinement
from slr_ray.selection.refine.semantic_blend import SemanticBlend
from slr_ray.selection.refine.temperature import Temperature
from slr_ray.selection.weight.confidence import Confidence
from slr_ray.selection.weight.constant import Constant
from slr_ray.selection.weight.truncated_gaussian import TruncatedGaussian
from slr_ray.selection.weight.weighting import Weighting

REFINEMENTS: list[Refinement] = [
    Temperature(),
    Debias(),
    DistributionAlignment(),
    DistributionAlignment(target="uniform", exponent=0.5),
    SemanticBlend(),
]
NOTHING = [
    Temperature(temperature=1),
    Debias(strength=0),
    DistributionAlignment(exponent=0),
    SemanticBlend(strength=0),
]
WEIGHTS: list[Weighting] = [one() for one in alternatives(SslrConfig, "weight").values()]  # type: ignore[misc]


def refined(one: Refinement, probabilities: np.ndarray, evidence: Evidence) -> np.ndarray:
    done = probabilities.copy()
    apply_refinements([one], done, evidence)
    return done


@pytest.fixture(autouse=True, params=[2**18, 35])
def blocks_of(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows at once, and seven at a time."""
    monkeypatch.setattr(blocks, "_BLOCK_NUMBERS", request.param)


def test_every_refinement_is_covered() -> None:
    names = {type(one) for one in REFINEMENTS}
    every = Refine(
        temperature=Temperature(),
        debias=Debias(),
        alignment=DistributionAlignment(),
        semantic=SemanticBlend(),
    )
    assert {type(one) for one in every.steps} == names == {type(one) for one in NOTHING}
    assert len(every.steps) == len(Refine.model_fields)
    assert every.needs == Needs(representations=True)
    assert Refine().needs == Needs()


@pytest.mark.parametrize("one", REFINEMENTS, ids=repr)
class TestEveryRefinement:
    def test_gives_probabilities(self, one: Refinement) -> None:
        given = pool(0)
        found = refined(one, given.probabilities, given.evidence)
        assert found.dtype == np.float32
        assert (found >= 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
        assert not np.allclose(found, given.probabilities)

    def test_empty_pool(self, one: Refinement) -> None:
        empty = taken(pool(0), np.empty(0, int))
        assert refined(one, empty.probabilities, empty.evidence).shape == (0, 5)

    def test_one_gloss_only(self, one: Refinement) -> None:
        given = pool(0, num_glosses=1)
        np.testing.assert_allclose(refined(one, given.probabilities, given.evidence), 1)

    def test_ties_stay_ties(self, one: Refinement) -> None:
        given = alike(pool(0))
        found = refined(one, given.probabilities, given.evidence)
        np.testing.assert_allclose(found, found[:1].repeat(60, axis=0), rtol=1e-5)

    def test_follows_a_permutation_of_the_clips(self, one: Refinement) -> None:
        given = pool(1)
        order = np.random.default_rng(0).permutation(60)
        moved = refined(one, given.probabilities[order], given.evidence.of(order))
        found = refined(one, given.probabilities, given.evidence)
        np.testing.assert_allclose(moved, found[order], atol=1e-6)

    def test_certainty_stays_a_probability(self, one: Refinement) -> None:
        given = pool(2)
        sure = np.eye(5, dtype=np.float32)[given.gloss]
        assert np.isfinite(refined(one, sure, given.evidence)).all()


@pytest.mark.parametrize("one", NOTHING, ids=repr)
def test_its_neutral_value_changes_nothing(one: Refinement) -> None:
    given = pool(3)
    found = refined(one, given.probabilities, given.evidence)
    np.testing.assert_allclose(found, given.probabilities, atol=1e-6)


def test_refinements_apply_in_the_order_of_the_fields() -> None:
    given = pool(4)
    first, second = Temperature(temperature=0.3), DistributionAlignment()
    both = given.probabilities.copy()
    Refine(alignment=second, temperature=first).apply(both, given.evidence)
    sharp = refined(first, given.probabilities, given.evidence)
    np.testing.assert_allclose(both, refined(second, sharp, given.evidence), atol=1e-6)


def test_temperature_is_softmax_of_scaled_logits() -> None:
    logits = np.random.default_rng(0).normal(size=(30, 5))
    found = refined(Temperature(temperature=0.4), softmax(logits), Evidence())
    np.testing.assert_allclose(found, softmax(logits / 0.4), atol=1e-5)


def test_debias_against_logits() -> None:
    given = pool(5)
    mean = [math.fsum(row[gloss] for row in given.probabilities) / 60 for gloss in range(5)]
    expected = []
    for row in given.probabilities:
        logits = [math.log(p) - 0.4 * math.log(q) for p, q in zip(row, mean, strict=True)]
        total = sum(math.exp(one) for one in logits)
        expected.append([math.exp(one) / total for one in logits])
    found = refined(Debias(strength=0.4), given.probabilities, given.evidence)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("target", ["labelled", "uniform"])
def test_alignment_against_a_plain_loop(target: str) -> None:
    given = pool(6)
    wanted = [one / LABELLED.sum() for one in LABELLED] if target == "labelled" else [0.2] * 5
    mean = [math.fsum(row[gloss] for row in given.probabilities) / 60 for gloss in range(5)]
    expected = []
    for row in given.probabilities:
        moved = [p * (goal / own) ** 0.7 for p, goal, own in zip(row, wanted, mean, strict=True)]
        expected.append([one / sum(moved) for one in moved])
    one = DistributionAlignment(target=target, exponent=0.7)  # type: ignore[arg-type]
    found = refined(one, given.probabilities, given.evidence)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_alignment_moves_the_pool_towards_its_target() -> None:
    given = pool(7, num_clips=500)
    found = refined(DistributionAlignment(), given.probabilities, given.evidence)
    goal = LABELLED / LABELLED.sum()
    before = np.abs(given.probabilities.mean(axis=0) - goal).sum()
    assert np.abs(found.mean(axis=0) - goal).sum() < 0.5 * before


def test_semantic_blend_against_a_plain_loop() -> None:
    given = pool(8)
    evidence = given.evidence
    assert evidence.representations is not None
    assert evidence.labelled_representations is not None
    assert evidence.labelled_glosses is not None
    prototypes = [
        evidence.labelled_representations[evidence.labelled_glosses == gloss].mean(axis=0)
        for gloss in range(5)
    ]
    histogram = [0] * 5
    for row in given.probabilities:
        histogram[int(row.argmax())] += 1
    lean = [(one / max(histogram)) ** (1 / 1.5) for one in histogram]
    expected = []
    for row, own in zip(given.probabilities, evidence.representations, strict=True):
        cosines = [
            float(own @ one / np.linalg.norm(own) / np.linalg.norm(one)) for one in prototypes
        ]
        raised = [math.exp((one - max(cosines)) / 0.05) for one in cosines]
        v = lean[int(row.argmax())]
        expected.append(
            [(1 - v) * p + v * one / sum(raised) for p, one in zip(row, raised, strict=True)]
        )
    found = refined(SemanticBlend(), given.probabilities, evidence)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_gloss_without_labels_has_no_prototype() -> None:
    given = pool(9)
    glosses = given.evidence.labelled_glosses
    assert glosses is not None
    evidence = replace(given.evidence, labelled_glosses=np.where(glosses == 4, 3, glosses))
    found = refined(SemanticBlend(), given.probabilities, evidence)
    assert (found[:, 4] <= given.probabilities[:, 4]).all()


class TestUndoSmoothing:
    def test_the_optimum_becomes_certainty(self) -> None:
        # 12 glosses at 0.1: 1 - 0.1 + 0.1/12 = 0.908, above which no threshold selects anything.
        optimum = np.full((1, 12), 0.1 / 12)
        optimum[0, 3] = 1 - 0.1 + 0.1 / 12
        found = optimum.astype(np.float32)
        undo_smoothing(found, 0.1)
        assert optimum.max() == pytest.approx(0.908, abs=1e-3)
        assert found.max() > 0.999

    def test_takes_out_what_smoothing_put_in(self) -> None:
        true = pool(0).probabilities
        found = (0.9 * true + 0.1 / 5).astype(np.float32)
        undo_smoothing(found, 0.1)
        np.testing.assert_allclose(found, true, atol=1e-3)

    def test_beyond_the_optimum_clips_keep_their_order(self) -> None:
        sure = np.array([[0.95, 0.03, 0.02], [0.97, 0.02, 0.01], [0.99, 0.006, 0.004]], np.float32)
        undo_smoothing(sure, 0.3)
        np.testing.assert_allclose(sure.sum(axis=1), 1, atol=1e-6)
        assert (np.diff(sure[:, 0]) > 0).all()

    def test_without_smoothing_nothing_changes(self) -> None:
        given = pool(0).probabilities
        found = given.copy()
        undo_smoothing(found, 0.0)
        np.testing.assert_array_equal(found, given)


@pytest.mark.parametrize("true", [0.3, 1.0, 3.0])
def test_temperature_is_found_again(true: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 5)) * 2
    glosses = np.array([rng.choice(5, p=row / row.sum()) for row in softmax(logits).astype(float)])
    distorted = softmax(logits / true)
    found = fit_temperature(distorted, glosses)
    assert found == pytest.approx(1 / true, rel=0.05)
    apply_temperature(distorted, found)
    np.testing.assert_allclose(distorted, softmax(logits), atol=0.03)


@pytest.mark.parametrize("one", WEIGHTS, ids=repr)
class TestEveryWeight:
    def test_is_one_positive_number_a_row(self, one: Weighting) -> None:
        given = pool(0)
        rows = np.flatnonzero(given.allowed)
        weights = one.weigh(given, rows)
        assert weights.shape == rows.shape
        assert weights.dtype == np.float32
        assert ((weights > 0) & (weights <= 1)).all()

    def test_no_row_and_no_clip(self, one: Weighting) -> None:
        nothing = np.empty(0, np.int64)
        assert one.weigh(pool(0), nothing).shape == (0,)
        assert one.weigh(taken(pool(0), nothing), nothing).shape == (0,)

    def test_equals_weigh_alike(self, one: Weighting) -> None:
        assert len(set(one.weigh(alike(pool(0)), np.arange(60)).tolist())) == 1

    def test_more_confident_weighs_no_less(self, one: Weighting) -> None:
        given = pool(1)
        rows = np.argsort(given.confidence)
        assert (np.diff(one.weigh(given, rows)) >= 0).all()

    def test_does_not_depend_on_the_order(self, one: Weighting) -> None:
        given = pool(2)
        order = np.random.default_rng(0).permutation(60)
        np.testing.assert_allclose(
            one.weigh(taken(given, order), np.arange(60)), one.weigh(given, order), rtol=1e-5
        )


def test_weights_by_hand() -> None:
    given = pool(3)
    rows = np.array([4, 2])
    assert Constant(weight=0.25).weigh(given, rows).tolist() == [0.25, 0.25]
    np.testing.assert_allclose(
        Confidence(weight=0.5).weigh(given, rows), 0.5 * given.confidence[rows]
    )


def test_truncated_gaussian_against_a_plain_loop() -> None:
    given = pool(4)
    confidence = [float(one) for one in given.confidence]
    mean = sum(confidence) / 60
    variance = sum((one - mean) ** 2 for one in confidence) / 59
    expected = [
        math.exp(-(min(one - mean, 0) ** 2) / (2 * variance / 2.0**2)) for one in confidence
    ]
    found = TruncatedGaussian().weigh(given, np.arange(60))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert (found == 1).any()
