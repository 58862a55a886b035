"""1-NN on normalised poses: the baseline that needs no training."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int

from slr_ray.poses.reading import in_batches
from slr_ray.training.batches import model_input
from slr_ray.training.problem import Problem

_FRAMES = 16
_CHUNK_CLIPS = 512


def nearest_neighbour(
    problem: Problem, clips: Int[np.ndarray, " clips"]
) -> Float[np.ndarray, "clips glosses"]:
    """Probability 1 for the gloss of the nearest labelled clip.

    Distance: Euclidean between the model's input features, each clip brought to 16 frames, evenly
    spaced (linear in time; no alignment).
    """
    known = pose_vectors(problem, problem.labelled)
    glosses = problem.glosses(problem.labelled)
    probabilities = np.zeros((len(clips), problem.num_glosses), np.float32)
    for start in range(0, len(clips), _CHUNK_CLIPS):
        part = clips[start : start + _CHUNK_CLIPS]
        nearest = torch.cdist(pose_vectors(problem, part), known).argmin(dim=1).numpy()
        probabilities[np.arange(start, start + len(part)), glosses[nearest]] = 1
    return probabilities


def pose_vectors(
    problem: Problem, clips: Int[np.ndarray, " clips"]
) -> Float[torch.Tensor, "clips values"]:
    """A clip's normalised poses as one vector: 16 frames, evenly spaced."""
    longest = int(problem.corpus.num_frames.max())
    vectors: torch.Tensor | None = None
    for places, batch in in_batches(problem.clips, clips, _CHUNK_CLIPS, longest):
        inputs, _ = model_input(batch, problem.normalisation, None, None)
        steps = torch.linspace(0, 1, _FRAMES)[None, :] * (batch.num_frames[:, None] - 1)
        rows = torch.arange(batch.num_clips)[:, None]
        found = inputs[rows, steps.round().long()].flatten(1)
        if vectors is None:
            vectors = torch.empty(len(clips), found.shape[1])
        vectors[torch.from_numpy(places)] = found
    if vectors is None:
        raise ValueError("no clip to make a vector of")
    return vectors
