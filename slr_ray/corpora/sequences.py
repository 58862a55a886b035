"""The gloss sequences of a corpus of sentences, and how many frames they need."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from slr_ray.corpora.corpus import Corpus
from slr_ray.poses.batch import frames_seen
from slr_ray.poses.sentence import num_steps_of


def sequence_numbers(corpus: Corpus) -> Int64[np.ndarray, " clips"]:
    """A number for every different gloss sequence, by first appearance; -1 where unknown."""
    numbers: dict[bytes, int] = {}
    found = np.full(corpus.num_clips, -1, np.int64)
    for clip in np.flatnonzero(corpus.is_labelled).tolist():
        found[clip] = numbers.setdefault(corpus.sequence(clip).tobytes(), len(numbers))
    return found


def num_repeats(corpus: Corpus) -> Int64[np.ndarray, " clips"]:
    """How often a gloss follows itself in each sentence."""
    clips, glosses = corpus.signed.T
    again = (np.diff(glosses) == 0) & (np.diff(clips) == 0)
    return np.bincount(clips[1:][again], minlength=corpus.num_clips)


def too_short(corpus: Corpus, max_frames: int | None = None) -> Int64[np.ndarray, " clips"]:
    """Sentences with fewer steps than connectionist temporal classification (CTC) needs.

    It needs one for every gloss, and a blank one between two that are the same (Graves et al.,
    ICML 2006). Of fewer steps no path gives the sequence, and its loss is infinite. Of longer clips
    `max_frames` are read.
    """
    num_glosses = np.diff(corpus.sequence_offsets)
    steps = num_steps_of(frames_seen(corpus.num_frames, max_frames))
    short: np.ndarray = np.flatnonzero(steps < num_glosses + num_repeats(corpus))
    return short
