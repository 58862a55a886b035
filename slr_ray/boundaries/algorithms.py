"""SSL-SLR's boundary parameters: the paper's Algorithm 1, and a search with fewer trainings.

Both ask for the accuracy of linear evaluation after pre-training with the frames of the first
`head_fraction` and the last `tail_fraction` of every clip permuted (section 5.2), and both know
nothing else: what is trained stays in `Score`.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from jaxtyping import Float
from scipy.stats import qmc
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

PUBLISHED = (1 / 3, 1 / 4)
"""The paper's boundary for all its experiments (section 5.2)."""
MAX_FRACTION = 0.5
"""The search looks at heads and tails up to this share: together at most the whole clip."""
_NUM_SPREAD = 5
"""Trainings spread over the square before the model of the accuracy chooses where to train."""
_GRID = 51
_LEAST_GAIN_STDS = 2.0


Score = Callable[[float, float, int], float]
"""head_fraction, tail_fraction and repeat to an accuracy between 0 and 1; `repeat` numbers
trainings that differ only in their seed."""


@dataclass(frozen=True)
class Candidate:
    """One boundary and the accuracy of each training with it."""

    head_fraction: float
    tail_fraction: float
    accuracy: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.mean(self.accuracy))


@dataclass(frozen=True)
class Gain:
    """How much higher a model of the accuracy is at its highest point than at `PUBLISHED`."""

    mean: float
    std: float

    @property
    def is_above_noise(self) -> bool:
        """Whether it is more than what the highest of many points is by chance."""
        return self.mean > _LEAST_GAIN_STDS * self.std


@dataclass(frozen=True)
class FoundBoundary:
    """What an algorithm returns, and every candidate in the order of its trainings."""

    head_fraction: float
    tail_fraction: float
    candidates: tuple[Candidate, ...]
    gain: Gain | None = None
    """Of the search: where it is not above noise, the boundary is `PUBLISHED`."""

    @property
    def num_trainings(self) -> int:
        return sum(len(one.accuracy) for one in self.candidates)


def algorithm_1(
    score: Score,
    *,
    num_frames: int,
    step_frames: int,
    num_repeats: int = 5,
    to_the_end: bool = False,
) -> FoundBoundary:
    """Grow the head, then the tail, in steps while the accuracy rises (SSL-SLR, Algorithm 1).

    The paper: "evaluates the accuracy after permuting the first k frames, increasing k as long as
    accuracy increases", then "a symmetric procedure on the last frames", each with five trainings
    and in steps of p frames. What its text leaves open, and what is done here:

    1. Where it starts: at no permuted frame, which is trained too. It is the accuracy that the
       first step has to beat, and it serves both directions, so it is trained once.
    2. What the other end does meanwhile: nothing. `SegmentEval` permutes "the selected segment",
       and figure 4 shows two curves of one variable each.
    3. "As long as accuracy increases" and "before stagnation": a direction stops at the first step
       whose mean over the repeats is not above the best so far, and returns the step before. By
       that rule a flat curve, like the paper's own for the tail, ends after one step.
    4. `to_the_end` trains the steps behind the stop, too, as the paper's figures 4 to 6 show them;
       the answer is the same.
    5. Clips differ in length, the paper's F does not: k frames of `num_frames` are the share
       k / num_frames of every clip. The last step may be shorter, so that F is reached.

    `ValueError` for a step outside 1..num_frames or without repeats.
    """
    if not 1 <= step_frames <= num_frames:
        raise ValueError(f"step_frames must be in 1..{num_frames}, got {step_frames}")
    if num_repeats < 1:
        raise ValueError(f"num_repeats must be at least 1, got {num_repeats}")
    candidates: list[Candidate] = []

    def trained(head_fraction: float, tail_fraction: float) -> float:
        scores = [score(head_fraction, tail_fraction, repeat) for repeat in range(num_repeats)]
        candidates.append(Candidate(head_fraction, tail_fraction, tuple(scores)))
        return candidates[-1].mean

    untouched = trained(0.0, 0.0)
    steps = (untouched, num_frames, step_frames, to_the_end)
    head = _grown(lambda share: trained(share, 0.0), *steps)
    tail = _grown(lambda share: trained(0.0, share), *steps)
    return FoundBoundary(head, tail, tuple(candidates))


def most_trainings(num_frames: int, step_frames: int, num_repeats: int) -> int:
    """How many trainings Algorithm 1 takes where no direction ever stops."""
    return num_repeats * (1 + 2 * -(-num_frames // step_frames))


def _grown(
    accuracy: Callable[[float], float],
    untouched: float,
    num_frames: int,
    step_frames: int,
    to_the_end: bool,
) -> float:
    frames, best, longer, rises = 0, untouched, 0, True
    while longer < num_frames and (rises or to_the_end):
        longer = min(longer + step_frames, num_frames)
        found = accuracy(longer / num_frames)
        rises = rises and found > best
        if rises:
            frames, best = longer, found
    return frames / num_frames


def told_apart(head_fraction: float, tail_fraction: float) -> tuple[float, float]:
    """A boundary to four decimals, which are less than a frame: alike so far is the same one."""
    return round(head_fraction, 4), round(tail_fraction, 4)


def search_boundary(
    score: Score,
    *,
    num_trainings: int,
    seed: int = 0,
    start_from: Sequence[tuple[float, float]] = (PUBLISHED,),
) -> FoundBoundary:
    """Both fractions at once, by a Gaussian process over single trainings (ours).

    `start_from` is trained first, then a few points spread over the square (Sobol), then Optuna's
    Gaussian-process sampler chooses. On a smooth surface the neighbours of a candidate are its
    repeats: the answer is not the luckiest candidate but the highest point of a smooth model of all
    of them, and `PUBLISHED` where the model does not tell the two apart. A candidate that is chosen
    again, as corners are, is trained with another seed: else one draw of noise would count as
    several. The same seed and scores give the same search, so one that was interrupted goes on by
    being run again on a `Score` that remembers.

    `ValueError` below 4 trainings: no surface can be drawn through fewer.
    """
    if num_trainings < 4:
        raise ValueError(f"a search needs at least 4 trainings, got {num_trainings}")
    sampler = optuna.samplers.GPSampler(
        seed=seed, n_startup_trials=0, deterministic_objective=False
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    spread = qmc.Sobol(2, rng=np.random.default_rng(seed)).random_base2(3)[:_NUM_SPREAD]
    for head, tail in [*start_from, *(MAX_FRACTION * spread).tolist()]:
        study.enqueue_trial({"head_fraction": head, "tail_fraction": tail})
    candidates: list[Candidate] = []
    visits: Counter[tuple[float, float]] = Counter()
    for _ in range(num_trainings):
        trial = study.ask()
        head = trial.suggest_float("head_fraction", 0.0, MAX_FRACTION)
        tail = trial.suggest_float("tail_fraction", 0.0, MAX_FRACTION)
        place = told_apart(head, tail)
        accuracy = score(head, tail, visits[place])
        visits[place] += 1
        study.tell(trial, accuracy)
        candidates.append(Candidate(head, tail, (accuracy,)))
    head, tail, gain = _highest(candidates)
    if not gain.is_above_noise:
        head, tail = PUBLISHED
    return FoundBoundary(head, tail, tuple(candidates), gain)


def _highest(candidates: Sequence[Candidate]) -> tuple[float, float, Gain]:
    """The highest point of the smooth model, on a grid of 1 % of a clip, and its gain."""
    places = np.array([(one.head_fraction, one.tail_fraction) for one in candidates])
    accuracy = np.array([one.mean for one in candidates])
    axis = np.linspace(0, MAX_FRACTION, _GRID)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    model = SmoothAccuracy(places, accuracy)
    head, tail = grid[model.mean(grid).argmax()]
    return float(head), float(tail), model.gain((float(head), float(tail)), PUBLISHED)


class SmoothAccuracy:
    """A Gaussian process through noisy accuracies (squared exponential).

    Length scales are kept between a fifth of a clip and two clips: a few dozen noisy trainings
    can't tell finer structure from noise.
    """

    def __init__(
        self,
        places: Float[np.ndarray, "candidates 2"],
        accuracy: Float[np.ndarray, " candidates"],
    ) -> None:
        self._centre, self._spread = accuracy.mean(), max(float(accuracy.std()), 1e-9)
        kernel = ConstantKernel(1.0, (0.1, 30.0)) * RBF([0.4, 0.4], (0.2, 2.0))
        kernel = kernel + WhiteKernel(0.3, (1e-3, 2.0))
        self._model = GaussianProcessRegressor(kernel, n_restarts_optimizer=2, random_state=0)
        with warnings.catch_warnings():
            # A hyperparameter at its bound is what the bounds are for.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._model.fit(places, (accuracy - self._centre) / self._spread)

    def mean(self, wanted: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, " points"]:
        """Posterior mean of the accuracy."""
        return np.asarray(self._centre + self._spread * self._model.predict(wanted))

    def gain(self, place: tuple[float, float], over: tuple[float, float]) -> Gain:
        """The accuracy at one place less that at another."""
        mean, covariance = self._model.predict(np.array([place, over]), return_cov=True)
        # A training's own noise, which the covariance has on its diagonal, is no part of it.
        noise = self._model.kernel_.k2.noise_level
        variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1] - 2 * noise
        return Gain(
            float(self._spread * (mean[0] - mean[1])),
            float(self._spread * np.sqrt(max(variance, 0.0))),
        )
