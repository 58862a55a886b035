"""What clips are not, and soft pseudo-labels, from a model's passes to the next round."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiment_factory import EMBEDDED, seed_run
from resuming import same

from slr_ray.config import merge
from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.pseudo_labelling.pool_predictions import PoolPredictions
from slr_ray.methods.pseudo_labelling.pseudo_labels import (
    NO_PSEUDO_LABELS,
    PseudoLabels,
    candidates_of,
    select,
    training_set,
)
from slr_ray.methods.sslr import rounds, seed_record
from slr_ray.selection.evidence import Evidence
from slr_ray.selection.negative import Negative
from slr_ray.selection.select.uncertainty import Uncertainty
from slr_ray.selection.weight.soft import Soft
from slr_ray.training.labels.sampling import true_labels

BASE: dict[str, Any] = {
    "data": EMBEDDED,
    "pool": {"kind": "fraction", "fraction": 0.1},
    "model": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1, "dropout": 0.1},
    "training": {"num_epochs": 1, "steps_per_epoch": 4, "batch_size": 16, "max_frames": 8},
    "method": {
        "kind": "sslr",
        "num_rounds": 2,
        "selection": {"kind": "top_per_gloss", "num_clips": 5},
    },
}
UNSURE = {
    "kind": "uncertainty",
    "confidence": 0.3,
    "deviation": 0.05,
    "num_passes": 3,
    # Of a model that has learnt for four steps.
    "negative": {"probability": 0.25, "deviation": 0.05},
}


def small(**changes: Any) -> Experiment:
    return build_experiment(merge(BASE, changes), "test")


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_excluded_against_a_plain_loop(temperature: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(1, 40, 6)) * 4 + rng.normal(size=(5, 40, 6)) * 0.1
    passes = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    settings = Negative(probability=0.05, deviation=0.005, temperature=temperature)
    found = settings.excluded(passes.astype(np.float32))
    for clip in range(40):
        likeliest = int(np.argmax([passes[:, clip, gloss].mean() for gloss in range(6)]))
        for gloss in range(6):
            values = []
            for number in range(5):
                powers = [math.exp(one / temperature) for one in logits[number, clip]]
                values.append(powers[gloss] / sum(powers))
            mean = sum(values) / 5
            deviation = math.sqrt(sum((one - mean) ** 2 for one in values) / 4)
            expected = mean <= 0.05 and deviation <= 0.005 and gloss != likeliest
            assert found[clip, gloss] == expected
    assert 0 < found.sum() < found.size


def test_never_the_likeliest_gloss() -> None:
    passes = np.full((3, 4, 100), 0.01, np.float32)
    found = Negative().excluded(passes)
    assert found.sum(axis=1).tolist() == [99] * 4
    assert not found[:, 0].any()


class TestChoosing:
    clips = np.array([10, 20, 30, 40])
    probabilities = np.array([[0.9, 0.1, 0], [0.2, 0.5, 0.3], [0.4, 0.6, 0], [0, 0.3, 0.7]])
    excluded = np.array([[0, 1, 1], [0, 1, 1], [1, 0, 1], [0, 0, 0]], bool)
    before = PseudoLabels(np.array([30]), np.array([1]), np.ones(1, np.float32))

    def chosen(self, before: PseudoLabels, **options: Any) -> PseudoLabels:
        rule = Uncertainty(confidence=0.8, negative=Negative(weight=0.5))
        method = SslrConfig(**{"selection": rule, **options})
        evidence = Evidence(deviation=np.zeros(4, np.float32), excluded=self.excluded)
        predictions = PoolPredictions(self.probabilities.astype(np.float32), None, evidence)
        candidates = candidates_of(method, self.clips, predictions, before, 1)
        return select(method, self.clips, candidates, before)

    def test_clips_without_a_pseudo_label_teach_what_they_are_not(self) -> None:
        found = self.chosen(NO_PSEUDO_LABELS)
        assert found.clips.tolist() == [10]
        assert found.negative is not None
        # The second clip's likeliest gloss after refinement is none of them; the last has none.
        assert found.negative.clips.tolist() == [20, 30]
        assert found.negative.excluded.tolist() == [[False, False, True], [True, False, True]]
        # A clip that keeps an older pseudo-label teaches that.
        found = self.chosen(self.before)
        assert found.negative is not None
        assert (found.clips.tolist(), found.negative.clips.tolist()) == ([10, 30], [20])
        assert self.chosen(self.before, selection=Uncertainty(confidence=0.8)).negative is None

    def test_what_a_round_trains_on(self) -> None:
        labelled = true_labels(np.array([1, 2]), np.array([0, 2]))
        found = training_set(labelled, self.chosen(NO_PSEUDO_LABELS), 3)
        assert found.clips.tolist() == [1, 2, 10, 20, 30]
        assert found.glosses.tolist() == [0, 2, 0, UNLABELLED, UNLABELLED]
        assert found.is_pseudo.tolist() == [False, False, True, True, True]
        assert found.weights.tolist() == [1, 1, 1, 0.5, 0.5]
        assert found.targets is not None
        assert found.targets.tolist() == [[1, 0, 0], [0, 0, -1], [-0.5, 0, -0.5]]
        assert training_set(labelled, self.before, 3).targets is None

    def test_soft_labels_keep_their_distribution(self) -> None:
        first = self.chosen(NO_PSEUDO_LABELS, weight=Soft())
        assert first.distributions is not None
        np.testing.assert_allclose(first.distributions, self.probabilities[:1])
        np.testing.assert_allclose(first.weights, [0.9])
        assert self.chosen(NO_PSEUDO_LABELS, weight=Soft(by_confidence=False)).weights == [1.0]
        # An older one stays as it was.
        older = np.array([[0.1, 0.8, 0.1]], np.float32)
        before = PseudoLabels(np.array([5]), np.array([1]), np.ones(1, np.float32), older)
        both = self.chosen(before, weight=Soft())
        assert both.distributions is not None
        np.testing.assert_allclose(both.distributions, [older[0], self.probabilities[0]])


def test_rounds_learn_what_clips_are_not(tmp_path: Path) -> None:
    own = seed_run(small(method={"selection": UNSURE}), tmp_path / "with")
    done = list(rounds(own))
    without = {**UNSURE, "negative": None}
    plain = list(rounds(seed_run(small(method={"selection": without}), tmp_path / "without")))
    assert same(done[0].model_state, plain[0].model_state)
    assert not same(done[1].model_state, plain[1].model_state)
    (first, second), pool = done[1:], own.problem.unlabelled
    np.testing.assert_array_equal(first.pseudo.clips, plain[1].pseudo.clips)
    for one in (first, second):
        audit = one.record.audit
        assert audit is not None
        assert 0 < audit.num_negative <= len(pool) - len(one.pseudo)
        assert audit.negative_precision is not None
        assert 0 < audit.negative_precision <= 1
        assert "of negative labels" in (audit.described() or "")
    record = seed_record(own, done)
    assert record.stopped_because == "all rounds done"


def test_rounds_of_soft_labels_resume(tmp_path: Path) -> None:
    config = small(method={"weight": {"kind": "soft"}, "calibration": "undo_smoothing"})
    done = list(rounds(seed_run(config, tmp_path)))
    again = list(rounds(seed_run(config, tmp_path)))
    assert all(one.record.reused for one in again)
    for one, other in zip(done[1:], again[1:], strict=True):
        assert one.pseudo.distributions is not None
        assert other.pseudo.distributions is not None
        np.testing.assert_array_equal(one.pseudo.distributions, other.pseudo.distributions)
        np.testing.assert_allclose(one.pseudo.distributions.sum(axis=1), 1, atol=1e-5)
        likeliest = one.pseudo.distributions.argmax(axis=1)
        np.testing.assert_array_equal(likeliest, one.pseudo.glosses)
    for one, later in pairwise(done[1:]):
        kept = np.isin(later.pseudo.clips, one.pseudo.clips)
        assert later.pseudo.distributions is not None
        np.testing.assert_array_equal(later.pseudo.distributions[kept], one.pseudo.distributions)
    hard = list(rounds(seed_run(small(method={"weight": {"kind": "confidence"}}), tmp_path)))
    np.testing.assert_array_equal(hard[1].pseudo.weights, done[1].pseudo.weights)
    assert not same(hard[1].model_state, done[1].model_state)
