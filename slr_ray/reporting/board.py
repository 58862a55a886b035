"""TensorBoard files: curves by epoch and by round, pseudo-labels, and HParams."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from slr_ray.records.measured import Metrics, SeedRecord
from slr_ray.storage import Store

_CURVES = ("loss", "accuracy", "balanced_accuracy", "macro_f1", "calibration_error")


@contextlib.contextmanager
def open_board(store: Store, name: str) -> Iterator[SummaryWriter]:
    """A writer of `tensorboard/NAME` in the run; behind a URI the files go there at the end."""
    folder = f"tensorboard/{name}"
    if store.is_local:
        with SummaryWriter(str(store.local_path(folder))) as writer:
            yield writer
        return
    with tempfile.TemporaryDirectory() as temporary:
        with SummaryWriter(temporary) as writer:
            yield writer
        for file in Path(temporary).iterdir():
            store.write_bytes(f"{folder}/{file.name}", file.read_bytes())


def write_curves(writer: SummaryWriter, seeds: list[SeedRecord]) -> None:
    """Every seed's curves. Steps of `epoch/` are gradient steps, those of `round/` are rounds."""
    for seed in seeds:
        for epoch in seed.epochs:
            prefix = f"epoch/seed_{seed.seed}"
            writer.add_scalar(f"{prefix}/training_loss", epoch.training_loss, epoch.num_steps)
            writer.add_scalar(f"{prefix}/learning_rate", epoch.learning_rate, epoch.num_steps)
            _metrics(writer, f"{prefix}/validation", epoch.validation, epoch.num_steps)
            if epoch.unlabelled is not None:
                # The precision is for reading only: hidden labels decide nothing.
                for name, value in epoch.unlabelled.model_dump().items():
                    if value is not None:
                        writer.add_scalar(f"{prefix}/{name}", value, epoch.num_steps)
        for one in seed.rounds:
            prefix = f"round/seed_{seed.seed}"
            _metrics(writer, f"{prefix}/validation", one.validation, one.round)
            writer.add_scalar(f"{prefix}/num_pseudo_labels", one.num_pseudo_labels, one.round)
            if one.audit is not None and one.audit.precision is not None:
                # For reading only: hidden labels decide nothing.
                writer.add_scalar(
                    f"{prefix}/audit_pseudo_label_precision", one.audit.precision, one.round
                )


def write_hparams(
    writer: SummaryWriter, params: dict[str, Any], metrics: dict[str, float], round_: int
) -> None:
    """The row of TensorBoard's HParams table: searched values and final metrics."""
    plain = {
        name: value if isinstance(value, bool | int | float | str) else str(value)
        for name, value in params.items()
    }
    tagged = {f"hparam/{name}": value for name, value in metrics.items()}
    for summary in hparams(plain, tagged):
        writer.file_writer.add_summary(summary)
    for name, value in tagged.items():
        writer.add_scalar(name, value, round_)


def _metrics(writer: SummaryWriter, prefix: str, metrics: Metrics, step: int) -> None:
    for name in _CURVES:
        writer.add_scalar(f"{prefix}/{name}", getattr(metrics, name), step)
