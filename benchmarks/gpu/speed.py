"""How fast a GPU trains and pre-trains, and what it could."""

from __future__ import annotations

import resource
import statistics
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch

from benchmarks import ensemble
from benchmarks.gpu.check import Finding, within
from benchmarks.gpu.experiments import difference, times, trained
from benchmarks.gpu.resident import ResidentClips
from benchmarks.gpu.setting import Setting
from benchmarks.rates import best_rate, data_sheet_rate, operations
from benchmarks.recogniser import BareModel, opened
from benchmarks.timing import in_turns
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.pretraining import pretraining_task
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.reading import read
from slr_ray.records.environment import environment
from slr_ray.training.batches import model_input
from slr_ray.training.pretraining.loop import PretrainingLoop
from slr_ray.training.problem import Problem
from slr_ray.workers.place import Place

_SEED = 0
_MICRO_BATCHES = (None, 256, 128, 64)


def machine(setting: Setting) -> Iterator[Finding]:
    device, found = setting.place().device, environment()
    if device.type == "cuda":
        memory = torch.cuda.get_device_properties(device).total_memory / 2**30
        yield Finding(f"{found['gpus'][0]}, {memory:.0f} GiB, CUDA {torch.version.cuda}")
    yield Finding(f"{found['num_cpus']} x {found['processor']}, torch {torch.__version__}")
    yield Finding(f"commit {found['commit']}")
    side = setting.choose(None, 128)
    for precision in ("float32", "bfloat16"):
        rate = best_rate(device, precision, side)
        yield Finding(f"one product in {precision}: {rate / 1e12:.3g} TFLOP/s")


def throughput(setting: Setting) -> Iterator[Finding]:
    place = setting.place()
    product = best_rate(place.device, "bfloat16", setting.choose(None, 128))
    sheet = data_sheet_rate(place.device)
    for preset, full_size, full_steps in (
        ("published", 1, 50),
        ("published", 256, 10),
        ("spoter_small", 48, 25),
        ("modern", 48, 25),
        ("modern", 512, 8),
    ):
        batch_size, steps = setting.choose((full_size, full_steps), (4, 2))
        training = {"precision": "bfloat16", "batch_size": batch_size}
        config = setting.experiment(preset, {**training, "num_epochs": 3, "steps_per_epoch": steps})
        own = opened(config)
        clips = batch_size * steps
        loop_s = min(one.seconds for one in trained(config, own, place)[1:])
        yield Finding(
            f"{preset}, batches of {batch_size}: {clips / loop_s:,.0f} clips/s in the loop"
        )
        bare = BareModel(config, own, place)
        taken = in_turns({"bare": partial(bare.steps, steps)}, 2, place.device)
        rate = operations(bare.step) * steps / min(taken["bare"])
        shares = f"{100 * rate / product:.2g} % of one product's rate"
        if sheet is not None:
            shares += f", {100 * rate / sheet:.2g} % of the data sheet's"
        yield Finding(
            f"{preset}, batches of {batch_size}: {clips / min(taken['bare']):,.0f} clips/s bare "
            f"({rate / 1e12:.2g} TFLOP/s, {shares})"
        )


def pretraining(setting: Setting) -> Iterator[Finding]:
    place = setting.place()
    for micro_batch_size in _MICRO_BATCHES:
        try:
            found = _pretraining(setting, place, micro_batch_size)
        except torch.OutOfMemoryError:
            yield Finding(f"out of memory with micro-batches of {micro_batch_size or 'all'} clips")
        else:
            yield Finding(found)
            return
    yield Finding("it does not fit at all", is_problem=True)


def _pretraining(setting: Setting, place: Place, micro_batch_size: int | None) -> str:
    section = {
        "kind": "pretraining",
        "batch_size": setting.choose(512, 16),
        "micro_batch_size": micro_batch_size,
        "precision": "bfloat16",
    }
    config = setting.experiment("ssl_slr", {}, {"initialisation": section})
    task = pretraining_task(Opener().prepare(config), _SEED)
    loop = PretrainingLoop(task, place)
    loop.replica.train()
    rows = np.random.default_rng(_SEED).permutation(len(task.clips))[: loop.plan.batch_size]
    clips = read(task.clips, rows, task.max_frames)
    step = partial(loop.step, clips, torch.Generator().manual_seed(_SEED))
    if place.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(place.device)
    taken = in_turns({"a step": step}, setting.choose(10, 1), place.device)
    rate = operations(step) / statistics.median(taken["a step"])
    weights = sum(one.numel() for one in loop.objective.encoder.parameters())
    return (
        f"{len(rows)} clips of up to {int(clips.num_frames.max())} frames, encoder of {weights:,} "
        f"weights, micro-batches of {micro_batch_size or 'all'}: {times(taken)}, "
        f"{len(rows) / statistics.median(taken['a step']):,.0f} clips/s, {rate / 1e12:.2g} "
        f"TFLOP/s, {_peak_memory(place.device)}"
    )


def _peak_memory(device: torch.device) -> str:
    if device.type == "cuda":
        return f"at most {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB of the GPU"
    return f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB"


def resident(setting: Setting) -> Iterator[Finding]:
    place = setting.place()
    for batch_size in setting.choose((48, 512), (8,)):
        config = setting.experiment("modern", {"batch_size": batch_size})
        yield from _resident(config, opened(config), place, setting.choose(10, 1))


def _resident(
    config: Experiment, own: Problem, place: Place, num_repeats: int
) -> Iterator[Finding]:
    size, num_frames = config.training.batch_size, config.training.max_frames
    if num_frames is None:
        raise TypeError("clips are resident thinned: give training.max_frames")
    clips = ResidentClips(own.clips, own.labelled, place.device)
    rows = np.random.default_rng(_SEED).permutation(len(own.labelled))[:size]
    draw = torch.Generator().manual_seed(_SEED)
    for name, own_draw in (("even", None), ("drawn", draw)):
        plain = read(own.clips, own.labelled[rows], num_frames, own_draw)
        draw.manual_seed(_SEED)
        picked = clips.read(rows, num_frames, own_draw)
        far = difference(picked.positions, plain.positions)
        yield within(f"batches of {size}: {name} frames", far, 0.0)
    ways: dict[str, Callable[[], PoseBatch]] = {
        "read": lambda: read(own.clips, own.labelled[rows], num_frames, draw).to(place.device),
        "picked": lambda: clips.read(rows, num_frames, draw),
    }

    def views(way: Callable[[], PoseBatch]) -> None:
        model_input(way(), own.normalisation, own.augmentation, draw)

    with_views = {f"{name}, with views": partial(views, way) for name, way in ways.items()}
    taken = in_turns({**ways, **with_views}, num_repeats, place.device)
    yield Finding(f"batches of {size}: {times(taken)}")


def stacked(setting: Setting) -> Iterator[Finding]:
    place = setting.place()
    for preset in ensemble.PRESETS:
        config = setting.experiment(preset, {})
        for count in setting.choose((1, 4, 16), (2,)):
            found = ensemble.compared(config, count, place, setting.choose(5, 1))
            yield within(f"{preset}, {count} models: losses", found.difference, 1e-2)
            yield Finding(f"{preset}, {count} models: {found.text}")
