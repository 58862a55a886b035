"""Validation's labels train as well: counted so, chosen by nothing, refused where they choose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiment_factory import EMBEDDED, new_run, opened
from sentence_experiments import SENTENCES
from sweep_factory import new_sweep, run_here

from slr_ray.boundary import boundary
from slr_ray.config import merge
from slr_ray.errors import ConfigError
from slr_ray.experiment.data_summary import pool_text
from slr_ray.experiment.experiment import build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.measured import train_and_measure
from slr_ray.records.stages import StageStore, stage_key
from slr_ray.records.sweeps import CellRecord
from slr_ray.search.search_run import check_data
from slr_ray.storage import Store
from slr_ray.workers.place import this_place

BASE: dict[str, Any] = {
    "data": EMBEDDED,
    "pool": {"kind": "per_gloss", "num_clips": 2},
    "model": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1},
    "training": {"num_epochs": 2, "steps_per_epoch": 3, "batch_size": 16, "max_frames": 8},
    "method": {"kind": "supervised"},
}
LEARNT = {"training": {"with_validation": True, "keep": "last"}}


def prepared(*changes: dict[str, Any]) -> Prepared:
    tree = BASE
    for one in changes:
        tree = merge(tree, one)
    return opened(build_experiment(tree, "test"))


def test_validation_is_labelled_and_counted_as_training() -> None:
    plain, learnt = prepared(), prepared(LEARNT)
    own, more = plain.pool(0), learnt.pool(0)
    validation = plain.split.validation
    np.testing.assert_array_equal(more.labelled, np.union1d(own.labelled, validation))
    np.testing.assert_array_equal(more.unlabelled, own.unlabelled)
    assert (plain.num_validation, learnt.num_validation) == (len(validation), 0)
    assert learnt.num_training_labels == plain.num_training_labels + len(validation)
    assert f"+ {len(validation)} for validation" in pool_text(plain, 0)
    assert f"validation's {len(validation)} among them" in pool_text(learnt, 0)
    np.testing.assert_array_equal(learnt.problem(0).labelled, more.labelled)
    assert not np.isin(learnt.split.test, more.labelled).any()


def test_a_gloss_that_validation_alone_knows_is_no_longer_missing() -> None:
    pool = {"pool": {"kind": "signers", "num_signers": 1}}
    plain, learnt = prepared(pool), prepared(pool, LEARNT)
    names = {plain.corpus.glosses[one] for one in plain.corpus.glosses_in(plain.split.validation)}
    assert set(plain.pool(0).missing_glosses) - names == set(learnt.pool(0).missing_glosses)


def test_stages_of_experiments_without_it_keep_their_keys() -> None:
    plain, learnt = prepared().stage_facts(), prepared(LEARNT).stage_facts()
    assert "with_validation" not in plain["training"]
    assert learnt["training"]["with_validation"] is True
    assert stage_key(**plain) != stage_key(**learnt)


def test_rounds_end_with_the_last_whatever_validation_says(tmp_path: Path) -> None:
    method = {"kind": "sslr", "num_rounds": 2, "pseudo_labels": "reselect"}
    method["selection"] = {"kind": "quantile", "share": 0.5}  # type: ignore[assignment]
    one = prepared({"method": method}, LEARNT)
    found = train_and_measure(one, 0, StageStore(Store(str(tmp_path))), this_place())
    trained = found.record.trained
    assert trained is not None
    assert trained.best_round == len(trained.rounds) - 1
    assert trained.num_labelled == len(one.pool(0).labelled)


def test_a_table_counts_no_label_that_chooses(tmp_path: Path) -> None:
    table: dict[str, Any] = {
        "name": "learnt",
        "title": "Learnt",
        "base": BASE,
        "grid": {"pool.num_clips": [2]},
        "settings": [{"name": "learnt", "title": "Learnt", "config": LEARNT}],
        "figures": ["accuracy"],
    }
    sweep = new_sweep(tmp_path, table, name="learnt", seeds=1)
    run_here(sweep)
    (cell,) = sweep.plan.cells.values()
    record = cell.folder.read_record(CellRecord)
    assert record.num_validation == 0
    assert record.num_labelled == len(prepared(LEARNT).pool(0).labelled)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"training": {"keep": "best"}}, "add training.keep=last"),
        ({"training": {"patience_epochs": 3}}, "set training.patience_epochs=null"),
        ({"method": {"kind": "sslr", "patience_rounds": 1}}, "set method.patience_rounds=null"),
        ({"method": {"kind": "sslr", "calibration": "temperature"}}, "calibration=folds"),
        ({"method": {"kind": "sslr", "reject": {"kind": "energy"}}}, "set method.reject=null"),
        (
            {"method": {"kind": "consistency", "reject": {"kind": "energy"}}},
            "set method.reject=null",
        ),
        ({"method": {"kind": "linear"}}, "chooses its regularisation"),
    ],
)
def test_what_chooses_by_them_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=r"test: training\.with_validation=true.*" + told):
        build_experiment(merge(merge(BASE, LEARNT), changes), "test")


def test_searches_and_measurements_that_choose_refuse_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match="a search does; leave it out"):
        check_data(new_run(tmp_path, **{"training": {**BASE["training"], **LEARNT["training"]}}))
    learnt = ["training.with_validation=true", "training.keep=last"]
    with pytest.raises(SystemExit):
        boundary(learnt)
    assert "this command does" in capsys.readouterr().err
    window: dict[str, Any] = {
        "name": "window",
        "title": "Window",
        "base": merge(SENTENCES, LEARNT),
        "grid": {"pool.kind": ["all"]},
        "settings": [{"name": "window", "title": "Window", "measure": {"kind": "sliding_window"}}],
        "figures": ["wer"],
    }
    with pytest.raises(ConfigError, match=r"measure\.kind=sliding_window does"):
        new_sweep(tmp_path, window, name="window").plan  # noqa: B018


def test_sentences_of_validation_train() -> None:
    learnt = Opener().prepare(build_experiment(merge(SENTENCES, LEARNT), "test"))
    assert np.isin(learnt.split.validation, learnt.problem(0).labelled).all()
