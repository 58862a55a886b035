"""Poses out of videos, with the real models: of a real person, and of the real signers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner
from video_factory import audio_only, make_video, picture, truncated

from slr_ray.data import app
from slr_ray.poses.clip import check_clip
from slr_ray.poses.shard_writing import write_shard
from slr_ray.poses.skeleton import INDEX, LEFT_HAND, RIGHT_HAND
from slr_ray.videos.detection.config import ExtractionConfig
from slr_ray.videos.detection.extractor import Extractor
from slr_ray.videos.detection.in_memory import settings_like
from slr_ray.videos.detection.models import Models
from slr_ray.videos.detection.overlay import draw_overlay
from slr_ray.videos.detection.second_look import no_wrist_inside
from slr_ray.videos.frames.files import video_clips
from slr_ray.videos.frames.source import ExtractionFailed, VideoClip


def clip(path: Path, **changes: object) -> VideoClip:
    return VideoClip(path.stem, str(path), "hello", "ann", **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def extractor(bundles: Models) -> Iterator[Extractor]:
    with Extractor(ExtractionConfig(), bundles) as made:
        yield made


def test_a_person_is_found_and_followed(tmp_path: Path, extractor: Extractor) -> None:
    path = make_video(tmp_path / "v.mp4", frames=8, size=(400, 480), speed=0.01)
    found = extractor.extract(clip(path))
    check_clip(found.clip)
    assert (found.clip.gloss, found.clip.signer, found.clip.fps) == ("hello", "ann", 25.0)
    assert found.quality.num_frames == found.quality.num_source_frames == 8
    assert found.quality.num_without_pose == 0
    nose, left, right = (INDEX[one] for one in ("nose", "leftShoulder", "rightShoulder"))
    # She looks at us: her left is on the right, her nose above her shoulders and in her face.
    assert (found.clip.positions[:, left, 0] > found.clip.positions[:, right, 0] + 0.2).all()
    assert (found.clip.positions[:, nose, 1] < found.clip.positions[:, left, 1]).all()
    moved = found.clip.positions[-1, nose, 0] - found.clip.positions[0, nose, 0]
    assert moved == pytest.approx(0.07, abs=0.02)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_video_gives_the_same_poses(
    tmp_path: Path, extractor: Extractor, rotation: int
) -> None:
    upright = make_video(tmp_path / "u.mp4", frames=3, size=(320, 400), speed=0)
    turned = make_video(tmp_path / "t.mp4", frames=3, size=(320, 400), speed=0, rotation=rotation)
    body = slice(0, INDEX["rightElbow"])
    first, second = (extractor.extract(clip(one)).clip.positions for one in (upright, turned))
    np.testing.assert_allclose(first[:, body], second[:, body], atol=0.02)


def test_odd_widths_are_seen_as_well(tmp_path: Path, extractor: Extractor) -> None:
    """Rows padded by the decoder were once read as pixels, and nobody was found."""
    path = make_video(tmp_path / "v.mp4", frames=2, size=(362, 426))
    assert extractor.extract(clip(path)).quality.num_without_pose == 0


def test_the_mirrored_person_has_mirrored_poses(tmp_path: Path, extractor: Extractor) -> None:
    import mediapipe  # noqa: F401  # loaded by the extractor in any case

    image = picture((400, 480))
    landmarks = []
    for pixels in (image, np.ascontiguousarray(image[:, ::-1])):
        extractor._landmarkers.start_clip()
        seen = extractor._landmarkers.look(pixels, 0.0)
        assert seen.pose is not None
        landmarks.append(seen.pose)
    # Shoulders: 11 is the left one, 12 the right one.
    np.testing.assert_allclose(landmarks[0][11, 0], 1 - landmarks[1][12, 0], atol=0.06)


def test_a_clip_without_a_person_is_named(tmp_path: Path, extractor: Extractor) -> None:
    path = make_video(tmp_path / "v.mp4", frames=3, person=False)
    with pytest.raises(ExtractionFailed) as caught:
        extractor.extract(clip(path))
    assert caught.value.kind == "no_person"


def test_a_sentence_that_its_frames_can_t_hold_is_named(
    tmp_path: Path, extractor: Extractor
) -> None:
    """In a shard it would end every further call that reads it."""
    path = make_video(tmp_path / "v.mp4", frames=3, size=(300, 360))
    sentence = VideoClip("v", str(path), None, "ann", glosses=("i", "go", "home", "now"))
    with pytest.raises(ExtractionFailed, match=r"'v' has 4 glosses in 3 frames.*v\.mp4") as caught:
        extractor.extract(sentence)
    assert caught.value.kind == "bad_sentence"


def test_one_clip_leaves_nothing_to_the_next(
    tmp_path: Path, extractor: Extractor, bundles: Models
) -> None:
    """After other clips, good and broken ones, a clip gives bit for bit what it gives alone."""
    wanted = make_video(tmp_path / "v.mp4", frames=6, size=(300, 360), speed=0.01)
    other = make_video(tmp_path / "o.mp4", frames=4, size=(640, 360), speed=0.02)
    with Extractor(ExtractionConfig(), bundles) as fresh:
        alone = fresh.extract(clip(wanted)).clip
    extractor.extract(clip(other))
    with pytest.raises(ExtractionFailed):
        extractor.extract(clip(truncated(tmp_path / "cut.mp4", frames=40, size=(160, 120))))
    after = extractor.extract(clip(wanted)).clip
    np.testing.assert_array_equal(after.positions, alone.positions)
    np.testing.assert_array_equal(after.confidence, alone.confidence)


def test_rate_length_and_stillness(tmp_path: Path, bundles: Models) -> None:
    path = make_video(tmp_path / "v.mp4", frames=30, fps=30, size=(300, 360), speed=0)
    config = ExtractionConfig(target_fps=10.0, max_frames=7, max_still_change=4.0)
    with Extractor(config, bundles) as extractor:
        found = extractor.extract(clip(path))
        assert extractor.provenance()["settings"]["target_fps"] == 10.0
    assert (found.clip.num_frames, found.clip.fps) == (7, 10.0)
    assert found.quality.is_cut
    # All frames show the same, so only the first is looked at.
    assert found.quality.num_still_frames >= 6
    assert (found.clip.positions == found.clip.positions[0]).all()


def test_a_cap_says_whether_it_cut(tmp_path: Path, bundles: Models) -> None:
    path = make_video(tmp_path / "v.mp4", frames=3, size=(300, 360))
    with Extractor(ExtractionConfig(max_frames=3), bundles) as extractor:
        whole = extractor.extract(clip(path))
    assert not whole.quality.is_cut
    with Extractor(ExtractionConfig(max_frames=2), bundles) as extractor:
        cut = extractor.extract(clip(path))
    assert cut.quality.is_cut
    assert cut.clip.num_frames == 2
    assert cut.clip.fps == whole.clip.fps == 25.0


def test_provenance_tells_models_versions_and_settings(
    extractor: Extractor, bundles: Models
) -> None:
    told = extractor.provenance()
    assert told["models"]["pose_landmarker_full"] == bundles.pose_sha256
    assert told["models"]["hand_landmarker"] == bundles.hand_sha256
    assert told["mediapipe"][0].isdigit()
    assert ExtractionConfig.model_validate(told["settings"]) == extractor.config


def test_wrists_outside_the_picture() -> None:
    pose = np.full((33, 2), 0.5, np.float32)
    pose[15], pose[16] = (0.6, 1.01), (0.4, 1.2)
    assert no_wrist_inside(pose)
    pose[16] = (0.4, 0.99)
    assert not no_wrist_inside(pose)


_MEMORY = """
import resource, sys
from slr_ray.videos.frames.source import VideoClip
from slr_ray.videos.frames.video import Reading, read_frames
for path in sys.argv[1:]:
    num = sum(1 for _ in read_frames(VideoClip("c", path, None, "s"), Reading()))
    print(num, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_video(tmp_path: Path) -> None:
    """Ninety frames more are 187 MB of pictures, and no more memory."""
    short = make_video(tmp_path / "s.mp4", frames=20, size=(960, 720), speed=0)
    long = make_video(tmp_path / "l.mp4", frames=110, size=(960, 720), speed=0)
    command = [sys.executable, "-c", _MEMORY, str(short), str(long)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (few, before), (many, after) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert (few, many) == (20, 110)
    assert after - before < 60


def test_videos_of_a_folder_become_clips(tmp_path: Path) -> None:
    for name in ("a/x.mp4", "b/x.mp4", "b/y.MOV", "b/notes.txt", ".hidden/z.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = video_clips([tmp_path, tmp_path / "b" / "y.MOV"])
    assert [one.clip_id for one in found] == [
        str(tmp_path / "a/x.mp4"),
        str(tmp_path / "b/x.mp4"),
        "y.MOV",
    ]


def test_the_overlay_shows_the_frames_of_the_clip(tmp_path: Path, extractor: Extractor) -> None:
    import io

    path = make_video(tmp_path / "v.mp4", frames=9, size=(320, 400))
    found = extractor.extract(clip(path, start_frame=2)).clip
    overlay = draw_overlay(found, clip(path, start_frame=2))
    with Image.open(io.BytesIO(overlay.animation)) as moving:
        assert moving.n_frames == 7
    with Image.open(io.BytesIO(overlay.sheet)) as sheet:
        assert sheet.size == (4 * 440, 2 * 550)
        # The body is drawn in green, which the picture itself does not have.
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    assert ((pixels[..., 1] - pixels[..., [0, 2]].max(axis=-1)) > 80).sum() > 500
    with pytest.raises(ExtractionFailed, match="another video"):
        draw_overlay(found, clip(path, start_frame=5))


def inspect(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["inspect", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return str(done.output)


def test_inspect_draws_over_the_video(tmp_path: Path, extractor: Extractor) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = make_video(tmp_path / "v.mp4", frames=6, size=(320, 400))
    video = clip(path, start_frame=1, end_frame=5)
    poses = tmp_path / "poses"
    found = extractor.extract(video).clip
    write_shard(poses / "part-0.parquet", [found], extractor.provenance())
    row = {"clip_id": "v", "path": str(path), "start_frame": 1, "end_frame": 5}
    row |= {"start_s": None, "end_s": None, "gloss": "hello", "signer": "ann"}
    manifest = pa.Table.from_pylist([row])
    (tmp_path / "page").mkdir()
    inspect(poses / "part-0.parquet", "--clip", "v", "--out", tmp_path / "page", "--video", path)
    assert (tmp_path / "page" / "clips" / "v-video.png").stat().st_size > 1000
    (poses / "_extraction").mkdir()
    pq.write_table(manifest, poses / "_extraction" / "manifest.parquet")
    from slr_ray.corpora.inspection.footage import find_footage

    footage = find_footage(str(poses), [extractor.provenance()], ["v", "w"])
    assert list(footage) == ["v"]
    assert (footage["v"].video.start_frame, footage["v"].video.end_frame) == (1, 5)
    assert draw_overlay(found, footage["v"].video).sheet.startswith(b"\x89PNG")


def predict(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "slr_ray.predict", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_predict_refuses_before_work_what_it_cannot_use(tmp_path: Path) -> None:
    done = predict("--checkpoint", tmp_path / "none.pt", audio_only(tmp_path / "a.mp4"))
    assert done.returncode == 2
    assert "no such checkpoint" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("way", ["one", "several", "other"])
def test_predict_extracts_as_the_training_poses_were(way: str, extractor: Extractor) -> None:
    known = extractor.provenance()
    slow = {**known, "settings": {**known["settings"], "target_fps": 10.0, "pose_model": "heavy"}}
    records = {"one": [slow, slow], "several": [slow, known], "other": [{"extractor": "holistic"}]}
    provenance = tuple(records[way])
    found, note = settings_like(provenance)
    if way == "one":
        assert (found.target_fps, found.pose_model, note) == (10.0, "heavy", None)
    else:
        assert found == ExtractionConfig()
        how = {"several": "in several ways", "other": "by something else than slr_ray.extract"}
        assert how[way] in (note or "")
    assert settings_like(provenance, 5.0)[0].target_fps == 5.0


def test_the_benchmark_ends_with_its_ratio(
    tmp_path: Path, bundles: Models, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import extraction

    make_video(tmp_path / "v.mp4", frames=3, size=(240, 288))
    arguments = ["--videos", tmp_path, "--models", bundles.pose.parent, "--num-clips", 1]
    extraction.main([*map(str, arguments), "--num-frames", "2", "--no-platform"])
    assert re.fullmatch(r"ratio: \d+\.\d+", capsys.readouterr().out.splitlines()[-1])


@pytest.mark.real_data
def test_both_signing_hands_go_with_their_arms(real_data: Path, extractor: Extractor) -> None:
    """`ambulancia`: two hands that touch; `rabbit`: crossed wrists, left hand on the left."""
    video = VideoClip("a", str(real_data / "videos/msl150/ambulancia_001.mp4"), None, "s")
    found = extractor.extract(video)
    assert found.quality.num_without_pose == 0
    assert found.quality.num_without_left_hand <= 2
    assert found.quality.num_without_right_hand <= 0.2 * found.quality.num_frames
    crossed = VideoClip("r", str(real_data / "videos/asl/rabbit.mp4"), None, "s", end_frame=36)
    poses = extractor.extract(crossed).clip
    both = (poses.confidence[:, LEFT_HAND.start] > 0) & (poses.confidence[:, RIGHT_HAND.start] > 0)
    tips = [INDEX["indexTip_0"], INDEX["indexTip_1"]]
    left, right = (poses.positions[24:36, tip, 0][both[24:36]] for tip in tips)
    assert both[24:36].sum() >= 6
    assert (left < right).mean() > 0.8
