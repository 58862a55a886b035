"""One augmented version of every clip of a batch.

The order is SPOTER's: `augment`, then `poses.normalisation.features`, which takes 0.5 away, then
`add_noise`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

import torch
from jaxtyping import Bool
from torch import Tensor

from slr_ray.augmentation.affine import about_centre, rotate, shape_matrix, squeeze
from slr_ray.augmentation.arms import NUM_PIVOTS, rotate_arms
from slr_ray.augmentation.blur import blur
from slr_ray.augmentation.boundary import permute_ends
from slr_ray.augmentation.config import (
    AugmentationConfig,
    BoundaryAugmentation,
    NoAugmentation,
    SpoterAugmentation,
    SpoterTransform,
    StandardAugmentation,
    StrongAugmentation,
)
from slr_ray.augmentation.draws import Source, chance, uniform
from slr_ray.augmentation.dropout import drop_frames, drop_hand, drop_joints
from slr_ray.augmentation.hands import NUM_FINGERS, reshape_hands
from slr_ray.augmentation.noise import add_noise
from slr_ray.augmentation.perspective import perspective
from slr_ray.augmentation.temporal import cut_and_resample
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.handedness import mirrored
from slr_ray.poses.skeleton import BODY, NUM_JOINTS

__all__ = ["add_noise", "augment"]

_ALL_JOINTS = slice(0, NUM_JOINTS)
_LEAST_BLUR_FRAMES = 0.1


def augment(batch: PoseBatch, config: AugmentationConfig, source: Source) -> PoseBatch:
    """Clips in image fractions, each with its own draw; missing joints stay missing.

    The same state of a generator gives the same clips, whatever the padding and, for a CPU
    generator, the batch's device. The input is not changed.
    """
    match config:
        case NoAugmentation():
            return batch
        case SpoterAugmentation():
            if not isinstance(source, torch.Generator):
                raise TypeError("SPOTER's transforms pick clips, and need a generator")
            return _spoter(batch, config, source)
        case StrongAugmentation():
            return _strong(batch, config, source)
        case StandardAugmentation():
            return _standard(batch, config, source)
        case BoundaryAugmentation():
            head, tail = _ends(batch, config)
            if config.standard is not None:
                batch = augment(batch, config.standard, source)
            return permute_ends(batch, head, tail, source)
        case _:
            assert_never(config)


def _ends(batch: PoseBatch, config: BoundaryAugmentation) -> tuple[Tensor, Tensor]:
    """Head and tail fraction of each clip."""
    if config.per_clip is None:
        fractions = (config.head_fraction, config.tail_fraction)
        device = batch.positions.device
        head, tail = (torch.full((batch.num_clips,), one, device=device) for one in fractions)
        return head, tail
    if batch.ends is None:
        raise ValueError("per_clip: read the clips with the `ends_finder` of the augmentation")
    return batch.ends[:, 0], batch.ends[:, 1]


def _spoter(batch: PoseBatch, config: SpoterAugmentation, generator: torch.Generator) -> PoseBatch:
    """SPOTER release, `CzechSLRDataset.__getitem__`: one of them, with `config.probability`."""
    if not config.transforms:
        return batch
    clips = batch.num_clips
    augmented = chance((clips,), config.probability, generator)
    count = len(config.transforms)
    which = torch.randint(count, (clips,), generator=generator, device=generator.device)
    limit = config.rotation_degrees
    degrees = uniform((clips,), -limit, limit, generator)
    ratio = uniform((clips,), 0.0, config.perspective_ratio, generator)
    from_left = chance((clips,), 0.5, generator)
    left = uniform((clips,), 0.0, config.squeeze_ratio, generator)
    right = uniform((clips,), 0.0, config.squeeze_ratio, generator)
    arms = _arm_degrees(clips, config.arm_degrees, config.arm_joint_probability, generator)
    transforms: dict[SpoterTransform, Callable[[PoseBatch, Tensor], PoseBatch]] = {
        "rotate": lambda some, rows: rotate(some, degrees[rows]),
        "perspective": lambda some, rows: perspective(some, ratio[rows], from_left[rows], BODY),
        "squeeze": lambda some, rows: squeeze(some, left[rows], right[rows]),
        "rotate_arms": lambda some, rows: rotate_arms(some, arms[rows], hands_follow=False),
    }
    positions = batch.positions.clone()
    for number, name in enumerate(config.transforms):
        rows = (augmented & (which == number)).nonzero().squeeze(1)
        if len(rows):
            here = rows.to(batch.positions.device)
            some = PoseBatch(batch.positions[here], batch.confidence[here], batch.num_frames[here])
            positions[here] = transforms[name](some, rows).positions
    return batch.with_positions(positions)


def _standard(batch: PoseBatch, config: StandardAugmentation, source: Source) -> PoseBatch:
    """Flip, space, then time, then losses."""
    clips = batch.num_clips
    batch = mirrored(batch, chance((clips,), config.flip_probability, source))
    limit = config.rotation_degrees
    turned = chance((clips,), config.rotation_probability, source)
    batch = rotate(batch, uniform((clips,), -limit, limit, source) * turned)
    blurred = chance((clips,), config.blur_probability, source)
    sigma = uniform((clips,), _LEAST_BLUR_FRAMES, config.blur_frames, source)
    if config.blur_probability:
        batch = blur(batch, sigma * blurred)
    head = uniform((clips,), 0.0, config.crop_fraction, source)
    tail = uniform((clips,), 0.0, config.crop_fraction, source)
    cut = chance((clips,), config.crop_probability, source)
    spread = uniform((clips,), -1.0, 1.0, source)
    faster = config.speed ** (spread * chance((clips,), config.speed_probability, source))
    if config.crop_probability or config.speed_probability:
        batch = cut_and_resample(batch, head * cut, tail * cut, faster)
    lost = chance((clips,), config.joint_dropout_probability, source)
    return drop_joints(batch, lost * config.joint_dropout, source)


def _strong(batch: PoseBatch, config: StrongAugmentation, source: Source) -> PoseBatch:
    """Mirror, space, then time, then losses: a joint that is lost must not be interpolated."""
    clips = batch.num_clips

    def sometimes(probability: float, low: float, high: float, otherwise: float = 0.0) -> Tensor:
        chosen = chance((clips,), probability, source)
        return torch.where(chosen, uniform((clips,), low, high, source), otherwise)

    batch = mirrored(batch, chance((clips,), config.mirror_probability, source))
    arms = _arm_degrees(clips, config.arm_degrees, config.arm_joint_probability, source)
    with_arms: Bool[Tensor, " clips"] = chance((clips,), config.arm_probability, source)
    batch = rotate_arms(batch, arms * with_arms[:, None, None], hands_follow=True)
    batch = _hands(batch, config, source)

    rotation, shear = config.rotation_degrees, config.shear
    matrix = shape_matrix(
        sometimes(config.scale_probability, 1 - config.scale, 1 + config.scale, 1.0),
        sometimes(config.stretch_probability, 1 - config.stretch, 1 + config.stretch, 1.0),
        sometimes(config.shear_probability, -shear, shear),
        sometimes(config.rotation_probability, -rotation, rotation),
    )
    shift = uniform((clips, 2), -config.translation, config.translation, source)
    shift *= chance((clips, 1), config.translation_probability, source)
    batch = about_centre(batch, matrix, shift)
    ratio = sometimes(config.perspective_probability, 0.0, config.perspective_ratio)
    batch = perspective(batch, ratio, chance((clips,), 0.5, source), _ALL_JOINTS)

    head = uniform((clips,), 0.0, config.cut_fraction, source)
    tail = uniform((clips,), 0.0, config.cut_fraction, source)
    cut = chance((clips,), config.cut_probability, source)
    faster = config.speed ** sometimes(config.speed_probability, -1.0, 1.0)
    batch = cut_and_resample(batch, head * cut, tail * cut, faster)

    length = sometimes(config.hand_dropout_probability, 0.0, config.hand_dropout_fraction)
    start = uniform((clips,), 0.0, 1.0, source) * (1 - length)
    batch = drop_hand(batch, chance((clips,), 0.5, source), start, length)
    frames = chance((clips,), config.frame_dropout_probability, source)
    batch = drop_frames(batch, frames * config.frame_dropout, source)
    joints = chance((clips,), config.joint_dropout_probability, source)
    return drop_joints(batch, joints * config.joint_dropout, source)


def _hands(batch: PoseBatch, config: StrongAugmentation, source: Source) -> PoseBatch:
    shape = (batch.num_clips, 2)
    chosen = chance(shape, config.hand_probability, source)
    turn, limit = config.hand_degrees, config.bend_degrees
    degrees = uniform(shape, -turn, turn, source) * chosen
    stretch = 1 + uniform(shape, -config.hand_stretch, config.hand_stretch, source) * chosen
    bend = uniform((*shape, NUM_FINGERS), -limit, limit, source) * chosen[..., None]
    if not config.hand_probability:
        return batch
    return reshape_hands(batch, degrees, stretch, bend)


def _arm_degrees(clips: int, limit: float, probability: float, source: Source) -> Tensor:
    shape = (clips, 2, NUM_PIVOTS)
    return uniform(shape, -limit, limit, source) * chance(shape, probability, source)
