"""Differences by figure, and what a paper claims of them held against ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sweep_factory import TABLE, new_sweep

from slr_ray.sweeps.claims import claims, sentences
from slr_ray.sweeps.differences import (
    differences,
    differences_table,
    other_figures_table,
)
from slr_ray.sweeps.results import Place, SeedResult, SweepResult, load_sweep
from slr_ray.sweeps.run import begin

NOISE = (-0.01, 0.01, -0.005, 0.005)
"""Of four seeds."""


def result(folder: Path, published: Any, figures: list[str], seeds: int = 4) -> SweepResult:
    """SSLR is 12 points ahead of FSL with 10 % of the labels, and 0.6 with half of them."""
    compared = {**TABLE["compare"][0], "published": published}
    table = {**TABLE, "figures": figures, "compare": [compared]}
    sweep = new_sweep(folder, table, seeds=seeds)
    begin(sweep)
    empty = load_sweep(sweep.folder)
    places = []
    for place in empty.places:
        gain = 0.12 if place.point.get("pool.fraction") == 0.1 else 0.006
        values = [0.5 + (gain + noise if place.setting == "sslr" else 0.0) for noise in NOISE]
        found = {
            # Of balanced accuracy the other way round.
            seed: SeedResult({"accuracy": one, "balanced_accuracy": 1 - one}, {}, [], {})
            for seed, one in enumerate(values[:seeds])
        }
        places.append(Place(place.block, place.setting, place.point, found, {}))
    return SweepResult(empty.folder, empty.record, empty.table, empty.cells, places)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (
            {
                "says": "a tenth more",
                "by": "The goal",
                "at": "every",
                "more_than": 10,
                "relative": True,
            },
            "The goal: a tenth more. Here SSLR − FSL: ahead by more than 10 % in 1 of 2 places "
            "(labelled 0.1: +12.0, relative +24.0 %), beyond noise in 1. This does not agree.",
        ),
        (
            {
                "says": "a tenth more with few labels",
                "at": "every",
                "more_than": 10,
                "relative": True,
                "where": {"pool.fraction": [0.1]},
            },
            "Here SSLR − FSL: accuracy +12.0 points, ahead, relative +24.0 %. This agrees.",
        ),
        (
            {
                "says": "fewer errors",
                "at": "every",
                "expects": "behind",
                "relative": True,
                "figure": "balanced_accuracy",
                "where": {"pool.fraction": [0.1]},
            },
            "balanced accuracy −12.0 points, behind, relative −24.0 %. This agrees.",
        ),
        (
            {"says": "a quarter more", "at": "several", "more_than": 25, "relative": True},
            "ahead by more than 25 % in 0 of 2 places",
        ),
        (
            {"says": "ahead everywhere", "at": "every"},
            "The paper: ahead everywhere. Here SSLR − FSL: ahead in 2 of 2 places "
            "(labelled 0.1: +12.0; labelled 0.5: +0.6), beyond noise in 1. "
            "This points the same way, but may be noise.",
        ),
        (
            {"says": "more than 10 points in several", "at": "several", "more_than": 10},
            "ahead by more than 10 points in 1 of 2 places (labelled 0.1: +12.0), beyond noise in "
            "1. This does not agree.",
        ),
        (
            {"says": "with few labels", "at": "every", "where": {"pool.fraction": [0.1]}},
            "Here SSLR − FSL: accuracy +12.0 points, ahead. This agrees.",
        ),
        (
            {
                "says": "nothing with many",
                "at": "every",
                "expects": "no difference",
                "where": {"pool.fraction": [0.5]},
            },
            "within noise in 1 of 1 places. Nothing here speaks against it.",
        ),
        (
            {"says": "nothing at all", "at": "every", "expects": "no difference"},
            "within noise in 1 of 2 places. This does not agree.",
        ),
        (
            {"says": "behind", "at": "every", "expects": "behind"},
            "behind in 0 of 2 places, beyond noise in 0. This does not agree.",
        ),
        (
            {"says": "elsewhere", "at": "every", "figure": "balanced_accuracy"},
            "Here SSLR − FSL: ahead in 0 of 2 places, beyond noise in 0. This does not agree.",
        ),
        (
            "it is good",
            "The paper: it is good. Here SSLR − FSL: accuracy +6.3 points in the mean of 2 places "
            "(+0.6 to +12.0), ahead at 1, within noise at 1.",
        ),
    ],
)
def test_a_claim_is_answered_in_a_sentence(claim: Any, words: str, tmp_path: Path) -> None:
    found = result(tmp_path, claim, ["accuracy"])
    (told,) = claims(found, differences(found))
    assert words in told, told


def test_one_seed_agrees_with_nothing(tmp_path: Path) -> None:
    claim = {"says": "ahead", "at": "every", "where": {"pool.fraction": [0.1]}}
    found = result(tmp_path, claim, ["accuracy"], seeds=1)
    (told,) = claims(found, differences(found))
    assert "accuracy +11.0 points, one seed tells no noise. This points the same way" in told
    assert "one seed tells no noise" in sentences(found, differences(found))[0]


def test_each_figure_is_a_family_of_its_own(tmp_path: Path) -> None:
    one, two = (
        result(tmp_path / str(len(names)), None, names)
        for names in (["accuracy"], ["accuracy", "balanced_accuracy"])
    )
    alone = [row.corrected_p for row in differences(one)]
    both = differences(two)
    assert [row.corrected_p for row in both if row.figure == "accuracy"] == alone
    # Two places are corrected for, not four.
    least = min(row.found.p_value or 1.0 for row in both)
    assert min(row.corrected_p or 1.0 for row in both) == pytest.approx(2 * least)
    assert other_figures_table(one, differences(one)) is None
    shown, others = differences_table(two, both), other_figures_table(two, both)
    assert shown is not None
    assert others is not None
    assert [row[1] for row in shown.rows] == ["+12.0", "+0.6"]
    assert [str(row[1]) for row in others.rows] == ["−12.0 ± 1.5*", "−0.6 ± 1.5"]
    (told,) = sentences(two, both)
    assert told == (
        "SSLR − FSL: accuracy +6.3 points in the mean of 2 places (+0.6 to +12.0), ahead at 1, "
        "within noise at 1; balanced accuracy −6.3 (behind at 1)."
    )


def test_claims_about_what_is_not_there_are_counted(tmp_path: Path) -> None:
    claim = {"says": "ahead", "at": "every", "where": {"pool.fraction": [0.5]}}
    found = result(tmp_path, claim, ["accuracy"])
    few = [one for one in differences(found) if one.of.point["pool.fraction"] == 0.1]
    assert claims(found, few) == ["Claims of the paper about what is not measured here: 1."]
