"""Pre-training outside a search: an encoder file from one call, in this process or on workers."""

from __future__ import annotations

import contextlib
import os
import warnings
from dataclasses import dataclass

import torch
from rich.console import Console
from torch.utils.tensorboard import SummaryWriter

from slr_ray.documents.svg import as_file
from slr_ray.experiment.encoder_file import FORMAT
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.pretraining import (
    cancelled_flip,
    pretrained_encoder,
    pretraining_key,
    pretraining_task,
    save_encoder,
)
from slr_ray.progress import ProgressBar
from slr_ray.records.claim import claim
from slr_ray.records.measured import PretrainingEpoch
from slr_ray.records.stages import StageStore
from slr_ray.reporting.board import Board
from slr_ray.single.curves import pretraining_curves
from slr_ray.single.on_workers import train_on_workers, worker_counts
from slr_ray.storage import Store, absolute, below, masked
from slr_ray.training.pretraining.loop import CollapseWarning, PretrainedEncoder
from slr_ray.training.pretraining.plan import plan
from slr_ray.workers.place import Place, this_place
from slr_ray.workers.run_options import GroupOptions


@dataclass(frozen=True)
class EncoderTraining:
    """A pre-training whose result is its stage. Plain data."""

    location: str
    config: Experiment
    seed: int
    key: str

    @property
    def name(self) -> str:
        return f"seed_{self.seed}"

    @property
    def store(self) -> Store:
        return Store(self.location)

    @property
    def stages(self) -> StageStore:
        return StageStore(self.store.join("stages"))

    def is_done(self) -> bool:
        return self.stages.exists(self.key)

    def train(self, place: Place, console: Console) -> None:
        self.train_opened(Opener().prepare(self.config), place, console)

    def train_opened(self, prepared: Prepared, place: Place, console: Console) -> PretrainedEncoder:
        """Pre-train, or take the stage where it is there; the leader's curves go to the board."""
        if place.agreed(self.is_done()):
            return pretrained_encoder(prepared, self.seed, self.stages, place)
        section = prepared.pretraining
        steps = plan(section, len(prepared.pretraining_clips), place.world_size)
        with (
            Board(self.store, "pretraining") if place.leads else contextlib.nullcontext() as board,
            ProgressBar(console, "pre-training", steps.num_steps) as bar,
            warnings.catch_warnings(),
        ):
            # Told by `on_epoch` in the command's own words.
            warnings.simplefilter("ignore", CollapseWarning)
            warned = False

            def on_epoch(record: PretrainingEpoch) -> None:
                nonlocal warned
                if not bar.done:
                    bar.found(record.num_steps - steps.steps_per_epoch)
                bar.to(record.num_steps, f"loss {record.loss:.4g} std {record.embedding_std:.3f}")
                if board is not None:
                    _scalars(board.writer, record)
                if record.embedding_std < section.collapse_threshold and not warned:
                    warned = True
                    console.print(
                        f"warning: the embedding collapsed: standard deviation "
                        f"{record.embedding_std:.3g} of 1 in epoch {record.epoch}"
                    )

            trained = pretrained_encoder(prepared, self.seed, self.stages, place, on_epoch)
            bar.to(trained.num_steps)
        return trained


def run_pretraining(
    prepared: Prepared,
    seed: int,
    out: str,
    num_threads: int | None,
    console: Console,
    group: GroupOptions | None = None,
) -> str:
    """Pre-train as the experiment's `initialisation` says; returns where the encoder file is.

    `out` gets encoder.pt, history.json, curves.svg, tensorboard/, and a checkpoint in stages/ with
    which a repeated call goes on. With `group` on its workers, else in this process.
    """
    task = pretraining_task(prepared, seed)
    steps = [plan(task.config, len(task.clips), count) for count in worker_counts(group)][-1]
    store = Store(absolute(out))
    store.check_writable()
    torch.set_num_threads(num_threads or os.cpu_count() or 1)
    with store.held():
        key = pretraining_key(prepared, seed)
        claim(store, "pretrain", "pre-training", {"format": FORMAT, "key": key})
        console.print(f"{task.config.objective.kind} on {task.clips.described()}")
        note = cancelled_flip(prepared)
        if note is not None:
            console.print(note)
        training = EncoderTraining(store.location, prepared.config, seed, key)
        if group is not None:
            train_on_workers([training], prepared, group, num_threads, store, console)
        trained = training.train_opened(prepared, this_place(), console)
        _write(prepared, seed, store, trained)
    rate = trained.num_steps * steps.batch_size / trained.training_s
    last = trained.epochs[-1]
    console.print(
        f"{trained.num_steps} steps, {rate:.0f} clips/s, loss {last.loss:.4g}, "
        f"embedding's standard deviation {last.embedding_std:.3f}"
    )
    written = masked(below(out, "encoder.pt"))
    console.print(f"encoder: {written}", soft_wrap=True)
    return written


def _scalars(writer: SummaryWriter, record: PretrainingEpoch) -> None:
    for name in ("loss", "learning_rate", "embedding_std"):
        writer.add_scalar(f"pretraining/{name}", getattr(record, name), record.num_steps)
    for step in record.steps:
        for name in ("loss", "embedding_std"):
            writer.add_scalar(f"pretraining/step/{name}", getattr(step, name), step.num_steps)
    writer.flush()


def _write(prepared: Prepared, seed: int, store: Store, trained: PretrainedEncoder) -> None:
    section = pretraining_task(prepared, seed).config
    title = f"{section.objective.kind}, {section.augmentation.kind} augmentation, seed {seed}"
    store.write_json("history.json", [one.model_dump() for one in trained.epochs])
    curves = pretraining_curves(trained.epochs, title, section.collapse_threshold)
    store.write_bytes("curves.svg", as_file(curves))
    save_encoder(prepared, seed, trained, store, "encoder.pt")
