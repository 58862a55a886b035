"""The ledger and its shards: whenever a kill or a full disk hits, each clip is there once."""

from __future__ import annotations

import csv
import errno
from pathlib import Path
from typing import Any

import pytest
from clip_factory import assert_same, make_clip

from slr_ray.errors import ConfigError, StorageError
from slr_ray.poses.shards import ShardReader
from slr_ray.storage import Store
from slr_ray.videos.pipeline.ledger import Ledger, opened
from slr_ray.videos.pipeline.outcome import Outcome

WAY: dict[str, Any] = {"extractor": "test", "settings": {"target_fps": None}}
SMALL = 1
"""A shard size that every flush reaches."""
LARGE = 2**30


def done(clip_id: str, attempts: int = 1) -> Outcome:
    return Outcome(
        clip_id=clip_id,
        path=f"/{clip_id}.mp4",
        gloss="hello",
        signer="ann",
        split=None,
        state="done",
        attempts=attempts,
        quality={"num_frames": 3},
    )


def failed(clip_id: str, attempts: int = 1) -> Outcome:
    return done(clip_id, attempts).model_copy(
        update={"state": "failed", "kind": "truncated", "reason": "cut", "quality": None}
    )


def fill(ledger: Ledger, *clip_ids: str) -> None:
    for clip_id in clip_ids:
        assert ledger.add(done(clip_id), make_clip(clip_id))
    ledger.flush()


def clip_ids(out: Path) -> list[str]:
    return [clip.clip_id for clip in ShardReader(str(out))]


def test_clips_come_back_as_they_went_in(tmp_path: Path) -> None:
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        fill(ledger, "a", "b")
        ledger.finish()
    (first, second) = ShardReader(str(tmp_path))
    assert_same(first, make_clip("a"))
    assert_same(second, make_clip("b"))
    assert ShardReader(str(tmp_path)).provenance() == [WAY]
    assert not list((tmp_path / "_extraction" / "parts").iterdir())


def test_shards_are_made_at_their_size(tmp_path: Path) -> None:
    with opened(str(tmp_path), WAY, SMALL) as ledger:
        fill(ledger, "a", "b")
        fill(ledger, "c")
        ledger.finish()
    names = sorted(path.name for path in tmp_path.glob("*.parquet"))
    assert names == ["poses-00000.parquet", "poses-00001.parquet"]
    assert clip_ids(tmp_path) == ["a", "b", "c"]


def test_what_was_flushed_survives_and_is_not_done_again(tmp_path: Path) -> None:
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        fill(ledger, "a")
        ledger.add(failed("x"), None)
        ledger.flush()
        ledger.add(done("lost"), make_clip("lost"))
    # No finish: as if killed.
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        assert ledger.done == {"a"}
        assert set(ledger.failed) == {"x"}
        fill(ledger, "b")
        ledger.finish()
    assert sorted(clip_ids(tmp_path)) == ["a", "b"]
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        assert ledger.done == {"a", "b"}
        assert set(ledger.failed) == {"x"}


def test_a_second_result_of_a_clip_is_refused(tmp_path: Path) -> None:
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        fill(ledger, "a")
        assert not ledger.add(done("a"), make_clip("a", seed=5))
        assert not ledger.add(failed("a"), None)
        ledger.finish()
    (clip,) = ShardReader(str(tmp_path))
    assert_same(clip, make_clip("a"))


def test_a_failed_clip_that_is_done_later_has_one_row(tmp_path: Path) -> None:
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        ledger.add(failed("a"), None)
        ledger.add(failed("b"), None)
        ledger.finish()
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        ledger.add(done("a", attempts=2), make_clip("a"))
        ledger.add(failed("b", attempts=2), None)
        ledger.finish()
    with (tmp_path / "_extraction/ledger/failed.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["clip_id"], row["kind"], row["attempts"]) for row in rows] == [
        ("b", "truncated", "2")
    ]
    assert clip_ids(tmp_path) == ["a"]
    lines = (tmp_path / "_extraction/ledger/clips.jsonl").read_text().splitlines()
    assert len(lines) == 2


class _Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


def test_a_kill_at_any_write_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies before its first, second, ... file operation, until it is through."""
    for survived in range(100):
        out = tmp_path / str(survived)
        with opened(str(out), WAY, LARGE) as ledger:
            fill(ledger, "a")
        died = _killed_after(survived, out, monkeypatch)
        with opened(str(out), WAY, LARGE) as ledger:
            assert "a" in ledger.done
            fill(ledger, *({"b", "c", "d"} - ledger.done))
            ledger.finish()
        assert sorted(clip_ids(out)) == ["a", "b", "c", "d"]
        assert not list((out / "_extraction" / "parts").iterdir())
        if not died:
            break
    # Two parts, two shards, the list of clips twice, four files removed, and the rest.
    assert survived > 10


def _killed_after(survived: int, out: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    left = survived

    def counted(original: Any) -> Any:
        def operation(self: Store, *arguments: Any) -> Any:
            nonlocal left
            if left == 0:
                raise _Killed
            left -= 1
            return original(self, *arguments)

        return operation

    with monkeypatch.context() as patched:
        for name in ("write_bytes", "delete"):
            patched.setattr(Store, name, counted(getattr(Store, name)))
        try:
            with opened(str(out), WAY, SMALL) as ledger:
                fill(ledger, "b", "c")
                fill(ledger, "d")
                ledger.finish()
        except _Killed:
            return True
    return False


def test_half_written_files_are_removed(tmp_path: Path) -> None:
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        fill(ledger, "a")
    (tmp_path / ".writing-xyz").write_bytes(b"PAR1")
    parts = tmp_path / "_extraction" / "parts"
    (parts / ".writing-abc").write_bytes(b"PAR1")
    (parts / "000007.parquet").write_bytes(b"PAR1 and no .json yet")
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        ledger.finish()
    assert not list(tmp_path.rglob(".writing-*"))
    assert clip_ids(tmp_path) == ["a"]


def test_a_full_disk_is_told_and_what_was_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        fill(ledger, "a")
        ledger.add(done("b"), make_clip("b"))

        def full(handle: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("os.fsync", full)
            with pytest.raises(StorageError, match=r"No space left.*run the command again"):
                ledger.flush()
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        assert ledger.done == {"a"}
        fill(ledger, "b")
        ledger.finish()
    assert sorted(clip_ids(tmp_path)) == ["a", "b"]


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        fill(ledger, "a")
    other = {**WAY, "settings": {"target_fps": 25.0}}
    with (
        pytest.raises(ConfigError, match=r"settings\.target_fps was None, now 25\.0"),
        opened(str(tmp_path), other, LARGE),
    ):
        pass


def test_a_folder_of_other_shards_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.parquet").write_bytes(b"x")
    with pytest.raises(ConfigError, match="did not write"), opened(str(tmp_path), WAY, LARGE):
        pass


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with (
        opened(str(tmp_path), WAY, LARGE),
        pytest.raises(StorageError, match="another process"),
        opened(str(tmp_path), WAY, LARGE),
    ):
        pass


def test_out_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(StorageError, match="cannot write"),
        opened(str(tmp_path / "file" / "out"), WAY, LARGE),
    ):
        pass


def test_a_uri_holds_the_same(tmp_path: Path) -> None:
    out = f"file://{tmp_path}/new poses?region=x"
    with opened(out, WAY, SMALL) as ledger:
        fill(ledger, "a")
        fill(ledger, "b")
        ledger.finish()
        assert ledger.failed_location() == (
            f"file://{tmp_path}/new poses/_extraction/ledger/failed.csv?region=x"
        )
    with opened(out, WAY, SMALL) as ledger:
        assert ledger.done == {"a", "b"}
    assert [one.name for one in tmp_path.iterdir()] == ["new poses"]
    assert sorted(clip.clip_id for clip in ShardReader(out)) == ["a", "b"]


def test_clips_whose_shard_was_removed_are_to_do_again(tmp_path: Path) -> None:
    with opened(str(tmp_path), WAY, SMALL) as ledger:
        fill(ledger, "a")
        fill(ledger, "b")
        ledger.finish()
    first, _ = sorted(tmp_path.glob("poses-*.parquet"))
    first.unlink()
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        assert (ledger.done, ledger.num_lost) == ({"b"}, 1)
        fill(ledger, "a")
        ledger.finish()
    assert sorted(clip_ids(tmp_path)) == ["a", "b"]


def test_settings_may_change_until_a_clip_is_done(tmp_path: Path) -> None:
    other = {**WAY, "settings": {"target_fps": 25.0}}
    with opened(str(tmp_path), WAY, LARGE) as ledger:
        ledger.add(failed("a"), None)
        ledger.finish()
    with opened(str(tmp_path), other, LARGE) as ledger:
        fill(ledger, "a")
    with pytest.raises(ConfigError, match="another way"), opened(str(tmp_path), WAY, LARGE):
        pass


def test_an_interrupt_right_after_a_shard_is_written_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Store.write_bytes

    def interrupted(self: Store, name: str, content: bytes) -> None:
        original(self, name, content)
        if name.startswith("poses-"):
            monkeypatch.undo()
            raise KeyboardInterrupt

    with opened(str(tmp_path), WAY, SMALL) as ledger:
        monkeypatch.setattr(Store, "write_bytes", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fill(ledger, "a", "b")
        # What the command does on Ctrl-C.
        ledger.flush()
    assert sorted(clip_ids(tmp_path)) == ["a", "b"]


def test_any_character_may_stand_in_a_clip_id(tmp_path: Path) -> None:
    strange = "a\u2028b\x85c\nd"
    with opened(str(tmp_path), WAY, SMALL) as ledger:
        fill(ledger, strange)
    with opened(str(tmp_path), WAY, SMALL) as ledger:
        assert ledger.done == {strange}
