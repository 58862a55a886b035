"""A clip as a video, and why nothing could be extracted from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, get_args

from slr_ray.poses.sentence import Sentence

FailureKind = Literal[
    "not_found",
    "not_fetched",
    "unreadable",
    "empty",
    "not_a_video",
    "no_video_stream",
    "unknown_codec",
    "truncated",
    "bad_range",
    "range_beyond_end",
    "no_frame_rate",
    "no_person",
    "bad_sentence",
]
FAILURE_KINDS: tuple[str, ...] = get_args(FailureKind)
ClipT = TypeVar("ClipT", bound="VideoClip")


@dataclass(frozen=True)
class VideoClip:
    """A clip in a video file or a folder of pictures: all of it, or a range of frames or seconds.

    To be read, it must be a local one; see `fetching` for one behind a URI.

    Frames count from 0, seconds from the first frame; the end is excluded, None means the file's.
    """

    clip_id: str
    path: str
    gloss: str | None
    signer: str | None
    split: str | None = None
    start_frame: int | None = None
    end_frame: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    fps: float | None = None
    """Frames a second of a folder of pictures; a video file has its own times."""
    glosses: tuple[str, ...] | None = None
    """Of a sentence, instead of a gloss."""
    text: str | None = None

    @classmethod
    def of(cls: type[ClipT], row: Mapping[str, Any]) -> ClipT:
        """A clip from a row of a table, which has lists for tuples and may lack columns."""
        values: dict[str, Any] = {field.name: row.get(field.name) for field in fields(cls)}
        if values["glosses"] is not None:
            values["glosses"] = tuple(values["glosses"])
        return cls(**values)

    @property
    def sentence(self) -> Sentence | None:
        return None if self.glosses is None else Sentence(self.glosses, text=self.text)


class ExtractionFailed(Exception):
    """One clip could not be extracted; `kind` is the reason in one word, the message says more."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(kind, message)
        self.kind: FailureKind = kind
        self.message = message

    def __str__(self) -> str:
        return self.message


def check_range(video: VideoClip) -> None:
    """Raise `ExtractionFailed` of kind bad_range where the range can't hold a frame."""
    by_frame = (video.start_frame, video.end_frame) != (None, None)
    by_time = (video.start_s, video.end_s) != (None, None)
    if by_frame and by_time:
        raise ExtractionFailed(
            "bad_range", f"clip {video.clip_id!r} has a range of frames and one of seconds: keep 1"
        )
    ranges = (
        ("frame", video.start_frame, video.end_frame),
        ("second", video.start_s, video.end_s),
    )
    for unit, start, end in ranges:
        if (start or 0) < 0 or (end is not None and end <= (start or 0)):
            raise ExtractionFailed(
                "bad_range",
                f"clip {video.clip_id!r} has no frame between {unit} {start or 0} and {end}: "
                "correct the manifest",
            )
