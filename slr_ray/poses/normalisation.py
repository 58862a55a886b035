"""From image fractions to what a model reads: SPOTER's normalisation, and a signing space.

Everything is one batched computation on the batch's device. Missing joints (confidence 0) are never
moved, and padding stays 0.
"""

from __future__ import annotations

from typing import Annotated, Literal, assert_never

import torch
from jaxtyping import Float, Shaped
from pydantic import Field
from torch import Tensor

from slr_ray.config import Config
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.body_normalisation import signing_space, spoter_body_box
from slr_ray.poses.geometry import (
    LAGS,
    NUM_DIRECTIONS,
    NUM_DISTANCES,
    directions,
    distances,
    velocities,
)
from slr_ray.poses.hand_normalisation import hand_shape, hand_sizes, spoter_hand_boxes
from slr_ray.poses.handedness import canonical_hand
from slr_ray.poses.reading import ReadableClips, WithHands
from slr_ray.poses.skeleton import BODY, HAND_JOINTS, HANDS, LEFT_HAND, NUM_JOINTS, RIGHT_HAND


class _Normalisation(Config):
    canonical_hand: bool = False
    """Flip clips whose left hand is the more active one. About one signer in eight signs with the
    left hand or has a mirrored camera. Not published."""
    drop_handless_frames: bool = False
    """Leave frames without a hand out, before long clips are thinned: arms at rest and missed hands
    tell nothing of the sign. Not published."""


class SpoterNormalisation(_Normalisation):
    """As published: the body in a box sized by the shoulders, each hand in its own box."""

    kind: Literal["spoter"] = "spoter"


class SigningSpace(_Normalisation):
    """Body and hands located from the neck in shoulder widths, hand shapes beside them.

    Clips without shoulders are located from their hands, see `signing_space`.

    SPOTER's boxes say nothing about where a hand is, except through the body's wrist joint; here
    all joints share one space.
    """

    kind: Literal["signing_space"] = "signing_space"
    hand_shape: bool = True
    """Add 84 channels: hand joints relative to their wrist in units of the hand's size."""
    found_flags: bool = True
    """Add 14 channels, 1 where found: the 12 body joints, the left hand, the right hand."""
    distances: bool = False
    """Add the distances between fingertips, knuckles and wrist of a hand in units of the hand, and
    from hand to hand, face and shoulders in shoulder widths."""
    directions: bool = False
    """Add the directions of the hands' bones."""
    velocities: bool = False
    """Add each joint's way since one and two frames ago."""


class NoNormalisation(_Normalisation):
    """Image fractions as they are, for ablations."""

    kind: Literal["none"] = "none"


NormalisationConfig = Annotated[
    SpoterNormalisation | SigningSpace | NoNormalisation, Field(discriminator="kind")
]

_NUM_POSITIONS = 2 * NUM_JOINTS
_NUM_SHAPE = 2 * 2 * len(HAND_JOINTS)
_NUM_FLAGS = BODY.stop - BODY.start + 2


def readable(clips: ReadableClips, config: NormalisationConfig) -> ReadableClips:
    """The clips with the frames that `config` wants to see."""
    return WithHands(clips) if config.drop_handless_frames else clips


def normalise(batch: PoseBatch, config: NormalisationConfig) -> PoseBatch:
    """Positions in image fractions to those of `config`.

    `spoter`: 0..1 in the box of the body or of the hand, y downward (see `spoter_body_box` and
    `spoter_hand_boxes` for the source and the differences). `signing_space`: shoulder widths from
    the neck, y downward. `none`: unchanged. Missing joints and padding are 0.
    """
    return _normalised(_oriented(batch, config), config)


def features(
    batch: PoseBatch, config: NormalisationConfig
) -> Float[Tensor, "clips frames channels"]:
    """What a model reads of clips in image fractions: `num_channels(config)` numbers a frame.

    `spoter` and `none`: x and y of each joint in turn, minus 0.5. As in the SPOTER release the 0.5
    is taken from missing joints too, which are therefore -0.5. `signing_space`: x and y of each
    joint in turn (missing joints 0), then hand shapes, found flags, distances, directions and
    velocities, as far as asked for. Padding is 0.
    """
    batch = _oriented(batch, config)
    match config:
        case SpoterNormalisation():
            # In place: these positions are this function's own, and fresh memory is slow.
            positions = _normalised(batch, config).positions.flatten(2)
            return positions.sub_(0.5 * batch.frame_mask[..., None])
        case NoNormalisation():
            return (batch.positions.flatten(2) - 0.5) * batch.frame_mask[..., None]
        case SigningSpace():
            return _signing_features(batch, config)
        case _:
            assert_never(config)


def num_channels(config: NormalisationConfig) -> int:
    """Width of `features`."""
    match config:
        case SpoterNormalisation() | NoNormalisation():
            return _NUM_POSITIONS
        case SigningSpace():
            return (
                _NUM_POSITIONS
                + _NUM_SHAPE * config.hand_shape
                + _NUM_FLAGS * config.found_flags
                + NUM_DISTANCES * config.distances
                + NUM_DIRECTIONS * config.directions
                + _NUM_POSITIONS * len(LAGS) * config.velocities
            )
        case _:
            assert_never(config)


def _oriented(batch: PoseBatch, config: NormalisationConfig) -> PoseBatch:
    return canonical_hand(batch) if config.canonical_hand else batch


def _normalised(batch: PoseBatch, config: NormalisationConfig) -> PoseBatch:
    match config:
        case SpoterNormalisation():
            return _in_boxes(batch)
        case SigningSpace():
            return _in_space(batch, *signing_space(batch))
        case NoNormalisation():
            return batch
        case _:
            assert_never(config)


def _in_space(
    batch: PoseBatch, centre: Float[Tensor, "clips 2"], unit: Float[Tensor, " clips"]
) -> PoseBatch:
    moved = batch.positions - centre[:, None, None]
    moved /= unit[:, None, None, None]
    return batch.with_positions(moved.mul_(batch.joint_mask[..., None]))


def _signing_features(
    batch: PoseBatch, config: SigningSpace
) -> Float[Tensor, "clips frames channels"]:
    """The parts of a signing space's features, in the order of `num_channels`."""
    centre, unit = signing_space(batch)
    clips, frames = batch.confidence.shape[:2]
    # Joints first, as in `_in_boxes`, and for the same reason.
    joints = _transposed(_in_space(batch, centre, unit).positions.reshape(clips * frames, -1))
    found = _transposed((batch.confidence > 0).to(joints.dtype).view(clips * frames, -1))
    by_joint = joints.view(NUM_JOINTS, 2, -1)
    channels = [joints]
    if config.hand_shape or config.distances:
        size = (hand_sizes(batch) / unit[:, None]).t().repeat_interleave(frames, dim=1)
    if config.hand_shape:
        channels.append(hand_shape(by_joint[HANDS], found[HANDS], size).flatten(0, 1))
    if config.found_flags:
        channels.append(_found_flags(found))
    if config.distances:
        channels.append(distances(by_joint, found, size))
    if config.directions:
        channels.append(directions(by_joint, found))
    if config.velocities:
        by_clip = by_joint.view(NUM_JOINTS, 2, clips, frames)
        found_by_clip = found.view(NUM_JOINTS, clips, frames)
        channels.append(velocities(by_clip, found_by_clip).flatten(1))
    return _transposed(torch.cat(channels)).view(clips, frames, -1)


def _in_boxes(batch: PoseBatch) -> PoseBatch:
    # Joints first, frames last: what every frame has of its own then runs along memory, which is
    # ten times faster than with pairs of x and y innermost.
    clips, frames = batch.confidence.shape[:2]
    joints = _transposed(batch.positions.reshape(clips * frames, -1)).view(NUM_JOINTS, 2, -1)
    confidence = _transposed(batch.confidence.reshape(clips * frames, -1))
    # As numbers: multiplying by booleans takes four times as long.
    found = (confidence > 0).to(joints.dtype)
    by_joint = PoseBatch(
        joints.view(NUM_JOINTS, 2, clips, frames).permute(2, 3, 0, 1),
        confidence.view(NUM_JOINTS, clips, frames).permute(1, 2, 0),
        batch.num_frames,
    )
    body_corner, body_side = spoter_body_box(by_joint)
    hand_corner, hand_side = spoter_hand_boxes(joints[HANDS], found[HANDS])
    joints[BODY].sub_(body_corner.flatten(0, 1).t()).div_(body_side.flatten())
    hands = torch.unflatten(joints[HANDS], 0, (2, len(HAND_JOINTS)))
    hands.sub_(hand_corner[:, None]).div_(hand_side[:, None, None])
    moved = _transposed(joints.mul_(found[:, None]).flatten(0, 1))
    return batch.with_positions(moved.view_as(batch.positions))


def _transposed(table: Shaped[Tensor, "rows columns"]) -> Shaped[Tensor, "columns rows"]:
    return table.t().contiguous()


def _found_flags(found: Float[Tensor, "54 frames"]) -> Float[Tensor, "14 frames"]:
    hands = [found[hand].amax(dim=0, keepdim=True) for hand in (LEFT_HAND, RIGHT_HAND)]
    return torch.cat([found[BODY], *hands])
