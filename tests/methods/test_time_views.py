"""Test-time augmentation: what is measured is the mean over views, and nothing is trained anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiment_factory import TINY, opened

from slr_ray.config import merge
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.measured import Measured, train_and_measure
from slr_ray.methods.recogniser import recogniser_of
from slr_ray.records.stages import StageStore
from slr_ray.storage import Store
from slr_ray.training.prediction import predict
from slr_ray.workers.place import this_place

PLACE = this_place()


def with_views(number: int, **changes: Any) -> Experiment:
    tree = {"initialisation": {"kind": "fresh"}, "test_time_views": number, **changes}
    return build_experiment(merge(TINY, tree), "test")


def trained(prepared: Prepared, folder: Path) -> Measured:
    return train_and_measure(prepared, 0, StageStore(Store(str(folder / "stages"))), PLACE)


def told(measured: Measured) -> np.ndarray:
    return np.array([one.probability for one in measured.predictions])  # type: ignore[union-attr]  # isolated signs


def test_an_answer_is_the_mean_over_the_views(tmp_path: Path) -> None:
    several = opened(with_views(3))
    measured = trained(several, tmp_path)
    assert measured.checkpoint is not None
    recogniser = recogniser_of(measured.checkpoint, "test")
    corpus, clips = several.corpus, several.split.test
    rows = np.arange(len(clips)), corpus.gloss_index[clips]
    assert told(measured) == pytest.approx(recogniser.probabilities(corpus, clips)[rows])
    views = [
        predict(
            recogniser.model,
            corpus,
            clips,
            normalisation=several.config.normalisation,
            max_frames=several.config.training.max_frames,
            device=PLACE.device,
            num_views=number,
            augmentation=several.config.augmentation,
        )
        for number in (1, 3)
    ]
    assert told(measured) == pytest.approx(views[1][rows])
    assert np.abs(views[1] - views[0]).max() > 1e-4


def test_other_views_train_nothing_anew(tmp_path: Path) -> None:
    one = trained(opened(with_views(1)), tmp_path)
    stages = sorted(path.name for path in (tmp_path / "stages").glob("*.pt"))
    three = trained(opened(with_views(3)), tmp_path)
    assert sorted(path.name for path in (tmp_path / "stages").glob("*.pt")) == stages
    assert (told(three) != told(one)).any()


def test_without_augmentation_there_is_one_view(tmp_path: Path) -> None:
    plain = {"augmentation": {"kind": "none"}}
    one, many = (trained(opened(with_views(number, **plain)), tmp_path) for number in (1, 1000))
    assert (told(many) == told(one)).all()
