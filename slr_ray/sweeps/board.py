"""A sweep's TensorBoard: curves of every training, and its cells in the HParams table."""

from __future__ import annotations

from slr_ray.records.sweeps import CellRecord, SweepFolder, SweepRecord
from slr_ray.reporting.board import Board, write_hparams


def write_board(folder: SweepFolder, record: SweepRecord) -> None:
    """Write the files of cells that have none yet."""
    there = set(folder.store.names("tensorboard"))
    for entry in record.cells:
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
                for x, y in points:
                    board.writer.add_scalar(curve, y, round(x))
            params = {"setting": entry.setting, "seed": entry.seed, **entry.point}
            write_hparams(board.writer, params, cell.figures, 0)
