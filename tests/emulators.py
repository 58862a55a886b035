"""Emulated clouds for tests; one that lacks a server is skipped, and says which."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.chaos import emulators
from benchmarks.chaos.emulators import Cloud, MissingServer


@contextlib.contextmanager
def cloud(kind: str, folder: Path) -> Iterator[Cloud]:
    with contextlib.ExitStack() as stack:
        try:
            there = stack.enter_context(emulators.cloud(kind, folder))
        except MissingServer as missing:
            pytest.skip(f"not installed: {missing}")
        yield there
