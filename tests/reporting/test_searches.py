"""Several searches on one page: their figures side by side, and only where they mean the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import record_factory as factory
from typer.testing import CliRunner

from slr_ray.documents.document import Document, Figure, Paragraph, Table
from slr_ray.errors import ConfigError, DataError
from slr_ray.evaluation.statistics import paired_difference
from slr_ray.report import app
from slr_ray.reporting.run import load_run
from slr_ray.reporting.searches.page import build_comparison, winners_table
from slr_ray.reporting.searches.searches import Searches, load_searches
from slr_ray.reporting.trials.progress import best_so_far, ended_after_h
from slr_ray.storage import Store

_LINES = [
    ("10:00", "run_started", {}),
    ("10:00", "trial_started", {"trial": 0, "cpus": 2.0}),
    ("11:00", "trial_complete", {"trial": 0, "value": 0.5}),
    ("11:00", "trial_started", {"trial": 1, "cpus": 2.0}),
    # Killed, and taken up again five hours later.
    ("16:00", "run_resumed", {}),
    ("16:00", "trial_started", {"trial": 1, "cpus": 2.0}),
    ("16:30", "trial_complete", {"trial": 1, "value": 0.7}),
]
WIN, TIE = (
    {arm: reached[arm] for arm in ("fsl_equal_steps", "sslr_best")}
    for reached in (factory.WIN, factory.TIE)
)


def written(folder: Path, values: list[float | None], **changes: Any) -> str:
    """A run whose trials reached `values`, failed where there is none."""
    trials = [
        factory.trial_record(number, "failed" if value is None else "complete", value=value)
        for number, value in enumerate(values)
    ]
    factory.write_run(str(folder), changes.pop("arms_reach", WIN), trials, **changes)
    lines = [
        {"at": f"2026-11-26T{at}:00+00:00", "event": event, "who": "driver:1", **facts}
        for at, event, facts in _LINES
    ]
    (folder / "log.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    return str(folder)


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    return [
        written(tmp_path / "one", [0.5, 0.7], price_per_hour=2.0),
        written(tmp_path / "other", [0.6, 0.55, None, 0.8], arms_reach=TIE),
    ]


@pytest.fixture
def searches(places: list[str]) -> Searches:
    return load_searches(places)


def table(document: Document, section: str, first: str) -> Table:
    """The section's table whose second column has this title."""
    (blocks,) = (one.blocks for one in document.sections if one.anchor == section)
    (found,) = (one for one in blocks if isinstance(one, Table) and one.columns[1].title == first)
    return found


def test_what_each_took_and_reached(searches: Searches) -> None:
    found = table(build_comparison(searches), "searches", "trials")
    titles = [one.title for one in found.columns]
    one, other = (dict(zip(titles, row, strict=True)) for row in found.rows)
    assert (one["trials"], one["complete"], one["failed"]) == (2, 2, 0)
    assert (other["trials"], other["complete"], other["failed"]) == (4, 3, 1)
    # An hour, nothing for the try that was lost at once, and half an hour, of two processors.
    assert one["processor-hours"] == pytest.approx(3.0)
    assert one["GPU-hours"] is None
    assert one["cost"] == pytest.approx(6.0)
    assert other["cost"] is None
    assert (one["best trial"], other["best trial"]) == (1, 3)
    assert other["validation accuracy, %"] == 0.8


def test_the_best_so_far_by_trial_and_by_the_hours_that_it_ran(searches: Searches) -> None:
    run = searches["B"]
    ordered = sorted(run.ranked, key=lambda trial: trial.number)
    assert [best for _, best in best_so_far(run, ordered)] == [0.6, 0.6, 0.8]
    # The hours in which nothing ran are not counted.
    assert ended_after_h(run) == {0: 1.0, 1: 1.5}
    drawn = {one.name: one for one in build_comparison(searches).figures()}
    assert isinstance(drawn["best_by_trial"], Figure)
    assert drawn["best_by_trial"].alt.endswith("A 0.7; B 0.8")
    # The log of B says nothing of trial 3.
    assert drawn["best_by_hours"].alt.endswith("A 0.7; B 0.6")
    (blocks,) = (
        one.blocks for one in build_comparison(searches).sections if one.anchor == "progress"
    )
    assert Paragraph("The logs of B do not say when every trial ended.", "note") in blocks


def test_winners_have_their_settings_side_by_side(tmp_path: Path) -> None:
    settings = [{"method.num_rounds": 2}, {"method.num_rounds": 5}]
    for index, params in enumerate(settings):
        factory.write_run(
            str(tmp_path / f"{index}"),
            WIN,
            [factory.trial_record(0, params=params)],
            base_config={"method": {"kind": "sslr"}, "model": {"width": 32 * (index + 1)}},
        )
    document = build_comparison(load_searches([str(tmp_path / "0"), str(tmp_path / "1")]))
    # The kind of method is the same in both and was not searched.
    assert table(document, "winners", "A").rows == [
        ["method.num_rounds", 2, 5],
        ["model.width", 32, 64],
    ]


def test_winners_have_the_settings_that_they_ran_with(tmp_path: Path) -> None:
    trials = [factory.trial_record(0, params={"model.width": 32})]
    places = [str(tmp_path / name) for name in ("one", "other")]
    for place, num_rounds in zip(places, (1, 3), strict=True):
        # The default's number of rounds is none of those that the space gave its trials.
        factory.write_run(place, WIN, trials, base_config={"method": {"num_rounds": 5}})
        config = {"method": {"num_rounds": num_rounds}, "model": {"width": 32}}
        Store(place).write_json("trials/0000/config.yaml", config)
    found = table(build_comparison(load_searches(places)), "winners", "A")
    assert found.rows == [["method.num_rounds", 1, 3], ["model.width", 32, 32]]
    Store(places[1]).delete("trials/0000/config.yaml")
    with pytest.raises(DataError, match=r"cannot read the best trial of .*other: .*config\.yaml"):
        build_comparison(load_searches(places))


def test_winners_are_all_that_folds_took(tmp_path: Path) -> None:
    trials = [
        factory.in_folds(factory.trial_record(number, params={"a": number}), 3)
        for number in range(3)
    ]
    for name, chosen in (("one", [2, 2, 0]), ("other", [1, 1, 1])):
        factory.write_run(str(tmp_path / name), WIN, trials, num_folds=3, chosen=chosen)
    places = [str(tmp_path / name) for name in ("one", "other")]
    found = table(build_comparison(load_searches(places)), "winners", "A, trial 0")
    assert [one.title for one in found.columns] == ["setting", "A, trial 0", "A, trial 2", "B"]
    assert found.rows == [["a", 0, 2, 1]]


def test_best_trials_are_paired_by_seed(searches: Searches) -> None:
    ((pair, mean, _, _, num_seeds, reading),) = winners_table(searches).rows
    expected = paired_difference(
        dict(enumerate(WIN["sslr_best"])), dict(enumerate(TIE["sslr_best"]))
    )
    assert expected is not None
    assert expected.excludes_zero
    assert (pair, mean, num_seeds, reading) == ("A − B", expected.mean, 5, "higher")


def test_without_a_comparison_yet(tmp_path: Path) -> None:
    places = [written(tmp_path / name, [None], arms_reach={}) for name in ("one", "other")]
    document = build_comparison(load_searches(places))
    assert winners_table(load_searches(places)).rows == []
    (blocks,) = (one.blocks for one in document.sections if one.anchor == "winners")
    assert blocks == [
        Paragraph(f"{name} has no best trial: no trial is complete.", "warning") for name in "AB"
    ]


_SPLIT = {"validation": {"num_clips": 241}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": "macro_f1"}, "metrics differ: accuracy and macro-F1"),
        ({"fingerprint": "sha256:00"}, "corpora differ: wild12 with fingerprint sha256:5f3c9a1b"),
        ({"split": _SPLIT}, "splits differ: 2860/240/120 clips with fingerprint none and –/241/–"),
        ({"num_folds": 3}, "splits differ"),
    ],
)
def test_what_does_not_mean_the_same_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    one, other = written(tmp_path / "one", [0.5]), written(tmp_path / "other", [0.5], **changes)
    with pytest.raises(ConfigError, match=words):
        load_searches([one, other])


def test_what_differs_beside_the_space_is_told(tmp_path: Path) -> None:
    places = [
        written(tmp_path / "one", [0.5]),
        written(
            tmp_path / "other", [0.5], base_config={"pool": {"kind": "all"}}, search_seeds=[0, 1]
        ),
    ]
    document = build_comparison(load_searches(places))
    (blocks,) = (one.blocks for one in document.sections if one.anchor == "searches")
    told = [one.text for one in blocks if isinstance(one, Paragraph) and one.tone == "warning"]
    assert told[:2] == [
        "The searches have different labelled pools. "
        "A: 60 labelled clips; B: kind all, 60 labelled clips.",
        "The searches have different seeds of trials. A: [0]; B: [0, 1].",
    ]
    assert [one.split(":")[0] for one in told[2:]] == ["A is incomplete", "B is incomplete"]


def test_the_command(places: list[str], tmp_path: Path) -> None:
    out = tmp_path / "page"
    done = CliRunner().invoke(app, [*places, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert f"A: {places[0]}, 2 trials, trial 1 is best with 0.7000" in done.output
    assert "A − B" in done.output
    page = (out / "report.html").read_text()
    assert "2 searches beside each other" in page
    assert {one.name for one in (out / "figures").iterdir()} == {
        "arms.svg",
        "best_by_hours.svg",
        "best_by_trial.svg",
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["one", "one"], "is named twice"),
        (["one", "./one/"], "is named twice"),
        (["one", "table"], "table is a sweep: only searches are put beside each other"),
        (["one"] * 9, "9 searches: figures can tell 8 apart"),
        (["one", "other", "--board"], "--board fetches the files of one run"),
    ],
)
def test_bad_calls(
    places: list[str],
    arguments: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    Store(str(tmp_path / "table")).write_bytes("sweep.json", b"{}")
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not (tmp_path / "compared").exists()
    assert load_run(places[0]).record.name == "sslr_thresholds"
