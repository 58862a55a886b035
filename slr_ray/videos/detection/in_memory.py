"""Videos as clips in memory: for a few that are predicted or looked at, not for a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from slr_ray.config import build
from slr_ray.console import literal_console
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.progress import ProgressBar
from slr_ray.videos.detection.config import ExtractionConfig, settings_of
from slr_ray.videos.detection.extractor import Extractor
from slr_ray.videos.detection.models import models
from slr_ray.videos.frames.files import video_clips
from slr_ray.videos.frames.source import ExtractionFailed


@dataclass(frozen=True)
class ClipsOfVideos:
    """What became of some videos."""

    clips: list[Clip]
    failures: list[str]
    """One sentence each, for those without a clip."""
    notes: list[str]
    """What is missing from clips that there are."""


def extract_clips(
    videos: Sequence[Path],
    config: ExtractionConfig,
    models_folder: Path | None,
    console: Console,
    fps: float | None = None,
) -> ClipsOfVideos:
    """The poses of videos and of folders of videos, in this process.

    `models_folder` holds MediaPipe's .task bundles; without it they are fetched once. `fps` is the
    frame rate of folders of pictures.
    """
    found = video_clips(videos, fps)
    bundles = models(models_folder, config.pose_model)
    clips: list[Clip] = []
    failures: list[str] = []
    notes: list[str] = []
    bar = ProgressBar(console, "extracting poses", len(found))
    with Extractor(config, bundles) as extractor, bar:
        for video in bar.over(found):
            try:
                extracted = extractor.extract(video)
            except ExtractionFailed as error:
                failures.append(str(error))
                continue
            clips.append(extracted.clip)
            if extracted.quality.num_undecoded_frames:
                notes.append(
                    f"{extracted.quality.num_undecoded_frames} pictures of {video.path} gave no "
                    "frame: its prediction goes by the others"
                )
            if extracted.quality.varies:
                notes.append(
                    f"the frame rate of {video.path} varies: times are off by up to "
                    f"{extracted.quality.drift_s:.1f} s; --target-fps 25 takes frames evenly"
                )
    return ClipsOfVideos(clips, failures, notes)


def settings_like(
    provenance: Sequence[dict[str, Any]], target_fps: float | None = None
) -> tuple[ExtractionConfig, str | None]:
    """The settings by which poses came about, and a note where they can't be known.

    `target_fps` takes the place of the one that they had.
    """
    trained = settings_of(provenance)
    tree, note = (trained[0] if len(trained) == 1 else None), None
    if tree is None:
        several = len(trained) > 1
        how = "in several ways" if several else "by something else than slr_ray.extract"
        note = (
            f"note: the training poses were extracted {how}; videos are extracted with the "
            "default settings, and predictions may be worse than on the test set"
        )
    over = {} if target_fps is None else {"target_fps": target_fps}
    return build(ExtractionConfig, {**(tree or {}), **over}, "--target-fps"), note


def extract_poses(
    video: str | Path,
    *,
    target_fps: float | None = None,
    models: str | Path | None = None,
    quiet: bool = False,
) -> list[Clip]:
    """The clips of a video, or of a folder of videos, one a video.

    >>> slr_ray.extract_poses("nowhere.mp4")
    Traceback (most recent call last):
    slr_ray.errors.DataError: no such file or folder: 'nowhere.mp4'

    For a few videos, in this process; `python -m slr_ray.extract` is for many, writes pose shards
    and goes on after a stop. `models` is a folder of MediaPipe's .task bundles, which are fetched
    once if not given. Raises `DataError` where a video can't be used.
    """
    over = {} if target_fps is None else {"target_fps": target_fps}
    config = build(ExtractionConfig, over, "extract_poses")
    folder = None if models is None else Path(models)
    found = extract_clips([Path(video)], config, folder, literal_console(stderr=True, quiet=quiet))
    if found.failures:
        raise DataError("; ".join(found.failures))
    return found.clips
