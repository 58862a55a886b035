"""An unlabelled pool whose gloss frequencies are bent on purpose."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int, Int64

from slr_ray.corpora.arrays import UNLABELLED


def long_tail(
    counts: Int[np.ndarray, " glosses"], order: Int[np.ndarray, " ranked"], imbalance: float
) -> Int64[np.ndarray, " glosses"]:
    """How many clips each gloss keeps: N_1 · γ^(-(r-1) / (R-1)) for the r-th of R in `order`.

    The long tail of DASO (arXiv 2106.05682, §4.1: γ = N_1 / N_R; below 1 it is flipped), N_1 as
    large as the `counts` that there are allow. Rounded, at least 1; glosses that `order` does not
    name keep nothing. A real corpus bounds N_1 by its own counts, where the paper thins a corpus
    with equally many clips a class.
    """
    ranks = np.arange(len(order)) / max(1, len(order) - 1)
    shape = float(imbalance) ** -ranks
    largest = (counts[order] / shape).min()
    kept = np.zeros(len(counts), np.int64)
    kept[order] = np.clip(np.round(largest * shape), 1, counts[order])
    return kept


def thinned(
    clips: Int64[np.ndarray, " clips"],
    glosses: Int[np.ndarray, " clips"],
    frequency: Int[np.ndarray, " glosses"],
    imbalance: float,
    seed: int,
) -> Int64[np.ndarray, " kept"]:
    """Those of ascending `clips` that stay so that their glosses follow `long_tail`.

    The order of glosses is that of `frequency`, equals by chance; which clips of a gloss stay is
    chance, too. Clips without a gloss stay: nobody can say which to take.
    """
    rng = np.random.default_rng([seed, 1])
    counts = np.bincount(glosses[glosses != UNLABELLED], minlength=len(frequency))
    present = rng.permutation(np.flatnonzero(counts))
    if not len(present):
        return clips
    kept = long_tail(counts, present[np.argsort(-frequency[present], kind="stable")], imbalance)
    stays = glosses == UNLABELLED
    for gloss in np.flatnonzero(counts):
        places = np.flatnonzero(glosses == gloss)
        stays[rng.permutation(places)[: kept[gloss]]] = True
    kept_clips: np.ndarray = clips[stays]
    return kept_clips
