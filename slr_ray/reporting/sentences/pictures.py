"""Timelines of test sentences among TensorBoard's images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slr_ray.documents.raster import as_picture
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.reporting.board import Board
from slr_ray.reporting.sentences.timelines import some, timeline


def write_timelines(board: Board, answers: Sequence[SentencePrediction]) -> None:
    """The best, the median and the worst sentence of one model, by word errors."""
    for name, one in some(answers).items():
        picture = np.asarray(as_picture(timeline(one, name)))
        board.writer.add_image(f"timeline/{name}", picture, dataformats="HWC")
