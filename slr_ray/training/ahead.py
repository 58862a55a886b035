"""The next batch is made while the last one trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

ItemT = TypeVar("ItemT")
MadeT = TypeVar("MadeT")


def ahead(items: Iterable[ItemT], make: Callable[[ItemT], MadeT]) -> Iterator[MadeT]:
    """What `make` gives for each item, in order, made in one other thread, one item ahead.

    So whatever `make` draws it draws in the same order as without a thread.
    """
    with ThreadPoolExecutor(1) as maker:
        waiting: Future[MadeT] | None = None
        for item in items:
            coming = maker.submit(make, item)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()
