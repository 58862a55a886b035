"""Gloss probabilities of clips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import nn

from slr_ray.augmentation.boundary_estimate import ends_finder
from slr_ray.augmentation.config import AugmentationConfig, NoAugmentation
from slr_ray.poses.normalisation import NormalisationConfig, readable
from slr_ray.poses.reading import ReadableClips, in_batches
from slr_ray.training.batches import model_input
from slr_ray.training.config import TrainingConfig
from slr_ray.training.problem import Problem
from slr_ray.workers.place import Place

BATCH_CLIPS = 256
VIEWS_SEED = 7919


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """Mixed precision where it is asked for."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """A model in eval mode for a while.

    In training, batch norms would mix clips, and dropout change the same clip from call to call.
    """
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


@torch.inference_mode()
def predict(
    model: nn.Module,
    source: ReadableClips,
    clips: Int[np.ndarray, " clips"],
    *,
    normalisation: NormalisationConfig,
    max_frames: int | None,
    device: torch.device,
    precision: str = "float32",
    num_views: int = 1,
    augmentation: AugmentationConfig | None = None,
) -> Float[np.ndarray, "clips glosses"]:
    """Softmax probabilities of clips of `source`, in the order of `clips`.

    With `num_views` > 1 the mean over the clip itself and `num_views - 1` augmented views of it
    (the same views at every call): a steadier confidence than a single pass gives.
    """
    if isinstance(augmentation, NoAugmentation):
        num_views = min(num_views, 1)  # the others would be the clip itself
    generator = torch.Generator().manual_seed(VIEWS_SEED)
    total: torch.Tensor | None = None
    seen = readable(source, normalisation)
    find_ends = ends_finder(augmentation) if augmentation and num_views > 1 else None
    batches = in_batches(seen, clips, BATCH_CLIPS, max_frames, find_ends)
    with evaluating(model):
        for places, padded in batches:
            batch = padded.to(device)
            summed: torch.Tensor | None = None
            for view in range(num_views):
                chosen = augmentation if view else None
                inputs, mask = model_input(batch, normalisation, chosen, generator)
                with autocast(device, precision):
                    logits = model(inputs, mask)
                probabilities = logits.float().softmax(-1)
                summed = probabilities if summed is None else summed + probabilities
            if summed is None:
                raise ValueError(f"num_views must be at least 1, got {num_views}")
            if total is None:
                total = torch.empty(len(clips), summed.shape[1])
            total[torch.from_numpy(places)] = (summed / num_views).cpu()
    if total is None:
        raise ValueError("no clip to predict")
    return total.numpy()


def predict_on(
    problem: Problem,
    model: nn.Module,
    clips: Int[np.ndarray, " clips"],
    config: TrainingConfig,
    place: Place,
    *,
    num_views: int = 1,
) -> Float[np.ndarray, "clips glosses"]:
    """`predict` for clips of a problem, as its models are trained; views are the problem's."""
    return predict(
        model,
        problem.source,
        clips,
        normalisation=problem.normalisation,
        max_frames=config.max_frames,
        device=place.device,
        precision=config.precision,
        num_views=num_views,
        augmentation=problem.augmentation,
    )
