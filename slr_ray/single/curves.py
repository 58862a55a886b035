"""A drawing of a pre-training: its loss, and whether the embedding keeps clips apart."""

from __future__ import annotations

from collections.abc import Sequence

from slr_ray.documents.charts import Line, lines
from slr_ray.documents.svg import Canvas, side_by_side
from slr_ray.records.measured import PretrainingEpoch

_WIDTH = 480


def pretraining_curves(epochs: Sequence[PretrainingEpoch], title: str, threshold: float) -> Canvas:
    """Loss and standard deviation of the embedding over gradient steps.

    `threshold` is the standard deviation below which the embedding counts as collapsed.
    """
    steps = [one.num_steps for one in epochs]
    losses = Line("loss", [(one.num_steps, one.loss) for one in epochs], 3)
    spread = Line("embedding", [(one.num_steps, one.embedding_std) for one in epochs], 3)
    # The line starts at 0, so that a single epoch has one too.
    limit = Line("collapsed below", [(0, threshold), (max(steps), threshold)], 5, marks=False)
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
            ),
        ],
    )
