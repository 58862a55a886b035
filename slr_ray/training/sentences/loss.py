"""The loss of sentences: CTC of every head, their distance from each other, dense labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from slr_ray.models.streams.sentence_model import Heads
from slr_ray.sentences.ctc import ctc_loss
from slr_ray.sentences.dense_labels import DenseLabels
from slr_ray.sentences.steps import NO_GLOSS, Sequences
from slr_ray.training.sentences.config import SentencesConfig


def sentence_losses(
    heads: Heads,
    sequences: Sequences,
    config: SentencesConfig,
    dense: DenseLabels | None = None,
) -> Float[Tensor, " sentences"]:
    """Each sentence's loss, in nats.

    CTC of the fused head, + `part_weight` x that of each part's, + `distillation_weight` x the
    divergences of all heads from their mean, + `dplr.weight` x what dense labels cost.
    """
    num_steps = heads.mask.sum(dim=1)
    losses = ctc_loss(heads.fused, num_steps, sequences)
    for part in heads.parts if config.part_weight else ():
        losses = losses + config.part_weight * ctc_loss(part, num_steps, sequences)
    if config.distillation_weight and heads.parts:
        losses = losses + config.distillation_weight * divergences(heads)
    if dense is not None:
        losses = losses + config.dplr.weight * dense_losses(heads.frames, dense)
    return losses


def divergences(heads: Heads) -> Float[Tensor, " sentences"]:
    """Sum over steps and heads of KL(mean of all heads || head); the mean has no gradient.

    As in MSKA and TwoStream (Chen et al. 2022), whose mean is of the heads of the streams.
    """
    logs = torch.stack([one.float().log_softmax(dim=2) for one in (heads.fused, *heads.parts)])
    mean = logs.detach().exp().mean(dim=0)
    by_step = (mean * (mean.clamp(min=_SMALLEST).log() - logs)).sum(dim=(0, 3))
    return (by_step * heads.mask).sum(dim=1)


def dense_losses(
    frames: Float[Tensor, "sentences steps glosses"], dense: DenseLabels
) -> Float[Tensor, " sentences"]:
    """Weighted mean of the cross-entropy of the steps that have a label; 0 where none has."""
    glosses = torch.from_numpy(dense.glosses).to(frames.device)
    weights = torch.from_numpy(dense.weights).to(frames.device)
    by_step = functional.cross_entropy(
        frames.float().transpose(1, 2), glosses, reduction="none", ignore_index=NO_GLOSS
    )
    return (by_step * weights).sum(dim=1) / (weights > 0).sum(dim=1).clamp(min=1)


_SMALLEST = 1e-30
"""Of a probability before its logarithm is taken."""
