"""The estimate of a dry run: what is trained how often, times what it takes."""

from __future__ import annotations

from typing import Any

import pytest

from slr_ray.records.run_folder import RunFolder
from slr_ray.search.estimate import (
    Pretrainings,
    Times,
    estimate,
    measured_times,
    pretrainings,
    text,
)
from slr_ray.search.search_run import SearchRun
from slr_ray.search.spaces.space_file import load_space
from slr_ray.workers.run_options import RunOptions

TINY: dict[str, Any] = {
    "data.num_glosses": 4,
    "data.num_signers": 8,
    "training.max_frames": 8,
    "training.steps_per_epoch": 5,
    "training.num_epochs": 2,
}
SMALL: dict[str, Any] = {
    "initialisation.batch_size": 16,
    "model.width": 16,
    "model.num_heads": 2,
    "model.num_layers": 1,
    "model.hidden": 16,
}


def run(name: str, overrides: dict[str, Any], **options: Any) -> SearchRun:
    space = load_space(name, {**TINY, **overrides})
    options_ = RunOptions(max_concurrent=1, **options)
    return SearchRun(RunFolder("runs/none"), space, options_, [])


def test_every_trial_pre_trains_where_pre_training_is_searched() -> None:
    linear = run("boundary", {})
    # 16 trials and 2 seeds; then the best on the one new seed, and the default on all 3.
    assert pretrainings(linear) == Pretrainings(32, 4, 400)
    assert pretrainings(run("boundary", {"initialisation.seed": 3})) == Pretrainings(16, 1, 400)
    # The longest of the searched numbers of steps.
    assert pretrainings(run("pretraining", {})).num_steps == 600


def test_trials_share_a_pre_training_that_is_fixed() -> None:
    fixed = {"initialisation.kind": "pretraining", "initialisation.num_steps": 50}
    assert pretrainings(run("sslr_thresholds", fixed)) == Pretrainings(2, 1, 50)
    alone = run("sslr_thresholds", {**fixed, "search.num_trials": 7}, share_stages=False)
    assert pretrainings(alone).in_search == 14
    fresh = run("sslr_thresholds", {"initialisation": {"kind": "fresh"}})
    assert pretrainings(fresh) == Pretrainings(0, 0, 0)


def test_seconds_by_hand() -> None:
    linear = run("boundary", {})
    found = estimate(linear, Times(0.1, 1.0, 3.0), Pretrainings(32, 4, 400))
    # No training step for linear evaluation; the two FSL arms take 2 epochs of 5 steps.
    assert found.trials_s == pytest.approx(32 * 400 + 2 * 16 * 3)
    assert found.final_s == pytest.approx(4 * 400 + 3 * (3 * 3 + 1.0))
    overrides = {"initialisation": {"kind": "fresh"}, "method.num_rounds": 3, "default": {}}
    sslr = run("sslr_thresholds", {**overrides, "search.num_trials": 10})
    found = estimate(sslr, Times(0.1), pretrainings(sslr))
    # Round 0 once a seed, three more rounds a trial.
    assert found.trials_s == pytest.approx(2 * (1.0 + 10 * 3.0))
    # Three arms of rounds, and FSL with as many steps.
    assert found.final_s == pytest.approx(3 * 4 * (1.0 + 3.0))


@pytest.mark.parametrize("stream_step_s", [0.5, 0.9])
def test_a_trial_of_rounds_or_steps_takes_the_longer(stream_step_s: float) -> None:
    both = run("semi_supervised", {"search.num_trials": 10})
    found = estimate(both, Times(0.1, stream_step_s=stream_step_s), Pretrainings(0, 0, 0))
    # 2 epochs of 5 steps, and as many with unlabelled clips or 3 rounds of 4 epochs.
    assert found.trials_s == pytest.approx(2 * 10 * (1.0 + max(10 * stream_step_s, 3 * 20 * 0.1)))
    # Default (2 rounds), best and its last model; FSL twice.
    assert found.final_s == pytest.approx(3 * 4 * (1.0 + 2 * 20 * 0.1))


def test_steps_of_each_kind_are_timed() -> None:
    small = run("boundary", SMALL)
    corners = [small.opener.prepare(one) for one in small.space.corners()]
    times = measured_times(small.default, 0, corners)
    assert min(times.step_s, times.pretraining_step_s, times.fit_s) > 0
    assert "32 pre-trainings in the search and 4 after it, of 400 steps each" in text(small)
