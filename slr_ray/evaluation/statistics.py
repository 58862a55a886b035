"""Confidence over seeds: Student's t intervals, paired differences, Holm's correction.

A seed draws the labelled pool, the initial weights and the order of the clips, so these intervals
say how far a result depends on that draw. The test clips are the same for every seed: how far it
depends on the choice of test signers is not in them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from slr_ray.records.measured import Interval

CONFIDENCE = 0.95
_ROUNDING = 1e-12
"""What shares that are equal may differ by once they are subtracted."""


def interval(values: Sequence[float]) -> Interval:
    """Mean of one value a seed with its 95 % interval: t(0.975, n - 1) * s / sqrt(n).

    `half_width` is None with a single seed. `ValueError` without values.
    """
    if not values:
        raise ValueError("an interval needs at least one value")
    return Interval(
        mean=float(np.mean(values)), half_width=_half_width(values), num_seeds=len(values)
    )


@dataclass(frozen=True)
class PairedDifference:
    """Mean over common seeds of `arm - reference`: positive means that the arm is higher."""

    mean: float
    half_width: float | None
    """Of the 95 % interval; None with one common seed, or where all differ by the same."""
    p_value: float | None
    """Two-sided, of a mean difference of 0; None where there is no interval."""
    num_seeds: int

    @property
    def low(self) -> float | None:
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        return None if self.half_width is None else self.mean + self.half_width

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside the interval; False where there is no interval."""
        return self.half_width is not None and abs(self.mean) > self.half_width


def paired_difference(
    arm: Mapping[int, float], reference: Mapping[int, float]
) -> PairedDifference | None:
    """The paired t interval and test of `arm - reference`, both one value by seed.

    Seeds that only one of them has are left out; None where no seed is common. Pairing takes out
    what a seed does to both, such as an easy draw of labelled clips.

    Where all seeds differ by the same, and not by 0, there is no spread to tell noise from, hence
    no interval: shares of few clips tie by chance (two seeds of 80 clips in one case of ten), and
    a width of 0 would make certainty of it.
    """
    seeds = sorted(arm.keys() & reference.keys())
    if not seeds:
        return None
    differences = [arm[seed] - reference[seed] for seed in seeds]
    mean = float(np.mean(differences))
    half_width = _half_width(differences)
    if half_width is None:
        return PairedDifference(mean, None, None, len(seeds))
    if np.ptp(differences) <= _ROUNDING:
        same = abs(mean) <= _ROUNDING
        return PairedDifference(mean, 0.0 if same else None, 1.0 if same else None, len(seeds))
    error = float(np.std(differences, ddof=1)) / math.sqrt(len(seeds))
    p_value = float(2 * special.stdtr(len(seeds) - 1, -abs(mean) / error))
    return PairedDifference(mean, half_width, p_value, len(seeds))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the order given (Holm 1979).

    The k-th smallest of m is multiplied by m - k + 1, kept from falling below its predecessor and
    capped at 1. Comparing them with 0.05 bounds the chance of any false finding by 5 %.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def _half_width(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    quantile = float(special.stdtrit(len(values) - 1, 0.5 + CONFIDENCE / 2))
    return quantile * float(np.std(values, ddof=1)) / math.sqrt(len(values))
