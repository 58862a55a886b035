"""What `train` and `pretrain` refuse of `--workers`, before any work and without Ray."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import ray
import yaml
from driver import environment
from experiment_factory import EMBEDDED, TINY, opened, tiny

from slr_ray.errors import ConfigError
from slr_ray.pretrain import pretrain
from slr_ray.single.on_workers import check_workers
from slr_ray.train import train
from slr_ray.workers import nodes
from slr_ray.workers.run_options import group_options

BAD_CALLS: dict[str, tuple[Any, list[str], dict[str, Any], str]] = {
    "steps": (train, ["method.kind=consistency"], {}, "Use one worker a training"),
    "batch": (pretrain, ["initialisation.batch_size=3"], {}, "too small for 2 worker"),
    "too many": (train, [], {"workers": 4096}, "--workers 4096 x --cpus-per-worker 1"),
    "no cluster": (pretrain, [], {"address": "127.0.0.1:1"}, "no cluster answers"),
    "alone": (train, [], {"workers": None, "min_workers": 2}, "leave out --min-workers"),
    "bad wait": (pretrain, [], {"wait_at_most": "soon"}, "--wait-at-most 'soon'"),
}


def test_without_workers_nothing_of_ray_is_imported(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"preset": "modern", **TINY}))
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from slr_ray.pretrain import pretrain\n"
        "from slr_ray.train import train\n"
        "pretrain(config=Path('config.yaml'), workers=1, out='encoder')\n"
        "train(config='config.yaml', out='trained')\n"
        "assert 'ray' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(tmp_path), check=True
    )
    assert (tmp_path / "encoder" / "encoder.pt").exists()
    assert (tmp_path / "trained" / "seed_0" / "record.json").exists()


@pytest.mark.parametrize("name", BAD_CALLS)
def test_a_bad_call_ends_before_ray_begins(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    command, overrides, options, words = BAD_CALLS[name]
    data = [f"data.{name}={value}" for name, value in EMBEDDED.items()]
    with pytest.raises(SystemExit) as ended:
        command([*data, *overrides], **{"workers": 2, "out": str(tmp_path / "out"), **options})
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert not ray.is_initialized()
    assert not (tmp_path / "out").exists()


def test_the_fewest_workers_must_be_able_to_train_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "check_reachable", lambda _: None)
    parts = {"objective": {"kind": "simclr"}, "micro_batch_size": 1}
    prepared = opened(tiny(initialisation=parts))
    check_workers([prepared], group_options(2, "127.0.0.1:6379"))
    with pytest.raises(ConfigError, match="of which one has a single clip"):
        check_workers([prepared], group_options(2, "127.0.0.1:6379", min_workers=1))
