"""Clips a second of a pre-training step: SL-FPN against SimSiam, BYOL and three separate passes.

    python -m benchmarks.pretraining [--data SHARD.parquet] [--encoder paper] [--precision bfloat16]

A step is views, forward, backward and optimiser, from the same clips in memory, through the loop
that `slr_ray.pretrain` uses. The paper's table 4 has SimSiam < SL-FPN < BYOL in time. The other
implementation of SL-FPN passes original and views through the encoder one after the other, moves
the parameters one by one and normalises and augments each clip by itself, as the usual data loader
does. On a GPU the share of the card's bfloat16 peak is printed, too.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.rates import data_sheet_rate, operations
from benchmarks.timing import in_turns
from slr_ray.config import merge
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.presets.presets import ENCODERS
from slr_ray.methods.pretraining import pretraining_task
from slr_ray.objectives.sl_fpn import SlFpn
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.reading import read
from slr_ray.training.batches import model_input
from slr_ray.training.prediction import autocast
from slr_ray.training.pretraining.loop import PretrainingLoop, PretrainingTask
from slr_ray.workers.place import this_place

_SEED = 0


def task(data: str | None, objective: str, given: argparse.Namespace) -> PretrainingTask:
    tree: dict[str, Any] = {
        "data": {"kind": "shards", "location": data} if data else {"kind": "embedded"},
        "model": ENCODERS[given.encoder],
        "training": {"max_frames": given.max_frames},
        "initialisation": {
            "kind": "pretraining",
            "objective": {"kind": objective},
            "batch_size": given.batch_size,
            "precision": given.precision,
            "compile": given.compile,
            "optimiser": {"kind": "adamw"},
        },
    }
    opener = Opener()
    config = opener.build(merge({"preset": "spoter_small"}, tree), "benchmark")
    return pretraining_task(opener.prepare(config), _SEED)


class ThreePasses:
    """SL-FPN written straight from the paper."""

    def __init__(self, own: PretrainingTask, objective: SlFpn, device: torch.device) -> None:
        self.task, self.objective, self.device = own, objective, device
        self.optimiser = torch.optim.AdamW(objective.parameters(), foreach=False)

    def step(self, clips: PoseBatch, generator: torch.Generator) -> None:
        objective = self.objective
        anchors: list[tuple[Tensor, Tensor]] = []
        firsts: list[tuple[Tensor, Tensor]] = []
        seconds: list[tuple[Tensor, Tensor]] = []
        for row in range(clips.num_clips):
            one = PoseBatch(
                clips.positions[row : row + 1],
                clips.confidence[row : row + 1],
                clips.num_frames[row : row + 1],
            )
            anchors.append(model_input(one, self.task.normalisation, None, None))
            for views in (firsts, seconds):
                augmentation = self.task.config.augmentation
                views.append(model_input(one, self.task.normalisation, augmentation, generator))
        embedded = []
        with autocast(self.device, self.task.config.precision):
            for views in (anchors, firsts, seconds):
                features, mask = _collated(views, self.device)
                embedded.append(objective.projector(objective.encoder(features, mask)).float())
            z0, z1, z2 = embedded
            if objective.predictor is None:
                raise ValueError("the published SL-FPN has a predictor")
            predicted = objective.predictor(z0).float()
        loss = functional.mse_loss(z1, z2) + functional.mse_loss(z0, z1)
        loss = loss + functional.mse_loss(predicted, z2.detach())
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimiser.step()
        loss.item()


def _collated(views: list[tuple[Tensor, Tensor]], device: torch.device) -> tuple[Tensor, Tensor]:
    features = nn.utils.rnn.pad_sequence([one[0][0] for one in views], batch_first=True)
    mask = nn.utils.rnn.pad_sequence([one[1][0] for one in views], batch_first=True)
    return features.to(device), mask.to(device)


def _repeat(call: Callable[[], object], count: int) -> None:
    for _ in range(count):
        call()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", help="pose shards instead of the embedded corpus")
    parser.add_argument("--encoder", choices=sorted(ENCODERS), default="small")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--max-frames", type=int, default=32)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--num-steps", type=int, default=2, help="steps of a measurement")
    parser.add_argument("--num-repeats", type=int, default=5)
    parser.add_argument("--num-threads", type=int, default=1)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.num_threads)
    place = this_place()
    on_gpu = place.device.type == "cuda"

    loops = {
        objective: PretrainingLoop(task(given.data, objective, given), place)
        for objective in ("sl_fpn", "simsiam", "byol")
    }
    own = loops["sl_fpn"].task
    size = loops["sl_fpn"].plan.batch_size
    rows = np.random.default_rng(_SEED).permutation(len(own.clips))[:size]
    clips = read(own.clips, rows, own.max_frames)
    print(
        f"{own.clips.parts[0][0].name}: {clips.num_clips} clips of up to "
        f"{int(clips.num_frames.max())} frames, encoder {given.encoder}, {given.precision}, "
        f"{torch.cuda.get_device_name() if on_gpu else f'{given.num_threads} thread(s)'}"
    )
    objective = PretrainingLoop(own, place).objective
    if not isinstance(objective, SlFpn):
        raise TypeError(type(objective).__name__)
    straight = ThreePasses(own, objective, place.device)
    generator = torch.Generator().manual_seed(_SEED)
    calls: dict[str, Callable[[], object]] = {
        name: partial(loop.step, clips, generator) for name, loop in loops.items()
    }
    calls["sl_fpn, three passes"] = partial(straight.step, clips, generator)

    num_steps = given.num_steps
    taken = in_turns(
        {name: partial(_repeat, call, num_steps) for name, call in calls.items()},
        given.num_repeats,
        place.device,
    )
    taken = {name: [one / num_steps for one in times] for name, times in taken.items()}
    medians = {name: statistics.median(times) for name, times in taken.items()}
    for name, median in medians.items():
        times = taken[name]
        print(
            f"{name}: {median * 1e3:.1f} ms a step, {clips.num_clips / median:.0f} clips/s "
            f"({min(times) * 1e3:.1f} to {max(times) * 1e3:.1f} ms)"
        )
    print(
        f"time of a step: SimSiam {medians['simsiam'] / medians['sl_fpn']:.2f}, SL-FPN 1, "
        f"BYOL {medians['byol'] / medians['sl_fpn']:.2f}"
    )
    if on_gpu:
        rate = operations(calls["sl_fpn"]) / medians["sl_fpn"]
        peak = data_sheet_rate(place.device)
        share = f", {100 * rate / peak:.1f} % of its bfloat16 peak" if peak else ""
        print(f"SL-FPN: {rate / 1e12:.1f} TFLOP/s{share}")
    print(f"ratio: {medians['sl_fpn, three passes'] / medians['sl_fpn']:.1f}")


if __name__ == "__main__":
    main()
