"""A second call into the same OUT: which manifests name the same clips, and which are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from clip_factory import make_clip
from test_ledger import LARGE, SMALL, WAY, done, failed, fill

from slr_ray.errors import ConfigError, DataError
from slr_ray.videos.manifests.manifest import Row
from slr_ray.videos.pipeline.asked import asked_before, check_same_clips, remember
from slr_ray.videos.pipeline.ledger import opened

ROW = Row("a", "/v/a.mp4", "hello", "ann", start_s=1.0, end_s=2.0, size_bytes=100)


def check(tmp_path: Path, *rows: Row, first: Row = ROW) -> None:
    """Clip `a` is done and `b` failed; then the manifest says `rows`."""
    before = [first, replace(ROW, clip_id="b", path="/v/b.mp4")]
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        remember(before, {}, ledger)
        ledger.add(done("a"), make_clip("a"))
        ledger.add(failed("b"), None)
        ledger.finish()
        check_same_clips(list(rows), asked_before(ledger), ledger)


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        replace(ROW, path="/moved/a.mp4"),
        replace(ROW, size_bytes=None),
        replace(ROW, split="train"),
        replace(ROW, clip_id="c", start_s=0.0),
        replace(ROW, clip_id="c", start_s=None, end_s=None, start_frame=2, end_frame=9),
        replace(ROW, clip_id="b", path="/other.mp4", size_bytes=3),
        replace(ROW, clip_id="c", path="/v/b.mp4"),
    ],
)
def test_the_same_and_new_clips(row: Row, tmp_path: Path) -> None:
    check(tmp_path, row)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (replace(ROW, gloss="bye"), "another gloss or signer .* 'a'"),
        (replace(ROW, gloss=None, glosses=("hello",)), "another gloss or signer .* 'a'"),
        (replace(ROW, signer="bob"), "another gloss or signer .* 'a'"),
        (replace(ROW, size_bytes=101), "another video .* of 100 bytes .* of 101 bytes"),
        (replace(ROW, path="/w/a.mp4", size_bytes=None), "another video .* /w/a.mp4"),
        (replace(ROW, end_s=3.0), r"another video or range .*end_s 2\), now .*end_s 3\)"),
        (replace(ROW, clip_id="x/a"), "under another clip id.* 'a' is now 'x/a'"),
    ],
)
def test_other_clips_are_refused(row: Row, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        check(tmp_path, row)


def test_all_that_was_ever_asked_for_is_remembered(tmp_path: Path) -> None:
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        remember([ROW], {}, ledger)
        moved, new = replace(ROW, path="/moved.mp4"), replace(ROW, clip_id="b")
        remember([moved], asked_before(ledger), ledger)
        remember([new], asked_before(ledger), ledger)
        assert asked_before(ledger) == {"a": moved, "b": new}


@pytest.mark.parametrize("before", ["unknown", None])
def test_what_an_earlier_version_called_unknown_is_the_same(
    tmp_path: Path, before: str | None
) -> None:
    check(tmp_path, replace(ROW, signer=None), first=replace(ROW, signer=before))


def test_a_signer_who_is_forgotten_is_another_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="another gloss or signer"):
        check(tmp_path, replace(ROW, signer=None))


@pytest.mark.parametrize(
    "name",
    [
        "poses-00000.parquet",
        "_extraction/settings.json",
        "_extraction/ledger/clips.jsonl",
        "_extraction/parts/000000.json",
        "_extraction/manifest.parquet",
    ],
)
def test_a_damaged_file_is_named_and_without_it_work_goes_on(name: str, tmp_path: Path) -> None:
    with opened(str(tmp_path), WAY, SMALL) as ledger:
        remember([ROW, replace(ROW, clip_id="b", path="/v/b.mp4")], {}, ledger)
        fill(ledger, "a")
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        fill(ledger, "b")
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-40])

    def again() -> None:
        with opened(str(tmp_path), WAY, LARGE) as ledger:
            asked_before(ledger)

    with pytest.raises(DataError, match=f"{name} is half-written or damaged .* remove it"):
        again()
    path.unlink()
    if name.endswith("settings.json"):
        # Nothing else says how the clips that are done were extracted.
        with pytest.raises(ConfigError, match="choose another --out"):
            again()
    else:
        again()
