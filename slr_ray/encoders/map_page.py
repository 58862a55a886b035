"""Maps of representations as one self-contained page, and as a picture."""

from __future__ import annotations

import colorsys
import io
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from slr_ray.documents.svg import escape

_SIDE, _MARGIN = 560, 14
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1240px;margin:2em auto;padding:0 1em;"
    "background:#fff;color:#22242a}"
    "h1{font-size:1.4em}h2{font-size:1.1em}main{display:flex;flex-wrap:wrap;gap:2em}"
    "svg{border:1px solid #e4e4e8;width:560px;max-width:100%;height:auto}"
    "ul{list-style:none;padding:0;margin:.6em 0;columns:3;font-size:13px;max-width:560px}"
    "i{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.4em}"
)


def map_page(
    places: Float[np.ndarray, "clips 2"],
    clip_ids: Sequence[str],
    glosses: Sequence[str],
    signers: Sequence[str],
    title: str,
) -> str:
    """The same map twice: coloured by gloss and by signer; a point's tooltip names its clip.

    A good map by gloss is a bad one by signer: where signers make the clusters, the representation
    knows who signs rather than what.
    """
    tips = [
        f"{gloss}, {signer}, {clip_id}"
        for gloss, signer, clip_id in zip(glosses, signers, clip_ids, strict=True)
    ]
    parts = "".join(
        f"<section><h2>by {name}</h2>{_svg(places, groups, tips)}{_legend(groups)}</section>"
        for name, groups in (("gloss", glosses), ("signer", signers))
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>"
        f"<h1>{escape(title)}</h1><p>UMAP by cosine distance. Clips that lie together were near "
        "each other; distances between clusters mean little.</p>"
        f"<main>{parts}</main></body></html>\n"
    )


def map_png(
    places: Float[np.ndarray, "clips 2"],
    glosses: Sequence[str],
    signers: Sequence[str],
    title: str,
) -> bytes:
    """The same two maps as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    for axes, name, groups in zip(
        figure.subplots(1, 2), ("gloss", "signer"), (glosses, signers), strict=True
    ):
        for group, colour in _colours(groups).items():
            rows = [row for row, one in enumerate(groups) if one == group]
            axes.scatter(places[rows, 0], places[rows, 1], s=8, color=colour, label=group)
        axes.set(title=f"by {name}", xticks=[], yticks=[])
        if len(set(groups)) <= 24:
            axes.legend(fontsize=7, markerscale=2, loc="best")
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110, format="png")
    return buffer.getvalue()


def _svg(places: np.ndarray, groups: Sequence[str], tips: Sequence[str]) -> str:
    low, high = places.min(axis=0), places.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    pixels = _MARGIN + (places - low) / span * (_SIDE - 2 * _MARGIN)
    colours = _colours(groups)
    points = "".join(
        f'<circle cx="{x:.1f}" cy="{_SIDE - y:.1f}" r="3.2" fill="{colours[group]}" '
        f'fill-opacity=".75"><title>{escape(tip)}</title></circle>'
        for (x, y), group, tip in zip(pixels, groups, tips, strict=True)
    )
    return f'<svg viewBox="0 0 {_SIDE} {_SIDE}" role="img">{points}</svg>'


def _legend(groups: Sequence[str]) -> str:
    rows = "".join(
        f'<li><i style="background:{colour}"></i>{escape(group)}</li>'
        for group, colour in _colours(groups).items()
    )
    return f"<ul>{rows}</ul>"


def _colours(groups: Sequence[str]) -> dict[str, str]:
    """A colour for each, hues by the golden angle so that neighbours in the list differ."""
    colours = {}
    for number, group in enumerate(sorted(set(groups))):
        light = (0.42, 0.58, 0.34)[number % 3]
        red, green, blue = colorsys.hls_to_rgb((number * 0.381966) % 1.0, light, 0.75)
        colours[group] = f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
    return colours
