"""SPOTER's augmentation and normalisation in the shape of its release: the benchmark's other side.

One clip at a time: a dictionary from joint to its frames, each frame a point, loops over frames and
joints in Python. It computes what `slr_ray` computes, with its definitions where they differ from
the release (y downward, missing joints stay missing), so that both sides do the same work.
"""

from __future__ import annotations

import math
import random

import numpy as np

from slr_ray.poses.skeleton import BODY_JOINTS, HAND_JOINTS, JOINTS

Point = tuple[float, float] | list[float] | np.ndarray
Sign = dict[str, list[Point] | np.ndarray]


def augmented(sign: Sign, draw: random.Random) -> Sign:
    """One of SPOTER's four transforms with probability 0.5."""
    if draw.random() >= 0.5:
        return sign
    match draw.randrange(4):
        case 0:
            angle = math.radians(draw.uniform(-13, 13))
            return {
                joint: [turned((0.5, 0.5), one, angle) if found(one) else one for one in points]
                for joint, points in sign.items()
            }
        case 1:
            m, left = draw.uniform(0, 0.1), draw.random() < 0.5
            return projected(sign, perspective_matrix(m, left))
        case 2:
            left_part, right_part = draw.uniform(0, 0.15), draw.uniform(0, 0.15)
            matrix = np.array([[1 - left_part - right_part, 0, left_part], [0, 1, 0], [0, 0, 1]])
            return projected(sign, matrix)
        case _:
            return arms_turned(sign, draw)


def found(point: Point) -> bool:
    return point[0] != 0


def turned(origin: Point, point: Point, angle: float) -> Point:
    x, y = point[0] - origin[0], point[1] - origin[1]
    cos, sin = math.cos(angle), math.sin(angle)
    return origin[0] + cos * x - sin * y, origin[1] + sin * x + cos * y


def perspective_matrix(m: float, left: bool) -> np.ndarray:
    matrix = np.array([[1 - 3 * m, 0, m], [-m, 1 - 2 * m, m], [-2 * m, 0, 1]])
    flip = np.array([[-1.0, 0, 1], [0, 1, 0], [0, 0, 1]])
    return matrix if left else flip @ matrix @ flip


def projected(sign: Sign, matrix: np.ndarray) -> Sign:
    """The body's joints through a 3 x 3 projection, as an array: the release has OpenCV do it."""
    body = np.array([sign[joint] for joint in BODY_JOINTS])
    points = np.concatenate([body, np.ones((*body.shape[:2], 1))], axis=-1) @ matrix.T
    moved = points[..., :2] / points[..., 2:]
    moved = np.where(body[..., :1] != 0, moved, 0.0)
    return sign | {joint: moved[row].tolist() for row, joint in enumerate(BODY_JOINTS)}


def arms_turned(sign: Sign, draw: random.Random) -> Sign:
    sign = dict(sign)
    for side in ("left", "right"):
        chain = ("neck", f"{side}Shoulder", f"{side}Elbow", f"{side}Wrist")
        for pivot in range(3):
            if draw.random() < 0.3:
                angle = math.radians(draw.uniform(-4, 4))
                for joint in chain[pivot + 1 :]:
                    sign[joint] = [
                        turned(origin, point, angle) if found(origin) and found(point) else point
                        for origin, point in zip(sign[chain[pivot]], sign[joint], strict=True)
                    ]
    return sign


def normalise_body(sign: Sign) -> None:
    """Into the body's box, frame by frame, in place."""
    box = None
    for frame in range(len(sign["nose"])):
        left, right = sign["leftShoulder"][frame], sign["rightShoulder"][frame]
        neck, nose, eye = (sign[joint][frame] for joint in ("neck", "nose", "leftEye"))
        shoulders = found(left) and found(right)
        if shoulders or (found(neck) and found(nose)):
            one, two = (left, right) if shoulders else (neck, nose)
            head = ((one[0] - two[0]) ** 2 + (one[1] - two[1]) ** 2) ** 0.5
            box = (neck[0] - 3 * head, eye[1] - head, 6 * head)
        if box is None or box[2] == 0:
            continue
        for joint in BODY_JOINTS:
            point = sign[joint][frame]
            if found(point):
                sign[joint][frame] = [(point[0] - box[0]) / box[2], (point[1] - box[1]) / box[2]]


def normalise_hands(sign: Sign) -> None:
    """Into each hand's box, frame by frame, in place; looks points up as often as the release."""
    for hand in ("_0", "_1"):
        joints = [joint + hand for joint in HAND_JOINTS]
        for frame in range(len(sign["nose"])):
            xs = [sign[joint][frame][0] for joint in joints if found(sign[joint][frame])]
            ys = [sign[joint][frame][1] for joint in joints if found(sign[joint][frame])]
            if not xs:
                continue
            side = 1.2 * max(max(xs) - min(xs), max(ys) - min(ys))
            corner = ((min(xs) + max(xs) - side) / 2, (min(ys) + max(ys) - side) / 2)
            for joint in joints:
                if found(sign[joint][frame]) and side != 0:
                    x = (sign[joint][frame][0] - corner[0]) / side
                    y = (sign[joint][frame][1] - corner[1]) / side
                    sign[joint][frame] = [x, y]


def to_dictionary(positions: np.ndarray) -> Sign:
    """Frames x 54 x 2 as a dictionary from joint to its frames x 2, as the release keeps it."""
    return {joint: positions[:, row].copy() for row, joint in enumerate(JOINTS)}


def to_array(sign: Sign) -> np.ndarray:
    """A dictionary back as frames x 54 x 2."""
    positions = np.empty((len(sign["nose"]), len(JOINTS), 2))
    for row, joint in enumerate(JOINTS):
        positions[:, row, 0] = [point[0] for point in sign[joint]]
        positions[:, row, 1] = [point[1] for point in sign[joint]]
    return positions
