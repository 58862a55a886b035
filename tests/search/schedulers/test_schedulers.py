"""Which trials end early: by reported values alone, so that a kill changes no decision."""

from __future__ import annotations

import random
from pathlib import Path
from statistics import median

import pytest

from slr_ray.errors import ConfigError
from slr_ray.search.history.study import SearchStudy
from slr_ray.search.samplers.uniform import Random
from slr_ray.search.schedulers.hyperband import Hyperband
from slr_ray.search.schedulers.median import Median
from slr_ray.search.schedulers.no_stopping import NoStopping
from slr_ray.search.schedulers.scheduler import SchedulerConfig
from slr_ray.search.schedulers.successive_halving import SuccessiveHalving
from slr_ray.search.spaces.search_config import SearchConfig
from slr_ray.search.spaces.space import parse

SPACE = parse({"a": {"uniform": [0.0, 1.0]}})
NUM_ROUNDS = 9
EVERY = pytest.mark.parametrize(
    "scheduler",
    [NoStopping(), Median(num_trials=2), SuccessiveHalving(reduction=2), Hyperband()],
    ids=lambda one: one.kind,
)


def opened(folder: Path, scheduler: SchedulerConfig, window: int | None = None) -> SearchStudy:
    search = SearchConfig(sampler=Random(), scheduler=scheduler)
    return SearchStudy(
        folder / "journal", SPACE, search, name="run", num_rounds=NUM_ROUNDS, window=window
    )


def values(num_trials: int) -> list[list[float]]:
    """By trial and round, from round 1 on; what is best so far never falls."""
    draws = random.Random(1)
    found = []
    for _ in range(num_trials):
        level = draws.random()
        found.append([level + 0.02 * round_ * draws.random() for round_ in range(NUM_ROUNDS)])
    return [[max(one[: at + 1]) for at in range(NUM_ROUNDS)] for one in found]


def ends(
    folder: Path, scheduler: SchedulerConfig, num_trials: int = 24, *, kills: bool = False
) -> list[int]:
    """The round at which each trial ended, one after another."""
    study, found = opened(folder, scheduler), []
    for reported in values(num_trials):
        one = study.ask()
        assert one is not None
        for round_, value in enumerate(reported, 1):
            if kills and (one.number + round_) % 4 == 0:
                # In mid-trial: it is taken up again, and reports its rounds again.
                study = opened(folder, scheduler)
                again = study.ask()
                assert again is not None
                assert again.number == one.number
                for before in range(1, round_):
                    assert not study.should_prune(one.number, before, reported[before - 1])
            if study.should_prune(one.number, round_, value, done=round_ == NUM_ROUNDS):
                break
        status = "pruned" if study.was_pruned(one.number) else "complete"
        study.tell(one.number, status, value)
        found.append(round_)
    return found


@EVERY
def test_kills_change_no_decision(scheduler: SchedulerConfig, tmp_path: Path) -> None:
    whole = ends(tmp_path / "whole", scheduler)
    assert (set(whole) == {NUM_ROUNDS}) == isinstance(scheduler, NoStopping)
    assert ends(tmp_path / "killed", scheduler, kills=True) == whole


def test_the_median_rule_against_a_plain_loop(tmp_path: Path) -> None:
    reported, expected = values(24), []
    reached: list[list[float]] = []
    for own in reported:
        for round_ in range(NUM_ROUNDS):
            others = [one[round_] for one in reached if len(one) > round_]
            if len(others) >= 4 and own[round_] < median(others) and round_ < NUM_ROUNDS - 1:
                break
        reached.append(own[: round_ + 1])
        expected.append(round_ + 1)
    assert ends(tmp_path, Median()) == expected


def test_brackets_begin_to_stop_at_rounds_of_their_own(tmp_path: Path) -> None:
    """With nine rounds and a third that goes on: 9, 5 and 3 trials of 17."""
    found = ends(tmp_path, Hyperband(), 51)
    first = {number: [1, 3, 9][(number % 17 >= 9) + (number % 17 >= 14)] for number in range(51)}
    assert all(found[number] >= first[number] for number in first)
    for round_ in (1, 3):
        assert any(found[one] == round_ for one in first if first[one] == round_)
    assert {found[one] for one in first if first[one] == 9} == {9}


def test_a_bracket_compares_with_its_own_alone(tmp_path: Path) -> None:
    """Trials 0 to 8 are the first bracket's; 17 meets them again, 9 does not."""
    study = opened(tmp_path, Hyperband())
    for number in range(18):
        one = study.ask()
        assert one is not None
        stopped = study.should_prune(number, 1, 0.9 if number < 9 else 0.1)
        assert stopped == (number == 17)
        study.tell(number, "pruned" if stopped else "complete", 0.9)


def test_hyperband_needs_rounds_to_begin_at() -> None:
    Hyperband(reduction=2).build(2, None)
    with pytest.raises(ConfigError, match=r"3 rounds or more, and method\.num_rounds is 2 at most"):
        Hyperband().build(2, None)


@EVERY
def test_a_trial_in_its_last_round_is_not_stopped(
    scheduler: SchedulerConfig, tmp_path: Path
) -> None:
    study = opened(tmp_path, scheduler)
    for number in range(8):
        study.ask()
        assert not study.should_prune(number, 1, 1.0 - 0.1 * number, done=True)
        assert not study.was_pruned(number)
        study.tell(number, "complete", 0.5)
    # Its value counts for others all the same.
    study.ask()
    assert study.should_prune(8, 1, 0.0) != isinstance(scheduler, NoStopping)


def test_in_order_only_trials_that_must_have_ended_count(tmp_path: Path) -> None:
    study = opened(tmp_path, Median(num_trials=2), window=2)
    for number in range(2):
        study.ask()
        assert not study.should_prune(number, 1, 0.5 + number)
        study.tell(number, "complete", 0.5)
    study.ask()
    # Trial 1 may still run where trial 2 is asked: one other is too few.
    assert not study.should_prune(2, 1, 0.0)
    study.tell(2, "complete", 0.0)
    study.ask()
    assert study.should_prune(3, 1, 0.4)
