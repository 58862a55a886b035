"""A picture of a boundary search: the accuracy of every boundary that was tried."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

_POINTS = tuple[float, float, float]


def boundary_png(
    points: Sequence[_POINTS],
    found: tuple[float, float],
    truth: tuple[float, float] | None,
    title: str,
) -> bytes:
    """Head, tail and accuracy of each training as a PNG; `truth` where the corpus knows it.

    Left: trainings whose tail is untouched, over the head; middle: the other way around; right: all
    of them, coloured by accuracy.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    head_axes, tail_axes, both_axes = figure.subplots(1, 3)
    figure.suptitle(title)
    for axis, axes, name in ((0, head_axes, "head"), (1, tail_axes, "tail")):
        _curve(axes, axis, points)
        axes.axvline(found[axis], color="tab:green", label="found")
        if truth is not None:
            axes.axvline(truth[axis], color="black", linestyle="--", label="truth")
        axes.set(xlabel=f"{name}_fraction (the other 0)", ylabel="accuracy on validation")
        axes.legend()
    drawn = both_axes.scatter(
        [one[0] for one in points], [one[1] for one in points], c=[one[2] for one in points]
    )
    both_axes.plot(*found, "o", markersize=14, fillstyle="none", color="tab:green")
    if truth is not None:
        both_axes.plot(*truth, "x", markersize=12, color="black")
    both_axes.set(xlabel="head_fraction", ylabel="tail_fraction")
    figure.colorbar(drawn, ax=both_axes, label="accuracy")
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110, format="png")
    return buffer.getvalue()


def _curve(axes: Any, axis: int, points: Sequence[_POINTS]) -> None:
    own = [(one[axis], one[2]) for one in points if one[1 - axis] == 0]
    axes.plot([one[0] for one in own], [one[1] for one in own], "o", alpha=0.4)
    places = sorted({place for place, _ in own})
    means = []
    for place in places:
        values = [accuracy for at, accuracy in own if at == place]
        means.append(sum(values) / len(values))
    axes.plot(places, means, color="tab:blue")
