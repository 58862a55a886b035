"""Bars of glosses stand where they are signed, and their names do not overlap."""

from __future__ import annotations

import itertools
import re

import pytest

from slr_ray.documents.gloss_lanes import Signed, gloss_lanes

BAR = re.compile(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)".*?<title>(.*?)</title>')
NAME = re.compile(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="middle" class="ink">(.*?)</text>')


def test_bars_are_where_the_glosses_are() -> None:
    true = [Signed("book", 0, 50), Signed("<read>", 75, 100)]
    drawing = gloss_lanes({"true": true, "found": [Signed("book", 50, 75, 2)]}, 100, "both")
    bars = BAR.findall(drawing.svg())
    assert [title for *_, title in bars] == [
        "book: frames 0 to 49",
        "&lt;read&gt;: frames 75 to 99",
        "book: frames 50 to 74",
    ]
    (left, top, wide), (right, same, narrow), (middle, below, _) = (
        map(float, bar[:3]) for bar in bars
    )
    assert (top, same) == (top, top)
    assert below > top
    # Ends included, a frame is as long anywhere.
    assert middle - left == pytest.approx(2 * (right - middle), abs=0.2)
    assert wide + 1 == pytest.approx(2 * (narrow + 1), abs=0.2)


@pytest.mark.parametrize("num_glosses", [3, 12, 40])
def test_names_do_not_overlap(num_glosses: int) -> None:
    glosses = [Signed("FASZINIEREND2", 5 * n, 5 * n + 4) for n in range(num_glosses)]
    drawing = gloss_lanes({"true": glosses}, 5 * num_glosses, "names")
    rows: dict[str, list[tuple[float, float]]] = {}
    for x, y, name in NAME.findall(drawing.svg()):
        half = 7 * len(name) / 2
        rows.setdefault(y, []).append((float(x) - half, float(x) + half))
    assert sum(map(len, rows.values())) == num_glosses
    assert drawing.svg().count(">FASZINIEREND2<") == (num_glosses if num_glosses < 20 else 0)
    for row in rows.values():
        ordered = sorted(row)
        assert all(one[1] <= two[0] + 0.2 for one, two in itertools.pairwise(ordered))
        assert ordered[0][0] >= 0
        assert ordered[-1][1] <= drawing.width


def test_a_dot_marks_the_frame_in_which_a_gloss_shows_most() -> None:
    glosses = [Signed("book", 0, 50, spike=12), Signed("read", 50, 100)]
    svg = gloss_lanes({"found": glosses}, 100, "dots").svg()
    (dot,) = re.findall(r'<circle cx="([\d.]+)".*?<title>(.*?)</title>', svg)
    (left, _, width, _), _ = BAR.findall(svg)
    assert dot[1] == "book: most probable at frame 12"
    # In the middle of its frame.
    assert float(dot[0]) == pytest.approx(float(left) + 12.5 / 50 * (float(width) + 1), abs=0.2)


def test_a_legend_moves_the_lanes_down() -> None:
    glosses = {"true": [Signed("book", 0, 5)]}
    plain = gloss_lanes(glosses, 10, "plain")
    named = gloss_lanes(glosses, 10, "named", [("right", 2)])
    assert ">right</text>" in named.svg()
    assert named.height == plain.height + 18
    assert "<rect" in named.svg()
