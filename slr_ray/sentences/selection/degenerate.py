"""Hypotheses that no sentence could have."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int64
from pydantic import Field

from slr_ray.config import Config
from slr_ray.selection.reject.rejection import reached_by
from slr_ray.sentences.steps import Sequences


class RejectDegenerate(Config):
    """Rejects empty hypotheses and those with too many or too few glosses for their steps.

    Trained on its own hypotheses, CTC drifts to deletions: shorter ones are more probable. What is
    too many or too few, the labelled sentences say by their glosses a step.
    """

    keep: float = Field(0.98, gt=0, le=1)
    """Share of the labelled sentences between both bounds."""

    def stays(
        self,
        num_glosses: Int64[np.ndarray, " sentences"],
        num_steps: Int64[np.ndarray, " sentences"],
        labelled_glosses: Int64[np.ndarray, " labelled"],
        labelled_steps: Int64[np.ndarray, " labelled"],
    ) -> Bool[np.ndarray, " sentences"]:
        """The sentences of the pool that are not rejected, by the glosses of their hypotheses."""
        usual, given = labelled_glosses / labelled_steps, num_glosses / num_steps
        share = 1 - (1 - self.keep) / 2
        lowest, highest = reached_by(usual, share), -reached_by(-usual, share)
        stays: np.ndarray = (num_glosses > 0) & (given >= lowest) & (given <= highest)
        return stays


def not_degenerate(
    reject: RejectDegenerate | None,
    sequences: Sequences,
    num_steps: Int64[np.ndarray, " sentences"],
    labelled: tuple[Int64[np.ndarray, " labelled"], Int64[np.ndarray, " labelled"]],
) -> Bool[np.ndarray, " sentences"]:
    """Which hypotheses stay: without a `reject` all but the empty ones.

    `labelled` are glosses and steps of each labelled sentence.
    """
    lengths = np.array([len(one) for one in sequences], np.int64)
    return lengths > 0 if reject is None else reject.stays(lengths, num_steps, *labelled)
