"""Random clips with missing joints, for tests of normalisation and augmentation."""

from __future__ import annotations

import numpy as np
import torch

from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.skeleton import JOINTS, LEFT_HAND, RIGHT_HAND


def random_batch(
    seed: int,
    num_frames: tuple[int, ...] = (7, 1, 12, 5),
    *,
    missing: float = 0.2,
    padding: int = 0,
) -> PoseBatch:
    """Clips of the given lengths; with `missing`, joints, hands and frames are lost at random."""
    draw = np.random.default_rng(seed)
    frames = max(num_frames)
    positions = np.zeros((len(num_frames), frames, len(JOINTS), 2), np.float32)
    confidence = np.zeros((len(num_frames), frames, len(JOINTS)), np.float32)
    for clip, length in enumerate(num_frames):
        positions[clip, :length] = draw.uniform(0.1, 0.9, (length, len(JOINTS), 2))
        found = draw.uniform(0.2, 1, (length, len(JOINTS)))
        found[draw.random(found.shape) < missing] = 0
        for hand in (LEFT_HAND, RIGHT_HAND):
            found[draw.random(length) < missing, hand] = 0
        found[draw.random(length) < missing] = 0
        confidence[clip, :length] = found
    positions[confidence == 0] = 0
    return PoseBatch(
        torch.from_numpy(positions), torch.from_numpy(confidence), torch.tensor(num_frames)
    )


def padded(batch: PoseBatch, padding: int) -> PoseBatch:
    """The same clips with more frames of padding."""
    return PoseBatch(
        torch.nn.functional.pad(batch.positions, (0, 0, 0, 0, 0, padding)),
        torch.nn.functional.pad(batch.confidence, (0, 0, 0, padding)),
        batch.num_frames,
    )


def same(one: PoseBatch, two: PoseBatch, atol: float = 0.0) -> bool:
    """Whether the clips are the same, whatever their padding."""
    frames = min(one.positions.shape[1], two.positions.shape[1])
    return (
        torch.equal(one.num_frames, two.num_frames)
        and torch.allclose(one.positions[:, :frames], two.positions[:, :frames], rtol=0, atol=atol)
        and torch.equal(one.confidence[:, :frames], two.confidence[:, :frames])
        and int(one.num_frames.max()) <= frames
    )


def moved(batch: PoseBatch, shift: tuple[float, float], scale: float) -> PoseBatch:
    """The people elsewhere in the picture and nearer or farther; missing joints stay at 0."""
    placed = (batch.positions * scale + torch.tensor(shift)) * batch.joint_mask[..., None]
    return batch.with_positions(placed)
