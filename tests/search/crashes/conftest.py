"""Searches in this process that end at a write of their storage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from experiment_factory import SPACE
from ray_here import ray_here
from searches_here import CHANGES, Failing, Result, only_run, result, tune

from slr_ray.storage import Store


@pytest.fixture(autouse=True)
def _ray_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump({**SPACE, **CHANGES}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "fsync", lambda _: None)
    with ray_here():
        yield


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Result:
    storage = str(tmp_path / "undisturbed")
    assert tune(monkeypatch, "--space", "tiny.yaml", "--storage", storage) == 0
    return result(only_run(storage))


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Allows so many writes of files from now on; those after them fail, all or some of them."""
    left: list[Any] = [10**6, None, 0]
    write = Store.write_bytes

    def limited(store: Store, name: str, content: bytes) -> None:
        left[0] -= 1
        if -left[2] <= left[0] < 0:
            raise left[1]
        write(store, name, content)

    def allow(num_writes: int, error: BaseException, num_failing: int = 10**6) -> None:
        left[:] = [num_writes, error, num_failing]

    monkeypatch.setattr(Store, "write_bytes", limited)
    monkeypatch.setattr("slr_ray.storage.lease._SETTLES_S", 0.0)
    return allow
