"""Unlabelled clips of glosses that the corpus does not have."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from experiment_factory import EMBEDDED, new_run, opened, plan
from resuming import same
from rich.console import Console
from sweep_factory import new_sweep

from slr_ray.config import merge
from slr_ray.corpora.arrays import UNKNOWN_GLOSS, UNLABELLED
from slr_ray.corpora.corpus import open_shards
from slr_ray.corpora.data import open_data
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, generate
from slr_ray.durations import duration
from slr_ray.errors import ConfigError
from slr_ray.experiment.consistency_config import ConsistencyConfig
from slr_ray.experiment.default_pool import build_with_pool
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.pseudo_labelling.pool_predictions import predict_pool
from slr_ray.methods.pseudo_labelling.predicted import kept_predictions
from slr_ray.methods.seed_run import SeedRun, prepare_seed
from slr_ray.methods.sslr import FinishedRound, rounds, seed_record
from slr_ray.models.model import Model
from slr_ray.poses.normalisation import num_channels
from slr_ray.poses.shard_writing import write_shard
from slr_ray.records.stages import StageStore
from slr_ray.search.estimate import Times
from slr_ray.search.search_run import check_data
from slr_ray.search.spaces.default_pool import space_with_pool
from slr_ray.selection.evidence import Evidence, present
from slr_ray.selection.reject.energy import Energy
from slr_ray.selection.steps.step_rule import Targets, WeakViews
from slr_ray.single.replay import replay_run
from slr_ray.single.train import run_single
from slr_ray.storage import Store
from slr_ray.sweeps import estimate
from slr_ray.training.consistency.stream import UnlabelledStream
from slr_ray.training.consistency.tally import Tally
from slr_ray.training.unlabelled import UnlabelledClips
from slr_ray.workers.place import this_place

BASE: dict[str, Any] = {
    "data": EMBEDDED,
    "pool": {"kind": "fraction", "fraction": 0.1},
    "model": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1},
    "training": {"num_epochs": 1, "steps_per_epoch": 4, "batch_size": 16, "max_frames": 8},
    "method": {
        "kind": "sslr",
        "num_rounds": 1,
        "selection": {"kind": "threshold", "confidence": 0.0},
    },
}
STEPS = {"kind": "consistency", "rule": {"kind": "freematch"}}


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two glosses of the corpus and two that it lacks, one without a gloss, of people it knows."""
    corpus = open_data(EmbeddedConfig(**{k: v for k, v in EMBEDDED.items() if k != "kind"}))
    signs = EmbeddedConfig(num_glosses=4, num_signers=8, seed=2)
    renamed = {corpus.glosses[0]: "tree", corpus.glosses[1]: "river", corpus.glosses[2]: None}
    clips = [
        replace(one, clip_id=f"other{number}", gloss=renamed.get(one.gloss or "", one.gloss))
        for number, one in enumerate(generate(signs))
    ]
    assert {one.signer for one in clips} == set(corpus.signers)
    path = tmp_path_factory.mktemp("open") / "other.parquet"
    # The corpus's own first clips as well.
    write_shard(path, [*clips, *(corpus.clip(one) for one in range(5))], {"extractor": "test"})
    return str(path)


def experiment(other: str, **changes: Any) -> Experiment:
    return build_experiment(merge(merge(BASE, {"pool": {"open_data": [other]}}), changes), "test")


def seed_run(prepared: Prepared, folder: Path) -> SeedRun:
    return prepare_seed(prepared, 0, StageStore(Store(str(folder))), this_place())


def run(prepared: Prepared, folder: Path) -> list[FinishedRound]:
    return list(rounds(seed_run(prepared, folder)))


@pytest.mark.parametrize("kind", ["signer", "clip"])
def test_neither_people_held_out_nor_clips_that_are_there(kind: str, other: str) -> None:
    prepared = opened(experiment(other, split={"kind": kind}))
    extra, corpus = open_shards(other), prepared.corpus
    ((source, clips),) = prepared.open_pool.parts
    assert source.fingerprint == extra.fingerprint
    measured = set(corpus.signers_of(prepared.split.measured))
    held_out = measured - set(corpus.signers_of(prepared.split.training))
    assert bool(held_out) == (kind == "signer")
    assert not held_out & set(extra.signers_of(clips))
    names = extra.clip_ids.to_pylist()
    kept = {names[clip] for clip in clips}
    assert kept == {
        name
        for clip, name in enumerate(names)
        if name.startswith("other") and extra.signer(clip) not in held_out
    }
    assert prepared.open_pool.num_left_out == extra.num_clips - len(kept)


def test_the_pool_counts_on_from_the_corpus(other: str) -> None:
    prepared, closed = opened(experiment(other)), opened(build_experiment(BASE, "test"))
    problem, before = prepared.problem(0), closed.problem(0)
    num_clips, num_open = problem.corpus.num_clips, len(prepared.open_pool)
    np.testing.assert_array_equal(problem.labelled, before.labelled)
    added = np.setdiff1d(problem.unlabelled, before.unlabelled)
    np.testing.assert_array_equal(added, np.arange(num_clips, num_clips + num_open))
    assert isinstance(problem.source, UnlabelledClips)
    extra, clips = prepared.open_pool.parts[0]
    frames = problem.source.frames_of(num_clips + 3)
    assert np.shares_memory(frames, extra.frames)
    np.testing.assert_array_equal(frames, extra.frames_of(int(clips[3])))
    assert np.shares_memory(problem.source.frames_of(3), problem.corpus.frames)
    hidden = problem.glosses(added)
    named = [extra.gloss_of(int(clip)) for clip in clips]
    known = {name: index for index, name in enumerate(problem.corpus.glosses)}
    assert hidden.tolist() == [
        UNLABELLED if name is None else known.get(name, UNKNOWN_GLOSS) for name in named
    ]
    assert {UNLABELLED, UNKNOWN_GLOSS, known[problem.corpus.glosses[3]]} == set(hidden)
    assert before.source is before.corpus


@pytest.mark.parametrize("method", [{}, STEPS], ids=["rounds", "steps"])
def test_hidden_glosses_of_an_open_pool_steer_nothing(
    method: dict[str, Any], other: str, tmp_path: Path
) -> None:
    prepared = opened(experiment(other, method=method))
    first = run(prepared, tmp_path / "true")
    extra, _ = prepared.open_pool.parts[0]
    extra.__dict__["gloss_index"] = np.full(extra.num_clips, extra.glosses.index("tree"), np.int32)
    second = run(prepared, tmp_path / "all_trees")
    assert same(first[-1].model_state, second[-1].model_state)
    if method:
        figures = [done[-1].epochs[-1].unlabelled for done in (first, second)]
        shares = [one.pseudo_unknown for one in figures if one is not None]
        assert 0 < (shares[0] or 0) < (shares[1] or 0)
        return
    np.testing.assert_array_equal(first[1].pseudo.glosses, second[1].pseudo.glosses)
    audits = [done[1].record.audit for done in (first, second)]
    counts = [one.open_pool for one in audits if one is not None and one.open_pool is not None]
    # Every clip is selected, so that all of unknown glosses are.
    assert [one.num_selected for one in counts] == [one.num_unknown for one in counts]
    assert counts[0].num_unknown < counts[1].num_unknown == len(prepared.open_pool)


@pytest.mark.parametrize("kind", ["energy", "prototype"])
def test_rules_never_see_what_is_rejected(kind: str, other: str, tmp_path: Path) -> None:
    method = {
        "reject": {"kind": kind, "keep": 0.5},
        "selection": {"kind": "quantile", "share": 0.5},
    }
    own = seed_run(opened(experiment(other, method=method)), tmp_path)
    (_, last) = rounds(own)
    audit, problem = last.record.audit, own.problem
    assert audit is not None
    assert audit.open_pool is not None
    num_left = audit.num_unlabelled - audit.num_rejected
    assert 0 < audit.num_rejected < audit.num_unlabelled
    # Half of what is left, not of the pool; confidences of single precision may be equal.
    assert num_left / 2 <= len(last.pseudo) <= num_left / 2 + 3
    kept = kept_predictions(own, 1)
    assert kept is not None
    assert own.method.reject is not None
    stays = own.method.reject.stays(kept.evidence)
    assert stays.sum() == num_left
    assert np.isin(last.pseudo.clips, problem.unlabelled[stays]).all()
    hidden = problem.glosses(problem.unlabelled)
    assert audit.open_pool.num_rejected == (~stays & (hidden == UNKNOWN_GLOSS)).sum()
    assert audit.num_rejected_wrongly == (~stays & (hidden >= 0)).sum()


def test_a_pool_may_be_rejected_whole(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Energy, "stays", lambda _, evidence: np.zeros(len(evidence.energy), bool))
    own = seed_run(opened(experiment(other, method={"reject": {"kind": "energy"}})), tmp_path)
    done = list(rounds(own))
    assert len(done) == 1
    assert seed_record(own, done).stopped_because == "every clip was rejected in round 1"


def stream_of(prepared: Prepared) -> tuple[UnlabelledStream, Model]:
    """The unlabelled clips of a training of 40 steps, and a model that has learnt nothing."""
    torch.manual_seed(0)
    own, method = prepared.problem(0), prepared.config.method
    assert isinstance(method, ConsistencyConfig)
    model, device = own.new_model(), torch.device("cpu")
    return UnlabelledStream(method, model, own, prepared.config.training, 40, device), model


@pytest.mark.parametrize("kind", ["energy", "prototype"])
def test_steps_never_see_what_is_rejected(
    kind: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reject = {"kind": kind, "keep": 0.5}
    prepared = opened(experiment(other, method={**STEPS, "reject": reject}))
    stream, model = stream_of(prepared)
    own, rule, settings = stream.problem, stream.rule, stream.settings
    seen: list[int] = []
    targets = rule.targets

    def watched(views: WeakViews) -> Targets:
        seen.extend(views.clips.tolist())
        return targets(views)

    monkeypatch.setattr(rule, "targets", watched)
    stream.begin_epoch(np.random.SeedSequence(0), 40, model)
    labelled = torch.zeros(1, 8, num_channels(own.normalisation)), torch.ones(1, 8).bool()
    for step in range(40):
        assert stream.next_step(model, labelled, torch.zeros(1).long(), step) is not None
    assert settings.reject is not None
    # As rounds ask, of the same clips.
    found = predict_pool(
        own,
        model,
        prepared.config.training,
        settings.reject.needs,
        this_place(),
        num_views=1,
        with_validation=False,
    )
    stays = settings.reject.stays(found.evidence)
    assert 0 < stays.sum() < len(stays)
    assert sorted(set(seen)) == np.flatnonzero(stays).tolist()
    hidden = own.glosses(own.unlabelled)
    figures = stream.tally.figures()
    assert figures.rejected == pytest.approx(np.mean(~stays))
    assert figures.rejected_unknown == pytest.approx(np.mean(~stays[hidden == UNKNOWN_GLOSS]))
    assert figures.rejected_wrongly == pytest.approx(np.mean(~stays[hidden >= 0]))


def test_an_epoch_looks_at_twice_what_it_draws(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []

    def stays(_: Energy, evidence: Evidence) -> np.ndarray:
        looked_at.append(len(present(evidence.energy, "energies")))
        return np.ones(looked_at[-1], bool)

    monkeypatch.setattr(Energy, "stays", stays)
    stream, model = stream_of(
        opened(experiment(other, method={**STEPS, "reject": {"kind": "energy"}}))
    )
    for num_steps in (1, 3, 1000):
        stream.begin_epoch(np.random.SeedSequence(0), num_steps, model)
    assert looked_at == [32, 96, len(stream.problem.unlabelled)]


def test_where_all_is_rejected_steps_are_supervised(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Energy, "stays", lambda _, evidence: np.zeros(len(evidence.energy), bool))
    steps = {**STEPS, "reject": {"kind": "energy"}}
    done, supervised = (
        run(opened(experiment(other, method=one)), tmp_path)[0]
        for one in (steps, {"kind": "supervised"})
    )
    assert same(done.model_state, supervised.model_state)
    figures = done.epochs[-1].unlabelled
    assert figures is not None
    assert (figures.pseudo_share, figures.rejected) == (0, 1)
    assert (figures.rejected_unknown, figures.rejected_wrongly) == (1, 1)


def test_steps_tell_what_they_rejected(other: str, tmp_path: Path) -> None:
    reject = {"kind": "energy", "keep": 0.5}
    (done,) = run(opened(experiment(other, method={**STEPS, "reject": reject})), tmp_path)
    figures = done.epochs[-1].unlabelled
    assert figures is not None
    assert figures.rejected_unknown is not None
    assert figures.rejected_wrongly is not None
    assert 0 < figures.rejected_unknown + figures.rejected_wrongly < 2
    assert figures.pseudo_share < 1
    assert "of clips of known glosses rejected" in figures.described()
    # Of a pool without any gloss, too, where nothing else is known.
    tally = Tally(torch.full((3,), UNLABELLED))
    tally.reject(np.array([0, 2]), np.array([True, False]))
    figures = tally.figures()
    assert (figures.rejected, figures.rejected_unknown, figures.rejected_wrongly) == (
        0.5,
        None,
        None,
    )
    assert figures.described().endswith("trained on; 50% of those looked at rejected")


def test_a_closed_pool_has_the_stages_that_it_had(other: str, tmp_path: Path) -> None:
    open_, closed = opened(experiment(other)), opened(build_experiment(BASE, "test"))
    assert "open_data" not in closed.stage_facts()["pool"]
    assert closed.fingerprint == closed.corpus.fingerprint != open_.fingerprint
    assert open_.stage_facts() == {**closed.stage_facts(), "fingerprint": open_.fingerprint}
    # What lies at a place counts, not where it is.
    moved = tmp_path / "moved.parquet"
    moved.write_bytes(Path(other).read_bytes())
    assert opened(experiment(str(moved))).stage_facts() == open_.stage_facts()


def test_train_tells_and_replay_knows(other: str, tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=300)
    run_single(opened(experiment(other)), 0, str(tmp_path), 1, console)
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert "open pool: " in told
    assert "of other; " in told
    assert "of extra data left out, as their signers are held out or the same clips" in told
    assert "audit by hidden labels, for reading only: " in told
    found = replay_run(str(tmp_path), {}, ["threshold confidence=0"], None, False, console)
    problem = opened(experiment(other)).problem(0)
    assert found[0].num_clips == len(problem.unlabelled)
    hidden = problem.glosses(problem.unlabelled)
    assert found[0].num_unknown == (hidden == UNKNOWN_GLOSS).sum() > 0
    replayed = console.file.getvalue().split("each round's whole pool")[1]  # type: ignore[attr-defined]
    # A heading, a word below the other.
    assert {"audit:", "of", "unknown", "glosses"} <= set(replayed.partition("--rule")[0].split())


def test_a_search_counts_it(other: str, tmp_path: Path) -> None:
    found = new_run(tmp_path, {"pool.open_data": [other]})
    assert "open pool: " in plan(found)
    assert str(check_data(found)["open_pool"]).startswith(f"{len(found.default.open_pool)} clips")
    space = space_with_pool("sslr_thresholds", {"pool.open_data": [other]}, Opener())
    assert space.default.pool.kind == "all"
    named = {"pool.open_data": [other], "pool.fraction": 0.2}
    assert space_with_pool("sslr_thresholds", named, Opener()).default.pool.kind == "fraction"


def test_the_estimate_of_a_table_counts_it(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = {"kind": "all", "open_data": [other]}
    methods = {"rounds": BASE["method"], "steps": STEPS}
    table = {
        "name": "open",
        "title": "An open pool",
        "base": {
            **BASE,
            "pool": pool,
            "training": {**BASE["training"], "num_epochs": 100, "steps_per_epoch": None},
        },
        "settings": [
            {"name": name, "title": name, "config": {"method": one}}
            for name, one in methods.items()
        ],
        "figures": ["accuracy"],
    }
    monkeypatch.setattr(estimate, "measured_times", lambda *_: Times(1.0, stream_step_s=2.0))
    monkeypatch.setattr(estimate, "at_once", lambda _: 1)
    sweep = new_sweep(tmp_path, table, name="open", seeds=1)
    problem = next(iter(sweep.plan.prepared.values())).problem(0)
    labelled, every = (
        -(-num_clips // 16)
        for num_clips in (len(problem.labelled), len(problem.labelled) + len(problem.unlabelled))
    )
    assert every > labelled
    # Round 0 and one with the open pool; steps on labelled and unlabelled clips take twice as long.
    seconds_s = 100 * (labelled + every + 2 * labelled)
    assert f"{duration(seconds_s)} of training at most" in estimate.text(sweep)


def test_with_open_data_no_label_needs_hiding(other: str) -> None:
    tree = {"data": EMBEDDED, "pool": {"open_data": [other]}}
    built = build_with_pool(tree, "test", Opener())
    assert (built.pool.kind, built.pool.open_data) == ("all", (other,))
    problem = opened(built).problem(0)
    assert problem.unlabelled.min() == problem.corpus.num_clips
    tree["pool"] = {"kind": "per_gloss", "open_data": [other]}
    assert build_with_pool(tree, "test", Opener()).pool.kind == "per_gloss"


def test_a_location_is_given_once(other: str) -> None:
    with pytest.raises(ConfigError, match="a location is listed twice"):
        experiment(other, pool={"open_data": [other, other]})
