"""The cache of corpora: new copies take the place of old ones, what is in use stays."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slr_ray.corpora import cache
from slr_ray.corpora.corpus import open_shards
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, generate
from slr_ray.errors import ConfigError
from slr_ray.poses.shard_writing import write_shard


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_leases", {})


def written(path: Path, num_clips: int) -> Path:
    made = generate(EmbeddedConfig(num_glosses=4, num_signers=4, clips_per_block=2))
    clips = [
        replace(one, clip_id=f"{row}") for row, one in zip(range(num_clips), made, strict=False)
    ]
    write_shard(path, clips, {"extractor": "test"})
    return path


def end_use() -> None:
    """As if the process had ended: the system frees its locks."""
    for lease in cache._leases.values():
        os.close(lease)
    cache._leases.clear()


def test_a_new_copy_takes_the_place_of_the_old_ones(tmp_path: Path) -> None:
    shards = written(tmp_path / "poses.parquet", 3)
    other = written(tmp_path / "other.parquet", 2)
    open_shards(str(other))
    first = open_shards(str(shards))
    end_use()
    written(shards, 5)
    second = open_shards(str(shards))
    assert second.num_clips == 5
    assert not first.folder.exists()
    assert len(cache.copies()) == 2


def test_a_copy_in_use_stays(tmp_path: Path) -> None:
    shards = written(tmp_path / "poses.parquet", 3)
    code = (
        "import sys; from slr_ray.corpora.corpus import open_shards; "
        "open_shards(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", code, str(shards)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert user.stdout is not None
    assert user.stdout.readline() == "open\n"
    try:
        assert [went for _, went in cache.prune()] == [False]
        written(shards, 4)
        open_shards(str(shards))
        assert len(cache.copies()) == 2
    finally:
        user.communicate("")
    end_use()
    assert [went for _, went in cache.prune()] == [True, True]
    assert cache.copies() == []
    assert open_shards(str(shards)).num_clips == 4


def test_what_was_used_longest_ago_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = {}
    for number, name in enumerate("abc"):
        opened[name] = open_shards(str(written(tmp_path / f"{name}.parquet", 3))).folder
        os.utime(opened[name] / "in_use", (number, number))
    end_use()
    open_shards(str(tmp_path / "a.parquet"))
    end_use()
    size = cache.copies()[0].num_bytes
    monkeypatch.setenv("SLR_RAY_CACHE_GIB", str(3.5 * size / 2**30))
    newest = open_shards(str(written(tmp_path / "d.parquet", 3))).folder
    assert {one.folder for one in cache.copies()} == {opened["a"], opened["c"], newest}


@pytest.mark.parametrize("size", ["many", "-1", "nan", "inf", "1e308"])
def test_a_size_that_is_none_is_named(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLR_RAY_CACHE_GIB", size)
    with pytest.raises(ConfigError, match=f"SLR_RAY_CACHE_GIB is '{size}'"):
        cache.limit_bytes()


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SLR_RAY_CACHE_GIB", "nan", "give a number of GiB"),
        ("SLR_RAY_CACHE", "{}/file/below", "cannot make the corpus cache .*set SLR_RAY_CACHE"),
    ],
)
def test_the_doctor_names_a_cache_that_can_not_be_and_goes_on(
    variable: str, value: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slr_ray.doctor import _findings

    (tmp_path / "file").touch()
    monkeypatch.setenv(variable, value.format(tmp_path))
    *_, cache_line, _, last = _findings()
    assert (cache_line.what, cache_line.is_good) == ("corpus cache", False)
    assert re.search(told, cache_line.found)
    assert last.what == "Ray authentication"


def test_the_doctor_clears_it(tmp_path: Path) -> None:
    import typer

    from slr_ray.doctor import doctor

    open_shards(str(written(tmp_path / "poses.parquet", 3)))
    app = typer.Typer()
    app.command()(doctor)
    kept = CliRunner().invoke(app, ["--prune"])
    assert "removed 0 corpora from the cache, 0.00 GiB; 1 in use left" in kept.output
    end_use()
    assert "removed 1 corpora" in CliRunner().invoke(app, ["--prune"]).output
