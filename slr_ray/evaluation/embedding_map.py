"""Representations laid out in two dimensions by UMAP, for people to look at (McInnes et al. 2018).

Distances in the map mean little: clips that lie together were near each other, the rest is layout.
"""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float

_NEIGHBOURS = 15
_LEAST_CLIPS = 4


def embedding_map(
    representations: Float[np.ndarray, "clips dim"], seed: int, num_neighbours: int = _NEIGHBOURS
) -> Float[np.ndarray, "clips 2"]:
    """Places of clips in the map, by cosine distance; the same for the same seed.

    SSL-SLR, section 6.3.1, uses UMAP without stating its settings; these are its defaults but for
    the distance. `ValueError` with fewer than four clips.
    """
    if len(representations) < _LEAST_CLIPS:
        raise ValueError(f"a map needs at least {_LEAST_CLIPS} clips, got {len(representations)}")
    with warnings.catch_warnings():
        # Its import looks for TensorFlow, and warns that a seed keeps it from using all threads.
        warnings.filterwarnings(
            "ignore", message="Tensorflow not installed", category=ImportWarning
        )
        warnings.filterwarnings("ignore", "n_jobs value", UserWarning)
        warnings.filterwarnings("ignore", "Spectral initialisation failed")
        # Deprecations of numba and scikit-learn inside UMAP are not ours to mend.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        from umap import UMAP  # type: ignore[import-untyped]  # ships no types

        reducer = UMAP(
            n_neighbors=min(num_neighbours, len(representations) - 1),
            # The spectral layout needs more clips than dimensions of the map.
            init="spectral" if len(representations) > 10 else "random",
            metric="cosine",
            random_state=seed,
        )
        return np.asarray(reducer.fit_transform(representations), np.float64)
