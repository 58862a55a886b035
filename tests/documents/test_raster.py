"""A drawing as pixels has its marks where the SVG has them, in the colours of the light page."""

from __future__ import annotations

import numpy as np
import pytest

from slr_ray.documents.raster import as_picture
from slr_ray.documents.svg import Canvas


def test_marks_are_where_they_are_drawn() -> None:
    canvas = Canvas(100, 50, "marks")
    canvas.rect(10, 5, 30, 10, 3, "a & b")
    canvas.circle(70, 25, 5, "#ff0000")
    canvas.line(0, 45, 100, 45, "grid")
    canvas.text(50, 40, "<word>", "middle", "ink")
    pixels = np.asarray(as_picture(canvas))
    assert pixels.shape == (100, 200, 3)
    assert pixels[20, 50].tolist() == [0x25, 0x63, 0xEB]
    assert pixels[50, 140].tolist() == [255, 0, 0]
    assert pixels[90, 5].tolist() == [0xE0, 0xE1, 0xE6]
    assert pixels[40, 50].tolist() == [255, 255, 255]
    dark = np.argwhere(pixels[56:84].max(axis=2) < 80)
    assert len(dark) > 30
    # Written around its place.
    assert dark[:, 1].min() < 100 < dark[:, 1].max()


def test_other_marks_are_told() -> None:
    canvas = Canvas(10, 10, "a curve")
    canvas.polyline([(0, 0), (5, 5)], "curve k1")
    with pytest.raises(ValueError, match="polyline"):
        as_picture(canvas)
