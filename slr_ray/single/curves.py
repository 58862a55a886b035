"""A picture of a pre-training: its loss, and whether the embedding keeps clips apart."""

from __future__ import annotations

import io
from collections.abc import Sequence

from slr_ray.records.typed import PretrainingEpoch


def curves_png(epochs: Sequence[PretrainingEpoch], title: str, threshold: float) -> bytes:
    """Loss and standard deviation of the embedding over gradient steps, as a PNG.

    `threshold` is the standard deviation below which the embedding counts as collapsed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps = [one.num_steps for one in epochs]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    figure.suptitle(title)
    left.plot(steps, [one.loss for one in epochs])
    left.set(xlabel="gradient steps", ylabel="loss")
    right.plot(steps, [one.embedding_std for one in epochs])
    right.axhline(threshold, linestyle="--", color="tab:red", label="collapsed below")
    right.set(xlabel="gradient steps", ylabel="embedding's standard deviation", ylim=(0, 1.1))
    right.legend(loc="center right")
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110, format="png")
    return buffer.getvalue()
