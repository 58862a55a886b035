"""Boundary algorithms: exact trajectories on scripted scores, recovery on noisy ones, command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from rich.console import Console
from typer.testing import CliRunner

from slr_ray.boundaries.algorithms import (
    PUBLISHED,
    algorithm_1,
    most_trainings,
    search_boundary,
    told_apart,
)
from slr_ray.boundaries.answer import OWN_BOUNDARIES, overrides_of, tell_found
from slr_ray.boundaries.loss import boundary_loss
from slr_ray.boundaries.trainings import (
    BoundaryTrainings,
    Training,
    TrainingLedger,
    ledger_facts,
)
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, generate
from slr_ray.errors import ConfigError, DataError
from slr_ray.experiment.experiment import build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.poses.shard_writing import write_shard
from slr_ray.search.spaces.space import extremes
from slr_ray.storage import Store
from slr_ray.workers.place import this_place

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Scripted:
    """A score that looks its answers up, and keeps what it was asked."""

    def __init__(self, heads: dict[int, float], tails: dict[int, float], num_frames: int) -> None:
        self.heads, self.tails, self.num_frames = heads, tails, num_frames
        self.asked: list[tuple[int, int, int]] = []

    def __call__(self, head_fraction: float, tail_fraction: float, repeat: int) -> float:
        head, tail = (round(one * self.num_frames) for one in (head_fraction, tail_fraction))
        self.asked.append((head, tail, repeat))
        return self.tails[tail] if tail else self.heads[head]


class Hill:
    """A smooth score with a known highest point and noise of its own for each training."""

    def __init__(self, top: tuple[float, float], noise: float, seed: int) -> None:
        self.top, self.noise, self.seed = top, noise, seed

    def __call__(self, head_fraction: float, tail_fraction: float, repeat: int) -> float:
        away = (head_fraction - self.top[0]) ** 2 + (tail_fraction - self.top[1]) ** 2
        key = [self.seed, round(1e4 * head_fraction), round(1e4 * tail_fraction), repeat]
        return 0.7 - away + self.noise * float(np.random.default_rng(key).normal())


def test_algorithm_1_goes_up_the_head_then_the_tail_and_stops_where_it_no_longer_rises() -> None:
    heads = {0: 0.50, 4: 0.55, 8: 0.60, 12: 0.58, 16: 0.99}
    tails = {4: 0.52, 8: 0.52, 12: 0.99}
    score = Scripted(heads, tails, 20)
    found = algorithm_1(score, num_frames=20, step_frames=4, num_repeats=2)
    places = [(0, 0), (4, 0), (8, 0), (12, 0), (0, 4), (0, 8)]
    assert score.asked == [(*place, repeat) for place in places for repeat in (0, 1)]
    # What lies behind the first step that does not rise is never seen, however high.
    assert (found.head_fraction, found.tail_fraction) == (8 / 20, 4 / 20)
    assert found.num_trainings == 12
    assert [one.mean for one in found.candidates] == pytest.approx(
        [0.5, 0.55, 0.6, 0.58, 0.52, 0.52]
    )


def test_algorithm_1_finds_no_boundary_where_nothing_is_gained() -> None:
    score = Scripted({0: 0.5, 3: 0.5}, {3: 0.4}, 10)
    found = algorithm_1(score, num_frames=10, step_frames=3, num_repeats=5)
    assert (found.head_fraction, found.tail_fraction) == (0.0, 0.0)
    assert found.num_trainings == 15


def test_algorithm_1_ends_with_the_clip_and_never_takes_more_trainings_than_said() -> None:
    rising = {frames: frames / 10 for frames in range(11)}
    score = Scripted(rising, rising, 10)
    found = algorithm_1(score, num_frames=10, step_frames=4, num_repeats=1)
    assert score.asked == [
        (0, 0, 0),
        *((k, 0, 0) for k in (4, 8, 10)),
        *((0, k, 0) for k in (4, 8, 10)),
    ]
    assert (found.head_fraction, found.tail_fraction) == (1.0, 1.0)
    assert found.num_trainings == most_trainings(10, 4, 1) == 7


def test_algorithm_1_decides_by_the_mean_over_repeats() -> None:
    def score(head_fraction: float, tail_fraction: float, repeat: int) -> float:
        # The first repeat falls with the head and the others rise more.
        return 0.5 + head_fraction * (1.0 if repeat else -1.0) - tail_fraction

    found = algorithm_1(score, num_frames=4, step_frames=1, num_repeats=3)
    assert (found.head_fraction, found.tail_fraction) == (1.0, 0.0)


@pytest.mark.parametrize(("step_frames", "num_repeats"), [(0, 1), (11, 1), (2, 0)])
def test_algorithm_1_refuses_what_can_not_be(step_frames: int, num_repeats: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        algorithm_1(
            Scripted({}, {}, 10), num_frames=10, step_frames=step_frames, num_repeats=num_repeats
        )


@pytest.mark.parametrize("top", [(0.31, 0.26), (0.15, 0.40), (0.42, 0.12)])
def test_the_search_finds_the_boundary_in_half_of_algorithm_1s_trainings(
    top: tuple[float, float],
) -> None:
    hill = Hill(top, noise=0.01, seed=3)
    greedy = algorithm_1(hill, num_frames=30, step_frames=3)
    searched = search_boundary(hill, num_trainings=greedy.num_trainings // 2)
    assert searched.num_trainings <= greedy.num_trainings / 2
    for found in (greedy, searched):
        assert abs(found.head_fraction - top[0]) <= 0.1
        assert abs(found.tail_fraction - top[1]) <= 0.1


def test_the_search_starts_with_the_published_boundary_and_repeats_itself() -> None:
    hill = Hill((0.2, 0.2), noise=0.01, seed=0)
    first, again = (search_boundary(hill, num_trainings=9, seed=5) for _ in range(2))
    assert first == again
    assert (first.candidates[0].head_fraction, first.candidates[0].tail_fraction) == PUBLISHED
    other = search_boundary(hill, num_trainings=9, seed=6)
    assert other.candidates[1] != first.candidates[1]


def test_the_search_is_not_fooled_by_one_lucky_training() -> None:
    hill = Hill((0.1, 0.1), noise=0.0, seed=0)

    def score(head_fraction: float, tail_fraction: float, repeat: int) -> float:
        lucky = 0.12 if (head_fraction, tail_fraction) == (0.45, 0.45) else 0.0
        return hill(head_fraction, tail_fraction, repeat) + lucky

    found = search_boundary(score, num_trainings=16, start_from=((0.45, 0.45),))
    assert found.head_fraction < 0.3
    assert found.tail_fraction < 0.3


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_without_a_difference_the_published_boundary_stays_the_answer(noise: float) -> None:
    def score(head_fraction: float, tail_fraction: float, repeat: int) -> float:
        key = [7, round(1e4 * head_fraction), round(1e4 * tail_fraction)]
        return 0.5 + noise * float(np.random.default_rng(key).normal())

    found = search_boundary(score, num_trainings=12)
    assert (found.head_fraction, found.tail_fraction) == PUBLISHED
    assert found.gain is not None
    assert not found.gain.is_above_noise
    assert found.gain.mean >= 0


def test_a_corner_that_is_chosen_again_is_another_training() -> None:
    """The highest point lies at a corner, where the sampler comes back to."""
    asked: list[tuple[float, float, int]] = []

    def score(head: float, tail: float, repeat: int) -> float:
        asked.append((*told_apart(head, tail), repeat))
        key = [round(1e4 * head), round(1e4 * tail), repeat]
        noise = 0.01 * float(np.random.default_rng(key).normal())
        return 0.6 + 0.1 * head - 0.1 * tail + noise

    search_boundary(score, num_trainings=16)
    assert len(set(asked)) == len(asked) == 16
    assert len({one[:2] for one in asked}) < 16


def test_the_gain_is_that_of_the_surface() -> None:
    top = (0.1, 0.1)
    gain = search_boundary(Hill(top, noise=0.01, seed=3), num_trainings=16).gain
    assert gain is not None
    away = sum((one - best) ** 2 for one, best in zip(PUBLISHED, top, strict=True))
    assert abs(gain.mean - away) < 3 * gain.std < 0.05
    # The noise of single trainings, which more of them average away, is no part of it.
    assert gain.std < 0.01


def test_a_search_of_three_trainings_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        search_boundary(Hill((0, 0), 0, 0), num_trainings=3)


def test_the_loss_of_one_boundary_for_all_by_hand() -> None:
    # Boundary 0 recognises clips 0 and 1, boundary 1 clips 1 and 2, in both repeats; clip 3 never.
    correct = np.zeros((2, 2, 4), bool)
    correct[0][:, [0, 1]] = True
    correct[1][:, [1, 2]] = True
    found = boundary_loss(correct, 0)
    assert found.own.tolist() == [0, 0, 1, 0]
    assert found.loss.tolist() == [0, 0, 1, 0]
    assert found.mean == 0.25
    assert found.share_own(1) == 0.25


def test_noise_alone_shows_no_loss() -> None:
    correct = np.random.default_rng(0).random((6, 8, 4000)) < 0.6
    assert abs(boundary_loss(correct, 2).mean) < 0.01
    # Chosen and measured on the same trainings, the best of six looks far better than it is.
    best = correct.mean(axis=1).max(axis=0).mean() - correct.mean(axis=1)[2].mean()
    assert best > 0.1


def test_a_boundary_that_was_not_tried_is_refused() -> None:
    with pytest.raises(ValueError, match="no boundary 2"):
        boundary_loss(np.zeros((2, 1, 1), bool), 2)


TINY = {
    "preset": "ssl_slr_small",
    "data": {"num_signers": 6, "clips_per_block": 2, "num_glosses": 4},
    "pool": {"kind": "all"},
    "model": {"width": 16, "num_heads": 2, "num_layers": 1, "hidden": 16},
    "initialisation": {"kind": "pretraining", "num_steps": 2, "batch_size": 8},
    "training": {"max_frames": 8},
}


def _training(head_fraction: float = 0.25, accuracy: float = 0.5) -> Training:
    return Training(head_fraction, 0.1, 0, accuracy, 0.4, 0.9, 1.0, "0110")


def test_the_ledger_remembers_and_belongs_to_one_experiment(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    TrainingLedger(store, {"of": 1}).add(_training())
    again = TrainingLedger(store, {"of": 1})
    assert again.find(0.25, 0.1, 0) == _training()
    assert again.find(0.250001, 0.1, 0) == _training()
    assert again.find(0.25, 0.1, 1) is None
    assert _training().recognised().tolist() == [False, True, True, False]
    with pytest.raises(ConfigError, match="another experiment"):
        TrainingLedger(store, {"of": 2})
    (tmp_path / "trainings.jsonl").write_text('{"head_fraction": 0.1}\n')
    with pytest.raises(DataError, match="line 1"):
        TrainingLedger(store, {"of": 1})


def test_a_finished_training_is_never_done_again(tmp_path: Path) -> None:
    prepared = Opener().prepare(build_experiment(TINY, "test"))
    heard: list[bool] = []

    def trainings() -> BoundaryTrainings:
        ledger = TrainingLedger(Store(str(tmp_path)), ledger_facts(prepared))
        return BoundaryTrainings(
            prepared, ledger, this_place(), on_training=lambda _, known: heard.append(known)
        )

    first = trainings()(1 / 3, 0.25, 0)
    assert 0 <= first <= 1
    assert trainings()(1 / 3, 0.25, 0) == first
    assert heard == [False, True]
    # The encoder itself is not kept.
    assert not list(tmp_path.rglob("*.pt"))
    # The other half of a clip is another training.
    assert trainings()(0.0, 0.25, 0) is not None
    assert heard == [False, True, False]


def test_an_experiment_without_pre_training_is_refused(tmp_path: Path) -> None:
    fresh = build_experiment({**TINY, "initialisation": {"kind": "fresh"}}, "test")
    ledger = TrainingLedger(Store(str(tmp_path)), {})
    with pytest.raises(ConfigError, match="pretraining"):
        BoundaryTrainings(Opener().prepare(fresh), ledger, this_place())


_TINY_CALL = [
    "data.num_signers=6",
    "data.clips_per_block=2",
    "data.num_glosses=4",
    "model.width=16",
    "model.num_heads=2",
    "model.num_layers=1",
    "model.hidden=16",
    "initialisation.num_steps=2",
    "initialisation.batch_size=8",
    "training.max_frames=8",
    "--num-threads=1",
]


def _call(*arguments: str) -> tuple[int, str]:
    import typer

    from slr_ray.boundary import boundary

    app = typer.Typer()
    app.command()(boundary)
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_the_command_finds_a_boundary_and_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    greedy = [*_TINY_CALL, "--algorithm=greedy", "--repeats=1", "--step-frames=8", f"--out={out}"]
    code, told = _call(*greedy)
    assert code == 0, told
    assert "head_fraction" in told
    assert "truth" in told
    found = json.loads((out / "found-greedy.json").read_text())
    lines = (out / "trainings.jsonl").read_text().splitlines()
    assert found["num_trainings"] == len(lines) >= 3
    assert "truth: head" in (out / "found-greedy.svg").read_text()
    # The same call finds all of its trainings; the search shares them.
    assert _call(*greedy)[0] == 0
    assert (out / "trainings.jsonl").read_text().splitlines() == lines
    assert json.loads((out / "found-greedy.json").read_text()) == found
    code, told = _call(*_TINY_CALL, "--algorithm=search", "--budget=4", f"--out={out}")
    assert code == 0, told
    found = json.loads((out / "found-search.json").read_text())
    assert found["num_trainings"] == 4
    assert set(found["gain"]) == {"mean", "std"}
    assert "modelled gain over the published boundary" in told


def test_what_is_printed_works_in_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slr_ray.compare import compare
    from slr_ray.config import parse_overrides
    from slr_ray.pretrain import pretrain
    from slr_ray.search.spaces.space_file import load_space
    from slr_ray.single import pretrain as pretraining
    from slr_ray.single import train as single
    from slr_ray.sweeps import objectives
    from slr_ray.train import train
    from slr_ray.workers.run_options import RunOptions

    found: list[Any] = []

    def keep(asked: Any, *_: Any) -> int:
        found.append(asked)
        return 0

    monkeypatch.setattr(pretraining, "run_pretraining", keep)
    monkeypatch.setattr(single, "run_single", keep)
    monkeypatch.setattr(objectives, "run_comparison", keep)
    pretrain(OWN_BOUNDARIES.split())
    assert found.pop().config.initialisation.augmentation.per_clip is not None
    line = overrides_of(0.31, 0.22).split()
    pretrain(line)
    pretrain(line, preset="ssl_slr", augmentation="standard")
    train(line)
    train([*line, "preset=ssl_slr_small"])
    with pytest.raises(SystemExit):
        compare([*line, "data.num_glosses=3", "data.num_signers=6"], out=str(tmp_path))
    plan = found[4].sweep(RunOptions()).plan
    entries = [one for one in plan.entries if one.setting == "encoder" and one.key is not None]
    compared = [plan.cells[one.key].config for one in entries]
    assert {one.initialisation.augmentation.kind for one in compared} == {"boundary", "standard"}
    configs = [
        *(one.config for one in found[:4]),
        *(one for one in compared if one.initialisation.augmentation.kind == "boundary"),
    ]
    for name in ("pretraining", "sslr_thresholds"):
        space = load_space(name, parse_overrides(line))
        configs += [build_experiment(one, name) for one in extremes(space.tree)]
    for config in configs:
        views = config.initialisation.augmentation
        assert (views.kind, views.head_fraction, views.tail_fraction) == ("boundary", 0.31, 0.22)


def test_ends_that_overlap_are_not_offered(capsys: pytest.CaptureFixture[str]) -> None:
    tell_found(Console(), 0.7, 0.3)
    assert "to use it" in capsys.readouterr().out
    tell_found(Console(), 0.7, 0.4)
    told = capsys.readouterr().out
    assert "more than a clip" in told
    assert "to use it" not in told


def test_the_estimate_command_needs_no_training(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, told = _call(*_TINY_CALL, "--algorithm=estimate", f"--out={out}")
    assert code == 0, told
    assert "error" in told
    found = json.loads((out / "found-estimate.json").read_text())
    assert 0.1 < found["head_fraction"] < 0.5
    assert not (out / "trainings.jsonl").exists()


def test_without_glosses_every_clip_is_estimated(tmp_path: Path) -> None:
    clips = [
        replace(one, gloss=None)
        for one in generate(EmbeddedConfig(num_glosses=4, num_signers=4, clips_per_block=2))
    ]
    data = tmp_path / "unlabelled.parquet"
    write_shard(data, clips, {"extractor": "test"})
    out = tmp_path / "out"
    code, told = _call("--algorithm=estimate", f"--data={data}", f"--out={out}")
    assert code == 0, told
    found = json.loads((out / "found-estimate.json").read_text())
    assert len(found["clips"]) == len(clips)
    code, told = _call("--algorithm=search", f"--data={data}", f"--out={tmp_path / 'none'}")
    assert code == 2
    assert "slr_ray.pretrain" in told


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--algorithm=gready"], "gready"),
        (["--data=nowhere"], "nowhere"),
        (["initialisation.num_step=3"], "num_steps"),
        (["--step-frames=99", "--num-frames=10"], "step"),
        (["initialisation.augmentation.kind=standard"], "augmentation.standard.kind=standard"),
        (["initialisation.augmentation.per_clip={}"], "none to look for"),
    ],
)
def test_bad_calls_end_with_exit_status_2(
    arguments: list[str], word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = _call(*arguments, f"--out={tmp_path / 'out'}")
    assert code == 2
    assert word in told
    assert not (tmp_path / "out").exists()
