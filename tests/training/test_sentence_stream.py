"""Step-by-step semi-supervision on sentences: momentum pseudo-labelling, and what holds it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from resuming import only_the_audit_differs, resumes, same
from sentence_experiments import sentence_experiment, train_once
from torch import nn

from slr_ray.config import merge
from slr_ray.errors import ConfigError
from slr_ray.experiment.consistency_config import SentenceConsistencyConfig
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.consistency import stream_settings
from slr_ray.methods.seed_run import SeedRun, prepare_seed
from slr_ray.methods.sslr import rounds
from slr_ray.models.config import AnyRecogniser
from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.records.stages import StageStore
from slr_ray.sentences.decoding import best_paths
from slr_ray.sentences.steps import Glosses
from slr_ray.storage import Store
from slr_ray.training.problem import labelled_set
from slr_ray.training.round import Round, Trained
from slr_ray.training.sentences.gloss_rate import GlossRate
from slr_ray.training.sentences.stream import SentenceStream
from slr_ray.training.sentences.task import SentenceTask
from slr_ray.training.task import Step
from slr_ray.workers.place import Place, this_place

# A model says glosses before it learns, and after its first steps nothing but blanks.
FRESH = {"optimiser": {"learning_rate": 1e-3}}
POOL = {"kind": "fraction", "fraction": 0.5}


def small(**changes: Any) -> Experiment:
    method = {"kind": "consistency_sentences", "reject": None, "start_fraction": 0.0}
    own = {"training": FRESH, "pool": POOL, "method": method}
    return sentence_experiment(**merge(own, changes))


def seed_run(config: Experiment, folder: Path) -> SeedRun:
    prepared = Opener().prepare(config)
    return prepare_seed(prepared, 0, StageStore(Store(str(folder))), this_place())


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLR_RAY_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        return train_once(small())


def test_unlabelled_sentences_are_trained_on_and_told(plain: Trained) -> None:
    last = plain.epochs[-1].unlabelled
    assert last is not None
    assert 0 < last.pseudo_share <= 1
    assert last.pseudo_precision is not None
    assert 0 < last.pseudo_precision <= 1
    none = train_once(small(method={"confidence": 1.0})).epochs[-1].unlabelled
    assert none is not None
    assert (none.pseudo_share, none.pseudo_threshold, none.pseudo_precision) == (0, 1, None)


def test_interrupted_at_any_epoch_it_ends_the_same() -> None:
    resumes(train_once, small())


def test_without_weight_it_is_supervised_learning() -> None:
    """The labelled sentences' order, speeds and views do not depend on the unlabelled ones."""
    model = {"dropout": 0.0, "part_dropout": 0.0}
    without = train_once(small(model=model, method={"weight": 0.0}))
    plain = sentence_experiment(training=FRESH, pool=POOL, model=model)
    supervised = train_once(plain)
    for name, tensor in supervised.model_state.items():
        torch.testing.assert_close(tensor, without.model_state[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"strong": {"kind": "none"}},
        {"unlabelled_ratio": 2.0},
        {"warmup_fraction": 1.0},
        {"start_fraction": 0.5},
        {"confidence": 0.3},
        {"reject": {"keep": 0.1}},
    ],
    ids=lambda one: next(iter(one)),
)
def test_every_option_tells(changes: dict[str, Any], plain: Trained) -> None:
    other = train_once(small(method=changes))
    assert not same(plain.model_state, other.model_state)


def test_hidden_sequences_steer_nothing(tmp_path: Path) -> None:
    own = seed_run(small(), tmp_path / "true")
    (first,) = rounds(own)
    corpus = own.problem.corpus
    hidden = set(own.problem.unlabelled.tolist())
    true = corpus.sequence

    def another(clip: int) -> Glosses:
        return (true(clip) + 1) % own.problem.num_glosses if clip in hidden else true(clip)

    corpus.__dict__["sequence"] = another
    elsewhere = StageStore(Store(str(tmp_path / "another")))
    (second,) = rounds(replace(own, problem=replace(own.problem), stages=elsewhere))
    only_the_audit_differs(first, second)


def stream_of(config: Experiment) -> tuple[SentenceStream, AnyRecogniser]:
    """About to take its first step, and a model that says one gloss in every sentence."""
    own = Opener().prepare(config).problem(0)
    torch.manual_seed(0)
    method = config.method
    assert isinstance(method, SentenceConsistencyConfig)
    stream = SentenceStream(method, own, config.training, 1, this_place().device)
    stream.begin_epoch(np.random.SeedSequence(0), 1)
    return stream, own.new_recogniser()


def test_views_have_the_steps_that_their_hypotheses_need() -> None:
    speeds = {"resample_probability": 1.0, "shortest": 0.01, "longest": 1.0}
    stream, model = stream_of(small(sentences=speeds))
    step = stream.next_step(model, 0)
    assert step is not None
    assert torch.isfinite(stream.loss(model, step, 0.5))
    frames, needed = step.mask.sum(dim=1), [len(one) for one in step.sequences]
    assert sum(needed) > 0
    assert all(-(-count // 4) >= most for count, most in zip(frames.tolist(), needed, strict=True))


def test_the_teacher_is_the_averaged_model_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taught: list[nn.Module] = []

    def next_step(stream: SentenceStream, teacher: nn.Module, num_done: int) -> None:
        taught.append(teacher)

    monkeypatch.setattr(SentenceStream, "next_step", next_step)
    for teacher in ("ema", "student"):
        config = small(method={"teacher": teacher})
        own, place = Opener().prepare(config).problem(0), this_place()
        model, average = own.new_recogniser(), own.new_recogniser()
        assert isinstance(model, SentenceModel)
        method = config.method
        assert isinstance(method, SentenceConsistencyConfig)
        round_ = Round(0, 0, labelled_set(own), stream=method)
        task = SentenceTask(model, own, config.training, round_, place, 1)
        task.begin_epoch(np.random.SeedSequence(0), 1, average)
        batch = task.batch(np.arange(2), torch.Generator().manual_seed(0))
        task.loss(batch, Step(model, average, 0, 0, np.random.default_rng(0)))
        assert taught[-1] is (average if teacher == "ema" else model)


def test_the_blank_is_shifted_unless_told_otherwise() -> None:
    stream, model = stream_of(small())
    assert stream.rate is not None
    before = stream.next_step(model, 0)
    assert before is not None
    assert all(len(one) for one in before.sequences)
    stream.rate.shift = 50.0
    stream.begin_epoch(np.random.SeedSequence(0), 1)
    after = stream.next_step(model, 0)
    assert after is not None
    assert not any(len(one) for one in after.sequences)
    assert float(stream.loss(model, after, 0.5)) == 0
    assert stream_of(small(method={"align_rate": False}))[0].rate is None


def test_a_shifted_blank_gives_as_many_glosses_as_are_wanted() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(6, 60, 9))
    logits[..., 0] += 4.0
    num_steps = np.array([60, 60, 50, 40, 30, 60])
    log_probs = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))

    def glosses_a_step(shift: float) -> float:
        shifted = log_probs.copy()
        shifted[..., 0] += shift
        return sum(len(one.glosses) for one in best_paths(shifted, num_steps)) / num_steps.sum()

    rate = GlossRate(wanted=0.2)
    assert glosses_a_step(rate.shift) < 0.1
    for _ in range(200):
        rate.update(log_probs, num_steps)
    assert glosses_a_step(rate.shift) == pytest.approx(0.2, abs=0.01)


def test_a_teacher_that_knows_nothing_is_not_made_to_speak() -> None:
    log_probs = np.full((2, 30, 4), -20.0)
    log_probs[..., 0] = 0.0
    rate = GlossRate(wanted=0.2)
    for _ in range(200):
        rate.update(log_probs, np.array([30, 30]))
    assert -4.0 <= rate.shift < -3.9


def test_what_can_not_be_is_said_at_once() -> None:
    method = {"method": {"kind": "consistency_sentences"}}
    with pytest.raises(ConfigError, match=r"set task=continuous, or method\.kind=consistency"):
        build_experiment(method, "test")
    with pytest.raises(ConfigError, match=r"ema_decay=0\.99, or method\.teacher=student"):
        small(training={"ema_decay": None}, sentences={"dplr": {"source": "none"}})
    with pytest.raises(ConfigError, match=r"set method\.strong\.kind=strong"):
        small(method={"strong": {"kind": "boundary"}})
    several = Place(torch.device("cpu"), 0, 2)
    prepared = Opener().prepare(small())
    with pytest.raises(ConfigError, match="'consistency_sentences', which trains with one worker"):
        stream_settings(prepared.config.method, prepared.problem(0), several.world_size)
