"""What `train` and `pretrain` ask of machines, refused before any work where it can't be."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch

from slr_ray.errors import ConfigError
from slr_ray.storage import Store
from slr_ray.workers.execution import Workers, run_on_workers
from slr_ray.workers.nodes import check_fits, check_resources
from slr_ray.workers.run_options import ClusterOptions, group_options

ADDRESS = "127.0.0.1:6379"


def asked(workers: int | None = None, address: str | None = None, **others: Any) -> Workers:
    options = group_options(workers, address, **others)
    assert options is not None
    return options.workers()


@pytest.mark.parametrize("workers", [None, 1])
def test_one_worker_here_is_this_process(workers: int | None) -> None:
    assert group_options(workers, None, gpus_per_worker=None, wait_for_nodes=False) is None
    for others in ({"gpus_per_worker": 1.0}, {"wait_at_most_s": 60.0}, {"shared_storage": True}):
        (name,) = others
        option = name.removesuffix("_s").replace("_", "-")
        with pytest.raises(ConfigError, match=f"leave out --{option}"):
            group_options(workers, None, **others)


def test_what_is_given_is_asked_for() -> None:
    for name in ("cpus_per_worker", "wait_at_most_s"):
        with pytest.raises(ConfigError, match=rf"{name}: .*greater than 0 \(got 0\.0\)"):
            asked(2, **{name: 0.0})
    workers = asked(4, cpus_per_worker=2.0, gpus_per_worker=1.0)
    assert (workers.num_workers, workers.fewest) == (4, 4)
    assert workers.described() == "4 times 2 CPU and 1 GPU"
    assert asked(None, ADDRESS, gpus_per_worker=0.5).described() == "1 CPU and 0.5 GPU"
    elastic = asked(4, ADDRESS, min_workers=2)
    assert elastic.described() == "2 to 4 times 1 CPU"
    node = {"CPU": 1.0}
    assert [elastic.fit_on([node] * count) for count in (1, 2, 3)] == [False, True, True]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"gpus_per_worker": 0.5}, "--gpus-per-worker 0.5 with --workers 2: several"),
        ({"min_workers": 2, "address": ADDRESS}, "--min-workers 2: fewer than --workers 2"),
        ({"min_workers": 1}, "--min-workers 1: workers come and go on a cluster only"),
    ],
)
def test_what_no_machine_could_give_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        asked(2, **given)


def test_machines_that_lack_it_are_told_by_the_options_of_the_command() -> None:
    workers = asked(4096, cpus_per_worker=1.0)
    with pytest.raises(ConfigError, match="--workers 4096 x --cpus-per-worker 1 = 4096 processors"):
        check_resources(ClusterOptions(), workers)
    gpus = asked(2, gpus_per_worker=32.0)
    with pytest.raises(ConfigError, match="--workers 2 x --gpus-per-worker 32 = 64 GPUs"):
        check_resources(ClusterOptions(), gpus)
    node = {"Alive": True, "Resources": {"CPU": 2.0}}
    told = "the training asks for 4096 .* lower --gpus-per-worker, --cpus-per-worker or --workers"
    with pytest.raises(ConfigError, match=told):
        check_fits([node], workers)


def test_workers_do_not_share_a_gpu_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    check_resources(ClusterOptions(), asked(2, gpus_per_worker=1.0))
    check_resources(ClusterOptions(), Workers())
    with pytest.raises(ConfigError, match="--workers 2 without GPUs would share the first"):
        check_resources(ClusterOptions(), asked(2))


class _Task:
    def run(self, place: Any, report: Any) -> None:
        raise AssertionError("no worker was started")


@pytest.mark.parametrize(("fewest", "told"), [(None, 4), (2, (2, 4))])
def test_ray_is_told_how_few_will_do(
    fewest: int | None, told: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = mock.Mock()
    monkeypatch.setattr("ray.train.torch.TorchTrainer", trainer)
    workers = asked(4, ADDRESS, min_workers=fewest)
    run_on_workers(_Task(), 1, workers, Store(str(tmp_path)), "seed_0", in_trial=False)
    scaling = trainer.call_args.kwargs["scaling_config"]
    assert (scaling.num_workers, scaling.elasticity_enabled) == (told, fewest is not None)
    trainer.return_value.fit.assert_called_once()


def test_ray_gets_short_ascii_names_that_are_stable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each task one; Ray Train's metrics take nothing else."""
    trainer = mock.Mock()
    monkeypatch.setattr("ray.train.torch.TorchTrainer", trainer)

    def told(name: str) -> str:
        run_on_workers(_Task(), 1, asked(2), Store(str(tmp_path)), name, in_trial=False)
        found: str = trainer.call_args.kwargs["run_config"].name
        return found

    names = ["a → b/gebärden", "a ← b/gebärden", "fold_0/seed_1", "g" * 300]
    found = [told(name) for name in names]
    assert [told(name) for name in names] == found
    assert len(set(found)) == len(names)
    assert all(re.fullmatch(r"\w{1,60}", one, re.ASCII) for one in found)
