"""Frames out of real files: upright, in range, at the wanted rate; broken files named."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from video_factory import (
    audio_only,
    make_video,
    picture,
    truncated,
    truncated_without_index,
    wrong_extension,
    zero_length,
)

from slr_ray.videos.frames import video as reader
from slr_ray.videos.frames.source import FAILURE_KINDS, ExtractionFailed, VideoClip
from slr_ray.videos.frames.video import Frame, Reading, read_frames


def clip(path: Path, **changes: object) -> VideoClip:
    return VideoClip("clip", str(path), "hello", "ann", **changes)  # type: ignore[arg-type]


def read(
    video: VideoClip, target_fps: float | None = None, longest_side_px: int | None = None
) -> tuple[list[tuple[Frame, int]], Reading]:
    reading = Reading()
    frames = read_frames(video, reading, target_fps=target_fps, longest_side_px=longest_side_px)
    return list(frames), reading


def times(video: VideoClip, target_fps: float | None = None) -> list[float]:
    return [round(frame.time_s, 3) for frame, _ in read(video, target_fps)[0]]


SMALL = (160, 120)


@cache
def originals() -> np.ndarray:
    """The first 40 pictures of a video of size SMALL and speed 0.02."""
    return np.stack([picture(SMALL, 0.02 * index) for index in range(40)]).astype(np.int16)


def numbers(frames: list[tuple[Frame, int]]) -> list[int]:
    """Which of the originals each decoded picture is: the nearest."""
    gaps = [np.abs(originals() - one.image).mean(axis=(1, 2, 3)) for one, _ in frames]
    return [int(gap.argmin()) for gap in gaps]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_frames_are_upright(tmp_path: Path, rotation: int) -> None:
    path = make_video(tmp_path / "v.mp4", frames=2, size=(160, 240), rotation=rotation, speed=0)
    frames, _ = read(clip(path))
    assert frames[0][0].image.shape == (240, 160, 3)
    assert np.abs(frames[0][0].image.astype(int) - picture((160, 240))).mean() < 6


def test_a_4k_portrait_video_is_turned_and_scaled(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", frames=2, size=(2160, 3840), rotation=90, speed=0)
    frames, _ = read(clip(path), longest_side_px=640)
    small = np.asarray(Image.fromarray(picture((2160, 3840))).resize((360, 640)))
    assert frames[0][0].image.shape == (640, 360, 3)
    assert np.abs(frames[0][0].image.astype(int) - small).mean() < 6


def test_oblong_pixels_become_square(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", frames=1, size=(320, 240), pixel_aspect=Fraction(2))
    frames, _ = read(clip(path))
    assert frames[0][0].image.shape == (240, 320, 3)


@pytest.mark.parametrize("width", [98, 102, 106, 320])
def test_rows_are_not_padded(tmp_path: Path, width: int) -> None:
    path = make_video(tmp_path / "v.mp4", frames=1, size=(width, 80))
    image = read(clip(path))[0][0][0].image
    assert image.shape == (80, width, 3)
    assert image.flags.c_contiguous


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize(("start", "end"), [(0, 5), (3, 4), (17, 31), (29, 40), (31, None)])
def test_frame_ranges_are_exact(tmp_path: Path, suffix: str, start: int, end: int | None) -> None:
    path = make_video(
        tmp_path / f"v.{suffix}", frames=40, size=SMALL, speed=0.02, keyframe_every=10
    )
    frames, reading = read(clip(path, start_frame=start, end_frame=end))
    expected = list(range(start, 40 if end is None else end))
    assert numbers(frames) == expected
    assert reading.num_source_frames == len(expected)


def test_frame_ranges_are_exact_at_a_variable_rate(tmp_path: Path) -> None:
    stamps = [0, 0.04, 0.5, 0.52, 0.54, 1.4, 1.44, 1.48]
    path = make_video(tmp_path / "v.mp4", times_s=stamps, keyframe_every=3)
    assert times(clip(path, start_frame=2, end_frame=6)) == stamps[2:6]


def test_frames_of_files_without_timestamps_are_counted(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "v.avi", frames=20, size=SMALL, codec="mpeg4", speed=0.02, keyframe_every=5
    )
    frames, _ = read(clip(path, start_frame=7, end_frame=9))
    assert numbers(frames) == [7, 8]


def test_time_ranges_include_their_start_and_not_their_end(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", frames=50, fps=25, size=SMALL, keyframe_every=10)
    assert times(clip(path, start_s=0.8, end_s=1.0)) == [0.8, 0.84, 0.88, 0.92, 0.96]


@pytest.mark.parametrize("places", [17, 3])
@pytest.mark.parametrize("fps", [25.0, 29.97, 30.0, 50.0])
def test_time_ranges_mean_frames_in_spite_of_rounding(
    tmp_path: Path, fps: float, places: int
) -> None:
    path = make_video(tmp_path / "v.mkv", frames=60, fps=fps, size=(64, 48))
    rate = float(Fraction(fps).limit_denominator(1001))
    for first in range(0, 53, 4):
        ends = round(first / rate, places), round((first + 7) / rate, places)
        found = times(clip(path, start_s=ends[0], end_s=ends[1]))
        assert [round(one * rate) for one in found] == list(range(first, first + 7))


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mpg", "mpeg1video"), ("mpg", "mpeg2video"), ("ts", "mpeg2video"), ("ts", "h264")],
)
@pytest.mark.parametrize(("start", "end"), [(0, 5), (12, 13), (17, 31), (31, None)])
def test_ranges_are_exact_where_seeking_is_not(
    tmp_path: Path, suffix: str, codec: str, start: int, end: int | None
) -> None:
    path = make_video(
        tmp_path / f"v.{suffix}", frames=40, size=SMALL, speed=0.02, keyframe_every=10, codec=codec
    )
    expected = list(range(start, 40 if end is None else end))
    assert numbers(read(clip(path, start_frame=start, end_frame=end))[0]) == expected
    end_s = None if end is None else end / 25
    assert numbers(read(clip(path, start_s=start / 25, end_s=end_s))[0]) == expected


def watched(monkeypatch: pytest.MonkeyPatch, name: str) -> list[float]:
    """The times of the frames that a generator of the reader gives from now on."""
    times_s: list[float] = []
    real = getattr(reader, name)

    def watching(*arguments: object) -> Iterator[tuple[float, object]]:
        for time_s, frame in real(*arguments):
            times_s.append(time_s)
            yield time_s, frame

    monkeypatch.setattr(reader, name, watching)
    return times_s


def test_transport_streams_are_not_read_from_their_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "v.ts", frames=200, size=(64, 48), keyframe_every=10)
    decoded = watched(monkeypatch, "_timed")
    assert len(times(clip(path, start_frame=180, end_frame=183))) == 3
    assert min(decoded) > 4


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "flv", "ts"])
def test_a_file_may_begin_at_any_time(tmp_path: Path, suffix: str) -> None:
    stamps = [5 + index / 25 for index in range(50)]
    path = make_video(tmp_path / f"v.{suffix}", times_s=stamps, size=(64, 48))
    assert len(times(clip(path))) == 50
    assert times(clip(path, start_s=1.6)) == [round(index / 25, 3) for index in range(40, 50)]
    assert fails(clip(path, start_s=2.5)).kind == "range_beyond_end"


def test_a_range_is_reached_by_seeking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames before the last key frame in front of the range are never decoded."""
    path = make_video(tmp_path / "v.mp4", frames=120, size=(64, 48), keyframe_every=10)
    decoded = watched(monkeypatch, "_decoded")
    read(clip(path, start_frame=95, end_frame=98))
    assert len(decoded) <= 10
    decoded.clear()
    read(clip(path, start_s=3.8, end_s=3.9))
    assert len(decoded) <= 10


def test_fewer_frames_a_second(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", frames=60, fps=30, size=SMALL)
    frames, reading = read(clip(path), target_fps=10.0)
    assert [repeats for _, repeats in frames] == [1] * 20
    assert [round(one.time_s, 3) for one, _ in frames] == [round(k / 10, 3) for k in range(20)]
    assert reading.num_source_frames == 60
    assert reading.source_fps == pytest.approx(30)


def test_a_rate_that_varies_is_measured(tmp_path: Path) -> None:
    """A second at 30 frames and three at 10, as phones record where it gets dark."""
    times = [k / 30 for k in range(30)] + [1 + k / 10 for k in range(30)]
    _, reading = read(clip(make_video(tmp_path / "v.mp4", times_s=times, size=SMALL)))
    # Frame 30 is at 1 s; at the mean rate it would be at twice that.
    assert reading.source_fps == pytest.approx(59 / 3.9, rel=0.01)
    assert reading.drift_s == pytest.approx(30 / reading.source_fps - 1, abs=0.04)
    _, even = read(clip(make_video(tmp_path / "e.mp4", frames=30, fps=29.97, size=SMALL)))
    assert even.drift_s < 0.01


def test_more_frames_a_second_repeat_frames(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", frames=10, fps=10)
    frames, _ = read(clip(path), target_fps=20.0)
    assert len(frames) == 10
    # Ten frames from 0 to 0.9 s: 19 instants of 1/20 s.
    assert sum(repeats for _, repeats in frames) == 19


@pytest.mark.parametrize("target_fps", [7.0, 25.0, 29.97, 60.0])
def test_each_instant_takes_the_nearest_frame(tmp_path: Path, target_fps: float) -> None:
    stamps = [0, 0.04, 0.08, 0.3, 0.34, 0.9, 0.94, 1.3]
    path = make_video(tmp_path / "v.mp4", times_s=stamps)
    taken = [one.time_s for one, repeats in read(clip(path), target_fps)[0] for _ in range(repeats)]
    assert len(taken) == int(1.3 * target_fps + 1e-6) + 1
    for index, time_s in enumerate(taken):
        nearest = min(abs(stamp - index / target_fps) for stamp in stamps)
        assert abs(time_s - index / target_fps) == pytest.approx(nearest, abs=1e-3)


def test_the_rate_starts_at_the_range(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", frames=60, fps=30, size=SMALL)
    assert times(clip(path, start_frame=7, end_frame=20), 10.0) == [
        0.233,
        0.333,
        0.433,
        0.533,
        0.633,
    ]


def fails(video: VideoClip) -> ExtractionFailed:
    with pytest.raises(ExtractionFailed) as caught:
        read(video)
    assert caught.value.kind in FAILURE_KINDS
    assert len(str(caught.value)) > 20
    return caught.value


@pytest.mark.parametrize(
    ("make", "name", "kind"),
    [
        (zero_length, "v.mp4", "empty"),
        (wrong_extension, "v.mp4", "not_a_video"),
        (audio_only, "v.mp4", "no_video_stream"),
        (audio_only, "v.m4a", "no_video_stream"),
        (truncated_without_index, "v.mp4", "truncated"),
    ],
)
def test_what_is_no_video_is_named(tmp_path: Path, make: object, name: str, kind: str) -> None:
    path = make(tmp_path / name)  # type: ignore[operator]
    assert fails(clip(path)).kind == kind


@pytest.mark.parametrize("share", [0.5, 0.75, 0.9])
def test_a_truncated_file_is_not_taken_for_a_short_clip(tmp_path: Path, share: float) -> None:
    path = truncated(tmp_path / "v.mp4", frames=100, size=SMALL, share=share)
    assert fails(clip(path)).kind == "truncated"


def test_the_whole_part_of_a_truncated_file_can_be_used(tmp_path: Path) -> None:
    path = truncated(tmp_path / "v.mp4", frames=100, size=SMALL, share=0.7)
    assert len(times(clip(path, start_frame=3, end_frame=20))) == 17


def test_a_truncated_mkv_is_found_by_its_stated_length(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mkv", frames=100, size=SMALL)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert fails(clip(path)).kind == "truncated"


def test_a_picture_is_a_video_of_one_frame(tmp_path: Path) -> None:
    path = tmp_path / "v.png"
    Image.fromarray(picture((64, 48))).save(path)
    assert len(times(clip(path))) == 1


def test_missing_and_unreadable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fails(clip(tmp_path / "nothing.mp4")).kind == "not_found"
    assert fails(clip(tmp_path)).kind == "unreadable"
    path = make_video(tmp_path / "v.mp4", frames=1)
    # Root reads everything, so what the system would answer others is put in its mouth.
    monkeypatch.setattr("slr_ray.videos.frames.container.os.access", lambda *_: False)
    assert fails(clip(path)).kind == "unreadable"


@pytest.mark.parametrize(
    "wanted",
    [
        {"start_frame": 20},
        {"start_frame": 25, "end_frame": 30},
        {"start_frame": 5, "end_frame": 60},
        {"start_s": 0.8},
        {"start_s": 7.0, "end_s": 8.0},
        {"start_s": 0.1, "end_s": 3.0},
    ],
)
def test_ranges_beyond_the_end(tmp_path: Path, wanted: dict[str, float]) -> None:
    path = make_video(tmp_path / "v.mp4", frames=20, fps=25)
    assert fails(clip(path, **wanted)).kind == "range_beyond_end"


def test_a_range_may_end_a_little_after_its_file(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", frames=20, fps=25)
    assert len(times(clip(path, start_frame=15, end_frame=21))) == 5
    assert len(times(clip(path, start_s=0.6, end_s=0.9))) == 5


@pytest.mark.parametrize(
    "wanted",
    [
        {"start_frame": 5, "end_frame": 5},
        {"start_frame": -1},
        {"start_s": 2.0, "end_s": 1.0},
        {"start_frame": 1, "end_s": 1.0},
        {"end_frame": 0},
    ],
)
def test_ranges_that_hold_nothing(tmp_path: Path, wanted: dict[str, float]) -> None:
    path = make_video(tmp_path / "v.mp4", frames=2)
    assert fails(clip(path, **wanted)).kind == "bad_range"
