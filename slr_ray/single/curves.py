"""A drawing of a pre-training: its loss, and whether the embedding keeps clips apart."""

from __future__ import annotations

from collections.abc import Sequence

from slr_ray.documents.charts import Line, lines
from slr_ray.documents.svg import Canvas, side_by_side
from slr_ray.records.measured import PretrainingEpoch

_WIDTH = 480


def pretraining_curves(epochs: Sequence[PretrainingEpoch], title: str, threshold: float) -> Canvas:
    """Loss by epoch and standard deviation of the embedding by step, over gradient steps.

    `threshold` is the standard deviation below which the embedding counts as collapsed.
    """
    losses = Line("loss", [(one.num_steps, one.loss) for one in epochs], 3)
    spread = Line("embedding", spread_by_step(epochs), 3)
    ends = (1, max(2, epochs[-1].num_steps))
    limit = Line("collapsed below", [(one, threshold) for one in ends], 5, marks=False)
    return side_by_side(
        title,
        [
            lines([losses], "Loss", "gradient steps", "loss", False, width=_WIDTH),
            lines(
                [spread, limit],
                "Standard deviation of the embedding, at most 1",
                "gradient steps",
                "standard deviation",
                False,
                width=_WIDTH,
                log_x=True,
            ),
        ],
    )


def spread_by_step(epochs: Sequence[PretrainingEpoch]) -> list[tuple[int, float]]:
    """Standard deviation of the embedding by step; by epoch in records of earlier versions."""
    steps = [(step.num_steps, step.embedding_std) for one in epochs for step in one.steps]
    return steps or [(one.num_steps, one.embedding_std) for one in epochs]
