"""A finished stage leaves no checkpoint behind, whichever process left it, and asks for none."""

from __future__ import annotations

from pathlib import Path

import pytest

from slr_ray.records.stages import StageStore
from slr_ray.storage import Store


@pytest.fixture
def deleted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a store was asked to delete."""
    asked: list[str] = []
    delete = Store.delete

    def watched(store: Store, name: str) -> None:
        asked.append(name)
        delete(store, name)

    monkeypatch.setattr(Store, "delete", watched)
    return asked


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_a_checkpoint_goes_when_its_stage_is_kept(tmp_path: Path, deleted: list[str]) -> None:
    stages = StageStore(Store(str(tmp_path)))
    stages.checkpoint("a").save({"step": 1})
    assert names(tmp_path) == ["a.partial.pt"]
    # Another process goes on with it.
    other = StageStore(Store(str(tmp_path)))
    assert other.checkpoint("a").load() == {"step": 1}
    other.save("a", {"done": 2})
    assert names(tmp_path) == ["a.pt"]
    assert other.load("a") == {"done": 2}
    assert deleted == ["a.partial.pt"]


def test_nothing_is_deleted_where_no_checkpoint_was(tmp_path: Path, deleted: list[str]) -> None:
    stages = StageStore(Store(str(tmp_path)))
    assert stages.checkpoint("a").load() is None
    stages.save("a", {"done": 2})
    assert names(tmp_path) == ["a.pt"]
    assert deleted == []
