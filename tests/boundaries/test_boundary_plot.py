"""What a drawing of a boundary search shows."""

from __future__ import annotations

import re

from slr_ray.boundaries.plot import boundary_drawing

POINTS = [(0.0, 0.0, 0.5), (0.25, 0.0, 0.7), (0.25, 0.0, 0.8), (0.0, 0.25, 0.6), (0.2, 0.2, 0.9)]


def test_every_training_and_both_boundaries_are_drawn() -> None:
    svg = boundary_drawing(POINTS, (0.25, 0.2), (0.3, 0.1), "<greedy>").svg()
    titles = re.findall("<title>(.*?)</title>", svg)
    # Three with an untouched tail, two with an untouched head, all five, and two boundaries.
    assert sum(one.startswith("training, ") for one in titles) == 3 + 2
    assert sum(": accuracy" in one for one in titles) == 5
    assert "head 0.2, tail 0.2: accuracy 90.0 %" in titles
    assert "found: head 0.25, tail 0.2" in titles
    assert "truth: head 0.3, tail 0.1" in titles
    assert "&lt;greedy&gt;" in svg


def test_no_training_needs_an_untouched_end() -> None:
    svg = boundary_drawing([(0.1, 0.1, 0.5)], (0.1, 0.1), None, "search").svg()
    assert "truth" not in svg
    assert "nan" not in svg
