"""The section `search` of a space: what does not go together is refused before work."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from slr_ray.errors import ConfigError
from slr_ray.search.samplers.tpe import Tpe
from slr_ray.search.schedulers.no_stopping import NoStopping
from slr_ray.search.schedulers.successive_halving import SuccessiveHalving
from slr_ray.search.spaces.listing import print_spaces, spaces_table
from slr_ray.search.spaces.space_file import Space, check_space, shipped_spaces

TWO = ["balanced_accuracy", "training_s"]
SPACE: dict[str, Any] = {
    "name": "test",
    "method": {
        "selection": {
            "choose": [
                {"kind": "threshold", "confidence": {"uniform": [0.5, 0.9]}},
                {"kind": "top_per_gloss", "num_clips": {"int": [1, 8]}},
            ]
        },
        "num_rounds": {"int": [1, 4]},
        "pseudo_labels": {"choice": ["accumulate", "reselect"]},
    },
}


def checked(search: dict[str, Any], overrides: dict[str, Any] | None = None) -> Space:
    return check_space({**SPACE, "search": search}, "my.yaml", overrides or {})


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ({"early_stopping": False}, ["early_stopping", "it is called 'scheduler.kind' now"]),
        ({"sampler": {"kind": "annealing"}}, ["sampler", "annealing", "cma_es"]),
        ({"sampler": {"points": 3}}, ["sampler", "points"]),
        ({"sampler": {"kind": "cma_es"}}, ["cma_es needs two numbers", "method.num_rounds"]),
        ({"sampler": {"kind": "grid", "points": 2}, "num_trials": 50}, ["16 settings", "50"]),
        ({"scheduler": {"kind": "hyperband", "reduction": 9}}, ["hyperband", "num_rounds is 4"]),
        ({"objectives": ["training_s"]}, ["training.metric, balanced_accuracy", "training_s"]),
        ({"objectives": ["accuracy", "accuracy"]}, ["once"]),
        ({"objectives": ["balanced_accuracy", "hours"]}, ["hours", "training_s"]),
        ({"objectives": TWO, "sampler": {"kind": "cma_es"}}, ["cma_es knows one objective"]),
        ({"objectives": TWO, "scheduler": {"kind": "median"}}, ["median", "several objectives"]),
        ({"constraints": {"hours": 3}}, ["constraints.hours", "training_s"]),
        ("tpe", ["search", "tpe"]),
    ],
)
def test_what_can_not_be_is_refused(search: Any, words: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        checked(search)
    for word in words:
        assert word in str(error.value)


def test_kinds_that_are_left_out_are_the_default_ones() -> None:
    found = checked({"sampler": {"num_startup_trials": 3}, "scheduler": {"reduction": 2}}).search
    assert found.sampler == Tpe(num_startup_trials=3)
    assert found.stopping == SuccessiveHalving(reduction=2)


def test_several_objectives_stop_no_trial_by_the_first() -> None:
    assert checked({}).search.stopping == SuccessiveHalving()
    found = checked({"objectives": TWO, "constraints": {"training_s": 60}})
    assert found.search.stopping == NoStopping()
    assert found.goals.figures == TWO
    assert found.goals.limits == {"training_s": 60.0}


def test_another_kind_of_an_override_starts_afresh() -> None:
    written = {"sampler": {"kind": "grid", "points": 2}}
    found = checked(written, {"search.sampler.kind": "random"})
    assert found.search.sampler.kind == "random"
    same = checked({**written, "num_trials": 4}, {"search.sampler.kind": "grid"})
    assert same.search.sampler.model_dump() == {"kind": "grid", "points": 2}


def test_a_narrow_list_of_spaces_breaks_no_name() -> None:
    out = io.StringIO()
    print_spaces(Console(file=out, width=60))
    words = out.getvalue().split()
    for row in spaces_table().rows:
        for name in " ".join(str(one) for one in row).split():
            assert {name, f"{name}:", f"({name}"} & set(words), name


def test_every_shipped_space_is_listed_with_a_line_on_it() -> None:
    table = spaces_table()
    assert [row[0] for row in table.rows] == shipped_spaces()
    assert {"sslr", "sslr_rounds", "finetuning", "sslr_thresholds"} <= set(shipped_spaces())
    by_name = {row[0]: row for row in table.rows}
    assert all(len(str(row[-1])) > 20 for row in table.rows)
    assert by_name["boundary"][1:4] == [
        2,
        16,
        "initialisation.augmentation: head_fraction, tail_fraction",
    ]
