"""Settings of unlabelled sentences beside the labelled ones."""

from __future__ import annotations

from pydantic import Field

from slr_ray.sentences.selection.degenerate import RejectDegenerate
from slr_ray.training.consistency.config import StepsConfig


class SentenceStreamConfig(StepsConfig):
    """How unlabelled sentences take part in every gradient step."""

    weight: float = Field(0.3, ge=0)
    """Of the unlabelled sentences' mean loss beside the labelled ones': with 1 their wrong glosses
    weigh as much as right ones."""
    start_fraction: float = Field(0.4, ge=0, lt=1)
    """Share of the training's steps before unlabelled sentences take part: a model that has just
    begun to speak lacks glosses or names wrong ones, and what learns them keeps to that."""
    warmup_fraction: float = Field(0.1, ge=0, le=1)
    """Share of the steps, from there, in which their weight rises linearly from 0."""
    confidence: float = Field(0.0, ge=0, le=1)
    """Least P(hypothesis | clip)^(1 / glosses) of a sentence that is trained on; 0 takes all, as
    momentum pseudo-labelling does."""
    align_rate: bool = True
    """Shift the teacher's blank so that hypotheses have as many glosses a step as the labelled
    sentences (see `GlossRate`); published without, where hypotheses lose more and more glosses."""
    reject: RejectDegenerate | None = RejectDegenerate()
    """Which hypotheses are left out besides; None leaves out the empty ones only."""
