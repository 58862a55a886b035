"""Which unlabelled clips a round trains on, and as what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.selection.candidates import Candidates


@dataclass(frozen=True)
class PseudoLabels:
    """The pseudo-labelled clips that a round trains on, in ascending order of clips."""

    clips: Int[np.ndarray, " clips"]
    glosses: Int[np.ndarray, " clips"]
    confidence: Float[np.ndarray, " clips"]

    def __len__(self) -> int:
        return len(self.clips)


NO_PSEUDO_LABELS = PseudoLabels(
    np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
)


def select(
    method: SslrConfig,
    unlabelled: Int[np.ndarray, " unlabelled"],
    probabilities: Float[np.ndarray, "unlabelled glosses"],
    before: PseudoLabels,
    number: int,
) -> PseudoLabels:
    """The pseudo-labels of round `number`: those that stay and those that the rule selects."""
    kept = before if method.pseudo_labels == "accumulate" else NO_PSEUDO_LABELS
    candidates = Candidates(
        probabilities=probabilities,
        allowed=~np.isin(unlabelled, kept.clips),
        round=number,
        growth=_growth(method, number),
    )
    rows = method.selection.select(candidates)
    clips = np.concatenate([kept.clips, unlabelled[rows]])
    order = np.argsort(clips, kind="stable")
    return PseudoLabels(
        clips[order],
        np.concatenate([kept.glosses, candidates.gloss[rows]])[order],
        np.concatenate([kept.confidence, candidates.confidence[rows]])[order],
    )


def _growth(method: SslrConfig, number: int) -> float:
    match method.growth:
        case "constant":
            return 1.0
        case "linear":
            return float(number)
        case "geometric":
            return 2.0 ** (number - 1)
