"""Shared set-up: shapes checked at run time, real data found, caches kept apart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from jaxtyping import config, install_import_hook

if TYPE_CHECKING:
    from slr_ray.videos.detection.models import Models

# Before anything of slr_ray is imported: every jaxtyping annotation becomes a run-time check.
_hook = install_import_hook("slr_ray", "beartype.beartype")
_hook.__enter__()


# Ray gives its workers what the processors have left, and other tests would leave them nothing.
os.environ.setdefault("RAY_worker_niceness", "0")
# Hundreds of processes begin in these tests, and each would compile our sources anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that start Ray come first: the longest, so that no process waits for one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("ray") is None)


_CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real poses and videos; its tests are skipped where there is none."""
    folder = Path(os.environ.get("SLR_RAY_TEST_DATA", _CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set SLR_RAY_TEST_DATA")
    return folder


@pytest.fixture
def _unchecked() -> Iterator[None]:
    """Calls as users make them: nothing but our own checks stands before a wrong type."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Two threads that wait for each other on busy processors are slower than one.

    Set for every test: commands and benchmarks that others ran in this process take all threads.
    """
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Corpus caches of the tests stay out of the user's."""
    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """MediaPipe's real model bundles, fetched once into the tests' cache."""
    from slr_ray.videos.detection.models import models

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLR_RAY_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        return models()
