"""Behind a URI one process has a place; who died or fell asleep loses it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from slr_ray.errors import StorageError
from slr_ray.storage import Store, lease
from slr_ray.storage.lease import LEASE, holder_of


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """pyarrow's store in memory stands for one behind a URI; times are a hundredth."""
    for name in ("_RENEWED_S", "_EXPIRES_S", "_SETTLES_S", "_LOOKED_AT_S"):
        monkeypatch.setattr(lease, name, getattr(lease, name) / 100)
    return Store("mock:///bucket/run")


def somebody(store: Store, **changes: Any) -> None:
    """A lease of a process of another machine."""
    other = {
        "id": "other",
        "host": "far",
        "pid": 7,
        "machine": "far",
        "since": "2026",
        "renewal": 0,
    }
    store.write_json(LEASE, {**other, **changes})
    return other


@pytest.fixture
def alive(store: Store) -> Iterator[None]:
    """Somebody who renews."""
    ended, renewals = threading.Event(), iter(range(10**6))

    def renew() -> None:
        while not ended.is_set():
            somebody(store, renewal=next(renewals))
            time.sleep(0.02)

    somebody(store)
    thread = threading.Thread(target=renew)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_a_second_process_is_refused_and_told_who_works_there(store: Store, alive: None) -> None:
    told = r"process 7 on far \(since 2026\) is working"
    with pytest.raises(StorageError, match=told), store.held():
        pass


def test_a_lease_that_nobody_renews_is_taken_over_and_given_back(store: Store) -> None:
    somebody(store)
    with store.held():
        own = store.read_json(LEASE)
        assert own["id"] != "other"
        assert holder_of(store) == f"process {own['pid']} on {own['host']} (since {own['since']})"
        renewals = set()
        while len(renewals) < 3:
            renewals.add(store.read_json(LEASE)["renewal"])
    assert holder_of(store) is None


def test_a_process_that_died_on_this_machine_is_not_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_EXPIRES_S", 1000.0)
    somebody(store, machine=lease._machine(), pid=2**22 + 1)
    with store.held():
        pass


def test_of_two_at_once_the_later_writer_has_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease.time, "sleep", lambda _: somebody(store))
    with pytest.raises(StorageError, match="process 7 on far"), store.held():
        pass
    assert store.read_json(LEASE)["id"] == "other"


def test_who_lost_its_lease_stops(store: Store) -> None:
    told = r"process 7 on far .* has taken .*bucket/run over"

    def work() -> None:
        with store.held():
            somebody(store)
            threading.Event().wait(60)

    with pytest.raises(StorageError, match=told):
        work()
    # The other one's lease is left alone.
    assert json.loads(store.read_bytes(LEASE))["id"] == "other"
