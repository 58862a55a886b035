"""Reports of searches in folds: each fold of an arm is a training of its own."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import record_factory as factory
from folds_factory import in_folds

from slr_ray.documents.document import Figure, Paragraph, Table
from slr_ray.records.runs import TrialRecord
from slr_ray.reporting.pseudo_labels import pseudo_label_section
from slr_ray.reporting.run import Run, load_run
from slr_ray.reporting.training_curves import training_section


def trial() -> TrialRecord:
    """On two seeds in three folds, as a search rotates them."""
    seeds = [
        factory.seed_record(seed, 0.7, 3).model_copy(update={"fold": fold})
        for seed, fold in ((0, 0), (1, 1), (0, 2))
    ]
    return factory.trial_record(2, seeds=seeds)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return in_folds(tmp_path, [trial()])


def test_every_training_has_its_curve(run: Run) -> None:
    drawn = {one.name: one for one in training_section(run).blocks if isinstance(one, Figure)}
    names = ["rounds_arms", "rounds_trials", "curves_accuracy", "curves_training_loss"]
    assert list(drawn) == names
    for arm, seed, fold in itertools.product(("fsl", "sslr_best"), (0, 1), (0, 1)):
        name = f"{run.titles[arm]}, seed {seed}, fold {fold}"
        for figure in ("rounds_arms", "curves_accuracy", "curves_training_loss"):
            assert name in drawn[figure].content.decode()
    assert "trial 2, seed 0, fold 2" not in drawn["rounds_arms"].content.decode()
    captions = [drawn[name].caption for name in names]
    assert captions[0].startswith("Final comparison, mean over trainings with single trainings")
    assert captions[1:3] == [
        "Best trials, mean over the search's trainings.",
        "Final comparison, one line a training.",
    ]


def test_pseudo_labels_are_those_of_the_final_comparison(run: Run) -> None:
    section = pseudo_label_section(run)
    first = section.blocks[0]
    assert isinstance(first, Paragraph)
    start = "Best trial in the final comparison, 4 trainings (2 seed(s), 2 folds). "
    assert first.text.startswith(start)
    (table,) = (one for one in section.blocks if isinstance(one, Table))
    assert table.columns[1].title == "trainings"
    assert [row[1] for row in table.rows] == [4, 4, 4]
    assert "Means over the trainings that reached" in table.caption
    drawn = [one for one in section.blocks if isinstance(one, Figure)]
    assert all("over trainings" in one.caption for one in drawn)


def test_a_trial_of_the_search_counts_its_seeds_and_folds(tmp_path: Path) -> None:
    factory.write_run(str(tmp_path), {}, [trial()], num_folds=3, search_seeds=[0, 1])
    (first, *_) = pseudo_label_section(load_run(str(tmp_path))).blocks
    assert isinstance(first, Paragraph)
    assert first.text.startswith("Trial 2 in the search, 3 trainings (2 seed(s), 3 folds). ")


def test_with_one_split_they_are_seeds(tmp_path: Path) -> None:
    factory.write_run(str(tmp_path), factory.WIN)
    run = load_run(str(tmp_path))
    (first, *_) = pseudo_label_section(run).blocks
    assert isinstance(first, Paragraph)
    assert first.text.startswith("Best trial in the final comparison, 5 seed(s). ")
    assert "Best trial, seed 4" in run.figure("curves_accuracy").content.decode()
    assert run.figure("curves_accuracy").caption == "Final comparison, one line a seed."
