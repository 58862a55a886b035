"""Cells: counted, shared within a table and between tables, pooled, told with their holes."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiment_factory import EMBEDDED
from rich.console import Console
from sweep_factory import TABLE, new_sweep, run_here

from slr_ray.evaluation.people import SignerCounts
from slr_ray.methods import sslr
from slr_ray.records.measured import Interval
from slr_ray.records.predictions import pooled
from slr_ray.sweeps.claims import claims, sentences
from slr_ray.sweeps.differences import differences
from slr_ray.sweeps.page import document, write_page
from slr_ray.sweeps.printed import figure_text, labels_table, printed_tables
from slr_ray.sweeps.results import load_sweep
from slr_ray.sweeps.summary import print_plan


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rounds that were trained, not found, since the test began."""
    rounds: list[int] = []
    trained = sslr.train

    def counted(
        model: Any, problem: Any, config: Any, which: Any, *args: Any, **kwargs: Any
    ) -> Any:
        rounds.append(which.number)
        return trained(model, problem, config, which, *args, **kwargs)

    monkeypatch.setattr(sslr, "train", counted)
    return rounds


def test_a_table_counts_its_cells(tmp_path: Path) -> None:
    plan = new_sweep(tmp_path).plan
    # Three settings at two places and one at none, on two draws.
    assert len(plan.entries) == (3 * 2 + 1) * 2 == len(plan.cells)
    assert [one.seed for one in plan.entries] == [0] * 7 + [1] * 7


def test_what_cells_and_tables_share_is_trained_once(tmp_path: Path, trainings: list[int]) -> None:
    first = new_sweep(tmp_path, seeds=1)
    run_here(first)
    # At each of two places: round 0, which FSL and SSLR share, round 1, and FSL at as many steps.
    assert sorted(trainings) == [0, 0, 0, 0, 1, 1]
    # Two steps each, those of FSL at as many steps four.
    assert write_page(load_sweep(first.folder))
    text = (tmp_path / "tiny/report.md").read_text()
    assert "| gradient steps, added up | 16 |" in text, text
    assert "| rounds reused | 2 of 8 (25 %), " in text, text
    trainings.clear()
    other = copy.deepcopy(TABLE)
    other |= {"name": "other", "title": "Another table", "settings": [TABLE["settings"][2]]}
    other["settings"][0] = {**other["settings"][0], "name": "ours", "title": "Ours"}
    other |= {"compare": [], "published": None}
    sweep = new_sweep(tmp_path, other, name="other", seeds=2)
    assert len(sweep.plan.to_do) == 2
    run_here(sweep)
    assert sorted(trainings) == [0, 0, 1, 1]
    assert not load_sweep(sweep.folder).holes


def test_equal_steps_are_those_of_the_other_cell(tmp_path: Path) -> None:
    sweep = new_sweep(tmp_path, seeds=1)
    run_here(sweep)
    steps = {
        one.label.split("/", 1)[1]: one.folder.num_steps() for one in sweep.plan.cells.values()
    }
    for fraction in ("0.1", "0.5"):
        at = f"pool.fraction={fraction}"
        assert steps[f"fsl_equal_steps/{at}"] == steps[f"sslr/{at}"] == 2 * steps[f"fsl/{at}"]


def test_a_cell_in_two_places_is_trained_and_added_up_once(tmp_path: Path) -> None:
    table = copy.deepcopy(TABLE)
    table["settings"] = [
        table["settings"][0],
        {**table["settings"][0], "name": "again", "title": "Again"},
    ]
    table |= {"compare": [], "published": None}
    sweep = new_sweep(tmp_path, table, {"pool.fraction": 0.5}, seeds=1)
    run_here(sweep)
    assert len(sweep.plan.entries) == 2
    (only,) = sweep.plan.cells.values()
    assert write_page(load_sweep(sweep.folder))
    text = (tmp_path / "tiny/report.md").read_text()
    assert f"| gradient steps, added up | {only.folder.num_steps()} |" in text, text


def test_a_cell_that_cannot_be_is_a_hole_with_its_reason(tmp_path: Path) -> None:
    table = {**TABLE, "grid": {"pool.num_signers": [1, 99]}, "published": None}
    table["base"] = {**TABLE["base"], "pool": {"kind": "signers"}}
    table["columns"] = "pool.num_signers"
    sweep = new_sweep(tmp_path, table, seeds=1)
    impossible = [one for one in sweep.plan.entries if one.impossible is not None]
    assert {one.point["pool.num_signers"] for one in impossible} == {99}
    assert len(impossible) == 3
    run_here(sweep)
    result = load_sweep(sweep.folder)
    assert len(result.holes) == 3
    assert all("99" in why for why in result.holes.values()), result.holes
    shown = printed_tables(result, "embedded")[0]
    assert [row[-1] for row in shown.rows[:3]] == ["hole"] * 3
    assert "99" in str(document(result).sections[0].blocks)


def test_folds_are_one_result_in_which_everybody_is_tested_once(tmp_path: Path) -> None:
    sweep = new_sweep(tmp_path, overrides={"pool.fraction": 0.5}, seeds=2, folds=2)
    assert len(sweep.plan.entries) == 4 * 2 * 2
    run_here(sweep)
    result = load_sweep(sweep.folder)
    corpus = sweep.opener.corpus(next(iter(sweep.plan.cells.values())).config.data)
    for place in result.places:
        keys = [one for one in result.record.cells if one.setting == place.setting]
        for seed, found in place.seeds.items():
            folders = [result.folder.cell(one.key) for one in keys if one.seed == seed]
            answers = pooled(one.predictions() for one in folders)
            assert len(answers) == corpus.num_clips
            hits = np.mean([one.predicted == one.gloss for one in answers])
            assert found.figures["accuracy"] == pytest.approx(hits)
            once = SignerCounts.of(answers).once()
            assert found.figures["macro_f1"] == once["macro_f1"]
    first, second = (place for place in result.places if place.setting in ("fsl", "sslr"))
    (own,) = (one for one in differences(result) if one.figure == "accuracy")
    assert (own.of.setting, own.against.setting) == ("sslr", "fsl")
    for place in (first, second):
        span = place.over_signers("macro_f1")
        mean = np.mean(list(place.values("macro_f1").values()))
        assert span is not None
        assert span.low <= mean <= span.high
    # A fold short, and the seed is a hole instead of half a result.
    gone = next(one for one in result.record.cells if one.setting == "sslr" and one.fold == 1)
    result.folder.cell(gone.key).store.delete("record.json")
    again = load_sweep(sweep.folder)
    place = next(one for one in again.places if one.setting == "sslr")
    assert sorted(place.seeds) == [1 - gone.seed]
    assert again.holes == {gone.name: "not measured yet"}


def test_the_page_has_the_table_the_paper_and_what_is_missing(tmp_path: Path) -> None:
    other = {**EMBEDDED, "seed": 2}
    sweep = new_sweep(tmp_path, corpora=[{}, {"data": other}], seeds=2)
    titles = [one.title for one in sweep.blocks]
    assert len(set(titles)) == 2
    run_here(sweep)
    record = sweep.folder.read_sweep()
    lost = next(one for one in record.cells if one.setting == "fsl" and one.seed == 1)
    sweep.folder.cell(lost.key).store.delete("record.json")
    sweep.folder.write_sweep(record.model_copy(update={"failed": {lost.name: "it broke"}}))
    result = load_sweep(sweep.folder)
    (accuracy, balanced) = printed_tables(result, titles[0])
    assert [one.title for one in accuracy.columns] == ["setting", "0.1", "0.5"]
    rows = {str(row[0]): [str(one) for one in row[1:]] for row in accuracy.rows}
    assert rows["FSL"][0].endswith("(1 of 2 seeds)")
    assert rows["SSLR"][1].endswith("[87.5]")
    assert rows["Nearest neighbour"][0] == rows["Nearest neighbour"][1]
    assert balanced.rows != accuracy.rows
    place = next(one for one in result.places if one.setting == "sslr")
    values = list(place.values("accuracy").values())
    assert rows["SSLR"][0].startswith(f"{100 * np.mean(values):.1f} ± ")
    labels = {str(row[1]): str(row[2]) for row in labels_table(result).rows if row[0] == titles[0]}
    assert labels["labelled 0.1"] == "10 clips, 9.7 %", labels
    assert "settings" not in [one.title for one in labels_table(result).columns]
    found = differences(result)
    # Two figures at two places of two corpora.
    assert len(found) == 8
    assert all(one.corrected_p is not None for one in found if one.found.num_seeds == 2)
    assert len(sentences(result, found)) == 2
    assert all("; balanced accuracy " in one for one in sentences(result, found))
    assert all("The paper: more than 10 points. Here" in one for one in claims(result, found))
    write_page(result)
    text = (tmp_path / "tiny/report.md").read_text()
    for words in ("it broke", "The corpus is made up.", "Everything else.", "a paper, table 1"):
        assert words in text
    assert len(list((tmp_path / "tiny/figures").glob("curve_*.svg"))) == 2
    table = (tmp_path / "tiny/cells.csv").read_text().splitlines()
    assert len(table) == 1 + len(record.cells) - 1
    assert table[0].startswith("corpus,setting,pool.fraction,seed,accuracy")


def test_labels_of_one_place_that_differ_name_their_settings(tmp_path: Path) -> None:
    table = copy.deepcopy(TABLE)
    learnt = {"keep": "last", "with_validation": True}
    config = {"method": {"kind": "supervised"}, "training": learnt}
    table["settings"].append({"name": "learnt", "title": "FSL, all it has", "config": config})
    sweep = new_sweep(tmp_path, table, {"pool.fraction": 0.5}, seeds=1)
    run_here(sweep)
    shown = labels_table(load_sweep(sweep.folder))
    place, named, *_ = (one.title for one in shown.columns)
    assert (place, named) == ("where", "settings")
    assert [row[:2] for row in shown.rows] == [
        ["labelled 0.5", "FSL; FSL, equal steps; SSLR"],
        ["labelled 0.5", "FSL, all it has"],
        ["everywhere", "all"],
    ]
    out = io.StringIO()
    print_plan(sweep, Console(file=out, width=200), with_estimate=True)
    told = [line.split("  ")[1:] for line in out.getvalue().splitlines() if "labelled 0.5" in line]
    assert ["FSL, all it has" in str(one) for one in told] == [False, True], told


@pytest.mark.parametrize(
    ("mean", "half_width", "text"),
    [
        (0.44612, 0.0275, "0.446 ± 0.028"),
        (51.89, 1.043, "51.9 ± 1.0"),
        (0.49653, 1.7e-16, "0.4965 ± 0.0000"),
        (130.71, 0.0, "130.7 ± 0.0"),
        (15.53, 17.91, "16 ± 18"),
        (0.0, 0.0, "0.000 ± 0.000"),
        (33.361, None, "33.36"),
        (float("nan"), 0.1, "– ± 0.1"),
    ],
)
def test_a_mean_has_as_many_digits_as_its_interval_allows(
    mean: float, half_width: float | None, text: str
) -> None:
    found = Interval(mean=mean, half_width=half_width, num_seeds=3)
    assert figure_text(found, "effective_rank") == text
