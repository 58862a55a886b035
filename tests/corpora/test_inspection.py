"""What an inspection counts, finds and draws."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner
from video_factory import make_video

from slr_ray.corpora.corpus import Corpus, open_cached, open_shards
from slr_ray.corpora.inspection.footage import MANIFEST
from slr_ray.corpora.inspection.inspection import Inspection, inspect_corpus
from slr_ray.corpora.inspection.page import find_clips, typical_clips, write_page
from slr_ray.corpora.inspection.signer_checks import SignerReport
from slr_ray.corpora.inspection.tables import signer_table
from slr_ray.data import app
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.drawing import animation, draw_skeleton, draw_strip, view_of
from slr_ray.poses.shard_writing import write_shard
from slr_ray.poses.skeleton import (
    BODY,
    BODY_JOINTS,
    INDEX,
    LEFT_HAND,
    MIRROR,
    NUM_JOINTS,
    RIGHT_HAND,
)
from slr_ray.videos.manifests.manifest import Row, to_parquet

UPRIGHT = {
    "nose": (0.5, 0.2), "neck": (0.5, 0.4), "rightShoulder": (0.35, 0.4),
    "leftShoulder": (0.65, 0.4), "rightWrist": (0.3, 0.8), "leftWrist": (0.7, 0.8),
}  # fmt: skip


def make_clip(clip_id: str, seed: int, num_frames: int = 6, **changes: Any) -> Clip:
    """An upright signer; every seed moves differently, and no two frames are equal."""
    generator = np.random.default_rng(seed)
    positions = np.full((num_frames, NUM_JOINTS, 2), 0.5, np.float32)
    positions[:, LEFT_HAND], positions[:, RIGHT_HAND] = (0.7, 0.81), (0.3, 0.81)
    for joint, place in UPRIGHT.items():
        positions[:, INDEX[joint]] = place
    positions += generator.normal(0, 0.01, positions.shape).astype(np.float32)
    values: dict[str, Any] = {
        "clip_id": clip_id,
        "gloss": "hello",
        "signer": "ann",
        "fps": 20.0,
        "positions": positions,
        "confidence": np.ones((num_frames, NUM_JOINTS), np.float32),
    }
    return Clip(**(values | changes))


def without(clip: Clip, joints: slice | list[int], frames: slice = slice(None)) -> Clip:
    clip.positions[frames, joints] = 0
    clip.confidence[frames, joints] = 0
    return clip


def corpus_of(*clips: Clip) -> Corpus:
    # A key of its own for every call: corpora of other tests are in the same cache.
    key = f"inspection-{id(clips)}-{np.random.default_rng().integers(2**62)}"
    return open_cached(key, "corpus", lambda: clips, provenance=list)


def inspect(*clips: Clip) -> Inspection:
    return inspect_corpus(corpus_of(*clips))


def report_on(*clips: Clip) -> SignerReport:
    (report,) = inspect(*clips).signer_reports
    return report


def test_clips_are_counted_by_gloss_and_signer() -> None:
    found = inspect(
        make_clip("1", 1, gloss="yes", signer="bob"),
        make_clip("2", 2, gloss="yes", signer="bob", fps=None),
        make_clip("3", 3, gloss="no", signer="ann", num_frames=9),
        make_clip("4", 4, gloss=None, signer="ann"),
    )
    assert (found.num_clips, found.num_unlabelled, found.num_frames) == (4, 1, 27)
    assert (found.glosses, found.signers) == (["no", "yes"], ["ann", "bob"])
    assert found.clips_per_gloss_and_signer == [[1, 0], [0, 2]]
    assert found.unlabelled_per_signer == [1, 0]
    assert found.frame_rates == {"20": 3, "unknown": 1}
    lengths = found.lengths
    assert (lengths.shortest, lengths.median, lengths.longest) == (6, 6, 9)
    assert sum(lengths.counts) == 4
    assert (lengths.counts[0], lengths.counts[-1]) == (3, 1)


def test_missing_joints_are_shares_by_part_and_signer() -> None:
    found = inspect(
        without(make_clip("1", 1, num_frames=4), LEFT_HAND),
        without(make_clip("2", 2, num_frames=12, signer="bob"), RIGHT_HAND, slice(0, 6)),
        without(make_clip("3", 3, num_frames=4), [INDEX["neck"]], slice(0, 2)),
    )
    ann, bob = found.signer_reports
    assert (ann.missing_left_hand, ann.missing_right_hand) == (0.5, 0)
    assert ann.missing_per_joint[INDEX["neck"]] == 0.25
    assert ann.missing_body == pytest.approx(0.25 / 12)
    assert (bob.missing_left_hand, bob.missing_right_hand) == (0, 0.5)
    assert (ann.dominant_hand, bob.dominant_hand) == ("right", "left")
    # Over all frames, not over signers: ann has 8 and bob 12.
    assert found.missing.left_hand == pytest.approx(4 / 20)
    assert found.missing.right_hand == pytest.approx(6 / 20)
    assert found.missing.both_hands == 0


def test_the_hand_that_signs_is_told_and_that_none_was_found() -> None:
    found = inspect(
        make_clip("1", 1, signer="ann"),
        without(make_clip("2", 2, signer="bob"), LEFT_HAND),
        without(make_clip("3", 3, signer="cem"), RIGHT_HAND),
        without(without(make_clip("4", 4, signer="dot"), LEFT_HAND), RIGHT_HAND),
    )
    hands = {row[0]: row[-1] for row in signer_table(found).rows}
    assert hands == {"ann": "both", "bob": "right", "cem": "left", "dot": "none"}


def test_frames_without_any_hand_are_counted() -> None:
    clip = without(without(make_clip("1", 1), LEFT_HAND, slice(0, 4)), RIGHT_HAND, slice(2, 6))
    assert report_on(clip).missing_both_hands == pytest.approx(2 / 6)


def turned(clip: Clip, **places: tuple[float, float]) -> Clip:
    for joint, place in places.items():
        clip.positions[:, INDEX[joint]] = place
    return clip


SUSPICIOUS = {
    "no hand in 100%": lambda: without(without(make_clip("1", 1), LEFT_HAND), RIGHT_HAND),
    "far outside the picture": lambda: make_clip(
        "1", 1, positions=make_clip("1", 1).positions * 480
    ),
    "nose below neck in 100%": lambda: turned(make_clip("1", 1), nose=(0.5, 0.9)),
    "shoulders swapped in 100%": lambda: turned(
        make_clip("1", 1), leftShoulder=(0.3, 0.4), rightShoulder=(0.7, 0.4)
    ),
    "100% of hands nearer to the other": lambda: turned(
        make_clip("1", 1), wrist_0=(0.3, 0.8), wrist_1=(0.7, 0.8)
    ),
    "small in the picture": lambda: turned(
        make_clip("1", 1), leftShoulder=(0.52, 0.4), rightShoulder=(0.48, 0.4)
    ),
    "of frames repeat the one before": lambda: make_clip(
        "1", 1, positions=make_clip("1", 1).positions[[0, 0, 1, 1, 2, 2]]
    ),
}


@pytest.mark.parametrize("suspicion", SUSPICIOUS)
def test_values_that_no_person_has_are_suspicious(suspicion: str) -> None:
    (found,) = report_on(SUSPICIOUS[suspicion]()).suspicious
    assert suspicion in found


def test_joints_that_one_signer_lacks_are_suspicious() -> None:
    ann = without(make_clip("1", 1), [INDEX["neck"], INDEX["leftWrist"]])
    found = inspect(ann, make_clip("2", 2, signer="bob"))
    assert [one.suspicious for one in found.signer_reports] == [
        ["almost never found: neck, leftWrist"],
        [],
    ]
    assert not any("lack" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((), "all clips lack the body: hands only; where shoulders are missing, a signing space"),
        (("rightEye",), "all clips lack the body but for rightEye; where shoulders"),
        (tuple(set(BODY_JOINTS) - {"nose", "neck"}), "all clips lack nose, neck"),
    ],
)
def test_joints_that_all_clips_lack_are_told_once(found: tuple[str, ...], words: str) -> None:
    lost = [INDEX[joint] for joint in BODY_JOINTS if joint not in found]
    signers = [f"s{number}" for number in range(5)]
    clips = [without(make_clip(one, row, signer=one), lost) for row, one in enumerate(signers)]
    inspection = inspect(*clips)
    assert sum(words in one for one in inspection.warnings) == 1
    assert not any(report.suspicious for report in inspection.signer_reports)


def test_a_person_is_not_suspicious() -> None:
    report = report_on(make_clip("1", 1), without(make_clip("2", 2), LEFT_HAND))
    assert report.suspicious == []
    assert report.shoulder_width == pytest.approx(0.3, abs=0.02)
    assert report.dominant_hand == "right"


def test_a_mirrored_camera_is_no_fault() -> None:
    clip = make_clip("1", 1)
    clip.positions[..., 0] = 1 - clip.positions[..., 0]
    mirrored = make_clip("1", 1, positions=clip.positions[:, list(MIRROR)])
    assert report_on(mirrored).suspicious == []


def test_identical_clips_are_found_within_and_across_signers() -> None:
    found = inspect(
        make_clip("1", 1, signer="ann"),
        make_clip("2", 2, signer="ann"),
        make_clip("3", 1, signer="bob"),
        make_clip("4", 2, signer="ann", gloss="no"),
        make_clip("5", 5, signer="ann"),
        make_clip("6", 5, signer="ann"),
    )
    same = found.duplicates
    assert [one.clip_ids for one in same.identical] == [["1", "3"], ["2", "4"], ["5", "6"]]
    assert same.identical[0].signers == ["ann", "bob"]
    assert same.num_identical_clips == 3
    assert same.num_identical_across_signers == 1
    assert same.num_identical_across_glosses == 1
    assert any("3 clips repeat" in warning for warning in found.warnings)
    assert any("1 sets of identical clips carry different" in text for text in found.warnings)


def test_frames_shared_by_clips_of_two_signers_are_found() -> None:
    first, other, second = (make_clip(name, seed) for name, seed in (("1", 1), ("2", 2), ("3", 3)))
    cut = np.concatenate([second.positions[:2], first.positions[2:5], other.positions[:1]])
    found = inspect(first, other, make_clip("3", 3, positions=cut, signer="bob"))
    (pair,) = found.duplicates.between_signers
    assert (pair.first, pair.second, pair.num_frames, pair.num_clips) == ("ann", "bob", 4, 3)
    assert found.duplicates.identical == []
    assert any("ann and bob share 4 frames in 3 clips" in text for text in found.warnings)


def test_frames_shared_by_clips_of_one_signer_are_no_warning() -> None:
    first = make_clip("1", 1)
    cut = np.concatenate([first.positions[3:], make_clip("2", 2).positions[3:]])
    found = inspect(first, make_clip("2", 2, positions=cut))
    (pair,) = found.duplicates.within_signers
    assert (pair.first, pair.second, pair.num_frames, pair.num_clips) == ("ann", "ann", 3, 2)
    assert found.duplicates.between_signers == []
    assert not any("share" in warning for warning in found.warnings)


def test_frames_without_a_pose_are_not_shared() -> None:
    clips = [
        without(make_clip(name, seed, signer=name), slice(0, NUM_JOINTS), slice(0, 2))
        for name, seed in (("ann", 1), ("bob", 2))
    ]
    duplicates = inspect(*clips).duplicates
    assert duplicates.between_signers == []
    assert duplicates.within_signers == []


def test_unbalanced_and_rarely_signed_glosses_are_warned_of() -> None:
    many = [make_clip(f"a{n}", n, 1, signer=f"s{n % 3}") for n in range(11)]
    found = inspect(*many, make_clip("b", 99, 1, gloss="no"))
    assert any("'hello' has 11 clips, 'no' 1" in text for text in found.warnings)
    assert any("1 of 2 glosses have fewer than 3 signers" in text for text in found.warnings)
    assert inspect(*many).warnings == []


def test_an_animation_has_the_clip_s_frames_and_speed() -> None:
    picture = Image.open(io.BytesIO(animation(make_clip("1", 1, num_frames=5), size=64)))
    assert picture.n_frames == 5
    assert picture.size == (64, 64)
    assert picture.info["duration"] == 50


def test_a_strip_shows_first_and_last_frame_of_a_clip() -> None:
    assert draw_strip(make_clip("1", 1, num_frames=30), num_frames=4, size=50).width == 200
    assert draw_strip(make_clip("1", 1, num_frames=2), num_frames=4, size=50).width == 100


def colours(image: Image.Image) -> set[str]:
    """Which of body (grey), left hand (blue) and right hand (orange) leave ink."""
    pixels = np.asarray(image, np.int16).reshape(-1, 3)
    red, blue = pixels[:, 0], pixels[:, 2]
    dark = pixels.max(axis=1) < 140
    found = {"body": dark, "left": blue - red > 80, "right": red - blue > 80}
    return {name for name, ink in found.items() if ink.any()}


def test_missing_parts_leave_no_ink() -> None:
    clip = make_clip("1", 1)
    view = view_of(clip)
    assert colours(draw_skeleton(clip.positions[0], clip.confidence[0], view)) == {
        "body",
        "left",
        "right",
    }
    for part, name in ((BODY, "body"), (LEFT_HAND, "left"), (RIGHT_HAND, "right")):
        partial = without(make_clip("1", 1), part)
        drawn = draw_skeleton(partial.positions[0], partial.confidence[0], view)
        assert colours(drawn) == {"body", "left", "right"} - {name}


def test_one_wild_joint_does_not_shrink_the_signer() -> None:
    clip = make_clip("1", 1, num_frames=30)
    before = view_of(clip)
    clip.positions[0, INDEX["nose"]] = (50, 50)
    assert view_of(clip).height == pytest.approx(before.height, rel=0.1)


def test_typical_clips_differ_in_gloss_and_signer() -> None:
    corpus = corpus_of(
        *(
            make_clip(f"{gloss}{signer}", number, gloss=gloss, signer=signer)
            for number, (gloss, signer) in enumerate(
                (gloss, signer) for gloss in ("no", "yes") for signer in ("ann", "bob")
            )
        )
    )
    chosen = typical_clips(corpus)
    assert corpus.gloss_index[chosen].tolist() == [0, 1]
    assert len(set(corpus.signer_index[chosen].tolist())) == 2


def test_the_page_holds_everything_and_escapes_names(tmp_path: Path) -> None:
    clip = make_clip("a/<b>", 1, gloss="<script>", signer="ann & bob")
    corpus = corpus_of(clip, make_clip("other", 2, gloss=None))
    inspection = inspect_corpus(corpus)
    page, _ = write_page(corpus, inspection, tmp_path / "out", find_clips(corpus, ["a/<b>"]))
    text = page.read_text()
    assert text.count("<script>") == 1  # the page's own
    assert "&lt;script&gt;" in text
    assert "ann &amp; bob" in text
    # Self-contained: every drawing and picture is in the page itself.
    assert text.count("<svg") == 3
    sources = re.findall(r'src="([^"]{0,20})', text)
    assert len(sources) == 2
    assert all(source.startswith("data:image/") for source in sources)
    assert not re.search("https?:", text)
    assert len(list((tmp_path / "out" / "clips").iterdir())) == 2
    statistics = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert Inspection.model_validate(statistics) == inspection


def test_an_unlabelled_corpus_has_a_page(tmp_path: Path) -> None:
    corpus = corpus_of(make_clip("1", 1, gloss=None), make_clip("2", 2, gloss=None))
    page, _ = write_page(corpus, inspect_corpus(corpus), tmp_path)
    assert page.exists()


def test_an_unknown_clip_is_named() -> None:
    corpus = corpus_of(make_clip("1", 1))
    with pytest.raises(DataError, match="no clip 'nope' in corpus; its first is '1'"):
        find_clips(corpus, ["1", "nope"])


def test_the_command_prints_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shard = tmp_path / "mine.parquet"
    write_shard(shard, [make_clip("1", 1), make_clip("2", 1, signer="bob")], {"extractor": "test"})
    result = CliRunner().invoke(app, ["inspect", str(shard), "--clip", "2"])
    assert result.exit_code == 0, result.output
    assert "ann and bob share 6 frames" in " ".join(result.output.split())
    written = {one.name for one in (tmp_path / "inspection" / "mine").iterdir()}
    assert {"index.html", "statistics.json", "gloss_by_signer.svg"} <= written

    failed = CliRunner().invoke(app, ["inspect", str(tmp_path / "nowhere")])
    assert failed.exit_code == 2
    assert failed.stderr.startswith("error: no such file or folder")


def test_a_clip_is_drawn_over_its_video_behind_a_uri(tmp_path: Path) -> None:
    make_video(tmp_path / "a b.mp4", frames=6, size=(160, 120))
    shard = tmp_path / "poses" / "poses-00000.parquet"
    write_shard(shard, [make_clip("1", 1), make_clip("2", 2)], {"extractor": "test"})
    paths = {"1": f"file://{tmp_path}/a%20b.mp4", "2": f"file://{tmp_path}/gone.mp4"}
    manifest = [Row(clip_id, path, "hello", "ann") for clip_id, path in paths.items()]
    (tmp_path / "poses" / "_extraction").mkdir()
    (tmp_path / "poses" / MANIFEST).write_bytes(to_parquet(manifest))
    # The manifest is found beside a single shard too.
    for source, clip_ids in ((shard.parent, "12"), (shard, "1"), (f"file://{shard}", "2")):
        out = tmp_path / f"page-{clip_ids}"
        asked = [word for clip_id in clip_ids for word in ("--clip", clip_id)]
        result = CliRunner().invoke(app, ["inspect", str(source), "--out", str(out), *asked])
        assert result.exit_code == 0, result.output
        assert (out / "clips" / "1-video.png").exists() == ("1" in clip_ids)
        told = f"clip '2': not drawn over its video: cannot copy {paths['2']}"
        assert (told in result.stderr) == ("2" in clip_ids)


@pytest.mark.real_data
def test_the_real_corpus_is_counted_as_its_description_says(real_data: Path) -> None:
    found = inspect_corpus(open_shards(str(real_data / "wild" / "wild12.parquet")))
    assert (found.num_clips, len(found.glosses), len(found.signers)) == (5548, 12, 61)
    per_gloss = dict(zip(found.glosses, map(sum, found.clips_per_gloss_and_signer), strict=True))
    assert (per_gloss["hello"], per_gloss["goodbye"]) == (1406, 60)
    assert max(max(row) for row in found.clips_per_gloss_and_signer) == 30
    assert any("unbalanced" in warning for warning in found.warnings)
