"""What is in a corpus of sentences beyond its clips: glosses, speed, times, what is too short."""

from __future__ import annotations

import numpy as np

from slr_ray.config import Record
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.inspection.lengths import Lengths, lengths_of
from slr_ray.corpora.sequences import sequence_numbers, too_short
from slr_ray.poses.sentence import FRAMES_A_STEP

_MAX_LISTED = 20


class SentenceReport(Record):
    num_sequences: int
    """Different gloss sequences."""
    num_signed: int
    """Glosses of all sentences."""
    num_signed_once: int
    """Different glosses that occur once only: none of them can be taught and tested."""
    num_timed: int
    """Sentences whose glosses have times."""
    lengths: Lengths
    """In glosses."""
    glosses_a_second: float | None
    """The median over sentences; None where no frame rate is known."""
    num_too_short: int
    """Sentences with too few frames for their glosses, in steps of four."""
    too_short: list[str]
    """The ids of the first of them."""


def report_sentences(corpus: Corpus) -> SentenceReport | None:
    """None where clips are isolated signs, or no sentence is known."""
    if not corpus.has_sentences:
        return None
    known = np.flatnonzero(corpus.is_labelled)
    num_glosses = np.diff(corpus.sequence_offsets)[known]
    rates = num_glosses * corpus.fps[known] / corpus.num_frames[known]
    short = too_short(corpus)
    return SentenceReport(
        num_sequences=int(sequence_numbers(corpus).max()) + 1,
        num_signed=len(corpus.sequence_glosses),
        num_signed_once=int((np.bincount(corpus.sequence_glosses) == 1).sum()),
        num_timed=sum(corpus.sequence_times(clip) is not None for clip in known.tolist()),
        lengths=lengths_of(num_glosses),
        glosses_a_second=None if np.isnan(rates).all() else float(np.nanmedian(rates)),
        num_too_short=len(short),
        too_short=[corpus.clip_ids[clip].as_py() for clip in short[:_MAX_LISTED].tolist()],
    )


def sentence_warnings(report: SentenceReport, num_glosses: int) -> list[str]:
    """What no recogniser can learn from these sentences."""
    warnings = []
    if report.num_signed_once:
        warnings.append(
            f"{report.num_signed_once:,} of {num_glosses:,} glosses are signed once: they can't be "
            "both taught and tested"
        )
    if report.num_too_short:
        more = "" if report.num_too_short == len(report.too_short) else " and more"
        warnings.append(
            f"{report.num_too_short:,} sentences have fewer steps of {FRAMES_A_STEP} frames than "
            f"their glosses need, so that nothing can be learnt from them: "
            f"{', '.join(report.too_short)}{more}"
        )
    return warnings
