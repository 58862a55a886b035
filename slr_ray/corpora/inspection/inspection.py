"""What is in a corpus: counts, missing joints, lengths, and what looks wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from slr_ray.config import Record
from slr_ray.corpora.arrays import UNKNOWN_SIGNER
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.inspection.duplicates import Duplicates, find_duplicates
from slr_ray.corpora.inspection.lengths import Lengths, lengths_of
from slr_ray.corpora.inspection.sentence_report import (
    SentenceReport,
    report_sentences,
    sentence_warnings,
)
from slr_ray.corpora.inspection.signer_checks import (
    SignerReport,
    check_signers,
    missing_everywhere,
)
from slr_ray.poses.clip import UNKNOWN

UNBALANCED_RATIO = 10
"""Clips of the most frequent gloss over those of the rarest from which on a warning is given."""
FEW_SIGNERS = 3
"""A gloss needs a signer in each of training, validation and test."""


class MissingShares(Record):
    """Shares, over all frames, of the joints of a part that were not found."""

    body: float
    left_hand: float
    right_hand: float
    both_hands: float
    """Share of frames in which neither hand has a joint."""


class Inspection(Record):
    name: str
    fingerprint: str
    provenance: list[dict[str, Any]]
    num_clips: int
    num_unlabelled: int
    num_frames: int
    skipped: list[dict[str, str]]
    glosses: list[str]
    signers: list[str | None]
    """None, the last, stands for all clips of unknown signers."""
    clips_per_gloss_and_signer: list[list[int]]
    """Labelled clips, or how often a gloss is signed in sentences; rows as `glosses`, columns as
    `signers`."""
    unlabelled_per_signer: list[int]
    lengths: Lengths
    """In frames."""
    sentences: SentenceReport | None
    """Of continuous signing."""
    frame_rates: dict[str, int]
    """Clips by frames a second; "unknown" where the source does not say."""
    missing: MissingShares
    signer_reports: list[SignerReport]
    duplicates: Duplicates
    warnings: list[str]


def inspect_corpus(corpus: Corpus) -> Inspection:
    """Statistics of a corpus; reads it twice, in order, and holds no more than a clip's frames."""
    counts, unlabelled = _counts(corpus)
    reports = check_signers(corpus)
    duplicates = find_duplicates(corpus)
    sentences = report_sentences(corpus)
    return Inspection(
        name=corpus.name,
        fingerprint=corpus.fingerprint,
        provenance=list(corpus.provenance),
        num_clips=corpus.num_clips,
        num_unlabelled=int(unlabelled.sum()),
        num_frames=int(corpus.num_frames.sum()),
        skipped=[vars(one) for one in corpus.skipped],
        glosses=list(corpus.glosses),
        signers=list(corpus.signers_or_unknown),
        clips_per_gloss_and_signer=counts.tolist(),
        unlabelled_per_signer=unlabelled.tolist(),
        lengths=lengths_of(corpus.num_frames),
        sentences=sentences,
        frame_rates=_frame_rates(corpus.fps),
        missing=_missing(reports),
        signer_reports=reports,
        duplicates=duplicates,
        warnings=[
            *(sentence_warnings(sentences, len(corpus.glosses)) if sentences else ()),
            *_warnings(corpus, counts, duplicates),
            *missing_everywhere(reports),
        ],
    )


def _counts(corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    num_signers = len(corpus.signers_or_unknown)
    counts = np.zeros((len(corpus.glosses), num_signers), np.int64)
    clips, glosses = corpus.signed.T
    np.add.at(counts, (glosses, corpus.signer_index[clips]), 1)
    without = corpus.signer_index[~corpus.is_labelled]
    return counts, np.bincount(without % num_signers, minlength=num_signers)


def _frame_rates(fps: np.ndarray) -> dict[str, int]:
    known, counts = np.unique(fps[~np.isnan(fps)].round(2), return_counts=True)
    rates = {f"{rate:g}": int(count) for rate, count in zip(known, counts, strict=True)}
    unknown = int(np.isnan(fps).sum())
    return rates | ({"unknown": unknown} if unknown else {})


def _missing(reports: list[SignerReport]) -> MissingShares:
    frames = np.array([one.num_frames for one in reports])

    def mean(shares: list[float]) -> float:
        return float(np.average(shares, weights=frames))

    return MissingShares(
        body=mean([one.missing_body for one in reports]),
        left_hand=mean([one.missing_left_hand for one in reports]),
        right_hand=mean([one.missing_right_hand for one in reports]),
        both_hands=mean([one.missing_both_hands for one in reports]),
    )


def _warnings(corpus: Corpus, counts: np.ndarray, duplicates: Duplicates) -> list[str]:
    warnings = []
    per_gloss = counts.sum(axis=1)
    is_isolated = not corpus.has_sentences
    if is_isolated and len(per_gloss) > 1 and per_gloss.max() > UNBALANCED_RATIO * per_gloss.min():
        most, least = per_gloss.argmax(), per_gloss.argmin()
        warnings.append(
            f"glosses are unbalanced: {corpus.glosses[most]!r} has {per_gloss[most]:,} clips, "
            f"{corpus.glosses[least]!r} {per_gloss[least]:,}; read balanced accuracy "
            "beside accuracy"
        )
    num_unknown = int((corpus.signer_index == UNKNOWN_SIGNER).sum())
    if num_unknown:
        warnings.append(
            f"{num_unknown:,} clips of unknown signers: a split by signer puts them into the "
            "unlabelled pool only, where they may show people of validation and test"
        )
    num_signers = (counts[:, : len(corpus.signers)] > 0).sum(axis=1)
    few = [corpus.glosses[row] for row in np.flatnonzero(num_signers < FEW_SIGNERS)]
    if few:
        warnings.append(
            f"{len(few)} of {len(corpus.glosses)} glosses have fewer than {FEW_SIGNERS} signers "
            f"and cannot be split by signer into training, validation and test: {_some(few)}"
        )
    if duplicates.num_identical_clips:
        warnings.append(
            f"{duplicates.num_identical_clips:,} clips repeat another clip's poses exactly"
        )
    if duplicates.num_identical_across_glosses:
        warnings.append(
            f"{duplicates.num_identical_across_glosses:,} sets of identical clips carry different "
            "glosses: at most one label is right"
        )
    for pair in duplicates.between_signers[:5]:
        advice = "perhaps one person; keep both on one side of a split"
        if pair.second is None:
            advice = f"these clips show {pair.first}, whom a split cannot keep apart from them"
        warnings.append(
            f"{pair.first} and {pair.second or UNKNOWN} share {pair.num_frames:,} frames in "
            f"{pair.num_clips} clips: {advice}"
        )
    if len(duplicates.between_signers) > 5:
        warnings.append(f"{len(duplicates.between_signers) - 5} more pairs of signers share frames")
    if corpus.skipped:
        warnings.append(f"{len(corpus.skipped):,} broken clips were skipped")
    return warnings


def _some(names: list[str], limit: int = 8) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
