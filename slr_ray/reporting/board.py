"""TensorBoard files: curves by epoch and by round, and pseudo-labels.

TensorBoard reads folders of its own machine, and not our URIs. So the files of a run behind a URI
lie in the driver's cache, where TensorBoard shows them while trials run; a copy goes beside the run
when a trial has ended, and `fetch_board` brings it to any other machine.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from slr_ray.records.folds import draw_path
from slr_ray.records.measured import AnyMetrics, Metrics, SeedRecord
from slr_ray.storage import Store, cache_root, parted

_BOARD = "tensorboard"
_CURVES = ("loss", "accuracy", "balanced_accuracy", "macro_f1", "calibration_error")
_SENTENCE_CURVES = ("gloss_accuracy", "wer", "loss", "non_blank_share")


def board_folder(store: Store) -> Path:
    """The folder on this machine that TensorBoard is to read."""
    if store.is_local:
        return store.local_path(_BOARD)
    key = hashlib.sha256(store.location.encode()).hexdigest()[:8]
    return cache_root() / "boards" / f"{parted(store.location)[1]}-{key}"


def board_command(store: Store) -> str:
    """What shows the files, typed on the machine that drives the run."""
    return f"tensorboard --logdir {shlex.quote(str(board_folder(store)))}"


def fetch_board(store: Store) -> Path:
    """The same folder, with the files that another machine wrote."""
    folder = board_folder(store)
    if not store.is_local:
        names = [one.removeprefix(f"{_BOARD}/") for one in store.names(_BOARD)]
        missing = [one for one in names if not (folder / one).exists()]
        with ThreadPoolExecutor(max_workers=8) as pool:
            contents = pool.map(lambda one: store.read_bytes(f"{_BOARD}/{one}"), missing)
            for name, content in zip(missing, contents, strict=True):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
    return folder


class Board:
    """`tensorboard/NAME` of a run; use as a context manager, or close it."""

    def __init__(self, store: Store, name: str, *, afresh: bool = False) -> None:
        """With `afresh`, what an earlier try wrote here goes: this one writes it again."""
        self._store, self._name, self._path = store, name, board_folder(store) / name
        if afresh:
            shutil.rmtree(self._path, ignore_errors=True)
        self.writer = SummaryWriter(str(self._path))
        self._written: Counter[tuple[str, int]] = Counter()

    def write_curves(self, seeds: list[SeedRecord]) -> None:
        """Of the seeds' curves what is new since the last call; TensorBoard sees it at once."""
        for index, seed in enumerate(seeds):
            epochs, rounds = ("epoch", index), ("round", index)
            fresh = {
                "epochs": seed.epochs[self._written[epochs] :],
                "rounds": seed.rounds[self._written[rounds] :],
            }
            _write_curves(self.writer, seed.model_copy(update=fresh))
            self._written[epochs], self._written[rounds] = len(seed.epochs), len(seed.rounds)
        self.writer.flush()

    def __enter__(self) -> Board:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.writer.close()

    def close(self) -> None:
        """Nothing more comes; behind a URI the files go there."""
        self.writer.close()
        if not self._store.is_local:
            for file in self._path.iterdir():
                self._store.write_bytes(f"{_BOARD}/{self._name}/{file.name}", file.read_bytes())


def _write_curves(writer: SummaryWriter, seed: SeedRecord) -> None:
    """A draw's curves. Steps of `epoch/` are gradient steps, those of `round/` are rounds."""
    draw = draw_path(seed.seed, seed.fold)
    for epoch in seed.epochs:
        prefix = f"epoch/{draw}"
        writer.add_scalar(f"{prefix}/training_loss", epoch.training_loss, epoch.num_steps)
        writer.add_scalar(f"{prefix}/learning_rate", epoch.learning_rate, epoch.num_steps)
        _metrics(writer, f"{prefix}/validation", epoch.validation, epoch.num_steps)
        if epoch.unlabelled is not None:
            # The precision is for reading only: hidden labels decide nothing.
            for name, value in epoch.unlabelled.model_dump().items():
                if value is not None:
                    writer.add_scalar(f"{prefix}/{name}", value, epoch.num_steps)
    for one in seed.rounds:
        prefix = f"round/{draw}"
        _metrics(writer, f"{prefix}/validation", one.validation, one.round)
        writer.add_scalar(f"{prefix}/num_pseudo_labels", one.num_pseudo_labels, one.round)
        if one.audit is not None and one.audit.precision is not None:
            # For reading only: hidden labels decide nothing.
            writer.add_scalar(
                f"{prefix}/audit_pseudo_label_precision", one.audit.precision, one.round
            )


def _metrics(writer: SummaryWriter, prefix: str, metrics: AnyMetrics, step: int) -> None:
    for name in _CURVES if isinstance(metrics, Metrics) else _SENTENCE_CURVES:
        writer.add_scalar(f"{prefix}/{name}", getattr(metrics, name), step)
