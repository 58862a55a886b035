"""Drawings of a boundary search: the accuracy of every boundary that was tried, and clips' own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from slr_ray.boundaries.own import OwnBoundaries
from slr_ray.documents.charts import BarSeries, Dot, Line, dots, histogram, lines
from slr_ray.documents.svg import Canvas, side_by_side

_POINTS = tuple[float, float, float]
_WIDTH = 420
_FOUND, _TRUTH, _TRAINING = 7, 5, 3
_NUM_BINS = 20


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


def own_drawing(own: Sequence[OwnBoundaries], title: str) -> Canvas:
    """How many clips have which boundary for their own, and what they lose by the one for all."""
    drawn = [
        _counts(
            [BarSeries("clips", [_num_own(one, row) for row in range(len(one.fractions))], 3)],
            one.end,
            (one.fractions[0], one.fractions[-1]),
        )
        for one in own
    ]
    losses = [
        Line(one.end, [at for at in _losses(one) if at is not None], series)
        for series, one in enumerate(own)
    ]
    label = "own fraction"
    drawn.append(lines(losses, "Loss by one for all", label, "accuracy", True, width=_WIDTH))
    return side_by_side(title, drawn)


def estimate_drawing(
    fractions: Float[np.ndarray, "clips 2"],
    truth: Float[np.ndarray, "clips 2"] | None,
    title: str,
) -> Canvas:
    """How many clips have which estimated head and tail; `truth` where the corpus knows it."""
    drawn = []
    for column, end in enumerate(("head", "tail")):
        found = [("estimate", _TRAINING, fractions)]
        found += [] if truth is None else [("truth", _TRUTH, truth)]
        counted = [
            BarSeries(name, np.histogram(one[:, column], _NUM_BINS, (0, 1))[0].tolist(), series)
            for name, series, one in found
        ]
        drawn.append(_counts(counted, end, None))
    return side_by_side(title, drawn)


def _num_own(one: OwnBoundaries, row: int) -> int:
    return int((one.loss.own == row).sum())


def _losses(one: OwnBoundaries) -> Iterator[tuple[float, float] | None]:
    for row, fraction in enumerate(one.fractions):
        mean = one.loss.mean_of_own(row)
        yield None if mean is None else (fraction, mean)


def _counts(counted: Sequence[BarSeries], end: str, middles: tuple[float, float] | None) -> Canvas:
    """A histogram over `middles` of its first and last bin, else over a whole clip."""
    span = (0.0, 1.0)
    if middles is not None:
        half = (middles[1] - middles[0]) / (2 * (len(counted[0].values) - 1))
        span = (middles[0] - half, middles[1] + half)
    alt = f"Clips by their own {end}"
    return histogram(counted, alt, f"{end}_fraction", span, width=_WIDTH)


def _told(place: tuple[float, float]) -> str:
    return f"head {place[0]:.3g}, tail {place[1]:.3g}"
