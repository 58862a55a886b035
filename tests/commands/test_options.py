"""Every command's options, listed: a new one is a decision, made here as well."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import typer

from slr_ray.config import alternatives
from slr_ray.errors import ConfigError
from slr_ray.options import AUGMENTATIONS, OBJECTIVES, data_and_pool, laid_over
from slr_ray.training.pretraining.config import PretrainingConfig

GROUP = (
    "address cpus-per-worker gpus-per-worker min-workers shared-storage wait-at-most "
    "wait-for-nodes workers "
)
"""Of the commands that may train on several workers."""
OPTIONS = {
    "tune": "address data dry-run folds labelled-fraction labelled-per-gloss labelled-signers "
    "deterministic list-spaces max-concurrent max-cost max-cpu-hours max-failures max-gpu-hours "
    "max-lost num-samples num-trials price-per-hour resume seeds shared-storage skip-broken space "
    "storage time-budget trial-cpus trial-gpus trial-workers wait-at-most wait-for-nodes",
    "sweep": "address data dry-run folds gpu-hours list-tables max-concurrent resume seeds "
    "skip-broken storage table time-budget transfer trial-cpus trial-gpus "
    "trial-workers wait-for-nodes",
    "train": GROUP + "config data folds init labelled-fraction labelled-per-gloss labelled-signers "
    "num-seeds num-threads out seed skip-broken",
    "pretrain": GROUP
    + "all-clips augmentation config data epochs extra-data num-threads objective out "
    "preset seed skip-broken",
    "evaluate": "allow-seen-clips data encoder labelled-fraction labelled-per-gloss "
    "labelled-signers num-threads out protocol seeds skip-broken",
    "boundary": "algorithm budget config data num-frames num-threads out preset repeats seed "
    "skip-broken step-frames to-the-end",
    "compare": "address augmentations data extra-data folds labelled-fraction "
    "labelled-per-gloss labelled-signers max-concurrent objectives out preset seeds skip-broken "
    "trial-cpus trial-gpus",
    "robustness": "checkpoint data num-threads out",
    "predict": "checkpoint fps json models out skip-broken target-fps top",
    "extract": "address config corpus cpus-per-actor fps layout max-actors metadata min-actors "
    "models out pattern require-all retry-failed shard-size signer skip-broken videos "
    "wait-for-nodes",
    "report": "board out",
    "doctor": "address cluster data prune space storage trial-cpus trial-gpus trial-workers",
}


def options_of(name: str) -> set[str]:
    app = typer.Typer(add_completion=False)
    app.command()(getattr(importlib.import_module(f"slr_ray.{name}"), name))
    command: Any = typer.main.get_command(app)
    return {
        option.removeprefix("--")
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help"
    }


@pytest.mark.parametrize("name", OPTIONS)
def test_a_command_has_the_options_that_are_listed(name: str) -> None:
    assert options_of(name) == set(OPTIONS[name].split())


def test_help_texts_name_every_objective_and_augmentation() -> None:
    assert set(OBJECTIVES) == set(alternatives(PretrainingConfig, "objective"))
    assert set(AUGMENTATIONS) <= set(alternatives(PretrainingConfig, "augmentation"))


def test_options_say_nothing_where_they_are_not_given() -> None:
    assert data_and_pool(None) == {}
    assert data_and_pool("poses", skip_broken=True, labelled_signers=4) == {
        "data": {"kind": "shards", "location": "poses", "skip_broken": True},
        "pool": {"kind": "signers", "num_signers": 4},
    }
    per_gloss = {"kind": "per_gloss", "num_clips": 3}
    assert data_and_pool(None, labelled_per_gloss=3)["pool"] == per_gloss
    assert data_and_pool(None, labelled_fraction=0.1)["pool"]["fraction"] == 0.1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"labelled_fraction": 0.1, "labelled_signers": 2}, "not both"),
        ({"labelled_fraction": 0.1, "labelled_per_gloss": 2}, "--labelled-per-gloss, not both"),
        ({"labelled_fraction": 1.0, "labelled_per_gloss": 2, "labelled_signers": 3}, "not all"),
        ({"skip_broken": True}, "give --data too"),
    ],
)
def test_options_that_contradict_each_other_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        data_and_pool(None, **given)


def test_overrides_lie_on_top_and_change_nothing_below() -> None:
    sections = {"pool": {"kind": "all"}}
    over = laid_over(sections, ["pool.kind=signers", "pool.num_signers=3", "training.mixup=0.2"])
    assert over == {"pool": {"kind": "signers", "num_signers": 3}, "training": {"mixup": 0.2}}
    assert sections == {"pool": {"kind": "all"}}


@pytest.mark.parametrize(
    ("options", "override", "words"),
    [
        ({"labelled_fraction": 0.2}, "pool.fraction=0.5", "contradicts --labelled-fraction 0.2"),
        ({"labelled_per_gloss": 2}, "pool.kind=all", "contradicts --labelled-per-gloss 2"),
        ({"labelled_signers": 2}, "pool={kind: all}", "contradicts --labelled-signers 2"),
        ({"data": "poses"}, "data.kind=embedded", "contradicts --data poses"),
        ({"data": "poses"}, "data.location=others", "contradicts --data poses"),
    ],
)
def test_an_override_that_contradicts_an_option_is_refused(
    options: dict[str, Any], override: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        data_and_pool(options.pop("data", None), [override], **options)


def test_an_override_may_add_to_an_option_or_repeat_it() -> None:
    """The first is laid over it later."""
    given = ["pool.open_data=[more]", "pool.num_clips=3", "data.glosses=5", "model.width=8"]
    assert data_and_pool("poses", given, labelled_per_gloss=3) == {
        "data": {"kind": "shards", "location": "poses"},
        "pool": {"kind": "per_gloss", "num_clips": 3},
    }
