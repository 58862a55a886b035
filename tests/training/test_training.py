"""Training and SSLR's rounds on a small embedded corpus, without Ray."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from experiment_factory import opened, seed_run
from resuming import resumes, same

from slr_ray.boundaries.trainings import ledger_facts
from slr_ray.config import merge
from slr_ray.corpora.data import open_data
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.pretraining import pretraining_key
from slr_ray.methods.pseudo_labelling.pool_predictions import PoolPredictions
from slr_ray.methods.pseudo_labelling.predicted import kept_predictions
from slr_ray.methods.pseudo_labelling.pseudo_labels import (
    NO_PSEUDO_LABELS,
    PseudoLabels,
    candidates_of,
    refine,
    select,
)
from slr_ray.methods.sslr import (
    FinishedRound,
    best_round,
    rounds,
    seed_record,
)
from slr_ray.records.stages import Checkpoint, StageStore, State
from slr_ray.selection.evidence import Evidence
from slr_ray.selection.select.top_confidence import TopConfidence
from slr_ray.storage import Store
from slr_ray.training.labels.loss_weights import clip_weights
from slr_ray.training.labels.sampling import extended, true_labels
from slr_ray.training.loop import train
from slr_ray.training.round import NonFiniteLoss, Round, Trained
from slr_ray.workers.place import this_place

SMALL: dict[str, Any] = {
    "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1},
    "pool": {"kind": "fraction", "fraction": 0.1},
    "model": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1, "dropout": 0.1},
    "training": {"num_epochs": 3, "steps_per_epoch": 4, "batch_size": 16, "max_frames": 8},
    "method": {
        "kind": "sslr",
        "selection": {"kind": "top_per_gloss", "num_clips": 5},
        "num_rounds": 2,
        "true_share": 0.5,
    },
}


def small(**changes: Any) -> Experiment:
    return build_experiment(merge(SMALL, changes), "test")


def train_once(config: Experiment, checkpoint: Checkpoint | None = None, **changes: Any) -> Trained:
    own = opened(config).problem(0)
    torch.manual_seed(0)
    labelled = true_labels(own.labelled, own.glosses(own.labelled))
    training = config.training.model_copy(update=changes)
    model = own.new_model()
    return train(model, own, training, Round(0, 0, labelled), this_place(), checkpoint=checkpoint)


def test_training_learns() -> None:
    config = small()
    trained = train_once(config, num_epochs=12, steps_per_epoch=15)
    assert trained.epochs[-1].training_loss < trained.epochs[0].training_loss
    assert trained.validation.balanced_accuracy > 0.45  # chance is 0.25
    assert trained.num_steps == 180


def test_the_seed_decides() -> None:
    config = small()
    assert same(train_once(config).model_state, train_once(config).model_state)


@pytest.mark.parametrize("ema", [None, 0.9])
def test_a_round_interrupted_at_any_epoch_ends_the_same(ema: float | None) -> None:
    config = small(training={"ema_decay": ema, "mixup": 0.3})
    resumes(train_once, config)


def test_patience_ends_a_round_early() -> None:
    trained = train_once(small(), num_epochs=40, patience_epochs=2, steps_per_epoch=5)
    assert len(trained.epochs) < 40
    scores = [one.validation.balanced_accuracy for one in trained.epochs]
    assert trained.validation.balanced_accuracy == max(scores)


def test_patience_counts_epochs_since_the_best_evaluation() -> None:
    """Nothing is learnt at this rate, so that the first evaluation stays the best."""
    config = small(training={"optimiser": {"kind": "sgd", "learning_rate": 1e-12}})
    every = train_once(config, num_epochs=12, patience_epochs=1)
    assert [one.epoch for one in every.epochs] == [0, 1]
    seldom = train_once(config, num_epochs=12, patience_epochs=3, evaluate_every_epochs=6)
    assert [one.epoch for one in seldom.epochs] == [5, 11]


def test_patience_with_the_last_model_counts_since_the_best_evaluation_too() -> None:
    """Not since the last that beat the one before it, for a score goes up and down."""
    config = small(training={"optimiser": {"learning_rate": 0.05}, "keep": "last"})
    free = train_once(config, num_epochs=14, steps_per_epoch=1)
    scores = [(one.validation.balanced_accuracy, -one.validation.loss) for one in free.epochs]
    best = max(range(3), key=scores.__getitem__)
    assert scores[best] == max(scores[: best + 4])
    assert any(after > before for before, after in pairwise(scores[best + 1 : best + 4]))
    trained = train_once(config, num_epochs=14, steps_per_epoch=1, patience_epochs=3)
    assert [one.epoch for one in trained.epochs] == list(range(best + 4))
    assert trained.validation == trained.epochs[-1].validation


def test_weights_count_in_batches_of_one_clip_too() -> None:
    own = opened(small()).problem(0)
    labels = true_labels(own.labelled, own.glosses(own.labelled))
    pseudo = own.labelled[:4]

    def trained_with(weight: float) -> State:
        weights = np.full(4, weight, np.float32)
        training_set = extended(labels, pseudo, np.zeros(4, np.int64), weights)
        training = small().training.model_copy(update={"batch_size": 1, "num_epochs": 1})
        torch.manual_seed(0)
        round_ = Round(1, 0, training_set, true_share=0.5)
        return train(own.new_model(), own, training, round_, this_place()).model_state

    assert not same(trained_with(1.0), trained_with(0.01))


@pytest.mark.parametrize("true_share", [None, 0.75])
def test_weights_are_1_on_average_over_what_is_drawn(true_share: float | None) -> None:
    labels = true_labels(np.arange(6), np.array([0, 0, 0, 0, 1, 2]))
    training_set = extended(labels, np.arange(6, 8), np.array([1, 1]), np.full(2, 0.5, np.float32))
    plain = clip_weights(training_set, 3, by_gloss=False, true_share=true_share)
    assert plain[6] / plain[0] == pytest.approx(0.5)
    found = clip_weights(training_set, 3, by_gloss=True, true_share=true_share)
    assert found[5] / found[0] == pytest.approx(2.0)
    share = 0.75 if true_share else 6 / 8
    for weights in (plain, found):
        assert share * weights[:6].mean() + (1 - share) * weights[6:].mean() == pytest.approx(1)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_one_metric_chooses_epoch_and_round(metric: str, tmp_path: Path) -> None:
    config = small(training={"metric": metric, "num_epochs": 6, "steps_per_epoch": 2})
    own = seed_run(config, tmp_path)
    done = list(rounds(own))
    for one in done:
        scores = [getattr(epoch.validation, metric) for epoch in one.epochs]
        assert getattr(one.record.validation, metric) == max(scores)
    best = [getattr(one.record.validation, metric) for one in done]
    assert best_round(own, done) == int(np.argmax(best))


def test_divergence_is_named() -> None:
    config = small(
        training={"optimiser": {"kind": "sgd", "learning_rate": 1e30}, "gradient_clip": None}
    )
    with pytest.raises(NonFiniteLoss, match=r"learning_rate \(1e\+30\)"):
        train_once(config)


def run(config: Experiment, folder: Path) -> list[FinishedRound]:
    return list(rounds(seed_run(config, folder)))


def test_rounds_extend_the_labelled_set(tmp_path: Path) -> None:
    config = small()
    done = run(config, tmp_path)
    assert [one.record.round for one in done] == [0, 1, 2]
    assert done[0].record.audit is None
    assert done[0].record.num_pseudo_labels == 0
    unlabelled = set(opened(config).problem(0).unlabelled.tolist())
    for before, after in pairwise(done):
        assert set(before.pseudo.clips) < set(after.pseudo.clips) <= unlabelled
        kept = np.isin(after.pseudo.clips, before.pseudo.clips)
        assert (after.pseudo.glosses[kept] == before.pseudo.glosses).all()
        audit = after.record.audit
        assert audit is not None
        assert audit.num_selected == len(after.pseudo) == after.record.num_pseudo_labels
        assert audit.num_added == len(after.pseudo) - len(before.pseudo)
        assert sum(audit.confidence_counts) == len(unlabelled)
        truth = opened(config).problem(0).glosses(after.pseudo.clips)
        assert audit.precision == pytest.approx((truth == after.pseudo.glosses).mean())
    own = seed_run(config, tmp_path)
    record = seed_record(own, done)
    assert record.stopped_because == "all rounds done"
    assert record.best_round == best_round(own, done)


def test_hidden_labels_steer_nothing(tmp_path: Path) -> None:
    """With the unlabelled pool's glosses shuffled, everything but the audit is the same."""
    run = seed_run(small(), tmp_path / "true")
    first = list(rounds(run))
    problem = run.problem
    index = np.array(problem.corpus.gloss_index)
    hidden = problem.unlabelled
    index[hidden] = np.random.default_rng(0).permutation(index[hidden])
    problem.corpus.__dict__["gloss_index"] = index
    elsewhere = StageStore(Store(str(tmp_path / "shuffled")))
    # A problem of its own: one that was asked keeps its glosses.
    second = list(rounds(replace(run, problem=replace(problem), stages=elsewhere)))
    for a, b in zip(first, second, strict=True):
        assert same(a.model_state, b.model_state)
        assert (a.pseudo.clips == b.pseudo.clips).all()
    assert first[1].record.audit is not None
    assert second[1].record.audit is not None
    assert first[1].record.audit.precision != second[1].record.audit.precision


def test_finished_rounds_are_not_trained_again(tmp_path: Path) -> None:
    first = run(small(), tmp_path)
    assert not any(one.record.reused for one in first)
    # Another number of rounds shares the rounds that both have.
    again = run(small(method={"num_rounds": 3}), tmp_path)
    assert [one.record.reused for one in again] == [True, True, True, False]
    assert same(again[2].model_state, first[2].model_state)
    # Another rule shares round 0 alone.
    other = run(small(method={"selection": {"num_clips": 7}}), tmp_path)
    assert [one.record.reused for one in other] == [True, False, False]


def test_a_changed_split_file_shares_no_stage(tmp_path: Path) -> None:
    """Else signers who trained a round would measure the next."""
    path = tmp_path / "split.csv"
    config = small(
        split={"kind": "file", "path": str(path)},
        initialisation={"kind": "pretraining"},
    )
    corpus = open_data(config.data)
    found = []
    for names in (("training", "validation", "test"), ("training", "test", "validation")):
        rows = [f"{one},{names[row % 3]}" for row, one in enumerate(corpus.clip_ids.to_pylist())]
        path.write_text("\n".join(["clip_id,split", *rows]))
        prepared = opened(config)
        key = pretraining_key(prepared, 0)
        found.append((prepared.stage_facts(), key, ledger_facts(prepared)))
    assert all(one != other for one, other in zip(*found, strict=True))


def test_an_empty_selection_stops(tmp_path: Path) -> None:
    config = small(method={"selection": {"kind": "threshold", "confidence": 1.0}})
    done = run(config, tmp_path)
    assert len(done) == 1
    told = seed_record(seed_run(config, tmp_path), done).stopped_because
    assert re.fullmatch(r"the rule selected no clip in round 1 \(highest confidence 0\.\d+\)", told)


def test_adding_everything_stops(tmp_path: Path) -> None:
    config = small(method={"selection": {"kind": "threshold", "confidence": 0.0}})
    done = run(config, tmp_path)
    assert len(done) == 2
    assert seed_record(seed_run(config, tmp_path), done).stopped_because == "nothing left to add"
    assert seed_record(seed_run(config, tmp_path), done[:1]).stopped_because == "not ended"


RULES = {
    "uncertainty": {"kind": "uncertainty", "confidence": 0.0, "deviation": 1.0, "num_passes": 2},
    "views": {"kind": "views_agree", "num_views": 2},
    "ends": {"kind": "ends_cut_agree"},
    "rebalanced": {"kind": "class_rebalanced", "share": 0.2},
}


@pytest.mark.parametrize("name", RULES)
def test_rounds_compute_what_a_rule_needs(name: str, tmp_path: Path) -> None:
    parts = {
        "calibration": "temperature",
        "refine": {"semantic": {}, "alignment": {"target": "uniform"}},
        "weight": {"kind": "truncated_gaussian"},
    }
    config = small(method={"selection": RULES[name], "num_rounds": 1, **parts})
    first = run(config, tmp_path / "once")
    assert len(first) == 2
    assert len(first[1].pseudo)
    again = run(config, tmp_path / "again")
    assert same(first[1].model_state, again[1].model_state)
    assert (first[1].pseudo.weights == again[1].pseudo.weights).all()


def test_a_rule_that_needs_dropout_is_refused_without_it() -> None:
    with pytest.raises(ConfigError, match=r"'uncertainty' compares passes.*model\.dropout is 0"):
        small(method={"selection": {"kind": "uncertainty"}}, model={"dropout": 0.0})


def test_predictions_are_kept_as_the_model_gave_them(tmp_path: Path) -> None:
    """So that a replay chooses what the round chose."""
    own = seed_run(small(training={"label_smoothing": 0.1}), tmp_path)
    done = list(rounds(own))
    problem, method = own.problem, own.method
    for before, after in pairwise(done):
        predictions = kept_predictions(own, after.record.round)
        assert predictions is not None
        # Nothing in this method's choice asks for it.
        assert predictions.validation is None
        refine(
            method,
            predictions,
            label_smoothing=0.1,
            validation_glosses=problem.glosses(problem.split.validation),
        )
        given = candidates_of(
            method, problem.unlabelled, predictions, before.pseudo, after.record.round
        )
        found = select(method, problem.unlabelled, given, before.pseudo)
        assert (found.clips == after.pseudo.clips).all()
        assert (found.glosses == after.pseudo.glosses).all()
    assert kept_predictions(own, 0) is None


def test_large_predictions_are_not_kept_and_change_nothing(tmp_path: Path) -> None:
    kept = run(small(), tmp_path / "kept")
    own = seed_run(small(method={"keep_predictions": 10}), tmp_path / "not")
    assert same(kept[1].model_state, list(rounds(own))[1].model_state)
    assert kept_predictions(own, 1) is None
    # A round that was kept without them serves both.
    assert run(small(), tmp_path / "not")[1].record.reused


def test_patience_rounds_stop(tmp_path: Path) -> None:
    config = small(method={"num_rounds": 9, "patience_rounds": 1})
    done = run(config, tmp_path)
    scores = [one.record.validation.balanced_accuracy for one in done]
    if len(done) < 10:
        assert scores[-1] <= max(scores[:-1])
        record = seed_record(seed_run(config, tmp_path), done)
        assert record.stopped_because.startswith(("validation", "nothing"))


def test_continuing_starts_from_the_teacher(tmp_path: Path) -> None:
    frozen = {"optimiser": {"kind": "sgd", "learning_rate": 1e-12}, "ema_decay": None}
    done = run(small(training=frozen, method={"start": "continue"}), tmp_path)
    for a, b in pairwise(done):
        # Statistics of batch norms are seen, not learnt.
        for name in (one for one in a.model_state if "running_" not in one):
            torch.testing.assert_close(a.model_state[name], b.model_state[name])
    scratch = run(small(training=frozen), tmp_path)
    assert not same(scratch[0].model_state, scratch[1].model_state)


class TestSelect:
    """Which pseudo-labels stay between rounds."""

    clips = np.array([10, 20, 30, 40])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]], np.float32)
    before = PseudoLabels(np.array([30]), np.array([1]), np.array([0.99], np.float32))

    def chosen(self, number: int = 1, before: PseudoLabels | None = None, **options: Any) -> Any:
        method = SslrConfig(selection=TopConfidence(num_clips=1), **options)
        given = self.before if before is None else before
        predictions = PoolPredictions(self.probabilities, None, Evidence())
        candidates = candidates_of(method, self.clips, predictions, given, number)
        found = select(method, self.clips, candidates, given)
        return dict(zip(found.clips.tolist(), found.glosses.tolist(), strict=True))

    def test_accumulating_keeps_old_labels(self) -> None:
        assert self.chosen() == {10: 0, 30: 1}

    def test_reselecting_starts_afresh(self) -> None:
        assert self.chosen(pseudo_labels="reselect") == {10: 0}

    def test_growth(self) -> None:
        fresh = {"before": NO_PSEUDO_LABELS, "pseudo_labels": "reselect"}
        assert len(self.chosen(3, growth="constant", **fresh)) == 1
        assert len(self.chosen(3, growth="linear", **fresh)) == 3
        assert len(self.chosen(3, growth="geometric", **fresh)) == 4
