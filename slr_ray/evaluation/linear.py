"""Linear evaluation: multinomial logistic regression on frozen representations."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from scipy.special import softmax

from slr_ray.evaluation.probe import (
    Classify,
    Probe,
    RepresentedSet,
    Standardisation,
    best_on_validation,
    standardised,
)

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Inverse strengths C of the L2 penalty that validation chooses from."""
_ITERATIONS = 300


def linear_probe(
    training: RepresentedSet,
    validation: RepresentedSet,
    num_glosses: int,
    strengths: Sequence[float] = STRENGTHS,
) -> Probe:
    """The penalty that validates best; dimensions are standardised by the training clips.

    One linear layer is what the literature calls linear evaluation (Chen et al. 2020, SimCLR,
    section 4); the SSL-SLR paper's classifier is `mlp_probe`. A gloss without a training clip has
    probability 0. `ValueError` where the training clips have fewer than two glosses.
    """
    if len(np.unique(training.glosses)) < 2:
        raise ValueError("linear evaluation needs training clips of at least two glosses")
    return best_on_validation(_fitted(training, num_glosses, strengths), validation)


@dataclass(frozen=True)
class LinearLayer:
    """A fitted classifier as one layer, standardisation included: softmax(weight · x + bias)."""

    weight: Float[np.ndarray, "glosses dim"]
    bias: Float[np.ndarray, " glosses"]
    """Minus infinity for a gloss without a training clip."""

    def __call__(self, representations: np.ndarray) -> np.ndarray:
        logits = representations @ self.weight.T + self.bias
        return np.asarray(softmax(logits, axis=1))


def _fitted(
    training: RepresentedSet, num_glosses: int, strengths: Sequence[float]
) -> Iterator[tuple[str, Classify]]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    scale = standardised(training.representations)
    inputs = scale(training.representations)
    for strength in strengths:
        model = LogisticRegression(C=strength, max_iter=_ITERATIONS)
        with warnings.catch_warnings():
            # A weak penalty on separable clips has no finite optimum; validation judges the result.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(inputs, training.glosses)
        yield f"C={strength:g}", _layer(model, scale, num_glosses)


def _layer(model: LogisticRegression, scale: Standardisation, num_glosses: int) -> LinearLayer:
    weights, offsets = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        # One row decides between two glosses.
        weights = np.concatenate([np.zeros_like(weights), weights])
        offsets = np.concatenate([np.zeros_like(offsets), offsets])
    weight = np.zeros((num_glosses, weights.shape[1]))
    bias = np.full(num_glosses, -np.inf)
    weight[model.classes_] = weights * scale.scale
    bias[model.classes_] = offsets - weight[model.classes_] @ scale.mean
    return LinearLayer(weight, bias)
