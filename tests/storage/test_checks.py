"""What is wrong with a place is told before work starts."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from slr_ray.doctor import _place
from slr_ray.errors import StorageError
from slr_ray.storage import Store
from slr_ray.storage.checks import check_drivers, check_room, check_secrets, check_storage
from slr_ray.storage.lease import LEASE

Usage = namedtuple("Usage", "total used free")


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = 5 * 2**30
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**40, 0, free))
    assert check_room(tmp_path / "runs") == "5 GiB free"
    assert check_storage(str(tmp_path / "runs")).endswith(" s for a file; 5 GiB free")
    free = 2**29
    for check in (check_storage, lambda place: check_room(Path(place))):
        with pytest.raises(StorageError, match=r"0\.50 GiB free on the disk of .*: make room"):
            check(str(tmp_path / "runs"))


def test_an_unreachable_bucket_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slr_ray.storage.calls._NEVER_ANSWERED_S", 0.0)
    place = "s3://bucket/runs?endpoint_override=127.0.0.1:1&scheme=http&region=eu-west-1"
    with pytest.raises(StorageError, match=r"cannot write to 's3://bucket.*connect") as raised:
        check_storage(place)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("base", ["folder", "uri"])
def test_who_works_where_is_told(base: str, tmp_path: Path) -> None:
    runs = Store(str(tmp_path) if base == "folder" else f"mock:///bucket{tmp_path}")
    assert check_drivers(runs.location) == "nobody works there"
    for name in ("one", "two"):
        runs.join(name).write_bytes("run.json", b"{}")
    if base == "folder":
        holding = runs.join("two").held()
    else:
        lease = {"host": "far", "pid": 7, "since": "2026"}
        runs.join("two").write_json(LEASE, lease)
        holding = pytest.MonkeyPatch.context()
    who = "a process of this machine" if base == "folder" else "process 7 on far (since 2026)"
    with holding:
        assert check_drivers(runs.location) == f"two: {who}"
        with pytest.raises(StorageError, match="a second driver would be refused"):
            check_drivers(runs.join("two").location)
        assert check_drivers(runs.join("one").location) == "nobody works there"


def test_secrets_on_the_command_line_are_told() -> None:
    assert check_secrets("s3://bucket/runs?region=eu-west-1") == "none in the URI"
    with pytest.raises(StorageError, match="SLR_RAY_URIS") as raised:
        check_secrets("s3://key:s3cr3t@bucket/runs")
    assert "s3cr3t" not in str(raised.value)


def test_doctor_has_a_line_for_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("slr_ray.storage.calls._NEVER_ANSWERED_S", 0.0)
    query = "?endpoint_override=127.0.0.1:1&scheme=http&region=eu-west-1"
    bad = {
        "--storage": f"s3://key:s3cr3t@bucket/runs{query}",
        "--data": str(tmp_path / "nothing"),
    }
    found = [one for option, place in bad.items() for one in _place(option, place)]
    assert [one.what for one in found] == ["secrets of --storage", "--storage", "--data"]
    assert not any(one.is_good for one in found)
    assert "s3cr3t" not in str(found)
    good = list(_place("--storage", str(tmp_path / "runs")))
    assert [one.what for one in good] == ["--storage", "drivers in --storage"]
    assert all(one.is_good for one in good)
