"""Files behind the URIs of three clouds, as their emulators play them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from emulators import cloud

from benchmarks.chaos.emulators import KINDS, Cloud
from slr_ray.errors import StorageError
from slr_ray.storage import Growing, Store, calls
from slr_ray.storage.lease import holder_of

WRITE = {"s3": 1, "gcs": 2, "azure": 4}
"""Requests for a small file."""


@pytest.fixture(scope="module", params=KINDS)
def there(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    with cloud(request.param, tmp_path_factory.mktemp(request.param)) as one:
        yield one


def test_files_come_back_and_are_counted(there: Cloud) -> None:
    store = Store(there.uri("runs/a run"))
    store.check_writable()
    before = len(there.line.requests)
    store.write_json("b/one.json", {"x": 1})
    # None is for its folders.
    assert len(there.line.requests) - before == WRITE[there.kind]
    assert store.read_json("b/one.json") == {"x": 1}
    store.write_bytes("b/big.bin", bytes(2**20))
    assert store.read_bytes("b/big.bin") == bytes(2**20)
    assert list(store.names("b")) == ["b/big.bin", "b/one.json"]
    assert list(store.join("nothing").names()) == []
    assert store.exists("b/one.json")
    assert not store.exists("b/two.json")
    assert store.find_bytes("b/two.json") is None
    store.delete("b/one.json")
    store.delete("b/one.json")
    assert not store.exists("b/one.json")


def test_a_text_grows(there: Cloud) -> None:
    store = Store(there.uri("runs/growing"))
    Growing(store, "log").keep(b"one\n")
    again = Growing(store, "log")
    again.read()
    again.keep(b"one\ntwo\n")
    assert Growing(store, "log").read() == b"one\ntwo\n"


def test_a_place_is_held(there: Cloud) -> None:
    store = Store(there.uri("runs/held"))
    with store.held():
        assert holder_of(store) is not None
    assert holder_of(store) is None


def test_what_is_wrong_is_told_at_once_and_without_secrets(there: Cloud) -> None:
    missing = there.uri("x").replace("bucket/x", "no-such-bucket/x")
    with pytest.raises(StorageError, match="cannot write to") as raised:
        Store(missing).check_writable()
    told = str(raised.value)
    assert "no-such-bucket" in told
    assert not any(one in told for one in there.secrets)


def test_an_outage_is_survived_and_ends_in_one_line(
    there: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(there.uri("runs/outage"))
    store.write_bytes("one", b"1")
    there.line.cut()
    monkeypatch.setenv("SLR_RAY_STORAGE_PATIENCE_S", "1")
    with pytest.raises(StorageError, match="has not answered") as raised:
        store.write_bytes("one", b"2")
    assert "\n" not in str(raised.value)
    assert not any(one in str(raised.value) for one in there.secrets)
    there.line.mend()
    assert store.read_bytes("one") == b"1"
    there.line.hang()
    monkeypatch.setattr(calls, "_LIMIT_S", 0.5)
    with pytest.raises(StorageError, match="no answer within"):
        store.write_bytes("one", b"3")
    there.line.mend()
    monkeypatch.setattr(calls, "_LIMIT_S", 30.0)
    store.write_bytes("one", b"4")
    assert store.read_bytes("one") == b"4"
