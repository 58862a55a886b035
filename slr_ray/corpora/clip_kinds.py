"""Isolated signs or continuous signing: what was asked for must be what the clips are."""

from __future__ import annotations

import numpy as np

from slr_ray.corpora.corpus import Corpus
from slr_ray.errors import ConfigError

TO_SENTENCES = "set task=continuous, which slr_ray.train and slr_ray.tune take"
SYNTHETIC_TRANSITIONS = {"transitions": "synthetic"}
"""In the provenance of sentences that are chained of isolated clips."""


def refuse_sentences(corpus: Corpus, remedy: str = TO_SENTENCES) -> None:
    """`ConfigError` where isolated signs are worked on and the corpus has sentences."""
    if not corpus.has_sentences:
        return
    first = int(np.flatnonzero(corpus.is_labelled)[0])
    raise ConfigError(
        f"{corpus.name} is continuous signing: its clip {corpus.clip_ids[first].as_py()!r} is a "
        f"sentence of {len(corpus.sequence(first))} glosses. This is for isolated signs: {remedy}"
    )


def refuse_other_kind(corpus: Corpus, other: Corpus) -> None:
    """`ConfigError` where clips of another corpus are joined that are not what the corpus's are."""
    if other.is_labelled.any() and other.has_sentences != corpus.has_sentences:
        kinds = {True: "sentences", False: "isolated signs"}
        raise ConfigError(
            f"{other.name} has {kinds[other.has_sentences]}, and {corpus.name} "
            f"{kinds[corpus.has_sentences]}: they can't be learnt from together. Leave it out"
        )


def refuse_isolated(corpus: Corpus) -> None:
    """`ConfigError` where sentences are worked on and no clip is known to be one."""
    if corpus.has_sentences:
        return
    kind = "isolated signs" if corpus.is_labelled.any() else "clips without any gloss"
    raise ConfigError(
        f"{corpus.name} has {kind}, and task=continuous needs sentences: clips with `glosses`. Set "
        "task=isolated, or give other data"
    )
