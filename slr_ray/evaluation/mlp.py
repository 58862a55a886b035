"""The paper's linear evaluation: a small multi-layer perceptron on frozen representations."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from slr_ray.evaluation.probe import (
    Classify,
    Probe,
    RepresentedSet,
    best_on_validation,
    standardised,
)

_HIDDEN = 256
_EPOCHS = 60
_EVALUATE_EVERY = 2
_BATCH_CLIPS = 128
_LEARNING_RATE = 1e-3
_WEIGHT_DECAY = 1e-2
_DROPOUT = 0.2


def mlp_probe(
    training: RepresentedSet, validation: RepresentedSet, num_glosses: int, seed: int
) -> Probe:
    """One hidden layer of 256 with ReLU, trained with AdamW; validation chooses the epoch.

    SSL-SLR, section 6: "freezing the backbone and train a simple multilayer perceptron on top of
    it". The paper states neither its size nor its training, so both are ours; inputs are
    standardised by the training clips. `ValueError` where those have fewer than two glosses.
    """
    if len(np.unique(training.glosses)) < 2:
        raise ValueError("linear evaluation needs training clips of at least two glosses")
    return best_on_validation(_epochs(training, num_glosses, seed), validation)


def _epochs(
    training: RepresentedSet, num_glosses: int, seed: int
) -> Iterator[tuple[str, Classify]]:
    scale = standardised(training.representations)
    inputs = torch.from_numpy(scale(training.representations))
    glosses = torch.from_numpy(training.glosses.astype(np.int64))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(inputs.shape[1], _HIDDEN),
            nn.ReLU(),
            nn.Dropout(_DROPOUT),
            nn.Linear(_HIDDEN, num_glosses),
        )
    optimiser = torch.optim.AdamW(model.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    for epoch in range(1, _EPOCHS + 1):
        # Dropout draws from the global generator, which whoever asks for the next epoch may use.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed * _EPOCHS + epoch)
            model.train()
            for rows in torch.split(torch.randperm(len(inputs)), _BATCH_CLIPS):
                optimiser.zero_grad(set_to_none=True)
                functional.cross_entropy(model(inputs[rows]), glosses[rows]).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
        if epoch % _EVALUATE_EVERY == 0:
            kept = copy.deepcopy(model).eval()

            def classify(representations: np.ndarray, kept: nn.Module = kept) -> np.ndarray:
                with torch.inference_mode():
                    logits = kept(torch.from_numpy(scale(representations)))
                    probabilities: np.ndarray = logits.softmax(-1).numpy()
                return probabilities

            yield f"epoch={epoch}", classify
