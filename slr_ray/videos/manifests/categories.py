"""Folders that look like people and may be topics."""

from __future__ import annotations

from collections.abc import Iterable

from slr_ray.videos.manifests.manifest import Row

_FEWEST_GLOSSES = 3


def category_note(rows: Iterable[Row]) -> list[str]:
    """Says that every gloss is below one top folder only, where there are several of both.

    People sign the same glosses; topics part them. As signers, topics would make a split by signer
    test glosses that nobody trained.
    """
    signers: dict[str, set[str]] = {}
    for row in rows:
        if row.signer is not None:
            signers.setdefault(row.gloss or "", set()).add(row.signer)
    tops = {signer for found in signers.values() for signer in found}
    if (
        len(signers) < _FEWEST_GLOSSES
        or len(tops) < 2
        or any(len(one) > 1 for one in signers.values())
    ):
        return []
    gloss, (top,) = next(iter(signers.items()))
    return [
        f"every gloss stands below one top folder only, such as {gloss!r} below {top!r}: the "
        f"{len(tops)} top folders were taken for signers, but may be categories; if so, pass "
        "--layout category/gloss/clip"
    ]
