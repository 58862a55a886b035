"""Step-by-step semi-supervision on a small embedded corpus, without Ray."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from resuming import only_the_audit_differs, resumes, same
from torch import nn

from slr_ray.config import alternatives, merge
from slr_ray.errors import ConfigError
from slr_ray.experiment.consistency_config import ConsistencyConfig
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.seed_run import SeedRun, prepare_seed
from slr_ray.methods.sslr import FinishedRound, rounds, seed_record
from slr_ray.records.stages import Checkpoint, StageStore
from slr_ray.storage import Store
from slr_ray.training.consistency.co_learning import CoLearning, CoLearningConfig
from slr_ray.training.labels.sampling import true_labels
from slr_ray.training.loop import train
from slr_ray.training.round import Round, Trained
from slr_ray.workers.place import Place, this_place

SMALL: dict[str, Any] = {
    "preset": "spoter_small",
    "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1},
    "pool": {"kind": "fraction", "fraction": 0.1},
    "model": {"width": 16, "num_heads": 2, "hidden": 16, "num_encoder_layers": 1, "dropout": 0.1},
    "training": {"num_epochs": 3, "steps_per_epoch": 4, "batch_size": 16, "max_frames": 8},
    # No threshold that a few steps can't reach.
    "method": {
        "kind": "consistency",
        "rule": {"kind": "freematch"},
        "distribution_alignment": "none",
    },
}
KINDS = list(alternatives(ConsistencyConfig, "rule"))


def small(**changes: Any) -> Experiment:
    return build_experiment(merge(SMALL, changes), "test")


def seed_run(config: Experiment, folder: Path) -> SeedRun:
    prepared = Opener().prepare(config)
    return prepare_seed(prepared, 0, StageStore(Store(str(folder))), this_place())


def run(config: Experiment, folder: Path) -> FinishedRound:
    (only,) = rounds(seed_run(config, folder))
    return only


def train_once(config: Experiment, checkpoint: Checkpoint | None = None) -> Trained:
    own = Opener().prepare(config).problem(0)
    torch.manual_seed(0)
    method = config.method
    stream = method if isinstance(method, ConsistencyConfig) else None
    round_ = Round(0, 0, true_labels(own.labelled, own.glosses(own.labelled)), stream=stream)
    model = own.new_model()
    return train(model, own, config.training, round_, this_place(), checkpoint=checkpoint)


def test_it_learns(tmp_path: Path) -> None:
    training = {"num_epochs": 3, "steps_per_epoch": 20, "batch_size": 12}
    done = run(small(training=training), tmp_path)
    assert done.record.validation.balanced_accuracy > 0.35  # chance is 0.25
    assert done.record.num_steps == 60
    last = done.epochs[-1].unlabelled
    assert last is not None
    assert 0 < last.pseudo_share <= 1
    assert last.pseudo_threshold is not None
    assert last.pseudo_precision is not None
    assert last.pseudo_precision > 0.4


@pytest.mark.parametrize("kind", KINDS)
def test_interrupted_at_any_epoch_it_ends_the_same(kind: str) -> None:
    rule: dict[str, Any] = {"kind": kind}
    model: dict[str, Any] = {}
    if kind == "daso":
        # With prototypes from the third step on, and batch norms, whose statistics are a state too.
        rule["frequency_steps"] = 2
        model = {"kind": "conv_attention", "width": 16, "num_heads": 2, "num_stages": 1}
    config = small(
        model=model,
        method={
            "rule": rule,
            "distribution_alignment": "labelled",
            "co_learning": {"start_fraction": 0.4},
            "reject": {"kind": "energy", "keep": 0.5},
        },
    )
    resumes(train_once, config)


def test_without_weight_it_is_supervised_learning() -> None:
    """The labelled clips' order and views do not depend on the unlabelled ones."""
    without = small(method={"kind": "supervised"}, model={"dropout": 0.0})
    with_stream = small(method={"weight": 0.0}, model={"dropout": 0.0})
    a, b = train_once(without).model_state, train_once(with_stream).model_state
    for name in a:
        # A key's bias, the first half, has no gradient but rounding: AdamW makes whole steps of it.
        known = slice(len(a[name]) // 2 if name.endswith("key_value.bias") else 0, None)
        torch.testing.assert_close(a[name][known], b[name][known], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"teacher": "student"},
        {"hard": False, "temperature": 0.5},
        {"weak": {"kind": "spoter"}},
        {"strong": {"kind": "none"}},
        {"unlabelled_ratio": 2.0},
        {"warmup_fraction": 0.5},
        {"undo_smoothing": False},
        {"distribution_alignment": "uniform"},
        {"co_learning": {"start_fraction": 0.5}},
        {"reject": {"kind": "energy", "keep": 0.5}},
        {"reject": {"kind": "prototype", "keep": 0.5}},
    ],
    ids=lambda one: next(iter(one)),
)
def test_every_option_tells(changes: dict[str, Any]) -> None:
    plain = train_once(small(method={"rule": {"kind": "softmatch"}}))
    other = train_once(small(method={"rule": {"kind": "softmatch"}, **changes}))
    assert not same(plain.model_state, other.model_state)


def test_hidden_labels_steer_nothing(tmp_path: Path) -> None:
    """With the unlabelled pool's glosses shuffled, everything but the audit is the same."""
    own = seed_run(small(), tmp_path / "true")
    (first,) = rounds(own)
    index, hidden = np.array(own.problem.corpus.gloss_index), own.problem.unlabelled
    index[hidden] = np.random.default_rng(0).permutation(index[hidden])
    own.problem.corpus.__dict__["gloss_index"] = index
    elsewhere = StageStore(Store(str(tmp_path / "shuffled")))
    # A problem of its own: one that was asked keeps its glosses.
    (second,) = rounds(replace(own, problem=replace(own.problem), stages=elsewhere))
    only_the_audit_differs(first, second)


def test_it_is_a_stage_of_its_settings(tmp_path: Path) -> None:
    assert not run(small(), tmp_path).record.reused
    assert run(small(), tmp_path).record.reused
    assert not run(small(method={"weight": 0.5}), tmp_path).record.reused
    assert not run(small(method={"kind": "supervised"}), tmp_path).record.reused
    record = seed_record(seed_run(small(), tmp_path), [run(small(), tmp_path)])
    assert record.stopped_because == "all rounds done"


def test_without_unlabelled_clips_it_is_supervised(tmp_path: Path) -> None:
    config = small(pool={"kind": "all"})
    assert run(config, tmp_path).epochs[-1].unlabelled is None


def test_what_can_not_be_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ema_decay=0\.99, or method\.teacher=student"):
        small(training={"ema_decay": None})
    small(training={"ema_decay": None}, method={"teacher": "student"})
    with pytest.raises(ConfigError, match=r"method\.reject.*'energy', 'prototype'"):
        small(method={"reject": {"kind": "distance"}})
    prepared = Opener().prepare(small())
    several = Place(torch.device("cpu"), 0, 2)
    with pytest.raises(ConfigError, match="trains with one worker, but there are 2"):
        prepare_seed(prepared, 0, StageStore(Store(str(tmp_path))), several)


class TestCoLearning:
    counts = torch.tensor([10, 5, 1])

    def learner(self, **options: Any) -> CoLearning:
        torch.manual_seed(0)
        return CoLearning(CoLearningConfig(**options), nn.Linear(3, 3), self.counts, 0.9)

    def test_rare_glosses_are_blended_more_often(self) -> None:
        found = self.learner().blend_probability
        torch.testing.assert_close(found, torch.tensor([0.0, 0.5, 0.9]))

    def test_a_step_is_adam_on_blended_representations(self) -> None:
        learner = self.learner(smallest_share=0.2)
        represented, others = torch.eye(3), torch.full((2, 3), 0.5)
        glosses = torch.tensor([0, 1, 2])
        reference = nn.Linear(3, 3)
        reference.load_state_dict(learner.head.state_dict())
        adam = torch.optim.Adam(
            [
                {"params": [reference.weight], "weight_decay": 5e-4},
                {"params": [reference.bias], "weight_decay": 0.0},
            ],
            lr=0.002,
        )
        draws = torch.Generator().manual_seed(3)
        rolls, shares = torch.rand(2, 3, generator=draws)
        picks = torch.randint(2, (3,), generator=draws)
        blended = []
        for row in range(3):
            share = 0.2 + 0.8 * float(shares[row])
            is_blended = float(rolls[row]) < (10 - int(self.counts[row])) / 10
            other = others[picks[row]]
            own = represented[row]
            blended.append(share * own + (1 - share) * other if is_blended else own)
        nn.functional.cross_entropy(reference(torch.stack(blended)), glosses).backward()
        adam.step()
        learner.learn(represented, glosses, others, torch.Generator().manual_seed(3))
        torch.testing.assert_close(learner.head.weight, reference.weight)
        torch.testing.assert_close(learner.head.bias, reference.bias)

    def test_it_starts_once_from_the_given_classifier(self) -> None:
        learner, first, second = self.learner(), nn.Linear(3, 3), nn.Linear(3, 3)
        learner.begin(first)
        learner.begin(second)
        assert torch.equal(learner.average.weight, first.weight)
