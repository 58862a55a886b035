"""Maps of representations as a document, and as one drawing."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from slr_ray.documents.charts import Dot, dots
from slr_ray.documents.document import Beside, Document, Figure, Section
from slr_ray.documents.svg import Canvas

_SIDE = 480


def map_drawings(
    places: Float[np.ndarray, "clips 2"],
    clip_ids: Sequence[str],
    glosses: Sequence[str],
    signers: Sequence[str],
) -> list[Canvas]:
    """The same map twice: coloured by gloss and by signer; a dot's tooltip names its clip.

    A good map by gloss is a bad one by signer: where signers make the clusters, the representation
    knows who signs rather than what.
    """
    names = zip(glosses, signers, clip_ids, strict=True)
    tips = [f"{gloss}, {signer}, {clip_id}" for gloss, signer, clip_id in names]
    drawings = []
    for name, groups in (("gloss", glosses), ("signer", signers)):
        colours = _colours(groups)
        drawn = [
            Dot(float(x), float(y), group, colours[group], tip)
            for (x, y), group, tip in zip(places, groups, tips, strict=True)
        ]
        # The legend follows the dots' order.
        drawn.sort(key=lambda one: one.label)
        drawings.append(dots(drawn, f"clips by {name}", None, _SIDE))
    return drawings


def map_document(drawings: Sequence[Canvas], title: str) -> Document:
    """The maps beside each other, with how to read them."""
    note = (
        "UMAP by cosine distance. Clips that lie together were near each other; distances between "
        "clusters mean little."
    )
    maps = Beside([Figure(one.alt.replace(" ", "_"), one, one.alt) for one in drawings])
    return Document(title, note, [Section("map", "Map", [maps])])


def _colours(groups: Sequence[str]) -> dict[str, str]:
    """A colour for each, hues by the golden angle so that neighbours in the list differ."""
    colours = {}
    for number, group in enumerate(sorted(set(groups))):
        light = (0.48, 0.62, 0.4)[number % 3]
        red, green, blue = colorsys.hls_to_rgb((number * 0.381966) % 1.0, light, 0.75)
        colours[group] = f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
    return colours
