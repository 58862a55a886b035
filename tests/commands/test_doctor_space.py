"""`doctor --space`: whether a search can be made of the data, before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from experiment_factory import SPACE, write_shards

from slr_ray.corpora.data import open_data
from slr_ray.corpora.embedded.corpus import EmbeddedConfig
from slr_ray.doctor import Finding, _checked, _space


def found(folder: Path, data: str | None = None, **changes: Any) -> Finding:
    file = folder / "tiny.yaml"
    file.write_text(yaml.safe_dump({**SPACE, **changes}))
    return _checked("--space", lambda: _space(str(file), data, 1))


def test_what_it_would_search_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = found(tmp_path)
    assert one.is_good
    assert one.found.startswith("tiny, 2 trials on ")
    assert one.found.endswith("clips of embedded")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_what_does_not_go_with_the_data_is_told(tmp_path: Path) -> None:
    corpus = open_data(EmbeddedConfig(num_glosses=4, num_signers=8, seed=1))
    same = [row for row in range(corpus.num_clips) if corpus.signer(row) == corpus.signer(0)]
    shards = tmp_path / "one_signer.parquet"
    write_shards(shards, corpus, same)
    one = found(tmp_path, str(shards))
    assert not one.is_good
    assert "one_signer has 1 signer" in one.found


def test_a_mistake_of_the_space_is_told(tmp_path: Path) -> None:
    one = found(tmp_path, method={"kind": "sslr", "num_rounds": {"int": [2, 1]}})
    assert not one.is_good
    assert "num_rounds" in one.found
