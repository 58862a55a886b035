"""Containers that lie: mirrored pictures, wrong lengths, recordings begun between key frames."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from video_factory import make_video, picture, with_index_in_front

from slr_ray.videos.frames.completeness import is_whole
from slr_ray.videos.frames.source import ExtractionFailed, VideoClip
from slr_ray.videos.frames.video import Frame, Reading, read_frames

SMALL = (96, 64)


def read(path: Path, **changes: object) -> tuple[list[Frame], Reading]:
    reading = Reading()
    video = VideoClip("clip", str(path), "hello", "ann", **changes)  # type: ignore[arg-type]
    return [frame for frame, _ in read_frames(video, reading)], reading


@pytest.mark.parametrize("in_front", [True, False])
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "avi", "ts"])
def test_a_video_cut_anywhere_has_frames_or_a_reason(
    suffix: str, in_front: bool, tmp_path: Path
) -> None:
    """FFmpeg raises an end of file, an input error or nothing at all, depending on the place."""
    whole = make_video(tmp_path / f"whole.{suffix}", frames=4, size=SMALL)
    if in_front:
        whole = with_index_in_front(whole, tmp_path / f"front.{suffix}")
    content, path = whole.read_bytes(), tmp_path / f"cut.{suffix}"
    kinds = set()
    for length in (*range(1, 64, 9), *range(64, len(content), len(content) // 60)):
        path.write_bytes(content[:length])
        try:
            assert read(path)[0]
        except ExtractionFailed as failed:
            kinds.add(failed.kind)
    assert kinds <= {"not_a_video", "truncated", "unknown_codec", "no_frames"}
    assert kinds & {"not_a_video", "truncated"}


def boxes(content: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the boxes of an MP4 between two places."""
    while start < end:
        size, kind = struct.unpack(">I4s", content[start : start + 8])
        yield kind, start, start + size
        start += size


def box(content: bytes, *path: bytes) -> int:
    """Where the content of a box inside boxes begins."""
    start, end = 0, len(content)
    for kind in path:
        start, end = next(
            (at + 8, stop) for one, at, stop in boxes(content, start, end) if one == kind
        )
    return start


def patched(path: Path, place: int, new: bytes) -> Path:
    content = bytearray(path.read_bytes())
    content[place : place + len(new)] = new
    path.write_bytes(content)
    return path


def with_stated_length(path: Path, factor: float) -> Path:
    """The MP4 with its track's and its movie's stated length multiplied."""
    for names, at in (((b"moov", b"trak", b"mdia", b"mdhd"), 16), ((b"moov", b"mvhd"), 16)):
        content = path.read_bytes()
        place = box(content, *names) + at
        length = int.from_bytes(content[place : place + 4], "big")
        patched(path, place, struct.pack(">I", max(1, int(length * factor))))
    return path


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarter_turns", range(4))
def test_all_eight_orientations_are_shown_as_players_do(
    tmp_path: Path, quarter_turns: int, mirrored: bool
) -> None:
    """Each matrix is worked out from where it takes the stored picture's corners."""
    path = make_video(tmp_path / "v.mp4", frames=2, size=SMALL, speed=0)
    stored = picture(SMALL).astype(int)
    shown = np.rot90(stored[:, ::-1] if mirrored else stored, quarter_turns)
    # Turned anticlockwise, y downward: (x, y) goes to (y, -x); mirrored first: x becomes -x.
    matrix = np.array([[-1, 0], [0, 1]] if mirrored else [[1, 0], [0, 1]])
    for _ in range(quarter_turns):
        matrix = matrix @ [[0, -1], [1, 0]]
    (a, b), (c, d) = (matrix * 65_536).tolist()
    place = box(path.read_bytes(), b"moov", b"trak", b"tkhd") + 40
    patched(path, place, struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30))
    image = read(path)[0][0].image
    assert image.shape == shown.shape
    assert np.abs(image - shown).mean() < 6


@pytest.mark.parametrize("suffix", ["gif", "mkv"])
def test_a_last_frame_may_be_shown_for_seconds(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"v.{suffix}"
    if suffix == "gif":
        images = [Image.fromarray(picture(SMALL, index / 50)) for index in range(14)]
        times = [40] * 13 + [2000]
        images[0].save(path, save_all=True, append_images=images[1:], duration=times)
    else:
        make_video(path, frames=14, size=SMALL)
        stated = path.read_bytes().index(b"\x44\x89\x88") + 3
        patched(path, stated, struct.pack(">d", 2520.0))
    frames, reading = read(path)
    assert len(frames) == reading.num_source_frames == 14


@pytest.mark.parametrize("factor", [1 / 30, 0.5, 30])
def test_stated_lengths_do_not_count_against_frames(tmp_path: Path, factor: float) -> None:
    path = with_stated_length(make_video(tmp_path / "v.mp4", frames=25, size=SMALL), factor)
    assert len(read(path)[0]) == 25
    times = [round(one.time_s, 2) for one in read(path, start_s=0.6, end_s=0.8)[0]]
    assert times == [0.6, 0.64, 0.68, 0.72, 0.76]
    assert len(read(path, start_frame=20, end_frame=24)[0]) == 4


def test_a_broken_file_is_found_although_its_stated_length_is_too_short(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mp4", frames=100, size=SMALL)
    path = with_index_in_front(whole, tmp_path / "v.mp4")
    with_stated_length(path, 1 / 30)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(ExtractionFailed, match="get it again") as caught:
        read(path)
    assert caught.value.kind == "truncated"


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "gif"])
def test_a_file_tells_whether_it_is_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"v.{suffix}"
    if suffix == "gif":
        Image.fromarray(picture(SMALL)).save(path)
    else:
        make_video(path, size=SMALL, codec="mpeg4" if suffix == "avi" else "h264")
    assert is_whole(str(path)) is True
    path.write_bytes(path.read_bytes()[:-40])
    assert is_whole(str(path)) is False


def test_other_files_do_not_tell_whether_they_are_whole(tmp_path: Path) -> None:
    assert is_whole(str(make_video(tmp_path / "v.ts", frames=2, size=SMALL))) is None


def begun_late(path: Path, num_cut: int, *, num_frames: int = 40, keyframe_every: int = 20) -> Path:
    """A copy of a recording without its first packets."""
    whole = path.with_name("whole.mp4")
    make_video(whole, frames=num_frames, size=SMALL, keyframe_every=keyframe_every)
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [one for one in source.demux(video=0) if one.dts is not None]
        for packet in packets[num_cut:]:
            packet.stream = stream
            target.mux(packet)
    return path


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4"])
def test_pictures_before_the_first_key_frame_are_counted(tmp_path: Path, suffix: str) -> None:
    path = begun_late(tmp_path / f"v.{suffix}", num_cut=5)
    frames, reading = read(path)
    assert (len(frames), reading.num_undecoded_frames) == (20, 15)
    frames, reading = read(path, start_frame=10, end_frame=18)
    assert (len(frames), reading.num_undecoded_frames) == (3, 5)
    frames, reading = read(path, start_frame=20, end_frame=25)
    assert (len(frames), reading.num_undecoded_frames) == (5, 0)


def test_a_recording_without_any_key_frame_says_so(tmp_path: Path) -> None:
    path = begun_late(tmp_path / "v.ts", num_cut=5, num_frames=20)
    with pytest.raises(ExtractionFailed, match="no frame that can be decoded"):
        read(path)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mp4", "h264"), ("avi", "h264"), ("avi", "mpeg4"), ("mpg", "mpeg2video"), ("webm", "vp9")],
)
def test_nothing_is_missed_in_whole_files(tmp_path: Path, suffix: str, codec: str) -> None:
    coder = "libvpx-vp9" if codec == "vp9" else codec
    path = make_video(tmp_path / f"v.{suffix}", frames=30, size=SMALL, codec=coder)
    for changes in ({}, {"start_frame": 14, "end_frame": 20}, {"start_s": 0.6}):
        reading = read(path, **changes)[1]
        assert (reading.num_undecoded_frames, reading.num_damaged_packets) == (0, 0)


def test_frames_that_are_not_to_be_shown_are_not_missed(tmp_path: Path) -> None:
    """VP8 has pictures that only serve others; here one is made of a picture's header bit."""
    path = make_video(tmp_path / "v.webm", frames=10, size=SMALL, codec="libvpx")
    with av.open(str(path)) as container:
        packets = [bytes(one) for one in container.demux(video=0) if one.size]
    place = path.read_bytes().index(packets[5])
    patched(path, place, bytes([packets[5][0] & ~0x10]))
    frames, reading = read(path)
    assert (len(frames), reading.num_undecoded_frames) == (9, 0)
