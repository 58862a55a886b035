"""What mattered in a search, read from its own journal."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import record_factory as factory

from slr_ray.errors import DataError
from slr_ray.reporting.importance import parameter_importance
from slr_ray.reporting.report import build_document
from slr_ray.reporting.run import Run, load_run
from slr_ray.search.history.study import SearchStudy
from slr_ray.search.samplers.uniform import Random
from slr_ray.search.spaces.search_config import SearchConfig
from slr_ray.search.spaces.space import parse

SPACE = {
    "method": {
        "selection": {
            "choose": [
                {"kind": "threshold", "num_clips": {"int": [1, 5]}, "share": {"uniform": [0, 1]}},
                {"kind": "top_per_gloss", "num_clips": {"int": [1, 32]}},
            ]
        }
    },
    "rate": {"log_uniform": [0.0001, 0.1]},
    "idle": {"uniform": [0.0, 1.0]},
    "constant": {"choice": [3]},
}


def _run(folder: Path, space: dict[str, Any] = SPACE, num_trials: int = 40, **search: Any) -> Run:
    """A run whose trials are the better the higher their rate is, with its journal."""
    study = SearchStudy(
        folder / "optuna.journal", parse(space), SearchConfig(seed=1, **search), name="run"
    )
    trials = []
    for number in range(num_trials):
        asked = study.ask()
        value = asked.params.get("rate", 0.0)
        study.tell(
            asked.number, "complete", value, {"num_steps": 1.0 - asked.params.get("idle", 0.0)}
        )
        trials.append(factory.trial_record(number, params=asked.params, value=value, seeds=[]))
    factory.write_run(str(folder), {}, trials=trials)
    return load_run(str(folder))


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(_run(tmp_path_factory.mktemp("searched")).location)


@pytest.fixture
def run(searched: Path, tmp_path: Path) -> Run:
    """A copy of one search, to be damaged."""
    shutil.copytree(searched, tmp_path, dirs_exist_ok=True)
    return load_run(str(tmp_path))


def _told(run: Run) -> str:
    section = next(one for one in build_document(run).sections if one.anchor == "parameters")
    return str(section.blocks[0])


def test_the_parameter_that_decides_comes_first(run: Run) -> None:
    found = parameter_importance(run)
    assert next(iter(found)) == "rate"
    # Dotted paths as on the command line; two branches search num_clips, constant never varied.
    selection = {f"method.selection.{name}" for name in ("kind", "num_clips", "share")}
    assert set(found) == {"rate", "idle", *selection}
    assert sum(found.values()) == pytest.approx(1)


def test_a_run_behind_a_uri_has_its_copy_of_the_journal(run: Run, tmp_path: Path) -> None:
    assert parameter_importance(load_run(tmp_path.as_uri())) == parameter_importance(run)


def test_reading_changes_nothing(run: Run, tmp_path: Path) -> None:
    before = {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
    parameter_importance(run)
    assert {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()} == before


def test_of_several_objectives_the_first_counts(tmp_path: Path) -> None:
    both = ("balanced_accuracy", "num_steps")
    alone = _run(tmp_path / "alone", sampler=Random())
    first = _run(tmp_path / "both", sampler=Random(), objectives=both)
    assert parameter_importance(first) == pytest.approx(parameter_importance(alone))


def test_importance_needs_eight_trials(tmp_path: Path) -> None:
    assert "Too few trials for parameter importance: 7" in _told(_run(tmp_path, num_trials=7))


def test_nothing_varied(tmp_path: Path) -> None:
    run = _run(tmp_path, {"constant": {"choice": [3]}}, 8)
    assert parameter_importance(run) == {}
    assert "No searched parameter varied" in _told(run)


def test_the_last_line_may_be_half_written(run: Run, tmp_path: Path) -> None:
    journal = tmp_path / "optuna.journal"
    journal.write_bytes(journal.read_bytes()[:-20])
    assert next(iter(parameter_importance(run))) == "rate"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "is not there"),
        (b"", "is damaged"),
        (b"{\n{}\n", "is damaged"),
        (b"[1]\n", "damaged"),
    ],
)
def test_a_journal_that_is_gone_or_damaged_is_named_in_the_report(
    run: Run, tmp_path: Path, content: bytes | None, problem: str
) -> None:
    journal = tmp_path / "optuna.journal"
    journal.unlink()
    if content is not None:
        journal.write_bytes(content)
    with pytest.raises(DataError, match=f"{journal} .*{problem}"):
        parameter_importance(run)
    told = _told(run)
    assert problem in told
    assert "write the report again" in told
