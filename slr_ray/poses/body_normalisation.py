"""Where the body is: SPOTER's box frame by frame, or one signing space a clip.

Both work on image fractions. The aspect ratio of the image is not part of a pose sequence, so x and
y distances are mixed as they are, like in the SPOTER release.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.hand_normalisation import hand_space
from slr_ray.poses.skeleton import INDEX

_NECK, _NOSE = INDEX["neck"], INDEX["nose"]
_LEFT, _RIGHT = INDEX["leftShoulder"], INDEX["rightShoulder"]
# SPOTER measures the box from the left eye; the others stand in where it is missing.
_EYES = (INDEX["leftEye"], INDEX["rightEye"], INDEX["nose"])

_WIDTH_IN_HANDS = 2.4
_UNKNOWN_CENTRE = 0.5
_UNKNOWN_WIDTH = 1 / 3


def spoter_body_box(
    batch: PoseBatch,
) -> tuple[Float[Tensor, "clips frames 2"], Float[Tensor, "clips frames"]]:
    """Top left corner and side of the square that SPOTER's body coordinates refer to.

    SPOTER release, `normalize_single_dict` for the body: head metric h = distance of the shoulders
    (neck to nose without them), box from neck.x - 3h to neck.x + 3h, top at leftEye.y - h, side 6h.
    Frames without head metric take the box of the last frame that had one; before the first such
    frame the box is the image, which leaves coordinates as they are. Differences:

    1. y grows downward here, upward in the release, so the sign of h changes and 0 is the top.
    2. Corners are not clamped at 0: coordinates outside the image are real.
    3. The release reads a missing neck or left eye as 0, which puts the box into the image's
       corner. Here the middle of the shoulders stands in for the neck, right eye or nose for the
       left eye; without those the frame counts as one without head metric.
    4. A box without extent (shoulders on one point) counts as none; the release stops the clip.
    """
    positions = batch.positions
    neck, has_neck, width, has_width = _shoulders(batch)
    has_nose = _found(batch, _NOSE) & _found(batch, _NECK)
    to_nose = _distance(neck, positions[:, :, _NOSE])
    head = torch.where(has_width, width, to_nose)
    eye_y = torch.zeros_like(head)
    has_eye = torch.zeros_like(has_neck)
    for eye in reversed(_EYES):
        has_this = _found(batch, eye)
        eye_y = torch.where(has_this, positions[:, :, eye, 1], eye_y)
        has_eye = has_eye | has_this
    valid = (has_width | has_nose) & has_neck & has_eye & (head > 0)
    corner = torch.stack([neck[..., 0] - 3 * head, eye_y - head], dim=-1)
    source = _last_valid(valid)
    known = source >= 0
    source = source.clamp(min=0)
    corner = corner.gather(1, source[..., None].expand_as(corner))
    side = 6 * head.gather(1, source)
    return corner * known[..., None], torch.where(known, side, 1.0)


def signing_space(
    batch: PoseBatch,
) -> tuple[Float[Tensor, "clips 2"], Float[Tensor, " clips"]]:
    """Centre (neck) and unit (shoulder width) of each clip's signing space.

    Both are medians over the frames where both shoulders were found, the lower one of an even
    number. One space a clip, not a frame: single frames of bad detection do not shake the others,
    and movement of the body stays visible. Ours, not published.

    Where shoulders were never found, as in poses of hands only, the hands stand in: the centre is
    the mean of all their joints, the unit 2.4 times their size, the median ratio on webcam clips
    (1.8 to 3.2 for four clips in five; of the joints' spread it is 1.6 to 5.1). A ridge classifier
    on new signers, moved and scaled by signer, gains 0.7 to 2.3 points over the image as space, and
    2.3 to 6.6 without hand shapes. Without hands either, the centre is the middle of the image and
    the unit a third of it, about what webcams show.
    """
    neck, _, width, has_width = _shoulders(batch)
    valid = has_width & (width > 0)
    unit = torch.where(valid, width, torch.nan).nanmedian(dim=1).values
    centre = torch.where(valid[..., None], neck, torch.nan).nanmedian(dim=1).values
    hands, size = hand_space(batch)
    centre = torch.where(unit.isnan()[:, None], hands, centre)
    unit = torch.where(unit.isnan(), _WIDTH_IN_HANDS * size, unit)
    return (
        torch.where(unit.isnan()[:, None], _UNKNOWN_CENTRE, centre),
        torch.where(unit.isnan(), _UNKNOWN_WIDTH, unit),
    )


def _shoulders(
    batch: PoseBatch,
) -> tuple[
    Float[Tensor, "clips frames 2"],
    Bool[Tensor, "clips frames"],
    Float[Tensor, "clips frames"],
    Bool[Tensor, "clips frames"],
]:
    """Neck (or the shoulders' middle) and shoulder width, each with the frames that have it."""
    left, right = batch.positions[:, :, _LEFT], batch.positions[:, :, _RIGHT]
    both = _found(batch, _LEFT) & _found(batch, _RIGHT)
    has_neck = _found(batch, _NECK)
    neck = torch.where(has_neck[..., None], batch.positions[:, :, _NECK], (left + right) / 2)
    return neck, has_neck | both, _distance(left, right), both


def _found(batch: PoseBatch, joint: int) -> Bool[Tensor, "clips frames"]:
    # `batch.joint_mask` would look at all 54.
    return batch.confidence[:, :, joint] > 0


def _distance(
    one: Float[Tensor, "clips frames 2"], two: Float[Tensor, "clips frames 2"]
) -> Float[Tensor, "clips frames"]:
    x, y = (one - two).unbind(-1)
    return (x.square() + y.square()).sqrt()


def _last_valid(valid: Bool[Tensor, "clips frames"]) -> Tensor:
    """Index of the last valid frame up to each frame, -1 where there is none yet."""
    steps = torch.arange(valid.shape[1], device=valid.device)
    return torch.where(valid, steps, -1).cummax(dim=1).values
