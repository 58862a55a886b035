"""How players show a stored picture: the display matrix as one of eight orientations."""

from __future__ import annotations

import struct
from typing import Any

import av
import numpy as np
from jaxtyping import UInt8

_MATRIX = struct.Struct("=9i")
"""16.16 fixed point, in the machine's own byte order, as FFmpeg hands it out."""


def upright(
    image: UInt8[np.ndarray, "height width 3"], frame: av.VideoFrame
) -> UInt8[np.ndarray, "shown_height shown_width 3"]:
    """The picture turned and mirrored as the file says, by whole quarter turns.

    The matrix takes a stored point (x, y) to (a x + c y, b x + d y). Phones turn with it, front
    cameras mirror with it; matrices that tilt count as the nearest of the eight.
    """
    found: Any = frame.side_data.get("DISPLAYMATRIX")
    if found is None:
        return image
    a, b, _, c, d, *_ = _MATRIX.unpack(bytes(found)[: _MATRIX.size])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        right, down = a, d
    else:
        image = image.swapaxes(0, 1)
        right, down = c, b
    return image[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1]
