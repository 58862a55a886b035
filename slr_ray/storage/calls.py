"""File systems behind URIs: opened once, and asked with a time limit and with patience.

A request that fails is tried again, after ever longer waits. Where a place never answered, that
ends soon: it is not there, or not reachable. Once it has answered, an outage is waited out for as
long as SLR_RAY_STORAGE_PATIENCE_S says, and told. What can't get better, such as a denied access,
is raised at once.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote

from pyarrow import ArrowException
from pyarrow import fs as arrow_fs

from slr_ray.durations import duration
from slr_ray.errors import ConfigError, StorageError, StorageLost, StorageRefused
from slr_ray.locations import complete, is_uri, masked, remember, root_of, split_query

AnswerT = TypeVar("AnswerT")
_LIMIT_S = 30.0
"""For a request without content."""
_SLOWEST = 2**17
"""Bytes a second that a content has at least."""
_NEVER_ANSWERED_S, _PATIENCE_S = 20.0, 600.0
_TOLD_AFTER_S = 15.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 10.0
_FINAL = re.compile(
    r"ACCESS_DENIED|NO_SUCH_|INVALID_|SIGNATURE|UNRECOGNIZED_CLIENT|EXPIRED|PERMISSION_DENIED"
    r"|UNAUTHENTICATED|FAILED_PRECONDITION|Authentication|Authorization|\] (301|400|401|403|404) "
    r"|HTTP status (301|400|401|403|404)\b"
)
"""In an error's text: the same request would be refused again."""
_FINAL_KINDS = (FileNotFoundError, PermissionError, NotADirectoryError, ValueError)
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ALLOWED = "%/:@!$&'()*+,;=~*"
"""What a URI may hold as it is, before its query."""
_OURS = {"s3": "allow_delayed_open=true", "gs": "retry_limit_seconds=10"}
"""Small files in one request instead of three; no quarter of an hour of Google's own retries."""

_log = logging.getLogger(__name__)


_late: dict[str, threading.Thread] = {}
"""Requests that were given up, by what they write."""
_answered: set[str] = set()
"""Buckets and accounts that this process, or the one that started it, had an answer from."""
_once: ContextVar[bool] = ContextVar("once", default=False)
_heard: ContextVar[Callable[[], None]] = ContextVar("heard", default=lambda: None)


class _GivenUp(TimeoutError):
    def __init__(self, told: str, thread: threading.Thread) -> None:
        super().__init__(told)
        self.thread = thread


@contextlib.contextmanager
def once() -> Iterator[None]:
    """Requests of this thread are made once within the body, and not tried again."""
    token = _once.set(True)
    try:
        yield
    finally:
        _once.reset(token)


def resolve(location: str) -> tuple[arrow_fs.FileSystem, str]:
    """The filesystem behind a path or URI, and the path on it. `StorageError` on a bad URI.

    A URI may hold spaces and other signs that should be written as %20 and so on.
    """
    if not is_uri(location):
        return arrow_fs.LocalFileSystem(), str(Path(location).expanduser().absolute())
    public = remember(location)
    place, query = split_query(complete(public))
    root = root_of(place)
    try:
        filesystem, prefix = _opened(root, query)
    except (ArrowException, OSError, ValueError) as error:
        raise StorageError(f"cannot use {public!r} as a location: {reason(error)}") from None
    path = unquote(_BARE_PERCENT.sub("%25", place.removeprefix(root).strip("/")))
    return filesystem, (prefix + path).rstrip("/") or "/"


@functools.lru_cache(maxsize=64)
def _opened(root: str, query: str) -> tuple[arrow_fs.FileSystem, str]:
    """A file system, and what its paths begin with."""
    ours = _OURS.get(root.partition(":")[0], "")
    if ours and ours.partition("=")[0] not in query:
        query = f"{query}&{ours}" if query else f"?{ours}"
    quoted = quote(_BARE_PERCENT.sub("%25", root), safe=_ALLOWED)
    # Without a region, opening asks the bucket for it.
    filesystem, path = _within(
        _LIMIT_S, lambda: arrow_fs.FileSystem.from_uri(f"{quoted}/name{query}")
    )
    return filesystem, path.removesuffix("name")


# Connections and threads of a client don't outlive a fork.
os.register_at_fork(after_in_child=_opened.cache_clear)


def call(
    location: str, request: Callable[[], AnswerT], num_bytes: int = 0, replaces: str = ""
) -> AnswerT:
    """The answer of a request about a location, which moves about `num_bytes`.

    `replaces` names what it writes: one that was given up may still arrive, and an earlier content
    must not come after a later one.

    Raises `FileNotFoundError`, `StorageRefused` (an `OSError`, too), and `StorageError` where the
    place does not answer; none tells the secrets of URIs.
    """
    if not is_uri(location) or location.startswith("file://"):
        return request()
    late = _late.pop(replaces, None)
    if late is not None:
        late.join(_LIMIT_S)
    root, started, wait_s, is_told = root_of(location), time.monotonic(), _FIRST_WAIT_S, False
    while True:
        try:
            answer = _within(_LIMIT_S + num_bytes / _SLOWEST, request)
        except FileNotFoundError:
            _answered.add(root)
            raise
        except (OSError, ArrowException) as error:
            if isinstance(error, _GivenUp) and replaces:
                _late[replaces] = error.thread
            told, spent = reason(error), time.monotonic() - started
            if isinstance(error, _FINAL_KINDS) or _FINAL.search(told):
                raise StorageRefused(told) from None
            patience = _patience(root)
            if spent + wait_s > patience:
                kind = StorageLost if root in _answered else StorageError
                raise kind(f"{root} has not answered for {duration(spent)}: {told}") from None
            if spent > _TOLD_AFTER_S and not is_told:
                is_told = True
                _log.warning("waiting for %s, for up to %s: %s", root, duration(patience), told)
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            continue
        _answered.add(root)
        if is_told:
            _log.warning("%s answers again", root)
        return answer


def that_answered() -> list[str]:
    """Buckets and accounts with an answer so far, for processes that this one starts elsewhere."""
    return sorted(_answered)


def rely_on(places: Iterable[str]) -> None:
    """What `that_answered` gave in another process: an outage there is waited out here, too.

    Or else the first request of a process that starts in an outage would end with it.
    """
    _answered.update(places)


def reason(error: BaseException) -> str:
    """What a library says of an error, in one line and without the secrets of URIs."""
    told = masked(str(error)).strip() or type(error).__name__
    return told.splitlines()[0].partition(" error_info=")[0]


def moving() -> None:
    """Some bytes came: the time limit of the request that this thread makes begins anew."""
    _heard.get()()


def _within(limit_s: float, request: Callable[[], AnswerT]) -> AnswerT:
    """The answer; `_GivenUp` where it takes longer, with the thread that still waits for it."""
    outcome: list[tuple[AnswerT | None, BaseException | None]] = []
    until = time.monotonic() + limit_s

    def extend() -> None:
        nonlocal until
        until = time.monotonic() + limit_s

    def run() -> None:
        _heard.set(extend)
        try:
            outcome.append((request(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive() and (left := until - time.monotonic()) > 0:
        thread.join(left)
    if not outcome:
        raise _GivenUp(f"no answer within {duration(limit_s)}", thread)
    answer, error = outcome[0]
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]


def _patience(root: str) -> float:
    if _once.get():
        return 0.0
    if root not in _answered:
        return _NEVER_ANSWERED_S
    named = os.environ.get("SLR_RAY_STORAGE_PATIENCE_S")
    try:
        return float(named) if named else _PATIENCE_S
    except ValueError:
        raise ConfigError(f"SLR_RAY_STORAGE_PATIENCE_S={named!r}: give seconds") from None
