"""Files replaced whole, locally and behind a URI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slr_ray.errors import StorageError
from slr_ray.storage import Store, below, parted, resolve


@pytest.fixture(params=["path", "uri"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(tmp_path / "a") if request.param == "path" else f"file://{tmp_path}/a")


def test_round_trip_and_listing(store: Store) -> None:
    store.write_json("b/one.json", {"x": 1})
    store.write_bytes("b/c/two.bin", b"2")
    assert store.read_json("b/one.json") == {"x": 1}
    assert list(store.names("b")) == ["b/c/two.bin", "b/one.json"]
    assert list(store.names("b", suffix=".json")) == ["b/one.json"]
    assert list(store.names("nothing")) == []
    store.delete("b/one.json")
    assert not store.exists("b/one.json")
    assert store.join("b").read_bytes("c/two.bin") == b"2"


ODD_NAMES = ["a b.mp4", "50%.mp4", "a%20b.mp4", "x#1.mp4", "q?.mp4", "q?a=b.mp4", "[ñ].mp4", "手/1"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_comes_back_from_a_uri(name: str, store: Store) -> None:
    store.write_bytes(name, b"1")
    (listed,) = store.names()
    assert listed == name
    filesystem, path = resolve(below(store.location, name))
    assert filesystem.get_file_info(path).size == 1
    assert below(*parted(below(store.location, name))) == below(store.location, name)
    assert Store(below(store.location, name)).join("x").location.endswith("/x")


@pytest.mark.parametrize("name", ["a b.mp4", "50%.mp4", "x#1.mp4", "q?.mp4", "[ñ].mp4"])
def test_a_uri_may_be_written_without_quoting(name: str, tmp_path: Path) -> None:
    _, path = resolve(f"file://{tmp_path}/{name}")
    assert path == f"{tmp_path}/{name}"


def test_a_query_stays_at_the_end_of_a_uri() -> None:
    base = "s3://bucket/videos?endpoint_override=http%3A%2F%2Fhost%3A9000&region=eu-west-1"
    joined = Store(base).join("_extraction").location
    assert joined == base.replace("videos", "videos/_extraction")
    assert parted(joined) == (base, "_extraction")
    _, path = resolve(below(joined, "why?.parquet"))
    assert path == "bucket/videos/_extraction/why?.parquet"


def test_a_failed_write_leaves_the_old_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write_bytes("one", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.write_bytes("one", b"new")
    assert store.read_bytes("one") == b"old"
    assert list(store.names()) == ["one"]


def test_an_unwritable_place_is_told_before_work_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write to"):
        Store(str(tmp_path / "file" / "below")).check_writable()


def test_an_unknown_scheme() -> None:
    with pytest.raises(StorageError, match="abc://x"):
        Store("abc://x/y").check_writable()


_HOLDER = """
import sys, time
from slr_ray.storage import Store
with Store(sys.argv[1]).held():
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_at_a_time_and_a_killed_one_holds_nothing(store: Store) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, store.location], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match="another process"), store.held():
            pass
        other.kill()
        other.wait()
    with store.held():
        pass
    with store.held():
        pass
