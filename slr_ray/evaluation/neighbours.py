"""k nearest neighbours of frozen representations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from slr_ray.evaluation.probe import Classify, Probe, RepresentedSet, best_on_validation

NEIGHBOURS = (1, 5, 10, 20, 50)
"""Numbers of neighbours that validation chooses from."""
_TEMPERATURE = 0.07
_CHUNK_CLIPS = 1024


def neighbour_probe(
    training: RepresentedSet,
    validation: RepresentedSet,
    num_glosses: int,
    neighbours: Sequence[int] = NEIGHBOURS,
) -> Probe:
    """The number of neighbours that validates best.

    Cosine similarity s; each of the k nearest training clips votes exp(s / 0.07) for its gloss
    (Wu et al. 2018, "Unsupervised feature learning via non-parametric instance discrimination",
    section 3.4). More neighbours than training clips means all of them. `ValueError` without
    training clips.
    """
    if not len(training):
        raise ValueError("nearest neighbours need at least one training clip")
    return best_on_validation(_candidates(training, num_glosses, neighbours), validation)


def _candidates(
    training: RepresentedSet, num_glosses: int, neighbours: Sequence[int]
) -> Iterator[tuple[str, Classify]]:
    for count in sorted({min(one, len(training)) for one in neighbours}):

        def classify(representations: np.ndarray, count: int = count) -> np.ndarray:
            parts = [
                _votes(training, representations[start : start + _CHUNK_CLIPS], num_glosses, count)
                for start in range(0, len(representations), _CHUNK_CLIPS)
            ]
            return np.concatenate(parts)

        yield f"k={count}", classify


def _votes(
    training: RepresentedSet,
    representations: Float[np.ndarray, "clips dim"],
    num_glosses: int,
    count: int,
) -> Float[np.ndarray, "clips glosses"]:
    similarity = normalised(representations) @ normalised(training.representations).T
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :count]
    near = np.take_along_axis(similarity, nearest, axis=1)
    weights = np.exp((near - near[:, :1]) / _TEMPERATURE)
    votes = np.zeros((len(representations), num_glosses))
    rows = np.arange(len(representations))[:, None]
    np.add.at(votes, (rows, training.glosses[nearest]), weights)
    return np.asarray(votes / votes.sum(axis=1, keepdims=True))


def normalised(
    representations: Float[np.ndarray, "clips dim"],
) -> Float[np.ndarray, "clips dim"]:
    """Representations of length 1; one of length 0 stays 0."""
    wide = representations.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.asarray(wide / np.where(length > 0, length, 1.0))
