"""What a user may set of decoding and of dense labels."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slr_ray.config import Config


class DecodingConfig(Config):
    """How a gloss sequence is read off the probabilities of steps."""

    beam: int = Field(1, ge=1)
    """Prefixes that the search keeps (published: 10 in VAC, 5 in MSKA and TwoStream); 1 takes the
    best path instead, which is faster and, after training with CTC, rarely worse."""


class DenseLabelsConfig(Config):
    """Dense pseudo-labels (DPLR): from spikes to a gloss for every step; `dense_labels.py`."""

    source: Literal["refined", "forced", "none"] = "refined"
    """Where a sentence's spikes come from: the teacher's own hypothesis, refined by the true
    sequence, or the best path of the true sequence; `none` trains without dense labels."""
    boundary: Literal["likelihood", "midpoint"] = "likelihood"
    """Where one gloss ends and the next begins: where both together are most probable, or halfway
    between their spikes."""
    ends: Literal["ignored", "extended"] = "extended"
    """Steps before the first and after the last spike: no label, or the nearest gloss for at most
    `max_extension` steps while the hands do not rest."""
    max_extension: int = Field(4, ge=0)
    """In steps of four frames: a little more than half of a sign. Half as many gain 3.5 points of
    boundary F1 on real signs, these 12."""
    weight: float = Field(0.5, ge=0)
    """Of the dense loss beside CTC's 1."""
    start_epoch: int = Field(10, ge=0)
    """First epoch with dense labels: before, there are no spikes to go by. Begun while most of the
    teacher's glosses are wrong, they cost more than they give."""
    forced_above: float = Field(0.6, ge=0)
    """A hypothesis with more errors than this share of the true glosses is not refined: its spikes
    come from the best path of the true sequence."""
