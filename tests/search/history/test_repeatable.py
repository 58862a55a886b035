"""A killed search goes on as it would have gone; so does a parallel one where that is asked for."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.pruners import SuccessiveHalvingPruner

from slr_ray.search.history.study import SearchStudy, Suggestion
from slr_ray.search.schedulers.successive_halving import Halving
from slr_ray.search.spaces.search_config import SearchConfig
from slr_ray.search.spaces.space import parse

SPACE = parse(
    {
        "a": {"log_uniform": [1e-4, 1e-1]},
        "m": {
            "choose": [
                {"kind": "x", "n": {"int": [2, 9]}},
                {"kind": "y", "q": {"int": [5, 60]}},
            ]
        },
    }
)
Told = list[tuple[int, dict[str, Any], str]]


def value_of(params: dict[str, Any], round_: int) -> float:
    steps = 0.01 * params.get("m.n", 0) + 0.001 * params.get("m.q", 0)
    return (steps - abs(params["a"] - 0.02)) * round_


class Search:
    """A search whose trials take one to three rounds, without training."""

    def __init__(self, folder: Path, window: int | None, **search: Any) -> None:
        self.folder, self.window = folder, window
        self.search = SearchConfig(seed=3, **search)
        self.study = self.opened()

    def opened(self) -> SearchStudy:
        return SearchStudy(
            self.folder / "journal",
            SPACE,
            self.search,
            name="run",
            num_rounds=3,
            window=self.window,
        )

    def end(self, one: Suggestion) -> None:
        for round_ in (1, 2, 3):
            if self.study.should_prune(one.number, round_, value_of(one.params, round_)):
                self.study.tell(one.number, "pruned", value_of(one.params, round_))
                return
        self.study.tell(one.number, "complete", value_of(one.params, 3))

    def told(self) -> Told:
        self.study.tell_rest()
        trials = self.study.study.get_trials()
        return [(one.number, one.params, one.state.name) for one in trials]


def one_at_a_time(folder: Path, kills: dict[int, str], num_trials: int = 30) -> Told:
    """Killed before a trial, in the middle of being asked for it, while it runs, or at its end."""
    search = Search(folder, None)
    while search.study.num_finished() < num_trials:
        number = search.study.num_finished()
        how = kills.pop(number, None)
        if how == "before":
            search.study = search.opened()
        if how == "asking":
            trial = search.study.study.ask()
            trial.suggest_float("a", 1e-4, 1e-1, log=True)
            search.study = search.opened()
        asked = search.study.ask()
        assert asked is not None
        if how == "running":
            search.study.should_prune(asked.number, 1, value_of(asked.params, 1))
            search.study = search.opened()
            asked = search.study.ask()
            assert asked is not None
        if how == "ended":
            # The decision to stop it was made, and lost with the driver.
            for round_ in (1, 2, 3):
                if search.study.should_prune(asked.number, round_, value_of(asked.params, round_)):
                    break
            search.study = search.opened()
            asked = search.study.ask()
            assert asked is not None
        search.end(asked)
    return search.told()


def test_one_at_a_time_kills_change_nothing(tmp_path: Path) -> None:
    whole = one_at_a_time(tmp_path / "whole", {})
    assert {state for _, _, state in whole} == {"COMPLETE", "PRUNED"}
    draws = random.Random(0)
    for trial in range(4):
        numbers = draws.sample(range(30), 6)
        kills = {one: draws.choice(["before", "asking", "running", "ended"]) for one in numbers}
        assert one_at_a_time(tmp_path / str(trial), kills) == whole


def in_parallel(folder: Path, window: int | None, seed: int, num_trials: int = 24) -> Told:
    """As many at a time as may be asked for; they end in any order, and the driver is killed."""
    search, draws = Search(folder, window), random.Random(seed)
    running: dict[int, Suggestion] = {}
    asked: set[int] = set()
    while search.study.num_finished() < num_trials:
        if seed and draws.random() < 0.1:
            search.study = search.opened()
            for number in sorted(set(running) & set(search.study.unfinished())):
                again = search.study.ask()
                assert again is not None
                running[number] = again
        one = None
        if len(running) < 4 and (len(asked) < num_trials or search.study.unfinished()):
            one = search.study.ask()
        if one is not None:
            running[one.number] = one
            asked.add(one.number)
        if running and (one is None or draws.random() < 0.5):
            search.end(running.pop(draws.choice(sorted(running))))
    return search.told()


def test_in_order_a_parallel_search_is_the_same_however_its_trials_end(tmp_path: Path) -> None:
    whole = in_parallel(tmp_path / "whole", 4, 0)
    for seed in range(1, 5):
        assert in_parallel(tmp_path / f"ordered{seed}", 4, seed) == whole
    # The test can tell: without the order the same interleavings give other searches.
    assert any(in_parallel(tmp_path / f"free{one}", None, one) != whole for one in range(1, 5))


def test_one_after_another_the_window_makes_no_difference(tmp_path: Path) -> None:
    search = Search(tmp_path / "windowed", 1)
    for _ in range(12):
        one = search.study.ask()
        assert one is not None
        assert search.study.ask() is None
        search.end(one)
    assert search.told() == one_at_a_time(tmp_path / "free", {}, 12)


@pytest.mark.parametrize("seed", range(3))
def test_halving_decides_as_optuna_does(seed: int) -> None:
    """Undisturbed, with trials beside each other and some without a value."""
    draws = random.Random(seed)
    ours = optuna.create_study(direction="maximize", pruner=Halving(3))
    reference = optuna.create_study(
        direction="maximize", pruner=SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    )
    stopped = 0
    running: list[tuple[optuna.Trial, optuna.Trial, int]] = []
    for _ in range(150):
        if len(running) < 3:
            running.append((ours.ask(), reference.ask(), 1))
        one, other, round_ = running.pop(draws.randrange(len(running)))
        value = float("nan") if draws.random() < 0.02 else draws.random()
        one.report(value, round_)
        other.report(value, round_)
        stops = one.should_prune()
        assert stops == other.should_prune()
        stopped += stops
        if stops or round_ == 10:
            for study, trial in ((ours, one), (reference, other)):
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            running.append((one, other, round_ + 1))
    assert 20 < stopped < 150
