"""Whether sentences are long enough to be learnt from."""

from __future__ import annotations

import numpy as np

from slr_ray.errors import DataError
from slr_ray.experiment.prepared import Prepared
from slr_ray.poses.batch import frames_seen
from slr_ray.sentences.steps import FRAMES_A_STEP, min_steps, num_steps_of

_SHOWN_CLIPS = 5


def refuse_short_sentences(prepared: Prepared) -> None:
    """`DataError` that names sentences with too few frames for their glosses.

    CTC needs a step for each gloss, and one between two of the same.
    """
    corpus, max_frames = prepared.corpus, prepared.config.training.max_frames
    told = []
    frames = frames_seen(corpus.num_frames, max_frames)
    for clip in np.flatnonzero(corpus.is_labelled).tolist():
        sequence, count = corpus.sequence(clip), int(frames[clip])
        needed = min_steps(sequence)
        if needed > num_steps_of(count):
            told.append(
                f"{corpus.clip_ids[clip].as_py()!r} ({len(sequence)} glosses need {needed} steps, "
                f"{count} frames are {num_steps_of(count)})"
            )
    if told:
        more = f" and {len(told) - _SHOWN_CLIPS} more" if len(told) > _SHOWN_CLIPS else ""
        raise DataError(
            f"{corpus.name} has sentences with too few frames for their glosses, at "
            f"{FRAMES_A_STEP} frames a step: {', '.join(told[:_SHOWN_CLIPS])}{more}. Leave them "
            "out, or raise training.max_frames"
        )
