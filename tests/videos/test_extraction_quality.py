"""The quality report: shares by hand, the worst clips first, texts that a page must not run."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from slr_ray.videos.manifests.manifest import Row
from slr_ray.videos.pipeline.outcome import Outcome
from slr_ray.videos.pipeline.pipeline import _blocks
from slr_ray.videos.pipeline.quality import assess
from slr_ray.videos.pipeline.quality_page import page, print_quality


def outcome(clip_id: str, signer: str | None = "ann", **more: Any) -> Outcome:
    known = {"clip_id": clip_id, "path": f"/{clip_id}.mp4", "gloss": "red", "signer": signer}
    return Outcome(**{"split": None, "state": "done", "attempts": 1, **known, **more})


def quality(num_frames: int, *, no_pose: int = 0, no_hands: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "num_frames": num_frames,
        "num_without_pose": no_pose,
        "num_without_hands": no_hands,
        "num_without_left_hand": no_hands,
        "num_without_right_hand": no_hands,
        "num_unassigned_hands": 0,
        "num_damaged_packets": 0,
        "decoding_s": 0.5,
        "inference_s": 2.0,
        **more,
    }


EVERY = [
    outcome("fine", quality=quality(10, no_hands=2), split="train", corpus="wlasl"),
    outcome("blind", quality=quality(10, no_pose=10, no_hands=10), split="train"),
    outcome("handless", "bob", quality=quality(20, no_hands=20), split="test"),
    outcome("damaged", "bob", quality=quality(20, num_damaged_packets=3), split="test"),
    outcome("two", "bob", state="failed", kind="empty", reason="0 bytes", split="test"),
    outcome("one", "eve", state="failed", kind="empty", reason="<script>alert(1)</script>"),
    outcome("three", "eve", state="failed", kind="truncated", reason="cut"),
]


def test_shares_are_over_frames() -> None:
    report = assess(EVERY)
    assert report.overall.num_frames == 60
    assert report.overall.without_hands == pytest.approx(32 / 60)
    assert report.overall.without_pose == pytest.approx(10 / 60)
    assert [one.name for one in report.by_signer] == ["ann", "bob", "eve"]
    ann, bob, eve = report.by_signer
    assert (ann.without_hands, ann.without_pose) == (pytest.approx(0.6), pytest.approx(0.5))
    assert (bob.num_clips, bob.num_failed, bob.without_hands) == (3, 1, pytest.approx(0.5))
    assert (eve.num_failed, eve.without_hands) == (2, None)
    assert [one.name for one in report.by_split] == ["none", "test", "train"]
    assert [(one.name, one.num_frames) for one in report.by_corpus] == [("none", 50), ("wlasl", 10)]
    assert (report.decoding_s, report.inference_s) == (2.0, 8.0)


def test_the_worst_clips_come_first_and_each_failure_is_counted_once() -> None:
    report = assess(EVERY)
    assert [one.clip_id for one in report.suspicious] == ["blind", "handless", "damaged"]
    assert report.suspicious[0].why == [
        "nobody found on 100% of the frames",
        "no hand on any frame",
    ]
    assert report.failures == {"empty": 2, "truncated": 1}
    assert [one.clip_id for one in report.failed] == ["one", "three", "two"]
    assert report.num_clips_with_damage == 1


def test_a_clip_whose_rate_varies_is_told() -> None:
    even, uneven = (
        outcome(name, quality=quality(30, drift_s=drift_s))
        for name, drift_s in (("even", 0.04), ("uneven", 0.98))
    )
    (found,) = assess([even, uneven]).suspicious
    assert found.clip_id == "uneven"
    assert found.why == ["its frame rate varies, times are off by up to 1.0 s: set target_fps"]


def test_pictures_that_gave_no_frame_are_shown() -> None:
    """15 of 37 pictures, as of a recording that begins between two key frames."""
    late = quality(22, num_source_frames=22, num_undecoded_frames=15)
    report = assess([*EVERY, outcome("late", quality=late)])
    assert (report.num_undecoded_frames, report.num_clips_with_damage) == (15, 2)
    (found,) = [one for one in report.suspicious if one.clip_id == "late"]
    assert found.why == ["15 of 37 pictures gave no frame"]
    assert found.score == pytest.approx(15 / 37)
    html = page(report, "/poses", []).decode()
    assert "15 of 37 pictures gave no frame" in html
    assert "15 gave no frame" in html
    printed = io.StringIO()
    print_quality(report, Console(file=printed, width=160))
    assert "2 clips have pictures that did not decode: 15 gave no frame" in printed.getvalue()


def test_the_page_stands_alone_and_runs_nothing_of_the_data() -> None:
    html = page(assess(EVERY), "/my poses", [0.2, 1.0, 1.0, 0.0]).decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "src=" not in html
    assert 'href="http' not in html
    assert html.count("<svg") == 3
    assert "inspect &#39;/my poses&#39; --clip blind" in html


def test_clips_of_unknown_signers_are_a_group_of_their_own() -> None:
    clips = [outcome("one", None, quality=quality(10, no_hands=10)), outcome("two")]
    report = assess(clips)
    assert [one.name for one in report.by_signer] == ["unknown signers", "ann"]
    assert report.suspicious[0].signer is None
    assert "unknown signers" in page(report, "out", []).decode()


def test_nothing_extracted_is_told_too() -> None:
    report = assess([])
    assert report.overall.without_hands is None
    assert "No clip was extracted" in page(report, "/poses", []).decode()


def test_the_terminal_names_reasons_literally() -> None:
    printed = io.StringIO()
    odd = outcome("a[b]", state="failed", kind="empty", reason="[red]0 bytes")
    print_quality(assess([*EVERY, odd]), Console(file=printed, width=160))
    assert "[red]0 bytes" in printed.getvalue()
    assert "4 clips failed: empty 3, truncated 1" in printed.getvalue()
    assert "16.7% without a pose" in printed.getvalue()


def test_the_longest_clips_go_first() -> None:
    rows = [
        Row("short", "/a", None, "s", start_s=1.0, end_s=2.0),
        Row("long", "/b", None, "s", start_frame=0, end_frame=500),
        Row("file", "/c", None, "s", size_bytes=1_000_000),
    ]
    blocks = _blocks(rows, {"file": 2})
    assert [one.num_rows for one in blocks] == [1, 1, 1]
    together = pa.concat_tables(blocks)
    assert together["clip_id"].to_pylist() == ["long", "file", "short"]
    assert together["attempts"].to_pylist() == [0, 2, 0]
