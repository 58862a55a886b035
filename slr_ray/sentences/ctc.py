"""Connectionist temporal classification (Graves et al. 2006): -log P(sequence | clip)."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor
from torch.nn import functional

from slr_ray.sentences.steps import BLANK, Sequences


def ctc_loss(
    logits: Float[Tensor, "sentences steps classes"],
    num_steps: Int64[Tensor, " sentences"],
    sequences: Sequences,
) -> Float32[Tensor, " sentences"]:
    """The negative log-likelihood of each sentence's gloss sequence, summed over all paths.

    It is not divided by the number of glosses, as in VAC, MSKA and TwoStream, which average over
    sentences. Steps from `num_steps` on are padding. Always in float32, whatever the model computes
    in: the sum over paths loses too much in bfloat16. A sentence whose glosses can't be told in its
    steps, `min_steps`, has loss and gradient 0 instead of infinity.
    """
    log_probs = logits.float().log_softmax(dim=2).transpose(0, 1)
    glosses = np.concatenate([*sequences, np.empty(0, np.int64)])
    return functional.ctc_loss(
        log_probs,
        torch.from_numpy(glosses + BLANK + 1),
        num_steps.cpu(),
        torch.tensor([len(one) for one in sequences]),
        blank=BLANK,
        reduction="none",
        zero_infinity=True,
    )
