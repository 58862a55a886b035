"""What is given in a test is forgotten after it."""

from __future__ import annotations

import pytest

from slr_ray import locations
from slr_ray.storage import calls


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locations, "_given", {})
    monkeypatch.setattr(calls, "_answered", set())
    monkeypatch.delenv("SLR_RAY_URIS", raising=False)
    calls._opened.cache_clear()
