"""Made-up pools for the tests of refinements, rules and weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slr_ray.selection.candidates import Candidates
from slr_ray.selection.evidence import Evidence

NUM_GLOSSES = 5
LABELLED = np.array([9, 6, 3, 3, 1])


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32)


def pool(
    seed: int, *, num_clips: int = 60, growth: float = 1.0, num_glosses: int = NUM_GLOSSES
) -> Candidates:
    """A pool of which 7 in 10 clips are allowed, with all evidence that there is."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(num_clips, num_glosses)) * 2
    gloss = logits.argmax(axis=1)
    glosses = np.repeat(np.arange(num_glosses), LABELLED[:num_glosses])
    validation = np.arange(22) % num_glosses
    centres = rng.normal(size=(num_glosses, 8))
    strays = rng.random((num_clips, 3)) < 0.1
    evidence = Evidence(
        labelled_counts=LABELLED[:num_glosses],
        representations=centres[gloss] + rng.normal(size=(num_clips, 8)),
        labelled_representations=centres[glosses] + rng.normal(size=(len(glosses), 8)),
        labelled_glosses=glosses,
        validation_representations=centres[validation] + rng.normal(size=(len(validation), 8)),
        energy=-np.log(np.exp(logits).sum(axis=1)).astype(np.float32),
        validation_energy=np.linspace(-6, -1, len(validation), dtype=np.float32),
        deviation=rng.uniform(0, 0.1, num_clips).astype(np.float32),
        view_glosses=np.where(strays, 0, gloss[:, None]),
        ends_cut_glosses=np.where(strays[:, 0], 0, gloss),
    )
    allowed = rng.random(num_clips) < 0.7
    return Candidates(softmax(logits), allowed, 1, growth, evidence)


def taken(given: Candidates, rows: np.ndarray) -> Candidates:
    """The pool of some clips, in their order."""
    return replace(
        given,
        probabilities=given.probabilities[rows],
        allowed=given.allowed[rows],
        evidence=given.evidence.of(rows),
    )


def alike(given: Candidates) -> Candidates:
    """The pool with every clip as the first one."""
    return taken(replace(given, allowed=np.ones_like(given.allowed)), np.zeros(60, int))
