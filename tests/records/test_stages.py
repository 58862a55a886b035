"""A finished stage leaves no checkpoint behind, whichever process left it, and asks for none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from slr_ray.errors import DataError
from slr_ray.records.stages import StageStore, dumps
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


@pytest.mark.parametrize("name", ["a.pt", "a.partial.pt"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_damaged_stage_is_named(name: str, share: float, tmp_path: Path) -> None:
    stages = StageStore(Store(str(tmp_path)))
    content = dumps({"weights": torch.zeros(50)})
    stages.store.write_bytes(name, content[: int(share * len(content))])
    read = {"a.pt": lambda: stages.load("a"), "a.partial.pt": stages.checkpoint("a").load}
    with pytest.raises(DataError, match=f"{name} is half-written or damaged") as caught:
        read[name]()
    # Torch's own advice is to load it unsafely.
    assert "weights_only" not in str(caught.value)
