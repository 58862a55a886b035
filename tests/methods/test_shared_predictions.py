"""A model's predictions of the pool are made once, whoever chooses from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from experiment_factory import EMBEDDED, seed_run
from resuming import same

from slr_ray.config import merge
from slr_ray.experiment.experiment import build_experiment
from slr_ray.methods import sslr
from slr_ray.methods.pseudo_labelling import predicted as predicted_module
from slr_ray.methods.pseudo_labelling.predicted import kept_predictions
from slr_ray.methods.seed_run import SeedRun
from slr_ray.methods.sslr import FinishedRound, rounds

BASE: dict[str, Any] = {
    "data": EMBEDDED,
    "pool": {"kind": "fraction", "fraction": 0.1},
    "model": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1},
    "training": {"num_epochs": 1, "steps_per_epoch": 4, "batch_size": 16, "max_frames": 8},
    "method": {"kind": "sslr", "num_rounds": 2, "pseudo_labels": "reselect"},
}
RULES = (
    {"kind": "quantile", "share": 0.3},
    {"kind": "top_per_gloss", "num_clips": 2, "confidence": 0.0},
)


@pytest.fixture
def predictions(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """How the pool was predicted, each time that it was."""
    asked: list[dict[str, Any]] = []
    predict = predicted_module.predict_pool

    def watched(*given: Any, **more: Any) -> Any:
        asked.append(more)
        return predict(*given, **more)

    monkeypatch.setattr(predicted_module, "predict_pool", watched)
    return asked


def run_of(folder: Path, **method: Any) -> SeedRun:
    return seed_run(build_experiment(merge(BASE, {"method": method}), "test"), folder)


def trained(folder: Path, **method: Any) -> list[FinishedRound]:
    return list(rounds(run_of(folder, **method)))


def test_trials_share_what_round_0_says(tmp_path: Path, predictions: list[Any]) -> None:
    alone = [trained(tmp_path / str(number), selection=one) for number, one in enumerate(RULES)]
    assert len(predictions) == 4
    together = [trained(tmp_path / "shared", selection=one) for one in RULES]
    # Round 0's once for both, round 1's for each.
    assert len(predictions) == 4 + 3
    for ours, theirs in zip(together, alone, strict=True):
        assert len(ours) == len(theirs) == 3
        for one, other in zip(ours, theirs, strict=True):
            assert (one.pseudo.clips == other.pseudo.clips).all()
            assert (one.pseudo.glosses == other.pseudo.glosses).all()
            assert same(one.model_state, other.model_state)


@pytest.mark.parametrize(
    "other",
    [
        {"num_views": 2},
        {"calibration": "temperature"},
        {"calibration": "folds"},
        {"reject": {"kind": "energy"}},
        {"selection": {"kind": "views_agree"}},
    ],
)
def test_what_asks_for_more_is_predicted_by_itself(
    tmp_path: Path, predictions: list[Any], other: dict[str, Any]
) -> None:
    trained(tmp_path, num_rounds=1)
    trained(tmp_path, num_rounds=1, **other)
    assert len(predictions) == 2
    trained(tmp_path, num_rounds=1, weight={"kind": "confidence"}, **other)
    assert len(predictions) == 2


def test_a_round_that_was_interrupted_goes_on_with_them(
    tmp_path: Path, predictions: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(tmp_path / "whole")
    predictions.clear()
    train = sslr.train

    def dies(model: Any, problem: Any, config: Any, which: Any, *rest: Any, **more: Any) -> Any:
        if which.number == 1:
            raise OSError("reclaimed")
        return train(model, problem, config, which, *rest, **more)

    monkeypatch.setattr(sslr, "train", dies)
    with pytest.raises(OSError, match="reclaimed"):
        trained(tmp_path / "again")
    monkeypatch.setattr(sslr, "train", train)
    assert len(predictions) == 1
    again = trained(tmp_path / "again")
    assert len(predictions) == 2
    assert [same(*pair) for pair in _states(whole, again)] == [True] * 3


def _states(ours: list[FinishedRound], theirs: list[FinishedRound]) -> Any:
    return ((one.model_state, other.model_state) for one, other in zip(ours, theirs, strict=True))


def test_more_is_kept_of_the_round_that_all_have_in_common(tmp_path: Path) -> None:
    problem = run_of(tmp_path / "any").problem
    numbers = len(problem.unlabelled) * problem.num_glosses
    run = run_of(tmp_path / "some", keep_predictions=numbers // 25 + 1)
    assert len(list(rounds(run))) == 3
    assert kept_predictions(run, 1) is not None
    assert kept_predictions(run, 2) is None
    less = run_of(tmp_path / "less", keep_predictions=numbers // 25 - 1)
    list(rounds(less))
    assert kept_predictions(less, 1) is None
