"""Labelled clips held out, so that calibration needs no other labels."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiment_factory import EMBEDDED, new_run, opened, seed_run
from rich.console import Console

from slr_ray.config import merge
from slr_ray.corpora.arrays import UNKNOWN_SIGNER
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.methods.pseudo_labelling import held_out as held_out_module
from slr_ray.methods.pseudo_labelling.held_out import held_out
from slr_ray.methods.pseudo_labelling.label_parts import label_parts
from slr_ray.methods.pseudo_labelling.predicted import kept_predictions
from slr_ray.methods.pseudo_labelling.pseudo_labels import refine
from slr_ray.methods.sslr import rounds
from slr_ray.search.search_run import check_data
from slr_ray.selection.calibration import apply_temperature, fit_temperature
from slr_ray.single.replay import replay_run
from slr_ray.single.train import run_single
from slr_ray.training.problem import Problem

BASE: dict[str, Any] = {
    "data": EMBEDDED,
    "pool": {"kind": "fraction", "fraction": 0.1},
    "model": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1},
    "training": {"num_epochs": 1, "steps_per_epoch": 4, "batch_size": 16, "max_frames": 8},
    "method": {"kind": "sslr", "num_rounds": 1, "calibration": "folds"},
}


def small(**changes: Any) -> Experiment:
    return build_experiment(merge(BASE, changes), "test")


def problem(**changes: Any) -> Problem:
    return opened(small(method={"calibration": "none"}, **changes)).problem(0)


@pytest.mark.parametrize("num_folds", [2, 3, 9])
def test_no_signer_is_in_two_parts(num_folds: int) -> None:
    own = problem()
    parts = [one for one in label_parts(own, num_folds, 0) if len(one)]
    signers = [set(own.corpus.signer_index[part].tolist()) for part in parts]
    assert sum(len(one) for one in signers) == len(set.union(*signers))
    assert 2 <= len(parts) <= min(num_folds, len(set.union(*signers)))
    together = np.concatenate(parts)
    assert len(np.unique(together)) == len(together)
    for part in parts:
        others = np.setdiff1d(own.labelled, part)
        assert np.isin(own.glosses(part), own.glosses(others)).all()
    left_out = np.setdiff1d(own.labelled, together)
    assert len(left_out) < len(own.labelled) / 2


def test_clips_of_one_signer_are_parted_themselves() -> None:
    own = problem(pool={"kind": "signers", "num_signers": 1})
    parts = label_parts(own, 3, 0)
    assert [len(part) > 0 for part in parts] == [True] * 3
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), own.labelled)


def test_an_unknown_signer_may_be_anybody() -> None:
    own = problem()
    corpus = replace(own.corpus)
    corpus.__dict__["signer_index"] = np.full(corpus.num_clips, UNKNOWN_SIGNER, np.int32)
    parts = label_parts(replace(own, corpus=corpus), 3, 0)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), own.labelled)


def test_a_label_a_gloss_is_too_few(tmp_path: Path) -> None:
    pool = {"kind": "per_gloss", "num_clips": 1}
    with pytest.raises(ConfigError, match=r"no gloss has labelled clips in two parts of the 4"):
        seed_run(small(pool=pool), tmp_path)
    method = {"kind": "sslr", "num_rounds": {"int": [1, 2]}, "calibration": "folds"}
    with pytest.raises(ConfigError, match="calibration=undo_smoothing"):
        check_data(new_run(tmp_path, pool=pool, method=method))


def test_models_have_not_seen_what_they_hold_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[np.ndarray] = []
    train = held_out_module.train

    def watched(model: Any, own: Any, training: Any, round_: Any, *rest: Any, **more: Any) -> Any:
        taught.append(round_.training_set.clips)
        return train(model, own, training, round_, *rest, **more)

    monkeypatch.setattr(held_out_module, "train", watched)
    run = seed_run(small(), tmp_path)
    found = list(held_out(run))
    assert len(found) == len(taught) >= 2
    for one, clips in zip(found, taught, strict=True):
        assert not np.isin(one.clips, clips).any()
        np.testing.assert_array_equal(np.sort(np.append(clips, one.clips)), run.problem.labelled)
    # Trials with other rules share the trainings; another number of parts is another division.
    rule = {"kind": "threshold", "confidence": 0.4}
    list(rounds(seed_run(small(method={"selection": rule}), tmp_path)))
    assert len(taught) == len(found)
    list(held_out(seed_run(small(method={"calibration_folds": 2}), tmp_path)))
    assert len(taught) == len(found) + 2


def test_the_temperature_is_theirs(tmp_path: Path) -> None:
    run = seed_run(small(), tmp_path)
    list(rounds(run))
    kept = kept_predictions(run, 1)
    assert kept is not None
    assert kept.held_out is not None
    assert kept.held_out_glosses is not None
    clips = np.concatenate([one.clips for one in held_out(run)])
    np.testing.assert_array_equal(kept.held_out_glosses, run.problem.glosses(clips))
    expected = kept.probabilities.copy()
    temperature = fit_temperature(kept.held_out, kept.held_out_glosses)
    apply_temperature(expected, temperature)
    no_label = np.empty(0, np.int64)
    refine(run.method, kept, label_smoothing=0.1, validation_glosses=no_label)
    np.testing.assert_array_equal(kept.probabilities, expected)
    # A model of four steps knows less than it says, or says less than it knows.
    assert temperature != pytest.approx(1, abs=0.01)


def test_replays_need_what_was_held_out(tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=200)
    for name in ("folds", "none"):
        config = small(method={"calibration": name})
        run_single(opened(config), 0, str(tmp_path / name), 1, Console(quiet=True))
    changed = {"method.calibration": "folds"}
    rule = ["quantile share=0.5"]
    assert replay_run(str(tmp_path / "folds"), {}, rule, None, False, console)
    with pytest.raises(ConfigError, match="needs predictions of held-out labelled clips"):
        replay_run(str(tmp_path / "none"), changed, rule, None, False, console)
