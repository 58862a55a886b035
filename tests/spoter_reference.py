"""Normalisation and augmentation from their published definitions, one frame and joint at a time.

Independent of `slr_ray`: plain loops over lists, joints by name. A joint is missing where `found`
says so. Positions are image fractions, y downward.
"""

from __future__ import annotations

import math

import numpy as np

BODY = ["nose", "neck", "rightEye", "leftEye", "rightEar", "leftEar"]
BODY += [side + part for part in ("Shoulder", "Elbow", "Wrist") for side in ("right", "left")]
HAND = ["wrist"]
HAND += [f + p for f in ("index", "middle", "ring", "little") for p in ("Tip", "DIP", "PIP", "MCP")]
HAND += ["thumbTip", "thumbIP", "thumbMP", "thumbCMC"]
NAMES = BODY + [joint + "_0" for joint in HAND] + [joint + "_1" for joint in HAND]
AT = {name: number for number, name in enumerate(NAMES)}


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2)


def spoter(positions: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Body in SPOTER's box, hands in theirs."""
    out = positions.astype(float).copy()
    box = None
    for t in range(len(positions)):
        at = {n: positions[t, i].astype(float) for n, i in AT.items() if found[t, i]}
        shoulders = "leftShoulder" in at and "rightShoulder" in at
        neck = at.get("neck")
        if neck is None and shoulders:
            neck = (at["leftShoulder"] + at["rightShoulder"]) / 2
        head = 0.0
        if shoulders:
            head = _distance(at["leftShoulder"], at["rightShoulder"])
        elif "neck" in at and "nose" in at:
            head = _distance(at["neck"], at["nose"])
        eye = at.get("leftEye", at.get("rightEye", at.get("nose")))
        if head > 0 and neck is not None and eye is not None:
            box = (neck[0] - 3 * head, neck[0] + 3 * head, eye[1] - head, eye[1] - head + 6 * head)
        if box is not None:
            for name in BODY:
                if name in at:
                    x, y = at[name]
                    left, right, top, bottom = box
                    out[t, AT[name]] = (x - left) / (right - left), (y - top) / (bottom - top)
        for side in ("_0", "_1"):
            points = [at[joint + side] for joint in HAND if joint + side in at]
            if not points:
                continue
            xs, ys = [p[0] for p in points], [p[1] for p in points]
            width, height = max(xs) - min(xs), max(ys) - min(ys)
            if width == height == 0:
                continue
            if width > height:
                more_x = 0.1 * width
                more_y = more_x + (width - height) / 2
            else:
                more_y = 0.1 * height
                more_x = more_y + (height - width) / 2
            for joint in HAND:
                if joint + side in at:
                    x, y = at[joint + side]
                    out[t, AT[joint + side]] = (
                        (x - min(xs) + more_x) / (width + 2 * more_x),
                        (y - min(ys) + more_y) / (height + 2 * more_y),
                    )
    return out


def _lower_median(values: list[float]) -> float:
    return sorted(values)[(len(values) - 1) // 2]


def signing_space(positions: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Shoulder widths from the neck, medians over the clip; without shoulders from the hands."""
    widths, necks = [], []
    for t in range(len(positions)):
        left, right, neck = AT["leftShoulder"], AT["rightShoulder"], AT["neck"]
        if found[t, left] and found[t, right]:
            width = _distance(positions[t, left], positions[t, right])
            if width > 0:
                middle = (positions[t, left] + positions[t, right]) / 2
                widths.append(width)
                necks.append(positions[t, neck] if found[t, neck] else middle)
    centre, unit = np.array([0.5, 0.5]), 1 / 3
    reaches = [reach for side in ("_0", "_1") for reach in _reaches(positions, found, side)]
    if reaches and not widths:
        unit = 2.4 * _lower_median(reaches)
        joints = [AT[name + side] for name in HAND for side in ("_0", "_1")]
        places = [
            frame[joint]
            for frame, seen in zip(positions, found, strict=True)
            for joint in joints
            if seen[joint]
        ]
        centre = np.mean(places, axis=0)
    if widths:
        unit = _lower_median(widths)
        centre = np.array([_lower_median([neck[axis] for neck in necks]) for axis in (0, 1)])
    out = np.zeros(positions.shape)
    for t in range(len(positions)):
        for joint in range(54):
            if found[t, joint]:
                out[t, joint] = (positions[t, joint] - centre) / unit
    return out


def hand_shape(positions: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Hand joints (frames x 42 x 2) from their wrist, in median wrist-to-knuckle reaches."""
    out = np.zeros((len(positions), 42, 2))
    for number, side in enumerate(("_0", "_1")):
        wrist = AT["wrist" + side]
        reaches = _reaches(positions, found, side)
        if not reaches:
            continue
        size = _lower_median(reaches)
        for t in range(len(positions)):
            for joint, name in enumerate(HAND):
                index = AT[name + side]
                if found[t, index] and found[t, wrist]:
                    shape = (positions[t, index] - positions[t, wrist]) / size
                    out[t, 21 * number + joint] = shape
    return out


def _reaches(positions: np.ndarray, found: np.ndarray, side: str) -> list[float]:
    """Largest distance from wrist to knuckle of each frame that has them all."""
    wrist = AT["wrist" + side]
    knuckles = [AT[f"{f}MCP{side}"] for f in ("index", "middle", "ring", "little")]
    reaches = [
        max(_distance(frame[k], frame[wrist]) for k in knuckles)
        for frame, seen in zip(positions, found, strict=True)
        if seen[wrist] and all(seen[k] for k in knuckles)
    ]
    return [reach for reach in reaches if reach > 0]


def _turn(point: np.ndarray, origin: np.ndarray, degrees: float) -> np.ndarray:
    angle = math.radians(degrees)
    x, y = point - origin
    turned = (
        math.cos(angle) * x - math.sin(angle) * y,
        math.sin(angle) * x + math.cos(angle) * y,
    )
    return origin + np.array(turned)


def rotate(positions: np.ndarray, found: np.ndarray, degrees: float) -> np.ndarray:
    out = positions.astype(float).copy()
    for t, joint in zip(*np.nonzero(found), strict=True):
        out[t, joint] = _turn(positions[t, joint], np.array([0.5, 0.5]), degrees)
    return out


def project(
    positions: np.ndarray, found: np.ndarray, corners: list[tuple[float, float]]
) -> np.ndarray:
    """The body through the projection of (0,0), (1,0), (0,1), (1,1) onto `corners`."""
    rows, sides = [], []
    for (x, y), (u, v) in zip([(0, 0), (1, 0), (0, 1), (1, 1)], corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -x * u, -y * u], [0, 0, 0, x, y, 1, -x * v, -y * v]]
        sides += [u, v]
    matrix = np.append(np.linalg.solve(np.array(rows, float), np.array(sides)), 1).reshape(3, 3)
    out = positions.astype(float).copy()
    for t in range(len(positions)):
        for name in BODY:
            if found[t, AT[name]]:
                x, y = positions[t, AT[name]]
                u, v, w = matrix @ np.array([x, y, 1.0])
                out[t, AT[name]] = u / w, v / w
    return out


def rotate_arms(positions: np.ndarray, found: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """`degrees`: left and right arm x neck, shoulder, elbow."""
    out = positions.astype(float).copy()
    for t in range(len(positions)):
        for arm, side in enumerate(("left", "right")):
            chain = [AT["neck"], *(AT[side + part] for part in ("Shoulder", "Elbow", "Wrist"))]
            for pivot in range(3):
                for joint in chain[pivot + 1 :]:
                    if found[t, joint] and found[t, chain[pivot]]:
                        origin = out[t, chain[pivot]].copy()
                        out[t, joint] = _turn(out[t, joint], origin, degrees[arm][pivot])
    return out
