"""Connectionist temporal classification (Graves et al. 2006): -log P(sequence | clip)."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor
from torch.nn import functional

from slr_ray.sentences.steps import BLANK, Sequences

_SMALLEST = 1e-12
"""Of a frequency before its logarithm is taken."""


def ctc_loss(
    logits: Float[Tensor, "sentences steps classes"],
    num_steps: Int64[Tensor, " sentences"],
    sequences: Sequences,
    prior: float = 0.0,
) -> Float32[Tensor, " sentences"]:
    """The negative log-likelihood of each sentence's gloss sequence, summed over all paths.

    It is not divided by the number of glosses, as in VAC, MSKA and TwoStream, which average over
    sentences. Steps from `num_steps` on are padding. Always in float32, whatever the model computes
    in: the sum over paths loses too much in bfloat16. A sentence whose glosses can't be told in its
    steps, `min_steps`, has loss and gradient 0 instead of infinity.

    With `prior` the paths are weighed by probabilities divided by each class's frequency to that
    power, so that what is said everywhere, at first the blank, explains less (Zeyer et al. 2021,
    arXiv 2105.14849). Frequencies are means over the steps of these sentences, a worker's share of
    a batch, theirs over more. What is returned is the paths' loss so weighed; its gradient at a
    step is p minus the share of weighed paths that say a class there.
    """
    log_probs = logits.float().log_softmax(dim=2)
    if not prior:
        return _over_all_paths(log_probs, num_steps, sequences)
    places = torch.arange(logits.shape[1], device=logits.device)
    real = places < num_steps.to(logits.device)[:, None]
    with torch.enable_grad():
        frequency = log_probs.detach()[real].exp().mean(dim=0)
        divided = log_probs.detach() - prior * frequency.clamp(min=_SMALLEST).log()
        divided.requires_grad_()
        adjusted = divided.log_softmax(dim=2)
        losses = _over_all_paths(adjusted, num_steps, sequences)
        (gradient,) = torch.autograd.grad(losses.sum(), divided)
    # The share of paths that say a class at a step: what the model is to say there.
    shares = adjusted.detach().exp() - gradient
    shares = shares * (real & (losses.detach() > 0)[:, None])[..., None]
    learnt = -(shares * log_probs).sum(dim=(1, 2))
    return losses.detach() + learnt - learnt.detach()


def _over_all_paths(
    log_probs: Float32[Tensor, "sentences steps classes"],
    num_steps: Int64[Tensor, " sentences"],
    sequences: Sequences,
) -> Float32[Tensor, " sentences"]:
    glosses = np.concatenate([*sequences, np.empty(0, np.int64)])
    return functional.ctc_loss(
        log_probs.transpose(0, 1),
        torch.from_numpy(glosses + BLANK + 1),
        num_steps.cpu(),
        torch.tensor([len(one) for one in sequences]),
        blank=BLANK,
        reduction="none",
        zero_infinity=True,
    )
