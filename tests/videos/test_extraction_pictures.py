"""A folder of pictures stands wherever a video may: order, rate, range, gaps, damage."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image
from video_factory import picture

from slr_ray.corpora.inspection.footage import footage_by_hand
from slr_ray.videos.frames.fetching import fetched
from slr_ray.videos.frames.files import video_clips
from slr_ray.videos.frames.pictures import picture_folders
from slr_ray.videos.frames.source import FAILURE_KINDS, ExtractionFailed, VideoClip
from slr_ray.videos.frames.video import Frame, Reading, read_frames

SIZE = (96, 64)


def pictures(folder: Path, numbers: Iterable[int], name: str = "images{:04d}.png") -> Path:
    """A picture a number, each of a grey that tells its number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        Image.new("RGB", SIZE, (4 * number,) * 3).save(folder / name.format(number))
    return folder


def clip(folder: Path, **changes: object) -> VideoClip:
    return VideoClip("clip", str(folder), "hello", "ann", **changes)  # type: ignore[arg-type]


def read(video: VideoClip, target_fps: float | None = None) -> tuple[list[Frame], Reading]:
    reading = Reading()
    found = read_frames(video, reading, target_fps=target_fps)
    return [frame for frame, repeats in found for _ in range(repeats)], reading


def numbers(frames: list[Frame]) -> list[int]:
    return [round(float(one.image.mean()) / 4) for one in frames]


def fails(video: VideoClip, target_fps: float | None = None) -> ExtractionFailed:
    with pytest.raises(ExtractionFailed) as caught:
        read(video, target_fps)
    assert caught.value.kind in FAILURE_KINDS
    return caught.value


@pytest.mark.parametrize(
    "name",
    [
        "images{:04d}.png",
        "frame_{}.PNG",
        "{}.jpg",
        "01April_2010_Thursday_heute.avi_pid0_fn{:06d}-0.jpeg",
    ],
)
def test_pictures_come_in_the_order_of_their_numbers(tmp_path: Path, name: str) -> None:
    frames, reading = read(clip(pictures(tmp_path / "c", range(1, 13), name), fps=25.0))
    assert numbers(frames) == list(range(1, 13))
    assert [one.time_s for one in frames] == pytest.approx([index / 25 for index in range(12)])
    assert (reading.num_source_frames, reading.num_undecoded_frames) == (12, 0)
    assert reading.source_fps == 25


def test_files_of_operating_systems_are_no_frames(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "c", range(1, 4))
    (folder / "._images0001.png").write_bytes(b"x")
    (folder / "Thumbs.db").write_bytes(b"x")
    assert numbers(read(clip(folder))[0]) == [1, 2, 3]


def test_frames_that_are_not_there_are_counted_and_keep_their_time(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "c", [10, 11, 12, 15, 16])
    frames, reading = read(clip(folder, fps=10.0))
    assert reading.num_undecoded_frames == 2
    assert [one.time_s for one in frames] == pytest.approx([0, 0.1, 0.2, 0.5, 0.6])
    frames, reading = read(clip(folder, fps=10.0, start_frame=4, end_frame=6))
    assert (numbers(frames), reading.num_undecoded_frames) == ([15], 1)


def test_every_second_frame_of_a_film_is_no_gap(tmp_path: Path) -> None:
    frames, reading = read(clip(pictures(tmp_path / "c", range(1, 12, 2)), fps=10.0))
    assert reading.num_undecoded_frames == 0
    assert frames[-1].time_s == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"start_frame": 3, "end_frame": 5}, [4, 5]),
        ({"start_s": 0.12, "end_s": 0.2}, [4, 5]),
        ({"start_s": 0.36}, [10, 11, 12]),
        ({"start_frame": 10, "end_frame": 14}, [11, 12]),
    ],
)
def test_ranges(tmp_path: Path, wanted: dict[str, float], expected: list[int]) -> None:
    folder = pictures(tmp_path / "c", range(1, 13))
    assert numbers(read(clip(folder, fps=25.0, **wanted))[0]) == expected


@pytest.mark.parametrize(
    "wanted", [{"start_frame": 12}, {"end_frame": 60}, {"start_s": 0.5}, {"end_s": 3.0}]
)
def test_ranges_beyond_the_end(tmp_path: Path, wanted: dict[str, float]) -> None:
    folder = pictures(tmp_path / "c", range(1, 13))
    assert fails(clip(folder, fps=25.0, **wanted)).kind == "range_beyond_end"


def test_a_rate_is_asked_for_only_where_it_is_needed(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "c", range(1, 7))
    frames, reading = read(clip(folder))
    assert (len(frames), reading.source_fps) == (6, 0)
    for failure in (fails(clip(folder), 10.0), fails(clip(folder, end_s=0.1))):
        assert failure.kind == "no_frame_rate"
        assert "--fps" in str(failure)
    assert numbers(read(clip(folder, fps=20.0), 10.0)[0]) == [1, 3, 5]


def test_damaged_pictures_are_counted(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "c", range(1, 31))
    (folder / "images0007.png").write_bytes(b"no picture")
    frames, reading = read(clip(folder))
    assert (len(frames), reading.num_damaged_packets) == (29, 1)
    for number in (8, 9, 10):
        (folder / f"images{number:04d}.png").write_bytes(b"")
    assert fails(clip(folder)).kind == "truncated"


def test_what_is_not_one_film_is_refused(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "sizes", range(1, 3))
    Image.new("RGB", (50, 50)).save(folder / "images0003.png")
    assert "different sizes" in str(fails(clip(folder)))
    folder = pictures(tmp_path / "twice", range(1, 3))
    pictures(folder, [2], "images{:04d}.jpg")
    assert "images0002" in str(fails(clip(folder)))


def test_a_camera_s_note_of_rotation_counts(tmp_path: Path) -> None:
    shown = picture(SIZE)
    exif = Image.Exif()
    exif[0x0112] = 6
    for number in (1, 2):
        stored = Image.fromarray(np.ascontiguousarray(np.rot90(shown)))
        stored.save(tmp_path / f"{number}.png", exif=exif)
    assert np.array_equal(read(clip(tmp_path))[0][0].image, shown)


def test_folders_with_a_video_hold_its_pictures() -> None:
    names = ["a/1.png", "a/2.PNG", "b/1.jpg", "b/2.jpg", "b/clip.mov", "c/cover.jpg", "c/n.txt"]
    found = picture_folders(map(PurePosixPath, names), {".mov"})
    assert found == {PurePosixPath("a")}


def test_folders_of_pictures_become_clips(tmp_path: Path) -> None:
    # The folder that is named may be hidden itself.
    source = tmp_path / ".cache"
    pictures(source / "red" / "1", range(1, 4))
    (source / "red" / "2.mp4").write_bytes(b"")
    found = video_clips([source], 30.0)
    assert [(one.clip_id, one.fps) for one in found] == [("1", 30.0), ("2.mp4", None)]
    (alone,) = video_clips([source / "red" / "1"])
    assert (alone.clip_id, alone.path) == ("1", str(source / "red" / "1"))


def test_pictures_behind_a_uri_are_copied(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "c", range(1, 4))
    with fetched(clip(Path("/"), fps=5.0)) as own:
        assert own.path == "/"
    remote = VideoClip("c", f"file://{folder}", None, "ann", fps=5.0)
    with fetched(remote) as local:
        assert local.path != str(folder)
        assert numbers(read(local)[0]) == [1, 2, 3]
    with pytest.raises(ExtractionFailed, match="file://"), fetched(remote) as local:
        read(VideoClip("c", local.path, None, "ann", start_frame=9))


def test_a_folder_may_be_named_as_a_clip_s_video(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "c", range(1, 4))
    assert footage_by_hand(folder, "c", [], {}).video.path == str(folder)
