"""The study's journal behind a URI survives the machine that wrote it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slr_ray.records.run_folder import RunFolder
from slr_ray.search.history.journal import Journal
from slr_ray.search.history.study import SearchStudy
from slr_ray.search.spaces.search_config import SearchConfig
from slr_ray.search.spaces.space import parse
from slr_ray.storage import Store

SPACE = parse({"method": {"num_rounds": {"int": [1, 4]}}})


def opened(journal: Journal) -> SearchStudy:
    return SearchStudy(journal.path, SPACE, SearchConfig(), name="run")


def test_local_runs_write_beside_themselves(tmp_path: Path) -> None:
    journal = Journal(RunFolder(str(tmp_path / "run")))
    assert journal.path == tmp_path / "run" / "optuna.journal"


def test_the_disk_is_waited_for_once_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = []
    monkeypatch.setattr(os, "fsync", lambda file: waited.append(os.fstat(file).st_size))
    journal = Journal(RunFolder(str(tmp_path / "run")))
    study = opened(journal)
    number = study.ask().number
    assert waited == []
    # Nothing of it is lost with the process, whatever the disk has of it.
    assert opened(journal).unfinished() == [number]
    journal.keep()
    assert waited == [journal.path.stat().st_size]


def test_another_machine_takes_the_history_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # file:// stands for an object store: all goes through the same calls.
    monkeypatch.setattr(Store, "is_local", property(lambda _: False))
    folder = RunFolder((tmp_path / "bucket").as_uri())
    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path / "first"))
    journal = Journal(folder)
    study = opened(journal)
    done, running = study.ask(), study.ask()
    study.tell(done.number, "complete", 0.5)
    journal.keep()

    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path / "second"))
    taken_over = opened(Journal(folder))
    assert taken_over.num_finished() == 1
    again = taken_over.ask()
    assert (again.number, again.params) == (running.number, running.params)


def test_a_machine_that_takes_a_run_back_has_what_happened_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "is_local", property(lambda _: False))
    folder = RunFolder((tmp_path / "bucket").as_uri())

    def on(machine: str) -> tuple[Journal, SearchStudy]:
        monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path / machine))
        journal = Journal(folder)
        return journal, opened(journal)

    journal, study = on("first")
    study.tell(study.ask().number, "complete", 0.5)
    journal.keep()
    journal, study = on("second")
    study.tell(study.ask().number, "complete", 0.6)
    journal.keep()

    journal, study = on("first")
    assert study.num_finished() == 2
    # What this machine has not kept yet is no reason to go back to the copy.
    study.tell(study.ask().number, "complete", 0.7)
    assert on("first")[1].num_finished() == 3


def torn(content: bytes) -> list[tuple[str, bytes]]:
    lines = content.splitlines(keepends=True)
    return [
        ("half a line", content[:-7]),
        ("several lines", b"".join(lines[:-4]) + lines[-4][:9]),
        ("a number for a line", content + b"12\n"),
        ("zeros of a power cut", content + bytes(40)),
        ("a line in the middle", b"".join(lines[:-3]) + b"{broken\n" + b"".join(lines[-2:])),
    ]


@pytest.mark.parametrize("case", range(5))
def test_a_torn_journal_is_mended_and_what_is_missing_comes_back(case: int, tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path / "run"))
    study = opened(Journal(folder))
    params = {}
    for _ in range(3):
        asked = study.ask()
        params[asked.number] = asked.params
        folder.trial(asked.number).write_task(asked.params, asked.source)
        if asked.number < 2:
            study.tell(asked.number, "complete", 0.5)
    path = Journal(folder).path
    path.write_bytes(torn(path.read_bytes())[case][1])
    path.with_name("optuna.journal.lock").symlink_to(path)
    # Twice in a row: nothing is ever appended to half a line.
    for _ in range(2):
        again = opened(Journal(folder))
        for number, begun in folder.begun_trials().items():
            again.restore(number, **begun.read_task())
        assert len(again.study.get_trials()) == 3
        left = again.unfinished()
        assert 2 in left
        for number in left:
            taken = again.ask()
            assert (taken.number, taken.params) == (number, params[number])
    assert again.ask().number == 3
