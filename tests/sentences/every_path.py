"""Sequences and paths by enumeration: what the fast versions are held against."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Path:
    classes: tuple[int, ...]
    glosses: tuple[int, ...]
    owner: tuple[int, ...]
    """Place of each step's gloss in the sequence; -1 in blanks."""
    log_probability: float


def every_path(log_probs: np.ndarray) -> Iterator[Path]:
    """All paths through some steps, with what they say."""
    num_steps, num_classes = log_probs.shape
    for classes in itertools.product(range(num_classes), repeat=num_steps):
        glosses: list[int] = []
        owner: list[int] = []
        before = 0
        for one in classes:
            if one != 0 and one != before:
                glosses.append(one - 1)
            owner.append(len(glosses) - 1 if one != 0 else -1)
            before = one
        total = sum(float(log_probs[step, one]) for step, one in enumerate(classes))
        yield Path(classes, tuple(glosses), tuple(owner), total)


def every_sequence(log_probs: np.ndarray) -> dict[tuple[int, ...], float]:
    """Log probability of each gloss sequence that some steps can say, summed over its paths."""
    probability: dict[tuple[int, ...], float] = {}
    for path in every_path(log_probs):
        probability[path.glosses] = probability.get(path.glosses, 0.0) + math.exp(
            path.log_probability
        )
    return {glosses: math.log(one) for glosses, one in probability.items()}


def random_log_probs(
    seed: int, num_sentences: int, num_steps: int, num_classes: int, sharpness: float = 1.0
) -> np.ndarray:
    """Log softmax of normal numbers; the sharper, the more certain."""
    rng = np.random.default_rng(seed)
    logits = sharpness * rng.standard_normal((num_sentences, num_steps, num_classes))
    found: np.ndarray = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    return found


def sequences(*glosses: tuple[int, ...]) -> list[np.ndarray]:
    return [np.array(one, np.int64) for one in glosses]
