"""Objectives and limits: figures by hand, the front against all pairs."""

from __future__ import annotations

import random

import pytest
import record_factory as factory

from slr_ray.records.goals import Goals, figures
from slr_ray.records.runs import TrialRecord


def trial(number: int, accuracy: float, steps: int, status: str = "complete") -> TrialRecord:
    seeds = [
        factory.seed_record(seed, accuracy + 0.1 * seed, 2, num_epochs=2, round_steps=steps // 2)
        for seed in (0, 1)
    ]
    return factory.trial_record(number, status, value=accuracy + 0.05, seeds=seeds, error=None)


def test_figures_are_means_over_draws_of_what_a_setting_costs() -> None:
    one = trial(0, 0.6, 100)
    changes = {"reused": True, "steps_before": 30, "training_before_s": 8.0}
    one.seeds[0].rounds[0] = one.seeds[0].rounds[0].model_copy(update=changes)
    found = figures(one)
    assert found["accuracy"] == pytest.approx(0.65)
    assert found["num_steps"] == 115
    # What another trial had trained counts, pre-training as well: else the first of two equal
    # trials would be the worse one.
    assert found["training_s"] == 44.0
    assert found["num_labels"] == 60
    assert figures(factory.trial_record(1, "failed")) == {}


def test_limits_are_the_most_of_costs_and_the_least_of_shares() -> None:
    goals = Goals(["accuracy"], {"num_steps": 80.0, "macro_f1": 0.5})
    excess = goals.excess({"num_steps": 100.0, "macro_f1": 0.6})
    assert excess == {"num_steps": pytest.approx(0.25), "macro_f1": pytest.approx(-0.2)}
    assert not goals.kept(trial(0, 0.6, 100))
    assert goals.kept(trial(0, 0.6, 80))
    assert not goals.kept(trial(0, 0.3, 80))
    assert not goals.kept(factory.trial_record(1, "failed"))
    assert goals.limits_text() == "num_steps <= 80, macro_f1 >= 0.5"
    assert Goals(["accuracy"]).kept(factory.trial_record(1, "failed"))


def test_the_front_against_all_pairs() -> None:
    draws = random.Random(2)
    trials = [trial(one, draws.random() * 0.8, 2 * draws.randrange(1, 9)) for one in range(25)]
    trials += [trial(25, 0.89, 2, "pruned"), trial(26, 0.89, 100)]
    goals = Goals(["accuracy", "num_steps"], {"num_steps": 50.0})
    usable = [one for one in trials if one.number < 25]
    expected = []
    for one in usable:
        mine = figures(one)
        beaten = False
        for other in map(figures, usable):
            as_good = (
                other["accuracy"] >= mine["accuracy"] and other["num_steps"] <= mine["num_steps"]
            )
            better = other["accuracy"] > mine["accuracy"] or other["num_steps"] < mine["num_steps"]
            beaten = beaten or (as_good and better)
        if not beaten:
            expected.append(one.number)
    assert 1 < len(expected) < 25
    assert [one.number for one in goals.front(trials)] == expected


def test_equal_trials_are_all_in_front() -> None:
    twins = [trial(0, 0.6, 10), trial(1, 0.6, 10)]
    assert Goals(["accuracy", "num_steps"]).front(twins) == twins
