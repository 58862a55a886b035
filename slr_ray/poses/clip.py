"""One clip: a video of one isolated sign, or of a sentence, as the poses of its frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from numbers import Real

import numpy as np
from jaxtyping import Float32

from slr_ray.errors import DataError
from slr_ray.poses.sentence import Sentence, check_sentence
from slr_ray.poses.skeleton import NUM_JOINTS

_FAR_OUTSIDE = 10.0
"""Images; no joint of a person in the picture is so far from its edge."""


UNKNOWN = "unknown signers"
"""What tables and charts call the signer None."""


@dataclass(frozen=True)
class Clip:
    """A pose sequence and what is known about it.

    >>> import numpy as np
    >>> still = np.full((5, 54, 2), 0.5, np.float32), np.ones((5, 54), np.float32)
    >>> slr_ray.Clip("a", gloss="book", signer="s1", fps=25.0, positions=still[0],
    ...              confidence=still[1]).num_frames
    5

    `positions` are fractions of the image width and height, origin top left, y downward; values
    outside 0..1 are real (a joint outside the picture). `confidence` is the detector's, 0 where the
    joint is missing; the position is then (0, 0). `gloss` is None where unlabelled, `signer` where
    nobody knows who signs, `fps` (frames a second) where unknown. A clip of continuous signing has
    a `sentence` instead of a gloss.
    """

    clip_id: str
    gloss: str | None
    signer: str | None
    fps: float | None
    positions: Float32[np.ndarray, "frames 54 2"]
    confidence: Float32[np.ndarray, "frames 54"]
    sentence: Sentence | None = None

    @property
    def num_frames(self) -> int:
        return int(self.positions.shape[0])


def checked(given: object, remedy: str) -> Iterator[Clip]:
    """The clip or clips that a caller gave; `DataError` with the remedy where one is no clip.

    Each has passed `check_clip`.
    """
    for one in given if isinstance(given, Iterable) else [given]:
        if not isinstance(one, Clip):
            raise DataError(f"a {type(one).__name__} is no clip: {remedy}")
        check_clip(one)
        yield one


def check_clip(clip: Clip) -> None:
    """Raise `DataError` that names the clip where its arrays cannot be a pose sequence."""
    for name in ("clip_id", "gloss", "signer"):
        value = getattr(clip, name)
        if not isinstance(value, str) and (value is not None or name == "clip_id"):
            raise DataError(f"clip {clip.clip_id!r}: {name} is {value!r}, expected text")
    for name in ("positions", "confidence"):
        array = getattr(clip, name)
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            raise DataError(f"clip {clip.clip_id!r}: {name} must be a numpy array of numbers")
    frames = clip.num_frames if clip.positions.ndim else 0
    if clip.positions.shape != (frames, NUM_JOINTS, 2):
        raise DataError(
            f"clip {clip.clip_id!r}: positions have shape {clip.positions.shape}, "
            f"expected (frames, {NUM_JOINTS}, 2)"
        )
    if clip.confidence.shape != (frames, NUM_JOINTS):
        raise DataError(
            f"clip {clip.clip_id!r}: confidence has shape {clip.confidence.shape}, "
            f"expected ({frames}, {NUM_JOINTS})"
        )
    if frames == 0:
        raise DataError(f"clip {clip.clip_id!r} is empty: it has no frames")
    if not np.isfinite(clip.positions).all() or not np.isfinite(clip.confidence).all():
        raise DataError(
            f"clip {clip.clip_id!r} has NaN or infinite values: "
            "mark missing joints with confidence 0 and position (0, 0)"
        )
    if (clip.confidence < 0).any():
        raise DataError(f"clip {clip.clip_id!r} has negative confidences")
    if not (clip.confidence > 0).any():
        raise DataError(f"clip {clip.clip_id!r} has no joint in any frame")
    mean = np.abs(clip.positions).mean()
    if mean > _FAR_OUTSIDE:
        raise DataError(
            f"clip {clip.clip_id!r}: positions are {mean:.0f} on average, expected fractions of "
            "the image: divide pixels by its width and height"
        )
    if clip.fps is not None and not _is_rate(clip.fps):
        raise DataError(
            f"clip {clip.clip_id!r}: fps is {clip.fps!r}, expected frames a second, above 0: "
            "leave it null (None) where nobody knows them"
        )
    if clip.sentence is None:
        return
    if clip.gloss is not None:
        raise DataError(
            f"clip {clip.clip_id!r} has both a gloss, {clip.gloss!r}, and a sentence: it is either "
            "an isolated sign or continuous"
        )
    check_sentence(clip.sentence, clip.num_frames, clip.clip_id)


def _is_rate(fps: object) -> bool:
    return isinstance(fps, Real) and 0 < float(fps) < float("inf")
