"""Several processes on one GPU: trials beside each other, torch.distributed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from unittest import mock

import torch
from torch import distributed

from benchmarks.gpu.check import Finding, within
from benchmarks.gpu.experiments import difference, gradient, without_dropout
from benchmarks.gpu.setting import Setting
from benchmarks.recogniser import BareModel, opened
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.seed_run import prepare_seed
from slr_ray.methods.sslr import rounds
from slr_ray.records.stages import StageStore
from slr_ray.storage import Store
from slr_ray.workers.place import Place, process_group

_SEED = 0
_SPACE_STEPS = 3200
"""Of a trial of the space sslr_thresholds: two label draws, four rounds, 400 steps each."""


def trials(setting: Setting) -> Iterator[Finding]:
    """Small trials in as many processes; nothing here touches the GPU before they are forked.

    The most of them once more with CUDA's Multi-Process Service, where there is one: without it
    the GPU works for one process at a time.
    """
    training = {"num_epochs": 1, "steps_per_epoch": setting.choose(50, 2)}
    sections = {
        "pool": {"kind": "fraction", "fraction": 0.1},
        "method": {"kind": "sslr", "num_rounds": 1},
    }
    prepared = Opener().prepare(setting.experiment("modern", training, sections))
    counts = setting.choose((1, 4, 16), (1, 2))
    for count in counts:
        yield _trials(setting, prepared, count, f"{count} at a time")
    with _multi_process_service() as there_is_one:
        if there_is_one:
            yield _trials(setting, prepared, counts[-1], f"{counts[-1]} at a time, with MPS")


def _trials(setting: Setting, prepared: Prepared, count: int, what: str) -> Finding:
    ended = _at_once(setting, prepared, count)
    elapsed = max(one.end for one in ended) - min(one.start for one in ended)
    rate = sum(one.num_steps for one in ended) / elapsed
    memory = sum(one.gpu_bytes for one in ended) / 2**30
    return Finding(
        f"{what}: {3600 * count / elapsed:,.0f} trials of {ended[0].num_steps} "
        f"steps an hour, {rate:.3g} steps/s (of the space sslr_thresholds, "
        f"{_SPACE_STEPS:,} steps a trial: {3600 * rate / _SPACE_STEPS:,.0f} an hour), "
        f"{memory:.1f} GiB of the GPU"
    )


@contextlib.contextmanager
def _multi_process_service() -> Iterator[bool]:
    """A server of its own for the processes that start meanwhile; whether there is one."""
    control = shutil.which("nvidia-cuda-mps-control")
    if control is None:
        yield False
        return
    with tempfile.TemporaryDirectory() as folder:
        places = {f"CUDA_MPS_{one}_DIRECTORY": f"{folder}/{one}" for one in ("PIPE", "LOG")}
        for place in places.values():
            Path(place).mkdir()
        with mock.patch.dict(os.environ, places):
            try:
                yield subprocess.run([control, "-d"]).returncode == 0
            finally:
                subprocess.run([control], input=b"quit", capture_output=True)


@dataclass(frozen=True)
class _Ended:
    start: float
    end: float
    num_steps: int
    gpu_bytes: int


def _at_once(setting: Setting, prepared: Prepared, count: int) -> list[_Ended]:
    context = setting.processes
    barrier, results = context.Barrier(count), context.SimpleQueue()
    arguments = (setting, prepared, barrier, results)
    processes = [context.Process(target=_trial_process, args=arguments) for _ in range(count)]
    for one in processes:
        one.start()
    for one in processes:
        one.join()
    failed = sum(one.exitcode != 0 for one in processes)
    if failed:
        raise RuntimeError(f"{failed} of {count} trials at a time failed")
    return [results.get() for _ in processes]


def _trial_process(
    setting: Setting, prepared: Prepared, barrier: Barrier, results: SimpleQueue[_Ended]
) -> None:
    torch.set_num_threads(1)
    try:
        place = setting.place()
        # The first call loads what the measured one uses.
        _trial(prepared, place)
        barrier.wait()
        start = time.monotonic()
        num_steps = _trial(prepared, place)
        end = time.monotonic()
    except BaseException:
        # The others would wait for ever.
        barrier.abort()
        raise
    on_gpu = place.device.type == "cuda"
    memory = torch.cuda.max_memory_reserved(place.device) if on_gpu else 0
    results.put(_Ended(start, end, num_steps, memory))


def _trial(prepared: Prepared, place: Place) -> int:
    """Steps of all its rounds, trained anew."""
    with tempfile.TemporaryDirectory() as folder:
        done = list(rounds(prepare_seed(prepared, _SEED, StageStore(Store(folder)), place)))
    return sum(one.record.num_steps for one in done)


def collectives(setting: Setting) -> Iterator[Finding]:
    """One rank alone: the group, what the product asks of it, and a step through it."""
    place = setting.place()
    config = without_dropout(setting.experiment("spoter_small", {}))
    own = opened(config)
    with (
        tempfile.TemporaryDirectory() as folder,
        process_group(f"file://{folder}/group", rank=0, world_size=1),
    ):
        values = torch.arange(1024.0, device=place.device)
        summed, gathered, told = values.clone(), [torch.empty_like(values)], ["a text"]
        distributed.all_reduce(summed)
        distributed.all_gather(gathered, values)
        distributed.broadcast_object_list(told, src=0, device=place.device)
        distributed.barrier()
        is_right = torch.equal(summed, values) and torch.equal(gathered[0], values)
        yield Finding(f"sums and rows through {distributed.get_backend()}", not is_right)
        alone, through = (BareModel(config, own, place) for _ in range(2))
        # Said to be one of two, so that it is wrapped as for several workers.
        through.forward = Place(place.device, 0, 2).replicated(through.model)
        what = "gradient through DistributedDataParallel"
        yield within(what, difference(gradient(through), gradient(alone)), 1e-4)
