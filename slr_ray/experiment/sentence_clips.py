"""Whether sentences are long enough to be learnt from."""

from __future__ import annotations

from slr_ray.corpora.sequences import too_short
from slr_ray.errors import DataError
from slr_ray.experiment.prepared import Prepared
from slr_ray.poses.batch import frames_seen
from slr_ray.poses.sentence import FRAMES_A_STEP, num_steps_of
from slr_ray.sentences.steps import min_steps

_SHOWN_CLIPS = 5


def refuse_short_sentences(prepared: Prepared) -> None:
    """`DataError` that names sentences with too few frames for their glosses.

    CTC needs a step for each gloss, and one between two of the same.
    """
    corpus, max_frames = prepared.corpus, prepared.config.training.max_frames
    short = too_short(corpus, max_frames)
    if not len(short):
        return
    frames, told = frames_seen(corpus.num_frames, max_frames), []
    for clip in short[:_SHOWN_CLIPS].tolist():
        sequence, count = corpus.sequence(clip), int(frames[clip])
        told.append(
            f"{corpus.clip_ids[clip].as_py()!r} ({len(sequence)} glosses need "
            f"{min_steps(sequence)} steps, {count} frames are {num_steps_of(count)})"
        )
    is_thinned = bool((frames[short] < corpus.num_frames[short]).any())
    advice = ", or raise training.max_frames" if is_thinned else ""
    more = f" and {len(short) - len(told)} more" if len(short) > len(told) else ""
    raise DataError(
        f"{corpus.name} has sentences with too few frames for their glosses, at "
        f"{FRAMES_A_STEP} frames a step: {', '.join(told)}{more}. Leave them out of the "
        f"shards{advice}"
    )
