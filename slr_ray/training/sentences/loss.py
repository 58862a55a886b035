"""The loss of sentences: CTC of every head, and how far they are from each other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
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
    share_done: float,
) -> Float[Tensor, " sentences"]:
    """Each sentence's loss in nats; that of dense labels is over the steps of all of them.

    CTC of the fused head, + `early_weight` x that of the early one, + `part_weight` x that of each
    part's, + `distillation_weight` x the divergences from their mean of those that count. Of the
    training's steps `share_done` are over: `label_prior` fades with it.
    """
    prior = config.label_prior * (1 - share_done)
    num_steps = heads.mask.sum(dim=1)
    every = [(1.0, heads.fused), (config.early_weight, heads.early)]
    every += [(config.part_weight, one) for one in heads.parts]
    counted = [(weight, one) for weight, one in every if weight]
    total = torch.stack(
        [weight * ctc_loss(one, num_steps, sequences, prior) for weight, one in counted]
    ).sum(dim=0)
    if config.distillation_weight and len(counted) > 1:
        apart = divergences([one for _, one in counted], heads.mask)
        total = total + config.distillation_weight * apart
    return total


def divergences(
    logits: Sequence[Float[Tensor, "clips steps classes"]], mask: Bool[Tensor, "clips steps"]
) -> Float[Tensor, " clips"]:
    """Sum over steps and heads of KL(mean of all heads || head); the mean has no gradient.

    As in MSKA and TwoStream (Chen et al. 2022), whose mean is of the heads of the streams.
    """
    logs = torch.stack([one.float().log_softmax(dim=2) for one in logits])
    mean = logs.detach().exp().mean(dim=0)
    by_step = (mean * (mean.clamp(min=_SMALLEST).log() - logs)).sum(dim=(0, 3))
    return (by_step * mask).sum(dim=1)
