"""Pre-training told step by step: a collapse takes fewer steps than an epoch has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from experiment_factory import opened, tiny, trained
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from slr_ray.documents.charts import Line, lines
from slr_ray.experiment.encoder_file import load_encoder
from slr_ray.records.measured import PretrainingEpoch
from slr_ray.single.curves import pretraining_curves, spread_by_step
from slr_ray.single.pretrain import run_pretraining
from slr_ray.training.pretraining.loop import is_told


def test_the_first_steps_are_all_told_and_later_ones_ever_more_sparsely() -> None:
    told = [step for step in range(1, 10_001) if is_told(step)]
    assert told[:100] == list(range(1, 101))
    assert told[100:190] == list(range(110, 1001, 10))
    assert told[190:] == list(range(1100, 10_001, 100))


def test_steps_add_up_to_their_epoch() -> None:
    epochs = trained(tiny()).epochs
    numbers = [step.num_steps for one in epochs for step in one.steps]
    assert numbers == list(range(1, epochs[-1].num_steps + 1))
    for one in epochs:
        assert np.mean([step.loss for step in one.steps]) == pytest.approx(one.loss, rel=1e-4)
        spread = [step.embedding_std for step in one.steps]
        assert np.mean(spread) == pytest.approx(one.embedding_std, rel=1e-4)


def test_files_hold_them(tmp_path: Path) -> None:
    run_pretraining(opened(tiny()), 0, str(tmp_path), 1, Console(quiet=True))
    epochs = load_encoder(tmp_path).epochs
    history = json.loads((tmp_path / "history.json").read_text())
    assert [PretrainingEpoch.model_validate(one) for one in history] == list(epochs)
    board = EventAccumulator(str(next(tmp_path.glob("tensorboard/pretraining"))))
    board.Reload()
    seen = [(one.step, one.value) for one in board.Scalars("pretraining/step/embedding_std")]
    assert [step for step, _ in seen] == [step for step, _ in spread_by_step(epochs)]
    assert [value for _, value in seen] == pytest.approx(
        [value for _, value in spread_by_step(epochs)], rel=1e-5
    )


def test_records_of_earlier_versions_are_drawn_by_epoch() -> None:
    old = PretrainingEpoch.model_validate(
        {"epoch": 0, "num_steps": 30, "loss": 1.0, "learning_rate": 0.1, "embedding_std": 0.5}
    )
    assert old.steps == ()
    assert spread_by_step([old]) == [(30, 0.5)]
    assert "embedding" in pretraining_curves([old], "old", 0.1).svg()


def test_a_logarithmic_axis_has_round_numbers_at_their_places() -> None:
    drawn = [Line("a", [(1, 0.0), (10, 0.5), (100, 1.0)], 0)]
    svg = lines(drawn, "test", "steps", "std", False, log_x=True).svg()
    for number in ("1", "2", "5", "10", "20", "50", "100"):
        assert f">{number}</text>" in svg
    path = svg.split('points="')[1].split('"')[0]
    left, middle, right = (float(point.split(",")[0]) for point in path.split())
    assert middle - left == pytest.approx(right - middle, abs=0.2)
    far = [Line("a", [(1, 0.0), (100_000, 1.0)], 0)]
    svg = lines(far, "test", "steps", "std", False, log_x=True).svg()
    assert ">10,000</text>" in svg
    assert ">2</text>" not in svg
