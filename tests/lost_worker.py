"""`slr_ray.train` and `slr_ray.pretrain`, one of whose two workers kills itself once in mid-round.

`python lost_worker.py pretrain ...` takes the options of the command. Checkpoints are written at
the end of each epoch; OUT/epochs tells which ones the worker that leads began.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from rich.console import Console

from slr_ray.records.stages import Checkpoint, StageStore
from slr_ray.single.pretrain import EncoderTraining
from slr_ray.single.train import SeedTraining
from slr_ray.training.loop import _Loop
from slr_ray.training.pretraining.loop import PretrainingLoop
from slr_ray.workers.place import Place

_LAST_EPOCH = 2


@contextlib.contextmanager
def struck(loop: Any, location: str) -> Iterator[None]:
    """In the body the worker that does not lead ends once, behind an epoch of `loop`."""
    run_epoch, checkpoint = loop.run_epoch, StageStore.checkpoint
    struck_before = Path(location) / "struck"

    def run_and_strike(self: Any) -> Any:
        if self.place.leads:
            with (Path(location) / "epochs").open("a") as told:
                print(self.progress.epoch, file=told)
        record = run_epoch(self)
        if self.progress.epoch > _LAST_EPOCH and not self.place.leads:
            with contextlib.suppress(FileExistsError):
                struck_before.touch(exist_ok=False)
                os.kill(os.getpid(), signal.SIGKILL)
        return record

    def often(self: StageStore, key: str) -> Checkpoint:
        return replace(checkpoint(self, key), every_s=0.0)

    with (
        mock.patch.object(loop, "run_epoch", run_and_strike),
        mock.patch.object(StageStore, "checkpoint", often),
    ):
        yield


class StruckEncoder(EncoderTraining):
    def train(self, place: Place, console: Console) -> None:
        with struck(PretrainingLoop, self.location):
            super().train(place, console)


class StruckSeed(SeedTraining):
    def train(self, place: Place, console: Console) -> None:
        with struck(_Loop, self.location):
            super().train(place, console)


if __name__ == "__main__":
    with (
        mock.patch("slr_ray.single.pretrain.EncoderTraining", StruckEncoder),
        mock.patch("slr_ray.single.train.SeedTraining", StruckSeed),
    ):
        from slr_ray.pretrain import main as pretrain
        from slr_ray.train import main as train

        command = sys.argv.pop(1)
        {"pretrain": pretrain, "train": train}[command]()
