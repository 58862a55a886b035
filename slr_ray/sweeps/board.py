"""A sweep's TensorBoard: curves of every training, and its cells in the HParams table."""

from __future__ import annotations

from typing import Any

from slr_ray.records.sweeps import CellRecord, SweepFolder, SweepRecord
from slr_ray.reporting.board import Board
from slr_ray.reporting.hparams import write_columns, write_row
from slr_ray.sweeps.measurements.measurements import FIGURES


def write_board(folder: SweepFolder, record: SweepRecord) -> None:
    """Write the files of cells that have none yet."""
    there = set(folder.store.names("tensorboard"))
    values: dict[str, list[Any]] = {}
    titles: dict[str, str] = {}
    for entry in record.cells:
        params = {"setting": entry.setting, **entry.point, "seed": entry.seed}
        for one, value in params.items():
            values.setdefault(one, []).append(value)
        name = entry.name.replace("/", "_").replace(" ", "_")
        if entry.key is None or any(one.startswith(f"tensorboard/{name}/") for one in there):
            continue
        result = folder.cell(entry.key)
        if not result.is_done():
            continue
        cell = result.read_record(CellRecord)
        with Board(folder.store, name) as board:
            if cell.trained is not None:
                board.write_curves([cell.trained])
            for curve, points in cell.curves.items():
                # TensorBoard's steps are whole numbers, which strengths such as 0.05 are not.
                by_strength = FIGURES[curve].is_share
                for x, y in points:
                    tag, step = (f"{curve}/{x:g}", 0) if by_strength else (curve, round(x))
                    board.writer.add_scalar(tag, y, step)
            write_row(board, params, cell.figures, 0)
        titles |= {one: one.replace("_", " ") for one in cell.figures}
    if titles:
        write_columns(folder.store, values, titles, keep=True)
