"""Padded batches on their way to the model's input."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from slr_ray.augmentation.boundary_estimate import ends_finder
from slr_ray.augmentation.config import AugmentationConfig, draws_frames
from slr_ray.augmentation.noise import add_noise
from slr_ray.augmentation.pipeline import augment
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.normalisation import NormalisationConfig, features
from slr_ray.poses.reading import ReadableClips, read


def read_for(
    augmentation: AugmentationConfig,
    clips: ReadableClips,
    rows: Int[np.ndarray, " batch"],
    max_frames: int | None,
    generator: torch.Generator,
) -> PoseBatch:
    """`read` as an augmentation wants it: with frames drawn anew, with each clip's ends."""
    draw = generator if draws_frames(augmentation) else None
    return read(clips, rows, max_frames, draw, ends_finder(augmentation))


def model_input(
    batch: PoseBatch,
    normalisation: NormalisationConfig,
    augmentation: AugmentationConfig | None,
    generator: torch.Generator | None,
) -> tuple[Float[Tensor, "clips frames channels"], Bool[Tensor, "clips frames"]]:
    """Augment (in image coordinates), normalise, add noise: SPOTER's order.

    Without `augmentation` the clip itself. Returns features and the mask of real frames.
    """
    if augmentation is None:
        return features(batch, normalisation), batch.frame_mask
    if generator is None:
        raise ValueError("augmentation draws from a generator: pass one")
    batch = augment(batch, augmentation, generator)
    normalised = features(batch, normalisation)
    noisy = add_noise(normalised, batch.frame_mask, augmentation.noise_std, generator)
    return noisy, batch.frame_mask


def joined(parts: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Batches padded to the longest of them, one behind the other."""
    if len(parts) == 1:
        return parts[0]
    longest = max(mask.shape[1] for _, mask in parts)
    inputs = [functional.pad(one, (0, 0, 0, longest - one.shape[1])) for one, _ in parts]
    masks = [functional.pad(mask, (0, longest - mask.shape[1])) for _, mask in parts]
    return torch.cat(inputs), torch.cat(masks)


def mixed(
    inputs: Float[Tensor, "clips frames channels"],
    mask: Bool[Tensor, "clips frames"],
    targets: Float[Tensor, "clips glosses"],
    weights: Float[Tensor, " clips"],
    alpha: float,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mixup (Zhang et al. 2018): each clip blended with another, in one share ~ Beta(a, a)."""
    share = float(rng.beta(alpha, alpha))
    other = torch.from_numpy(rng.permutation(len(inputs))).to(inputs.device)
    inputs, targets, weights = (
        share * one + (1 - share) * one[other] for one in (inputs, targets, weights)
    )
    return inputs, mask | mask[other], targets, weights
