"""What is given in a test is forgotten after it."""

from __future__ import annotations

import pytest

from slr_ray.storage import calls, locations


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locations, "_given", {})
    monkeypatch.setattr(calls, "_answered", set())
    monkeypatch.delenv("SLR_RAY_URIS", raising=False)
    calls._opened.cache_clear()
