"""A boundary that was found: printed, written as overrides, compared with the truth."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, boundaries

_SECTION = "initialisation.augmentation"
OWN_BOUNDARIES = (
    f"initialisation.kind=pretraining {_SECTION}.kind=boundary {_SECTION}.per_clip={{}}"
)
"""Each clip's own estimate, as overrides that every command understands."""


def overrides_of(head: float, tail: float) -> str:
    """A boundary as overrides that every command understands, whatever it starts from."""
    return (
        f"initialisation.kind=pretraining {_SECTION}.kind=boundary "
        f"{_SECTION}.head_fraction={head:.3f} {_SECTION}.tail_fraction={tail:.3f}"
    )


def tell_found(console: Console, head: float, tail: float) -> None:
    """Print a boundary and how to use it; Algorithm 1 finds ends that may overlap."""
    console.print(f"head_fraction {head:.3f}, tail_fraction {tail:.3f}", style="bold")
    if head + tail > 1:
        console.print(
            "together they are more than a clip, as each was found with the other end untouched: "
            "the augmentation takes one of them, with 0 for the other"
        )
        return
    console.print(f"to use it: {overrides_of(head, tail)}", soft_wrap=True, highlight=False)


def true_boundaries(corpus: Corpus, clips: np.ndarray) -> np.ndarray | None:
    """Head and tail fraction of clips (clips x 2) of the embedded corpus; None of any other."""
    if not isinstance(corpus.data, EmbeddedConfig):
        return None
    truth = {one.clip_id: (one.head_fraction, one.tail_fraction) for one in boundaries(corpus.data)}
    return np.array([truth[one] for one in corpus.clip_ids.take(clips).to_pylist()])
