"""What dense labels teach: cross-entropy of the steps that have one."""

from __future__ import annotations

from jaxtyping import Float, Float32, Int64
from torch import Tensor
from torch.nn import functional

from slr_ray.sentences.steps import NO_GLOSS


def dense_loss(
    logits: Float[Tensor, "sentences steps glosses"],
    glosses: Int64[Tensor, "sentences steps"],
    weights: Float32[Tensor, "sentences steps"],
) -> Float32[Tensor, ""]:
    """Mean over the labelled steps of weight x cross-entropy; 0 where no step has a label.

    `logits` are those of a head of steps that knows no blank. The mean is over the steps of all
    sentences, so that unsure labels lower the loss instead of leaving it to the others.
    """
    losses = functional.cross_entropy(
        logits.float().transpose(1, 2), glosses, ignore_index=NO_GLOSS, reduction="none"
    )
    return (losses * weights).sum() / (glosses != NO_GLOSS).sum().clamp(min=1)
