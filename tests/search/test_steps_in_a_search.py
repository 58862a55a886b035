"""Step-by-step semi-supervision as a trial and in the final comparison, without Ray."""

from __future__ import annotations

from pathlib import Path

import pytest
from experiment_factory import SPACE, new_run

from slr_ray.config import merge
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.experiment.supervised import SupervisedConfig
from slr_ray.experiment.validation_checks import check_validation
from slr_ray.methods.recogniser import Recogniser
from slr_ray.records.run_folder import RunFolder
from slr_ray.search.comparison.arms import Candidates, arm_cells
from slr_ray.search.context import RunContext
from slr_ray.search.draws import Draw
from slr_ray.search.search_run import check_data
from slr_ray.search.trial import TrialTask
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import RunOptions

STEPS = {"kind": "consistency", "weight": {"uniform": [0.5, 2.0]}}


def steps() -> Experiment:
    plain = {name: SPACE[name] for name in ("data", "pool", "model", "training")}
    return build_experiment(merge(plain, {"method": {"kind": "consistency"}}), "test")


def test_supervised_learning_takes_as_many_steps(tmp_path: Path) -> None:
    folder, config = RunFolder(str(tmp_path)), steps()
    context = RunContext(folder, "balanced_accuracy", (Draw(0),), 1)
    TrialTask(context, 0, config, {}, "searched").run(this_place(), lambda _: None)
    progress = folder.trial(0).read_progress()
    assert progress is not None
    (only,) = progress.seeds
    assert [one.round for one in only.rounds] == [0]
    assert only.epochs[-1].unlabelled is not None
    candidates = Candidates(config, config)
    records = {}
    for cell in arm_cells(context, {None: candidates}, [Draw(0)]):
        cell.run(this_place(), lambda _: None)
        records[cell.label] = cell.folder.arm()
    assert isinstance(candidates.supervised.method, SupervisedConfig)
    assert records["sslr_best"].num_steps == 2
    assert records["fsl_equal_steps"].num_steps == records["fsl"].num_steps == 2
    trained = records["fsl_equal_steps"].trained
    assert trained is not None
    assert trained.epochs[-1].unlabelled is None
    assert len(Recogniser.load(folder.arm("sslr_best", 0).checkpoint_location).glosses) == 4


def test_patience_does_not_cut_equal_steps_short(tmp_path: Path) -> None:
    """Nothing is learnt at such a rate, so patience ends every training that it may end."""
    plain = {name: SPACE[name] for name in ("data", "pool", "model", "training")}
    slow = {"num_epochs": 2, "patience_epochs": 1, "optimiser": {"learning_rate": 1e-12}}
    selection = {"kind": "top_per_gloss", "num_clips": 2, "confidence": 0.0}
    rounds = {"kind": "sslr", "num_rounds": 2, "selection": selection}
    config = build_experiment(merge(plain, {"training": slow, "method": rounds}), "test")
    context = RunContext(RunFolder(str(tmp_path)), "balanced_accuracy", (Draw(0),), 1)
    steps = {}
    for cell in arm_cells(context, {None: Candidates(config, config)}, [Draw(0)]):
        cell.run(this_place(), lambda _: None)
        steps[cell.label] = cell.folder.num_steps()
    assert steps["fsl_equal_steps"] == steps["sslr_best"] == 3 * steps["fsl"]


def test_the_last_model_needs_no_label_of_validation() -> None:
    plain = {name: SPACE[name] for name in ("data", "pool", "model", "training")}
    method = {"kind": "sslr", "calibration": "temperature", "patience_rounds": 1}
    config = build_experiment(
        merge(plain, {"training": {"patience_epochs": 2}, "method": method}), "test"
    )
    fixed = Candidates(config, config).fixed_schedule
    # Nothing chooses by validation: its labels could train as well.
    trains = fixed.training.model_copy(update={"with_validation": True})
    check_validation(fixed.model_copy(update={"training": trains}), "test")
    assert isinstance(fixed.method, SslrConfig)
    assert fixed.method.calibration == "folds"


def test_several_workers_are_refused_before_the_start(tmp_path: Path) -> None:
    run = new_run(tmp_path, method=STEPS)
    run.options = RunOptions(trial_workers=2)
    with pytest.raises(ConfigError, match="'consistency', which trains with one worker"):
        check_data(run)
