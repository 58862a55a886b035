"""A run around the work on Ray: checked and printed before, gone on with, told of after."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml
from experiment_factory import SPACE, new_run, plan
from record_factory import trial_record

from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.corpora.pools import FractionPoolConfig, SignersPoolConfig
from slr_ray.errors import UserError
from slr_ray.experiment.opener import Opener
from slr_ray.poses.shard_writing import write_shard
from slr_ray.records.run_folder import RunFolder
from slr_ray.search.context import RunContext
from slr_ray.search.draws import Draw
from slr_ray.search.estimate import Estimate, Pretrainings, Times, estimate, most_steps
from slr_ray.search.search_run import SearchRun, begin, begin_final, check_data, resumed
from slr_ray.search.spaces.default_pool import space_with_pool
from slr_ray.search.spaces.space_file import check_space
from slr_ray.search.trial import TrialTask
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import RunOptions


def write_split(path: Path, names: tuple[str, ...]) -> None:
    corpus = new_run(path.parent).default.corpus
    ids = corpus.clip_ids.to_pylist()
    rows = [f"{ids[row]},{names[signer]}" for row, signer in enumerate(corpus.signer_index)]
    path.write_text("\n".join(["clip_id,split", *rows]))


def test_a_run_goes_on_from_anywhere_but_not_with_another_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_split(tmp_path / "split.csv", ("training",) * 6 + ("validation", "test"))
    run = new_run(tmp_path, split={"kind": "file", "path": "split.csv"})
    begin(run, check_data(run))

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    location = run.folder.location
    again = resumed(location, {}, run.command)
    assert begin(again, check_data(again)).split == run.folder.read_run().split

    write_split(tmp_path / "split.csv", ("training",) * 6 + ("test", "validation"))
    again = resumed(location, {}, run.command)
    with pytest.raises(UserError, match="the split changed"):
        begin(again, check_data(again))


def test_what_is_left_of_a_run_is_told(tmp_path: Path) -> None:
    run = new_run(tmp_path, {"search.num_trials": 3, "search.final_seeds": [0, 1]})
    assert "3 trials on 1 label draws" in plan(run)
    record, store = begin(run, check_data(run)), run.folder.store

    def again() -> SearchRun:
        return resumed(run.folder.location, {"time_budget_s": 7200.0}, run.command)

    def told() -> Estimate:
        return estimate(again(), Times(1.0), Pretrainings(0, 0, 0))

    whole = told()
    for number, status in enumerate(("failed", "complete")):
        ended = trial_record(number, status)
        run.folder.trial(number).write_record(ended)
    in_search = plan(again())
    assert "1 of 3 trials left, on 1 label draws" in in_search
    assert "then 6 arms on 2 draws" in in_search
    assert "the time budget of 2 h 00 min begins anew with this start" in in_search
    assert told().trials_s < whole.trials_s
    assert told().final_s == whole.final_s

    begin_final(run, record, [1])
    for arm, seed in (("fsl", 0), ("sslr_best", 0), ("sslr_best", 1)):
        store.write_json(f"final/{arm}/{seed}/record.json", {})
    comparing = plan(again())
    assert "the search has ended; 9 of 12 measurements of the final comparison left" in comparing
    assert not any(words in comparing for words in ("trials", "time budget"))
    assert told().trials_s == 0
    assert 0 < told().final_s < whole.final_s


def test_a_run_does_not_go_on_from_other_weights(tmp_path: Path) -> None:
    corpus = new_run(tmp_path).default.corpus
    others = tmp_path / "others.parquet"
    renamed = [
        dataclasses.replace(corpus.clip(row), clip_id=f"other {row}", gloss=f"gloss {row % 3}")
        for row in range(30)
    ]
    write_shard(others, renamed, {"extractor": "embedded"})
    run = new_run(tmp_path, initialisation={"kind": "other_glosses", "data": str(others)})
    begin(run, check_data(run))
    again = resumed(run.folder.location, {}, run.command)
    begin(again, check_data(again))
    write_shard(others, renamed[1:], {"extractor": "embedded"})
    again = resumed(run.folder.location, {}, run.command)
    with pytest.raises(UserError, match="what training starts from changed"):
        begin(again, check_data(again))


def partly_labelled(path: Path) -> str:
    """Every third clip has a gloss; one gloss is that of a single signer only."""
    corpus = new_run(path.parent).default.corpus
    clips = []
    for row in range(corpus.num_clips):
        clip = corpus.clip(row)
        gloss = None if row % 3 else clip.gloss
        clips.append(dataclasses.replace(clip, gloss=gloss))
    clips[0] = dataclasses.replace(clips[0], gloss="rare")
    write_shard(path, clips, {"extractor": "embedded"})
    return str(path)


class TestPool:
    """Real unlabelled clips need no hidden labels; where labels are hidden, the plan says so."""

    def run(self, tmp_path: Path, space: str, **overrides: Any) -> SearchRun:
        data = {"kind": "shards", "location": partly_labelled(tmp_path / "poses.parquet")}
        opener = Opener()
        found = space_with_pool(space, {"data": data, **overrides}, opener)
        folder = RunFolder(str(tmp_path / "run"))
        return SearchRun(folder, found, RunOptions(), ["tune"], opener=opener)

    def own_space(self, tmp_path: Path, **changes: Any) -> str:
        written = {name: value for name, value in SPACE.items() if name not in ("data", "pool")}
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump({**written, **changes}))
        return str(path)

    def test_a_shipped_space_hides_no_label_of_half_labelled_clips(self, tmp_path: Path) -> None:
        run = self.run(tmp_path, "sslr_thresholds")
        assert run.space.default.pool.kind == "all"
        # The run goes on with what was decided when it began.
        assert run.space.written["pool"] == {"kind": "all"}
        corpus, parts = run.default.corpus, run.default.split
        known = int((corpus.gloss_index[parts.training] != UNLABELLED).sum())
        unlabelled = len(parts.training) - known
        chosen_by = len(parts.validation)
        labels = f"labelled for training {known} clips, 100.0 % of {known} training clips "
        labels += f"with a gloss, + {chosen_by} for validation"
        expected = f"seed 0: {labels}; {unlabelled} unlabelled, no label hidden"
        assert f"{expected} (pool.kind=all)" in plan(run)

    def test_a_space_without_a_pool_does_neither(self, tmp_path: Path) -> None:
        assert self.run(tmp_path, self.own_space(tmp_path)).space.default.pool.kind == "all"

    def test_what_the_user_says_is_done_and_told(self, tmp_path: Path) -> None:
        pool = {"kind": "fraction", "fraction": 0.2}
        runs = [
            self.run(tmp_path, "sslr_thresholds", pool=pool),
            self.run(tmp_path, "sslr_thresholds", **{"pool.fraction": 0.2}),
            self.run(tmp_path, self.own_space(tmp_path, pool=pool)),
        ]
        for run in runs:
            own = run.default.pool(0)
            glosses = run.default.corpus.gloss_index[own.unlabelled]
            hidden = int((glosses != UNLABELLED).sum())
            assert hidden > 0
            assert f"{hidden} labels hidden (pool.fraction=0.2)" in plan(run)

    def test_a_labelled_corpus_keeps_the_pool_of_the_space(self, tmp_path: Path) -> None:
        overrides = {"data.num_glosses": 4, "data.num_signers": 8}
        space = space_with_pool("sslr_thresholds", overrides, Opener())
        assert space.default.pool == FractionPoolConfig(fraction=0.05)


def test_the_plan_names_what_cannot_be_learnt(tmp_path: Path) -> None:
    data = {"kind": "shards", "location": partly_labelled(tmp_path / "poses.parquet")}
    corpus = new_run(tmp_path, data=data).default.corpus
    rows = [
        f"{clip_id},{'test' if row in (0, 6) else ('training', 'validation')[row % 2]}"
        for row, clip_id in enumerate(corpus.clip_ids.to_pylist())
        if corpus.gloss_index[row] != UNLABELLED
    ]
    (tmp_path / "split.csv").write_text("\n".join(["clip_id,split", *rows]))
    split = {"kind": "file", "path": str(tmp_path / "split.csv")}
    run = new_run(tmp_path, data=data, split=split, pool={"kind": "all"})
    told = plan(run)
    assert "always wrong: rare" in told
    assert "test 2 clips of 2 of" in told
    assert "no unlabelled clip (pool.kind=all): nothing to pseudo-label" in told
    assert check_data(run)["untrained_glosses"] == ["rare"]
    assert check_data(run)["test"]["num_glosses"] == 2


def test_later_rounds_cost_at_most_the_whole_pool() -> None:
    changes = {"training": {**SPACE["training"], "steps_per_epoch": None, "num_epochs": 3}}
    config = new_run(Path("unused"), {"method.num_epochs": 2}, **changes).space.default
    rounds = config.rounds.num_rounds
    # Batches of 16: 20 labelled clips are 2 steps, with 80 unlabelled ones 7.
    assert most_steps(config, 20, 80) == (3 * 2, rounds * 2 * 7)
    assert most_steps(config, 20, 0) == (3 * 2, 0)


def test_an_error_of_an_earlier_try_does_not_stay(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    context = RunContext(folder, "balanced_accuracy", (Draw(0),), 1)
    config = check_space(SPACE, "tiny.yaml", {}).default
    broken = config.model_copy(update={"pool": SignersPoolConfig(num_signers=99)})
    with pytest.raises(UserError):
        TrialTask(context, 0, broken, {}, "searched").run(this_place(), lambda _: None)
    store = folder.trial(0).store
    assert "num_signers=99" in store.read_json("error.json")["error"]
    TrialTask(context, 0, config, {}, "searched").run(this_place(), lambda _: None)
    assert not store.exists("error.json")
