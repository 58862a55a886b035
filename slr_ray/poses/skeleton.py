"""The 54-joint skeleton of SPOTER: 12 body joints (neck included) and 2 x 21 hand joints.

Order and names are those of the SPOTER release; suffix `_0` is the left hand, `_1` the right.
"""

from __future__ import annotations

BODY_JOINTS: tuple[str, ...] = (
    "nose",
    "neck",
    "rightEye",
    "leftEye",
    "rightEar",
    "leftEar",
    "rightShoulder",
    "leftShoulder",
    "rightElbow",
    "leftElbow",
    "rightWrist",
    "leftWrist",
)

HAND_JOINTS: tuple[str, ...] = (
    "wrist",
    *(
        f"{finger}{part}"
        for finger in ("index", "middle", "ring", "little")
        for part in ("Tip", "DIP", "PIP", "MCP")
    ),
    "thumbTip",
    "thumbIP",
    "thumbMP",
    "thumbCMC",
)

JOINTS: tuple[str, ...] = (
    *BODY_JOINTS,
    *(f"{joint}_0" for joint in HAND_JOINTS),
    *(f"{joint}_1" for joint in HAND_JOINTS),
)
NUM_JOINTS = len(JOINTS)

BODY = slice(0, 12)
LEFT_HAND = slice(12, 33)
RIGHT_HAND = slice(33, 54)
HANDS = slice(LEFT_HAND.start, RIGHT_HAND.stop)

INDEX: dict[str, int] = {joint: position for position, joint in enumerate(JOINTS)}


def _mirrored(joint: str) -> str:
    if joint.endswith("_0"):
        return joint[:-2] + "_1"
    if joint.endswith("_1"):
        return joint[:-2] + "_0"
    if joint.startswith("left"):
        return "right" + joint[4:]
    if joint.startswith("right"):
        return "left" + joint[5:]
    return joint


MIRROR: tuple[int, ...] = tuple(INDEX[_mirrored(joint)] for joint in JOINTS)
"""`MIRROR[j]` is the joint that joint j becomes when the image is flipped left to right."""


def _hand_bones(start: int) -> list[tuple[int, int]]:
    wrist = start
    bones = []
    for finger in range(4):
        tip = start + 1 + 4 * finger
        bones += [(wrist, tip + 3), (tip + 3, tip + 2), (tip + 2, tip + 1), (tip + 1, tip)]
    thumb_tip = start + 17
    bones += [(wrist, thumb_tip + 3), (thumb_tip + 3, thumb_tip + 2)]
    bones += [(thumb_tip + 2, thumb_tip + 1), (thumb_tip + 1, thumb_tip)]
    return bones


BONES: tuple[tuple[int, int], ...] = (
    *(
        (INDEX[a], INDEX[b])
        for a, b in (
            ("nose", "neck"),
            ("nose", "rightEye"),
            ("nose", "leftEye"),
            ("rightEye", "rightEar"),
            ("leftEye", "leftEar"),
            ("neck", "rightShoulder"),
            ("neck", "leftShoulder"),
            ("rightShoulder", "rightElbow"),
            ("leftShoulder", "leftElbow"),
            ("rightElbow", "rightWrist"),
            ("leftElbow", "leftWrist"),
        )
    ),
    *_hand_bones(LEFT_HAND.start),
    *_hand_bones(RIGHT_HAND.start),
)
"""Pairs of joints that a drawing connects."""
