"""A drawing of a boundary search: the accuracy of every boundary that was tried."""

from __future__ import annotations

from collections.abc import Sequence

from slr_ray.documents.charts import Dot, Line, dots, lines
from slr_ray.documents.svg import Canvas, side_by_side

_POINTS = tuple[float, float, float]
_WIDTH = 420
_FOUND, _TRUTH, _TRAINING = 7, 5, 3


def boundary_drawing(
    points: Sequence[_POINTS],
    found: tuple[float, float],
    truth: tuple[float, float] | None,
    title: str,
) -> Canvas:
    """Head, tail and accuracy of each training; `truth` where the corpus knows it.

    Left: trainings whose tail is untouched, over the head; middle: the other way around; right: all
    of them, the stronger the more accurate.
    """
    boundaries: list[tuple[str, int, tuple[float, float]]] = [("found", _FOUND, found)]
    if truth is not None:
        boundaries.append(("truth", _TRUTH, truth))
    best = max(one[2] for one in points)
    worst = min(one[2] for one in points)
    # The boundaries come first, so that no training is hidden behind them.
    drawn = [
        Dot(*place, name, series, f"{name}: {_told(place)}", 9, 0.4)
        for name, series, place in boundaries
    ]
    drawn += [
        Dot(
            head,
            tail,
            "training",
            _TRAINING,
            f"{_told((head, tail))}: accuracy {100 * accuracy:.1f} %",
            opacity=0.15 + 0.85 * (accuracy - worst) / ((best - worst) or 1),
        )
        for head, tail, accuracy in points
    ]
    return side_by_side(
        title,
        [
            _end("head", 0, points, boundaries),
            _end("tail", 1, points, boundaries),
            dots(drawn, "Both ends", ("head_fraction", "tail_fraction"), _WIDTH),
        ],
    )


def _end(
    name: str,
    axis: int,
    points: Sequence[_POINTS],
    boundaries: Sequence[tuple[str, int, tuple[float, float]]],
) -> Canvas:
    """Accuracy over one end where the other is untouched."""
    own = [(one[axis], one[2]) for one in points if one[1 - axis] == 0]
    by_place: dict[float, list[float]] = {}
    for place, accuracy in own:
        by_place.setdefault(place, []).append(accuracy)
    means = [(place, sum(values) / len(values)) for place, values in sorted(by_place.items())]
    reach = [accuracy for _, accuracy in own] or [0.0, 1.0]
    drawn = [Line("training", [one], 4) for one in own]
    drawn.append(Line("mean", means, _TRAINING, marks=False))
    drawn += [
        Line(label, [(place[axis], end) for end in (min(reach), max(reach))], series, marks=False)
        for label, series, place in boundaries
    ]
    label = f"{name}_fraction (the other 0)"
    return lines(drawn, name.capitalize(), label, "accuracy on validation", True, width=_WIDTH)


def _told(place: tuple[float, float]) -> str:
    return f"head {place[0]:.3g}, tail {place[1]:.3g}"
