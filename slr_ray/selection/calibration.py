"""Probabilities that mean what they say, so that thresholds do."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from slr_ray.selection.blocks import apply_step, normalised, sharpened

Calibration: TypeAlias = Literal["none", "undo_smoothing", "temperature", "folds"]

_FLOOR = 1e-3
_TEMPERATURES = (0.05, 20.0)
_TINY = 1e-30


def undo_smoothing(probabilities: Float[np.ndarray, "clips glosses"], smoothing: float) -> None:
    """Take label smoothing out of probabilities, in place.

    With label smoothing ε over K glosses (Szegedy et al. 2016) the loss is least at 1 - ε + ε/K for
    the gloss and ε/K for the others, so that no confidence above the first means anything (0.908
    with 0.1 and 12). p ← (p - ε/K) / (1 - ε), cut off at 0 and normalised, makes that optimum 1
    and 0. Instead of 0 a thousandth of p is left, so that clips beyond the optimum keep their order
    for rules that rank.

    Ours. It assumes a model at the loss's optimum. Mixup caps confidence too, by an amount
    that has no closed form, and is not undone: `temperature` measures both.
    """
    if smoothing == 0:
        return
    even = np.float32(smoothing / probabilities.shape[1])
    apply_step(probabilities, lambda block, _: normalised(np.maximum(block - even, _FLOOR * block)))


def apply_temperature(
    probabilities: Float[np.ndarray, "clips glosses"], temperature: float
) -> None:
    """softmax(logits / T), in place."""
    if temperature != 1:
        apply_step(probabilities, lambda block, _: sharpened(block, 1 / temperature))


def fit_temperature(
    probabilities: Float[np.ndarray, "clips glosses"], glosses: Int[np.ndarray, " clips"]
) -> float:
    """The T between 0.05 and 20 whose softmax(logits / T) has the least log-loss.

    Temperature scaling (Guo et al. 2017, section 4.2), on log p, which are logits up to a constant
    of the clip. The log-loss is convex in 1/T.
    """
    from scipy.optimize import minimize_scalar

    logs = np.log(np.maximum(probabilities.astype(np.float64), _TINY))
    own = logs[np.arange(len(glosses)), glosses]

    def loss(log_power: float) -> float:
        power = np.exp(log_power)
        highest = logs.max(axis=1)
        total = np.log(np.exp(power * (logs - highest[:, None])).sum(axis=1))
        return float((total - power * (own - highest)).mean())

    least, most = (float(np.log(1 / one)) for one in reversed(_TEMPERATURES))
    found = minimize_scalar(loss, bounds=(least, most), method="bounded")
    return float(np.exp(-found.x))
