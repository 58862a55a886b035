"""One owner of a run's names: what is written is read back, here and behind a URI."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import record_factory as factory

from slr_ray.config import Config
from slr_ray.errors import ConfigError, DataError
from slr_ray.records.claim import claim
from slr_ray.records.log import Log, read_log
from slr_ray.records.predictions import ClipPrediction
from slr_ray.records.run_folder import RunFolder
from slr_ray.storage import Store

_PACKAGE = Path(__file__).resolve().parents[2] / "slr_ray"


class Options(Config):
    trial_cpus: float = 2.0


@pytest.fixture(params=["path", "uri"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> RunFolder:
    place = tmp_path / "a run"
    return RunFolder(str(place) if request.param == "path" else place.as_uri())


def test_a_run_reads_what_it_wrote(folder: RunFolder) -> None:
    assert not folder.exists()
    with pytest.raises(DataError, match=r"is no run: it has no run\.json"):
        folder.read_run()
    record = factory.run_record()
    folder.write_run(record)
    folder.write_options(Options())
    assert (folder.read_run(), folder.name) == (record, "a run")
    assert folder.read_options() == {"trial_cpus": 2.0}
    assert [folder.begin_attempt("now", ["tune"]) for _ in range(3)] == [0, 1, 2]


def test_a_trial_from_its_task_to_its_record(folder: RunFolder) -> None:
    trial = folder.trial(7)
    trial.write_task({"method.num_rounds": 3}, "searched")
    assert folder.trials() == []
    assert list(folder.begun_trials()) == [7]
    assert trial.read_progress() is None
    trial.write_error("Broken: no", "Traceback")
    assert trial.store.read_json("error.json")["error"] == "Broken: no"
    trial.clear_error()
    assert not trial.store.exists("error.json")
    record = factory.trial_record(7)
    trial.write_progress(record)
    assert not trial.is_done()
    trial.write_record(record)
    assert trial.read_progress() == record
    assert [one.trial() for one in folder.trials()] == [record]


def test_the_best_is_a_copy_of_an_arm(folder: RunFolder) -> None:
    arm = folder.arm("sslr_best", 2)
    assert folder.best_seed() is None
    arm.write_config(Options())
    arm.write_checkpoint(b"weights")
    folder.write_best(arm, 2)
    assert folder.best_seed() == 2
    assert folder.best.read_checkpoint() == b"weights"
    assert folder.best.read_config() == {"trial_cpus": 2.0}
    assert folder.arms() == []


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"{half", "half-written"), (b"[]", "expected a record"), (b"{}", "not a record")],
)
def test_a_broken_record_is_named(folder: RunFolder, content: bytes, words: str) -> None:
    folder.store.write_bytes("run.json", content)
    with pytest.raises(DataError, match=rf"(?s)run\.json.*{words}|{words}.*run\.json"):
        folder.read_run()


def test_a_damaged_claim_and_damaged_answers_are_named(folder: RunFolder) -> None:
    folder.store.write_bytes("claim.json", b"")
    with pytest.raises(DataError, match=r"claim\.json is half-written or damaged"):
        claim(folder.store, "train", "training", {})
    arm = folder.arm("fsl", 0)
    arm.write_predictions([ClipPrediction("a", "ann", "hello", ("hello",), 0.9)])
    answers = arm.store.read_bytes("predictions.parquet")
    assert len(arm.predictions()) == 1
    arm.store.write_bytes("predictions.parquet", answers[:-9])
    with pytest.raises(DataError, match=r"predictions\.parquet is half-written or damaged"):
        arm.predictions()


def test_no_other_room_names_a_file_of_a_run() -> None:
    """Whole words in quotes: a help text or an error may speak of them."""
    # By text, not by syntax tree: CPython 3.11's parser fails now and then where another thread
    # imports at the same time (python/cpython issue 106905).
    owned = re.compile(
        r"""["']((run|options|progress|task|error|seed)\.json|optuna\.journal|log\.jsonl|"""
        r"""(attempts|trials|final|best)/[^"'\n]*)["']"""
    )
    found = []
    for file in _PACKAGE.rglob("*.py"):
        if file.parent.name == "records":
            continue
        for name in owned.finditer(file.read_text()):
            found.append(f"{file.relative_to(_PACKAGE)}: {name[1]}")
    assert found == []


class TestLog:
    def test_events_come_back_in_their_order(self, folder: RunFolder) -> None:
        log = Log(folder)
        log.write("run_started")
        log.write("round_ended", who="node:1", trial=3, round=1, value=0.5, reused=True)
        log.keep()
        started, ended = read_log(folder)
        assert (started.event, ended.event) == ("run_started", "round_ended")
        assert (ended.who, ended.trial, ended.round, ended.reused) == ("node:1", 3, 1, True)
        assert started.time <= ended.time
        assert ":" in started.who

    def test_a_later_process_goes_on_behind_half_a_line(self, tmp_path: Path) -> None:
        folder = RunFolder(str(tmp_path))
        Log(folder).write("run_started")
        path = tmp_path / "log.jsonl"
        path.write_bytes(path.read_bytes() + b'{"at": "2026')
        Log(folder).write("run_resumed")
        assert [one.event for one in read_log(folder)] == ["run_started", "run_resumed"]

    def test_behind_a_uri_nothing_is_lost_when_another_process_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Store, "is_local", property(lambda _: False))
        folder = RunFolder((tmp_path / "bucket").as_uri())
        for event in ("run_started", "run_resumed"):
            log = Log(folder)
            log.write(event)
            log.write("trial_started", trial=0)
            log.keep()
        events = [one.event for one in read_log(folder)]
        assert events == ["run_started", "trial_started", "run_resumed", "trial_started"]

    def test_no_log_is_no_event(self, folder: RunFolder) -> None:
        assert read_log(folder) == []


class TestClaim:
    facts = {"data": "abc", "settings": {"a": 1}}  # noqa: RUF012  # never changed

    def test_the_same_question_again_is_welcome(self, tmp_path: Path) -> None:
        store = Store(str(tmp_path))
        for _ in range(2):
            claim(store, "train", "experiment", self.facts)

    def test_another_one_is_refused_with_what_differs(self, tmp_path: Path) -> None:
        store = Store(str(tmp_path))
        claim(store, "train", "experiment", self.facts)
        other = {"data": "abc", "settings": {"a": 2}}
        with pytest.raises(ConfigError, match=r"another experiment \(other settings\)"):
            claim(store, "train", "experiment", other)
        with pytest.raises(ConfigError, match=r"results of slr_ray\.train; choose another"):
            claim(store, "compare", "comparison", self.facts)

    def test_parts_have_facts_of_their_own(self, tmp_path: Path) -> None:
        store = Store(str(tmp_path))
        claim(store, "evaluate", "evaluation", {"data": "a"}, part="knn")
        claim(store, "evaluate", "evaluation", {"data": "b"}, part="linear")
        with pytest.raises(ConfigError, match="other data"):
            claim(store, "evaluate", "evaluation", {"data": "b"}, part="knn")

    def test_a_run_is_no_place_for_results(self, tmp_path: Path) -> None:
        RunFolder(str(tmp_path)).write_run(factory.run_record())
        with pytest.raises(ConfigError, match=r"holds a run of slr_ray\.tune"):
            claim(Store(str(tmp_path)), "train", "experiment", self.facts)
