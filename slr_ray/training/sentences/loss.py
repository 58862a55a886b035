"""The loss of sentences: CTC of every head, and how far they are from each other."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from slr_ray.models.streams.sentence_model import Heads
from slr_ray.sentences.ctc import ctc_loss
from slr_ray.sentences.steps import Sequences
from slr_ray.training.sentences.config import SentencesConfig

_SMALLEST = 1e-30
"""Of a probability before its logarithm is taken."""


def sentence_losses(
    heads: Heads,
    sequences: Sequences,
    config: SentencesConfig,
) -> Float[Tensor, " sentences"]:
    """Each sentence's loss in nats; that of dense labels is over the steps of all of them.

    CTC of the fused head, + `part_weight` x that of each part's, + `distillation_weight` x the
    divergences of all heads from their mean.
    """
    num_steps = heads.mask.sum(dim=1)
    losses = ctc_loss(heads.fused, num_steps, sequences)
    for part in heads.parts if config.part_weight else ():
        losses = losses + config.part_weight * ctc_loss(part, num_steps, sequences)
    if config.distillation_weight and heads.parts:
        losses = losses + config.distillation_weight * divergences(heads)
    return losses


def divergences(heads: Heads) -> Float[Tensor, " sentences"]:
    """Sum over steps and heads of KL(mean of all heads || head); the mean has no gradient.

    As in MSKA and TwoStream (Chen et al. 2022), whose mean is of the heads of the streams.
    """
    logs = torch.stack([one.float().log_softmax(dim=2) for one in (heads.fused, *heads.parts)])
    mean = logs.detach().exp().mean(dim=0)
    by_step = (mean * (mean.clamp(min=_SMALLEST).log() - logs)).sum(dim=(0, 3))
    return (by_step * heads.mask).sum(dim=1)
