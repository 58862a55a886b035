"""Requests have a time limit; outages are waited out and told, what can't get better is not."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable

import pytest
from pyarrow import ArrowInvalid

from slr_ray.errors import ConfigError, StorageError, StorageRefused
from slr_ray.storage import call, calls, rely_on, resolve, that_answered
from slr_ray.storage.calls import once

PLACE = "s3://bucket/runs?region=eu-west-1"


class Clock:
    """Time that passes only where somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(calls, "time", clock)
    return clock


def refusing_until(clock: Clock, moment: float, error: Exception) -> Callable[[], str]:
    def request() -> str:
        if clock.now < moment:
            raise error
        return "answer"

    return request


REFUSED = OSError("AWS Error NETWORK_CONNECTION during PutObject: curlCode: 7, after 403 ms")


def test_an_outage_is_waited_out_and_told(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    assert call(PLACE, lambda: "first") == "first"
    assert call(PLACE, refusing_until(clock, 14.0, REFUSED)) == "answer"
    assert caplog.messages == []
    assert call(PLACE, refusing_until(clock, clock.now + 300.0, REFUSED)) == "answer"
    begun, ended = caplog.messages
    assert begun.startswith("waiting for s3://bucket, for up to 10 min 00 s: AWS Error NETWORK")
    assert ended == "s3://bucket answers again"
    assert {one.levelno for one in caplog.records} == {logging.WARNING}


def test_it_ends_with_the_reason(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    call(PLACE, lambda: "first")
    never = refusing_until(clock, float("inf"), REFUSED)
    with pytest.raises(StorageError, match=r"s3://bucket has not answered for .* curlCode: 7"):
        call(PLACE, never)
    assert 580 < clock.now <= 600
    begun = clock.now
    monkeypatch.setenv("SLR_RAY_STORAGE_PATIENCE_S", "40")
    with pytest.raises(StorageError):
        call(PLACE, never)
    assert 20 < clock.now - begun <= 40
    monkeypatch.setenv("SLR_RAY_STORAGE_PATIENCE_S", "long")
    with pytest.raises(ConfigError, match="'long': give seconds"):
        call(PLACE, never)


def test_a_place_that_never_answered_is_given_up_soon(clock: Clock) -> None:
    call("s3://another/x", lambda: "first")
    with pytest.raises(StorageError, match="has not answered"):
        call(PLACE, refusing_until(clock, 25.0, REFUSED))
    assert clock.now <= 20
    with once(), pytest.raises(StorageError):
        call("s3://another/x", refusing_until(clock, clock.now + 0.1, REFUSED))


def test_what_answered_another_process_is_waited_for(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(PLACE, lambda: "first")
    places = that_answered()
    monkeypatch.setattr(calls, "_answered", set())
    rely_on(places)
    assert call(PLACE, refusing_until(clock, 500.0, REFUSED)) == "answer"


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, "no such file"),
        OSError("AWS Error ACCESS_DENIED during PutObject operation"),
        OSError("AWS Error NO_SUCH_BUCKET during PutObject operation"),
        OSError("google::cloud::Status(PERMISSION_DENIED: no)"),
        OSError("GetProperties for 'x' failed. Azure Error: [AuthorizationFailure] 403 Server"),
        OSError("When listing: AWS Error UNKNOWN (HTTP status 403) during ListObjectsV2"),
        ArrowInvalid("Empty path component"),
    ],
)
def test_what_cannot_get_better_is_raised_at_once(error: Exception, clock: Clock) -> None:
    with pytest.raises(OSError, match=re.escape(str(error))) as raised:
        call(PLACE, refusing_until(clock, 1.0, error))
    assert isinstance(raised.value, FileNotFoundError | StorageRefused)
    assert isinstance(error, FileNotFoundError) == isinstance(raised.value, FileNotFoundError)
    assert clock.now == 0


def test_a_request_without_an_answer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_LIMIT_S", 0.05)
    hanging = threading.Event()
    with once(), pytest.raises(StorageError, match=r"no answer within 0\.1 s"):
        call(PLACE, hanging.wait)
    # What is long takes longer: a slow line is no outage.
    with once(), pytest.raises(StorageError, match=r"no answer within 0\.2 s"):
        call(PLACE, hanging.wait, num_bytes=2**14)
    hanging.set()


def test_what_was_given_up_never_comes_after_what_is_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_LIMIT_S", 0.05)
    hanging, there = threading.Event(), []

    def late() -> None:
        hanging.wait()
        there.append("old")

    with once(), pytest.raises(StorageError, match="no answer"):
        call(PLACE, late, replaces="a")
    monkeypatch.setattr(calls, "_LIMIT_S", 30.0)
    call(PLACE, lambda: there.append("other"), replaces="b")
    threading.Timer(0.05, hanging.set).start()
    call(PLACE, lambda: there.append("new"), replaces="a")
    assert there == ["other", "old", "new"]


def test_here_nothing_is_tried_again(clock: Clock) -> None:
    for place in ("/runs", "file:///runs"):
        with pytest.raises(OSError, match="curlCode"):
            call(place, refusing_until(clock, 1.0, REFUSED))
    assert clock.now == 0


def test_a_bucket_is_opened_once_for_all_its_paths() -> None:
    (first, path), (second, other) = (
        resolve(f"{PLACE}"),
        resolve("s3://bucket/a%20b/c d?region=eu-west-1"),
    )
    assert first is second
    assert (path, other) == ("bucket/runs", "bucket/a b/c d")
    assert resolve("s3://bucket?region=eu-west-1")[1] == "bucket"
    assert resolve("gs://anonymous@bucket/x/")[1] == "bucket/x"
    assert resolve("abfs://container@account.dfs.core.windows.net/a/b")[1] == "container/a/b"
