"""Padded batches on their way to the model's input."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from slr_ray.augmentation.boundary_estimate import ends_finder
from slr_ray.augmentation.config import AugmentationConfig, SpoterAugmentation, draws_frames
from slr_ray.augmentation.draws import Source
from slr_ray.augmentation.noise import add_noise
from slr_ray.augmentation.pipeline import augment
from slr_ray.augmentation.recorded import RecordedViews, View
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.normalisation import NormalisationConfig, features
from slr_ray.poses.reading import ReadableClips, read
from slr_ray.training.config import TrainingConfig


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
    source: Source | None,
) -> View:
    """Augment (in image coordinates), normalise, add noise: SPOTER's order.

    Without `augmentation` the clip itself. Returns features and the mask of real frames.
    """
    if augmentation is None:
        return features(batch, normalisation), batch.frame_mask
    if source is None:
        raise ValueError("augmentation draws from a generator: pass one")
    batch = augment(batch, augmentation, source)
    normalised = features(batch, normalisation)
    noisy = add_noise(normalised, batch.frame_mask, augmentation.noise_std, source)
    return noisy, batch.frame_mask


class Views:
    """`model_input` of a training's batches on its device, recorded where that can be.

    On a GPU, for these augmentations, and with a largest number of frames. SPOTER's transforms pick
    clips, whose number differs from batch to batch.
    """

    def __init__(
        self,
        normalisation: NormalisationConfig,
        config: TrainingConfig,
        device: torch.device,
        num_clips: int,
        augmentations: Iterable[AugmentationConfig],
    ) -> None:
        self.normalisation, self.device = normalisation, device
        self._recorded: dict[AugmentationConfig, RecordedViews] = {}
        if device.type != "cuda" or not config.cuda_graphs or config.max_frames is None:
            return
        for one in augmentations:
            if one not in self._recorded and not isinstance(one, SpoterAugmentation):
                make = _maker(normalisation, one)
                needs_ends = ends_finder(one) is not None
                self._recorded[one] = RecordedViews(
                    make, num_clips, config.max_frames, device, needs_ends=needs_ends
                )

    def __call__(
        self, batch: PoseBatch, augmentation: AugmentationConfig, generator: torch.Generator
    ) -> View:
        recorded = self._recorded.get(augmentation)
        if recorded is not None:
            return recorded(batch, generator)
        return model_input(batch.to(self.device), self.normalisation, augmentation, generator)


def _maker(
    normalisation: NormalisationConfig, augmentation: AugmentationConfig
) -> Callable[[PoseBatch, Source], View]:
    return lambda batch, source: model_input(batch, normalisation, augmentation, source)


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
    other = torch.from_numpy(rng.permutation(len(inputs))).to(inputs.device, non_blocking=True)
    inputs, targets, weights = (
        share * one + (1 - share) * one[other] for one in (inputs, targets, weights)
    )
    return inputs, mask | mask[other], targets, weights
