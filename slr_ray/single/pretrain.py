"""Pre-training outside a search: an encoder file from one call, without Ray."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path

import torch
from rich.console import Console
from torch.utils.tensorboard import SummaryWriter

from slr_ray.documents.svg import as_file
from slr_ray.experiment.encoder_file import FORMAT
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
from slr_ray.storage import Store, absolute
from slr_ray.training.pretraining.loop import CollapseWarning, PretrainedEncoder
from slr_ray.training.pretraining.plan import PretrainingPlan, plan
from slr_ray.workers.place import Place, joined_workers


def run_pretraining(
    prepared: Prepared,
    seed: int,
    out: Path,
    num_threads: int | None,
    console: Console | None = None,
) -> Path:
    """Pre-train as the experiment's `initialisation` says; returns the encoder file.

    `out` gets encoder.pt, history.json, curves.svg, tensorboard/, and a checkpoint in stages/ with
    which a repeated call goes on. Under torchrun all workers pre-train one encoder.
    """
    torch.set_num_threads(num_threads or os.cpu_count() or 1)
    store = Store(absolute(str(out)))
    with joined_workers() as place, contextlib.ExitStack() as held:
        console = console if console and place.leads else Console(quiet=not place.leads)
        task = pretraining_task(prepared, seed)
        steps = plan(task.config, len(task.clips), place.world_size)
        if place.leads:
            store.check_writable()
            held.enter_context(store.held())
            facts = {"format": FORMAT, "key": pretraining_key(prepared, seed)}
            claim(store, "pretrain", "pre-training", facts)
        console.print(f"{task.config.objective.kind} on {task.clips.described()}")
        note = cancelled_flip(prepared)
        if note is not None:
            console.print(note)
        trained = _run(prepared, seed, steps, store, place, console)
        if place.leads:
            _write(prepared, seed, store, trained)
    rate = trained.num_steps * steps.batch_size / trained.training_s
    last = trained.epochs[-1]
    console.print(
        f"{trained.num_steps} steps, {rate:.0f} clips/s, loss {last.loss:.4g}, "
        f"embedding's standard deviation {last.embedding_std:.3f}"
    )
    console.print(f"encoder: {out / 'encoder.pt'}", soft_wrap=True)
    return out / "encoder.pt"


def _run(
    prepared: Prepared,
    seed: int,
    steps: PretrainingPlan,
    store: Store,
    place: Place,
    console: Console,
) -> PretrainedEncoder:
    threshold = prepared.pretraining.collapse_threshold
    with (
        Board(store, "pretraining") if place.leads else contextlib.nullcontext() as board,
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
            if record.embedding_std < threshold and not warned:
                warned = True
                console.print(
                    f"warning: the embedding collapsed: standard deviation "
                    f"{record.embedding_std:.3g} of 1 in epoch {record.epoch}"
                )

        trained = pretrained_encoder(
            prepared, seed, StageStore(store.join("stages")), place, on_epoch
        )
        bar.to(trained.num_steps)
    return trained


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
