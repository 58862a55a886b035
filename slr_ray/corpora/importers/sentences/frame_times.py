"""Times of glosses in milliseconds as frames of a clip."""

from __future__ import annotations

from slr_ray.annotations.annotation import Annotation
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.errors import DataError
from slr_ray.poses.sentence import Times

_SLACK_FRAMES = 3
"""By how much a clip may be longer or shorter than the recording on which times were taken."""


def times_in_frames(
    row: Annotation, fps: float | None, num_frames: int, remarks: Remarks
) -> Times | None:
    """Start and end of each gloss; None, and a remark, where the times are not the clip's.

    They are another recording's where the lengths differ, as with clips from which somebody cut
    frames. `DataError` where a gloss begins before the one before it ends, or ends after the clip.
    """
    if row.times_ms is None:
        return None
    if fps is None:
        remarks.add("sentences whose times are not used, as no frame rate is known", row.name)
        return None
    if row.length_ms is not None and abs(row.length_ms * fps / 1000 - num_frames) > _SLACK_FRAMES:
        remarks.add(
            "sentences whose times are not used, as their clip is not as long as the recording on "
            "which they were taken",
            row.name,
        )
        return None
    times = []
    before = 0
    for gloss, (start_ms, end_ms) in zip(row.glosses or (), row.times_ms, strict=True):
        start, end = round(start_ms * fps / 1000), round(end_ms * fps / 1000)
        # Neighbours that share a boundary may round to one frame in common, short glosses to none.
        start = max(start, before) if start == before - 1 else start
        end = max(end, start + 1)
        if num_frames < end <= num_frames + _SLACK_FRAMES:
            end = num_frames
        if start < before or end > num_frames or end <= start:
            raise DataError(
                f"gloss {gloss!r} at {start_ms:g} to {end_ms:g} ms does not lie between the gloss "
                f"before it and the end of its clip ({num_frames} frames, {fps:g} a second)"
            )
        times.append((start, end))
        before = end
    return tuple(times)
