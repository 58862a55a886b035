"""Who signed what: the table that splits by signer divide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Int64

from slr_ray.corpora.arrays import UNKNOWN_SIGNER
from slr_ray.corpora.corpus import Corpus

NUM_TRIES = 64
"""Seeded draws of which a split takes the best: a single one often leaves a rare gloss's only
signers in the test set."""


@dataclass(frozen=True)
class LabelledSigners:
    """The signers of a corpus who have labelled clips, and how often they sign each gloss."""

    signer_index: Int[np.ndarray, " clips"]
    """Of every clip of the corpus."""
    labelled: Bool[np.ndarray, " clips"]
    """Clips with a label and a known signer."""
    signers: Int64[np.ndarray, " signers"]
    signed: Int64[np.ndarray, "all_signers glosses"]
    """How often each signer of the corpus signs each gloss in labelled clips."""

    @classmethod
    def of(cls, corpus: Corpus) -> LabelledSigners:
        labelled = corpus.is_labelled & (corpus.signer_index != UNKNOWN_SIGNER)
        signed = np.zeros((len(corpus.signers), len(corpus.glosses)), np.int64)
        clips, glosses = corpus.signed[labelled[corpus.signed[:, 0]]].T
        np.add.at(signed, (corpus.signer_index[clips], glosses), 1)
        return cls(corpus.signer_index, labelled, np.flatnonzero(signed.any(axis=1)), signed)

    def divided(
        self, tested: Int[np.ndarray, " tested"], validating: Int[np.ndarray, " validating"]
    ) -> list[Int64[np.ndarray, " _"]]:
        """Training, validation and test clips where these signers test and validate.

        Training has the clips of everybody else, those without a label or a known signer too.
        """
        in_test = np.isin(self.signer_index, tested)
        in_validation = np.isin(self.signer_index, validating)
        return [
            np.flatnonzero(~in_test & ~in_validation),
            np.flatnonzero(in_validation & self.labelled),
            np.flatnonzero(in_test & self.labelled),
        ]
