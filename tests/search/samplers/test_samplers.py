"""Every sampler: inside the space, and the same after a kill; then what each is for."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import Trial

from slr_ray.errors import ConfigError
from slr_ray.search.history.study import SearchStudy, Suggestion
from slr_ray.search.samplers.cma_es import CmaEs
from slr_ray.search.samplers.grid import Grid
from slr_ray.search.samplers.places import levels, place_of_value, value_at
from slr_ray.search.samplers.quasi_monte_carlo import QuasiMonteCarlo
from slr_ray.search.samplers.sampler import SamplerConfig
from slr_ray.search.samplers.tpe import Tpe
from slr_ray.search.samplers.uniform import Random
from slr_ray.search.schedulers.no_stopping import NoStopping
from slr_ray.search.spaces.search_config import SearchConfig
from slr_ray.search.spaces.space import Tree, parameters, parse

SPACE = parse(
    {
        "rate": {"log_uniform": [1e-4, 1e-1]},
        "share": {"uniform": [0.0, 1.0]},
        "mode": {"choice": ["a", "b", None]},
        "rule": {
            "choose": [
                {"kind": "x", "count": {"int": [2, 4]}},
                {"kind": "y", "share": {"uniform": [0.2, 0.4]}, "count": {"log_int": [1, 30]}},
            ]
        },
    }
)
EVERY = pytest.mark.parametrize(
    "sampler",
    [
        Tpe(num_startup_trials=3),
        CmaEs(population=4),
        Random(),
        QuasiMonteCarlo(),
        QuasiMonteCarlo(sequence="halton"),
        Grid(points=2),
    ],
    ids=lambda one: "_".join(str(part) for part in one.model_dump().values()),
)


def opened(folder: Path, sampler: SamplerConfig, space: Tree = SPACE, **search: Any) -> SearchStudy:
    settings = {"seed": 3, "scheduler": NoStopping(), "sampler": sampler, **search}
    return SearchStudy(folder / "journal", space, SearchConfig(**settings), name="run")


def asked(study: SearchStudy) -> Suggestion:
    one = study.ask()
    assert one is not None
    return one


def value_of(params: dict[str, Any]) -> float:
    return -abs(params["share"] - 0.3) - params["rate"] + (params["mode"] == "a") * 0.1


def searched(
    folder: Path, sampler: SamplerConfig, kills: dict[int, str], **search: Any
) -> list[dict[str, Any]]:
    """Twelve trials one after another, the driver killed at some of them."""
    study = opened(folder, sampler, **search)
    for number in range(12):
        if kills.get(number) == "before":
            study = opened(folder, sampler, **search)
        if kills.get(number) == "asking":
            study.study.ask().suggest_float("rate", 1e-4, 1e-1, log=True)
            study = opened(folder, sampler, **search)
        one = asked(study)
        if kills.get(number) == "running":
            study = opened(folder, sampler, **search)
            one = asked(study)
        study.tell(one.number, "complete", value_of(one.params))
    return [dict(one.params) for one in study.study.get_trials()]


@EVERY
def test_kills_change_nothing(sampler: SamplerConfig, tmp_path: Path) -> None:
    whole = searched(tmp_path / "whole", sampler, {})
    kills = {2: "asking", 4: "before", 5: "running", 9: "asking", 11: "before"}
    assert searched(tmp_path / "killed", sampler, kills) == whole
    assert searched(tmp_path / "other", sampler, {}, seed=4) != whole


def with_objectives(folder: Path, kills: set[int]) -> list[Any]:
    """Ten trials that are to be good, cheap and not too expensive; the driver is killed at ends."""
    asked_for = {
        "objectives": ("balanced_accuracy", "num_steps"),
        "constraints": {"num_steps": 60.0},
    }
    study = opened(folder, Tpe(num_startup_trials=3), **asked_for)
    for number in range(10):
        one = asked(study)
        cost = {"num_steps": 100 * one.params["share"]}
        if number in kills:
            # Between the limits and the end, which are two entries of the journal.
            excess = (cost["num_steps"] - 60) / 60
            Trial(study.study, number).set_constraint("num_steps", excess)
            study = opened(folder, Tpe(num_startup_trials=3), **asked_for)
            asked(study)
        study.tell(number, "complete", value_of(one.params), cost)
    trials = study.study.get_trials()
    return [(one.params, one.values, one.constraints) for one in trials]


def test_several_objectives_and_limits_survive_kills(tmp_path: Path) -> None:
    whole = with_objectives(tmp_path / "whole", set())
    params, values, limits = whole[4]
    assert values == [value_of(params), 100 * params["share"]]
    assert limits == {"num_steps": pytest.approx(values[1] / 60 - 1)}
    assert with_objectives(tmp_path / "killed", {3, 6}) == whole


@EVERY
def test_draws_lie_in_the_space(sampler: SamplerConfig, tmp_path: Path) -> None:
    distributions = {one.name: one.distribution for one in parameters(SPACE)}
    seen = set()
    for params in searched(tmp_path, sampler, {}):
        kind = params["rule.kind"]
        seen.add(kind)
        inside = {
            f"rule.{name}[{kind}]" for name in {"x": ["count"], "y": ["count", "share"]}[kind]
        }
        assert set(params) == {"rate", "share", "mode", "rule.kind"} | inside
        for name, value in params.items():
            own = distributions[name]
            assert own._contains(own.to_internal_repr(value)), (name, value)
    assert seen == {"x", "y"}


@EVERY
def test_what_is_left_out_of_a_given_setting_is_drawn(
    sampler: SamplerConfig, tmp_path: Path
) -> None:
    study = opened(tmp_path, sampler)
    outside = study.enqueue({"rate": 0.01, "share": 0.5, "mode": "a", "rule": {"kind": "y"}})
    assert outside == ["rule.share", "rule.count"]
    one = asked(study)
    assert one.params["rate"] == 0.01
    assert 0.2 <= one.params["rule.share"] <= 0.4


def test_the_grid_has_every_combination_once(tmp_path: Path) -> None:
    study = opened(tmp_path, Grid(points=2))
    study.enqueue({"rate": 0.01, "share": 0.5, "mode": "a", "rule": {"kind": "x", "count": 3}})
    asked(study)
    common = list(itertools.product([1e-4, 1e-1], [0.0, 1.0], ["a", "b", None]))
    branches = [("x", count, None) for count in (2, 4)]
    branches += [("y", count, share) for count in (1, 30) for share in (0.2, 0.4)]
    names = ("rate", "share", "mode", "rule.kind", "rule.count", "rule.share")
    assert Grid(points=2).described(SPACE) == "a grid of 72 settings in shuffled order"
    found = []
    for _ in range(72):
        params = asked(study).params
        found.append(tuple(params.get(name) for name in names))
    assert set(found) == {(*one, *two) for one in common for two in branches}
    # Shuffled: a search that is cut off has seen more than one corner.
    assert len({one[0] for one in found[:6]}) > 1


def test_levels_go_from_end_to_end() -> None:
    own = {one.name: levels(one.distribution, 3) for one in parameters(SPACE)}
    assert own["rate"] == [1e-4, pytest.approx(10**-2.5), 1e-1]
    assert own["share"] == [0.0, 0.5, 1.0]
    assert own["mode"] == ["a", "b", None]
    assert own["rule.count[x]"] == [2, 3, 4]
    assert own["rule.count[y]"] == [1, 4, 30]


def test_a_grid_that_is_too_small_or_too_large_is_refused() -> None:
    Grid(points=2).check(SPACE, 2 * 2 * 3 * (2 + 4))
    with pytest.raises(ConfigError, match=r"has 72 settings, and 80 trials .* lower .* by 8"):
        Grid(points=2).check(SPACE, 80)
    many = parse({f"p{one}": {"uniform": [0, 1]} for one in range(30)})
    with pytest.raises(ConfigError, match=r"205,891,132,094,649 settings: fix some of the 30"):
        Grid(points=3).check(many, 4)


@pytest.mark.parametrize("given", [0, 1])
def test_a_sequence_covers_every_range_evenly(given: int, tmp_path: Path) -> None:
    study = opened(tmp_path, QuasiMonteCarlo())
    if given:
        study.enqueue({"rate": 0.01, "share": 0.5, "mode": "a", "rule": {"kind": "x", "count": 3}})
        asked(study)
    found = [asked(study).params for _ in range(16)]
    assert sorted(int(16 * one["share"]) for one in found) == list(range(16))
    kinds = [one["rule.kind"] for one in found]
    assert kinds.count("x") == 8


def test_cma_es_moves_to_what_is_good(tmp_path: Path) -> None:
    space = parse({"a": {"uniform": [0, 1]}, "b": {"log_uniform": [1e-4, 1]}, "c": {"int": [0, 9]}})

    def distance(params: dict[str, Any]) -> float:
        return abs(params["a"] - 0.8) + abs(place_of_value(b, params["b"]) - 0.3)

    (b,) = [one.distribution for one in parameters(space) if one.name == "b"]
    study = opened(tmp_path, CmaEs(), space)
    found = []
    for _ in range(70):
        one = asked(study)
        found.append(distance(one.params))
        study.tell(one.number, "complete", -found[-1])
    first, last = sum(found[:14]) / 14, sum(found[-14:]) / 14
    assert last < 0.5 * first


def test_cma_es_says_what_it_can_and_what_it_can_not_hold() -> None:
    assert CmaEs().described(SPACE) == (
        "CMA-ES over rate, share; TPE over mode, rule.kind, rule.count, rule.share"
    )
    few = parse({"rate": {"uniform": [0, 1]}, "mode": {"choice": [1, 2]}})
    with pytest.raises(ConfigError, match=r"needs two numbers .* this space has rate: take tpe"):
        CmaEs().check(few, 10)


def test_trials_beyond_a_limit_rank_behind_all_others(tmp_path: Path) -> None:
    """The best values break the limit, so CMA-ES has to move away from them."""
    space = parse({"a": {"uniform": [0, 1]}, "b": {"uniform": [0, 1]}})
    study = opened(tmp_path, CmaEs(), space, constraints={"num_steps": 50})
    found = []
    for _ in range(60):
        one = asked(study)
        found.append(one.params["a"])
        figures = {"num_steps": 100 * one.params["a"]}
        study.tell(one.number, "complete", one.params["a"], figures)
    assert study.study.get_trials()[0].constraints == {"num_steps": pytest.approx(2 * found[0] - 1)}
    assert 0.3 < sum(found[-12:]) / 12 < 0.55


@pytest.mark.parametrize("one", parameters(SPACE), ids=lambda one: one.name)
def test_places_go_from_end_to_end(one: Any) -> None:
    own = one.distribution
    ends = levels(own, 2)
    assert {value_at(own, 0.0), value_at(own, 1.0)} <= set(levels(own, 9))
    assert value_at(own, 0.0) == ends[0]
    assert value_at(own, 1.0) == ends[-1]
    if one.name != "mode" and "kind" not in one.name:
        for place in (0.1, 0.5, 0.93):
            value = value_at(own, place)
            assert value_at(own, place_of_value(own, float(value))) == pytest.approx(value)


def test_whole_numbers_are_equally_likely() -> None:
    (count,) = [one.distribution for one in parameters(SPACE) if one.name == "rule.count[x]"]
    found = [value_at(count, (index + 0.5) / 300) for index in range(300)]
    assert [found.count(value) for value in (2, 3, 4)] == [100, 100, 100]
