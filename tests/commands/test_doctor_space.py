"""`doctor --space`: whether a search can be made of the data, and of what it asks of machines."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from experiment_factory import SPACE, write_shards

from slr_ray.corpora.data import open_data
from slr_ray.corpora.embedded.corpus import EmbeddedConfig
from slr_ray.doctor import Finding, _checked, _options, _space, _trial_here
from slr_ray.errors import ConfigError
from slr_ray.workers.run_options import RunOptions


def found(folder: Path, data: str | None = None, **changes: Any) -> Finding:
    file = folder / "tiny.yaml"
    file.write_text(yaml.safe_dump({**SPACE, **changes}))
    return _checked("--space", lambda: _space(str(file), data, RunOptions()))


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


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"trial_cpus": 0.0}, r"trial_cpus: .*0\.0"),
        ({"trial_cpus": math.nan}, "trial_cpus: .*nan"),
        ({"trial_gpus": -1.0}, r"trial_gpus: .*-1\.0"),
        ({"trial_workers": 0}, "trial_workers: .*0"),
        ({"trial_workers": 2, "trial_gpus": 0.5}, "give whole GPUs"),
    ],
)
def test_what_no_machine_could_give_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        _options(**given)


def test_what_this_machine_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert _checked("a trial here", lambda: _trial_here(RunOptions())).is_good
    asked = _options(trial_workers=100, trial_cpus=5.0)
    found = _checked("a trial here", lambda: _trial_here(asked))
    assert not found.is_good
    assert "500 processors: this machine has 2" in found.found
