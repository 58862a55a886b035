"""What became of the unlabelled sentences of an epoch, for people to read."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

from slr_ray.records.measured import UnlabelledFigures
from slr_ray.sentences.alignment import align
from slr_ray.sentences.steps import Sequences
from slr_ray.training.problem import Problem


class SentenceTally:
    """Hidden sequences are looked at here and nowhere else: nothing is decided by them."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.begin()

    def begin(self) -> None:
        """A new epoch."""
        self._num_sentences = self._num_used = self._num_judged = self._num_right = 0

    def count(
        self,
        clips: Int[np.ndarray, " sentences"],
        sequences: Sequences,
        stays: Bool[np.ndarray, " sentences"],
    ) -> None:
        """The hypotheses of one step, and which of them are trained on."""
        self._num_sentences += len(clips)
        self._num_used += int(stays.sum())
        judged = np.flatnonzero(stays & self.problem.corpus.is_labelled[clips])
        truths = self.problem.sequences(clips[judged])
        for row, true in zip(judged.tolist(), truths, strict=True):
            self._num_judged += len(sequences[row])
            self._num_right += sum(one.is_match for one in align(sequences[row], true))

    def figures(self, threshold: float | None) -> UnlabelledFigures:
        """What the epoch's pseudo-labels were; precision is by gloss."""
        return UnlabelledFigures(
            pseudo_share=self._num_used / max(1, self._num_sentences),
            pseudo_threshold=threshold,
            pseudo_precision=self._num_right / self._num_judged if self._num_judged else None,
        )
