"""A recogniser of isolated signs slid over sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_experiments import SENTENCES, opened_sentences
from sweep_factory import new_sweep, run_here

from slr_ray.config import merge
from slr_ray.corpora.corpus import Corpus
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import build_experiment
from slr_ray.methods import sliding_window
from slr_ray.methods.sliding_window import Reading, cut_signs, measure_windows
from slr_ray.poses.reading import CutClips
from slr_ray.records.measured import SentenceMetrics
from slr_ray.records.stages import StageStore
from slr_ray.records.sweeps import CellRecord
from slr_ray.storage import Store
from slr_ray.sweeps import estimate
from slr_ray.sweeps.measurements.sliding_window import SlidingWindowMeasurement
from slr_ray.sweeps.results import load_sweep
from slr_ray.training.config import TrainingConfig
from slr_ray.training.problem import Problem
from slr_ray.workers.place import this_place

RECOGNISER: dict[str, Any] = {
    "model": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1},
    "training": {"num_epochs": 1, "steps_per_epoch": 2, "batch_size": 16, "max_frames": 8},
}
POOL = {"kind": "fraction", "fraction": 0.5}
TABLE: dict[str, Any] = {
    "name": "sentences",
    "title": "Sentences",
    "base": merge(SENTENCES, {"preset": "continuous", "pool": {"kind": "all"}}),
    "settings": [
        {
            "name": "windows",
            "title": "Windows",
            "measure": {
                "kind": "sliding_window",
                "recogniser": RECOGNISER,
                "windows": [8, 12],
                "strides": [2],
                "thresholds": [0.3, 0.6],
            },
        }
    ],
    "figures": ["wer", "boundary_f1_50", "window_frames", "window_threshold"],
}


def test_signs_are_the_frames_at_their_true_times() -> None:
    prepared = opened_sentences(pool=POOL)
    problem, corpus = prepared.problem(0), prepared.corpus
    signs = cut_signs(problem, build_experiment(RECOGNISER, "test"))
    expected = [
        (corpus.glosses[gloss], corpus.frames_of(clip)[start:end])
        for clip in [*problem.labelled.tolist(), *problem.split.validation.tolist()]
        for gloss, (start, end) in zip(
            corpus.sequence(clip), corpus.sequence_times(clip), strict=True
        )
    ]
    clips = np.concatenate([signs.split.training, signs.split.validation])
    assert len(clips) == len(expected)
    for clip, gloss, (name, frames) in zip(clips, signs.glosses(clips), expected, strict=True):
        assert corpus.glosses[gloss] == name
        np.testing.assert_array_equal(signs.source.frames_of(int(clip)), frames)
    assert len(signs.split.training) == sum(len(one) for one in problem.sequences(problem.labelled))


@pytest.mark.parametrize(
    ("readings", "chosen"),
    [
        # Between signs every gloss has a fifth, in signs the right one has 0.8.
        ([(8, 1, 0.1), (8, 1, 0.5), (8, 1, 0.9)], (8, 1, 0.5)),
        # Every thirtieth window misses signs.
        ([(8, 30, 0.5), (8, 1, 0.5)], (8, 1, 0.5)),
        ([(400, 1, 0.5), (8, 1, 0.5), (8, 1, 0.6)], (8, 1, 0.5)),
    ],
)
def test_the_reading_of_the_fewest_errors_is_chosen(
    readings: list[tuple[int, int, float]],
    chosen: tuple[int, int, float],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepared = opened_sentences()
    corpus = prepared.corpus

    def sure_in_signs(_: Any, windows: CutClips, rows: np.ndarray, **__: Any) -> np.ndarray:
        """0.8 for the gloss that is signed in the middle of a window, if there is one."""
        return np.array([_told(corpus, windows, row) for row in rows], np.float32)

    monkeypatch.setattr(sliding_window, "predict", sure_in_signs)
    found, reading = measure_windows(
        prepared,
        build_experiment(RECOGNISER, "test"),
        [Reading(*one) for one in readings],
        0,
        StageStore(Store(str(tmp_path))),
        this_place(),
    )
    assert reading == Reading(*chosen)
    test = found.record.test
    assert isinstance(test, SentenceMetrics)
    # A sign that follows itself is one run.
    repeats = sum(
        int((np.diff(corpus.sequence(clip)) == 0).sum()) for clip in prepared.split.test.tolist()
    )
    assert test.wer <= (repeats + 1) / test.num_glosses
    assert test.boundary_f1_50 is not None
    assert test.boundary_f1_50 > 0.9


def _told(corpus: Corpus, windows: CutClips, row: int) -> np.ndarray:
    count = len(corpus.glosses)
    clip, (start, end) = int(windows.clips[row]), windows.bounds[row]
    times = corpus.sequence_times(clip)
    assert times is not None
    inside = (times[:, 0] <= (start + end) // 2) & ((start + end) // 2 < times[:, 1])
    if not inside.any():
        return np.full(count, 1 / count)
    told = np.full(count, 0.2 / (count - 1))
    told[corpus.sequence(clip)[inside]] = 0.8
    return told


def test_a_table_has_it_as_a_row(tmp_path: Path) -> None:
    sweep = new_sweep(tmp_path, TABLE, name="sentences", seeds=1)
    run_here(sweep)
    result = load_sweep(sweep.folder)
    assert not result.holes
    (cell,) = sweep.plan.cells.values()
    record = cell.folder.read_record(CellRecord)
    assert record.figures["window_frames"] in (8, 12)
    assert record.figures["window_threshold"] in (0.3, 0.6)
    assert record.figures["wer"] > 0
    assert record.num_steps == 2
    assert len(cell.folder.sentence_predictions()) == record.num_test


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"recogniser": {"task": "continuous"}}, "recogniser"),
        ({"recogniser": {"preset": "best"}}, "there is no preset 'best'"),
        ({"windows": [2]}, "windows"),
    ],
)
def test_what_can_not_be_is_refused(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    measure = merge(TABLE["settings"][0]["measure"], changes)
    settings = [{**TABLE["settings"][0], "measure": measure}]
    with pytest.raises(ConfigError, match=told):
        new_sweep(tmp_path, {**TABLE, "settings": settings}).plan  # noqa: B018


def test_isolated_signs_and_sentences_without_times_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measurement = SlidingWindowMeasurement()
    prepared = opened_sentences()
    isolated = prepared.with_config(build_experiment({}, "test"))
    with pytest.raises(ConfigError, match="set task=continuous"):
        measurement.check(isolated, 0)
    monkeypatch.setattr(Corpus, "sequence_times", lambda *_: None)
    with pytest.raises(ConfigError, match="no labelled sentence has true times"):
        measurement.check(prepared, 0)


def test_the_estimate_counts_the_recognisers_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[int] = []

    def ten_seconds(problem: Problem, _: TrainingConfig) -> float:
        learnt.append(len(problem.labelled))
        return 10.0

    monkeypatch.setattr(estimate, "step_seconds", ten_seconds)
    monkeypatch.setattr(estimate, "at_once", lambda _: 1)
    sweep = new_sweep(tmp_path, TABLE, name="sentences", seeds=2)
    # Two draws of two steps each; the sentences' own three epochs are trained by nobody.
    assert "2 cells, 1 at a time: 40 s of training at most" in estimate.text(sweep)
    sentences = next(iter(sweep.plan.prepared.values())).problem(0)
    signs = sum(len(one) for one in sentences.sequences(sentences.labelled))
    assert learnt == [signs, signs]
