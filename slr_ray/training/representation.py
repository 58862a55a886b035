"""Representations of clips: what an encoder makes of them."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int

from slr_ray.corpora.corpus import Corpus
from slr_ray.evaluation.probe import RepresentedSet
from slr_ray.models.model import Model
from slr_ray.poses.normalisation import NormalisationConfig
from slr_ray.training.batches import model_input, read_batch
from slr_ray.training.prediction import BATCH_CLIPS, autocast
from slr_ray.training.problem import Problem


@torch.inference_mode()
def represent_clips(
    model: Model,
    corpus: Corpus,
    clips: Int[np.ndarray, " clips"],
    *,
    normalisation: NormalisationConfig,
    max_frames: int,
    device: torch.device,
    precision: str = "float32",
) -> Float[np.ndarray, "clips width"]:
    """Representations without augmentation and dropout, in the order of `clips`.

    Clips of similar length share a batch, so that little is padded. `model` must be on `device`.
    Raises `ValueError` without a clip.
    """
    if not len(clips):
        raise ValueError("no clip to represent")
    was_training = model.training
    model.eval()
    order = np.argsort(corpus.num_frames[clips], kind="stable")
    parts = []
    for start in range(0, len(clips), BATCH_CLIPS):
        rows = order[start : start + BATCH_CLIPS]
        batch = read_batch(corpus, clips[rows], max_frames).to(device)
        inputs, mask = model_input(batch, normalisation, None, None)
        with autocast(device, precision):
            represented = model.represent(inputs, mask)
        parts.append(represented.float().cpu())
    model.train(was_training)
    found = torch.empty(len(clips), parts[0].shape[1])
    found[torch.from_numpy(order)] = torch.cat(parts)
    return found.numpy()


def represented_set(
    model: Model,
    problem: Problem,
    clips: Int[np.ndarray, " clips"],
    *,
    max_frames: int,
    device: torch.device,
    precision: str = "float32",
) -> RepresentedSet:
    """`represent_clips` for labelled clips of a problem, with their glosses."""
    found = represent_clips(
        model,
        problem.corpus,
        clips,
        normalisation=problem.normalisation,
        max_frames=max_frames,
        device=device,
        precision=precision,
    )
    return RepresentedSet(found, problem.glosses(clips))
