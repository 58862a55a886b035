"""Hand shape: each hand in its own coordinates, apart from where it is."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from slr_ray.poses.batch import PoseBatch, index_on
from slr_ray.poses.skeleton import HAND_JOINTS, HANDS, LEFT_HAND, RIGHT_HAND

_BOTH = (LEFT_HAND, RIGHT_HAND)
_NUM_HAND_JOINTS = len(HAND_JOINTS)
_WRIST = HAND_JOINTS.index("wrist")
_KNUCKLES = [HAND_JOINTS.index(f"{one}MCP") for one in ("index", "middle", "ring", "little")]
_SIZE_JOINTS = tuple(tuple(hand.start + one for one in (_WRIST, *_KNUCKLES)) for hand in _BOTH)


def spoter_hand_boxes(
    hands: Float[Tensor, "42 2 frames"], found: Float[Tensor, "42 frames"]
) -> tuple[Float[Tensor, "2 2 frames"], Float[Tensor, "2 frames"]]:
    """Top left corner and side of the square around each hand (left, right), frame by frame.

    SPOTER release, `normalize_single_dict` for hands: the bounding box of the found joints, widened
    on every side by 10 % of its longer side, then squared about its middle. A hand without extent
    (missing, or one joint) has the image as box, which leaves its coordinates as they are, as
    published. Missing is 0 in `found` here (1 elsewhere), a coordinate of exactly 0 in the release.
    """
    # An infinite penalty keeps missing joints out of both extremes, faster than masking twice.
    penalty = found.reciprocal().sub_(1)[:, None]
    low = (hands + penalty).view(2, _NUM_HAND_JOINTS, 2, -1).amin(dim=1)
    high = (hands - penalty).view(2, _NUM_HAND_JOINTS, 2, -1).amax(dim=1)
    longer = (high - low).amax(dim=1)
    known = longer > 0
    side = torch.where(known, 1.2 * longer, 1.0)
    corner = (low + high - side[:, None]) / 2
    return torch.where(known[:, None], corner, 0.0), side


def hand_shape(
    hands: Float[Tensor, "42 2 frames"],
    found: Float[Tensor, "42 frames"],
    sizes: Float[Tensor, "2 frames"],
) -> Float[Tensor, "42 2 frames"]:
    """Both hands (left, then right) relative to their wrists, in units of the hand's size.

    `sizes` are those of `hand_sizes`, in the hands' units, NaN where unknown. Missing joints
    (`found` 0, elsewhere 1), and hands without wrist or size, are 0. Ours, not published.
    """
    apart = torch.unflatten(hands, 0, (2, _NUM_HAND_JOINTS))
    known = torch.unflatten(found, 0, (2, _NUM_HAND_JOINTS))
    known = known * known[:, _WRIST, None] / sizes.nan_to_num(torch.inf)[:, None]
    from_wrist = apart - apart[:, _WRIST, None]
    return (from_wrist * known[:, :, None]).flatten(0, 1)


def hand_sizes(batch: PoseBatch) -> Float[Tensor, "clips 2"]:
    """Size of the left and the right hand in each clip; NaN where unknown.

    The largest distance from the wrist to a knuckle, as the median over the clip's frames in which
    the hand's wrist and knuckles were found: a box fitted frame by frame, SPOTER's way, makes a
    fist as large as an open hand.
    """
    return _sizes(batch).nanmedian(dim=1).values


def hand_space(batch: PoseBatch) -> tuple[Float[Tensor, "clips 2"], Float[Tensor, " clips"]]:
    """Mean place of all hand joints found in each clip, and the size of its hands.

    The size is that of `hand_sizes`, the median over both hands. NaN in clips where no frame has a
    hand with wrist and knuckles.
    """
    size = _sizes(batch).flatten(1).nanmedian(dim=1).values
    # Missing joints are 0. Frames in double precision, so that padding rounds no sum another way.
    total = batch.positions[:, :, HANDS].sum(dim=2).sum(dim=1, dtype=torch.float64)
    count = (batch.confidence[:, :, HANDS] > 0).sum(dim=(1, 2))
    centre = (total / count[:, None]).to(batch.positions.dtype)
    return torch.where(size.isnan()[:, None], torch.nan, centre), size


def _sizes(batch: PoseBatch) -> Float[Tensor, "clips frames hands"]:
    """Largest distance from the wrist to a knuckle, NaN where one of them was not found."""
    # Only these joints: `signing_space` asks for every clip, whether it lacks shoulders or not.
    joints = index_on(batch.positions.device, _SIZE_JOINTS)
    places = batch.positions[:, :, joints]
    found = batch.confidence[:, :, joints] > 0
    x, y = (places[:, :, :, 1:] - places[:, :, :, :1]).unbind(-1)
    reach = (x.square() + y.square()).sqrt().amax(dim=-1)
    usable = found.all(dim=-1) & (reach > 0)
    return torch.where(usable, reach, torch.nan)
